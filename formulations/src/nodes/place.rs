//! Replicas into nodes: which share one.
//!
//! ```text
//! x_tp   nodes of kind t filled by p          minimise    sum_t c_t z_t
//! z_t    nodes of kind t in use               subject to  sum_t sum_p p_u x_tp >= a_u      for each size u
//!                                                         sum_p x_tp <= z_t <= y_t         for each pool and t
//! ```
//!
//! The largest replicas first is tried before anything is solved. Where the plan does not fit, the relaxation
//! of the program says by its duals which face is broken.

use std::collections::VecDeque;
use std::time::Duration;

use isocost_model::nodes::{Filled, Held};
use isocost_model::plan::Choice;
use rustc_hash::FxHashMap;

use isocost_solver::{Backend, Column, Deadline, Milp, Row, SolverError, Status};

use super::bin::{Pool, Weights};
use super::faces;
use super::fill::{self, Fill};
use crate::problem::Problem;

/// Why a choice is not placed.
#[derive(Debug, Clone, PartialEq)]
pub enum Misfit {
    /// It breaks a face of a pool, by its index.
    Face(usize, Weights),
    /// Fractions of nodes would hold it, whole ones do not.
    Whole,
    /// That was not found out: time was up, or fills are too many to list.
    Open,
}

/// Time for fewer nodes, where the largest first have found some that do.
const TIDY: Duration = Duration::from_secs(2);
/// Longer than anybody waits.
const LONG: Duration = Duration::from_secs(86_400);
/// Largest factor by which duals become whole weights.
const DENOMINATOR: u32 = 60;

/// Replicas of a pool, by size.
struct Open<'a> {
    pool: &'a Pool,
    /// Sizes, those that span nodes last.
    sizes: Vec<u64>,
    /// `a_u`.
    counts: Vec<u64>,
    /// What they are replicas of: (server, accelerator, how many).
    queues: Vec<VecDeque<(usize, usize, u64)>>,
}

/// Nodes that are filled alike.
#[derive(Debug, Clone)]
struct Filling {
    bin: usize,
    span: u64,
    fill: Fill,
    times: u64,
}

/// The nodes that hold the replicas of `choice`, at the least price; without prices few of them.
///
/// # Errors
/// A failure of the backend.
pub fn place(
    problem: &Problem,
    choice: &Choice,
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<Result<Vec<Filled>, Misfit>, SolverError> {
    let mut open: Vec<Open<'_>> =
        problem.pools.iter().map(|pool| Open::new(problem, pool, choice)).collect();
    let there = |node: usize, most: u64| {
        let bought = choice.nodes.iter().find(|filled| filled.node == node);
        bought.map_or(most, Filled::nodes)
    };
    let greedy = greedily(&open, &there);
    if let Some(fillings) = &greedy
        && open.iter().zip(fillings).all(|(open, filled)| open.is_least(problem, choice, filled))
    {
        return Ok(Ok(told(&mut open, fillings)));
    }
    let Some(program) = Program::new(problem, &open, &there) else {
        return Ok(greedy.map(|fillings| told(&mut open, &fillings)).ok_or(Misfit::Open));
    };
    // Few nodes are good to have, any that hold the plan are needed.
    let most = if greedy.is_some() { TIDY } else { LONG };
    let solution = backend.solve(&program.milp, &clock.within(most))?;
    match (solution.status, greedy) {
        (Status::Optimal | Status::Feasible, _) => {
            Ok(Ok(told(&mut open, &program.fillings(&solution.values, problem.pools.len()))))
        }
        (_, Some(fillings)) => Ok(Ok(told(&mut open, &fillings))),
        (Status::Infeasible, None) => {
            for (p, open) in open.iter().enumerate() {
                if let Some(weights) = open.broken(&there, backend)? {
                    return Ok(Err(Misfit::Face(p, weights)));
                }
            }
            Ok(Err(Misfit::Whole))
        }
        _ => Ok(Err(Misfit::Open)),
    }
}

/// Fills of all pools, the largest replicas first; `None` where that way they do not fit.
fn greedily(open: &[Open<'_>], there: &impl Fn(usize, u64) -> u64) -> Option<Vec<Vec<Filling>>> {
    let bins = open.iter().flat_map(|open| &open.pool.bins);
    let mut left: FxHashMap<usize, u64> =
        bins.map(|bin| (bin.node, there(bin.node, bin.there))).collect();
    let spans: Option<Vec<Vec<Filling>>> = open.iter().map(|open| open.spans(&mut left)).collect();
    let fills = open.iter().zip(spans?).map(|(open, mut spans)| {
        spans.extend(open.fills(&left)?);
        Some(spans)
    });
    fills.collect()
}

impl<'a> Open<'a> {
    fn new(problem: &Problem, pool: &'a Pool, choice: &Choice) -> Self {
        let sizes: Vec<u64> = pool.sizes.iter().chain(&pool.spanning).copied().collect();
        let mut queues = vec![VecDeque::new(); sizes.len()];
        for (s, shares) in choice.shares.iter().enumerate().take(problem.servers.len()) {
            for &(candidate, n) in shares.iter().filter(|share| share.1 > 0) {
                let item = problem.items(s).iter().find(|item| item.candidate == candidate);
                let Some(item) = item.filter(|item| item.card_type == pool.card_type) else {
                    continue;
                };
                if let Some(at) = sizes.iter().position(|&size| size == item.cards) {
                    queues[at].push_back((s, item.accelerator, n));
                }
            }
        }
        let count = |queue: &VecDeque<(usize, usize, u64)>| queue.iter().map(|q| q.2).sum();
        Self { pool, counts: queues.iter().map(count).collect(), sizes, queues }
    }

    /// Whole nodes for what spans several, taken off what is `left`; `None` where they do not suffice.
    fn spans(&self, left: &mut FxHashMap<usize, u64>) -> Option<Vec<Filling>> {
        let (bins, mut fillings) = (&self.pool.bins, Vec::new());
        for at in self.pool.sizes.len()..self.sizes.len() {
            let mut open = self.counts[at];
            while open > 0 {
                let span = |b: usize| bins[b].span(self.sizes[at]);
                let whole = |b: &usize| span(*b).is_some_and(|k| k <= left[&bins[*b].node]);
                let waste = |b: &usize| span(*b).unwrap_or(0) * bins[*b].cards;
                let bin = (0..bins.len()).filter(whole).min_by_key(waste)?;
                let (span, left) = (span(bin)?, left.get_mut(&bins[bin].node)?);
                let times = open.min(*left / span);
                let mut fill = vec![0; self.sizes.len()];
                fill[at] = 1;
                (open, *left) = (open - times, *left - times * span);
                fillings.push(Filling { bin, span, fill, times });
            }
        }
        Some(fillings)
    }

    /// Fills that hold what one node holds each, the largest replicas first; `None` where that way they do
    /// not fit.
    fn fills(&self, left: &FxHashMap<usize, u64>) -> Option<Vec<Filling>> {
        let (bins, sizes) = (&self.pool.bins, &self.pool.sizes);
        let mut left: Vec<u64> = bins.iter().map(|bin| left[&bin.node]).collect();
        let (mut open, mut fillings) = (self.counts.clone(), Vec::new());
        open.truncate(sizes.len());
        while open.iter().any(|n| *n > 0) {
            let filled = (0..bins.len()).filter(|&b| left[b] > 0).map(|b| {
                let fill = fill::greedy(&bins[b], sizes, &open);
                let cards: u64 = fill.iter().zip(sizes).map(|(n, u)| n * u).sum();
                (cards as f64 / bins[b].cards as f64, bins[b].cards, b, fill)
            });
            let filled = filled.filter(|f| f.0 > 0.0);
            let best =
                filled.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(b.2.cmp(&a.2)));
            let (_, _, bin, mut fill) = best?;
            let of_size = fill.iter().zip(&open).filter(|f| *f.0 > 0).map(|(n, open)| open / n);
            let times = of_size.min().unwrap_or(0).min(left[bin]);
            fill.resize(self.sizes.len(), 0);
            open.iter_mut().zip(&fill).for_each(|(open, n)| *open -= n * times);
            left[bin] -= times;
            fillings.push(Filling { bin, span: 1, fill, times });
        }
        Some(fillings)
    }

    /// Whether fewer nodes are known not to hold it, or they are sold, and what was bought is needed.
    fn is_least(&self, problem: &Problem, choice: &Choice, fillings: &[Filling]) -> bool {
        let sold = |node: usize| problem.sold.iter().any(|sold| sold.node == node);
        if self.pool.bins.iter().any(|bin| sold(bin.node)) {
            return !choice.nodes.is_empty();
        }
        let used: u64 = fillings.iter().map(|f| f.times * f.span).sum();
        let [bin] = &self.pool.bins[..] else { return used == 0 };
        let least = |weights: &Weights| {
            let weigh = |(size, n): (&u64, &u64)| self.pool.weight(weights, *size) * n;
            let weight: u64 = self.sizes.iter().zip(&self.counts).map(weigh).sum();
            weight.div_ceil(bin.most(weights).max(1))
        };
        used <= faces::of(self.pool).iter().map(least).max().unwrap_or(0)
    }

    /// The weights of a face that the replicas break.
    fn broken(
        &self,
        there: &impl Fn(usize, u64) -> u64,
        backend: &dyn Backend,
    ) -> Result<Option<Weights>, SolverError> {
        let (pool, mut milp) = (self.pool, Milp::default());
        for &n in &self.counts {
            milp.add_row(Row::at_least("", n as f64, Vec::new()));
        }
        for (b, bin) in pool.bins.iter().enumerate() {
            let over = milp.add_column(Column::continuous("", 1.0, 0.0, f64::INFINITY));
            let most = there(bin.node, bin.there) as f64;
            let row = milp.add_row(Row::at_most("", most, vec![(over, -1.0)]));
            for (span, fill) in self.columns(b).unwrap_or_default() {
                let x = milp.add_column(Column::continuous("", 0.0, 0.0, f64::INFINITY));
                milp.rows[row].terms.push((x, span as f64));
                let held = fill.iter().enumerate().filter(|held| *held.1 > 0);
                held.for_each(|(u, &n)| milp.rows[u].terms.push((x, n as f64)));
            }
        }
        let Some(relaxation) = backend.master(&milp)?.solve()? else { return Ok(None) };
        if relaxation.objective <= 1e-7 {
            return Ok(None);
        }
        let duals = &relaxation.row_duals[..pool.sizes.len()];
        let broken = |factor: u32| {
            let whole = |dual: &f64| (dual.max(0.0) * f64::from(factor) + 1e-6).floor() as u64;
            let weights: Weights =
                pool.sizes.iter().copied().zip(duals.iter().map(whole)).collect();
            let weigh = |(size, n): (&u64, &u64)| pool.weight(&weights, *size) * n;
            let taken: u64 = self.sizes.iter().zip(&self.counts).map(weigh).sum();
            let held = pool.bins.iter().map(|bin| there(bin.node, bin.there) * bin.most(&weights));
            let is_broken = taken > held.sum::<u64>();
            is_broken.then(|| weights.into_iter().filter(|w| w.1 > 0).collect())
        };
        Ok((1..=DENOMINATOR).find_map(broken))
    }

    /// What nodes of a kind may hold, (nodes, fill); `None` where that is too much to list.
    fn columns(&self, bin: usize) -> Option<Vec<(u64, Fill)>> {
        let (pool, of) = (self.pool, &self.pool.bins[bin]);
        let mut columns = Vec::new();
        for mut fill in fill::largest(of, &pool.sizes)? {
            fill.resize(self.sizes.len(), 0);
            columns.push((1, fill));
        }
        for at in pool.sizes.len()..self.sizes.len() {
            let Some(span) = of.span(self.sizes[at]) else { continue };
            let mut fill = vec![0; self.sizes.len()];
            fill[at] = 1;
            columns.push((span, fill));
        }
        Some(columns)
    }
}

/// The program above, over all pools.
struct Program {
    milp: Milp,
    /// By column that fills nodes: (column, pool, bin, nodes, fill).
    columns: Vec<(usize, usize, usize, u64, Fill)>,
}

impl Program {
    fn new(
        problem: &Problem,
        open: &[Open<'_>],
        there: &impl Fn(usize, u64) -> u64,
    ) -> Option<Self> {
        let (mut milp, mut columns) = (Milp::default(), Vec::new());
        let mut rows_of = Vec::new();
        let bins = || problem.pools.iter().flat_map(|pool| &pool.bins);
        let mut nodes: Vec<usize> = bins().map(|bin| bin.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        for &node in &nodes {
            let sold = problem.sold.iter().find(|sold| sold.node == node);
            let most = bins().filter(|bin| bin.node == node).map(|bin| bin.there).max();
            let most = there(node, most.unwrap_or(0)) as f64;
            let cost = sold.map_or(1.0, |sold| sold.price);
            milp.add_column(Column::integer(format!("z_{node}"), cost, 0.0, most));
        }
        for (p, open) in open.iter().enumerate() {
            let rows: Vec<usize> = open
                .counts
                .iter()
                .enumerate()
                .map(|(u, &n)| {
                    milp.add_row(Row::at_least(format!("hold_{p}_{u}"), n as f64, Vec::new()))
                })
                .collect();
            let most = open.counts.iter().max().copied().unwrap_or(0) as f64;
            for (b, bin) in open.pool.bins.iter().enumerate() {
                let z = nodes.iter().position(|&node| node == bin.node)?;
                let used =
                    milp.add_row(Row::at_most(format!("used_{p}_{b}"), 0.0, vec![(z, -1.0)]));
                rows_of.push((p, bin.node, used));
                for (span, fill) in open.columns(b)? {
                    let name = format!("x_{p}_{b}_{}", columns.len());
                    let x = milp.add_column(Column::integer(name, 0.0, 0.0, most));
                    milp.rows[used].terms.push((x, span as f64));
                    let held = fill.iter().enumerate().filter(|held| *held.1 > 0);
                    held.for_each(|(u, &n)| milp.rows[rows[u]].terms.push((x, n as f64)));
                    columns.push((x, p, b, span, fill));
                }
            }
        }
        // What spans whole nodes leaves nothing of them for other pools.
        for (x, p, b, span, _) in columns.iter().filter(|column| column.3 > 1) {
            let node = open[*p].pool.bins[*b].node;
            for (_, _, row) in rows_of.iter().filter(|row| row.0 != *p && row.1 == node) {
                milp.rows[*row].terms.push((*x, *span as f64));
            }
        }
        Some(Self { milp, columns })
    }

    /// The fillings of each pool at a point.
    fn fillings(&self, values: &[f64], pools: usize) -> Vec<Vec<Filling>> {
        let mut fillings = vec![Vec::new(); pools];
        for (x, p, bin, span, fill) in &self.columns {
            let times = values[*x].round() as u64;
            if times > 0 {
                fillings[*p].push(Filling { bin: *bin, span: *span, fill: fill.clone(), times });
            }
        }
        fillings
    }
}

/// The nodes of `fillings` with what they hold; the pools of one kind of node fill the same nodes.
fn told(open: &mut [Open<'_>], fillings: &[Vec<Filling>]) -> Vec<Filled> {
    let mut nodes: Vec<usize> =
        open.iter().flat_map(|open| open.pool.bins.iter().map(|bin| bin.node)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let mut all = Vec::new();
    for node in nodes {
        // By place in the list of its nodes; one that spans several has a place of its own.
        let (mut single, mut spanning): (Vec<Vec<Held>>, Vec<Filled>) = (Vec::new(), Vec::new());
        for (open, fillings) in open.iter_mut().zip(fillings) {
            let mut at = 0;
            for filling in fillings
                .iter()
                .filter(|f| open.pool.bins[f.bin].node == node)
                .cloned()
                .collect::<Vec<_>>()
            {
                for _ in 0..filling.times {
                    let holds = open.take(&filling.fill);
                    if holds.is_empty() {
                        continue;
                    }
                    if filling.span > 1 {
                        spanning.push(Filled { node, times: 1, span: filling.span, holds });
                        continue;
                    }
                    match single.get_mut(at) {
                        Some(held) => held.extend(holds),
                        None => single.push(holds),
                    }
                    at += 1;
                }
            }
        }
        let single = single.into_iter().map(|holds| Filled { node, times: 1, span: 1, holds });
        for filled in single.chain(spanning) {
            match all.last_mut() {
                Some(last) if same(last, &filled) => last.times += 1,
                _ => all.push(filled),
            }
        }
    }
    all
}

fn same(a: &Filled, b: &Filled) -> bool {
    (a.node, a.span) == (b.node, b.span) && a.holds == b.holds
}

impl Open<'_> {
    /// Takes replicas out of the queues for one fill, as many as there are.
    fn take(&mut self, fill: &Fill) -> Vec<Held> {
        let mut holds: Vec<Held> = Vec::new();
        for (at, &slots) in fill.iter().enumerate() {
            let mut slots = slots;
            while slots > 0
                && let Some(first) = self.queues[at].front_mut()
            {
                let replicas = slots.min(first.2);
                (slots, first.2) = (slots - replicas, first.2 - replicas);
                let (server, accelerator) = (first.0, first.1);
                holds.push(Held { server, accelerator, replicas, cards: self.sizes[at] });
                if first.2 == 0 {
                    self.queues[at].pop_front();
                }
            }
        }
        holds.sort_unstable();
        holds
    }
}
