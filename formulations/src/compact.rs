//! **compact**: one program of columns that are replicas, as any solver takes it, in two shapes.
//!
//! ```text
//! single      v_sj = c_sj n_sj with n_sj = max(ceil(L_s / r_sj), m_s), or the change's value where a
//!             move is charged; j out if n_sj > M_s, or if s is to be spread over several types
//!
//! minimise    sum_s sum_j v_sj y_sj
//! subject to  sum_j y_sj = 1                         for each s       (alone)
//!             sum_s sum_j u_sjk n_sj y_sj <= C_k     for each k       (limit)
//!             sum_s sum_{j not now(s)} y_sj <= moves                  (moves, where limited)
//!
//! mixed
//! minimise    sum_s sum_j c_sj n_sj, or the change's value
//! subject to  n_s a mix of s                         for each s
//!             sum_s sum_j u_sjk n_sj <= C_k          for each k       (limit)
//! ```
//!
//! where [`crate::server_rows`] states what a server alone and a mix of it are. `single` is the
//! multiple-choice multidimensional knapsack problem: it proves the cheapest plan among those that run
//! each server on one accelerator type. The linear relaxation of `mixed` is weak, as one fractional
//! replica of the best ratio covers any load; off the shelf, branch and bound does not close it.
//! [`crate::pattern`] states the same problems tighter.

use isocost_model::plan::{Approach, Method, Shape};

use crate::problem::{Problem, ProblemOptions};
use crate::program::Program;
use crate::server_rows::{Asks, Rows};

/// One accelerator, and one batch size, for each server.
pub fn single(problem: &Problem, options: &ProblemOptions) -> Program {
    compact(problem, options, Shape::Single)
}

/// Several accelerators may share the load of a server.
pub fn mixed(problem: &Problem, options: &ProblemOptions) -> Program {
    compact(problem, options, Shape::Mixed)
}

/// States `problem` as the program above.
pub fn compact(problem: &Problem, options: &ProblemOptions, shape: Shape) -> Program {
    let mut rows = Rows::new(shape.word(), problem, options);
    for s in 0..problem.servers.len() {
        match shape {
            Shape::Single => {
                rows.alone(s, None);
            }
            Shape::Mixed => {
                rows.mix(s, Asks::default());
            }
        }
    }
    rows.program(Approach::new(shape, Method::Compact))
}
