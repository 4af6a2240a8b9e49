//! HiGHS: branch and bound with cuts, and the warm simplex.

use std::sync::Arc;

use highs::{ColProblem, HighsModelStatus, Row, RowProblem, Sense};

use crate::apart::apart;
use crate::backend::{Backend, Master, Relaxation, Solution, SolveOptions, SolverError, Status};
use crate::deadline::Deadline;
use crate::highs_raw::{self, Heard, Watch};
use crate::milp::Milp;

/// Terms of a program from which on it is solved apart: in smaller ones HiGHS looks at the clock in time.
const LARGE: usize = 20_000;

/// The backend `highs`.
pub(crate) struct Highs;

impl Backend for Highs {
    fn name(&self) -> &'static str {
        "highs"
    }

    fn solve(&self, milp: &Milp, options: &SolveOptions) -> Result<Solution, SolverError> {
        let problem = build(milp)?;
        if let Some(solution) = milp.without_columns() {
            return Ok(solution);
        }
        let deadline = Deadline::new(options);
        let watch = Arc::new(Watch::new(options, milp.offset));
        let (asked, heard) = (options.clone(), Arc::clone(&watch));
        let whole = milp.columns.iter().any(|c| c.integer);
        let solve = move || run(problem, &asked, &heard, whole);
        let size: usize = milp.rows.iter().map(|row| row.terms.len()).sum();
        let found = match size {
            ..LARGE => solve()?,
            _ => match apart(options, solve) {
                Some(found) => found?,
                None => Found::heard(milp, watch.leave()),
            },
        };
        let solution = found.solution(milp);
        // Where presolve leaves nothing, HiGHS calls a start optimal with a gap left.
        let gap = options.relative_gap * solution.objective.abs() + 1e-6;
        let open = solution.objective - solution.bound > gap;
        if solution.status == Status::Optimal && open && options.start.is_some() {
            let time_limit = deadline.left();
            let anew = SolveOptions { start: None, time_limit, ..options.clone() };
            return self.solve(milp, &anew);
        }
        Ok(solution)
    }

    fn master(&self, milp: &Milp) -> Result<Box<dyn Master>, SolverError> {
        if let Some(defect) = milp.defect() {
            return Err(SolverError::Program(defect));
        }
        let mut problem = ColProblem::default();
        let rows: Vec<Row> = milp.rows.iter().map(|r| problem.add_row(r.lower..=r.upper)).collect();
        let mut model = problem.try_optimise(Sense::Minimise).map_err(failed)?;
        set(&mut model, "threads", 1)?;
        set(&mut model, "parallel", "off")?;
        // Presolve would throw the last basis away.
        set(&mut model, "presolve", "off")?;
        let mut master = HighsMaster { model: Some(model), rows, offset: milp.offset };
        for (column, terms) in milp.columns.iter().zip(milp.by_column()) {
            master.add_column(column.cost, &terms)?;
        }
        Ok(Box::new(master))
    }
}

fn failed(what: impl std::fmt::Debug) -> SolverError {
    SolverError::Failed { backend: "highs", what: format!("{what:?}") }
}

fn set<V: highs::HighsOptionValue>(
    model: &mut highs::Model,
    option: &str,
    value: V,
) -> Result<(), SolverError> {
    model.try_set_option(option, value).map_err(failed)
}

fn build(milp: &Milp) -> Result<RowProblem, SolverError> {
    if let Some(defect) = milp.defect() {
        return Err(SolverError::Program(defect));
    }
    let mut problem = RowProblem::default();
    let columns: Vec<_> = milp
        .columns
        .iter()
        .map(|c| problem.add_column_with_integrality(c.cost, c.lower..=c.upper, c.integer))
        .collect();
    for row in &milp.rows {
        let terms: Vec<_> = row.terms.iter().map(|&(j, a)| (columns[j], a)).collect();
        problem.add_row(row.lower..=row.upper, terms);
    }
    Ok(problem)
}

/// Solves `problem`, whose columns are not all continuous if it is `whole`.
fn run(
    problem: RowProblem,
    options: &SolveOptions,
    watch: &Watch,
    whole: bool,
) -> Result<Found, SolverError> {
    let columns = problem.num_cols();
    let mut model = problem.try_optimise(Sense::Minimise).map_err(failed)?;
    let threads = options.threads.max(1);
    if threads > 1 {
        highs_raw::reset_scheduler();
    }
    set(&mut model, "threads", threads.min(i32::MAX as u32) as i32)?;
    set(&mut model, "parallel", if threads > 1 { "on" } else { "off" })?;
    set(&mut model, "mip_rel_gap", options.relative_gap)?;
    set(&mut model, "mip_abs_gap", 1e-9)?;
    set(&mut model, "mip_feasibility_tolerance", 1e-9)?;
    set(&mut model, "primal_feasibility_tolerance", 1e-9)?;
    if let Some(limit) = options.time_limit {
        set(&mut model, "time_limit", limit.as_secs_f64())?;
    }
    if let Some(start) = options.start.as_ref().filter(|s| s.len() == columns) {
        // A start that HiGHS cannot use costs time, not the solution.
        let _ = model.try_set_solution(Some(start), None, None, None);
    }
    let solved = highs_raw::run_watched(model, watch).map_err(failed)?;
    Ok(Found::read(&solved, whole))
}

/// What HiGHS found, as it stands without the program's offset.
struct Found {
    status: HighsModelStatus,
    values: Option<Vec<f64>>,
    bound: f64,
}

impl Found {
    fn read(solved: &highs::SolvedModel, whole: bool) -> Self {
        let status = solved.status();
        // A model that HiGHS never got to solve has no such value.
        let point = solved.int_info_value(c"primal_solution_status").ok();
        let has_point = point == Some(highs_sys::kHighsSolutionStatusFeasible.into())
            || status == HighsModelStatus::Optimal;
        let bound = match status {
            HighsModelStatus::Optimal if !whole => f64::INFINITY,
            _ if !whole => f64::NEG_INFINITY,
            _ => solved.double_info_value(c"mip_dual_bound").unwrap_or(f64::NEG_INFINITY),
        };
        let values = has_point.then(|| solved.get_solution().columns().to_vec());
        Self { status, values, bound: if bound.is_nan() { f64::NEG_INFINITY } else { bound } }
    }

    /// What was heard of a solve that nobody waits for.
    fn heard(milp: &Milp, heard: Heard) -> Self {
        let sound = |values: &Vec<f64>| {
            values.len() == milp.columns.len() && milp.max_violation(values) < 1e-6
        };
        Self {
            status: HighsModelStatus::ReachedTimeLimit,
            values: heard.values.filter(sound),
            bound: heard.bound.unwrap_or(f64::NEG_INFINITY),
        }
    }

    fn solution(self, milp: &Milp) -> Solution {
        let bound = self.bound + milp.offset;
        match self.status {
            HighsModelStatus::Infeasible => Solution::none(Status::Infeasible, f64::INFINITY),
            HighsModelStatus::Unbounded => Solution::none(Status::Unbounded, f64::NEG_INFINITY),
            HighsModelStatus::ModelEmpty => Solution::point(milp, Vec::new(), true, milp.offset),
            HighsModelStatus::UnboundedOrInfeasible => {
                let bounded = milp.columns.iter().all(|c| {
                    (c.cost >= 0.0 && c.lower > f64::NEG_INFINITY)
                        || (c.cost <= 0.0 && c.upper < f64::INFINITY)
                });
                let status = if bounded { Status::Infeasible } else { Status::Unknown };
                Solution::none(status, f64::NEG_INFINITY)
            }
            status => match self.values {
                Some(values) => {
                    let proven = status == HighsModelStatus::Optimal;
                    Solution::point(milp, values, proven, bound)
                }
                None => Solution::none(Status::Unknown, bound),
            },
        }
    }
}

struct HighsMaster {
    /// `None` only after a failed solve has consumed it.
    model: Option<highs::Model>,
    rows: Vec<Row>,
    offset: f64,
}

impl Master for HighsMaster {
    fn add_column(&mut self, cost: f64, terms: &[(usize, f64)]) -> Result<(), SolverError> {
        let model = self.model.as_mut().ok_or_else(|| failed("an earlier solve failed"))?;
        let terms = terms.iter().map(|&(i, a)| (self.rows[i], a));
        model.try_add_column(cost, 0.0.., terms).map_err(failed)?;
        Ok(())
    }

    fn solve(&mut self) -> Result<Option<Relaxation>, SolverError> {
        let model = self.model.take().ok_or_else(|| failed("an earlier solve failed"))?;
        let solved = model.try_solve().map_err(failed)?;
        let relaxation = match solved.status() {
            HighsModelStatus::Optimal => {
                let solution = solved.get_solution();
                Some(Relaxation {
                    objective: solved.objective_value() + self.offset,
                    values: solution.columns().to_vec(),
                    row_duals: solution.dual_rows().to_vec(),
                })
            }
            HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => None,
            status => return Err(failed(status)),
        };
        self.model = Some(highs::Model::from(solved));
        Ok(relaxation)
    }
}
