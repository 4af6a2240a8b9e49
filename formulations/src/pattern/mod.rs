//! **pattern**: choose one whole replica mix for each server.
//!
//! ```text
//! sets        p in P(s)  patterns: replica mixes n_p of s with sum_j r_sj n_pj >= L_s,
//!                        m_s <= sum_j n_pj <= M_s (for `single`: all replicas on one item)
//! data        c_p = sum_j c_sj n_pj,   u_pk = sum_j u_sjk n_pj
//! variables   x_sp in {0, 1}
//!
//! minimise    sum_s sum_p c_p x_sp
//! subject to  sum_p x_sp = 1                      for each s
//!             sum_s sum_p u_pk x_sp <= C_k        for each k
//! ```
//!
//! The same problem as [`mod@crate::mixed`] (or [`mod@crate::single`]), stated far tighter: the load is
//! covered within a pattern, by whole replicas, and only the limits couple servers. The way to a
//! proof:
//!
//! 1. [`dual`]: the bound `V` and prices `lambda` of the limits, by column generation.
//! 2. An incumbent of cost `U`: blocks that the master did not split keep its choice; on the rest
//!    the same is done again, until few enough servers are left for an exact core.
//! 3. Any plan cheaper than `U` uses only patterns of reduced cost
//!    `c_p + lambda u_p - min_q (c_q + lambda u_q) <= U - V`. They are listed, those that another
//!    beats in cost and in every scarce limit are dropped, and the core over the rest is solved: all
//!    of them make a proof; those up to a smaller reduced cost `delta` still make a better incumbent
//!    and the bound `min(V + delta, bound of the core)`.
//!
//! Source: the Dantzig-Wolfe reformulation of the multiple-choice knapsack with covering blocks.

pub mod column;
mod core;
pub mod dual;
pub mod pricing;

use std::time::{Duration, Instant};

use isocost_model::plan::{Choice, OPTIMAL_GAP, Status};
use isocost_solver::{Backend, SolveOptions, SolverError};
use rayon::prelude::*;

use self::core::Offer;
use crate::problem::{Problem, ProblemOptions};
use column::Pattern;
pub use column::Shape;
use dual::{Dual, Part};

/// When to stop.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    options: SolveOptions,
}

impl Clock {
    /// Starts now.
    pub fn new(options: &SolveOptions) -> Self {
        Self { start: Instant::now(), options: options.clone() }
    }

    /// Time that is left; `None` without a limit.
    fn left(&self) -> Option<Duration> {
        self.options.time_limit.map(|limit| limit.saturating_sub(self.start.elapsed()))
    }

    fn is_over(&self) -> bool {
        self.options.interrupt.is_raised() || self.left().is_some_and(|left| left.is_zero())
    }

    /// Options for a core: what time is left, at most `most`. The progress of a core over a part is
    /// not that of the whole, and stays unheard.
    fn within(&self, most: Duration) -> SolveOptions {
        let limit = self.left().map_or(most, |left| left.min(most));
        SolveOptions { time_limit: Some(limit), progress: None, ..self.options.clone() }
    }
}

/// Means of the method; each can be switched off, to see what it is worth. The proof holds without
/// any of them, it only takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices {
    /// Patterns that another beats in cost and in every scarce limit are dropped.
    pub prune: bool,
    /// Patterns of a reduced cost above the gap are left out.
    pub fixing: bool,
    /// Servers with few patterns are stated by the list of them.
    pub listing: bool,
    /// Servers with too many carry price cuts.
    pub cuts: bool,
    /// Costs are multiples of a step, so that a bound may be rounded up.
    pub step: bool,
}

impl Default for Devices {
    fn default() -> Self {
        Self { prune: true, fixing: true, listing: true, cuts: true, step: true }
    }
}

/// Servers that a core is solved for at once.
const CORE_SERVERS: usize = 160;
/// Patterns of the core that ends a dive.
const DIVE_PATTERNS: usize = 6_000;
/// Gaps that are tried before an incumbent is known, as shares of a server's mean cost: the gap of
/// the relaxation does not grow with the number of servers, only with that of scarce limits.
const GUESSES: [f64; 3] = [0.01, 0.04, 0.16];
/// Patterns of a core over a guessed gap.
const GUESS_PATTERNS: usize = 20_000;
/// A server with more patterns than this is left open in a core.
const OPEN_ABOVE: usize = 48;
/// Patterns that an open server counts as: it is that much harder than one of its columns.
const OPEN_SIZE: usize = 600;
/// Patterns of one server that are listed at most, before the beaten ones are dropped.
const LISTED: usize = 5_000;
/// Time of the first core of a proof.
const FIRST_SLICE: Duration = Duration::from_secs(2);

/// Solves `problem` by patterns of `shape`.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    problem: &Problem,
    shape: Shape,
    backend: &dyn Backend,
    options: &SolveOptions,
    devices: &Devices,
) -> Result<Choice, SolverError> {
    let clock = Clock::new(options);
    let everything = everything(problem);
    let mut state = State::new(problem, shape, backend, &clock, *devices);
    let Some(dual) = dual::bound(problem, shape, &everything, backend, &clock)? else {
        return Ok(state.choice(Status::Infeasible));
    };
    state.bound = dual.bound;
    if !dual.feasible && state.cannot_fit(&everything, &dual) {
        return Ok(state.choice(Status::Infeasible));
    }
    state.report();
    state.guess(&everything, &dual)?;
    state.report();
    if state.incumbent.is_none() {
        state.dive(&everything, &dual)?;
        state.report();
    }
    let status = state.prove(&everything, &dual)?;
    Ok(state.choice(status))
}

/// A lower bound on every plan of `problem`, cents/h, by column generation alone: for a plan that
/// came from elsewhere. `-inf` where patterns do not know the problem.
///
/// # Errors
/// A failure of the backend.
pub fn lower_bound(
    problem: &Problem,
    formulation: &str,
    problem_options: &ProblemOptions,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<f64, SolverError> {
    let shape = if formulation == "single" { Shape::Single } else { Shape::Mixed };
    if shape == Shape::Mixed && problem_options.transition {
        return Ok(f64::NEG_INFINITY);
    }
    // Where a plan may move only so many servers, its cost is still the cost.
    let mut charged = problem.clone();
    charged.servers.iter_mut().for_each(|needs| {
        needs.current = needs.current.filter(|_| problem_options.transition);
    });
    let (problem, part) = (&charged, everything(problem));
    let dual = dual::bound(problem, shape, &part, backend, &Clock::new(options))?;
    let step = cost_step(problem, shape);
    Ok(dual.map_or(f64::INFINITY, |dual| match step > 0.0 {
        true => (dual.bound / step - 1e-6).ceil() * step,
        false => dual.bound,
    }))
}

fn everything(problem: &Problem) -> Part {
    Part {
        servers: (0..problem.servers.len()).collect(),
        capacity: problem.limits.iter().map(|l| l.capacity).collect(),
    }
}

/// What is known so far.
struct State<'a> {
    problem: &'a Problem,
    shape: Shape,
    backend: &'a dyn Backend,
    clock: &'a Clock,
    devices: Devices,
    bound: f64,
    incumbent: Option<(f64, Vec<Pattern>)>,
}

impl<'a> State<'a> {
    fn new(
        problem: &'a Problem,
        shape: Shape,
        backend: &'a dyn Backend,
        clock: &'a Clock,
        devices: Devices,
    ) -> Self {
        let bound = f64::NEG_INFINITY;
        Self { problem, shape, backend, clock, devices, bound, incumbent: None }
    }

    fn cost(&self) -> f64 {
        self.incumbent.as_ref().map_or(f64::INFINITY, |i| i.0)
    }

    fn is_proven(&self) -> bool {
        let wanted = self.clock.options.relative_gap.max(0.0);
        self.incumbent.is_some() && self.cost() - self.bound <= wanted * self.cost().abs()
    }

    /// What costs are multiples of; 0 if unknown.
    fn step(&self) -> f64 {
        if self.devices.step { cost_step(self.problem, self.shape) } else { 0.0 }
    }

    /// Options for a core over all servers, which proves nothing above `most_bound`. What it reports
    /// counts for the whole; a choice of its does where it keeps every limit, `complete`.
    fn watched(&self, most: Duration, most_bound: f64, complete: bool) -> SolveOptions {
        let mut options = self.clock.within(most);
        let Some(listener) = self.clock.options.progress.clone() else { return options };
        let (start, cost, bound) = (self.clock.start, self.cost(), self.bound);
        options.progress = Some(std::sync::Arc::new(move |core: &isocost_solver::Progress| {
            let found = core.incumbent.filter(|_| complete).unwrap_or(f64::INFINITY).min(cost);
            listener(&isocost_solver::Progress {
                seconds: start.elapsed().as_secs_f64(),
                incumbent: found.is_finite().then_some(found),
                bound: core.bound.min(most_bound).min(found).max(bound),
            });
        }));
        options
    }

    fn report(&self) {
        if let Some(progress) = &self.clock.options.progress {
            progress(&isocost_solver::Progress {
                seconds: self.clock.start.elapsed().as_secs_f64(),
                incumbent: self.incumbent.as_ref().map(|i| i.0),
                bound: self.bound,
            });
        }
    }

    /// Takes a choice of patterns for all servers if it keeps every limit and is cheaper.
    fn offer(&mut self, patterns: Vec<Pattern>) {
        let fits = self.problem.limits.iter().enumerate().all(|(k, limit)| {
            let used: f64 = patterns.iter().map(|p| p.uses[k]).sum();
            used <= limit.capacity * (1.0 + 1e-12)
        });
        let cost = patterns.iter().map(|p| p.cost).sum();
        if fits && cost < self.cost() {
            self.incumbent = Some((cost, patterns));
        }
    }

    /// Whether the limits cannot be kept: at some prices even the patterns that take least are
    /// worth more than there is.
    fn cannot_fit(&self, part: &Part, dual: &Dual) -> bool {
        let free = self.problem.clone_without_costs();
        let least: f64 = part
            .servers
            .iter()
            .filter_map(|&s| pricing::cheapest(&free, self.shape, s, &dual.lambda))
            .map(|priced| priced.bound)
            .sum();
        let there: f64 = part.capacity.iter().zip(&dual.lambda).map(|(c, l)| c * l).sum();
        least > there * (1.0 + 1e-9)
    }

    /// Cores over the patterns of reduced cost up to a guess of the gap: where one finds a plan
    /// within the guess, it is optimal, and no incumbent had to be looked for.
    fn guess(&mut self, part: &Part, dual: &Dual) -> Result<(), SolverError> {
        let mean = dual.bound.abs() / part.servers.len().max(1) as f64;
        let scarce: Vec<usize> = (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 0.0).collect();
        for share in GUESSES {
            if self.clock.is_over() || self.incumbent.is_some() {
                break;
            }
            let delta = share * mean;
            let offers = self.offers(part, dual, delta, &scarce);
            let size = |offer: &Offer| match offer {
                Offer::Listed(patterns) => patterns.len(),
                Offer::Open { .. } => OPEN_SIZE,
            };
            if offers.iter().map(size).sum::<usize>() > GUESS_PATTERNS + part.servers.len() {
                break;
            }
            let complete = scarce.len() == self.problem.limits.len();
            let options = self.watched(FIRST_SLICE, dual.bound + delta, complete);
            let core = core::solve(self.problem, part, &offers, &scarce, self.backend, &options)?;
            self.bound = self.bound.max(core.bound.min(dual.bound + delta));
            if let Some(found) = core.chosen {
                self.offer(found);
            }
        }
        Ok(())
    }

    /// An incumbent: what the master left whole is kept, the rest is planned again.
    fn dive(&mut self, everything: &Part, dual: &Dual) -> Result<(), SolverError> {
        let mut chosen: Vec<Option<Pattern>> = vec![None; self.problem.servers.len()];
        let (mut part, mut dual) = (everything.clone(), dual.clone());
        while part.servers.len() > CORE_SERVERS && !self.clock.is_over() {
            let rest = rest(&part, &dual, &mut chosen);
            if rest.servers.len() == part.servers.len() {
                break;
            }
            part = rest;
            let next = dual::bound(self.problem, self.shape, &part, self.backend, self.clock)?;
            let Some(next) = next else { return Ok(()) };
            dual = next;
        }
        let limits: Vec<usize> = (0..self.problem.limits.len()).collect();
        let share = DIVE_PATTERNS / part.servers.len().max(1);
        let patterns: Vec<Vec<Pattern>> =
            part.servers.par_iter().map(|&s| self.nearest(s, &dual.lambda, share.max(4))).collect();
        let offers: Vec<Offer> = patterns.into_iter().map(Offer::Listed).collect();
        let options = self.clock.within(Duration::from_secs(2));
        let core = core::solve(self.problem, &part, &offers, &limits, self.backend, &options)?;
        let Some(found) = core.chosen else { return Ok(()) };
        for (&s, pattern) in part.servers.iter().zip(found) {
            chosen[s] = Some(pattern);
        }
        if let Some(patterns) = chosen.into_iter().collect() {
            self.offer(patterns);
        }
        Ok(())
    }

    /// About `most` patterns of a server, of the least reduced cost.
    fn nearest(&self, s: usize, lambda: &[f64], most: usize) -> Vec<Pattern> {
        let Some(priced) = pricing::cheapest(self.problem, self.shape, s, lambda) else {
            return Vec::new();
        };
        let mut width = priced.price.abs().max(1.0) * 1e-3;
        let mut list = vec![priced.pattern];
        for _ in 0..24 {
            let budget = priced.price + width;
            let listed = pricing::list(self.problem, self.shape, s, lambda, budget, 40 * most);
            let Some(listed) = listed else { break };
            let limits: Vec<usize> = (0..self.problem.limits.len()).collect();
            list = self.prune(listed, &limits);
            if list.len() >= most {
                break;
            }
            width *= 2.0;
        }
        list.sort_by(|a, b| a.price(lambda).total_cmp(&b.price(lambda)));
        list.truncate(most);
        list
    }

    /// Cores over every pattern that a cheaper plan may use. One that runs out its slice of time
    /// is stated anew once the incumbent has improved: it is smaller then.
    fn prove(&mut self, part: &Part, dual: &Dual) -> Result<Status, SolverError> {
        let mut scarce: Vec<usize> =
            (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 0.0).collect();
        let step = self.step();
        let mut slice = FIRST_SLICE;
        while !self.is_proven() && !self.clock.is_over() {
            let before = self.cost();
            // A cheaper plan is cheaper by a whole step.
            let delta = match self.devices.fixing {
                true => (before - step - dual.bound).max(0.0),
                false => f64::INFINITY,
            };
            let offers = self.offers(part, dual, delta, &scarce);
            let complete = scarce.len() == self.problem.limits.len();
            let options = self.watched(slice, before, complete);
            let core = core::solve(self.problem, part, &offers, &scarce, self.backend, &options)?;
            // The core leaves limits out that did not seem to bind: its bound holds all the same.
            self.bound = self.bound.max(core.bound.min(before));
            if let Some(found) = core.chosen {
                match self.overused(&found) {
                    Some(k) => {
                        scarce.push(k);
                        scarce.sort_unstable();
                    }
                    None => self.offer(found),
                }
            }
            if self.bound == f64::INFINITY {
                break;
            }
            if step > 0.0 {
                // Between the bound and the next step there is no plan.
                let next = (self.bound / step - 1e-6).ceil() * step;
                self.bound = self.bound.max(next.min(self.cost()));
            }
            self.report();
            if self.cost() >= before {
                slice *= 3;
            }
        }
        Ok(self.status())
    }

    fn status(&self) -> Status {
        if self.incumbent.is_none() {
            let excluded = self.bound == f64::INFINITY;
            return if excluded { Status::Infeasible } else { Status::Unknown };
        }
        let gap = isocost_model::plan::relative_gap(self.cost(), self.bound);
        if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible }
    }

    /// For each server the patterns of reduced cost at most `delta`, the beaten ones dropped, or,
    /// where they are too many, its items with price cuts.
    fn offers(&self, part: &Part, dual: &Dual, delta: f64, scarce: &[usize]) -> Vec<Offer> {
        let of_server = |&s: &usize| {
            let priced = pricing::cheapest(self.problem, self.shape, s, &dual.lambda);
            let Some(least) = priced.map(|p| p.bound) else { return Offer::Listed(Vec::new()) };
            let budget = least + delta + 1e-9 * least.abs().max(1.0);
            let most = if self.shape == Shape::Mixed { LISTED } else { usize::MAX };
            let single = self.shape == Shape::Single;
            let listable = single || (budget.is_finite() && self.devices.listing);
            let list = listable
                .then(|| pricing::list(self.problem, self.shape, s, &dual.lambda, budget, most));
            match list.flatten().map(|list| self.prune(list, scarce)) {
                Some(list) if list.len() <= OPEN_ABOVE || single => Offer::Listed(list),
                _ => Offer::Open { cuts: self.cuts(s, dual, scarce), budget },
            }
        };
        part.servers.par_iter().map(of_server).collect()
    }

    /// Price cuts of a server at the best prices and around them.
    fn cuts(&self, s: usize, dual: &Dual, scarce: &[usize]) -> Vec<(Vec<f64>, f64)> {
        if !self.devices.cuts {
            return Vec::new();
        }
        let mut around = vec![dual.lambda.clone()];
        for &k in scarce {
            for factor in [0.0, 0.7, 0.9, 1.1, 1.4] {
                let mut lambda = dual.lambda.clone();
                lambda[k] *= factor;
                around.push(lambda);
            }
        }
        let price = |lambda: &Vec<f64>| {
            let z = pricing::cheapest(self.problem, self.shape, s, lambda)?.bound;
            let of_item = |item: &crate::problem::Item| {
                item.cost + item.uses.iter().map(|&(k, a)| a * lambda[k]).sum::<f64>()
            };
            Some((self.problem.items(s).iter().map(of_item).collect(), z))
        };
        around.iter().filter_map(price).collect()
    }

    fn prune(&self, patterns: Vec<Pattern>, limits: &[usize]) -> Vec<Pattern> {
        if self.devices.prune { core::prune(patterns, limits) } else { patterns }
    }

    /// A limit that the choice breaks.
    fn overused(&self, patterns: &[Pattern]) -> Option<usize> {
        self.problem.limits.iter().enumerate().find_map(|(k, limit)| {
            let used: f64 = patterns.iter().map(|p| p.uses[k]).sum();
            (used > limit.capacity * (1.0 + 1e-12)).then_some(k)
        })
    }

    fn choice(&self, status: Status) -> Choice {
        let shares = self.incumbent.as_ref().map(|(_, patterns)| {
            let of_server = |(s, pattern): (usize, &Pattern)| {
                let items = self.problem.items(s);
                let share = |&(j, n): &(u32, u32)| (items[j as usize].candidate, u64::from(n));
                pattern.shares.iter().map(share).collect()
            };
            patterns.iter().enumerate().map(of_server).collect()
        });
        let name = match self.shape {
            Shape::Single => "single",
            Shape::Mixed => "mixed",
        };
        Choice {
            status,
            shares: shares.unwrap_or_default(),
            objective: self.cost(),
            bound: if status == Status::Infeasible { f64::INFINITY } else { self.bound },
            formulation: format!("{name}, by patterns"),
            backend: self.backend.name().to_owned(),
            notes: Vec::new(),
        }
    }
}

/// A number that every plan's cost is a multiple of: the greatest common divisor of the items'
/// costs in hundredths of a cent, or 0 where they have no such grain.
fn cost_step(problem: &Problem, shape: Shape) -> f64 {
    let charged = problem.servers.iter().any(|needs| needs.current.is_some());
    let mut divisor = 0_u64;
    for item in problem.groups.iter().flatten() {
        let hundredths = item.cost * 100.0;
        let fine = (hundredths - hundredths.round()).abs() > 1e-7 || hundredths > 1e15;
        if fine || (charged && shape == Shape::Single) {
            return 0.0;
        }
        divisor = gcd(divisor, hundredths.round() as u64);
    }
    divisor as f64 / 100.0
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Fixes the blocks that the master left whole, save as many as make a core worth its while, and
/// returns the rest with what is left for it.
fn rest(part: &Part, dual: &Dual, chosen: &mut [Option<Pattern>]) -> Part {
    let mut rest = Part { servers: Vec::new(), capacity: part.capacity.clone() };
    let whole = |b: &dual::Block| b.choices.len() == 1;
    let split = dual.blocks.iter().filter(|b| !whole(b));
    split.for_each(|b| rest.servers.extend(&b.servers));
    // Whole blocks far from each other keep the core varied.
    let blocks: Vec<&dual::Block> = dual.blocks.iter().filter(|b| whole(b)).collect();
    let stride = 7;
    let order = (0..stride).flat_map(|o| (o..blocks.len()).step_by(stride));
    for b in order {
        let block = blocks[b];
        if rest.servers.len() + block.servers.len() <= CORE_SERVERS {
            rest.servers.extend(&block.servers);
            continue;
        }
        for (&s, pattern) in block.servers.iter().zip(&block.choices[0].1) {
            for (left, used) in rest.capacity.iter_mut().zip(&pattern.uses) {
                *left -= used;
            }
            chosen[s] = Some(pattern.clone());
        }
    }
    rest.servers.sort_unstable();
    rest
}
