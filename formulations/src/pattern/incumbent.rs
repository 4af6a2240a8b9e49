//! Incumbents: cores over a guessed gap, and dives.

use std::time::Duration;

use isocost_model::plan::relative_gap;
use isocost_solver::SolverError;
use rayon::prelude::*;

use super::column::{Pattern, Shape};
use super::core::{self, Offer};
use super::dual::{self, Dual, Part};
use super::pricing::{self, Most};
use super::proof::FIRST_SLICE;
use super::state::State;
use crate::compact::compact;

/// Servers that a core is solved for at once.
const CORE_SERVERS: usize = 160;
/// Patterns of the core that ends a dive.
const DIVE_PATTERNS: usize = 6_000;
/// Gaps that are tried before an incumbent is known, as shares of a server's mean cost: the gap of
/// the relaxation does not grow with the number of servers, only with that of scarce limits.
const GUESSES: [f64; 3] = [0.01, 0.04, 0.16];
/// Patterns of one server each that a core over all of them may have.
const SMALL: usize = 1_500;
/// Servers up to which the program of replicas is put to the backend, and the gap above which it is.
const COMPACT: usize = 400;
const WIDE: f64 = 1e-4;
/// Longer than anybody waits.
const LONG: Duration = Duration::from_secs(86_400);
/// Patterns of a core over a guessed gap.
const GUESS_PATTERNS: usize = 20_000;
/// Patterns that an open server counts as: it is that much harder than one of its columns.
const OPEN_SIZE: usize = 600;

impl State<'_> {
    /// Cores over the patterns of reduced cost up to a guess of the gap: where one finds a plan
    /// within the guess, it is optimal, and no incumbent had to be looked for.
    pub(super) fn guess(&mut self, part: &Part, dual: &Dual) -> Result<(), SolverError> {
        let mean = dual.bound.abs() / part.servers.len().max(1) as f64;
        let scarce: Vec<usize> = (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 0.0).collect();
        for (at, share) in GUESSES.into_iter().enumerate() {
            if self.clock.is_over() || self.incumbent.is_some() {
                break;
            }
            if at > 0 && self.is_small(part) {
                return self.whole(part, dual);
            }
            let delta = share * mean;
            let offers = self.offers(part, dual, delta, &scarce);
            let size = |offer: &Offer| match offer {
                Offer::Listed(patterns) => patterns.len(),
                Offer::Open { .. } => OPEN_SIZE,
            };
            if offers.iter().map(size).sum::<usize>() > GUESS_PATTERNS + part.servers.len() {
                break;
            }
            let complete = scarce.len() == self.space.capacity.len();
            let options = self.watched(FIRST_SLICE, complete);
            let core = core::solve(self.space, part, &offers, &scarce, self.backend, &options)?;
            if let Some(found) = core.chosen {
                self.offer(found);
            }
        }
        Ok(())
    }

    /// Whether all patterns together make a small core.
    fn is_small(&self, part: &Part) -> bool {
        let patterns: usize = part.servers.iter().map(|&s| self.space.items(s).len()).sum();
        self.space.shape == Shape::Single && patterns <= SMALL
    }

    /// One core over all patterns and limits: where few servers hardly fit, the gap is no guide.
    fn whole(&mut self, part: &Part, dual: &Dual) -> Result<(), SolverError> {
        let limits: Vec<usize> = (0..self.space.capacity.len()).collect();
        let offers = self.offers(part, dual, f64::INFINITY, &limits);
        let options = self.watched(LONG, true);
        let core = core::solve(self.space, part, &offers, &limits, self.backend, &options)?;
        self.none_found = core.bound == f64::INFINITY && offers.iter().all(Offer::is_listed);
        if let Some(found) = core.chosen {
            self.offer(found);
        }
        Ok(())
    }

    /// The program of replicas, as any solver takes it: where many limits are scarce, it comes to plans that
    /// cores over the patterns of a few servers do not.
    pub(super) fn by_replicas(&mut self) -> Result<(), SolverError> {
        let problem = self.space.problem;
        let gap = relative_gap(self.cost(), self.bound());
        if self.space.shape == Shape::Single || problem.servers.len() > COMPACT || gap <= WIDE {
            return Ok(());
        }
        let program = compact(problem, self.space.options(), self.space.shape);
        let solution = self.backend.solve(&program.milp, &self.watched(FIRST_SLICE, true))?;
        if solution.values.is_empty() {
            return Ok(());
        }
        let mut mixes = vec![Vec::new(); problem.servers.len()];
        for (meanings, &value) in program.meanings.iter().zip(&solution.values) {
            for meaning in meanings.iter().filter(|_| value > 0.5) {
                let n = value.round() as u64 * meaning.replicas;
                mixes[meaning.server]
                    .push((meaning.item as u32, n.min(u64::from(u32::MAX)) as u32));
            }
        }
        let mixes = mixes.into_iter().enumerate();
        self.offer(mixes.map(|(s, mix)| Pattern::new(self.space, s, mix)).collect());
        Ok(())
    }

    /// An incumbent: what the master left whole is kept, the rest is planned again.
    pub(super) fn dive(&mut self, everything: &Part, dual: &Dual) -> Result<(), SolverError> {
        let mut chosen: Vec<Option<Pattern>> = vec![None; self.space.problem.servers.len()];
        let (mut part, mut dual) = (everything.clone(), dual.clone());
        while part.servers.len() > CORE_SERVERS && !self.clock.is_over() {
            let rest = rest(&part, &dual, &mut chosen);
            if rest.servers.len() == part.servers.len() {
                break;
            }
            part = rest;
            let next = dual::bound(self.space, &part, self.backend, self.clock)?;
            let Some(next) = next else { return Ok(()) };
            dual = next;
        }
        if self.clock.is_over() {
            return Ok(());
        }
        let limits: Vec<usize> = (0..self.space.capacity.len()).collect();
        let share = DIVE_PATTERNS / part.servers.len().max(1);
        let patterns: Vec<Vec<Pattern>> =
            part.servers.par_iter().map(|&s| self.nearest(s, &dual.lambda, share.max(4))).collect();
        let offers: Vec<Offer> = patterns.into_iter().map(Offer::Listed).collect();
        let options = self.clock.within(Duration::from_secs(2));
        let core = core::solve(self.space, &part, &offers, &limits, self.backend, &options)?;
        let Some(found) = core.chosen else { return Ok(()) };
        for (&s, pattern) in part.servers.iter().zip(found) {
            chosen[s] = Some(pattern);
        }
        if let Some(patterns) = chosen.into_iter().collect() {
            self.offer(patterns);
        }
        Ok(())
    }

    /// About `most` patterns of a server, of the least reduced cost.
    pub(super) fn nearest(&self, s: usize, lambda: &[f64], most: usize) -> Vec<Pattern> {
        let Some(priced) = pricing::cheapest(self.space, s, lambda) else {
            return Vec::new();
        };
        let mut width = priced.price.abs().max(1.0) * 1e-3;
        let mut list = vec![priced.pattern];
        for _ in 0..24 {
            let budget = priced.price + width;
            let listed = pricing::list(self.space, s, lambda, budget, Most::patterns(40 * most));
            let Some(listed) = listed else { break };
            let limits: Vec<usize> = (0..self.space.capacity.len()).collect();
            list = self.prune(listed, &limits);
            if list.len() >= most {
                break;
            }
            width *= 2.0;
        }
        list.sort_by(|a, b| a.price(lambda).total_cmp(&b.price(lambda)));
        list.truncate(most);
        list
    }
}

/// Fixes the blocks that the master left whole, save as many as make a core worth its while, and
/// returns the rest with what is left for it.
fn rest(part: &Part, dual: &Dual, chosen: &mut [Option<Pattern>]) -> Part {
    let mut rest = Part { servers: Vec::new(), capacity: part.capacity.clone() };
    let whole = |b: &dual::Block| b.choices.len() == 1;
    let split = dual.blocks.iter().filter(|b| !whole(b));
    split.for_each(|b| rest.servers.extend(&b.servers));
    // Whole blocks far from each other keep the core varied.
    let blocks: Vec<&dual::Block> = dual.blocks.iter().filter(|b| whole(b)).collect();
    let stride = 7;
    let order = (0..stride).flat_map(|o| (o..blocks.len()).step_by(stride));
    for b in order {
        let block = blocks[b];
        if rest.servers.len() + block.servers.len() <= CORE_SERVERS {
            rest.servers.extend(&block.servers);
            continue;
        }
        for (&s, pattern) in block.servers.iter().zip(&block.choices[0].1) {
            for (left, used) in rest.capacity.iter_mut().zip(&pattern.uses) {
                *left -= used;
            }
            chosen[s] = Some(pattern.clone());
        }
    }
    rest.servers.sort_unstable();
    rest
}
