//! microlp, stated through `good_lp`: branch and bound in pure Rust.
//!
//! It is solved in slices of time, between which an interrupt is heard and the state is reported.

use std::time::Duration;

use good_lp::solvers::microlp::MicroLpProblem;
use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use microlp::{Error, ResumeOptions, SolveOptions as Options, SolveOutcome, TerminationReason};

use crate::backend::{
    Backend, Master, Progress, Relaxation, Solution, SolveOptions, SolverError, Status,
};
use crate::deadline::Deadline;
use crate::milp::{Column, Milp, Row};

/// The backend `microlp`.
pub(crate) struct Microlp;

/// How long it is left alone.
const SLICE: Duration = Duration::from_millis(100);

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
        Ok(match run(milp, options, true)? {
            Outcome::Point { values, proven, bound } => {
                Solution::point(milp, values, proven, bound)
            }
            Outcome::Infeasible => Solution::none(Status::Infeasible, f64::INFINITY),
            Outcome::Unbounded => Solution::none(Status::Unbounded, f64::NEG_INFINITY),
            Outcome::Stopped { bound } => Solution::none(Status::Unknown, bound),
        })
    }

    fn master(&self, milp: &Milp) -> Result<Box<dyn Master>, SolverError> {
        if let Some(defect) = milp.defect() {
            return Err(SolverError::Program(defect));
        }
        Ok(Box::new(MicrolpMaster { milp: milp.clone() }))
    }
}

enum Outcome {
    Point { values: Vec<f64>, proven: bool, bound: f64 },
    Infeasible,
    Unbounded,
    Stopped { bound: f64 },
}

fn run(milp: &Milp, options: &SolveOptions, whole: bool) -> Result<Outcome, SolverError> {
    let crossed = |c: &Column| match c.integer && whole {
        true => c.lower.ceil() > c.upper.floor(),
        false => c.lower > c.upper,
    };
    let empty = |row: &Row| row.terms.is_empty() && (row.lower > 0.0 || row.upper < 0.0);
    if milp.columns.iter().any(crossed) || milp.rows.iter().any(empty) {
        return Ok(Outcome::Infeasible);
    }
    let model = state(milp, whole);
    let deadline = Deadline::new(options);
    let slice = || deadline.within(SLICE).time_limit;
    let mut first = Options::default();
    (first.mip_gap, first.time_limit) = (options.relative_gap.max(0.0), slice());
    let mut gap = Some(options.relative_gap.max(0.0));
    let mut outcome = model.as_inner().solve_with(first);
    let mut last = Outcome::Stopped { bound: f64::NEG_INFINITY };
    loop {
        let reached = match outcome {
            Ok(reached) => reached,
            Err(Error::Infeasible) => return Ok(Outcome::Infeasible),
            Err(Error::Unbounded) => return Ok(Outcome::Unbounded),
            // It lost its way in numbers: what it had found and proven until then still holds.
            Err(Error::InternalError(_)) if whole => return Ok(last),
            Err(error) => return Err(failed(error)),
        };
        let bound =
            reached.stats().best_bound.map_or(f64::NEG_INFINITY, |bound| bound + milp.offset);
        let is_over = deadline.is_over();
        let limited = reached.termination_reason() == TerminationReason::TimeLimit;
        let incumbent = reached.solution().map(|found| found.objective() + milp.offset);
        // Its gap is one of the objective without its constant part.
        let is_open = !reached.is_optimal()
            && incumbent.is_some_and(|cost| cost - bound > options.relative_gap * cost.abs());
        let go_on = limited || (is_open && gap.is_some());
        if !go_on || is_over {
            return Ok(outcome_of(&reached, !limited, bound));
        }
        if !limited {
            gap = None;
        }
        if let Some(progress) = &options.progress {
            progress(&Progress {
                seconds: deadline.start.elapsed().as_secs_f64(),
                incumbent,
                bound,
            });
        }
        last = outcome_of(&reached, false, bound);
        let mut next = ResumeOptions::default();
        (next.mip_gap, next.time_limit) = (gap, slice());
        outcome = reached.resume_with(next);
    }
}

fn outcome_of(reached: &SolveOutcome, proven: bool, bound: f64) -> Outcome {
    let bound = if reached.is_optimal() { f64::INFINITY } else { bound };
    match reached.solution() {
        Some(found) => {
            Outcome::Point { values: found.iter().map(|(_, x)| x).collect(), proven, bound }
        }
        None => Outcome::Stopped { bound },
    }
}

fn state(milp: &Milp, whole: bool) -> MicroLpProblem {
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
    model
}

/// Whole-number bounds have to fit 32 bits; a bound beyond that binds no fleet.
fn finite(bound: f64, column: &Column) -> f64 {
    if column.integer { bound.clamp(-2e9, 2e9) } else { bound }
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
