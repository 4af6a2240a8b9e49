//! The plan as a report, and its charts as files.

use std::time::Duration;

use isocost_model::export::Timing;
use isocost_model::plan::{Placement, Plan, Status};
use isocost_planner::Shortage;
use isocost_planner::explain::{Effort, ExplainError, Explanation};
use isocost_report::Input;
use isocost_solver::Interrupt;

use super::explain::exact_options;
use super::plan::Planned;
use crate::Failure;
use crate::args::PlanArgs;
use crate::output::picture;
use crate::output::style::Spinner;

/// Writes what `--report` and `--plots` ask for; nothing where neither is given.
pub fn write(args: &PlanArgs, planned: &Planned) -> Result<(), Failure> {
    if args.report.is_none() && args.plots.plots.is_none() {
        return Ok(());
    }
    let explanation = explanation(planned, &planned.job.planner.request.solve.interrupt)?;
    let name = args.scenario.scenario.display().to_string();
    let input = input(planned, &name, explanation.as_ref());
    if let Some(path) = &args.report {
        picture::save(path, isocost_report::html(&input).as_bytes(), "--report")?;
    }
    args.plots.draw(|| isocost_report::plots(&input).collect())
}

/// What is reported of a plan; `name` is what the reader knows the scenario by.
pub fn input<'a>(
    planned: &'a Planned,
    name: &'a str,
    explanation: Option<&'a Explanation>,
) -> Input<'a> {
    let Planned { job, plan, solving_s } = planned;
    Input {
        name,
        scenario: job.stated(),
        sizing: &job.planner.sizing,
        candidates: &job.fleet.candidates,
        plan,
        explanation,
        timing: Timing { sizing_s: job.fleet.sizing_s, solving_s: *solving_s },
    }
}

/// Why the plan is as it is, within the time that is left; `None` of a heuristic's plan, which
/// proves nothing. Of a plan that serves a part of the load it says what the rest would take.
pub fn explanation(
    planned: &Planned,
    interrupt: &Interrupt,
) -> Result<Option<Explanation>, Failure> {
    let Planned { job, plan, solving_s } = planned;
    let mut planner = job.planner.clone();
    planner.request.shortage = Shortage::Say;
    planner.request.solve.interrupt = interrupt.clone();
    let spent = Duration::try_from_secs_f64(*solving_s).unwrap_or_default();
    let limit = &mut planner.request.solve.time_limit;
    *limit = limit.map(|limit| limit.saturating_sub(spent));
    let in_full = plan.placements.iter().all(Placement::is_in_full);
    let none =
        (plan.has_plan() && !in_full).then(|| Plan { status: Status::Infeasible, ..plan.clone() });
    let plan = none.as_ref().unwrap_or(plan);
    let options = exact_options(job.stated().servers.len());
    let _spinner = Spinner::start("explaining");
    match planner.explain(&job.fleet, plan, Effort { options, ..Effort::default() }) {
        Ok(explanation) => Ok(Some(explanation)),
        Err(ExplainError::Greedy) => Ok(None),
        Err(error) => Err(Failure::failed(error)),
    }
}
