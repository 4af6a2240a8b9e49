//! The Lagrangian bound, by column generation over blocks of servers.
//!
//! ```text
//! V(lambda) = sum_s min_p (c_p + lambda u_p) - lambda C,     lambda >= 0
//! ```
//!
//! is a lower bound on every plan; its maximum is the bound of the pattern formulation's linear
//! relaxation. It is found by Dantzig and Wolfe's method: the restricted master mixes, for each
//! block of servers, whole choices of the block,
//!
//! ```text
//! minimise    sum_b sum_q c_bq w_bq + sum_k M_k e_k
//! subject to  sum_b sum_q u_bqk w_bq - e_k <= C_k      for each k
//!             sum_q w_bq = 1                           for each b,     w, e >= 0
//! ```
//!
//! and its multipliers price the next choices, server by server and in parallel. Blocks keep the
//! master small however many servers there are; at its optimum at most K blocks are fractional.
//! Prices are smoothed towards the best so far (Wentges 1997), which keeps them from swinging.

use isocost_solver::{Backend, Column, Deadline, Master, Milp, Row, SolverError};
use rayon::prelude::*;

use super::column::Pattern;
use super::pricing::{Priced, cheapest};
use super::space::Space;
use crate::problem::Item;

/// Servers to plan and what they may use.
#[derive(Debug, Clone)]
pub struct Part {
    /// Indices of servers.
    pub servers: Vec<usize>,
    /// `C_k`: what there is for them.
    pub capacity: Vec<f64>,
}

/// The bound, its prices, and what the master chose.
#[derive(Debug, Clone)]
pub struct Dual {
    /// `lambda`, cents/h for a unit of each limit.
    pub lambda: Vec<f64>,
    /// `V(lambda)`, cents/h.
    pub bound: f64,
    /// Blocks of servers, each with the choices that have weight in the master.
    pub blocks: Vec<Block>,
    /// Whether the limits can be kept at all, as far as the relaxation can tell.
    pub feasible: bool,
}

/// A block of servers.
#[derive(Debug, Clone)]
pub struct Block {
    /// Indices of servers.
    pub servers: Vec<usize>,
    /// (weight, pattern of each server).
    pub choices: Vec<(f64, Vec<Pattern>)>,
}

/// Most blocks of a master.
const BLOCKS: usize = 256;
const MAX_ROUNDS: u32 = 400;
/// Weight of the best prices so far in the next ones.
const SMOOTHING: f64 = 0.6;

/// The bound for `part`; `None` where a server has no pattern at all.
///
/// # Errors
/// A failure of the backend.
pub fn bound(
    space: &Space<'_>,
    part: &Part,
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<Option<Dual>, SolverError> {
    let limits = space.capacity.len();
    let mut generation = Generation::new(space, part, backend)?;
    let Some(first) = generation.price(&vec![0.0; limits]) else { return Ok(None) };
    let mut best = (vec![0.0; limits], generation.value(&vec![0.0; limits], &first));
    generation.add(first, None)?;
    let mut surplus = 0.0;
    let mut rounds = 0;
    let mut weights = Vec::new();
    while rounds < MAX_ROUNDS && !(rounds > 0 && clock.is_over()) {
        let Some(relaxation) = generation.master.solve()? else { break };
        let master = relaxation.objective;
        surplus = relaxation.values[..limits].iter().sum();
        weights = relaxation.values;
        if master - best.1 <= 1e-9 * master.abs() {
            break;
        }
        let duals = &relaxation.row_duals;
        let lambda: Vec<f64> = duals[..limits].iter().map(|d| (-d).max(0.0)).collect();
        let mut added = 0;
        for weight in [SMOOTHING, 0.0] {
            let weight = if rounds == 0 { 0.0 } else { weight };
            let prices: Vec<f64> =
                best.0.iter().zip(&lambda).map(|(b, l)| weight * b + (1.0 - weight) * l).collect();
            let Some(priced) = generation.price(&prices) else { return Ok(None) };
            let value = generation.value(&prices, &priced);
            if value > best.1 {
                best = (prices, value);
            }
            added = generation.add(priced, Some((&lambda, &duals[limits..])))?;
            if added > 0 {
                break;
            }
        }
        rounds += 1;
        if added == 0 {
            break;
        }
    }
    Ok(Some(Dual {
        lambda: best.0,
        bound: best.1,
        blocks: generation.weighted(&weights),
        feasible: surplus <= 1e-6,
    }))
}

/// Column generation on its way.
struct Generation<'a> {
    space: &'a Space<'a>,
    part: &'a Part,
    blocks: Vec<Vec<usize>>,
    master: Box<dyn Master>,
    /// (block, pattern of each of its servers), in the order of the master's columns.
    columns: Vec<(usize, Vec<Pattern>)>,
}

impl<'a> Generation<'a> {
    fn new(
        space: &'a Space<'a>,
        part: &'a Part,
        backend: &dyn Backend,
    ) -> Result<Self, SolverError> {
        let blocks = blocks(space, &part.servers);
        let mut milp = Milp::default();
        for (k, &capacity) in part.capacity.iter().enumerate() {
            let e = milp.add_column(Column::continuous("", penalty(space, k), 0.0, f64::INFINITY));
            milp.add_row(Row::at_most("", capacity, vec![(e, -1.0)]));
        }
        for _ in &blocks {
            milp.add_row(Row::equal("", 1.0, Vec::new()));
        }
        let master = backend.master(&milp)?;
        Ok(Self { space, part, blocks, master, columns: Vec::new() })
    }

    /// The cheapest pattern of every server of every block; `None` where one has none.
    fn price(&self, lambda: &[f64]) -> Option<Vec<Vec<Priced>>> {
        let of_server = |&s: &usize| cheapest(self.space, s, lambda);
        self.blocks.par_iter().map(|block| block.iter().map(of_server).collect()).collect()
    }

    /// `V(lambda)`.
    fn value(&self, lambda: &[f64], priced: &[Vec<Priced>]) -> f64 {
        let servers: f64 = priced.iter().flatten().map(|p| p.bound).sum();
        servers - self.part.capacity.iter().zip(lambda).map(|(c, l)| c * l).sum::<f64>()
    }

    /// Adds each block's choice; with the master's (lambda, sigma) only those of negative reduced
    /// cost. Returns how many.
    fn add(
        &mut self,
        priced: Vec<Vec<Priced>>,
        prices: Option<(&[f64], &[f64])>,
    ) -> Result<usize, SolverError> {
        let limits = self.part.capacity.len();
        let mut added = 0;
        for (b, choice) in priced.into_iter().enumerate() {
            let patterns: Vec<Pattern> = choice.into_iter().map(|p| p.pattern).collect();
            let cost: f64 = patterns.iter().map(|p| p.cost).sum();
            let uses: Vec<f64> =
                (0..limits).map(|k| patterns.iter().map(|p| p.uses[k]).sum()).collect();
            if let Some((lambda, sigma)) = prices {
                let price = cost + uses.iter().zip(lambda).map(|(u, l)| u * l).sum::<f64>();
                if price - sigma[b] >= -1e-9 * price.abs().max(1.0) {
                    continue;
                }
            }
            let taken = uses.iter().enumerate().filter(|u| *u.1 != 0.0).map(|(k, u)| (k, *u));
            let terms: Vec<(usize, f64)> = taken.chain([(limits + b, 1.0)]).collect();
            self.master.add_column(cost, &terms)?;
            self.columns.push((b, patterns));
            added += 1;
        }
        Ok(added)
    }

    /// Blocks with the choices that have weight.
    fn weighted(self, weights: &[f64]) -> Vec<Block> {
        let mut blocks: Vec<Block> =
            self.blocks.into_iter().map(|servers| Block { servers, choices: Vec::new() }).collect();
        let weights = weights.iter().skip(self.part.capacity.len());
        for ((b, patterns), &weight) in self.columns.into_iter().zip(weights) {
            if weight > 1e-9 {
                blocks[b].choices.push((weight, patterns));
            }
        }
        blocks
    }
}

/// Servers in at most [`BLOCKS`] blocks, like beside like.
fn blocks(space: &Space<'_>, servers: &[usize]) -> Vec<Vec<usize>> {
    let mut order = servers.to_vec();
    order.sort_by(|&a, &b| {
        let (a, b) = (space.needs(a), space.needs(b));
        a.group.cmp(&b.group).then(a.demand.total_cmp(&b.demand))
    });
    let size = order.len().div_ceil(BLOCKS).max(1);
    order.chunks(size).map(<[usize]>::to_vec).collect()
}

/// `M_k`: far above what a unit of the limit can be worth.
pub(crate) fn penalty(space: &Space<'_>, k: usize) -> f64 {
    let problem = space.problem;
    if k == problem.limits.len() {
        // A move is worth no more than what a server costs on the worst of its items.
        return 10.0 * dearest(space).max(1.0);
    }
    let items = problem.groups.iter().flatten();
    let worth = items.filter_map(|item| {
        let taken = item.uses.iter().find(|u| u.0 == k)?;
        Some(item.cost / taken.1)
    });
    1000.0 * worth.fold(1.0, f64::max)
}

/// What a server costs on the worst of its items, at most.
pub(super) fn dearest(space: &Space<'_>) -> f64 {
    let worst = |s: usize| {
        let of_item = |item: &Item| item.cost * space.needs(s).useful(item) as f64;
        space.items(s).iter().map(of_item).fold(0.0, f64::max)
    };
    (0..space.problem.servers.len()).map(worst).fold(0.0, f64::max)
}
