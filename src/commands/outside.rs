//! `--read-solution`: a plan from an outside solver, checked and bounded like our own.

use std::path::Path;

use isocost_formulations::pattern::{self, Shape, Space};
use isocost_formulations::{Problem, Request, planner};
use isocost_model::Scenario;
use isocost_model::input::reading::{name_of, read_text};
use isocost_model::plan::{Choice, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, read_solution};

use crate::Failure;

/// Largest violation of a row or of integrality that a solver's rounding may leave.
const ROUNDING: f64 = 1e-6;

/// The choice that the solution file at `path` stands for, with a bound of our own.
pub fn choice(
    path: &Path,
    scenario: &Scenario,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, Failure> {
    let name = name_of(path);
    let text = read_text(path).map_err(|what| {
        Failure::input(format!("{name}: {what}; give the file that the solver wrote"))
    })?;
    let program = planner::program(scenario, problem, request);
    let values =
        read_solution(&text, &program.milp).map_err(|e| Failure::input(format!("{name}: {e}")))?;
    let violation = program.milp.max_violation(&values);
    if violation > ROUNDING {
        let text = format!(
            "{name}: not a solution of this program: a row or bound is missed by {violation}; \
             write the program anew (--write-model) with the same scenario and options"
        );
        return Err(Failure::input(text));
    }
    let shares = program.decode(problem, &values);
    let objective = program.milp.objective(&values);
    let shape = if program.name == "single" { Shape::Single } else { Shape::Mixed };
    let space = Space::new(problem, shape, &request.problem);
    let bound = pattern::lower_bound(&space, backend, &request.solve);
    let bound = bound.map_err(Failure::failed)?.min(objective);
    let proven = relative_gap(objective, bound) <= OPTIMAL_GAP;
    Ok(Choice {
        status: if proven { Status::Optimal } else { Status::Feasible },
        shares,
        objective,
        bound,
        formulation: program.name.to_owned(),
        backend: "an outside solver, bounded by our relaxation".to_owned(),
        notes: Vec::new(),
    })
}
