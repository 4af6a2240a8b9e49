//! The one way from a scenario to a plan.
//!
//! ```text
//! Scenario -> Fleet (sized) -> Choice (a formulation's) -> Plan -> check -> handed out
//! ```
//!
//! A [`Planner`] holds how: how replicas are sized, what is asked, who solves, and the sizings made so
//! far. Whoever plans, a command, a service, a sweep, goes through it, so that no plan leaves without
//! the checker's word.
//!
//! ```
//! # #[cfg(any(feature = "highs", feature = "microlp"))] {
//! use isocost_planner::{Planner, Request};
//!
//! let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart");
//! let scenario = isocost_model::input::load(&path).unwrap().scenario;
//! let planner = Planner::new(isocost_solver::default_backend().unwrap());
//! let fleet = planner.fleet(scenario);
//! let plan = planner.plan(&fleet).unwrap();
//! assert_eq!(plan.bound, plan.total_cost);
//! # }
//! ```

mod assumed;
pub mod certify;
mod choose;
pub mod explain;
mod fleet;
mod given;
pub mod purchase;
mod request;
pub mod sharing;

use std::sync::Arc;

use isocost_formulations::problem::Problem;
use isocost_formulations::program::Program;
use isocost_formulations::shortage::Effort;
use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions, Sizings};
use isocost_model::check::{CheckOptions, Sharing, Violation, check};
use isocost_model::plan::{Choice, Method, Plan};
use isocost_model::trust::{CostRange, End, Trust, at_end};
use isocost_solver::{Backend, SolverError};

pub use choose::exact;
pub use explain::{ExplainError, Explanation};
pub use fleet::Fleet;
pub use given::GivenError;
pub use request::{Formulation, Request, Shortage};

/// Makes plans. A clone shares the backend and the sizings.
#[derive(Clone)]
pub struct Planner {
    /// How replicas are sized.
    pub sizing: SizingOptions,
    /// What is asked.
    pub request: Request,
    /// Who solves.
    pub backend: Arc<dyn Backend>,
    /// Sizings made so far: what does not hang on loads, prices and counts is sized once.
    pub sizings: Arc<Sizings>,
}

/// A plan that cannot be handed out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The backend failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// The plan breaks rules: a defect of this program, never of the input.
    #[error("the plan breaks its own rules and is withheld:\n{}", lines(.0))]
    Rules(Vec<Violation>),
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Planner {
    /// A planner by the defaults.
    pub fn new(backend: Box<dyn Backend>) -> Self {
        Self {
            sizing: SizingOptions::default(),
            request: Request::default(),
            backend: backend.into(),
            sizings: Arc::default(),
        }
    }

    /// Sizes a scenario, with the margin that is asked for. Where servers may share replicas it is decided
    /// who does, and the fleet is that of the servers that are left.
    pub fn fleet(&self, scenario: Scenario) -> Fleet {
        let margin = self.request.margin;
        let up = (!margin.is_none()).then(|| margin.apply(&scenario, self.sizing.reading));
        // A backend that fails here fails whoever plans the fleet too, who is told.
        let shared = self.share(up.as_ref().unwrap_or(&scenario)).ok().flatten();
        match shared {
            Some(shared) => self.fleet_of(scenario, shared),
            None => self.apart(scenario),
        }
    }

    /// Sizes a scenario in which nobody shares replicas.
    pub fn apart(&self, scenario: Scenario) -> Fleet {
        Fleet::new(scenario, self.request.margin, &self.sizing, &self.sizings)
    }

    /// The numbers of the planning problem.
    pub fn problem(&self, fleet: &Fleet) -> Problem {
        let scenario = fleet.planned_for();
        Problem::new(scenario, &fleet.candidates, &self.request.options(scenario))
    }

    /// The program that states the problem, as an outside solver gets it.
    pub fn program(&self, fleet: &Fleet) -> Program {
        let scenario = fleet.planned_for();
        let shape = self.request.formulation.shape(scenario);
        let problem = self.problem(fleet).with_purchases(shape);
        choose::program(&problem, shape, &self.request.options(scenario))
    }

    /// The cheapest plan, checked, as it runs under the stated loads and service times.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn plan(&self, fleet: &Fleet) -> Result<Plan, PlanError> {
        let choice = self.choose(fleet, &self.problem(fleet))?;
        self.checked(fleet, choice)
    }

    /// The cheapest choice, with notes that say how it was found and what stands in its way.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn choose(&self, fleet: &Fleet, problem: &Problem) -> Result<Choice, SolverError> {
        let choice = choose::choose(fleet, problem, &self.request, &*self.backend)?;
        Ok(sharing::over_decisions(fleet, choice))
    }

    /// The cheapest choice that serves all, by patterns, and what proves its bound, as
    /// `isocost-verify` reads it; no text where nothing was proven, `None` where another method is asked
    /// for.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn proven(
        &self,
        fleet: &Fleet,
        problem: &Problem,
    ) -> Result<Option<(Choice, Option<String>)>, SolverError> {
        let proven = choose::proven(fleet.planned_for(), problem, &self.request, &*self.backend)?;
        Ok(proven.map(|(choice, proof)| (sharing::over_decisions(fleet, choice), proof)))
    }

    /// Servers that no plan serves, however many cards there are, each with what stands against it.
    pub fn unserved(&self, fleet: &Fleet) -> Vec<String> {
        choose::unserved(fleet, &self.problem(fleet), &self.request)
    }

    /// The plan of a choice, once the checker finds nothing against it, as it runs under the stated
    /// loads and service times.
    ///
    /// # Errors
    /// [`PlanError::Rules`].
    pub fn checked(&self, fleet: &Fleet, choice: Choice) -> Result<Plan, PlanError> {
        let Fleet { candidates, margin, .. } = fleet;
        let scenario = fleet.planned_for();
        let options = self.request.options(scenario);
        // The heuristic shares what there is without a word of it.
        let by_greedy = choice.approach.method == Method::Greedy;
        let partial =
            choice.approach.shortage || (by_greedy && self.request.policy(scenario).is_some());
        // A plan that was given is held against limits and objectives, not against what it was made for.
        let given = choice.approach.method == Method::Given;
        let policy = self.request.policy(scenario).filter(|_| !given);
        let mut plan = Plan::new(scenario, candidates, &self.sizing, options.unlimited, choice);
        plan.notes.extend(assumed::notes(scenario, &self.sizing, &plan));
        plan.sharing = sharing::told(fleet, &plan);
        plan.notes.extend(sharing::notes(fleet, &plan));
        let rules = CheckOptions {
            unlimited: options.unlimited,
            partial,
            policy: policy.map(|p| Sharing { whole: p.effort == Effort::Whole, mixed: p.mixed }),
            transition: options.transition && !given,
            max_moves: options.max_moves.filter(|_| !given),
        };
        let violations = check(scenario, &self.sizing, &rules, &plan);
        if !violations.is_empty() {
            return Err(PlanError::Rules(violations));
        }
        if margin.is_none() {
            return Ok(plan);
        }
        let mut plan = margin.relax(&fleet.scenario, &self.sizing, &plan);
        plan.notes.push(format!(
            "planned for loads x {} and service times x {}; figures are those at the stated ones",
            margin.load, margin.service
        ));
        Ok(plan)
    }

    /// What planning costs at the ends of the calibration's region; `None` where no profile carries
    /// one.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn cost_range(&self, fleet: &Fleet) -> Result<Option<CostRange>, PlanError> {
        let Some(level) = Trust::of(&fleet.scenario).level else { return Ok(None) };
        let optimistic = self.cost_at(fleet, End::Optimistic)?;
        let pessimistic = self.cost_at(fleet, End::Pessimistic)?;
        Ok(Some(CostRange { level, optimistic, pessimistic }))
    }

    /// What the plan costs where every calibrated profile is at an end of its region, cents per
    /// hour; `None` where no plan that serves all was found there, or no profile has a region.
    fn cost_at(&self, fleet: &Fleet, end: End) -> Result<Option<f64>, PlanError> {
        let stated = fleet.shared.as_ref().map_or(&fleet.scenario, |shared| &shared.stated);
        let Some(scenario) = at_end(stated, end) else { return Ok(None) };
        let mut planner = self.clone();
        // A trace is that of the plan alone.
        planner.request.solve.progress = None;
        planner.request.margin = fleet.margin;
        let plan = planner.plan(&planner.fleet(scenario))?;
        Ok(plan.serves_all().then_some(plan.total_cost))
    }

    /// Why a plan is as it is, and what would change it.
    ///
    /// # Errors
    /// [`ExplainError`].
    pub fn explain(
        &self,
        fleet: &Fleet,
        plan: &Plan,
        effort: explain::Effort,
    ) -> Result<Explanation, ExplainError> {
        explain::explain(self.subject(fleet, plan), effort, &*self.backend)
    }

    /// Why there is no plan, in one sentence, where that is found in about two seconds.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn reason(&self, fleet: &Fleet, plan: &Plan) -> Result<Option<String>, SolverError> {
        explain::reason(self.subject(fleet, plan), &*self.backend)
    }

    fn subject<'a>(&'a self, fleet: &'a Fleet, plan: &'a Plan) -> explain::Subject<'a> {
        explain::Subject {
            scenario: fleet.planned_for(),
            sizing: &self.sizing,
            candidates: &fleet.candidates,
            request: &self.request,
            plan,
        }
    }

    /// Candidates of a scenario that is no fleet to plan, such as one with an objective relaxed.
    pub fn candidates(&self, scenario: &Scenario) -> Candidates {
        Candidates::build_with(scenario, &self.sizing, &self.sizings)
    }
}
