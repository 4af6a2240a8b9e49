//! Ties: among the plans of least cost the one with the fewest cards, then the first by name.
//!
//! ```text
//! data        h_p   cards of p
//!             a_p   place of p among its server's patterns, in the order of the accelerators' names
//!                   and of more replicas on them
//!             g_s   square roots of different primes, servers in the order of their names
//!
//! subject to  sum_s sum_p c_p x_sp <= U,  sum_p x_sp = 1,  sum_s sum_p u_pk x_sp <= C_k
//! first       minimise sum_s sum_p h_p x_sp
//! then        minimise sum_s g_s sum_p a_p x_sp
//! ```
//!
//! over the patterns of reduced cost at most `U - V`: no optimum uses another. Roots of different
//! primes are independent over the whole numbers, so that two plans never weigh the same, and the
//! same input gives the same plan whatever a solver happens to meet first. The planner hands servers
//! and items over in the order of their names.
//!
//! It is left out, with a note, where the cost is proven within the gap alone, where these patterns
//! are too many, and where it takes long beside the solve itself.

use std::cmp::Reverse;
use std::time::Duration;

use isocost_solver::{Row, Solution, SolverError, Status};

use super::column::Pattern;
use super::core::{self, Offer};
use super::dual::{Dual, Part};
use super::pricing::{self, Most};
use super::state::State;

/// Patterns of all servers that have a choice, at most.
const PATTERNS: usize = 1_500;
/// Patterns that one server has at most.
const OF_SERVER: usize = 400;
/// Time that it may take in any case, and its share of the time before.
const LEAST: Duration = Duration::from_millis(100);
const SHARE: f64 = 0.2;

impl State<'_> {
    /// Replaces a proven optimum by the one that comes first.
    pub(super) fn break_ties(&mut self, part: &Part, dual: &Dual) -> Result<(), SolverError> {
        if self.cost() - self.bound > 1e-9 * self.cost().abs() {
            self.notes.push("ties: not broken, as the cost is proven within the gap".to_owned());
            return Ok(());
        }
        let Some(lists) = self.optimal(part, dual) else {
            self.notes.push("ties: not broken, there are too many patterns to compare".to_owned());
            return Ok(());
        };
        if lists.iter().all(|list| list.len() == 1) {
            return Ok(());
        }
        match self.first(part, &lists)? {
            Some(patterns) => self.incumbent = Some((self.cost(), patterns)),
            None => self.notes.push("ties: not broken, it would take long".to_owned()),
        }
        Ok(())
    }

    /// For each server the patterns that an optimum may use, by name; `None` if they are too many.
    fn optimal(&self, part: &Part, dual: &Dual) -> Option<Vec<Vec<Pattern>>> {
        let delta = self.cost() - dual.bound;
        let mut total = 0;
        let list = |&s: &usize| {
            let least = pricing::cheapest(self.space, s, &dual.lambda)?.bound;
            let budget = least + delta + 1e-9 * least.abs().max(1.0);
            let mut list =
                pricing::list(self.space, s, &dual.lambda, budget, Most::patterns(OF_SERVER))?;
            total += if list.len() > 1 { list.len() } else { 0 };
            list.sort_by_cached_key(|p| {
                p.shares.iter().map(|&(j, n)| (j, Reverse(n))).collect::<Vec<_>>()
            });
            (total <= PATTERNS).then_some(list)
        };
        part.servers.iter().map(list).collect()
    }

    /// The first of the optima; `None` where time does not suffice to tell.
    fn first(
        &self,
        part: &Part,
        lists: &[Vec<Pattern>],
    ) -> Result<Option<Vec<Pattern>>, SolverError> {
        let offers: Vec<Offer> = lists.iter().cloned().map(Offer::Listed).collect();
        let limits: Vec<usize> = (0..part.capacity.len()).collect();
        let (statement, _) = core::state(self.space, part, &offers, &limits);
        let mut milp = statement.milp;
        milp.offset = 0.0;
        let each = |weight: &dyn Fn(usize, usize, &Pattern) -> f64| -> Vec<f64> {
            let of_server = |(i, list): (usize, &Vec<Pattern>)| -> Vec<f64> {
                list.iter().enumerate().map(|(a, p)| weight(i, a, p)).collect()
            };
            lists.iter().enumerate().flat_map(of_server).collect()
        };
        let terms = |weights: &[f64]| weights.iter().copied().enumerate().collect::<Vec<_>>();
        let costs = each(&|_, _, p| p.cost);
        let most = self.cost() + 1e-9 * self.cost().abs().max(1.0);
        milp.add_row(Row::at_most("cost", most, terms(&costs)));
        let cards = each(&|i, _, p| self.cards(part.servers[i], p));
        let roots = roots(lists.len());
        let places = each(&|i, a, _| roots[i] * a as f64);

        let mut options = self.clock.within(LEAST.max(self.clock.start.elapsed().mul_f64(SHARE)));
        options.relative_gap = 0.0;
        options.start = self.incumbent.as_ref().map(|(_, patterns)| {
            each(&|i, _, p| f64::from(p.shares == patterns[part.servers[i]].shares))
        });
        let mut minimise = |weights: &[f64]| -> Result<Option<Solution>, SolverError> {
            milp.columns.iter_mut().zip(weights).for_each(|(column, w)| column.cost = *w);
            let solution = self.backend.solve(&milp, &options)?;
            if solution.status != Status::Optimal {
                return Ok(None);
            }
            milp.add_row(Row::at_most("cards", solution.objective + 0.5, terms(weights)));
            options.start = Some(solution.values.clone());
            Ok(Some(solution))
        };
        if minimise(&cards)?.is_none() {
            return Ok(None);
        }
        let Some(solution) = minimise(&places)? else { return Ok(None) };
        let taken = lists.iter().flatten().zip(&solution.values).filter(|(_, x)| **x > 0.5);
        let patterns: Vec<Pattern> = taken.map(|(p, _)| p.clone()).collect();
        let cost: f64 = patterns.iter().map(|p| p.cost).sum();
        let sound = patterns.len() == lists.len() && cost <= most;
        Ok((sound && self.overused(&patterns).is_none()).then_some(patterns))
    }

    fn cards(&self, s: usize, pattern: &Pattern) -> f64 {
        let items = self.space.items(s);
        pattern.shares.iter().map(|&(j, n)| (items[j as usize].cards * u64::from(n)) as f64).sum()
    }
}

/// Square roots of the first `count` primes.
fn roots(count: usize) -> Vec<f64> {
    let is_prime = |n: &u32| (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    (2..).filter(is_prime).take(count).map(|p| f64::from(p).sqrt()).collect()
}
