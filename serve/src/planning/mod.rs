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

use isocost_model::Scenario;
use isocost_model::candidates::{SizingOptions, Sizings};
use isocost_model::export::Export;
use isocost_model::plan::{Plan, Status};
use isocost_model::queue::stop::{Stop, Stopped, within};
use isocost_model::stress::add_headroom;
use isocost_planner::explain::Effort;
use isocost_planner::{
    ExplainError, Explanation, Fleet, Formulation, PlanError, Request, Shortage,
};
use isocost_solver::{Backend, Interrupt};
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::runtime::blocking;
use metrics::Metrics;

/// Sizings kept over requests at most, a quarter of a kilobyte each.
const SIZINGS: usize = 100_000;

/// How plans are made.
#[derive(Clone)]
pub struct Options {
    /// How replicas are sized.
    pub sizing: SizingOptions,
    /// Formulation, limits, objective, gap, threads; its interrupt is not looked at.
    pub request: Request,
    /// Take, give and do what the reference's optimizer does: for its clients.
    pub compatible: bool,
}

impl Default for Options {
    fn default() -> Self {
        let request = Request { shortage: Shortage::Scenario, ..Request::default() };
        Self { sizing: SizingOptions::default(), request, compatible: false }
    }
}

impl Options {
    /// The same for the reference's clients: its sizing, and the least value of the change.
    pub fn compatible(self) -> Self {
        let engine = self.sizing.engine;
        let sizing = SizingOptions { engine, ..SizingOptions::reference() };
        let mut request = self.request;
        request.problem.transition = true;
        Self { sizing, request, compatible: true }
    }
}

/// Makes plans, and remembers sizings.
pub struct Planner {
    options: Options,
    backend: Arc<dyn Backend>,
    sizings: RwLock<Arc<Sizings>>,
    most_sizings: usize,
    places: Arc<Semaphore>,
    aside: Arc<Semaphore>,
    metrics: Metrics,
}

/// What work is, and so which place it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A plan: as many at a time as there are processors.
    Plan,
    /// What is asked beside plans, which it never keeps waiting: one at a time.
    Aside,
}

/// A plan with what it was made from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The scenario, sized.
    pub fleet: Fleet,
    /// What is to be carried out: all servers, or as many as can be served.
    pub plan: Plan,
    /// What is known of serving every server: infeasible with a plan is a partial plan.
    pub status: Status,
    /// Why not every server is served.
    pub reasons: Vec<String>,
    /// Seconds in the formulation and its backend.
    pub solving_s: f64,
}

impl Planned {
    /// What exports take.
    pub fn export(&self) -> Export<'_> {
        self.fleet.export(&self.plan, self.solving_s)
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
            backend: backend.into(),
            sizings: RwLock::default(),
            most_sizings: SIZINGS,
            places: Arc::new(Semaphore::new(places)),
            aside: Arc::new(Semaphore::new(1)),
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
        let mut planner = self.until(until);
        let asked = planner.request.clone();
        if self.options.compatible {
            planner.request.shortage = Shortage::Say;
        }
        let fleet = planner.fleet(scenario);
        self.forget(&planner.sizings);
        let start = Instant::now();
        let mut plan = planner.plan(&fleet)?;
        if self.options.compatible && !plan.has_plan() {
            plan = as_there(&mut planner, &fleet, asked)?;
        }
        add_headroom(&fleet.scenario, &planner.sizing, &mut plan);
        let solving_s = start.elapsed().as_secs_f64();
        // By policy alone where the whole was excluded.
        let status = if plan.approach.shortage { Status::Infeasible } else { plan.status };
        let mut planned = Planned { fleet, plan, status, reasons: Vec::new(), solving_s };
        if status == Status::Infeasible {
            planned.reasons = match self.options.compatible {
                true => planner.unserved(&planned.fleet),
                false => reasons(planner, &planned)?,
            };
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
        let mut planner = self.until(until);
        planner.request.shortage = Shortage::Say;
        let few = planned.fleet.scenario.servers.len() <= 100;
        let effort = Effort { options: usize::from(few), ..Effort::default() };
        match planner.explain(&planned.fleet, &whole(planned), effort) {
            Ok(explanation) => Ok(Some(explanation)),
            Err(ExplainError::Greedy) => Ok(None),
            Err(ExplainError::Solver(error)) => Err(error.into()),
        }
    }

    /// Does work that takes a processor: on a thread that may block, once it has its place. Where nobody waits for
    /// it any more, the interrupt that it is given is raised; from then on, and past `until`, its passes stop.
    ///
    /// # Errors
    /// [`Stopped`]: time was up.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        place: Place,
        until: Instant,
        work: impl FnOnce(&Self, Interrupt) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let places = match place {
            Place::Plan => &self.places,
            Place::Aside => &self.aside,
        };
        // The semaphores are never closed.
        let place = Arc::clone(places).acquire_owned().await.ok();
        let raised = Raised(Interrupt::default());
        let (planner, interrupt) = (Arc::clone(self), raised.0.clone());
        let seen = raised.0.clone();
        let stop = Stop::new(move || seen.is_raised() || Instant::now() >= until);
        blocking(move || {
            let _place = place;
            let done = within(&stop, || work(&planner, interrupt));
            if done.is_err() {
                planner.metrics.stopped();
            }
            done
        })
        .await
    }

    /// The planner with what limits one plan.
    fn until(&self, until: &Until) -> isocost_planner::Planner {
        let Options { sizing, mut request, .. } = self.options.clone();
        let limits = [request.solve.time_limit, until.limit];
        request.solve.time_limit = limits.into_iter().flatten().min();
        request.solve.interrupt = until.interrupt.clone();
        let sizings = self.sizings.read().unwrap_or_else(PoisonError::into_inner).clone();
        isocost_planner::Planner { sizing, request, backend: Arc::clone(&self.backend), sizings }
    }

    /// Forgets the sizings once they are too many.
    fn forget(&self, sizings: &Sizings) {
        let mut kept = sizings.len();
        if kept > self.most_sizings {
            *self.sizings.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
            kept = 0;
        }
        self.metrics.sizings(kept);
    }
}

/// What the reference makes of a fleet that cannot be served as a whole: its heuristic shares out what there is, in
/// the time that its clients are used to. Where that breaks a rule that the reference does not know, the exact way
/// does, as it was `asked`.
fn as_there(
    planner: &mut isocost_planner::Planner,
    fleet: &Fleet,
    asked: Request,
) -> Result<Plan, PlanError> {
    planner.request.formulation = Formulation::GREEDY;
    planner.request.shortage = Shortage::Scenario;
    let shared = planner.plan(fleet);
    let plan = match shared {
        Err(PlanError::Rules(_)) => {
            planner.request = Request { shortage: Shortage::Scenario, ..asked };
            planner.plan(fleet)?
        }
        shared => shared?,
    };
    // Whether it is excluded or was not found in time, not everyone is served.
    Ok(Plan { status: Status::Infeasible, ..plan })
}

/// Why not every server is served.
fn reasons(
    mut planner: isocost_planner::Planner,
    planned: &Planned,
) -> Result<Vec<String>, PlanError> {
    let mut reasons = planner.unserved(&planned.fleet);
    if reasons.is_empty() {
        planner.request.shortage = Shortage::Say;
        reasons.extend(planner.reason(&planned.fleet, &whole(planned))?);
    }
    Ok(reasons)
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
