//! Gaps between two tokens: which passes they are, and how long those take with the contexts that there are.
//!
//! A pass with `d` requests that decode takes longer the longer their contexts are. Those differ, mostly by how far each
//! has come with its answer of length `L`:
//!
//! ```text
//! E[age] = E[L^2] / 2 E[L],     E[age^2] = E[L^3] / 3 E[L]       at a pass of those under way
//! scv    = Var[age + in] / (d E[age + in]^2)                     of d contexts together
//! ```
//!
//! Together they are taken to be spread as lengths are, by these two moments.

use super::spread;
use super::tails::{Tails, percentile};
use super::work::Work;

/// Halvings of an interval that holds the percentile.
const HALVINGS: u32 = 50;

/// A gap between two tokens.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// At the mean context of those who decode.
    ms: f64,
    weight: f64,
    /// What of it goes with their context, and the squared coefficient of variation of that.
    context_ms: f64,
    scv: f64,
}

impl Tails {
    /// Gap between two tokens that `percent` of them do not exceed, ms.
    pub fn gap_ms(&self, percent: f64) -> f64 {
        let mut gaps = Vec::new();
        self.gaps(|gap| gaps.push(gap));
        if gaps.iter().all(|gap| gap.context_ms <= 0.0) {
            return percentile(gaps.iter().map(|gap| (gap.ms, gap.weight)).collect(), percent);
        }
        let total: f64 = gaps.iter().map(|gap| gap.weight).sum();
        let within = |ms: f64| gaps.iter().map(|gap| gap.within(ms)).sum::<f64>();
        let enough = total * percent / 100.0;
        let (mut low, mut high) = (0.0, gaps.iter().map(|gap| gap.ms).fold(0.0, f64::max));
        while within(high) < enough && high < f64::MAX / 4.0 {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if within(middle) < enough { low = middle } else { high = middle }
        }
        high
    }

    /// Share of the gaps between two tokens that are within a limit.
    pub(super) fn gaps_within(&self, limit_ms: f64) -> f64 {
        let (mut within, mut total) = (0.0, 0.0);
        self.gaps(|gap| {
            total += gap.weight;
            within += gap.within(limit_ms);
        });
        if total > 0.0 { within / total } else { 1.0 }
    }

    /// Gaps between two tokens.
    fn gaps(&self, mut into: impl FnMut(Gap)) {
        let work = &self.replica.work;
        let full = f64::from(self.replica.batch());
        for (met, passes, share) in self.all_met() {
            let (n, share) = (met.n, *share);
            if n < full && self.has_cycles() {
                let cycle = self.cycle(n);
                let weight = share * n / cycle.mean_ms();
                let of = |(ms, odds)| Gap::new(work, n, ms, weight * odds);
                cycle.gaps().into_iter().map(of).for_each(&mut into);
                continue;
            }
            let mean_ms: f64 = passes.iter().map(|(_, p, t)| p * t).sum();
            for &(prompts, odds, _) in passes {
                let weight = share / mean_ms * odds * (n - prompts).max(0.0);
                let lengths = spread::points(1.0, work.station().input_scv / prompts.max(1.0));
                for (length, part) in lengths {
                    let ms = met.pass_ms(work, prompts * length);
                    into(Gap::new(work, n - prompts, ms, weight * part));
                }
            }
        }
    }
}

impl Gap {
    fn new(work: &Work, decoding: f64, ms: f64, weight: f64) -> Self {
        let (context_ms, scv) = work.context_ms(decoding);
        Self { ms, weight, context_ms, scv }
    }

    /// Its weight as far as it is within a limit.
    fn within(&self, limit_ms: f64) -> f64 {
        if self.context_ms <= 0.0 {
            return if self.ms <= limit_ms { self.weight } else { 0.0 };
        }
        let left_ms = limit_ms - (self.ms - self.context_ms);
        self.weight * (1.0 - spread::beyond(self.context_ms, self.scv, left_ms))
    }
}
