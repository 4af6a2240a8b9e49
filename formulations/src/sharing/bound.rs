//! Prices of the limits for all decisions at once, by column generation over whole ways.
//!
//! ```text
//! minimise    sum_h sum_q c_hq w_hq + sum_k M_k e_k
//! subject to  sum_h sum_q u_hqk w_hq - e_k <= C_k      for each k
//!             sum_q w_hq = 1                           for each h,     w, e >= 0
//! ```
//!
//! where `h` is a bundle of units and `q` a way and patterns for each unit in it. As in
//! [`crate::pattern::dual`], whose smoothing and bundles it has; here a unit chooses how it is served too.

use isocost_solver::{Backend, Column, Deadline, Master, Milp, Row, SolverError};
use rayon::prelude::*;

use super::ways::Ways;
use super::{Decided, Unit};
use crate::pattern::dual::penalty;
use crate::pattern::pricing::{Priced, cheapest};
use crate::pattern::space::Space;

/// Prices, and decisions that come to little at them.
pub(super) struct Root {
    /// `lambda`, cents/h for a unit of each limit.
    pub lambda: Vec<f64>,
    /// The cheapest decision at these prices, and the one that has most weight in the master.
    pub liked: Vec<Decided>,
}

const BUNDLES: usize = 256;
const MAX_ROUNDS: u32 = 400;
/// Weight of the best prices so far in the next ones.
const SMOOTHING: f64 = 0.6;
/// Parts of a cent that ways are compared in.
const PARTS: f64 = 1e6;

/// The prices; `None` where a unit has no way at all.
pub(super) fn root(
    space: &Space<'_>,
    units: &[Unit],
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<Option<Root>, SolverError> {
    let limits = space.capacity.len();
    let mut generation = Generation::new(space, units, backend)?;
    let Some(first) = generation.price(&vec![0.0; limits]) else { return Ok(None) };
    let mut best = (vec![0.0; limits], first.value, first.decided());
    generation.add(first, None)?;
    let (mut rounds, mut added, mut weights) = (0, 1, Vec::new());
    while added > 0 && rounds < MAX_ROUNDS && !(rounds > 0 && clock.is_over()) {
        let Some(relaxation) = generation.master.solve()? else { break };
        weights = relaxation.values;
        if relaxation.objective - best.1 <= 1e-9 * relaxation.objective.abs() {
            break;
        }
        let duals = &relaxation.row_duals;
        let lambda: Vec<f64> = duals[..limits].iter().map(|d| (-d).max(0.0)).collect();
        for weight in [SMOOTHING, 0.0] {
            let weight = if rounds == 0 { 0.0 } else { weight };
            let prices: Vec<f64> =
                best.0.iter().zip(&lambda).map(|(b, l)| weight * b + (1.0 - weight) * l).collect();
            let Some(priced) = generation.price(&prices) else { return Ok(None) };
            if priced.value > best.1 {
                best = (prices, priced.value, priced.decided());
            }
            added = generation.add(priced, Some((&lambda, &duals[limits..])))?;
            if added > 0 {
                break;
            }
        }
        rounds += 1;
    }
    let liked = generation.weighted(&weights).into_iter().chain([best.2]).collect();
    Ok(Some(Root { lambda: best.0, liked }))
}

/// The cheapest way of each unit at prices.
struct Cheapest {
    /// By bundle, its units' blocks with cost and uses of them all.
    bundles: Vec<(Decided, f64, Vec<f64>)>,
    /// `V(lambda)`.
    value: f64,
}

impl Cheapest {
    fn decided(&self) -> Decided {
        self.bundles.iter().flat_map(|bundle| bundle.0.iter().cloned()).collect()
    }
}

/// Column generation on its way.
struct Generation<'a> {
    space: &'a Space<'a>,
    /// Units in at most [`BUNDLES`] bundles, in their order.
    bundles: Vec<&'a [Unit]>,
    master: Box<dyn Master>,
    /// (bundle, its units' blocks), in the order of the master's columns.
    columns: Vec<(usize, Decided)>,
}

impl<'a> Generation<'a> {
    fn new(
        space: &'a Space<'a>,
        units: &'a [Unit],
        backend: &dyn Backend,
    ) -> Result<Self, SolverError> {
        let bundles: Vec<&[Unit]> = units.chunks(units.len().div_ceil(BUNDLES).max(1)).collect();
        let mut milp = Milp::default();
        for (k, &capacity) in space.capacity.iter().enumerate() {
            let e = milp.add_column(Column::continuous("", penalty(space, k), 0.0, f64::INFINITY));
            milp.add_row(Row::at_most("", capacity, vec![(e, -1.0)]));
        }
        for _ in &bundles {
            milp.add_row(Row::equal("", 1.0, Vec::new()));
        }
        let master = backend.master(&milp)?;
        Ok(Self { space, bundles, master, columns: Vec::new() })
    }

    /// The cheapest way of every unit; `None` where one has none.
    fn price(&self, lambda: &[f64]) -> Option<Cheapest> {
        let servers = 0..self.space.problem.servers.len();
        let priced: Vec<Option<Priced>> =
            servers.into_par_iter().map(|s| cheapest(self.space, s, lambda)).collect();
        let parts = |priced: &Priced| (priced.bound * PARTS).clamp(-4e18, 4e18) as i64;
        let least: Vec<Option<i64>> = priced.iter().map(|p| p.as_ref().map(parts)).collect();
        let mut bundles = Vec::with_capacity(self.bundles.len());
        let mut value = -self.space.capacity.iter().zip(lambda).map(|(c, l)| c * l).sum::<f64>();
        for units in &self.bundles {
            let (mut decided, mut cost) = (Vec::new(), 0.0);
            let mut uses = vec![0.0; lambda.len()];
            for unit in *units {
                let (_, way) = Ways::new(unit, &least).cheapest()?;
                for &s in way.iter().flat_map(|&b| &unit.blocks[b].servers) {
                    let priced = priced[s].as_ref()?;
                    value += priced.bound;
                    cost += priced.pattern.cost;
                    uses.iter_mut().zip(&priced.pattern.uses).for_each(|(sum, u)| *sum += u);
                }
                decided.push(way);
            }
            bundles.push((decided, cost, uses));
        }
        Some(Cheapest { bundles, value })
    }

    /// Adds each bundle's choice; with the master's (lambda, sigma) only those of negative reduced
    /// cost. Returns how many.
    fn add(
        &mut self,
        cheapest: Cheapest,
        prices: Option<(&[f64], &[f64])>,
    ) -> Result<usize, SolverError> {
        let limits = self.space.capacity.len();
        let mut added = 0;
        for (h, (decided, cost, uses)) in cheapest.bundles.into_iter().enumerate() {
            if let Some((lambda, sigma)) = prices {
                let price = cost + uses.iter().zip(lambda).map(|(u, l)| u * l).sum::<f64>();
                if price - sigma[h] >= -1e-9 * price.abs().max(1.0) {
                    continue;
                }
            }
            let taken = uses.iter().enumerate().filter(|u| *u.1 != 0.0).map(|(k, u)| (k, *u));
            let terms: Vec<(usize, f64)> = taken.chain([(limits + h, 1.0)]).collect();
            self.master.add_column(cost, &terms)?;
            self.columns.push((h, decided));
            added += 1;
        }
        Ok(added)
    }

    /// The choice of most weight in each bundle, where the master was solved.
    fn weighted(&self, weights: &[f64]) -> Option<Decided> {
        let mut most: Vec<Option<(f64, &Decided)>> = vec![None; self.bundles.len()];
        let weights = weights.iter().skip(self.space.capacity.len());
        for ((h, decided), &weight) in self.columns.iter().zip(weights) {
            if most[*h].is_none_or(|most| weight > most.0) {
                most[*h] = Some((weight, decided));
            }
        }
        let decided: Option<Vec<&Decided>> = most.into_iter().map(|most| Some(most?.1)).collect();
        decided.map(|all| all.into_iter().flatten().cloned().collect())
    }
}
