//! **shortage**: the most that can be served, priority by priority, when not all can.
//!
//! ```text
//! data        n_sj, r_sj, u_sjk, C_k as in `single`;  S_q servers of priority q
//! variables   y_sj in {0, 1}                   s runs on j
//!             n_sj in Z, 0 .. n_sj max         replicas of s on j
//!             x_s in [0, L_s]                  rate of s that is served within its objectives
//!
//! for each priority q, the highest first, with what was reached before kept:
//!   maximise  sum_{s in S_q} x_s
//! then
//!   minimise  sum_s sum_j c_sj n_sj
//! subject to  sum_j y_sj <= 1                                    for each s
//!             m_s y_sj <= n_sj <= n_sj max y_sj                  for each s, j  (partial)
//!             n_sj = n_sj max y_sj                               for each s, j  (whole)
//!             x_s <= sum_j r_sj n_sj                             for each s
//!             sum_s sum_j u_sjk n_sj <= C_k                      for each k
//! ```
//!
//! `whole` serves a server in full or not at all (the saturation policy None), `partial` as far as
//! cards go (the exact counterpart of PriorityExhaustive). Servers without load get nothing here.
//! It proves that no plan serves more of a priority without serving less of a higher one, and that
//! none that serves as much is cheaper: the lexicographic optimum of Isermann (1982).

use isocost_model::plan::{Choice, OPTIMAL_GAP, Status};
use isocost_solver::{Backend, Column, Milp, Row, Solution, SolveOptions, SolverError};

use crate::problem::Problem;
use crate::program::{Meaning, Program};
use crate::single::limit_row;

/// How far a server may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// In full or not at all.
    Whole,
    /// As far as cards go.
    Partial,
}

/// Share of what a priority reached that later stages may give up: the solver's rounding.
const KEPT: f64 = 1e-9;

/// The lexicographic optimum of `problem`; its objective and bound are those of the cost, the last
/// stage. Optimal only if every stage was proven.
///
/// # Errors
/// A failure of the backend.
pub fn shortage(
    problem: &Problem,
    service: Service,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Choice, SolverError> {
    let Statement { mut program, served } = statement(problem, service);
    let costs: Vec<f64> = program.milp.columns.iter().map(|c| c.cost).collect();
    let mut priorities: Vec<u32> =
        served.iter().map(|&(s, _)| problem.servers[s].priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let (mut proven, mut notes) = (true, Vec::new());
    for q in priorities {
        let of_priority = |&&(s, _): &&(usize, usize)| problem.servers[s].priority == q;
        let stage: Vec<(usize, usize)> = served.iter().filter(of_priority).copied().collect();
        program.milp.columns.iter_mut().for_each(|c| c.cost = 0.0);
        stage.iter().for_each(|&(_, x)| program.milp.columns[x].cost = -1.0);
        let solution = backend.solve(&program.milp, options)?;
        if solution.values.is_empty() {
            return Ok(program.choice(problem, &solution, backend.name()));
        }
        proven &= is_proven(&solution);
        // Summed anew from whole replicas: the solver's own sum carries its rounding.
        let shares = program.decode(problem, &solution.values);
        let reached: f64 = stage.iter().map(|&(s, _)| served_rate(problem, s, &shares[s])).sum();
        let wanted: f64 = stage.iter().map(|&(s, _)| problem.servers[s].demand).sum();
        notes.push(format!("priority {q}: {:.2}% of the load is served", 100.0 * reached / wanted));
        let terms = stage.iter().map(|&(_, x)| (x, 1.0)).collect();
        program.milp.add_row(Row::at_least(format!("kept_{q}"), reached * (1.0 - KEPT), terms));
    }
    program.milp.columns.iter_mut().zip(costs).for_each(|(column, cost)| column.cost = cost);
    let mut choice = program.solve(problem, backend, options)?;
    if choice.status == Status::Optimal && !proven {
        choice.status = Status::Feasible;
        choice.bound = f64::NEG_INFINITY;
    }
    choice.notes = notes;
    Ok(choice)
}

/// Rate that a server's replicas serve, at most its demand.
fn served_rate(problem: &Problem, s: usize, share: &[(usize, u64)]) -> f64 {
    let rate = |&(candidate, n): &(usize, u64)| {
        let item = problem.items(s).iter().find(|item| item.candidate == candidate);
        item.map_or(0.0, |item| item.rate * n as f64)
    };
    share.iter().map(rate).sum::<f64>().min(problem.servers[s].demand)
}

fn is_proven(solution: &Solution) -> bool {
    solution.objective - solution.bound <= OPTIMAL_GAP * solution.objective.abs()
}

/// The program, and the column `x_s` of each server with load.
struct Statement {
    program: Program,
    served: Vec<(usize, usize)>,
}

fn statement(problem: &Problem, service: Service) -> Statement {
    let mut milp = Milp { name: "shortage".to_owned(), ..Milp::default() };
    let (mut meanings, mut served) = (Vec::new(), Vec::new());
    let mut limits: Vec<Row> = problem.limits.iter().map(limit_row).collect();
    for (s, needs) in problem.servers.iter().enumerate().filter(|(_, n)| n.demand > 0.0) {
        let x = milp.add_column(Column::continuous(format!("x_{s}"), 0.0, 0.0, needs.demand));
        meanings.push(Vec::new());
        served.push((s, x));
        let mut one = Row::at_most(format!("one_{s}"), 1.0, Vec::new());
        let mut cover = Row::at_least(format!("served_{s}"), 0.0, vec![(x, -1.0)]);
        for (j, item) in problem.items(s).iter().enumerate() {
            let Some(most) = needs.replicas(item) else { continue };
            let y = milp.add_column(Column::integer(format!("y_{s}_{j}"), 0.0, 0.0, 1.0));
            let n = Column::integer(format!("n_{s}_{j}"), item.cost, 0.0, most as f64);
            let n = milp.add_column(n);
            meanings.extend([Vec::new(), vec![Meaning { server: s, item: j, replicas: 1 }]]);
            let least = match service {
                Service::Whole => most as f64,
                Service::Partial => needs.min_replicas.max(1) as f64,
            };
            let (name, terms) = (format!("most_{s}_{j}"), vec![(n, 1.0), (y, -(most as f64))]);
            milp.add_row(Row::at_most(name, 0.0, terms));
            milp.add_row(Row::at_least(format!("least_{s}_{j}"), 0.0, vec![(n, 1.0), (y, -least)]));
            one.terms.push((y, 1.0));
            cover.terms.push((n, item.rate));
            for &(k, amount) in &item.uses {
                limits[k].terms.push((n, amount));
            }
        }
        milp.add_row(one);
        milp.add_row(cover);
    }
    limits.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    Statement { program: Program { name: "shortage", milp, meanings }, served }
}
