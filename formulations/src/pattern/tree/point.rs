//! The bound of a node: exact prices, round by round those of the master.

use rayon::prelude::*;

use super::master::Relaxed;
use super::pool::{Pool, Sides};
use super::worth::Place;
use super::{AllHeld, Tree};
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

/// What is known of a node.
pub(super) struct Bounded {
    /// No plan at the node is cheaper, in units of cost.
    pub bound: i64,
    /// At these prices.
    pub prices: Prices,
    least: Vec<Least>,
    /// The last optimum of its program.
    pub relaxed: Option<Relaxed>,
}

impl Point {
    /// What a pattern of a plan below `goal` may cost above the least of its server, in the unit of the prices.
    pub(super) fn slack(&self, goal: i64) -> i64 {
        let most = (i128::from(goal - 1) << self.prices.shift) - self.value;
        i64::try_from(most).unwrap_or(i64::MAX)
    }
}

impl Tree<'_, '_> {
    /// The best bound of a node and its prices; `None` where a server has no pattern.
    pub(super) fn bounded(
        &mut self,
        held: &AllHeld,
        start: &Prices,
        rounds: usize,
        pool: Option<&Pool>,
    ) -> Option<Bounded> {
        // At prices that are too dear to count with a pattern may seem none; free of charge it shows.
        let mut best = match self.point(held, start, pool) {
            Some(point) => point,
            None => self.point(held, &Prices { of: vec![0; start.of.len()], ..*start }, pool)?,
        };
        let mut relaxed: Option<Relaxed> = None;
        let mut fresh = 1;
        self.master.enter(&Sides(held), &best, self.goal(), pool);
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
            fresh = 0;
            for weight in [weight, 0.0] {
                let Some(point) = self.towards(held, &best.prices, (&next, weight), pool) else {
                    break;
                };
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
        Some(Bounded { bound: best.bound, prices: best.prices, least: best.least, relaxed })
    }

    /// Where to split a node.
    pub(super) fn places(&self, node: &Bounded, held: &AllHeld) -> Vec<Place> {
        let relaxed = node.relaxed.as_ref();
        let places = relaxed.map(|relaxed| self.master.cuts(relaxed, held, &node.prices));
        match places {
            Some(places) if !places.is_empty() => places,
            _ => unsettled(held, &node.least).into_iter().collect(),
        }
    }

    /// The point between some prices and the next ones; nearer to those that can be counted with, where the
    /// next ones are too dear.
    fn towards(
        &mut self,
        held: &AllHeld,
        from: &Prices,
        (next, weight): (&Relaxed, f64),
        pool: Option<&Pool>,
    ) -> Option<Point> {
        let weights = (0..4).map(|step| 1.0 - (1.0 - weight) * 0.02_f64.powi(step));
        weights.into_iter().find_map(|weight| self.point(held, &next.between(from, weight), pool))
    }

    /// Whether better prices would bring little.
    fn is_close(&self, best: &Point, next: &Relaxed) -> bool {
        let (value, goal) = (best.value as f64, (i128::from(self.goal()) << self.shift) as f64);
        !self.free && next.value < goal && next.value - value <= CLOSE * (goal - next.value)
    }

    pub(super) fn point(
        &mut self,
        held: &AllHeld,
        prices: &Prices,
        pool: Option<&Pool>,
    ) -> Option<Point> {
        let (exact, servers) = (&self.exact, self.exact.space.problem.servers.len());
        self.priced += servers;
        let (held, there) = (Sides(held), exact.there(prices));
        let priced = |same: i64| -> Option<(i128, Vec<Least>)> {
            let least = |s: usize| match pool {
                Some(pool) => pool.least(s, prices, held.of(s)),
                None => exact.least_but(s, prices, held.of(s), same),
            };
            let least: Vec<Least> = match servers {
                ..64 => (0..servers).map(least).collect::<Option<_>>()?,
                _ => (0..servers).into_par_iter().map(least).collect::<Option<_>>()?,
            };
            Some((least.iter().map(|l| i128::from(l.bound)).sum::<i128>() - there, least))
        };
        let same = if pool.is_none() { self.same } else { 0 };
        let (mut value, mut least) = priced(same)?;
        let reached = i128::from(self.goal()) << self.shift;
        // What is close enough to tell is told exactly.
        if same > 0 && value < reached && value + i128::from(same) * servers as i128 >= reached {
            (value, least) = priced(0)?;
        }
        let point = Point { prices: prices.clone(), bound: whole(value, self.shift), value, least };
        let mixes = point.least.iter().map(|least| Some(least.mix.as_ref()?.1.clone()));
        if let Some(mixes) = mixes.collect::<Option<Vec<_>>>() {
            self.offer_mixes(mixes);
        }
        Some(point)
    }

    /// Offers what the master chooses, each server by its heaviest pattern.
    fn offer(&mut self, relaxed: &Relaxed) {
        if let Some(heaviest) = self.master.heaviest(relaxed) {
            self.offer_mixes(heaviest.into_iter().map(|chosen| chosen.1).collect());
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
fn unsettled(held: &AllHeld, least: &[Least]) -> Option<Place> {
    for (s, least) in least.iter().enumerate() {
        for &(item, n) in least.mix.iter().flat_map(|mix| &mix.1) {
            let known = held.get(&s).and_then(|held| held.iter().find(|h| h.item == item));
            let (fewest, most) = known.map_or((0, u64::MAX), |h| (h.least, h.most));
            if fewest < most {
                let cut = (s, item, u64::from(n).clamp(fewest, most - 1));
                return Some(Place { cut, fraction: 0.5, price: 1.0 });
            }
        }
    }
    None
}
