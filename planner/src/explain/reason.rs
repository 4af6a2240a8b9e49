//! **reason**: why there is no plan, in one sentence, for those who did not ask for more.

use std::time::Duration;

use isocost_model::plan::Method;
use isocost_solver::{Backend, SolverError};

use super::probe::{Effort, Probe};
use super::{Subject, conflict, unmet};
use crate::request::Request;
use isocost_formulations::problem::Problem;

/// Servers that the sentence names.
const NAMED: usize = 6;

/// What it may take.
fn effort() -> Effort {
    let (slice, stage) = (Duration::from_millis(500), Duration::from_secs(2));
    Effort { slice, stage, ..Effort::default() }
}

/// Servers and limits that cannot go together; `None` where none was found in about two seconds, or
/// where some server is not served by any accelerator, which the plan's own notes say.
///
/// # Errors
/// A failure of the backend.
pub fn reason(subject: Subject<'_>, backend: &dyn Backend) -> Result<Option<String>, SolverError> {
    let Subject { scenario, candidates, request, .. } = subject;
    if request.formulation.method == Method::Greedy {
        return Ok(None);
    }
    let request = &Request { problem: request.options(scenario), ..request.clone() };
    let problem = Problem::new(scenario, candidates, &request.problem);
    let probe = Probe::new(request.formulation.shape(scenario), request, effort(), backend);
    probe.begin("why there is no plan");
    if !unmet::find(&probe, &problem)?.is_empty() {
        return Ok(None);
    }
    let Some(core) = conflict::find(&probe, &problem)? else { return Ok(None) };
    let mut servers: Vec<String> =
        core.servers.iter().take(NAMED).map(|&s| scenario.servers[s].name.clone()).collect();
    match core.servers.len().saturating_sub(NAMED) {
        0 => {}
        more => servers.push(format!("{more} more")),
    }
    let limit = |&k: &usize| format!("{} {}", problem.limits[k].capacity, problem.limits[k].name);
    let mut limits: Vec<String> = core.limits.iter().map(limit).collect();
    limits.extend(core.moves.then(|| "the moves that are allowed".to_owned()));
    let verb = if core.servers.len() == 1 { "does not fit on" } else { "do not all fit on" };
    Ok(Some(format!("{} {verb} {}", listed(&servers), listed(&limits))))
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
