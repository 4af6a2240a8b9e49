//! Sizing where objectives are on percentiles, each look at which costs as much as the means of many batch sizes.
//!
//! Percentiles are known less well than means. Rates are therefore looked at on a ladder, each a share of [`STEP`]
//! above the one before and the same for every batch size, so that the highest which keeps the objectives does not
//! depend on the way there. No batch size is searched for its own highest that does not hold more than the best
//! before it, and none is looked at that the means rule out.

use super::size::Sizing;
use crate::queue::objective::Shortfall;
use crate::queue::root::{Bracket, narrow};
use crate::queue::sizing::{Sized, best_batch};

/// A rate over the one below it, less 1.
const STEP: f64 = 1e-4;

/// Steps to the first look above a rung that is held.
const NEAR: usize = 64;

/// Probability of having to wait for a place below which more places change nothing.
const NEVER: f64 = 1e-9;

/// The rates at which a replica is looked at.
pub(super) struct Ladder<'a> {
    sizing: &'a Sizing<'a>,
    lowest_per_s: f64,
}

/// A batch size on a rung, and how far the objectives are from being met there.
#[derive(Clone, Copy)]
struct Look {
    batch: u32,
    rung: usize,
    excess: f64,
}

impl<'a> Ladder<'a> {
    pub fn new(sizing: &'a Sizing<'a>) -> Self {
        Self { sizing, lowest_per_s: sizing.lowest_per_s() }
    }

    /// The largest rate of a batch size.
    ///
    /// # Errors
    /// The objective that is not met even at the lowest rate.
    pub fn size_at(&self, batch: u32) -> Result<Sized, Shortfall> {
        let bottom = self.look(batch, 0);
        if bottom.excess > 0.0 {
            return Err(self.sizing.shortfall(batch, self.lowest_per_s));
        }
        Ok(self.sized(self.highest(bottom, self.last(batch))))
    }

    /// The least batch size whose rate is within `tolerance` of the best over all.
    ///
    /// # Errors
    /// Where no batch size meets the objectives, the shortfall that comes closest.
    pub fn size_best(&self, tolerance: f64) -> Result<Sized, Shortfall> {
        let most = self.sizing.batch();
        let start = self.first(0, [most].into_iter().chain(self.different(0)));
        let Some(start) = start else {
            let different = self.different(0).into_iter().chain([most]);
            let all: Vec<_> = different.map(|batch| self.size_at(batch)).collect();
            return best_batch(&all, tolerance);
        };
        let mut best = self.highest(start, self.last(start.batch));
        for batch in self.different(best.rung + 1) {
            if let Some(better) = self.first(best.rung + 1, [batch]) {
                best = self.highest(better, self.last(batch));
            }
        }
        let enough = self.rung(self.rate_per_s(best.rung) * (1.0 - tolerance)).min(best.rung);
        let below = self.different(enough).into_iter().filter(|batch| *batch < best.batch);
        let Some(least) = self.first(enough, below) else { return Ok(self.sized(best)) };
        Ok(self.sized(self.highest(least, self.last(least.batch).min(best.rung))))
    }

    /// The first of some batch sizes that holds a rung.
    fn first(&self, rung: usize, batches: impl IntoIterator<Item = u32>) -> Option<Look> {
        let can = batches.into_iter().filter(|batch| rung <= self.last(*batch));
        can.map(|batch| self.look(batch, rung)).find(|look| look.excess <= 0.0)
    }

    /// Batch sizes that the means do not rule out on a rung, as far as they differ: more places than are ever taken
    /// change nothing.
    fn different(&self, rung: usize) -> Vec<u32> {
        let mut all = Vec::new();
        for (batch, never) in self.sizing.likely(self.rate_per_s(rung), NEVER) {
            all.push(batch);
            if never {
                break;
            }
        }
        all
    }

    /// The highest rung up to `high` that a batch size holds which holds a lower one.
    fn highest(&self, low: Look, high: usize) -> Look {
        let (mut low, mut step) = (low, if low.rung > 0 { NEAR } else { high });
        let top = loop {
            if high <= low.rung {
                return low;
            }
            let top = self.look(low.batch, high.min(low.rung + step));
            if top.excess > 0.0 {
                break top;
            }
            (low, step) = (top, 4 * step);
        };
        let Look { batch, rung, excess } = low;
        let high = top.rung;
        let mut looks = vec![low, top];
        let bracket = Bracket { low: (rung as f64, excess), high: (high as f64, top.excess) };
        narrow(bracket, 1.0 / high as f64, |at| {
            let rung = at as usize;
            let known = looks.iter().find(|look| look.rung == rung).copied();
            let look = known.unwrap_or_else(|| self.look(batch, rung));
            looks.push(look);
            look.excess
        });
        let held = looks.into_iter().filter(|look| look.excess <= 0.0);
        held.max_by_key(|look| look.rung).unwrap_or(low)
    }

    fn look(&self, batch: u32, rung: usize) -> Look {
        Look { batch, rung, excess: self.sizing.excess(batch, self.rate_per_s(rung)) }
    }

    fn sized(&self, held: Look) -> Sized {
        self.sizing.sized(held.batch, self.rate_per_s(held.rung))
    }

    fn rate_per_s(&self, rung: usize) -> f64 {
        self.lowest_per_s * (rung as f64 * STEP.ln_1p()).exp()
    }

    /// The least rung of at least that rate.
    fn rung(&self, rate_per_s: f64) -> usize {
        let steps = (rate_per_s / self.lowest_per_s).ln() / STEP.ln_1p();
        (steps - 1e-6).ceil().max(0.0) as usize
    }

    /// The highest rung that a batch size may be looked at.
    fn last(&self, batch: u32) -> usize {
        let steps = (self.sizing.most_of(batch) / self.lowest_per_s).ln() / STEP.ln_1p();
        (steps + 1e-6).max(0.0) as usize
    }
}
