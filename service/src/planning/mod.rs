//! From a scenario to a checked plan, for services: the same way for a request and for a cycle of the control
//! loop.
//!
//! ```text
//! Scenario -> Candidates (sizings shared over requests) -> Choice -> Plan -> check -> Planned
//! ```
//!
//! Where not every server can be served, that is the answer, with the reason and the best partial plan:
//! a fleet is never left as it is for want of a whole one.

mod metrics;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use isocost_formulations::explain::{self, Explanation, Subject, reason};
use isocost_formulations::planner::{self, Formulation, PlanError, Request};
use isocost_formulations::shortage::Policy;
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions, Sizings};
use isocost_model::export::{Export, Timing};
use isocost_model::plan::{Plan, Status};
use isocost_solver::{Backend, Interrupt};
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use metrics::Metrics;

/// Sizings kept over requests at most, a quarter of a kilobyte each.
const SIZINGS: usize = 100_000;

/// How plans are made.
#[derive(Clone, Default)]
pub struct Options {
    /// How replicas are sized.
    pub sizing: SizingOptions,
    /// Formulation, limits, objective, gap, threads; its shortage policy and interrupt are not looked at.
    pub request: Request,
    /// What to do when not every server can be served.
    pub shortage: Shortage,
}

/// What to do when not every server can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shortage {
    /// Say so, and why.
    Say,
    /// Serve as the scenario's saturation policy has it.
    #[default]
    Scenario,
    /// Serve by a policy, which is mixed where the formulation is.
    By(Policy),
}

/// Makes plans, and remembers sizings.
pub struct Planner {
    options: Options,
    backend: Box<dyn Backend>,
    sizings: RwLock<Arc<Sizings>>,
    most_sizings: usize,
    places: Arc<Semaphore>,
    metrics: Metrics,
}

/// A plan with what it was made from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The scenario.
    pub scenario: Scenario,
    /// Its candidates.
    pub candidates: Candidates,
    /// What is to be carried out: all servers, or as many as can be served.
    pub plan: Plan,
    /// What is known of serving every server: infeasible with a plan is a partial plan.
    pub status: Status,
    /// Why not every server is served.
    pub reasons: Vec<String>,
    /// Seconds spent.
    pub timing: Timing,
}

impl Planned {
    /// What exports take.
    pub fn export(&self) -> Export<'_> {
        let Self { scenario, candidates, plan, timing, .. } = self;
        Export { scenario, candidates, plan, timing: *timing }
    }

    /// Whether the plan serves a part of the load alone.
    pub fn is_partial(&self) -> bool {
        self.status == Status::Infeasible && self.plan.has_plan()
    }
}

/// When a plan has to be there, and what stops it before.
#[derive(Debug, Clone, Default)]
pub struct Until {
    /// Longest that planning may take; the plan is then the best so far.
    pub limit: Option<Duration>,
    /// Raised where nobody waits any more.
    pub interrupt: Interrupt,
}

impl Planner {
    /// A planner on a backend; it registers its metrics.
    pub fn new(options: Options, backend: Box<dyn Backend>, registry: &mut Registry) -> Self {
        let places = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            options,
            backend,
            sizings: RwLock::default(),
            most_sizings: SIZINGS,
            places: Arc::new(Semaphore::new(places)),
            metrics: Metrics::new(registry),
        }
    }

    /// How it plans.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Plans a scenario on this thread.
    ///
    /// # Errors
    /// [`PlanError`]: a failure of the backend, or a defect of this program.
    pub fn plan(&self, scenario: Scenario, until: &Until) -> Result<Planned, PlanError> {
        let _solving = self.metrics.begin();
        let start = Instant::now();
        let candidates = self.size(&scenario);
        let sizing_s = start.elapsed().as_secs_f64();
        let request = self.request(&scenario, until);
        let (sizing, backend) = (&self.options.sizing, &*self.backend);
        let problem = Problem::new(&scenario, &candidates, &request.problem);
        let start = Instant::now();
        let choice = planner::choose(&scenario, &candidates, &problem, &request, backend)?;
        let timing = Timing { sizing_s, solving_s: start.elapsed().as_secs_f64() };
        // By policy alone where the whole was excluded.
        let short = choice.formulation.starts_with("shortage");
        let plan = planner::checked(&scenario, &candidates, sizing, &request, choice)?;
        let status = if short { Status::Infeasible } else { plan.status };
        let reasons = Vec::new();
        let mut planned = Planned { scenario, candidates, plan, status, reasons, timing };
        if status == Status::Infeasible {
            planned.reasons = self.reasons(&planned, &request)?;
        }
        self.metrics.planned(&planned, until.interrupt.is_raised());
        Ok(planned)
    }

    /// Why a plan is as it is, or what stands in its way; `None` of a heuristic's plan, which proves
    /// nothing.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn explain(
        &self,
        planned: &Planned,
        until: &Until,
    ) -> Result<Option<Explanation>, PlanError> {
        let request = Request { shortage: None, ..self.request(&planned.scenario, until) };
        let whole = whole(planned);
        let subject = self.subject(planned, &request, &whole);
        let effort = explain::Effort {
            options: if planned.scenario.servers.len() <= 100 { 1 } else { 0 },
            ..explain::Effort::default()
        };
        match explain::explain(subject, effort, &*self.backend) {
            Ok(explanation) => Ok(Some(explanation)),
            Err(explain::ExplainError::Greedy) => Ok(None),
            Err(explain::ExplainError::Solver(error)) => Err(error.into()),
        }
    }

    /// Does work that takes a processor: on a thread that may block, as many at a time as there are
    /// processors. Where nobody waits for it any more, the interrupt that it is given is raised.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, Interrupt) -> T + Send + 'static,
    ) -> T {
        // The semaphore is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let raised = Raised(Interrupt::default());
        let (planner, interrupt) = (Arc::clone(self), raised.0.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&planner, interrupt)
        });
        done.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => unreachable!("blocking work is never cancelled: {error}"),
        })
    }

    fn size(&self, scenario: &Scenario) -> Candidates {
        let sizings = self.sizings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let candidates = Candidates::build_with(scenario, &self.options.sizing, &sizings);
        let mut kept = sizings.len();
        if kept > self.most_sizings {
            *self.sizings.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
            kept = 0;
        }
        self.metrics.sizings(kept);
        candidates
    }

    /// What is asked of the planner for a scenario.
    fn request(&self, scenario: &Scenario, until: &Until) -> Request {
        let Options { request, shortage, .. } = &self.options;
        let mut request = request.clone();
        let formulation = request.formulation.resolve(scenario);
        let mixed = matches!(formulation, Formulation::Mixed | Formulation::Compact);
        request.shortage = match shortage {
            Shortage::Say => None,
            Shortage::Scenario => Some(Policy { mixed, ..planner::policy_of(scenario) }),
            Shortage::By(policy) => Some(Policy { mixed, ..*policy }),
        };
        request.problem = ProblemOptions {
            unlimited: request.problem.unlimited || scenario.optimizer.unlimited,
            ..request.problem
        };
        let limits = [request.solve.time_limit, until.limit];
        request.solve.time_limit = limits.into_iter().flatten().min();
        request.solve.interrupt = until.interrupt.clone();
        request
    }

    fn subject<'a>(
        &'a self,
        planned: &'a Planned,
        request: &'a Request,
        plan: &'a Plan,
    ) -> Subject<'a> {
        let Planned { scenario, candidates, .. } = planned;
        Subject { scenario, sizing: &self.options.sizing, candidates, request, plan }
    }

    fn reasons(&self, planned: &Planned, request: &Request) -> Result<Vec<String>, PlanError> {
        let mut reasons = planner::unserved(&planned.scenario, &planned.candidates);
        if reasons.is_empty() {
            let request = Request { shortage: None, ..request.clone() };
            let whole = whole(planned);
            reasons.extend(reason(self.subject(planned, &request, &whole), &*self.backend)?);
        }
        Ok(reasons)
    }
}

/// What is known of serving every server.
fn whole(planned: &Planned) -> Plan {
    Plan { status: planned.status, ..planned.plan.clone() }
}

/// Raises an interrupt when it is dropped.
struct Raised(Interrupt);

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.raise();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn sizings_are_kept_over_plans_up_to_a_number_and_change_nothing() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart");
        let scenario = isocost_model::input::load(&path).expect("the example is sound").scenario;
        let backend = isocost_solver::default_backend().expect("a backend is built in");
        let mut planner = Planner::new(Options::default(), backend, &mut Registry::default());
        let kept = |planner: &Planner| planner.sizings.read().expect("no panic").len();
        let plan = |planner: &Planner| {
            planner.plan(scenario.clone(), &Until::default()).expect("a plan").plan
        };
        let first = plan(&planner);
        let sizings = kept(&planner);
        assert!(sizings > 0);
        assert_eq!(plan(&planner).placements, first.placements);
        assert_eq!(kept(&planner), sizings, "nothing is sized twice");
        planner.most_sizings = sizings - 1;
        assert_eq!(plan(&planner).placements, first.placements);
        assert_eq!(kept(&planner), 0, "above the number they are made anew");
    }
}
