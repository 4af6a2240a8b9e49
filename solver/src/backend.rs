//! What every backend offers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::milp::Milp;

/// A solver of mixed-integer programs.
pub trait Backend: Send + Sync {
    /// Name, as [`backend`] takes it.
    fn name(&self) -> &'static str;

    /// Minimises `milp`.
    ///
    /// # Errors
    /// A program with a number that is not finite, or a failure inside the solver.
    fn solve(&self, milp: &Milp, options: &SolveOptions) -> Result<Solution, SolverError>;

    /// The linear relaxation of `milp`, to be solved again and again as columns are added. Rows
    /// must be one-sided or equalities, columns at least 0 and without an upper bound.
    ///
    /// # Errors
    /// As [`Backend::solve`].
    fn master(&self, milp: &Milp) -> Result<Box<dyn Master>, SolverError>;
}

/// A restricted master program of column generation.
pub trait Master {
    /// Adds a column `x >= 0` with its (row, coefficient) terms.
    ///
    /// # Errors
    /// A failure inside the solver.
    fn add_column(&mut self, cost: f64, terms: &[(usize, f64)]) -> Result<(), SolverError>;

    /// Solves it, from the last basis where the backend can. `None` if it is infeasible.
    ///
    /// # Errors
    /// A failure inside the solver.
    fn solve(&mut self) -> Result<Option<Relaxation>, SolverError>;
}

/// An optimum of a linear program.
#[derive(Debug, Clone, PartialEq)]
pub struct Relaxation {
    /// Objective.
    pub objective: f64,
    /// Value of each column.
    pub values: Vec<f64>,
    /// Change of the objective for a unit more on the right of each row.
    pub row_duals: Vec<f64>,
}

/// Hears of the state of a solve, on any thread.
pub type Listener = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How far a solve goes.
#[derive(Clone)]
pub struct SolveOptions {
    /// Stop after this long.
    pub time_limit: Option<Duration>,
    /// Stop at this relative gap.
    pub relative_gap: f64,
    /// Threads; 0 and 1 are one thread. Fleet programs are small, and more threads than one seldom
    /// pay for themselves.
    pub threads: u32,
    /// A feasible point to start from.
    pub start: Option<Vec<f64>>,
    /// Stops the solve from outside.
    pub interrupt: Interrupt,
    /// Called now and then with the state of the solve.
    pub progress: Option<Listener>,
}

impl Default for SolveOptions {
    fn default() -> Self {
        Self {
            time_limit: None,
            relative_gap: 1e-6,
            threads: 1,
            start: None,
            interrupt: Interrupt::default(),
            progress: None,
        }
    }
}

/// A flag that stops a solve from another thread, or from a signal handler.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the solve to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// State of a solve on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Seconds since the start of the solve.
    pub seconds: f64,
    /// Objective of the best point so far.
    pub incumbent: Option<f64>,
    /// Proven lower bound so far; `-inf` if none.
    pub bound: f64,
}

/// What is known of a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The bound meets the objective within the gap asked for.
    Optimal,
    /// A point that keeps every row; a better one may exist.
    Feasible,
    /// No point keeps every row.
    Infeasible,
    /// The objective has no lower bound.
    Unbounded,
    /// Stopped before a point was found or excluded.
    Unknown,
}

/// What a solve found and proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// What is known of it.
    pub status: Status,
    /// Value of each column; empty without a point. Integer columns are exact.
    pub values: Vec<f64>,
    /// Objective at `values`; `inf` without a point.
    pub objective: f64,
    /// Proven lower bound; `-inf` if none.
    pub bound: f64,
}

impl Solution {
    /// A solution without a point.
    pub(crate) fn none(status: Status, bound: f64) -> Self {
        Self { status, values: Vec::new(), objective: f64::INFINITY, bound }
    }

    /// The point `values` with whole numbers made exact.
    pub(crate) fn point(milp: &Milp, mut values: Vec<f64>, proven: bool, bound: f64) -> Self {
        for (value, column) in values.iter_mut().zip(&milp.columns) {
            if column.integer {
                *value = value.round();
            }
        }
        let objective = milp.objective(&values);
        let status = if proven { Status::Optimal } else { Status::Feasible };
        Self { status, values, objective, bound: bound.min(objective) }
    }
}

/// A solve that cannot be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolverError {
    /// A name that no backend has.
    #[error("unknown backend `{name}`; this build has {}", built.join(", "))]
    UnknownBackend {
        /// The name asked for.
        name: String,
        /// The names there are.
        built: Vec<&'static str>,
    },
    /// A backend that this build lacks.
    #[error(
        "backend `{0}` is not in this build; build with `--features {0}` (see README) or choose \
         another by --backend"
    )]
    NotBuilt(&'static str),
    /// No backend was built.
    #[error("this build has no backend; build with `--features highs` or `--features microlp`")]
    NoBackend,
    /// A program that is not sound.
    #[error("the program is not sound: {0}")]
    Program(String),
    /// A failure inside the solver.
    #[error("{backend} failed: {what}")]
    Failed {
        /// Name of the backend.
        backend: &'static str,
        /// What it said.
        what: String,
    },
}

/// Names of the backends in this build, the default first.
pub fn backends() -> Vec<&'static str> {
    let mut names = Vec::new();
    if cfg!(feature = "highs") {
        names.push("highs");
    }
    if cfg!(feature = "microlp") {
        names.push("microlp");
    }
    names
}

/// The backend of a name.
///
/// # Errors
/// [`SolverError::UnknownBackend`], or [`SolverError::NotBuilt`] where the build lacks it.
pub fn backend(name: &str) -> Result<Box<dyn Backend>, SolverError> {
    match name {
        #[cfg(feature = "highs")]
        "highs" => Ok(Box::new(crate::highs::Highs)),
        #[cfg(not(feature = "highs"))]
        "highs" => Err(SolverError::NotBuilt("highs")),
        #[cfg(feature = "microlp")]
        "microlp" => Ok(Box::new(crate::microlp::Microlp)),
        #[cfg(not(feature = "microlp"))]
        "microlp" => Err(SolverError::NotBuilt("microlp")),
        _ => Err(SolverError::UnknownBackend { name: name.to_owned(), built: backends() }),
    }
}

/// The default backend: HiGHS where it was built, else microlp.
///
/// # Errors
/// [`SolverError::NoBackend`].
pub fn default_backend() -> Result<Box<dyn Backend>, SolverError> {
    backend(backends().first().ok_or(SolverError::NoBackend)?)
}
