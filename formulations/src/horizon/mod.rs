//! **horizon**: what to reserve for all hours, and what to rent hour by hour.
//!
//! ```text
//! sets        h in H periods,  s in S servers,  r in R pools (card types, or accelerators),
//!             t in T card types,  p in P(h, s) patterns: replica mixes that cover the load of s in h
//! data        w_h      hours of h within the horizon
//!             rho_r    price of a reserved unit for all hours, cents
//!             o_r      price on demand, cents/h;   sigma_r  price of an hour's work on
//!                      spot, cents;   M_r  most spot units at a time
//!             m_r      cards in a unit;   C_ht  cards that exist in h
//!             u_pr     units of r that p takes, of nodes a share of one;   e_p  its energy, cents/h
//! variables   R_r in Z, >= 0     reserved, the same in every period
//!             D_hr, S_hr in Z, >= 0     on demand and on spot in h
//!             x_hsp in {0, 1}    s runs on p in h
//!
//! minimise    sum_r rho_r R_r + sum_h w_h (sum_s sum_p e_p x_hsp + sum_r (o_r D_hr + sigma_r S_hr))
//! subject to  sum_p x_hsp = 1                                   for each h, s     (serve)
//!             sum_s sum_p u_pr x_hsp <= R_r + D_hr + S_hr       for each h, r     (pool)
//!             sum_{r in t} m_r (R_r + D_hr + S_hr) <= C_ht      for each h, t     (cards)
//!             S_hr <= M_r                                       for each h, r     (spot)
//!             and every budget, in every period
//! ```
//!
//! Without prices on demand it is the two-stage purchase: one fleet that serves each scenario of
//! demand. Only `R` links the periods. The way to a proof:
//!
//! 1. Periods that agree in every load and card count are one, with their hours added: they have the
//!    same best plan.
//! 2. `relaxation`: with `R` given, each period's linear relaxation by column generation. Its prices
//!    make a cut, a lower bound on the period's cost that is affine in `R` and holds for every `R`.
//! 3. The least of all cuts over continuous `R` (Kelley 1960; Benders 1962, a cut a period) is the root's
//!    bound: that of the pattern formulation's linear relaxation.
//! 4. Few periods: one program over all of them (`core`), over the patterns of a reduced cost that may
//!    matter. Many: `search`, branch and bound over `R` alone, the periods solved one by one at every
//!    `R` that may be the best.
//!
//! It proves the cheapest plan for all hours together, given that replicas may move between periods
//! without cost. Source: two-stage programs with integer recourse, decomposed by period; the patterns
//! are those of [`mod@crate::pattern`].

mod core;
mod plan;
mod relaxation;
mod search;
mod statement;
mod together;

use std::time::Duration;

use isocost_model::plan::{OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Deadline, Progress, SolveOptions, SolverError};

use self::core::Chosen;
use crate::pattern::column::Shape;
pub use plan::{Asked, HorizonError, solve_checked};
use search::Search;
pub use statement::{Horizon, PoolTerms, Sized, Span, SpotTerms, apart_from_nodes};

/// Distinct periods up to which one program over all of them is tried before the search.
const TOGETHER: usize = 6;
/// Time of that program at each width of reduced cost.
const SLICE: Duration = Duration::from_secs(10);
/// Widths of reduced cost of that program, as shares of the root's bound.
const WIDTHS: [f64; 3] = [0.002, 0.01, 0.05];

/// How the reservations are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// One program over all periods where they are few, then the search.
    #[default]
    Auto,
    /// One program over all periods, however many, then the search.
    Together,
    /// The search alone.
    Search,
}

/// What was found and proven, over the distinct periods.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is known of it.
    pub status: Status,
    /// Units reserved by pool; empty without a plan.
    pub reserved: Vec<u64>,
    /// Plans by distinct period; empty without a plan.
    periods: Vec<Chosen>,
    /// Cost, cents; `inf` without a plan.
    pub cost: f64,
    /// Proven lower bound, cents.
    pub bound: f64,
    /// Distinct periods that no plan serves whatever is reserved, with the first server that no
    /// accelerator serves, if that is why.
    pub hopeless: Vec<(usize, Option<usize>)>,
}

/// When to stop, and who listens.
pub struct Watch(Deadline);

impl Watch {
    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    fn relative_gap(&self) -> f64 {
        self.0.options.relative_gap
    }

    /// Options for a program of one period: to the end, within what time is left. Its own gap has to
    /// be far below that of the whole.
    fn options(&self) -> SolveOptions {
        let relative_gap = (self.relative_gap() * 1e-2).min(1e-9);
        let time_limit = self.0.left();
        SolveOptions { time_limit, relative_gap, progress: None, ..self.0.options.clone() }
    }

    /// Options for a program over all periods.
    fn slice(&self) -> SolveOptions {
        self.0.within(SLICE)
    }

    fn report(&self, incumbent: Option<f64>, bound: f64) {
        if let Some(progress) = &self.0.options.progress {
            progress(&Progress { seconds: self.0.start.elapsed().as_secs_f64(), incumbent, bound });
        }
    }
}

/// Solves the horizon problem over patterns of `shape`.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    horizon: &Horizon,
    shape: Shape,
    backend: &dyn Backend,
    options: &SolveOptions,
    method: Method,
) -> Result<Outcome, SolverError> {
    let watch = Watch(Deadline::new(options));
    let unserved = horizon.periods.iter().enumerate();
    let unserved = unserved.filter_map(|(h, span)| Some((h, Some(core::unserved(span, shape)?))));
    let unserved: Vec<(usize, Option<usize>)> = unserved.collect();
    if !unserved.is_empty() {
        return Ok(Outcome::infeasible(unserved));
    }
    let mut search = Search::new(horizon, shape, backend, &watch);
    let root = search.root()?;
    search.start(&root)?;
    let together = match method {
        Method::Auto => horizon.periods.len() <= TOGETHER,
        Method::Together => true,
        Method::Search => false,
    };
    if search.hopeless.is_empty() && together {
        search.together(&root)?;
    }
    if search.hopeless.is_empty() {
        search.run()?;
    }
    if !search.hopeless.is_empty() {
        let hopeless = search.all_hopeless()?;
        if !hopeless.is_empty() {
            return Ok(Outcome::infeasible(hopeless.into_iter().map(|h| (h, None)).collect()));
        }
    }
    Ok(Outcome::of(search))
}

impl Outcome {
    fn infeasible(hopeless: Vec<(usize, Option<usize>)>) -> Self {
        Self {
            status: Status::Infeasible,
            reserved: Vec::new(),
            periods: Vec::new(),
            cost: f64::INFINITY,
            bound: f64::INFINITY,
            hopeless,
        }
    }

    fn of(search: Search<'_>) -> Self {
        let bound = search.bound;
        let Some(best) = search.best else {
            let status = if bound == f64::INFINITY { Status::Infeasible } else { Status::Unknown };
            let none = Self::infeasible(Vec::new());
            return Self { status, bound, ..none };
        };
        let optimal = relative_gap(best.cost, bound) <= OPTIMAL_GAP;
        Self {
            status: if optimal { Status::Optimal } else { Status::Feasible },
            reserved: best.reserved,
            periods: best.periods,
            cost: best.cost,
            bound: bound.min(best.cost),
            hopeless: Vec::new(),
        }
    }
}
