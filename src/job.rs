//! What the commands that plan have in common: a planner as it was asked for, and its fleet.

use std::path::Path;
use std::sync::Arc;

use isocost_catalogue::{Catalogue, odd_prices};
use isocost_formulations::ProblemOptions;
use isocost_model::Scenario;
use isocost_model::export::{Table, loads_table};
use isocost_model::input::reading::name_of;
use isocost_model::input::{self, Loaded, Source};
use isocost_model::scenario::{Budget, Saturation};
use isocost_model::sharing::share_by_model;
use isocost_planner::{Fleet, Planner, Request, Shortage};
use isocost_solver::{Backend, Interrupt, SolveOptions, backend, default_backend};

use crate::args::{self, ScenarioArgs, Share, SizingArgs, SolveArgs};
use crate::output::style::{Spinner, warning};
use crate::{Failure, caller};

/// A planner, and what it plans.
pub struct Job {
    /// How it is planned.
    pub planner: Planner,
    /// The scenario with the changes that the arguments make to it, sized.
    pub fleet: Fleet,
    /// The scenario as it is written, without those changes.
    pub source: Option<Arc<Source>>,
}

impl Job {
    /// Loads and sizes; warnings go to standard error.
    pub fn new(
        scenario: &ScenarioArgs,
        sizing: &SizingArgs,
        solve: &SolveArgs,
    ) -> Result<Self, Failure> {
        let planner = asked(scenario, sizing, solve)?;
        let (stated, source) = stated(&scenario.scenario)?;
        let scenario = changed(stated, scenario)?;
        let _spinner = Spinner::start("sizing");
        let fleet = planner.fleet(scenario);
        Ok(Self { planner, fleet, source })
    }

    /// The same with servers that share replicas as they do in the plan at `path`.
    pub fn of_plan(
        path: &Path,
        scenario: &ScenarioArgs,
        sizing: &SizingArgs,
        solve: &SolveArgs,
    ) -> Result<Self, Failure> {
        let planner = asked(scenario, sizing, solve)?;
        let (stated, source) = stated(&scenario.scenario)?;
        let scenario = changed(stated, scenario)?;
        let saved = input::load_plan(path).map_err(Failure::input)?;
        let _spinner = Spinner::start("sizing");
        let fleet = planner
            .fleet_as(scenario, &saved)
            .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
        Ok(Self { planner, fleet, source })
    }

    /// The scenario as the input states it, without the margin.
    pub fn stated(&self) -> &Scenario {
        &self.fleet.scenario
    }

    /// The loads that are planned for, as a table, where they are not those that are written.
    pub fn other_loads(&self) -> Option<Table> {
        // Servers that share replicas stand elsewhere than they are written: by name both are in one order.
        let by_name = |scenario: &Scenario| {
            let mut table = loads_table(scenario);
            table.rows.sort_by_cached_key(|row| row[0].to_string());
            table
        };
        let written = by_name(&self.source.as_ref()?.load().ok()?.scenario);
        Some(by_name(self.stated())).filter(|planned| *planned != written)
    }
}

/// A planner as the arguments ask for it, those of the scenario too.
fn asked(
    scenario: &ScenarioArgs,
    sizing: &SizingArgs,
    solve: &SolveArgs,
) -> Result<Planner, Failure> {
    let mut planner = planner(sizing, solve)?;
    planner.request.margin = scenario.margin.margin();
    if scenario.budget.is_some() && planner.request.shortage == Shortage::Say {
        planner.request.shortage = MOST_LOAD;
    }
    Ok(planner)
}

/// What a budget of money is spent on: the most load, the highest priority first.
const MOST_LOAD: Shortage =
    Shortage::By { saturation: Saturation::PriorityExhaustive, delayed: false };

/// A planner as the arguments ask for it; Ctrl-C ends its solves.
pub fn planner(sizing: &SizingArgs, solve: &SolveArgs) -> Result<Planner, Failure> {
    let mut planner = Planner::new(choose_backend(solve)?);
    planner.sizing = sizing.options()?;
    planner.request = request(solve);
    planner.request.solve.interrupt = interrupt();
    planner.sizings = caller::sizings().unwrap_or(planner.sizings);
    Ok(planner)
}

/// The scenario with its loads and capacities as asked for; warnings go to standard error.
pub fn read(args: &ScenarioArgs) -> Result<Scenario, Failure> {
    changed(stated(&args.scenario)?.0, args)
}

/// The scenario with what the arguments change in it.
fn changed(mut scenario: Scenario, args: &ScenarioArgs) -> Result<Scenario, Failure> {
    if let Some(path) = &args.loads {
        let loaded = input::with_loads(scenario, path).map_err(Failure::input)?;
        loaded.warnings.iter().for_each(|w| warning(&w.to_string()));
        scenario = loaded.scenario;
    }
    scenario.card_types.iter_mut().for_each(|card| card.scale(args.capacity_scale));
    if args.share == Share::Model {
        share_by_model(&mut scenario);
    }
    if args.disaggregate {
        scenario.servers.iter_mut().for_each(|server| server.disaggregate = true);
    }
    scenario.budgets.extend(args.budget.map(|cents| Budget {
        name: "money".to_owned(),
        cents_per_h: Some(cents),
        ..Budget::default()
    }));
    Ok(scenario)
}

/// The scenario as it is stated, and as it is written: a caller's, else the one at the path; warnings go to
/// standard error.
pub fn stated(path: &Path) -> Result<(Scenario, Option<Arc<Source>>), Failure> {
    if let Some(given) = caller::scenario(path) {
        return Ok((Arc::unwrap_or_clone(given.scenario), Some(given.source)));
    }
    let (Loaded { scenario, warnings }, source) =
        isocost_spreadsheet::load(path).map_err(Failure::input)?;
    warnings.iter().for_each(|w| warning(&w.to_string()));
    let name = name_of(path);
    for odd in odd_prices(&scenario, &Catalogue::builtin()) {
        warning(&format!("{name}: {odd}"));
    }
    Ok((scenario, Some(Arc::new(source))))
}

/// The backend that is asked for.
pub fn choose_backend(args: &SolveArgs) -> Result<Box<dyn Backend>, Failure> {
    let chosen = match &args.backend {
        Some(name) => backend(name),
        None => default_backend(),
    };
    chosen.map_err(Failure::input)
}

/// A flag that Ctrl-C raises, or a caller.
pub fn interrupt() -> Interrupt {
    if let Some(interrupt) = caller::interrupt() {
        return interrupt;
    }
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    // A second handler cannot be set; then Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || raise.raise());
    interrupt
}

/// What the arguments ask of a planner.
pub fn request(args: &SolveArgs) -> Request {
    let by = |saturation| Shortage::By { saturation, delayed: args.delayed_best_effort };
    Request {
        formulation: args.formulation.into(),
        problem: ProblemOptions {
            unlimited: args.unlimited,
            transition: args.transition,
            max_moves: args.max_moves,
        },
        shortage: match args.shortage {
            args::Shortage::None => Shortage::Say,
            args::Shortage::Whole => by(Saturation::None),
            args::Shortage::Partial => by(Saturation::PriorityExhaustive),
            args::Shortage::PriorityRoundRobin => by(Saturation::PriorityRoundRobin),
            args::Shortage::RoundRobin => by(Saturation::RoundRobin),
            args::Shortage::Scenario => Shortage::Scenario,
        },
        solve: SolveOptions {
            time_limit: args.time_limit,
            relative_gap: args.gap,
            threads: args.threads,
            ..SolveOptions::default()
        },
        ..Request::default()
    }
}
