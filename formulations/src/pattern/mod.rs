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
//! The same problem as [`mod@crate::compact`] of either shape, stated far tighter: the load is
//! covered within a pattern, by whole replicas, and only the limits couple servers. The way to a
//! proof:
//!
//! 1. [`dual`]: the bound `V` and prices `lambda` of the limits, by column generation.
//! 2. Where a few servers have too many patterns to list, and cards are few: `totals`, which often
//!    ends it. Else an incumbent of cost `U`: blocks that the master did not split keep its choice; on the rest
//!    the same is done again, until few enough servers are left for an exact core.
//! 3. Any plan cheaper than `U` uses only patterns of reduced cost
//!    `c_p + lambda u_p - min_q (c_q + lambda u_q) <= U - V`. They are listed, those that another
//!    beats in cost and in every scarce limit are dropped, and the core over the rest is solved: all
//!    of them make a proof; those up to a smaller reduced cost `delta` still make a better incumbent
//!    and the bound `min(V + delta, bound of the core)`.
//!
//! Source: the Dantzig-Wolfe reformulation of the multiple-choice knapsack with covering blocks.

pub mod certificate;
pub mod column;
pub(crate) mod core;
pub mod cover;
pub mod dual;
pub mod exact;
mod incumbent;
pub mod numbers;
pub mod pricing;
mod proof;
pub mod space;
mod state;
mod ties;
mod totals;
mod tree;

use isocost_model::plan::Choice;
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use self::certificate::Certificate;
pub use self::column::Shape;
use self::dual::Part;
pub use self::space::Space;
use self::state::State;

/// Means of the method; each can be switched off, to see what it is worth. The proof holds without
/// any of them, it only takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ablation {
    /// Patterns that another beats in cost and in every scarce limit are dropped.
    pub prune: bool,
    /// Patterns of a reduced cost above the gap are left out.
    pub fixing: bool,
    /// Servers with few patterns are stated by the list of them.
    pub listing: bool,
    /// Servers with too many carry price cuts.
    pub cuts: bool,
    /// Where a few servers have too many patterns, totals of the scarcest limits are tried first.
    pub totals: bool,
    /// Costs are multiples of a step, so that a bound may be rounded up.
    pub step: bool,
    /// Of several optima the one with the fewest cards is taken, then the first by name.
    pub ties: bool,
}

impl Default for Ablation {
    fn default() -> Self {
        Self {
            prune: true,
            fixing: true,
            listing: true,
            cuts: true,
            totals: true,
            step: true,
            ties: true,
        }
    }
}

/// Solves the problem over the patterns of `space`.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    space: &Space<'_>,
    backend: &dyn Backend,
    options: &SolveOptions,
    ablation: &Ablation,
) -> Result<Choice, SolverError> {
    Ok(proven(space, backend, options, ablation)?.0)
}

/// The same, with what proves its bound, if any was proven.
///
/// # Errors
/// A failure of the backend.
pub fn proven(
    space: &Space<'_>,
    backend: &dyn Backend,
    options: &SolveOptions,
    ablation: &Ablation,
) -> Result<(Choice, Option<Certificate>), SolverError> {
    let clock = Deadline::new(options);
    let mut state = State::new(space, backend, &clock, *ablation);
    state.solve()?;
    Ok((state.choice(state.status()), state.certificate()))
}

/// A lower bound on every plan over `space`, cents/h, by column generation alone: for a plan that
/// came from elsewhere.
///
/// # Errors
/// A failure of the backend.
pub fn lower_bound(
    space: &Space<'_>,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<f64, SolverError> {
    let dual = dual::bound(space, &everything(space), backend, &Deadline::new(options))?;
    let exact = exact::Exact::new(space);
    let root = dual.and_then(|dual| exact.root(&dual.lambda));
    Ok(root.map_or(f64::INFINITY, |root| exact.numbers.cents(root.after(0) as f64)))
}

fn everything(space: &Space<'_>) -> Part {
    Part { servers: (0..space.problem.servers.len()).collect(), capacity: space.capacity.clone() }
}
