//! A bound on what one cycle changes of one server.
//!
//! With `n` replicas now, worth `r` requests a second each where they run, a cycle leaves it
//!
//! ```text
//! at least   ceil((1 - s) n) replicas where it is, with s the share that may go      (one, unless it is idle)
//! at least   (1 - s) n r requests a second where it moves to another accelerator;
//!            where a move would leave less it shrinks first, and moves in a later cycle
//! at most    g max(n, 10) replicas: a load that needs more is taken for a fault
//! ```
//!
//! What a plan wants beyond the bound is left for the next cycles: whatever misled one of them has been
//! seen by several before much is gone.

use super::entry::Entry;
use super::memory::Stability;
use crate::actuate::Allocation;

/// So many replicas count as running where there are fewer: a server that starts small may grow.
const FEW: u32 = 10;

/// Most replicas that a server may have after a cycle.
pub fn most(now: u32, stability: &Stability) -> u32 {
    // As a whole number it saturates.
    (f64::from(now.max(FEW)) * stability.most_growth) as u32
}

/// Why a server cannot be believed to need so many replicas.
pub fn too_many(now: u32, wanted: f64, stability: &Stability) -> Option<String> {
    let most = most(now, stability);
    (wanted > f64::from(most)).then(|| {
        format!(
            "it would need {wanted:.0} replicas where {now} run, more than {most}: left as it is; mend what states \
             its load, scale it by hand, or raise --most-growth"
        )
    })
}

/// What a cycle makes of what a plan wants, and why that is less.
pub fn bound(entry: &Entry, to: Allocation, stability: &Stability) -> (Allocation, Option<String>) {
    let from = Allocation::from(&entry.observation.managed);
    if let Some(reason) = too_many(from.replicas, f64::from(to.replicas), stability) {
        return (from, Some(reason));
    }
    let moves = match (&from.accelerator, &to.accelerator) {
        (Some(a), Some(b)) => !a.eq_ignore_ascii_case(b),
        (a, b) => a != b,
    };
    let least = least(entry, from.replicas, stability);
    let enough = match (moves && to.replicas > 0, entry.here) {
        (false, _) => to.replicas >= least,
        // It serves nobody within its objectives where it is, or has no place to shrink in.
        (true, None) => true,
        (true, Some(here)) => {
            let kept = f64::from(from.replicas) * here.rate_per_s * (1.0 - stability.most_change);
            let rate_per_s = entry.footprint(to.accelerator.as_deref()).and_then(|f| f.rate_per_s);
            let then = f64::from(to.replicas) * rate_per_s.unwrap_or(0.0);
            then >= kept * (1.0 - 1e-9) || least == from.replicas
        }
    };
    if enough {
        return (to, None);
    }
    let reason = format!(
        "{} replicas are wanted where {} run: a cycle takes {:.0}% of them at most",
        to.replicas,
        from.replicas,
        stability.most_change * 100.0
    );
    let replicas = if moves && to.replicas > 0 { least } else { least.max(to.replicas) };
    (Allocation { replicas, ..from }, Some(reason))
}

/// Fewest replicas that a cycle leaves of those that run.
fn least(entry: &Entry, now: u32, stability: &Stability) -> u32 {
    let kept = (f64::from(now) * (1.0 - stability.most_change) - 1e-9).ceil().max(0.0) as u32;
    let last = u32::from(now > 0 && !entry.idle);
    // The last replica of an idle server is half of two, and all of one.
    if entry.idle && now == 1 { 0 } else { kept.max(last) }
}
