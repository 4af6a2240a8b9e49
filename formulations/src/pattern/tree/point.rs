//! The bound of a node: exact prices, round by round those of the master.

use rayon::prelude::*;

use super::master::Relaxed;
use super::{AllHeld, Cut, Tree};
use crate::pattern::column::Pattern;
use crate::pattern::exact::{Least, whole};
use crate::pattern::numbers::Prices;

/// Weight of the best prices so far in the next ones (Wentges 1997).
const SMOOTHING: f64 = 0.5;
/// Share of the way from the bound to the goal that more rounds may still bring, for them to be made.
const CLOSE: f64 = 0.02;

/// The Lagrangian at some prices.
pub(super) struct Point {
    pub(super) prices: Prices,
    bound: i64,
    value: i128,
    pub(super) least: Vec<Least>,
}

impl Tree<'_, '_> {
    /// The best bound of a node, its prices, and where to split it; `None` where a server has no pattern.
    pub(super) fn bounded(
        &mut self,
        held: &AllHeld,
        start: &Prices,
        rounds: usize,
    ) -> Option<(i64, Prices, Vec<Cut>)> {
        let mut best = self.point(held, start)?;
        let mut relaxed: Option<Relaxed> = None;
        let mut fresh = 1;
        let most = self.most(&best);
        self.master.enter(held, &best, most);
        for round in 0..rounds {
            if best.bound >= self.goal() || best.prices.of.is_empty() || self.is_over() {
                break;
            }
            if fresh == 0 {
                break;
            }
            let Some(next) = self.master.solve() else { break };
            self.offer(&next);
            let is_close = self.is_close(&best, &next);
            let weight = if round == 0 { 0.0 } else { SMOOTHING };
            for weight in [weight, 0.0] {
                let point = self.point(held, &next.between(&best.prices, weight))?;
                fresh = self.master.add(&point);
                if point.value > best.value {
                    best = point;
                }
                if fresh > 0 || weight == 0.0 {
                    break;
                }
            }
            relaxed = Some(next);
            if is_close {
                break;
            }
        }
        let mut cuts = match relaxed {
            Some(relaxed) => self.master.cuts(&relaxed, held, &best.prices),
            None => Vec::new(),
        };
        if cuts.is_empty() {
            cuts.extend(unsettled(held, &best.least));
        }
        Some((best.bound, best.prices, cuts))
    }

    /// What a pattern may cost above the least of its server, in the unit of the prices.
    fn most(&self, point: &Point) -> i64 {
        let goal = i128::from(self.goal()) << self.shift;
        if self.free { i64::MAX } else { i64::try_from(goal - point.value).unwrap_or(i64::MAX) }
    }

    /// Whether better prices would bring little.
    fn is_close(&self, best: &Point, next: &Relaxed) -> bool {
        let (value, goal) = (best.value as f64, (i128::from(self.goal()) << self.shift) as f64);
        !self.free && next.value < goal && next.value - value <= CLOSE * (goal - next.value)
    }

    pub(super) fn point(&mut self, held: &AllHeld, prices: &Prices) -> Option<Point> {
        let (exact, servers) = (&self.exact, self.exact.space.problem.servers.len());
        self.priced += servers;
        let of = |s: usize| held.get(&s).map_or(&[][..], Vec::as_slice);
        let least = |s: usize| exact.least(s, prices, of(s));
        let least: Vec<Least> = match servers {
            ..64 => (0..servers).map(least).collect::<Option<_>>()?,
            _ => (0..servers).into_par_iter().map(least).collect::<Option<_>>()?,
        };
        let value = least.iter().map(|l| i128::from(l.bound)).sum::<i128>() - exact.there(prices);
        let point = Point { prices: prices.clone(), bound: whole(value, self.shift), value, least };
        let mixes = point.least.iter().map(|least| Some(least.mix.as_ref()?.1.clone()));
        if let Some(mixes) = mixes.collect::<Option<Vec<_>>>() {
            self.offer_mixes(mixes);
        }
        Some(point)
    }

    /// Offers what the master chooses, each server by its heaviest pattern.
    fn offer(&mut self, relaxed: &Relaxed) {
        let mixes = self.master.heaviest(relaxed);
        if let Some(mixes) = mixes {
            self.offer_mixes(mixes);
        }
    }

    /// Offers a plan. The free numbers' space has no costs; the plan is weighed in the state's.
    fn offer_mixes(&mut self, mixes: Vec<Vec<(u32, u32)>>) {
        let space = self.state.space;
        let weighed = mixes.into_iter().enumerate();
        self.state.offer(weighed.map(|(s, mix)| Pattern::new(space, s, mix)).collect());
    }
}

/// An item of a cheapest pattern whose replicas are not settled yet, where the master tells of none.
fn unsettled(held: &AllHeld, least: &[Least]) -> Option<Cut> {
    for (s, least) in least.iter().enumerate() {
        for &(item, n) in least.mix.iter().flat_map(|mix| &mix.1) {
            let known = held.get(&s).and_then(|held| held.iter().find(|h| h.item == item));
            let (fewest, most) = known.map_or((0, u64::MAX), |h| (h.least, h.most));
            if fewest < most {
                return Some((s, item, u64::from(n).clamp(fewest, most - 1)));
            }
        }
    }
    None
}
