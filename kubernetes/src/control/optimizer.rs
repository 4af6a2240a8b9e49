//! Who plans: the planner in this process, or an optimizer over HTTP, as the reference deploys it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isocost_formulations::ProblemOptions;
use isocost_model::Scenario;
use isocost_model::candidates::SizingOptions;
use isocost_model::plan::{Placement, Status};
use isocost_planner::{Formulation, Request, Shortage};
use isocost_solver::SolveOptions;

use super::data::StaticData;
use super::remote::Remote;
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
        ..Options::default()
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

/// A plan that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptimizeError {
    /// The planner failed.
    #[error("planning failed: {0}")]
    Failed(String),
    /// The optimizer did not answer, or not with a plan that may be carried out.
    #[error("optimizer {url}: {what}; nothing is changed")]
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
                runtime.block_on(remote.solve(sections, scenario))
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
    let placed = scenario.servers.iter().zip(&plan.placements);
    let placed =
        placed.map(|(server, placement)| (server.name.clone(), placement_of(scenario, placement)));
    let gap = Some(plan.objective - plan.bound).filter(|gap| gap.is_finite());
    Solution {
        placed: if plan.has_plan() { placed.collect() } else { BTreeMap::new() },
        status: status.word().to_owned(),
        serves_all: *status != Status::Infeasible && plan.serves_all(),
        gap: gap.map(|gap| gap.max(0.0)),
        reasons: reasons.clone(),
    }
}

/// Where a placement puts its server.
pub fn placement_of(scenario: &Scenario, placement: &Placement) -> Placed {
    let part = placement.parts.first();
    Placed {
        accelerator: part.map(|p| scenario.accelerators[p.accelerator].name.clone()),
        replicas: u32::try_from(placement.replicas()).unwrap_or(u32::MAX),
        max_batch: part.map_or(0, |p| p.batch),
        cost: placement.cost(),
        served: placement.served_share,
    }
}
