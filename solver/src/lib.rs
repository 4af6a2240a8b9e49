//! Mixed-integer programs as plain data, and the solvers that take them.
//!
//! A [`Milp`] is columns and rows of numbers; a [`Backend`] minimises it and says what it has
//! proven. Each backend is one file behind a feature: `highs` (the default, built from source) and
//! `microlp` (pure Rust). Nothing here knows what the numbers mean.
//!
//! ```
//! use isocost_solver::{Column, Milp, Row, SolveOptions, Status, default_backend};
//!
//! // The cheapest way to cover a load of 5 with units of rate 3 (cost 4) and rate 2 (cost 3).
//! let mut milp = Milp::default();
//! let a = milp.add_column(Column::integer("a", 4.0, 0.0, 10.0));
//! let b = milp.add_column(Column::integer("b", 3.0, 0.0, 10.0));
//! milp.add_row(Row::at_least("cover", 5.0, vec![(a, 3.0), (b, 2.0)]));
//!
//! let solution = default_backend()?.solve(&milp, &SolveOptions::default())?;
//! assert_eq!(solution.status, Status::Optimal);
//! assert_eq!(solution.values, [1.0, 1.0]);
//! # Ok::<(), isocost_solver::SolverError>(())
//! ```

#[cfg(feature = "highs")]
mod apart;
mod backend;
mod deadline;
mod export;
mod milp;
mod solution_file;

#[cfg(feature = "highs")]
mod highs;
#[cfg(feature = "highs")]
mod highs_raw;
#[cfg(feature = "microlp")]
mod microlp;

pub use backend::{
    Backend, Interrupt, Listener, Master, Progress, Relaxation, Solution, SolveOptions,
    SolverError, Status, backend, backends, default_backend,
};
pub use deadline::Deadline;
pub use export::{write_lp, write_mps};
pub use milp::{Column, Milp, Row};
pub use solution_file::{SolutionFileError, read_solution};
