//! Ties: among the plans of least cost the one with the fewest cards, then the first by name.
//!
//! ```text
//! data        h_p   cards of p
//!             a_p   place of p among its server's patterns, in the order of the accelerators' names
//!                   and of more replicas on them
//!
//! subject to  sum_s sum_p c_p x_sp <= U,  sum_p x_sp = 1,  sum_s sum_p u_pk x_sp <= C_k
//! first       the least sum_s sum_p h_p x_sp
//! then        the first (a_p(1), a_p(2), ..), servers in the order of their names
//! ```
//!
//! over the patterns of reduced cost at most `U - V`: no optimum uses another. No two plans are alike
//! in this order, so that the same input gives the same plan whatever a solver happens to meet first.
//! The planner hands servers and items over in the order of their names.
//!
//! The plans are walked through server by server ([`walk`]). It is left out, with a note, where the
//! cost is proven within the gap alone, and where patterns or plans are too many to compare.

mod walk;

use std::cmp::Reverse;

use self::walk::{Bounds, Weighed};
use super::column::Pattern;
use super::dual::{Dual, Part};
use super::pricing::{self, Most};
use super::state::State;
use super::totals::{self, counter::Counter};

/// Patterns of all servers that have a choice, at most.
const PATTERNS: usize = 3_000;
/// Patterns that one server has at most.
const OF_SERVER: usize = 400;

impl State<'_> {
    /// Replaces a proven optimum by the one that comes first.
    pub(super) fn break_ties(&mut self, part: &Part, dual: &Dual) {
        let note = if self.cost() - self.bound > 1e-9 * self.cost().abs() {
            "ties: not broken, as the cost is proven within the gap"
        } else {
            match self.optimal(part, dual).map(|lists| self.first(part, dual, &lists)) {
                None => "ties: not broken, there are too many patterns to compare",
                Some(None) => "ties: not broken, there are too many plans to compare",
                Some(Some(patterns)) => {
                    let cost = patterns.iter().map(|p| p.cost).sum();
                    self.incumbent = Some((cost, patterns));
                    return;
                }
            }
        };
        self.notes.push(note.to_owned());
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
            list.sort_by_cached_key(|p| {
                p.shares.iter().map(|&(j, n)| (j, Reverse(n))).collect::<Vec<_>>()
            });
            let list = self.unbeaten(s, list);
            total += if list.len() > 1 { list.len() } else { 0 };
            (total <= PATTERNS).then_some(list)
        };
        part.servers.iter().map(list).collect()
    }

    /// Leaves the patterns, in their order, that none before beats in cost, cards and every limit: an
    /// optimum that uses another would come first with that one instead.
    fn unbeaten(&self, s: usize, list: Vec<Pattern>) -> Vec<Pattern> {
        let mut kept: Vec<(u64, Pattern)> = Vec::new();
        for pattern in list {
            let cards = self.cards(s, &pattern);
            let beats = |(fewer, k): &(u64, Pattern)| {
                let takes_less = k.uses.iter().zip(&pattern.uses).all(|(a, b)| a <= b);
                *fewer <= cards && k.cost <= pattern.cost && takes_less
            };
            if !kept.iter().any(beats) {
                kept.push((cards, pattern));
            }
        }
        kept.into_iter().map(|(_, pattern)| pattern).collect()
    }

    /// The first of the optima; `None` where they are too many to tell.
    fn first<'b>(
        &self,
        part: &Part,
        dual: &Dual,
        lists: &'b [Vec<Pattern>],
    ) -> Option<Vec<Pattern>> {
        let rounding = 1e-9 * self.cost().abs().max(1.0);
        let of_server =
            |(list, &s): (&'b Vec<Pattern>, &usize)| self.weighed(s, list, &dual.lambda);
        let servers: Vec<_> = lists.iter().zip(&part.servers).map(of_server).collect();
        let scarcest = totals::scarcest(self.space, part, dual);
        let bounds = Bounds {
            counter: Counter::new(self.space, &part.capacity, &scarcest)?,
            capacity: &part.capacity,
            lambda: &dual.lambda,
            delta: self.cost() - dual.bound + rounding,
            cost: self.cost() + rounding,
        };
        let chosen = walk::first(&servers, &bounds)??;
        Some(lists.iter().zip(chosen).map(|(list, at)| list[at].clone()).collect())
    }

    fn weighed<'b>(&self, s: usize, list: &'b [Pattern], lambda: &[f64]) -> Vec<Weighed<'b>> {
        let least = list.iter().map(|p| p.price(lambda)).fold(f64::INFINITY, f64::min);
        let weigh = |pattern: &'b Pattern| Weighed {
            pattern,
            reduced: pattern.price(lambda) - least,
            cards: self.cards(s, pattern),
        };
        list.iter().map(weigh).collect()
    }

    fn cards(&self, s: usize, pattern: &Pattern) -> u64 {
        let items = self.space.items(s);
        pattern.shares.iter().map(|&(j, n)| items[j as usize].cards * u64::from(n)).sum()
    }
}
