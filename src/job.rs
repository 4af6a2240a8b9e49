//! What the commands that plan have in common: the scenario as it was asked for, sized, and the
//! request to the planner.

use std::time::Instant;

use isocost_formulations::pattern::Devices;
use isocost_formulations::planner::{self, Request};
use isocost_formulations::shortage::{Effort, Policy};
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::input::{self, Loaded};
use isocost_model::plan::{Choice, Plan};
use isocost_model::stress::Margin;
use isocost_model::trust::{End, at_end};
use isocost_solver::{Backend, Interrupt, SolveOptions, backend, default_backend};

use crate::Failure;
use crate::args::{ScenarioArgs, Shortage, SizingArgs, SolveArgs};
use crate::output::style::{Spinner, warning};

/// A scenario, sized, and what is asked of the planner.
pub struct Job {
    /// The scenario to plan: with the changes that the arguments make to it, and with the margin.
    pub scenario: Scenario,
    /// The same without the margin, where there is one.
    stated: Option<Scenario>,
    /// Factors on loads and service times that are planned for.
    pub margin: Margin,
    /// How its replicas are sized.
    pub sizing: SizingOptions,
    /// Its candidates.
    pub candidates: Candidates,
    /// Seconds that sizing took.
    pub sizing_s: f64,
    /// What is asked of the planner.
    pub request: Request,
    /// Who solves.
    pub backend: Box<dyn Backend>,
}

impl Job {
    /// Loads and sizes; warnings go to standard error.
    pub fn new(
        scenario: &ScenarioArgs,
        sizing: &SizingArgs,
        solve: &SolveArgs,
    ) -> Result<Self, Failure> {
        let (margin, mut scenario) = (scenario.margin.margin(), read(scenario)?);
        let mut stated = None;
        if !margin.is_none() {
            let up = margin.apply(&scenario);
            stated = Some(std::mem::replace(&mut scenario, up));
        }
        let backend = choose_backend(solve)?;
        let sizing = sizing.options();
        let start = Instant::now();
        let candidates = {
            let _spinner = Spinner::start("sizing");
            Candidates::build(&scenario, &sizing)
        };
        let sizing_s = start.elapsed().as_secs_f64();
        let request = request(solve, &scenario);
        Ok(Self { scenario, stated, margin, sizing, candidates, sizing_s, request, backend })
    }

    /// The scenario as the input states it, without the margin.
    pub fn stated(&self) -> &Scenario {
        self.stated.as_ref().unwrap_or(&self.scenario)
    }

    /// The plan of a choice, checked, as it runs under the stated loads and service times.
    pub fn plan(&self, choice: Choice) -> Result<Plan, Failure> {
        let Self { scenario, candidates, sizing, request, margin, .. } = self;
        let plan = planner::checked(scenario, candidates, sizing, request, choice)
            .map_err(Failure::failed)?;
        let Some(stated) = &self.stated else { return Ok(plan) };
        let mut plan = margin.relax(stated, sizing, &plan);
        plan.notes.push(format!(
            "planned for loads x {} and service times x {}; figures are those at the stated ones",
            margin.load, margin.service
        ));
        Ok(plan)
    }

    /// What the plan costs where every calibrated profile is at an end of its region, cents per
    /// hour; `None` where no plan that serves all was found there, or no profile has a region.
    pub fn cost_at(&self, end: End) -> Result<Option<f64>, Failure> {
        let Some(scenario) = at_end(self.stated(), end) else { return Ok(None) };
        let scenario = self.margin.apply(&scenario);
        let candidates = Candidates::build(&scenario, &self.sizing);
        let problem = Problem::new(&scenario, &candidates, &self.request.problem);
        // A trace is that of the plan alone.
        let mut request = self.request.clone();
        request.solve.progress = None;
        let choice = planner::choose(&scenario, &candidates, &problem, &request, &*self.backend)
            .map_err(Failure::failed)?;
        let plan = planner::checked(&scenario, &candidates, &self.sizing, &request, choice)
            .map_err(Failure::failed)?;
        Ok(plan.serves_all().then_some(plan.total_cost))
    }

    /// The numbers of the planning problem.
    pub fn problem(&self) -> Problem {
        Problem::new(&self.scenario, &self.candidates, &self.request.problem)
    }
}

/// The scenario with its loads and capacities as asked for; warnings go to standard error.
pub fn read(args: &ScenarioArgs) -> Result<Scenario, Failure> {
    let Loaded { mut scenario, warnings } = input::load(&args.scenario).map_err(Failure::input)?;
    warnings.iter().for_each(|w| warning(&w.to_string()));
    if let Some(path) = &args.loads {
        let loaded = input::with_loads(scenario, path).map_err(Failure::input)?;
        loaded.warnings.iter().for_each(|w| warning(&w.to_string()));
        scenario = loaded.scenario;
    }
    scenario.card_types.iter_mut().for_each(|card| card.scale(args.capacity_scale));
    Ok(scenario)
}

/// The backend that is asked for.
pub fn choose_backend(args: &SolveArgs) -> Result<Box<dyn Backend>, Failure> {
    let chosen = match &args.backend {
        Some(name) => backend(name),
        None => default_backend(),
    };
    chosen.map_err(Failure::input)
}

/// A flag that Ctrl-C raises.
pub fn interrupt() -> Interrupt {
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    // A second handler cannot be set; then Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || raise.raise());
    interrupt
}

/// What the arguments ask of the planner.
pub fn request(args: &SolveArgs, scenario: &Scenario) -> Request {
    let interrupt = interrupt();
    let mixed = matches!(
        planner::Formulation::from(args.formulation).resolve(scenario),
        planner::Formulation::Mixed | planner::Formulation::Compact
    );
    let policy = |effort| Some(Policy { effort, delayed: args.delayed_best_effort, mixed });
    Request {
        formulation: args.formulation.into(),
        problem: ProblemOptions {
            unlimited: args.unlimited || scenario.optimizer.unlimited,
            transition: args.transition,
            max_moves: args.max_moves,
        },
        shortage: match args.shortage {
            Shortage::None => None,
            Shortage::Whole => policy(Effort::Whole),
            Shortage::Partial => policy(Effort::Exhaustive),
            Shortage::PriorityRoundRobin => policy(Effort::PriorityRoundRobin),
            Shortage::RoundRobin => policy(Effort::RoundRobin),
            Shortage::Scenario => Some(Policy { mixed, ..planner::policy_of(scenario) }),
        },
        solve: SolveOptions {
            time_limit: args.time_limit,
            relative_gap: args.gap,
            threads: args.threads,
            interrupt,
            ..SolveOptions::default()
        },
        devices: Devices { prune: !args.no_prune, ..Devices::default() },
    }
}
