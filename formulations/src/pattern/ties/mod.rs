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
use super::cover::DEAR;
use super::cover::search::Most;
use super::exact::Root;
use super::state::{Incumbent, State};
use super::totals::{self, counter::Counter};

/// Patterns of all servers that have a choice, at most.
const PATTERNS: usize = 3_000;
/// Patterns that one server has at most.
const OF_SERVER: usize = 400;

impl State<'_> {
    /// Replaces a proven optimum by the one that comes first.
    pub(super) fn break_ties(&mut self, root: &Root) {
        let Some(known) = &self.incumbent else { return };
        let note = if self.bound < known.units {
            "ties: not broken, as the cost is proven within the gap"
        } else {
            match self.optimal(root).map(|lists| self.first(root, &lists)) {
                None => "ties: not broken, there are too many patterns to compare",
                Some(None) => "ties: not broken, there are too many plans to compare",
                Some(Some(patterns)) => {
                    let (units, cost) =
                        (self.units(&patterns), patterns.iter().map(|p| p.cost).sum());
                    self.incumbent = Some(Incumbent { units, cost, patterns });
                    return;
                }
            }
        };
        self.notes.push(note.to_owned());
    }

    /// `U - V`, in the unit of the prices.
    fn delta(&self, root: &Root) -> i64 {
        let cost = self.incumbent.as_ref().map_or(0, |known| known.units);
        let delta = (i128::from(cost) << root.prices.shift) - root.value;
        i64::try_from(delta).unwrap_or(DEAR)
    }

    /// For each server the patterns that an optimum may use, by name; `None` if they are too many.
    fn optimal(&self, root: &Root) -> Option<Vec<Vec<Pattern>>> {
        let delta = self.delta(root);
        let mut total = 0;
        let list = |(s, least): (usize, &i64)| {
            let (budget, most) = (least.saturating_add(delta), Most::patterns(OF_SERVER));
            let list = self.exact.list(s, &root.prices, &[], budget, most)?;
            let pattern = |(_, shares)| Pattern::new(self.space, s, shares);
            let mut list: Vec<Pattern> = list.into_iter().map(pattern).collect();
            list.sort_by_cached_key(|p| {
                p.shares.iter().map(|&(j, n)| (j, Reverse(n))).collect::<Vec<_>>()
            });
            let list = self.unbeaten(s, list);
            total += if list.len() > 1 { list.len() } else { 0 };
            (total <= PATTERNS).then_some(list)
        };
        root.least.iter().enumerate().map(list).collect()
    }

    /// Leaves the patterns, in their order, that none before beats in cost, cards and every limit: an
    /// optimum that uses another would come first with that one instead.
    fn unbeaten(&self, s: usize, list: Vec<Pattern>) -> Vec<Pattern> {
        let mut kept: Vec<(u64, i64, Pattern)> = Vec::new();
        for pattern in list {
            let cards = self.cards(s, &pattern);
            let cost = self.exact.numbers.cost(self.space, s, &pattern.shares);
            let beats = |(fewer, cheaper, k): &(u64, i64, Pattern)| {
                let takes_less = k.uses.iter().zip(&pattern.uses).all(|(a, b)| a <= b);
                *fewer <= cards && *cheaper <= cost && takes_less
            };
            if !kept.iter().any(beats) {
                kept.push((cards, cost, pattern));
            }
        }
        kept.into_iter().map(|kept| kept.2).collect()
    }

    /// The first of the optima; `None` where they are too many to tell.
    fn first(&self, root: &Root, lists: &[Vec<Pattern>]) -> Option<Vec<Pattern>> {
        let of_server = |(s, list): (usize, &Vec<Pattern>)| self.weighed(s, list, root);
        let servers: Vec<_> = lists.iter().enumerate().map(of_server).collect();
        let scarcest = totals::scarcest(&self.exact, &root.prices);
        let bounds = Bounds {
            counter: Counter::new(&self.exact.numbers, &scarcest)?,
            capacity: &self.exact.numbers.capacity,
            prices: &root.prices,
            delta: self.delta(root),
            cost: self.incumbent.as_ref()?.units,
        };
        let chosen = walk::first(&servers, &bounds)??;
        Some(lists.iter().zip(chosen).map(|(list, at)| list[at].clone()).collect())
    }

    fn weighed(&self, s: usize, list: &[Pattern], root: &Root) -> Vec<Weighed> {
        let numbers = &self.exact.numbers;
        let cover = numbers.cover(self.space, s, &root.prices);
        let weigh = |pattern: &Pattern| Weighed {
            uses: (0..numbers.capacity.len())
                .map(|k| numbers.uses(self.space, s, &pattern.shares, k))
                .collect(),
            reduced: cover.price(&pattern.shares).unwrap_or(DEAR) - root.least[s],
            cost: numbers.cost(self.space, s, &pattern.shares),
            cards: self.cards(s, pattern),
        };
        list.iter().map(weigh).collect()
    }

    fn cards(&self, s: usize, pattern: &Pattern) -> u64 {
        let items = self.space.items(s);
        pattern.shares.iter().map(|&(j, n)| items[j as usize].cards * u64::from(n)).sum()
    }
}
