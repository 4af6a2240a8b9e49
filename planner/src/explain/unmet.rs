//! **unmet**: servers that no accelerator serves, however many cards there are.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reason};
use isocost_model::queue::Shortfall;
use isocost_solver::SolverError;
use serde::Serialize;

use super::probe::Probe;
use super::relax::{Relaxation, Sizer, to_be_served};
use super::rule::{self, Rule};
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::Problem;

/// A server that cannot be served.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmet {
    /// The server.
    pub server: String,
    /// Its service class.
    pub class: String,
    /// Its model.
    pub model: String,
    /// What stands in its way.
    pub why: Why,
    /// The rule that does, where it is one of its own.
    pub rule: Option<Rule>,
    /// The accelerator that comes closest to its objectives.
    pub closest: Option<Miss>,
    /// What each accelerator with a profile misses, the closest first.
    pub misses: Vec<Miss>,
    /// The smallest relaxations at which an accelerator serves it, if with many replicas.
    pub relaxations: Vec<Relaxation>,
    /// The smallest relaxations at which it fits beside the servers that can be served as they are,
    /// where those fit.
    pub fits: Vec<Relaxation>,
}

/// What stands in a server's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// No accelerator that it may use meets its objectives.
    Objectives,
    /// No accelerator that it may use runs its model.
    NoAccelerator,
    /// A rule of its own: it needs more replicas than it may have, or more card types than serve it.
    Rule,
}

/// An objective that an accelerator does not meet even with a replica almost idle.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Miss {
    /// The accelerator.
    pub accelerator: String,
    /// How far off it is.
    #[serde(flatten)]
    pub shortfall: Shortfall,
}

/// Indices of servers that cannot be served even without any limit.
pub fn find(scenario: &Scenario, problem: &Problem, shape: Shape) -> Vec<usize> {
    let unmet = |&s: &usize| {
        let idle = problem.servers[s].is_idle();
        !idle && (problem.items(s).is_empty() || rule::of(scenario, problem, shape, s).is_some())
    };
    (0..problem.servers.len()).filter(unmet).collect()
}

/// What is to be said of a server that cannot be served.
///
/// # Errors
/// A failure of the backend.
pub fn describe(
    probe: &Probe<'_>,
    sizer: &Sizer<'_>,
    candidates: &Candidates,
    problem: &Problem,
    s: usize,
) -> Result<Unmet, SolverError> {
    let scenario: &Scenario = sizer.scenario;
    let server = &scenario.servers[s];
    let mut shortfalls: Vec<(usize, Shortfall)> = candidates
        .rejected(s)
        .iter()
        .filter_map(|r| match r.reason {
            Reason::Objective(shortfall) => Some((r.accelerator, shortfall)),
            _ => None,
        })
        .collect();
    shortfalls.sort_by(|a, b| a.1.excess().total_cmp(&b.1.excess()));
    let miss = |(a, shortfall): (usize, Shortfall)| Miss {
        accelerator: scenario.accelerators[a].name.clone(),
        shortfall,
    };
    let misses: Vec<Miss> = shortfalls.into_iter().map(miss).collect();
    let rule = rule::of(scenario, problem, probe.shape, s);
    let why = match (&rule, misses.is_empty()) {
        (Some(_), _) => Why::Rule,
        (None, true) => Why::NoAccelerator,
        (None, false) => Why::Objectives,
    };
    // Faster service means fewer replicas; card types it does not make.
    let relaxed = why == Why::Objectives
        || matches!(rule, Some(Rule::MaxNumReplicas { .. })) && problem.servers[s].min_types <= 1;
    Ok(Unmet {
        server: server.name.clone(),
        class: scenario.classes[server.class].name.clone(),
        model: scenario.models[server.model].clone(),
        why,
        rule,
        closest: misses.first().cloned(),
        misses,
        relaxations: if relaxed { to_be_served(sizer, probe, problem, s)? } else { Vec::new() },
        fits: Vec::new(),
    })
}
