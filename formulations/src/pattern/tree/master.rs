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

use super::point::Point;
use super::{AllHeld, Cut};
use crate::pattern::dual::dearest;
use crate::pattern::exact::{Exact, Held};
use crate::pattern::numbers::Prices;
use crate::pattern::space::Space;

/// (index of item, replicas).
type Mix = Vec<(u32, u32)>;

/// Places where a node is split on trial.
const CUTS: usize = 8;
/// Bits of the highest price where replicas are free of charge.
const FREE_BITS: f64 = 48.0;

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
    known: FxHashSet<(usize, Mix)>,
    /// The node's program; its columns after those of `e` are `entered`.
    program: Option<Box<dyn isocost_solver::Master>>,
    entered: Vec<(usize, Mix)>,
    is_in: FxHashSet<(usize, Mix)>,
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
        let met = vec![Vec::new(); exact.space.problem.servers.len()];
        let (exact, known) = (exact.clone(), FxHashSet::default());
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
            is_in: FxHashSet::default(),
        }
    }

    /// Adds the patterns of a point; returns how many are new to the node's program.
    pub fn add(&mut self, point: &Point) -> usize {
        let before = self.entered.len();
        for (s, least) in point.least.iter().enumerate() {
            let Some((_, mix)) = &least.mix else { continue };
            let mut mix = mix.clone();
            mix.sort_unstable();
            if self.known.insert((s, mix.clone())) {
                self.met[s].push(mix.clone());
            }
            self.put(s, mix);
        }
        self.entered.len() - before
    }

    /// States the program of a node: the patterns of `point`, and of those met so far the ones that it lets
    /// servers have and that cost at most `most` above the least of theirs at the prices there.
    pub fn enter(&mut self, held: &AllHeld, point: &Point, most: i64) {
        self.entered.clear();
        self.is_in.clear();
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
            let of_server = held.get(&s).map_or(&[][..], Vec::as_slice);
            let cover = self.exact.numbers.cover(space, s, &point.prices);
            let budget = point.least[s].bound.saturating_add(most);
            let is_in = |mix: &&Mix| {
                let price = cover.price(mix).unwrap_or(i64::MAX);
                keeps(mix, of_server) && (self.free || price <= budget)
            };
            let mixes: Vec<Mix> = self.met[s].iter().filter(is_in).cloned().collect();
            mixes.into_iter().for_each(|mix| self.put(s, mix));
        }
    }

    /// Puts a pattern into the node's program, if it is not in it.
    fn put(&mut self, s: usize, mix: Mix) {
        if self.program.is_none() || !self.is_in.insert((s, mix.clone())) {
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
            prices.iter_mut().for_each(|l| *l *= FREE_BITS.exp2() / most);
        }
        let value = self.exact.numbers.units_of(objective) * f64::from(self.shift).exp2();
        Some(Relaxed { value, prices, weights: values[limits..].to_vec(), shift: self.shift })
    }

    /// Of each server the pattern of the most weight.
    pub fn heaviest(&self, relaxed: &Relaxed) -> Option<Vec<Mix>> {
        let mut heaviest: Vec<Option<(f64, &Mix)>> = vec![None; self.met.len()];
        for ((s, mix), &weight) in self.entered.iter().zip(&relaxed.weights) {
            if heaviest[*s].is_none_or(|known| weight > known.0) {
                heaviest[*s] = Some((weight, mix));
            }
        }
        heaviest.into_iter().map(|known| Some(known?.1.clone())).collect()
    }

    /// Servers, items and numbers of replicas to split at: where the mean over the weights is far from a
    /// whole number, of a dear item.
    pub fn cuts(&self, relaxed: &Relaxed, held: &AllHeld, prices: &Prices) -> Vec<Cut> {
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
        let mut cuts: Vec<(f64, Cut)> = Vec::new();
        for (&(s, item), &mean) in means.iter().filter(|at| mixed[&at.0.0] > 1) {
            let known = held.get(&s).and_then(|held| held.iter().find(|h| h.item == item));
            let (least, most) = known.map_or((0, u64::MAX), |h| (h.least, h.most));
            if least == most {
                continue;
            }
            let fraction = mean - mean.floor();
            let at = (mean.floor() as u64).clamp(least, most - 1);
            let price = self.exact.numbers.price(self.exact.space, s, item, prices);
            let score = (fraction.min(1.0 - fraction) + 1e-6) * price;
            cuts.push((score, (s, item, at)));
        }
        cuts.sort_by(|a, b| b.0.total_cmp(&a.0));
        cuts.truncate(CUTS);
        cuts.into_iter().map(|cut| cut.1).collect()
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

/// Whether a mix keeps what its server is held to.
fn keeps(mix: &[(u32, u32)], held: &[Held]) -> bool {
    held.iter().all(|held| {
        let n = mix.iter().find(|share| share.0 == held.item).map_or(0, |share| u64::from(share.1));
        held.least <= n && n <= held.most
    })
}
