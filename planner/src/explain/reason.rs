//! **reason**: why there is no plan, in one sentence, for those who did not ask for more.

use std::time::Duration;

use isocost_model::plan::Method;
use isocost_solver::{Backend, SolverError};

use super::probe::{Effort, Probe};
use super::rule::{self, listed};
use super::source::sources;
use super::{Subject, conflict, unmet};
use crate::request::Request;
use isocost_formulations::problem::Problem;

/// Servers that the sentence names.
const NAMED: usize = 6;

/// What it may take; less where the plan had a time limit, which is over by then.
fn effort(limited: bool) -> Effort {
    let ms = if limited { (250, 500) } else { (500, 2_000) };
    let (slice, stage) = (Duration::from_millis(ms.0), Duration::from_millis(ms.1));
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
    let effort = effort(request.solve.time_limit.is_some());
    let probe = Probe::new(request.formulation.shape(scenario), request, effort, backend);
    probe.begin("why there is no plan");
    if !unmet::find(scenario, &problem, probe.shape).is_empty() {
        return Ok(None);
    }
    let Some(members) = conflict::find(&probe, &problem)? else { return Ok(None) };
    let rule = match members.servers[..] {
        [s] => {
            rule::floor(&probe, &problem, s)?.map_or(String::new(), |rule| format!("; it {rule}"))
        }
        _ => String::new(),
    };
    let mut servers: Vec<String> =
        members.servers.iter().take(NAMED).map(|&s| scenario.servers[s].name.clone()).collect();
    match members.servers.len().saturating_sub(NAMED) {
        0 => {}
        more => servers.push(format!("{more} more")),
    }
    let sources = sources(scenario, &problem, request.problem.unlimited);
    let mut limits: Vec<String> = Vec::new();
    for &k in &members.limits {
        let limit = &problem.limits[k];
        limits.push(sources[k].named(scenario, &limit.name).amount(&limit.capacity.to_string()));
    }
    limits.extend(members.moves.then(|| "the moves that are allowed".to_owned()));
    let verb = if members.servers.len() == 1 { "does not fit on" } else { "do not all fit on" };
    Ok(Some(format!("{} {verb} {}{rule}", listed(&servers), listed(&limits))))
}
