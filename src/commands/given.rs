//! Choices and plans that files hold: `--read-solution`, and `--plan` in place of planning anew.

use std::path::Path;

use isocost_model::input::load_plan;
use isocost_model::input::reading::{name_of, read_text};
use isocost_model::plan::{Choice, Plan};
use isocost_planner::{GivenError, PlanError};

use crate::Failure;
use crate::job::Job;

/// The choice that the solution file at `path` stands for.
pub fn solution(path: &Path, job: &Job) -> Result<Choice, Failure> {
    let name = name_of(path);
    let text = read_text(path).map_err(|what| {
        Failure::input(format!("{name}: {what}; give the file that the solver wrote"))
    })?;
    job.planner.solution(&job.fleet, &text).map_err(|error| match error {
        GivenError::Solver(error) => Failure::failed(error),
        other => Failure::input(format!("{name}: {other}")),
    })
}

/// The plan at `path`, a `plan.json` or the `--out` directory that holds one, under the scenario's
/// loads.
pub fn plan(path: &Path, job: &Job) -> Result<Plan, Failure> {
    let name = path.display();
    if !job.fleet.margin.is_none() {
        let text = format!("--plan {name}: it is simulated as it is; leave the margin out");
        return Err(Failure::input(text));
    }
    let saved = load_plan(path).map_err(Failure::input)?;
    let prefixed = |problem: &String| format!("{name}: {problem}");
    let choice =
        job.planner.saved(&job.fleet, &saved, &name.to_string()).map_err(|error| match error {
            GivenError::Misfit(problems) => {
                Failure::input(problems.iter().map(prefixed).collect::<Vec<_>>().join("\n"))
            }
            other => Failure::failed(other),
        })?;
    job.planner.checked(&job.fleet, choice).map_err(|error| match error {
        PlanError::Rules(broken) => {
            let lines: Vec<String> =
                broken.iter().take(20).map(|b| format!("{name}: {b}")).collect();
            let remedy = "give the scenario, loads and flags that the plan was made with";
            let lines = lines.join("\n");
            Failure::input(format!("{lines}\nthe plan does not hold here; {remedy}"))
        }
        PlanError::Solver(error) => Failure::failed(error),
    })
}
