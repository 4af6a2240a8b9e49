//! Probes: variants of a problem, each solved by the formulation that the plan was made by.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use isocost_model::plan::Choice;
use isocost_solver::{Backend, Milp, SolveOptions, SolverError, Status};

use super::elastic::{self, Give, Given};
use crate::pattern::clock::Clock;
use crate::pattern::dual::{self, Dual, Part};
use crate::pattern::{Shape, Space};
use crate::planner::{self, Formulation, Request};
use crate::problem::{Problem, ProblemOptions};

/// How far the probes go.
#[derive(Clone)]
pub struct Effort {
    /// Longest that one solve may take; what it then knows are bounds.
    pub slice: Duration,
    /// Options of each server whose regret is worked out exactly; 0 leaves all at their bounds.
    pub options: usize,
    /// Hears of every step.
    pub listener: Option<Listener>,
}

/// Hears of a step that begins: what is looked into.
pub type Listener = Arc<dyn Fn(&'static str) + Send + Sync>;

impl Default for Effort {
    fn default() -> Self {
        Self { slice: Duration::from_secs(3), options: 3, listener: None }
    }
}

/// Solves variants, and stops when the time that the request gave is over.
pub struct Probe<'a> {
    /// Formulation, [`Formulation::Auto`] resolved.
    pub formulation: Formulation,
    /// Which mixes a server may have.
    pub shape: Shape,
    /// Effort for each.
    pub effort: Effort,
    request: &'a Request,
    backend: &'a dyn Backend,
    start: Instant,
    solves: AtomicUsize,
}

impl<'a> Probe<'a> {
    /// Starts the clock: the request's time limit is for all probes together. `formulation` is an
    /// exact one, and not [`Formulation::Auto`].
    pub fn new(
        formulation: Formulation,
        request: &'a Request,
        effort: Effort,
        backend: &'a dyn Backend,
    ) -> Self {
        let shape = match formulation {
            Formulation::Mixed | Formulation::Compact => Shape::Mixed,
            _ => Shape::Single,
        };
        let solves = AtomicUsize::new(0);
        Self { formulation, shape, effort, request, backend, start: Instant::now(), solves }
    }

    /// Solves so far.
    pub fn solves(&self) -> usize {
        self.solves.load(Ordering::Relaxed)
    }

    /// Limits and objective that the plan was asked for.
    pub fn asked(&self) -> &ProblemOptions {
        &self.request.problem
    }

    /// Whether the time is over, or an interrupt came.
    pub fn is_over(&self) -> bool {
        self.request.solve.interrupt.is_raised() || self.left().is_some_and(|left| left.is_zero())
    }

    fn left(&self) -> Option<Duration> {
        self.request.solve.time_limit.map(|limit| limit.saturating_sub(self.start.elapsed()))
    }

    /// Tells the listener what comes next.
    pub fn begin(&self, what: &'static str) {
        if let Some(listener) = &self.effort.listener {
            listener(what);
        }
    }

    fn options(&self) -> SolveOptions {
        let slice = self.left().map_or(self.effort.slice, |left| left.min(self.effort.slice));
        SolveOptions { time_limit: Some(slice), progress: None, ..self.request.solve.clone() }
    }

    /// The cheapest choice for a variant, as far as a slice of time proves it.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn solve(&self, problem: &Problem) -> Result<Choice, SolverError> {
        self.solves.fetch_add(1, Ordering::Relaxed);
        let request = Request { solve: self.options(), ..self.request.clone() };
        planner::exact(problem, self.formulation, &request, self.backend)
    }

    /// The least that has to give for all servers of a variant to fit, `moves` of them moving at most.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn elastic(
        &self,
        problem: &Problem,
        moves: Option<u64>,
        give: &Give,
    ) -> Result<Given, SolverError> {
        self.solves.fetch_add(1, Ordering::Relaxed);
        elastic::solve(problem, self.shape, moves, give, self.backend, &self.options())
    }

    /// Whether all servers of a variant fit; `None` where a slice of time does not tell.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn fits(&self, problem: &Problem, moves: Option<u64>) -> Result<Option<bool>, SolverError> {
        Ok(self.elastic(problem, moves, &Give::nothing(problem))?.fits())
    }

    /// The optimum of a small program of the search's own; `None` where it was not reached.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn plain(&self, milp: &Milp) -> Result<Option<Vec<f64>>, SolverError> {
        let solution = self.backend.solve(milp, &self.options())?;
        Ok((solution.status == Status::Optimal).then_some(solution.values))
    }

    /// The patterns of a variant.
    pub fn space<'p>(&self, problem: &'p Problem) -> Space<'p> {
        Space::new(problem, self.shape, self.asked())
    }

    /// The Lagrangian bound and its prices, where patterns know the problem.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn dual(&self, problem: &Problem) -> Result<Option<Dual>, SolverError> {
        let part = Part {
            servers: (0..problem.servers.len()).collect(),
            capacity: problem.limits.iter().map(|l| l.capacity).collect(),
        };
        let asked = self.asked();
        let unknown = asked.max_moves.is_some()
            || (self.shape == Shape::Mixed && asked.transition)
            || problem.servers.iter().any(|needs| needs.min_types > 1);
        if unknown {
            return Ok(None);
        }
        let space = self.space(problem);
        dual::bound(&space, &part, self.backend, &Clock::new(&self.options()))
    }
}
