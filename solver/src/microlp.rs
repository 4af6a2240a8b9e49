//! microlp, through `good_lp`: branch and bound in pure Rust.
//!
//! It stops at its time limit, but not at an interrupt, and reports no bound before it has proven
//! its solution: then the bound is that of the linear relaxation.

use good_lp::solvers::{ResolutionError, Solution as _, SolutionStatus, WithTimeLimit};
use good_lp::{
    Expression, ProblemVariables, SolverModel, Variable, WithMipGap, constraint, variable,
};

use crate::backend::{Backend, Master, Relaxation, Solution, SolveOptions, SolverError, Status};
use crate::milp::{Column, Milp, Row};

/// The backend `microlp`.
pub(crate) struct Microlp;

impl Backend for Microlp {
    fn name(&self) -> &'static str {
        "microlp"
    }

    fn solve(&self, milp: &Milp, options: &SolveOptions) -> Result<Solution, SolverError> {
        if let Some(defect) = milp.defect() {
            return Err(SolverError::Program(defect));
        }
        if options.interrupt.is_raised() {
            return Ok(Solution::none(Status::Unknown, f64::NEG_INFINITY));
        }
        if let Some(solution) = milp.without_columns() {
            return Ok(solution);
        }
        match run(milp, options, true)? {
            Outcome::Point { values, proven: true } => {
                let bound = milp.objective(&values);
                Ok(Solution::point(milp, values, true, bound))
            }
            Outcome::Point { values, proven: false } => {
                Ok(Solution::point(milp, values, false, relaxation_bound(milp, options)?))
            }
            Outcome::Infeasible => Ok(Solution::none(Status::Infeasible, f64::INFINITY)),
            Outcome::Unbounded => Ok(Solution::none(Status::Unbounded, f64::NEG_INFINITY)),
            Outcome::Stopped => {
                Ok(Solution::none(Status::Unknown, relaxation_bound(milp, options)?))
            }
        }
    }

    fn master(&self, milp: &Milp) -> Result<Box<dyn Master>, SolverError> {
        if let Some(defect) = milp.defect() {
            return Err(SolverError::Program(defect));
        }
        Ok(Box::new(MicrolpMaster { milp: milp.clone() }))
    }
}

enum Outcome {
    Point { values: Vec<f64>, proven: bool },
    Infeasible,
    Unbounded,
    Stopped,
}

fn run(milp: &Milp, options: &SolveOptions, whole: bool) -> Result<Outcome, SolverError> {
    let mut variables = ProblemVariables::new();
    let columns: Vec<Variable> = milp
        .columns
        .iter()
        .map(|c| {
            let definition = variable().bounds(finite(c.lower, c)..=finite(c.upper, c));
            variables.add(if c.integer && whole { definition.integer() } else { definition })
        })
        .collect();
    let objective: Expression =
        columns.iter().zip(&milp.columns).map(|(&x, c)| Expression::from(x) * c.cost).sum();
    let mut model = variables.minimise(objective).using(good_lp::solvers::microlp::microlp);
    for row in milp.rows.iter().filter(|row| !row.terms.is_empty()) {
        let sum = || -> Expression {
            row.terms.iter().map(|&(j, a)| Expression::from(columns[j]) * a).sum()
        };
        if row.lower == row.upper {
            model = model.with(constraint!(sum() == row.lower));
            continue;
        }
        if row.upper.is_finite() {
            model = model.with(constraint!(sum() <= row.upper));
        }
        if row.lower.is_finite() {
            model = model.with(constraint!(sum() >= row.lower));
        }
    }
    let empty = |row: &&Row| row.terms.is_empty() && (row.lower > 0.0 || row.upper < 0.0);
    if milp.rows.iter().any(|row| empty(&row)) {
        return Ok(Outcome::Infeasible);
    }
    if let Some(limit) = options.time_limit {
        model = model.with_time_limit(limit.as_secs_f64());
    }
    let model = model.with_mip_gap(options.relative_gap as f32).map_err(failed)?;
    match model.solve() {
        Ok(solution) => Ok(Outcome::Point {
            values: columns.iter().map(|&x| solution.value(x)).collect(),
            proven: matches!(solution.status(), SolutionStatus::Optimal | SolutionStatus::GapLimit),
        }),
        Err(ResolutionError::Infeasible) => Ok(Outcome::Infeasible),
        Err(ResolutionError::Unbounded) => Ok(Outcome::Unbounded),
        Err(error) if options.time_limit.is_some() => {
            let text = error.to_string();
            if text.to_lowercase().contains("limit") {
                Ok(Outcome::Stopped)
            } else {
                Err(failed(error))
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whole-number bounds have to fit 32 bits; a bound beyond that binds no fleet.
fn finite(bound: f64, column: &Column) -> f64 {
    if column.integer { bound.clamp(-2e9, 2e9) } else { bound }
}

fn relaxation_bound(milp: &Milp, options: &SolveOptions) -> Result<f64, SolverError> {
    Ok(match run(milp, options, false)? {
        Outcome::Point { values, proven: true } => milp.objective(&values),
        Outcome::Infeasible => f64::INFINITY,
        _ => f64::NEG_INFINITY,
    })
}

fn failed(what: impl std::fmt::Display) -> SolverError {
    SolverError::Failed { backend: "microlp", what: what.to_string() }
}

/// Solves the program and its dual from scratch each time: microlp keeps its multipliers to itself.
struct MicrolpMaster {
    milp: Milp,
}

impl Master for MicrolpMaster {
    fn add_column(&mut self, cost: f64, terms: &[(usize, f64)]) -> Result<(), SolverError> {
        let j = self.milp.add_column(Column::continuous("", cost, 0.0, f64::INFINITY));
        terms.iter().for_each(|&(i, a)| self.milp.rows[i].terms.push((j, a)));
        Ok(())
    }

    fn solve(&mut self) -> Result<Option<Relaxation>, SolverError> {
        let options = SolveOptions::default();
        let Outcome::Point { values, .. } = run(&self.milp, &options, false)? else {
            return Ok(None);
        };
        let Outcome::Point { values: duals, .. } = run(&dual(&self.milp), &options, false)? else {
            return Err(failed("the dual of a bounded program has no solution"));
        };
        Ok(Some(Relaxation { objective: self.milp.objective(&values), values, row_duals: duals }))
    }
}

/// The dual of `min c x, x >= 0` with one-sided rows and equalities:
/// `max b y, A' y <= c` with `y <= 0` for `<=` rows, `y >= 0` for `>=` rows.
fn dual(milp: &Milp) -> Milp {
    let mut dual = Milp::default();
    let mut rows = vec![Vec::new(); milp.columns.len()];
    for row in &milp.rows {
        let equal = row.lower == row.upper;
        let side = if row.upper.is_finite() { row.upper } else { row.lower };
        let lower = if equal || row.upper.is_finite() { f64::NEG_INFINITY } else { 0.0 };
        let upper = if equal || row.lower.is_finite() { f64::INFINITY } else { 0.0 };
        let y = dual.add_column(Column::continuous("", -side, lower, upper));
        row.terms.iter().for_each(|&(j, a)| rows[j].push((y, a)));
    }
    for (column, terms) in milp.columns.iter().zip(rows) {
        dual.add_row(Row::at_most("", column.cost, terms));
    }
    dual
}
