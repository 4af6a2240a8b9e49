//! **feasibility relaxation**: the least that has to give for all servers to fit.
//!
//! ```text
//! data        as in [`crate::server_rows`], without costs
//!             w_k   price of a unit more of limit k (card, watt); none: the limit stands
//!             v_s   price of leaving server s out; none: it has to be served
//! variables   e_k in Z, >= 0                          units added to limit k
//!             z_s in {0, 1}                           s is left out
//!             n_s a mix of s (mixed), y_sj (single)
//!
//! minimise    sum_k w_k e_k + sum_s v_s z_s
//! subject to  sum_j y_sj + z_s = 1                    for each s       (single)
//!             cover, floor and spread of s are asked for unless z_s    (mixed)
//!             sum_s sum_j u_sjk n_sj - e_k <= C_k     for each k       (limit)
//!             sum_s q_s <= moves                      (moves, where limited)
//! ```
//!
//! At 0 the servers fit as they are. It proves the cheapest repair, the fewest servers to leave out,
//! and, with nothing that may give, whether all fit. An item that takes no less of any limit than
//! another of the same server, and gives no more, is left out.

use isocost_model::plan::OPTIMAL_GAP;
use isocost_solver::{Backend, Column, SolveOptions, SolverError, Status};

use crate::pattern::Shape;
use crate::problem::{Item, Needs, Problem, ProblemOptions};
use crate::server_rows::{Asks, Rows, most_used};

/// What may give, and at what price.
#[derive(Debug, Clone, PartialEq)]
pub struct Give {
    /// `w_k` for each limit.
    pub more: Vec<Option<f64>>,
    /// `v_s` for each server.
    pub out: Vec<Option<f64>>,
}

impl Give {
    /// Nothing gives.
    pub fn nothing(problem: &Problem) -> Self {
        Self { more: vec![None; problem.limits.len()], out: vec![None; problem.servers.len()] }
    }
}

/// The least that has to give.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Nothing of a lower price is enough; `inf` where nothing is.
    pub at_least: f64,
    /// Price of what gives; `inf` where nothing was found.
    pub price: f64,
    /// `e_k`, where a solution was found.
    pub more: Vec<u64>,
    /// Servers that are left out.
    pub out: Vec<usize>,
}

impl Given {
    /// Whether all servers fit as they are: `None` where that was neither found nor excluded.
    pub fn fits(&self) -> Option<bool> {
        if self.price <= 0.0 {
            Some(true)
        } else if self.at_least > 0.0 {
            Some(false)
        } else {
            None
        }
    }
}

/// Solves the program above; `moves` limits how many servers may leave their accelerator.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    problem: &Problem,
    shape: Shape,
    moves: Option<u64>,
    give: &Give,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Given, SolverError> {
    let statement = Statement::new(problem, shape, moves, give);
    let solution = backend.solve(&statement.rows.milp, options)?;
    // A program without columns has an empty point.
    if !matches!(solution.status, Status::Optimal | Status::Feasible) {
        let excluded = solution.status == Status::Infeasible;
        let at_least = if excluded { f64::INFINITY } else { solution.bound.max(0.0) };
        return Ok(Given { at_least, price: f64::INFINITY, more: Vec::new(), out: Vec::new() });
    }
    let value = |c: &Option<usize>| c.map_or(0.0, |c| solution.values[c]);
    let priced = |price: &Option<f64>, c: &Option<usize>| price.unwrap_or(0.0) * value(c);
    // Summed anew from whole units: the solver's own sum carries its rounding.
    let price: f64 = give.more.iter().zip(&statement.more).map(|(w, c)| priced(w, c)).sum::<f64>()
        + give.out.iter().zip(&statement.out).map(|(v, c)| priced(v, c)).sum::<f64>();
    let proven = solution.bound >= price - OPTIMAL_GAP * price.abs();
    Ok(Given {
        at_least: if proven { price } else { solution.bound.clamp(0.0, price) },
        price,
        more: statement.more.iter().map(|c| value(c) as u64).collect(),
        out: (0..give.out.len()).filter(|&s| value(&statement.out[s]) > 0.5).collect(),
    })
}

/// The program, and the columns of what gives.
struct Statement<'a> {
    rows: Rows<'a>,
    /// Whether moves are limited.
    counted: bool,
    more: Vec<Option<usize>>,
    out: Vec<Option<usize>>,
}

impl<'a> Statement<'a> {
    fn new(problem: &'a Problem, shape: Shape, max_moves: Option<u64>, give: &Give) -> Self {
        let options = ProblemOptions { max_moves, ..ProblemOptions::default() };
        let mut rows = Rows::new("feasibility relaxation", problem, &options);
        rows.weight = 0.0;
        let counted = max_moves.is_some();
        let mut statement = Self { rows, counted, more: Vec::new(), out: Vec::new() };
        for (k, price) in give.more.iter().enumerate() {
            let e = price.map(|w| statement.more_of(problem, k, w));
            statement.more.push(e);
        }
        for (s, &price) in give.out.iter().enumerate() {
            statement.server(problem, shape, s, price);
        }
        statement.rows.add_limits();
        statement
    }

    /// The column `e_k`.
    fn more_of(&mut self, problem: &Problem, k: usize, price: f64) -> usize {
        let most = most_used(problem, k).ceil();
        let e = self.rows.column(Column::integer(format!("e_{k}"), price, 0.0, most));
        self.rows.limits[k].terms.push((e, -1.0));
        e
    }

    fn server(&mut self, problem: &Problem, shape: Shape, s: usize, price: Option<f64>) {
        let (needs, items) = (&problem.servers[s], problem.items(s));
        let price = price.filter(|_| !needs.is_idle());
        let z = price.map(|v| self.rows.binary(format_args!("z_{s}"), v));
        self.out.push(z);
        let columns = match shape {
            Shape::Single => self.rows.alone(s, z),
            Shape::Mixed => {
                let mix = self.rows.mix(s, Asks::unless(z)).unwrap_or_default();
                mix.n.into_iter().enumerate().collect()
            }
        };
        let is_free = !self.counted || needs.current.is_none();
        if needs.min_types <= 1 && is_free {
            let kept = undominated(needs, items, shape);
            for (_, column) in columns.into_iter().filter(|(j, _)| !kept.contains(j)) {
                self.rows.milp.columns[column].upper = 0.0;
            }
        }
    }
}

/// Indices of the items that no other one beats: it takes no more of any limit and covers no less.
fn undominated(needs: &Needs, items: &[Item], shape: Shape) -> Vec<usize> {
    let value = |item: &Item| match shape {
        Shape::Single => needs.replicas(item).map(|n| (n as f64, 0.0)),
        Shape::Mixed => Some((1.0, item.rate)),
    };
    let beats = |a: (usize, &Item), b: (usize, &Item)| {
        let (Some((n, rate)), Some((m, other))) = (value(a.1), value(b.1)) else {
            return value(b.1).is_none();
        };
        let taken =
            |item: &Item, k: usize| item.uses.iter().filter(|u| u.0 == k).map(|u| u.1).sum::<f64>();
        let less = a.1.uses.iter().all(|&(k, amount)| amount * n <= taken(b.1, k) * m);
        let strictly =
            rate > other || b.1.uses.iter().any(|&(k, amount)| amount * m > taken(a.1, k) * n);
        less && rate >= other && (strictly || a.0 < b.0)
    };
    let each = || items.iter().enumerate();
    each().filter(|&b| !each().any(|a| a.0 != b.0 && beats(a, b))).map(|b| b.0).collect()
}
