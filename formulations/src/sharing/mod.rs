//! **sharing**: which servers share replicas, decided together with the replicas.
//!
//! ```text
//! sets        g in G       units: a server that stands alone, or a group that may share
//!             b in B(g)    blocks: members of g that are served together, as servers s in S(b)
//!             d in D(g)    ways: every member of g is in one block of d
//! variables   w_gd in {0, 1}    unit g is served the way d
//!
//! minimise    sum_g sum_d w_gd sum_{b in d} sum_{s in S(b)} c_s(p_s)
//! subject to  sum_d w_gd = 1 for each g,  p_s a pattern of s,  limits as in [`crate::pattern`]
//! ```
//!
//! A decision fixes the way of every unit; what is left then is the pattern problem. Prices of the limits
//! bound all decisions at once: a block costs no less than the cheapest patterns of its servers at
//! them, and the cheapest way of a unit is a dynamic program over its members (`ways`). The search:
//!
//! 1. Prices by column generation over whole ways (`bound`), made whole, as a proof counts.
//! 2. Plans for the ways that the master likes best, and for everyone alone: the incumbent of cost `U`.
//! 3. Decisions by their bound at these prices, the lowest first. Each gets a bound of its own, and where
//!    that is below `U` a plan. The first whose bound reaches `U` ends it: so do all that follow.
//!
//! Nothing is left out: what ends early says how low the decisions that are left may come.

mod bound;
mod ways;

use isocost_model::plan::{Choice, OPTIMAL_GAP, Shape, Status, relative_gap};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};
use rayon::prelude::*;

use crate::pattern::exact::{Exact, whole};
use crate::pattern::numbers::Prices;
use crate::pattern::{self, Ablation, Space};
use crate::problem::{Problem, ProblemOptions};
use ways::{Ranked, Ways};

/// Members that are served together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Servers of the problem that serve them: one that they share, each its own, or one for prompts and one for answers.
    pub servers: Vec<usize>,
    /// How many members of each kind.
    pub takes: Vec<u32>,
}

/// A server that stands alone, or a group that may share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// How many members there are of each kind; those of a kind are interchangeable.
    pub members: Vec<u32>,
    /// What they may be served as; the first way to stand alone comes first.
    pub blocks: Vec<Block>,
}

/// For each unit its blocks, by index, one as often as it is there.
pub type Decided = Vec<Vec<usize>>;

/// What is asked of the search.
pub struct Search<'a> {
    /// Every server that some way has.
    pub problem: &'a Problem,
    /// Who may be served together.
    pub units: &'a [Unit],
    /// Which mixes servers may have.
    pub shape: Shape,
    /// What is planned for.
    pub options: &'a ProblemOptions,
    /// Means of the pattern method.
    pub ablation: &'a Ablation,
}

/// What the search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The best decision, cents/h of its plan, where there is one.
    pub best: Option<(Decided, f64)>,
    /// No decision has a cheaper plan, cents/h; `inf` where none has a plan at all.
    pub bound: f64,
    /// What the plan of everyone alone costs, cents/h; `inf` where there is none, NaN where that was not
    /// found out.
    pub alone: f64,
    /// Decisions that were looked at one by one.
    pub looked_at: usize,
    /// The decisions of the lowest bounds, where there is no plan: for what to do under shortage.
    pub likely: Vec<Decided>,
}

/// Bits of prices where replicas are free of charge.
const FREE_BITS: u32 = 24;

/// Decisions that are handed out where none has a plan.
const LIKELY: usize = 8;
/// Decisions without a plan after which no more are looked at.
const HOPELESS: usize = 500;

impl Search<'_> {
    /// The best decision, with a bound on all; `alone` is that in which nobody shares.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn run(
        &self,
        alone: &Decided,
        backend: &dyn Backend,
        solve: &SolveOptions,
    ) -> Result<Found, SolverError> {
        let clock = Deadline::new(solve);
        let space = Space::new(self.problem, self.shape, self.options);
        let mut state = State {
            search: self,
            backend,
            clock: &clock,
            best: None,
            bound: f64::INFINITY,
            seen: Vec::new(),
        };
        let root = bound::root(&space, self.units, backend, &clock)?;
        // Of two that cost the same nobody shares.
        let of_alone = state.look(alone, f64::NEG_INFINITY)?;
        let Some(root) = root else {
            return Ok(state.found(of_alone, f64::INFINITY, Vec::new()));
        };
        for liked in &root.liked {
            state.look(liked, f64::NEG_INFINITY)?;
        }
        let exact = Exact::new(&space);
        let most = (0..self.problem.servers.len()).map(|s| exact.numbers.most(&space, s)).max();
        let prices = exact.numbers.prices(&root.lambda, exact.numbers.shift(most.unwrap_or(0)));
        if state.best.is_none() && self.is_excluded(&exact, &prices) {
            return Ok(state.found(f64::INFINITY, f64::INFINITY, root.liked));
        }
        let least = self.least(&exact, &prices);
        let ways: Vec<Ways> = self.units.iter().map(|unit| Ways::new(unit, &least)).collect();
        let there = exact.there(&prices);
        let cents = |value: i128| exact.numbers.cents(whole(value - there, prices.shift) as f64);
        let mut likely = Vec::new();
        for (value, decided) in Ranked::new(&ways) {
            let bound = cents(value);
            let enough = state.enough();
            let hopeless = state.best.is_none() && state.seen.len() >= HOPELESS;
            if bound >= enough || hopeless || clock.is_over() {
                return Ok(state.found(of_alone, bound, likely));
            }
            state.look(&decided, enough)?;
            if state.best.is_none() && likely.len() < LIKELY {
                likely.push(decided);
            }
        }
        Ok(state.found(of_alone, f64::INFINITY, likely))
    }

    /// What each server comes to at the least.
    fn least(&self, exact: &Exact<'_>, prices: &Prices) -> Vec<Option<i64>> {
        let servers = 0..self.problem.servers.len();
        let least = |s: usize| exact.least(s, prices, &[]).map(|least| least.bound);
        servers.into_par_iter().map(least).collect()
    }

    /// Whether no decision has a plan: with replicas free of charge, what units take at the least is worth
    /// more at these prices than there is.
    fn is_excluded(&self, exact: &Exact<'_>, prices: &Prices) -> bool {
        let (exact, prices) = (exact.free(), prices.within(FREE_BITS));
        let least = self.least(&exact, &prices);
        let cheapest =
            |unit: &Unit| Ways::new(unit, &least).cheapest().map(|way| i128::from(way.0));
        let taken: Option<i128> = self.units.iter().map(cheapest).sum();
        taken.is_none_or(|taken| taken > exact.there(&prices))
    }

    /// The problem that a decision leaves, and the servers that it is of.
    fn problem_of(&self, decided: &Decided) -> Problem {
        let blocks = self.units.iter().zip(decided);
        let blocks = blocks.flat_map(|(unit, chosen)| chosen.iter().map(|&b| &unit.blocks[b]));
        let servers = blocks.flat_map(|block| &block.servers);
        let servers = servers.map(|&s| self.problem.servers[s].clone()).collect();
        Problem { servers, ..self.problem.clone() }
    }
}

/// A search on its way.
struct State<'a> {
    search: &'a Search<'a>,
    backend: &'a dyn Backend,
    clock: &'a Deadline,
    best: Option<(Decided, f64)>,
    /// The least that a decision that was looked at may cost.
    bound: f64,
    seen: Vec<Decided>,
}

impl State<'_> {
    /// Plans for a decision, unless its own bound is `enough` already. Returns what its plan costs, `inf`
    /// where there is none, NaN where that was not found out.
    fn look(&mut self, decided: &Decided, enough: f64) -> Result<f64, SolverError> {
        if self.seen.contains(decided) {
            return Ok(f64::NAN);
        }
        self.seen.push(decided.clone());
        let problem = self.search.problem_of(decided);
        let space = Space::new(&problem, self.search.shape, self.search.options);
        let options = SolveOptions {
            time_limit: self.clock.left(),
            progress: None,
            ..self.clock.options.clone()
        };
        if enough.is_finite() {
            let bound = pattern::lower_bound(&space, self.backend, &options)?;
            if bound >= enough {
                self.bound = self.bound.min(bound);
                return Ok(f64::NAN);
            }
        }
        let choice: Choice = pattern::solve(&space, self.backend, &options, self.search.ablation)?;
        let (cost, bound) = match choice.status {
            Status::Optimal | Status::Feasible => (choice.objective, choice.bound),
            Status::Infeasible => (f64::INFINITY, f64::INFINITY),
            Status::Unknown => (f64::NAN, choice.bound),
        };
        self.bound = self.bound.min(bound);
        let known = self.best.as_ref().map_or(f64::INFINITY, |best| best.1);
        // A share that saves nothing is none.
        if cost < known - 1e-9 * known.abs().min(1e12) {
            self.best = Some((decided.clone(), cost));
        }
        Ok(cost)
    }

    /// A bound that ends the search: all that is left costs as much, but for its rounding or what the
    /// caller lets pass.
    fn enough(&self) -> f64 {
        let Some((_, known)) = self.best else { return f64::INFINITY };
        let gap = self.clock.options.relative_gap;
        known - known.abs() * if gap > OPTIMAL_GAP { gap } else { 1e-12 }
    }

    /// What is known where the decisions that were not looked at cost `left` or more.
    fn found(self, alone: f64, left: f64, likely: Vec<Decided>) -> Found {
        let bound = self.bound.min(left);
        let bound = match &self.best {
            Some((_, cost)) if relative_gap(*cost, bound) == 0.0 => *cost,
            _ => bound,
        };
        Found { best: self.best, bound, alone, looked_at: self.seen.len(), likely }
    }
}
