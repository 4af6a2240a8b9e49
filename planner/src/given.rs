//! Choices that were given: an outside solver's solution, or a saved plan. They are bounded and
//! checked like our own.

use std::collections::HashMap;

use isocost_formulations::pattern::{self, Space};
use isocost_model::compare::{SavedPart, SavedPlan};
use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Shape, Status, relative_gap};
use isocost_solver::{Deadline, Milp, SolverError};

use crate::choose::value;
use crate::{Fleet, Planner};

/// How far from whole a solver may leave a whole number: what outside solvers allow at most.
const WHOLE: f64 = 1e-5;
/// Share of its side that a row may be missed by, once all is whole.
const ROUNDING: f64 = 1e-9;

/// A choice that cannot be taken as it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GivenError {
    /// The backend failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// A solution that no line of the program agrees with.
    #[error("{0}")]
    Unreadable(String),
    /// A point that is no solution.
    #[error(
        "not a solution of this program: {0}; write the program anew (--write-model) with the same \
         scenario and options, or give the solver a feasibility tolerance of 1e-9"
    )]
    Violated(String),
    /// What a saved plan places that does not fit here, one line each.
    #[error("{}", .0.join("\n"))]
    Misfit(Vec<String>),
}

impl Planner {
    /// The choice that the text of an outside solver's solution file stands for, with a bound of our
    /// own.
    ///
    /// # Errors
    /// [`GivenError`].
    pub fn solution(&self, fleet: &Fleet, text: &str) -> Result<Choice, GivenError> {
        let problem = self.problem(fleet);
        let program = self.program(fleet);
        let mut values = isocost_solver::read_solution(text, &program.milp)
            .map_err(|e| GivenError::Unreadable(e.to_string()))?;
        values.iter_mut().filter(|v| (**v - v.round()).abs() <= WHOLE).for_each(|v| *v = v.round());
        if let Some(missed) = missed(&program.milp, &values) {
            return Err(GivenError::Violated(missed));
        }
        let problem = problem.with_purchases(program.approach.shape);
        let shares = program.decode(&problem, &values);
        let options = self.request.options(fleet.planned_for());
        let space = Space::new(&problem, program.approach.shape, &options);
        // A point that is not optimal may charge for what it does not use.
        let objective = program.milp.objective(&values).min(value(&space, &shares));
        let bound = pattern::lower_bound(&space, &*self.backend, &self.request.solve)?;
        let bound = bound.min(objective);
        let proven = relative_gap(objective, bound) <= OPTIMAL_GAP;
        let mut choice = Choice {
            status: if proven { Status::Optimal } else { Status::Feasible },
            shares,
            objective,
            bound,
            approach: program.approach,
            backend: "an outside solver, bounded by our relaxation".to_owned(),
            notes: Vec::new(),
            nodes: Vec::new(),
        };
        let problem = self.problem(fleet);
        problem.without_purchases(program.approach.shape, &mut choice);
        let clock = Deadline::new(&self.request.solve);
        isocost_formulations::nodes::refill(&problem, &mut choice, &*self.backend, &clock)?;
        Ok(choice)
    }

    /// The choice that a saved plan stands for; `name` says where it is from.
    ///
    /// # Errors
    /// [`GivenError::Misfit`].
    pub fn saved(
        &self,
        fleet: &Fleet,
        saved: &SavedPlan,
        name: &str,
    ) -> Result<Choice, GivenError> {
        let shares = shares(fleet, saved).map_err(GivenError::Misfit)?;
        let mut choice = Choice {
            status: Status::Feasible,
            objective: cost(fleet, &shares),
            shares,
            bound: f64::NEG_INFINITY,
            approach: Approach::new(Shape::Mixed, Method::Given),
            backend: name.to_owned(),
            notes: Vec::new(),
            nodes: Vec::new(),
        };
        // A plan that does not fit its nodes goes on without them, for the checker to say so.
        isocost_formulations::nodes::refill(
            &self.problem(fleet),
            &mut choice,
            &*self.backend,
            &Deadline::new(&self.request.solve),
        )?;
        Ok(choice)
    }
}

/// The first row, bound or whole number of `milp` that `values` miss.
fn missed(milp: &Milp, values: &[f64]) -> Option<String> {
    for (column, &x) in milp.columns.iter().zip(values) {
        if x < column.lower || x > column.upper || (column.integer && x != x.round()) {
            let (name, lower, upper) = (&column.name, column.lower, column.upper);
            return Some(format!("{name} is {x}, not a whole number from {lower} to {upper}"));
        }
    }
    for row in &milp.rows {
        let sum: f64 = row.terms.iter().map(|&(j, a)| a * values[j]).sum();
        let slack = |side: f64| if side == 0.0 { ROUNDING } else { ROUNDING * side.abs() };
        let (name, lower, upper) = (&row.name, row.lower, row.upper);
        if sum < lower - slack(lower) {
            return Some(format!("{name} is {sum}, less than {lower}"));
        }
        if sum > upper + slack(upper) {
            return Some(format!("{name} is {sum}, more than {upper}"));
        }
    }
    None
}

/// For each server the candidates that the plan puts it on, or everything that does not fit.
fn shares(fleet: &Fleet, saved: &SavedPlan) -> Result<Vec<Vec<(usize, u64)>>, Vec<String>> {
    let by_name: HashMap<&str, &[SavedPart]> =
        saved.servers.iter().map(|s| (s.name.as_str(), &*s.parts)).collect();
    let mut problems = Vec::new();
    let mut all = Vec::with_capacity(fleet.scenario.servers.len());
    for (s, server) in fleet.scenario.servers.iter().enumerate() {
        let mut shares = Vec::new();
        for part in by_name.get(server.name.as_str()).copied().unwrap_or_default() {
            match option(fleet, s, part) {
                Ok(option) => shares.push((option, part.replicas)),
                Err(what) => problems.push(format!("server `{}`: {what}", server.name)),
            }
        }
        all.push(shares);
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// The candidate of server `s` that a part stands for.
fn option(fleet: &Fleet, s: usize, part: &SavedPart) -> Result<usize, String> {
    let options = fleet.candidates.options(s);
    let accelerators = &fleet.scenario.accelerators;
    let found = options.iter().position(|o| accelerators[o.accelerator].name == part.accelerator);
    let found = found.ok_or_else(|| format!("`{}` cannot serve it", part.accelerator))?;
    let batch = options[found].batch;
    if part.batch != batch && part.batch != 0 {
        return Err(format!(
            "batch size {} on `{}`, where sizing takes {batch}; give the flags that the plan was \
             made with",
            part.batch, part.accelerator
        ));
    }
    Ok(found)
}

fn cost(fleet: &Fleet, shares: &[Vec<(usize, u64)>]) -> f64 {
    let mut sum = 0.0;
    for (s, shares) in shares.iter().enumerate() {
        let options = fleet.candidates.options(s);
        for &(option, n) in shares {
            sum += options[option].cost_cents_per_h * n as f64;
        }
    }
    sum
}
