//! Probes: variants of a problem, each solved by the formulation that the plan was made by.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use isocost_model::plan::Choice;
use isocost_solver::{Backend, Deadline, Milp, SolveOptions, SolverError, Status};

use super::known::Known;
use crate::choose::exact;
use crate::request::Request;
use isocost_formulations::feasibility::{self, Give, Given};
use isocost_formulations::pattern::dual::{self, Dual, Part};
use isocost_formulations::pattern::{Ablation, Shape, Space};
use isocost_formulations::problem::{Problem, ProblemOptions};

/// How far the probes go.
#[derive(Clone)]
pub struct Effort {
    /// Longest that one solve may take; what it then knows are bounds.
    pub slice: Duration,
    /// Longest that a stage of the explanation may take: it then goes on with bounds.
    pub stage: Duration,
    /// Options of each server whose regret is worked out exactly; 0 leaves all at their bounds.
    pub options: usize,
    /// Hears of every step.
    pub listener: Option<Listener>,
}

/// A problem that has a plan, and who solves its variants.
pub struct Base<'a> {
    /// Who solves.
    pub probe: &'a Probe<'a>,
    /// The problem.
    pub problem: &'a Problem,
    /// Cost of its cheapest plan, cents/h.
    pub cost: Known,
    /// The Lagrangian bound and its prices.
    pub dual: Option<Dual>,
}

/// Hears of a step that begins: what is looked into.
pub type Listener = Arc<dyn Fn(&'static str) + Send + Sync>;

impl Default for Effort {
    fn default() -> Self {
        Self {
            slice: Duration::from_secs(2),
            stage: Duration::from_secs(10),
            options: 3,
            listener: None,
        }
    }
}

/// Solves variants, and stops when the time that the request gave is over.
pub struct Probe<'a> {
    /// Which mixes a server may have.
    pub shape: Shape,
    /// Effort for each.
    pub effort: Effort,
    request: &'a Request,
    backend: &'a dyn Backend,
    start: Instant,
    stage: Mutex<Instant>,
    solves: AtomicUsize,
    cut: AtomicBool,
}

impl<'a> Probe<'a> {
    /// Starts the clock: the request's time limit is for all probes together.
    pub fn new(
        shape: Shape,
        request: &'a Request,
        effort: Effort,
        backend: &'a dyn Backend,
    ) -> Self {
        let start = Instant::now();
        let (stage, solves) = (Mutex::new(start), AtomicUsize::new(0));
        let cut = AtomicBool::new(false);
        Self { shape, effort, request, backend, start, stage, solves, cut }
    }

    /// Solves so far.
    pub fn solves(&self) -> usize {
        self.solves.load(Ordering::Relaxed)
    }

    /// Whether anything was left out because the time was over.
    pub fn was_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Limits and objective that the plan was asked for.
    pub fn asked(&self) -> &ProblemOptions {
        &self.request.problem
    }

    /// Whether the time of the stage or of all is over, or an interrupt came.
    pub fn is_over(&self) -> bool {
        let over = self.request.solve.interrupt.is_raised() || self.left().is_zero();
        self.cut.fetch_or(over, Ordering::Relaxed);
        over
    }

    /// Time that is left of the stage and of all.
    fn left(&self) -> Duration {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        let left = self.effort.stage.saturating_sub(stage);
        let limit = self.request.solve.time_limit;
        limit.map_or(left, |limit| left.min(limit.saturating_sub(self.start.elapsed())))
    }

    /// Begins a stage, and tells the listener.
    pub fn begin(&self, what: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if let Some(listener) = &self.effort.listener {
            listener(what);
        }
    }

    fn options(&self) -> SolveOptions {
        let slice = self.left().min(self.effort.slice);
        SolveOptions { time_limit: Some(slice), progress: None, ..self.request.solve.clone() }
    }

    /// The cheapest choice for a variant, as far as a slice of time proves it.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn solve(&self, problem: &Problem) -> Result<Choice, SolverError> {
        self.solves.fetch_add(1, Ordering::Relaxed);
        // What a variant costs does not hang on which of its optima is met.
        let ablation = Ablation { ties: false, ..self.request.ablation };
        let request = Request { solve: self.options(), ablation, ..self.request.clone() };
        exact(problem, self.shape, &request, self.backend)
    }

    /// The least that has to give for all servers of a variant to fit, `moves` of them moving at most.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn feasibility(
        &self,
        problem: &Problem,
        moves: Option<u64>,
        give: &Give,
    ) -> Result<Given, SolverError> {
        self.solves.fetch_add(1, Ordering::Relaxed);
        feasibility::solve(problem, self.shape, moves, give, self.backend, &self.options())
    }

    /// Whether all servers of a variant fit; `None` where a slice of time does not tell.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn fits(&self, problem: &Problem, moves: Option<u64>) -> Result<Option<bool>, SolverError> {
        Ok(self.feasibility(problem, moves, &Give::nothing(problem))?.fits())
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

    /// The Lagrangian bound and its prices, those of the moves last where they are limited; `None`
    /// where a server has no pattern at all.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn dual(&self, problem: &Problem) -> Result<Option<Dual>, SolverError> {
        let space = self.space(problem);
        let part = Part {
            servers: (0..problem.servers.len()).collect(),
            capacity: space.capacity.clone(),
        };
        dual::bound(&space, &part, self.backend, &Deadline::new(&self.options()))
    }
}
