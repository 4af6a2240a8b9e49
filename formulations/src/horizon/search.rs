//! Branch and bound over the reservations alone.
//!
//! With `R` fixed the periods have nothing to do with each other, and each is a small program of its
//! own ([`super::core`]). What is left is to find the best `R`: a few whole numbers. A node is a box of
//! reservations; its bound is the least, over the box and with `R` continuous, of
//!
//! ```text
//! sum_r rho_r R_r + sum_h w_h theta_h,     theta_h >= every cut of period h  (relaxation)
//! ```
//!
//! New cuts are made where that least lies, until it does not rise any more. Where it lies at whole `R`
//! the periods are solved for that `R`, in turn until their sum is above the best known, the point is
//! taken out of the box, and what is left of the box is cut into boxes. The bound of the whole is that
//! of the lowest box still open.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use isocost_solver::{Backend, Column, Milp, Row, SolveOptions, SolverError, Status};
use rayon::prelude::*;

use super::Watch;
use super::core::{self, Chosen, Reserve};
use super::relaxation::{Columns, Cut, Multipliers, Relaxation, Relaxed};
use super::statement::{Horizon, PoolTerms, Span};
use crate::pattern::column::Shape;

/// A share of the cost below which two values are the same.
const SAME: f64 = 1e-9;
/// How far from a whole number a reservation may be and still be whole.
const WHOLE: f64 = 1e-6;
/// Rounds of cuts at the root, at most.
const ROOT_ROUNDS: u32 = 200;
/// Widths of reduced cost that a period is solved over, as shares of its cost, before all of it.
const WIDTHS: [f64; 3] = [0.003, 0.02, 0.1];

/// A plan for the horizon.
#[derive(Debug, Clone)]
pub struct Incumbent {
    /// Cost, cents.
    pub cost: f64,
    /// Reserved units by pool.
    pub reserved: Vec<u64>,
    /// By distinct period.
    pub periods: Vec<Chosen>,
}

/// The search and what it knows.
pub struct Search<'a> {
    pub(super) horizon: &'a Horizon,
    pub(super) shape: Shape,
    pub(super) backend: &'a dyn Backend,
    pub(super) watch: &'a Watch,
    pub(super) relaxations: Vec<Relaxation<'a>>,
    columns: Vec<Columns>,
    /// Cuts of each period, with the multipliers that they are made of.
    pub(super) cuts: Vec<Vec<(Cut, Multipliers)>>,
    /// `f_h(R)` at least, where it was solved: (R, cents/h) by period.
    known: Vec<Vec<(Vec<u64>, f64)>>,
    /// The best plan so far.
    pub best: Option<Incumbent>,
    /// No plan is cheaper, cents.
    pub bound: f64,
    /// Periods that no plan serves, whatever is reserved.
    pub hopeless: Vec<usize>,
}

/// A box of reservations.
#[derive(Debug, Clone)]
pub(super) struct Node {
    low: Vec<f64>,
    pub(super) high: Vec<f64>,
    bound: f64,
    /// (period, index) of the cuts that mattered to its parent.
    pub(super) cuts: Vec<(usize, usize)>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest bound is the greatest node: it is looked at first.
impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound)
    }
}

/// The least of a node's bound: its value, and where it lies.
pub(super) struct Lowest {
    value: f64,
    reserved: Vec<f64>,
    theta: Vec<f64>,
}

impl<'a> Search<'a> {
    /// A search that knows nothing yet.
    pub fn new(
        horizon: &'a Horizon,
        shape: Shape,
        backend: &'a dyn Backend,
        watch: &'a Watch,
    ) -> Self {
        let spans = horizon.periods.iter();
        Self {
            horizon,
            shape,
            backend,
            watch,
            relaxations: spans.map(|span| Relaxation::new(horizon, span, shape)).collect(),
            columns: vec![Columns::default(); horizon.periods.len()],
            cuts: vec![Vec::new(); horizon.periods.len()],
            known: vec![Vec::new(); horizon.periods.len()],
            best: None,
            bound: f64::NEG_INFINITY,
            hopeless: Vec::new(),
        }
    }

    /// The root's bound and where it lies.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn root(&mut self) -> Result<Vec<f64>, SolverError> {
        let mut root = self.everything();
        self.cut_at(&root.low.clone())?;
        self.cut_at(&root.high.clone())?;
        let mut at = root.low.clone();
        for _ in 0..ROOT_ROUNDS {
            let Some(lowest) = self.lowest(&mut root)? else { break };
            self.bound = self.bound.max(lowest.value);
            at = lowest.reserved;
            let (_, raised) = self.cut_at(&at)?;
            if !raised || self.watch.is_over() {
                break;
            }
        }
        Ok(at)
    }

    pub(super) fn everything(&self) -> Node {
        let pools = &self.horizon.pools;
        Node {
            low: vec![0.0; pools.len()],
            high: pools.iter().map(|p| p.most as f64).collect(),
            bound: f64::NEG_INFINITY,
            cuts: Vec::new(),
        }
    }

    /// Relaxations of all periods at `reserved`: their values, cents/h, and whether a cut was new.
    pub(super) fn cut_at(&mut self, reserved: &[f64]) -> Result<(Vec<Relaxed>, bool), SolverError> {
        let backend = self.backend;
        let each: Result<Vec<Option<Relaxed>>, SolverError> = self
            .relaxations
            .par_iter()
            .zip(&mut self.columns)
            .map(|(relaxation, columns)| relaxation.solve(reserved, columns, backend))
            .collect();
        let mut raised = false;
        let mut all = Vec::new();
        for (h, relaxed) in each?.into_iter().enumerate() {
            // Every server has a pattern: that was found out before.
            let Some(relaxed) = relaxed else { continue };
            let value = relaxed.cut.at(reserved);
            let before = self.cuts[h].iter().map(|c| c.0.at(reserved)).fold(0.0, f64::max);
            if value > before + 1e-8 * value.abs().max(1e-3) {
                self.cuts[h].push((relaxed.cut.clone(), relaxed.duals.clone()));
                raised = true;
            }
            all.push(relaxed);
        }
        Ok((all, raised))
    }

    /// The least of the cuts over the node's box; `None` where the box is empty.
    pub(super) fn lowest(&self, node: &mut Node) -> Result<Option<Lowest>, SolverError> {
        let pools = &self.horizon.pools;
        loop {
            let milp = self.master(node);
            let solution = self.backend.solve(&milp, &SolveOptions::default())?;
            if solution.status == Status::Infeasible {
                return Ok(None);
            }
            if solution.values.is_empty() {
                let what = "the master of the cuts has no optimum".to_owned();
                return Err(SolverError::Failed { backend: self.backend.name(), what });
            }
            let (reserved, theta) = solution.values.split_at(pools.len());
            let mut violated = false;
            for (h, theta) in theta.iter().enumerate() {
                let worst = self.cuts[h].iter().enumerate().map(|(i, c)| (i, c.0.at(reserved)));
                let Some((i, value)) = worst.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
                let above = value > theta + 1e-7 * value.abs().max(1e-3);
                if above && !node.cuts.contains(&(h, i)) {
                    node.cuts.push((h, i));
                    violated = true;
                }
            }
            if !violated {
                // The program's own tolerance is no proof.
                let value = solution.objective - SAME * solution.objective.abs();
                let (reserved, theta) = (reserved.to_vec(), theta.to_vec());
                return Ok(Some(Lowest { value, reserved, theta }));
            }
        }
    }

    fn master(&self, node: &Node) -> Milp {
        let pools = &self.horizon.pools;
        let mut milp = Milp::default();
        for (r, pool) in pools.iter().enumerate() {
            let price = pool.reserve.unwrap_or(0.0);
            milp.add_column(Column::continuous("", price, node.low[r], node.high[r]));
        }
        for span in &self.horizon.periods {
            milp.add_column(Column::continuous("", span.hours, 0.0, f64::INFINITY));
        }
        for &(h, i) in &node.cuts {
            let cut = &self.cuts[h][i].0;
            let slopes = cut.slope.iter().enumerate().filter(|b| *b.1 != 0.0);
            let terms = slopes.map(|(r, b)| (r, *b)).chain([(pools.len() + h, 1.0)]).collect();
            milp.add_row(Row::at_least("", cut.fixed, terms));
        }
        for t in 0..self.horizon.periods.first().map_or(0, |p| p.cards.len()) {
            let fewest = self.horizon.periods.iter().map(|p| p.cards[t]);
            let fewest = fewest.fold(f64::INFINITY, f64::min);
            let of_type = pools.iter().enumerate().filter(|(_, p)| p.card_type == t);
            let terms: Vec<(usize, f64)> = of_type.map(|(r, p)| (r, p.cards as f64)).collect();
            if fewest.is_finite() && terms.len() > 1 {
                milp.add_row(Row::at_most("", fewest, terms));
            }
        }
        milp
    }

    /// What a box has to be above to hold nothing better.
    pub(super) fn target(&self) -> f64 {
        let gap = self.watch.relative_gap().max(SAME);
        self.best.as_ref().map_or(f64::INFINITY, |b| b.cost - gap * b.cost.abs())
    }

    /// Searches until the bound is proven, or time is over.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn run(&mut self) -> Result<(), SolverError> {
        let mut open = BinaryHeap::from([Node { bound: self.bound, ..self.everything() }]);
        // The lowest bound among boxes that were set aside.
        let mut aside = f64::INFINITY;
        while let Some(mut node) = open.pop() {
            self.raise_bound(node.bound.min(aside));
            if node.bound >= self.target() || self.watch.is_over() || !self.hopeless.is_empty() {
                open.push(node);
                break;
            }
            let Some(lowest) = self.lowest(&mut node)? else { continue };
            node.bound = node.bound.max(lowest.value);
            if node.bound >= self.target() {
                aside = aside.min(node.bound);
                continue;
            }
            self.drop_idle_cuts(&mut node, &lowest);
            let distance = |r: usize| (lowest.reserved[r] - lowest.reserved[r].round()).abs();
            let far =
                (0..self.horizon.pools.len()).max_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            if let Some(r) = far.filter(|&r| distance(r) > WHOLE) {
                let below = lowest.reserved[r].floor();
                open.extend(part(&node, r, node.low[r], below));
                open.extend(part(&node, r, below + 1.0, node.high[r]));
                continue;
            }
            let point: Vec<f64> = lowest.reserved.iter().map(|r| r.round()).collect();
            let (relaxed, raised) = self.cut_at(&point)?;
            if raised {
                open.push(node);
                continue;
            }
            self.evaluate(&point, &relaxed)?;
            open.extend(around(node, &point));
        }
        let lowest = open.peek().map_or(f64::INFINITY, |n| n.bound).min(aside);
        self.raise_bound(lowest);
        Ok(())
    }

    pub(super) fn raise_bound(&mut self, proven: f64) {
        let cost = self.best.as_ref().map_or(f64::INFINITY, |b| b.cost);
        self.bound = self.bound.max(proven.min(cost));
        self.watch.report(self.best.as_ref().map(|b| b.cost), self.bound);
    }

    /// Cuts that do not bind at the node's least are left to be found again.
    fn drop_idle_cuts(&self, node: &mut Node, lowest: &Lowest) {
        node.cuts.retain(|&(h, i)| {
            let value = self.cuts[h][i].0.at(&lowest.reserved);
            value >= lowest.theta[h] - 1e-3 * lowest.theta[h].abs().max(1.0)
        });
    }

    /// Solves the periods at whole reservations, as long as their sum may be below the best known.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn evaluate(&mut self, point: &[f64], relaxed: &[Relaxed]) -> Result<(), SolverError> {
        let reserved: Vec<u64> = point.iter().map(|r| *r as u64).collect();
        let periods = &self.horizon.periods;
        let mut value: Vec<f64> = relaxed
            .iter()
            .enumerate()
            .map(|(h, r)| r.cut.at(point).max(self.known_at(h, &reserved)).max(0.0))
            .collect();
        let price = |(p, r): (&PoolTerms, &f64)| p.reserve.unwrap_or(0.0) * r;
        let fixed: f64 = self.horizon.pools.iter().zip(point).map(price).sum();
        let mut chosen: Vec<Option<Chosen>> = vec![None; periods.len()];
        let mut order: Vec<usize> = (0..periods.len()).collect();
        order.sort_by(|&a, &b| {
            (periods[b].hours * value[b]).total_cmp(&(periods[a].hours * value[a]))
        });
        for batch in order.chunks(rayon::current_num_threads().max(1)) {
            let weighed =
                |value: &[f64]| value.iter().zip(periods).map(|(v, p)| v * p.hours).sum::<f64>();
            let slack = self.target() - fixed - weighed(&value);
            if slack <= 0.0 || self.watch.is_over() {
                return Ok(());
            }
            let exact: Result<Vec<(f64, Option<Chosen>)>, SolverError> = batch
                .par_iter()
                .map(|&h| {
                    self.exact(h, &reserved, &relaxed[h], value[h] + slack / periods[h].hours)
                })
                .collect();
            for (&h, (least, found)) in batch.iter().zip(exact?) {
                value[h] = value[h].max(least);
                self.known[h].push((reserved.clone(), value[h]));
                if least == f64::INFINITY {
                    return self.without_plan(h, &reserved);
                }
                chosen[h] = found;
            }
        }
        if let Some(periods) = chosen.into_iter().collect::<Option<Vec<Chosen>>>() {
            self.offer(reserved, periods);
        }
        Ok(())
    }

    /// Takes a plan if it is cheaper.
    pub fn offer(&mut self, reserved: Vec<u64>, periods: Vec<Chosen>) {
        let price = |(p, r): (&PoolTerms, &u64)| p.reserve.unwrap_or(0.0) * *r as f64;
        let fixed: f64 = self.horizon.pools.iter().zip(&reserved).map(price).sum();
        let of_period = |(c, span): (&Chosen, &Span)| c.cost(self.horizon) * span.hours;
        let spans = &self.horizon.periods;
        let cost = fixed + periods.iter().zip(spans).map(of_period).sum::<f64>();
        if self.best.as_ref().is_none_or(|b| cost < b.cost) {
            self.best = Some(Incumbent { cost, reserved, periods });
        }
    }

    /// `f_h(R)` at least, from where it was solved: more reserved saves at most what it would rent
    /// for, less costs no less. That needs pools that do not share cards, and rent.
    fn known_at(&self, h: usize, reserved: &[u64]) -> f64 {
        let pools = &self.horizon.pools;
        let mut types: Vec<usize> = pools.iter().map(|p| p.card_type).collect();
        types.sort_unstable();
        if types.windows(2).any(|w| w[0] == w[1]) {
            return 0.0;
        }
        let from = |(then, value): &(Vec<u64>, f64)| {
            let more = reserved.iter().zip(then).enumerate();
            let saved = more
                .filter(|(_, (now, then))| now > then)
                .map(|(r, (now, then))| Some(pools[r].on_demand? * (now - then) as f64));
            Some(value - saved.sum::<Option<f64>>()?)
        };
        self.known[h].iter().filter_map(from).fold(0.0, f64::max)
    }

    /// `f_h(R)` with its plan, or a lower bound that is at least `cutoff` (or as far as time went);
    /// `inf` where no plan serves the period at all.
    fn exact(
        &self,
        h: usize,
        reserved: &[u64],
        relaxed: &Relaxed,
        cutoff: f64,
    ) -> Result<(f64, Option<Chosen>), SolverError> {
        let span = &self.horizon.periods[h];
        let point: Vec<f64> = reserved.iter().map(|r| *r as f64).collect();
        let base = relaxed.cut.at(&point);
        let mut least = base;
        let widths = WIDTHS.iter().map(|w| w * base.abs().max(1.0)).chain([f64::INFINITY]);
        for width in widths {
            // Beyond the cutoff nothing has to be known.
            let width =
                if cutoff.is_finite() { width.min((cutoff - base).max(0.0)) } else { width };
            let offers = core::offers(span, self.shape, relaxed, width);
            let options = self.watch.options();
            let solved = core::solve(
                self.horizon,
                &[h],
                &[offers],
                Reserve::Fixed(reserved),
                self.backend,
                &options,
            )?;
            let found = solved.found.and_then(|(_, mut periods)| periods.pop());
            let cost = found.as_ref().map_or(f64::INFINITY, |c| c.cost(self.horizon));
            // A plan with a pattern beyond the width costs more than the base and the width.
            least = least.max((solved.bound / span.hours).min(base + width).min(cost));
            let proven = cost.is_finite() && cost - least <= SAME * cost.abs();
            if proven || (width == f64::INFINITY && cost == f64::INFINITY) {
                let value = if proven { cost } else { least };
                return Ok((value, found));
            }
            if least >= cutoff - SAME * cutoff.abs() || self.watch.is_over() {
                return Ok((least, found));
            }
            if width == f64::INFINITY {
                return Ok((least, found));
            }
        }
        Ok((least, None))
    }
}

/// The part of a node's box with pool `r` from `low` to `high`; nothing if that is empty.
fn part(node: &Node, r: usize, low: f64, high: f64) -> Option<Node> {
    let mut part = node.clone();
    (part.low[r], part.high[r]) = (low, high);
    (low <= high).then_some(part)
}

/// The node's box without `point`, as boxes.
fn around(mut node: Node, point: &[f64]) -> Vec<Node> {
    let mut parts = Vec::new();
    for (r, &at) in point.iter().enumerate() {
        parts.extend(part(&node, r, node.low[r], at - 1.0));
        parts.extend(part(&node, r, at + 1.0, node.high[r]));
        (node.low[r], node.high[r]) = (at, at);
    }
    parts
}
