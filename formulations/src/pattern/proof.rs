//! Cores over every pattern that a cheaper plan may use.

use std::time::{Duration, Instant};

use isocost_solver::SolverError;
use rayon::prelude::*;

use super::column::{Pattern, Shape};
use super::core::{self, Offer};
use super::dual::{Dual, Part};
use super::pricing::{self, Most};
use super::state::State;

/// A server with more patterns than this is left open in a core.
const OPEN_ABOVE: usize = 48;
/// Patterns of one server that are listed at most, before the beaten ones are dropped.
const LISTED: usize = 5_000;
/// Time of the first core of a proof, and of the last.
pub(super) const FIRST_SLICE: Duration = Duration::from_secs(2);
const LAST_SLICE: Duration = Duration::from_secs(6);

impl State<'_> {
    /// Cores over every pattern that a cheaper plan may use, while they find one: what a backend says of
    /// bounds tells when to stop, and proves nothing. One that runs out its slice of time is stated anew once the
    /// incumbent has improved: it is smaller then.
    pub(super) fn improve(&mut self, part: &Part, dual: &Dual) -> Result<(), SolverError> {
        let mut scarce: Vec<usize> =
            (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 0.0).collect();
        let mut slice = FIRST_SLICE;
        while !self.is_proven() && !self.clock.is_over() {
            let (before, limits) = (self.cost(), scarce.len());
            let begin = Instant::now();
            // A cheaper plan is cheaper by a whole step.
            let delta = match self.ablation.fixing {
                true => (before - self.step() - dual.bound).max(0.0),
                false => f64::INFINITY,
            };
            let offers = self.offers(part, dual, delta, &scarce);
            let complete = scarce.len() == self.space.capacity.len();
            let options = self.watched(slice, complete);
            let core = core::solve(self.space, part, &offers, &scarce, self.backend, &options)?;
            if let Some(found) = core.chosen {
                match self.overused(&found) {
                    Some(k) if scarce.contains(&k) => break,
                    Some(k) => {
                        scarce.push(k);
                        scarce.sort_unstable();
                    }
                    None => self.offer(found),
                }
            }
            if self.cost() < before || scarce.len() > limits {
                continue;
            }
            // A core that told nothing new, and had the time to, tells nothing new again.
            let enough = before - self.step().max(options.relative_gap * before.abs());
            let had_time = core.bound >= enough || begin.elapsed() < slice / 2;
            if had_time || slice > LAST_SLICE / 3 {
                break;
            }
            slice = slice.saturating_mul(3);
        }
        Ok(())
    }

    /// For each server the patterns of reduced cost at most `delta`, the beaten ones dropped, or,
    /// where they are too many, its items with price cuts.
    pub(super) fn offers(
        &self,
        part: &Part,
        dual: &Dual,
        delta: f64,
        scarce: &[usize],
    ) -> Vec<Offer> {
        let of_server = |&s: &usize| {
            let priced = pricing::cheapest(self.space, s, &dual.lambda);
            let Some(least) = priced.map(|p| p.bound) else { return Offer::Listed(Vec::new()) };
            let budget = least + delta + 1e-9 * least.abs().max(1.0);
            let most = if self.space.shape == Shape::Mixed { LISTED } else { usize::MAX };
            let single = self.space.shape == Shape::Single || self.space.needs(s).is_idle();
            let listable = single || (budget.is_finite() && self.ablation.listing);
            let list = listable
                .then(|| pricing::list(self.space, s, &dual.lambda, budget, Most::patterns(most)));
            match list.flatten().map(|list| self.prune(list, scarce)) {
                Some(list) if list.len() <= OPEN_ABOVE || single => Offer::Listed(list),
                _ => Offer::Open { cuts: self.cuts(s, dual, scarce), budget },
            }
        };
        part.servers.par_iter().map(of_server).collect()
    }

    /// Price cuts of a server at the best prices and around them.
    pub(super) fn cuts(&self, s: usize, dual: &Dual, scarce: &[usize]) -> Vec<(Vec<f64>, f64)> {
        if !self.ablation.cuts {
            return Vec::new();
        }
        let mut around = vec![dual.lambda.clone()];
        for &k in scarce {
            for factor in [0.0, 0.7, 0.9, 1.1, 1.4] {
                let mut lambda = dual.lambda.clone();
                lambda[k] *= factor;
                around.push(lambda);
            }
        }
        let cut = |lambda: Vec<f64>| {
            let z = pricing::cheapest(self.space, s, &lambda)?.bound;
            Some((lambda, z))
        };
        around.into_iter().filter_map(cut).collect()
    }

    pub(super) fn prune(&self, patterns: Vec<Pattern>, limits: &[usize]) -> Vec<Pattern> {
        if self.ablation.prune { core::prune(patterns, limits) } else { patterns }
    }
}
