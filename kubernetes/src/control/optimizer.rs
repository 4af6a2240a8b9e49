//! Who plans: the planner in this process, or an optimizer over HTTP, as the reference deploys it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isocost_formulations::ProblemOptions;
use isocost_model::Scenario;
use isocost_model::candidates::SizingOptions;
use isocost_model::plan::Status;
use isocost_planner::{Formulation, Request, Shortage};
use isocost_solver::SolveOptions;
use serde::Deserialize;

use super::data::StaticData;
use super::system::Sections;
use crate::cluster::describe;
use crate::collect::wire::AllocationData;
use isocost_serve::planning::{Options, Planned, Planner, Until};

/// What the planner of a control loop is asked for: one accelerator a Deployment, the change's value
/// as the objective, a plan within `gap` of the cheapest, and the scenario's policy where not all can be
/// served.
pub fn planner_options(sizing: SizingOptions, gap: f64) -> Options {
    let problem = ProblemOptions { transition: true, ..ProblemOptions::default() };
    let solve = SolveOptions { relative_gap: gap, ..SolveOptions::default() };
    let (formulation, shortage) = (Formulation::SINGLE, Shortage::Scenario);
    Options {
        sizing,
        request: Request { formulation, problem, shortage, solve, ..Request::default() },
    }
}

/// Who plans.
#[derive(Clone)]
pub enum Optimizer {
    /// The planner in this process, for at most so long in a cycle.
    Local(Arc<Planner>, Duration),
    /// An optimizer that answers `POST /optimizeOne`.
    Remote(Remote),
}

/// An optimizer over HTTP.
#[derive(Debug, Clone)]
pub struct Remote {
    client: reqwest::Client,
    url: String,
}

/// A plan that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptimizeError {
    /// The planner failed.
    #[error("planning failed: {0}")]
    Failed(String),
    /// The optimizer did not answer, or not with a plan.
    #[error("optimizer {url}: {what}")]
    Remote {
        /// Where it was asked.
        url: String,
        /// What went wrong.
        what: String,
    },
}

/// Where servers are to run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Solution {
    /// By server. The optimizer leaves out whom it does not place.
    pub placed: BTreeMap<String, Placed>,
    /// What is known of it: optimal, feasible, infeasible, unknown.
    pub status: String,
    /// Whether every server gets all that it needs.
    pub serves_all: bool,
    /// Absolute gap between what was minimised and its proven bound, cents per hour, where one is
    /// known.
    pub gap: Option<f64>,
    /// Why not all are served.
    pub reasons: Vec<String>,
}

/// Where a server is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Accelerator; `None` where it gets none.
    pub accelerator: Option<String>,
    /// Replicas.
    pub replicas: u32,
    /// Requests that a replica batches at most.
    pub max_batch: u32,
    /// Cents per hour.
    pub cost: f64,
    /// Share of its load that is served within its objectives.
    pub served: f64,
}

impl Optimizer {
    /// Plans a scenario; to be called on a thread that may block. `spent` is what planning took in this
    /// cycle before: half of what is left is for this plan, so that there is always some for the next.
    ///
    /// # Errors
    /// [`OptimizeError`].
    pub fn solve(
        &self,
        scenario: Scenario,
        data: &StaticData,
        spent: Duration,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Solution, OptimizeError> {
        match self {
            Self::Local(planner, limit) => {
                let left = limit.saturating_sub(spent).max(*limit / 16);
                local(planner, left / 2, scenario)
            }
            Self::Remote(remote) => {
                let sections = data.sections.as_ref();
                runtime.block_on(remote.solve(sections, &scenario))
            }
        }
    }
}

fn local(
    planner: &Planner,
    limit: Duration,
    scenario: Scenario,
) -> Result<Solution, OptimizeError> {
    let until = Until { limit: Some(limit), ..Until::default() };
    let planned =
        planner.plan(scenario, &until).map_err(|e| OptimizeError::Failed(e.to_string()))?;
    Ok(solution(&planned))
}

fn solution(planned: &Planned) -> Solution {
    let Planned { fleet, plan, status, reasons, .. } = planned;
    let scenario = &fleet.scenario;
    let placed = scenario.servers.iter().zip(&plan.placements).map(|(server, placement)| {
        let part = placement.parts.first();
        let placed = Placed {
            accelerator: part.map(|p| scenario.accelerators[p.accelerator].name.clone()),
            replicas: u32::try_from(placement.replicas()).unwrap_or(u32::MAX),
            max_batch: part.map_or(0, |p| p.batch),
            cost: placement.cost(),
            served: placement.served_share,
        };
        (server.name.clone(), placed)
    });
    let gap = Some(plan.objective - plan.bound).filter(|gap| gap.is_finite());
    Solution {
        placed: if plan.has_plan() { placed.collect() } else { BTreeMap::new() },
        status: status.word().to_owned(),
        serves_all: *status != Status::Infeasible && plan.serves_all(),
        gap: gap.map(|gap| gap.max(0.0)),
        reasons: reasons.clone(),
    }
}

/// An `AllocationSolution`, of which ours says more than the reference's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    allocations: BTreeMap<String, Allocated>,
    status: Option<String>,
    objective: Option<f64>,
    bound: Option<f64>,
    #[serde(default)]
    reasons: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocated {
    #[serde(flatten)]
    data: AllocationData,
    served_share: Option<f64>,
}

impl Remote {
    /// An optimizer at a base URL, e.g. `http://localhost:8080`.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, OptimizeError> {
        // A second provider cannot be installed; the first is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(timeout).build();
        let url = format!("{}/optimizeOne", url.trim_end_matches('/'));
        match client {
            Ok(client) => Ok(Self { client, url }),
            Err(error) => Err(OptimizeError::Remote { url, what: describe(&error) }),
        }
    }

    async fn solve(
        &self,
        sections: Option<&Sections>,
        scenario: &Scenario,
    ) -> Result<Solution, OptimizeError> {
        let failed = |what: String| OptimizeError::Remote { url: self.url.clone(), what };
        let Some(sections) = sections else {
            return Err(failed(
                "it cannot be sent the static data, which was read without".to_owned(),
            ));
        };
        let response = self.client.post(&self.url).json(&sections.system(scenario)).send().await;
        let response = response.map_err(|e| failed(describe(&e)))?;
        let status = response.status();
        let text = response.text().await.map_err(|e| failed(describe(&e)))?;
        if !status.is_success() {
            let start: String = text.chars().take(400).collect();
            return Err(failed(format!("status {}: {start}", status.as_u16())));
        }
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|e| failed(format!("an answer that is no allocation solution: {e}")))?;
        Ok(Solution::from(answer))
    }
}

impl From<Answer> for Solution {
    fn from(answer: Answer) -> Self {
        let share = |a: &Allocated| a.served_share.unwrap_or(1.0);
        let served = answer.allocations.values().all(|a| share(a) >= 1.0 - 1e-9);
        let status = answer.status.unwrap_or_else(|| "unproven".to_owned());
        let placed = answer.allocations.into_iter().map(|(server, allocated)| {
            let served = share(&allocated);
            let data = allocated.data;
            let placed = Placed {
                accelerator: Some(data.accelerator).filter(|a| !a.is_empty()),
                replicas: data.num_replicas,
                max_batch: data.max_batch,
                cost: data.cost,
                served,
            };
            (server, placed)
        });
        let gap = answer.objective.zip(answer.bound).map(|(objective, bound)| objective - bound);
        Self {
            placed: placed.collect(),
            serves_all: served && status != "infeasible",
            status,
            gap: gap.filter(|g| g.is_finite()).map(|g| g.max(0.0)),
            reasons: answer.reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_answer_and_ours_are_read() {
        let text = r#"{"allocations": {"a": {"accelerator": "A100", "numReplicas": 2, "maxBatch": 16,
            "cost": 80, "itlAverage": 9.1, "ttftAverage": 20, "load": {"arrivalRate": 60}}}}"#;
        let solution = Solution::from(serde_json::from_str::<Answer>(text).unwrap());
        assert_eq!((solution.serves_all, solution.status.as_str()), (true, "unproven"));
        assert_eq!(solution.placed["a"].replicas, 2);
        let ours = r#"{"allocations": {"a": {"accelerator": "", "numReplicas": 0, "servedShare": 0.0}},
            "status": "infeasible", "objective": 5, "bound": 4, "reasons": ["too few cards"]}"#;
        let solution = Solution::from(serde_json::from_str::<Answer>(ours).unwrap());
        assert!(!solution.serves_all);
        assert_eq!((solution.gap, solution.placed["a"].accelerator.clone()), (Some(1.0), None));
    }
}
