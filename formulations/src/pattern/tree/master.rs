//! The restricted master of a node: a linear program over the patterns met so far.
//!
//! ```text
//! minimise    sum_s sum_p c_p x_sp + sum_k M_k e_k
//! subject to  sum_s sum_p u_pk x_sp - e_k <= C_k      for each k         (l_k)
//!             sum_p x_sp = 1                          for each s
//!             x, e >= 0
//! ```
//!
//! over patterns that keep what the node holds servers to, and that are not too dear for it.

use std::collections::BTreeMap;

use isocost_solver::{Backend, Column, Milp, Relaxation, Row};
use rustc_hash::FxHashSet;

use super::AllHeld;
use super::point::Point;
use super::pool::{Pool, Sides, keeps};
use super::worth::Place;
use crate::pattern::dual::dearest;
use crate::pattern::exact::{Exact, Held};
use crate::pattern::numbers::Prices;
use crate::pattern::space::Space;
use crate::pattern::state::FREE_BITS;

/// (index of item, replicas).
type Mix = Vec<(u32, u32)>;

/// Patterns of all servers that are put into a program whether they were met or not.
const FEW: usize = 300;

/// The patterns met so far, and the linear program of the node that is looked at.
pub(super) struct Master<'a> {
    exact: Exact<'a>,
    free: bool,
    shift: u32,
    backend: &'a dyn Backend,
    /// `M_k`.
    penalties: Vec<f64>,
    /// By server.
    met: Vec<Vec<Mix>>,
    known: Vec<FxHashSet<Mix>>,
    /// The node's program; its columns after those of `e` are `entered`.
    program: Option<Box<dyn isocost_solver::Master>>,
    entered: Vec<(usize, Mix)>,
    is_in: Vec<FxHashSet<Mix>>,
}

/// An optimum of a node's program.
pub(super) struct Relaxed {
    /// Its value, in the unit of the prices.
    pub value: f64,
    prices: Vec<f64>,
    weights: Vec<f64>,
    shift: u32,
}

impl Relaxed {
    /// Prices between these and others.
    pub fn between(&self, others: &Prices, weight: f64) -> Prices {
        let between = |(own, other): (&f64, &i64)| {
            (weight * *other as f64 + (1.0 - weight) * own).round() as i64
        };
        let of = self.prices.iter().zip(&others.of).map(between).collect();
        Prices { shift: self.shift, of }
    }
}

impl<'a> Master<'a> {
    pub fn new(exact: &Exact<'a>, free: bool, shift: u32, backend: &'a dyn Backend) -> Self {
        let servers = exact.space.problem.servers.len();
        let (exact, met) = (exact.clone(), vec![Vec::new(); servers]);
        let known = vec![FxHashSet::default(); servers];
        let penalties = penalties(exact.space);
        Self {
            exact,
            free,
            shift,
            backend,
            penalties,
            met,
            known,
            program: None,
            entered: Vec::new(),
            is_in: vec![FxHashSet::default(); servers],
        }
    }

    /// Adds the patterns of a point; returns how many are new to the node's program.
    pub fn add(&mut self, point: &Point) -> usize {
        let before = self.entered.len();
        for (s, least) in point.least.iter().enumerate() {
            let Some((_, mix)) = &least.mix else { continue };
            let mut mix = mix.clone();
            mix.sort_unstable();
            if self.known[s].insert(mix.clone()) {
                self.met[s].push(mix.clone());
            }
            self.put(s, mix);
        }
        self.entered.len() - before
    }

    /// States the program of a node: the patterns of `point`, and of those met so far the ones that it lets
    /// servers have and that a plan below the goal may use.
    pub fn enter(&mut self, held: &Sides<'_>, point: &Point, goal: i64, pool: Option<&Pool>) {
        self.entered.clear();
        self.is_in.iter_mut().for_each(FxHashSet::clear);
        let space = self.exact.space;
        let mut milp = Milp::default();
        for (&penalty, &capacity) in self.penalties.iter().zip(&space.capacity) {
            let e = milp.add_column(Column::continuous("", penalty, 0.0, f64::INFINITY));
            milp.add_row(Row::at_most("", capacity, vec![(e, -1.0)]));
        }
        for _ in &self.met {
            milp.add_row(Row::equal("", 1.0, Vec::new()));
        }
        self.program = self.backend.master(&milp).ok();
        self.add(point);
        for s in 0..self.met.len() {
            let mixes: Vec<Mix> = match pool {
                Some(pool) => {
                    let is_met = |mix: &&Mix| pool.len() <= FEW || self.known[s].contains(*mix);
                    let rows = pool.of(s).iter().map(|row| &row.mix);
                    rows.filter(is_met).filter(|mix| keeps(mix, held.of(s))).cloned().collect()
                }
                None => self.affordable(s, held.of(s), point, goal),
            };
            mixes.into_iter().for_each(|mix| self.put(s, mix));
        }
    }

    /// Of the patterns of a server met so far those that keep what it is held to and are not too dear.
    fn affordable(&self, s: usize, held: &[Held], point: &Point, goal: i64) -> Vec<Mix> {
        let cover = self.exact.numbers.cover(self.exact.space, s, &point.prices);
        let most = point.least[s].bound.saturating_add(point.slack(goal));
        let is_in = |mix: &&Mix| {
            let price = cover.price(mix).unwrap_or(i64::MAX);
            keeps(mix, held) && (self.free || price <= most)
        };
        self.met[s].iter().filter(is_in).cloned().collect()
    }

    /// Puts a pattern into the node's program, if it is not in it.
    fn put(&mut self, s: usize, mix: Mix) {
        if self.program.is_none() || !self.is_in[s].insert(mix.clone()) {
            return;
        }
        let space = self.exact.space;
        let limits = space.capacity.len();
        let (cost, uses) = space.weigh(s, &mix);
        let cost = if self.free { 0.0 } else { cost };
        let taken = uses.iter().enumerate().filter(|u| *u.1 != 0.0).map(|(k, u)| (k, *u));
        let terms: Vec<(usize, f64)> = taken.chain([(limits + s, 1.0)]).collect();
        let Some(program) = &mut self.program else { return };
        match program.add_column(cost, &terms) {
            Ok(()) => self.entered.push((s, mix)),
            Err(_) => self.program = None,
        }
    }

    /// Solves the node's program; `None` where the backend fails.
    pub fn solve(&mut self) -> Option<Relaxed> {
        let limits = self.exact.space.capacity.len();
        let Relaxation { objective, values, row_duals } = self.program.as_mut()?.solve().ok()??;
        let lambda: Vec<f64> = row_duals[..limits].iter().map(|d| (-d).max(0.0)).collect();
        let prices = self.exact.numbers.prices(&lambda, self.shift);
        let mut prices: Vec<f64> = prices.of.iter().map(|l| *l as f64).collect();
        if self.free {
            let most = prices.iter().copied().fold(1.0, f64::max);
            prices.iter_mut().for_each(|l| *l *= f64::from(FREE_BITS).exp2() / most);
        }
        let value = self.exact.numbers.units_of(objective) * f64::from(self.shift).exp2();
        Some(Relaxed { value, prices, weights: values[limits..].to_vec(), shift: self.shift })
    }

    /// Of each server the pattern of the most weight, and that.
    pub fn heaviest(&self, relaxed: &Relaxed) -> Option<Vec<(f64, Mix)>> {
        let mut heaviest: Vec<Option<(f64, &Mix)>> = vec![None; self.met.len()];
        for ((s, mix), &weight) in self.entered.iter().zip(&relaxed.weights) {
            if heaviest[*s].is_none_or(|known| weight > known.0) {
                heaviest[*s] = Some((weight, mix));
            }
        }
        let known = |(weight, mix): (f64, &Mix)| (weight, mix.clone());
        heaviest.into_iter().map(|heaviest| heaviest.map(known)).collect()
    }

    /// Where a node may be split: where the mean over the weights of a server's patterns is no whole number.
    pub fn cuts(&self, relaxed: &Relaxed, held: &AllHeld, prices: &Prices) -> Vec<Place> {
        let mut means: BTreeMap<(usize, u32), f64> = BTreeMap::new();
        let mut mixed: BTreeMap<usize, u32> = BTreeMap::new();
        for ((s, mix), &weight) in self.entered.iter().zip(&relaxed.weights) {
            if weight > 1e-7 {
                *mixed.entry(*s).or_default() += 1;
                for &(item, n) in mix {
                    *means.entry((*s, item)).or_default() += weight * f64::from(n);
                }
            }
        }
        let mut places = Vec::new();
        for (&(s, item), &mean) in means.iter().filter(|at| mixed[&at.0.0] > 1) {
            let known = held.get(&s).and_then(|held| held.iter().find(|h| h.item == item));
            let (least, most) = known.map_or((0, u64::MAX), |h| (h.least, h.most));
            if least == most {
                continue;
            }
            let at = (mean.floor() as u64).clamp(least, most - 1);
            let price = self.exact.numbers.price(self.exact.space, s, item, prices);
            let fraction = (mean - mean.floor()).clamp(1e-6, 1.0 - 1e-6);
            places.push(Place { cut: (s, item, at), fraction, price });
        }
        places
    }
}

/// `M_k`: more than a unit of the limit can be worth, as no server pays more than the dearest does for what it
/// takes of it, and yet so little that exact prices can be counted in.
fn penalties(space: &Space<'_>) -> Vec<f64> {
    let dearest = dearest(space);
    let penalty = |k: usize| {
        let uses = space.problem.groups.iter().flatten().flat_map(|item| &item.uses);
        let taken = uses.filter(|u| u.0 == k).map(|u| u.1).fold(f64::INFINITY, f64::min);
        let least = if k == space.problem.limits.len() { 1.0 } else { taken };
        if dearest > 0.0 && least.is_finite() { 10.0 * dearest / least } else { 1.0 }
    };
    (0..space.capacity.len()).map(penalty).collect()
}
