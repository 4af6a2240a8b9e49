//! The plan as a report, and its charts as files.

use std::path::Path;
use std::time::Duration;

use isocost_formulations::explain::{self, Effort, ExplainError, Explanation, Subject};
use isocost_model::export::{Timing, write_file};
use isocost_model::plan::{Plan, Status};
use isocost_report::Input;

use super::explain::exact_options;
use crate::Failure;
use crate::args::PlanArgs;
use crate::job::Job;
use crate::output::style::Spinner;

/// Writes what `--report` and `--plots` ask for; nothing where neither is given.
pub fn write(args: &PlanArgs, job: &Job, plan: &Plan, timing: Timing) -> Result<(), Failure> {
    if args.report.is_none() && args.plots.is_none() {
        return Ok(());
    }
    let explanation = explanation(job, plan, timing)?;
    let name = args.scenario.scenario.display().to_string();
    let input = Input {
        name: &name,
        scenario: job.stated(),
        sizing: &job.sizing,
        candidates: &job.candidates,
        plan,
        explanation: explanation.as_ref(),
        timing,
    };
    if let Some(path) = &args.report {
        save(path, isocost_report::html(&input).as_bytes(), "--report")?;
    }
    let Some(dir) = &args.plots else { return Ok(()) };
    std::fs::create_dir_all(dir).map_err(|e| Failure::failed(format!("{}: {e}", dir.display())))?;
    for plot in isocost_report::plots(&input) {
        let file = |extension: &str| dir.join(format!("{}.{extension}", plot.name));
        save(&file("svg"), plot.svg.as_bytes(), "--plots")?;
        save(&file("png"), &plot.png, "--plots")?;
    }
    Ok(())
}

/// Why the plan is as it is, within the time that is left; `None` of a heuristic's plan, which
/// proves nothing. Of a plan that serves a part of the load it says what the rest would take.
fn explanation(job: &Job, plan: &Plan, timing: Timing) -> Result<Option<Explanation>, Failure> {
    let mut request = job.request.clone();
    request.shortage = None;
    let spent = Duration::try_from_secs_f64(timing.solving_s).unwrap_or_default();
    request.solve.time_limit = request.solve.time_limit.map(|limit| limit.saturating_sub(spent));
    let in_full = plan.placements.iter().all(|p| p.served_share >= 1.0 - 1e-9);
    let none =
        (plan.has_plan() && !in_full).then(|| Plan { status: Status::Infeasible, ..plan.clone() });
    let subject = Subject {
        scenario: &job.scenario,
        sizing: &job.sizing,
        candidates: &job.candidates,
        request: &request,
        plan: none.as_ref().unwrap_or(plan),
    };
    let options = exact_options(job.scenario.servers.len());
    let _spinner = Spinner::start("explaining");
    match explain::explain(subject, Effort { options, ..Effort::default() }, &*job.backend) {
        Ok(explanation) => Ok(Some(explanation)),
        Err(ExplainError::Greedy) => Ok(None),
        Err(error) => Err(Failure::failed(error)),
    }
}

fn save(path: &Path, bytes: &[u8], flag: &str) -> Result<(), Failure> {
    write_file(path, bytes).map_err(|e| {
        let (path, why) = (path.display(), e.source);
        Failure::failed(format!("{path}: cannot be written: {why}; choose another place by {flag}"))
    })
}
