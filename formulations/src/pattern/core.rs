//! The core: a mixed-integer program over listed patterns.

use isocost_solver::{Backend, Column, Milp, Row, SolveOptions, SolverError, Status};

use super::column::Pattern;
use super::dual::Part;
use crate::problem::Problem;

/// What solving a core gave.
#[derive(Debug, Clone)]
pub struct CoreSolution {
    /// Pattern of each server of the part, if a choice was found.
    pub chosen: Option<Vec<Pattern>>,
    /// No choice of the listed patterns is cheaper, cents/h; `inf` if there is none.
    pub bound: f64,
}

/// The cheapest choice of one listed pattern for each server of `part` within `limits`, the indices
/// of the limits that are stated.
///
/// ```text
/// minimise    sum_s sum_p c_p x_sp
/// subject to  sum_p x_sp = 1               for each s
///             sum_s sum_p u_pk x_sp <= C_k for each k in limits,     x in {0, 1}
/// ```
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    problem: &Problem,
    part: &Part,
    patterns: &[Vec<Pattern>],
    limits: &[usize],
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<CoreSolution, SolverError> {
    let mut milp = Milp { name: "pattern".to_owned(), ..Milp::default() };
    let mut rows: Vec<Row> = limits
        .iter()
        .map(|&k| Row::at_most(problem.limits[k].name.clone(), part.capacity[k], Vec::new()))
        .collect();
    for (i, list) in patterns.iter().enumerate() {
        let mut one = Row::equal(format!("one_{i}"), 1.0, Vec::new());
        for (p, pattern) in list.iter().enumerate() {
            let x = milp.add_column(Column::integer(format!("x_{i}_{p}"), pattern.cost, 0.0, 1.0));
            one.terms.push((x, 1.0));
            for (row, &k) in rows.iter_mut().zip(limits) {
                if pattern.uses[k] > 0.0 {
                    row.terms.push((x, pattern.uses[k]));
                }
            }
        }
        milp.add_row(one);
    }
    rows.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    let solution = backend.solve(&milp, options)?;
    let bound = if solution.status == Status::Infeasible { f64::INFINITY } else { solution.bound };
    let mut at = 0;
    let chosen = (!solution.values.is_empty()).then(|| {
        let pick = |list: &Vec<Pattern>| {
            let values = &solution.values[at..at + list.len()];
            at += list.len();
            values.iter().position(|x| *x > 0.5).map(|p| list[p].clone())
        };
        patterns.iter().map(pick).collect::<Option<Vec<_>>>()
    });
    Ok(CoreSolution { chosen: chosen.flatten(), bound })
}

/// Leaves only patterns that no other one beats in cost and in every one of `limits`.
pub fn prune(mut patterns: Vec<Pattern>, limits: &[usize]) -> Vec<Pattern> {
    patterns.sort_by(|a, b| a.cost.total_cmp(&b.cost).then_with(|| a.shares.cmp(&b.shares)));
    let mut kept: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        let beaten = kept.iter().any(|k| limits.iter().all(|&l| k.uses[l] <= pattern.uses[l]));
        if !beaten {
            kept.push(pattern);
        }
    }
    kept
}
