//! How many servers leave where they run now, and what a change is worth.

use super::nodes::Shares;
use super::site::Site;
use super::{CheckOptions, Found, Rule, close};
use crate::plan::{Part, Plan};

pub(super) fn check(sites: &[Site<'_>], options: &CheckOptions, found: &mut Found) {
    let Some(most) = options.max_moves else { return };
    let count = count(sites);
    found.unless(count <= most, Rule::Moves, "plan", || {
        format!("{count} servers move, at most {most} may")
    });
}

/// Servers that move.
pub(super) fn count(sites: &[Site<'_>]) -> u64 {
    sites.iter().filter(|site| site.moves()).count() as u64
}

/// The objective of a transition is the change's value.
pub(super) fn value(sites: &[Site<'_>], plan: &Plan, borne: &Shares, found: &mut Found) {
    if !sites.first().is_some_and(|s| s.options.transition && !s.options.partial) {
        return;
    }
    let value = sites.iter().enumerate().map(|(s, site)| change(site, s, borne)).sum();
    found.unless(close(plan.objective, value), Rule::Proof, "plan", || {
        format!("the objective {} is not the change's value {value}", plan.objective)
    });
}

/// Value of a server's change, cents/h: what it costs more than now, and a tenth of what is given up
/// and of what is placed elsewhere, what `borne` says it bears of nodes left out.
fn change(site: &Site<'_>, s: usize, borne: &Shares) -> f64 {
    let parts = &site.placement.parts;
    let cost: f64 = parts.iter().map(|part| part.cost).sum();
    let Some(current) = &site.server.current else { return cost };
    let stays = |part: &&Part| part.accelerator == current.accelerator;
    let elsewhere =
        |part: &Part| part.cost - borne.get(&(s, part.accelerator)).copied().unwrap_or(0.0);
    let moved: f64 = parts.iter().filter(|part| !stays(part)).map(elsewhere).sum();
    let is_given_up = !parts.is_empty() && !parts.iter().any(|p| stays(&p));
    let given_up = if is_given_up { current.cost_cents_per_h } else { 0.0 };
    cost - current.cost_cents_per_h + 0.1 * (moved + given_up)
}
