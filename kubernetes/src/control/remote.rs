//! An optimizer over HTTP, as the reference deploys it, and why its answer may be carried out.
//!
//! ```text
//! Scenario -> POST /optimizeOne -> Answer -> what would run -> Choice -> the checker of our own plans -> Solution
//! ```
//!
//! What it answers is not believed: shares that are served, costs and batch sizes are worked out here, from
//! where it puts how many replicas. A server that it leaves out stays as it is, and is counted so. Whatever
//! breaks a rule, an accelerator that does not exist, cards that there are not, a server that was to be held
//! and is not, changes nothing at all.

use std::collections::BTreeMap;
use std::time::Duration;

use isocost_model::Scenario;
use isocost_model::compare::{SavedPart, SavedPlan, SavedServer};
use isocost_model::plan::Plan;
use isocost_model::scenario::Server;
use isocost_planner::{Fleet, GivenError, PlanError, Planner};
use serde::Deserialize;

use super::optimizer::{OptimizeError, Placed, Solution, placement_of};
use super::system::Sections;
use crate::cluster::describe;
use crate::collect::Bounded;
use crate::collect::wire::AllocationData;

/// Problems of an answer that are told.
const TOLD: usize = 5;

/// An optimizer over HTTP.
#[derive(Clone)]
pub struct Remote {
    client: reqwest::Client,
    url: String,
    /// Sizes and checks what it answers.
    planner: Box<Planner>,
}

/// An `AllocationSolution`, of which ours says more than the reference's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    allocations: BTreeMap<String, AllocationData>,
    status: Option<String>,
    objective: Option<f64>,
    bound: Option<f64>,
    #[serde(default)]
    reasons: Vec<String>,
}

impl Remote {
    /// An optimizer at a base URL, e.g. `http://localhost:8080`; `planner` sizes and checks what it answers.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn new(url: &str, timeout: Duration, planner: Planner) -> Result<Self, OptimizeError> {
        // A second provider cannot be installed; the first is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(timeout).build();
        let url = format!("{}/optimizeOne", url.trim_end_matches('/'));
        match client {
            Ok(client) => Ok(Self { client, url, planner: planner.into() }),
            Err(error) => Err(OptimizeError::Remote { url, what: describe(&error) }),
        }
    }

    /// Asks for a plan of a scenario, and checks it.
    ///
    /// # Errors
    /// No answer, or one that may not be carried out.
    pub async fn solve(
        &self,
        sections: Option<&Sections>,
        scenario: Scenario,
    ) -> Result<Solution, OptimizeError> {
        let failed = |what: String| OptimizeError::Remote { url: self.url.clone(), what };
        let Some(sections) = sections else {
            return Err(failed(
                "it cannot be sent the static data, which was read without".to_owned(),
            ));
        };
        let response = self.client.post(&self.url).json(&sections.system(&scenario)).send().await;
        let response = response.map_err(|e| failed(describe(&e)))?;
        let status = response.status();
        let bytes = response.bounded().await.map_err(failed)?;
        if !status.is_success() {
            let start: String = String::from_utf8_lossy(&bytes).chars().take(400).collect();
            return Err(failed(format!("status {}: {start}", status.as_u16())));
        }
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|e| failed(format!("an answer that is no allocation solution: {e}")))?;
        checked(&self.planner, scenario, answer)
            .map_err(|problems| failed(format!("its plan is not carried out: {}", told(&problems))))
    }
}

fn told(problems: &[String]) -> String {
    let mut text = problems.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
    if problems.len() > TOLD {
        text += &format!("; and {} more", problems.len() - TOLD);
    }
    text
}

/// The solution that an answer is, once nothing is found against it.
fn checked(planner: &Planner, scenario: Scenario, answer: Answer) -> Result<Solution, Vec<String>> {
    let Answer { allocations, status, objective, bound, reasons } = answer;
    let problems = misplaced(&scenario, &allocations);
    if !problems.is_empty() {
        return Err(problems);
    }
    let saved = would_run(&scenario, &allocations);
    let fleet = planner.fleet(scenario);
    let plan = plan(planner, &fleet, &saved)?;
    let placed = placed(&fleet.scenario, &plan, &allocations);
    let gap = objective.zip(bound).map(|(objective, bound)| objective - bound);
    let serves_all = plan.serves_all() && status.as_deref() != Some("infeasible");
    Ok(Solution {
        placed,
        serves_all,
        status: status.unwrap_or_else(|| "unproven".to_owned()),
        gap: gap.filter(|gap| gap.is_finite()).map(|gap| gap.max(0.0)),
        reasons,
    })
}

/// Names that nobody knows, and servers that were to be held and are not: the checker, which lets floors go
/// where not all can be served, does not see those.
fn misplaced(scenario: &Scenario, allocations: &BTreeMap<String, AllocationData>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, data) in allocations {
        let Some(server) = scenario.servers.iter().find(|s| s.name == *name) else {
            problems.push(format!("server `{name}` was not asked about"));
            continue;
        };
        let on = &data.accelerator;
        let known = scenario.accelerators.iter().any(|a| a.name == *on);
        if !known && (!on.is_empty() || data.num_replicas > 0) {
            problems.push(format!("server `{name}`: there is no accelerator `{on}`"));
        }
        let held = server.max_replicas == Some(server.min_replicas);
        if held && data.num_replicas != server.min_replicas {
            let (asked, found) = (server.min_replicas, data.num_replicas);
            problems.push(format!("server `{name}`: {found} replicas, {asked} are asked for"));
        }
    }
    problems
}

/// What would run: where the answer puts each server, and where it is whom the answer leaves out.
fn would_run(scenario: &Scenario, allocations: &BTreeMap<String, AllocationData>) -> SavedPlan {
    let part = |server: &Server| {
        let now = server.current.as_ref();
        let (accelerator, replicas) = match allocations.get(&server.name) {
            Some(data) => (data.accelerator.clone(), data.num_replicas),
            None => (scenario.accelerators[now?.accelerator].name.clone(), now?.replicas),
        };
        // Batch sizes are those that sizing takes here.
        (replicas > 0).then(|| SavedPart {
            accelerator,
            replicas: u64::from(replicas),
            batch: 0,
            cost: 0.0,
        })
    };
    let server = |server: &Server| SavedServer {
        name: server.name.clone(),
        parts: part(server).into_iter().collect(),
        cost: 0.0,
        load: None,
        served: 0.0,
        members: Vec::new(),
        pool: None,
    };
    SavedPlan {
        name: "the optimizer".to_owned(),
        status: None,
        servers: scenario.servers.iter().map(server).collect(),
        usage: Vec::new(),
        nodes: Vec::new(),
        cost: 0.0,
    }
}

/// The plan, checked: as one that serves all, or as one under shortage.
fn plan(planner: &Planner, fleet: &Fleet, saved: &SavedPlan) -> Result<Plan, Vec<String>> {
    let choice = planner.saved(fleet, saved, &saved.name).map_err(|error| match error {
        GivenError::Misfit(problems) => problems,
        other => vec![other.to_string()],
    })?;
    let broken = |error: PlanError| match error {
        PlanError::Rules(violations) => violations.iter().map(ToString::to_string).collect(),
        other @ PlanError::Solver(_) => vec![other.to_string()],
    };
    if let Ok(plan) = planner.checked(fleet, choice.clone()) {
        return Ok(plan);
    }
    let mut short = choice;
    short.approach.shortage = true;
    planner.checked(fleet, short).map_err(broken)
}

fn placed(
    scenario: &Scenario,
    plan: &Plan,
    allocations: &BTreeMap<String, AllocationData>,
) -> BTreeMap<String, Placed> {
    let pairs = scenario.servers.iter().zip(&plan.placements);
    let told = pairs.filter(|(server, _)| allocations.contains_key(&server.name));
    told.map(|(server, placement)| (server.name.clone(), placement_of(scenario, placement)))
        .collect()
}
