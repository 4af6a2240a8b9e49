//! Branch and bound over patterns, where prices and totals leave a gap.
//!
//! ```text
//! node    for some servers and items a_sj <= n_sj <= b_sj
//! bound   V(l) over the patterns that keep them, l by subgradients (Polyak 1969)
//! split   n_sj <= v or n_sj > v, for a server whose cheapest pattern changed with the prices
//! ```
//!
//! Every leaf is closed by exact prices, or left open with the bound that it has. The order of nodes and
//! their number depend on the numbers alone, so that the same input ends with the same tree. Where there
//! is no plan to compare with, replicas are free of charge, and a leaf is closed where the limits cannot
//! be kept.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::certificate::{Node, sides};
use super::column::Pattern;
use super::exact::{Exact, Held, Least, Root, whole};
use super::numbers::Prices;
use super::state::{EXCLUDED, State};

/// Nodes, and servers priced in all of them, at most.
const NODES: usize = 20_000;
/// Nodes at most where a backend has said already that nothing is cheaper.
const NODES_IF_TOLD: usize = 20;
const PRICED: usize = 40_000_000;
/// Steps of the prices at the root and at a node.
const STEPS: (usize, usize) = (200, 40);
/// Splits below each other, at most.
const DEPTH: usize = 400;

/// What a server is held to at a node, where it is.
type AllHeld = BTreeMap<usize, Vec<Held>>;

impl State<'_> {
    /// Proves the incumbent, finds a better plan, or shows that there is none, as far as it gets.
    pub(super) fn by_tree(&mut self, root: &Root) {
        while !self.is_proven() && !self.clock.is_over() {
            let before = self.incumbent.as_ref().map(|known| known.units);
            let exact = match before {
                Some(_) => self.exact.clone(),
                None => self.exact.free(),
            };
            let goal = if before.is_some() { self.goal() } else { 1 };
            let start: Vec<f64> = root.prices.of.iter().map(|l| *l as f64).collect();
            let mut tree = Tree {
                exact,
                goal,
                shift: root.prices.shift,
                nodes: 0,
                priced: 0,
                free: before.is_none(),
                state: self,
            };
            let (bound, node) = tree.visit(&AllHeld::new(), &start, 0);
            match before {
                Some(_) => self.raise(bound, || node),
                None if bound >= 1 && self.incumbent.is_none() => self.raise(EXCLUDED, || node),
                None => {}
            }
            // A better plan lowers the goal: leaves that were left open may be closed now.
            if self.incumbent.as_ref().map(|known| known.units) == before {
                break;
            }
        }
    }
}

struct Tree<'s, 'a> {
    state: &'s mut State<'a>,
    exact: Exact<'a>,
    goal: i64,
    shift: u32,
    free: bool,
    nodes: usize,
    priced: usize,
}

/// The Lagrangian at some prices.
struct Point {
    prices: Prices,
    bound: i64,
    value: i128,
    least: Vec<Least>,
    /// What the cheapest patterns take of each limit, less what there is.
    over: Vec<f64>,
}

impl Tree<'_, '_> {
    /// The bound of a node, in units of cost, and what proves it.
    fn visit(&mut self, held: &AllHeld, start: &[f64], depth: usize) -> (i64, Node) {
        self.nodes += 1;
        let steps = if depth == 0 { STEPS.0 } else { STEPS.1 };
        let mut seen = Seen::default();
        let Some((best, prices)) = self.ascend(held, start, steps, &mut seen) else {
            // A server has no pattern: any prices show it.
            return (
                EXCLUDED - 1,
                self.leaf(self.exact.numbers.prices(&vec![0.0; start.len()], self.shift)),
            );
        };
        let most = if self.state.is_told() { NODES_IF_TOLD } else { NODES };
        let is_over = self.nodes > most || self.priced > PRICED || self.state.clock.is_over();
        let found = self.free && self.state.incumbent.is_some();
        if best >= self.goal || is_over || found || depth >= DEPTH {
            return (best, self.leaf(prices));
        }
        let Some((server, item, most)) = seen.split(held) else {
            return (best, self.leaf(prices));
        };
        let none = Vec::new();
        let (fewer, more) = sides(held.get(&server).unwrap_or(&none), item, most);
        let start: Vec<f64> = prices.of.iter().map(|l| *l as f64).collect();
        let mut side = |bounds: Vec<Held>| {
            let mut held = held.clone();
            held.insert(server, bounds);
            self.visit(&held, &start, depth + 1)
        };
        let (fewer, more) = (side(fewer), side(more));
        let bound = fewer.0.min(more.0);
        if bound <= best {
            return (best, self.leaf(prices));
        }
        let (fewer, more) = (Box::new(fewer.1), Box::new(more.1));
        (bound, Node::Split { server, item, most, fewer, more })
    }

    fn leaf(&self, prices: Prices) -> Node {
        if self.free { Node::Excluded(prices) } else { Node::Prices(prices) }
    }

    /// Raises the prices where limits are overrun and lowers them where there is room, by the step that
    /// the distance to the goal suggests; the best bound and its prices.
    fn ascend(
        &mut self,
        held: &AllHeld,
        start: &[f64],
        steps: usize,
        seen: &mut Seen,
    ) -> Option<(i64, Prices)> {
        let mut at = start.to_vec();
        let mut best: Option<Point> = None;
        let (mut patience, mut factor) = (0, 1.0);
        for _ in 0..steps {
            let point = self.point(held, &at)?;
            seen.add(&point.least);
            self.try_plan(&point);
            self.goal = if self.free { 1 } else { self.state.goal() };
            let better = best.as_ref().is_none_or(|best| point.value > best.value);
            patience = if better { 0 } else { patience + 1 };
            let (value, over) = (point.value, point.over.clone());
            if better {
                best = Some(point);
            }
            let reached = best.as_ref().is_some_and(|best| best.bound >= self.goal);
            if reached || at.is_empty() || (self.free && self.state.incumbent.is_some()) {
                break;
            }
            if patience > 5 {
                (patience, factor) = (0, factor * 0.6);
                let prices = best.as_ref().map(|best| &best.prices.of)?;
                at = prices.iter().map(|l| *l as f64).collect();
            }
            // Where a price is at 0 and there is room, nothing is to be done.
            let moves: Vec<f64> = over
                .iter()
                .zip(&at)
                .map(|(over, l)| if *over < 0.0 && *l <= 0.0 { 0.0 } else { *over })
                .collect();
            let length: f64 = moves.iter().map(|m| m * m).sum();
            if length == 0.0 {
                break;
            }
            let goal = (i128::from(self.goal) << self.shift) as f64;
            let distance = (goal - value as f64).max(f64::from(self.shift).exp2() * 0.5);
            let step = factor * distance / length;
            at.iter_mut().zip(&moves).for_each(|(l, m)| *l = (*l + step * m).max(0.0));
        }
        best.map(|best| (best.bound, best.prices))
    }

    fn point(&mut self, held: &AllHeld, at: &[f64]) -> Option<Point> {
        let most = (1_i64 << 55) as f64;
        let of = at.iter().map(|l| l.round().clamp(0.0, most) as i64).collect();
        let prices = Prices { shift: self.shift, of };
        let (exact, servers) = (&self.exact, self.exact.space.problem.servers.len());
        self.priced += servers;
        let none = Vec::new();
        let least = |s: usize| exact.least(s, &prices, held.get(&s).unwrap_or(&none));
        let least: Vec<Least> = match servers {
            ..64 => (0..servers).map(least).collect::<Option<_>>()?,
            _ => (0..servers).into_par_iter().map(least).collect::<Option<_>>()?,
        };
        let value = least.iter().map(|l| i128::from(l.bound)).sum::<i128>() - exact.there(&prices);
        let over = |k: usize| {
            let of_server = |(s, least): (usize, &Least)| {
                let shares = least.mix.as_ref().map_or(&[][..], |mix| &mix.1);
                exact.numbers.uses(exact.space, s, shares, k) as f64
            };
            let taken: f64 = least.iter().enumerate().map(of_server).sum();
            taken - exact.numbers.capacity[k] as f64
        };
        let over = (0..at.len()).map(over).collect();
        let bound = whole(value, self.shift);
        Some(Point { prices, bound, value, least, over })
    }

    /// Offers the cheapest patterns as a plan.
    fn try_plan(&mut self, point: &Point) {
        if point.over.iter().any(|over| *over > 0.0) {
            return;
        }
        let space = self.exact.space;
        let pattern = |(s, least): (usize, &Least)| {
            Some(Pattern::new(space, s, least.mix.as_ref()?.1.clone()))
        };
        let patterns: Option<Vec<Pattern>> = point.least.iter().enumerate().map(pattern).collect();
        if let Some(patterns) = patterns {
            // The free numbers' space has no costs; the plan is weighed anew in the state's.
            let own = patterns.into_iter().enumerate();
            let own = own.map(|(s, p)| Pattern::new(self.state.space, s, p.shares.to_vec()));
            self.state.offer(own.collect());
        }
    }
}

/// Replicas that the cheapest patterns had on the way: (fewest, most, sum) of each server and item.
#[derive(Default)]
struct Seen {
    points: u32,
    counts: Vec<BTreeMap<u32, (u64, u64)>>,
}

impl Seen {
    fn add(&mut self, least: &[Least]) {
        self.counts.resize(least.len(), BTreeMap::new());
        self.points += 1;
        for (seen, least) in self.counts.iter_mut().zip(least) {
            for &(item, n) in least.mix.iter().flat_map(|mix| &mix.1) {
                let entry = seen.entry(item).or_insert((0, 0));
                *entry = (entry.0 + 1, entry.1 + u64::from(n));
            }
        }
    }

    /// The server, item and number of replicas to split at: where the mean over the points is farthest
    /// from a whole number, else where it is not held yet.
    fn split(&self, held: &AllHeld) -> Option<(usize, u32, u64)> {
        let mut best: Option<(f64, (usize, u32, u64))> = None;
        for (s, seen) in self.counts.iter().enumerate() {
            for (&item, &(_, sum)) in seen {
                let known = held.get(&s).and_then(|held| held.iter().find(|h| h.item == item));
                let (least, most) = known.map_or((0, u64::MAX), |h| (h.least, h.most));
                if least == most {
                    continue;
                }
                let mean = sum as f64 / f64::from(self.points);
                let at = (mean.floor() as u64).clamp(least, most - 1);
                let fraction = mean - mean.floor();
                let score = fraction.min(1.0 - fraction) + 1e-9;
                if best.is_none_or(|best| score > best.0) {
                    best = Some((score, (s, item, at)));
                }
            }
        }
        best.map(|best| best.1)
    }
}
