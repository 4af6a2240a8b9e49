//! **explain**: why a plan is as it is, and what would change it.
//!
//! An [`Explanation`] is plain data, names instead of indices, ready for a table, JSON or a report.
//! Each part is one file:
//!
//! | file | question | of |
//! |---|---|---|
//! | [`unmet`] | which servers does no accelerator serve, and how far off is the closest? | any scenario |
//! | [`rule`] | which rule of a server can no plan keep, and what would satisfy it? | an infeasible one |
//! | [`conflict`] | an IIS: which servers and limits cannot go together? | an infeasible one |
//! | [`repair`] | how many more cards, or which servers left out, make it feasible? | an infeasible one |
//! | [`relax`] | which objective, relaxed by how much? | an infeasible one |
//! | [`limits`] | which limits bind, and what is one card more or fewer worth? | a feasible one |
//! | [`entry`] | the break-even price: below which does an unused accelerator enter the plan? | a feasible one |
//! | [`mod@reason`] | why is there no plan, in one sentence? | an infeasible one |
//! | [`regret`] | what would a server's other options cost? | a feasible one |
//!
//! All of it comes from variants of one [`Problem`], each solved by the same formulation as the plan
//! ([`probe`]): a number is [`Known`] exactly where its solves were proven, and between two bounds
//! where one was cut short.

pub mod conflict;
pub mod entry;
pub mod known;
pub mod limits;
pub mod probe;
pub mod reason;
pub mod regret;
pub mod relax;
pub mod repair;
pub mod rule;
pub mod source;
pub mod unmet;
pub mod variant;

mod feasible;
mod infeasible;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::plan::{Method, Plan, Status};
use isocost_solver::{Backend, SolverError};
use serde::Serialize;

pub use entry::BreakEven;
pub use infeasible::{Added, CardRepair, Iis, Left, LimitRepair, Repairs};
pub use known::Known;
pub use limits::{Enough, LimitValue};
pub use probe::{Effort, Probe};
pub use reason::reason;
pub use regret::{Alternative, Chosen, ServerChoice};
pub use relax::{Relaxation, RelaxedLimit};
pub use rule::Rule;
pub use source::{Named, Unit};
pub use unmet::{Miss, Unmet, Why};

use crate::request::Request;
use isocost_formulations::problem::Problem;

/// What is explained.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// How its replicas are sized.
    pub sizing: &'a SizingOptions,
    /// Its candidates.
    pub candidates: &'a Candidates,
    /// What was asked of the planner; its time limit is for the explanation.
    pub request: &'a Request,
    /// The plan, or that there is none.
    pub plan: &'a Plan,
}

/// Why a plan is as it is, and what would change it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Status of the plan: optimal, feasible, infeasible or unknown.
    pub status: &'static str,
    /// How the plan and every variant were stated: single or mixed.
    pub formulation: &'static str,
    /// Servers of the scenario.
    pub servers: usize,
    /// What was minimised, cents/h: the cost, or the change's value.
    pub objective: Known,
    /// Whether that is the change's value, which all that is saved or paid then is too.
    pub transition: bool,
    /// Servers that no accelerator serves.
    pub unmet: Vec<Unmet>,
    /// Whether the servers that can be served at all fit together; `None` where it was not proven.
    pub others_fit: Option<bool>,
    /// Servers and limits that cannot go together.
    pub iis: Option<Iis>,
    /// What would make the servers fit that can be served at all.
    pub repairs: Option<Repairs>,
    /// Every limit, and what it is worth; of a plan.
    pub limits: Vec<LimitValue>,
    /// Accelerators that the plan does not use, and the price that brings them in.
    pub break_even: Vec<BreakEven>,
    /// Every server with load or replicas, and its options.
    pub choices: Vec<ServerChoice>,
    /// What was cut short or left out.
    pub notes: Vec<String>,
    /// Solves that the explanation took.
    pub solves: usize,
}

/// An explanation that cannot be given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExplainError {
    /// The backend failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// The heuristic has nothing to explain.
    #[error(
        "greedy proves nothing, so that there is nothing to explain; \
         choose --formulation single or mixed"
    )]
    Greedy,
}

/// Explains a plan, or why there is none.
///
/// # Errors
/// [`ExplainError`].
pub fn explain(
    subject: Subject<'_>,
    effort: Effort,
    backend: &dyn Backend,
) -> Result<Explanation, ExplainError> {
    let Subject { scenario, candidates, request, plan, .. } = subject;
    if request.formulation.method == Method::Greedy {
        return Err(ExplainError::Greedy);
    }
    let request = &Request { problem: request.options(scenario), ..request.clone() };
    let problem = Problem::new(scenario, candidates, &request.problem);
    let probe = Probe::new(request.formulation.shape(scenario), request, effort, backend);
    let mut explanation = Explanation {
        status: plan.status.word(),
        formulation: probe.shape.word(),
        servers: scenario.servers.len(),
        objective: match plan.status {
            Status::Optimal => Known::exact(plan.objective),
            Status::Infeasible => Known::Infeasible,
            Status::Feasible | Status::Unknown => Known::between(plan.bound, plan.objective),
        },
        transition: request.problem.transition,
        unmet: Vec::new(),
        others_fit: None,
        iis: None,
        repairs: None,
        limits: Vec::new(),
        break_even: Vec::new(),
        choices: Vec::new(),
        notes: Vec::new(),
        solves: 0,
    };
    if plan.has_plan() {
        feasible::explain(&probe, subject, &problem, &mut explanation)?
    } else {
        infeasible::explain(&probe, subject, &problem, &mut explanation)?
    }
    if probe.was_cut() {
        explanation.notes.push(
            "a question took longer than it may: what is open, or between two bounds, was cut short"
                .to_owned(),
        );
    }
    explanation.solves = probe.solves();
    Ok(explanation)
}
