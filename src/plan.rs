//! `isocost plan`: from a scenario to a checked plan.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use isocost_formulations::pattern::Devices;
use isocost_formulations::planner::{self, Request};
use isocost_formulations::shortage::{Effort, Policy};
use isocost_formulations::{Problem, ProblemOptions, Program};
use isocost_model::Scenario;
use isocost_model::candidates::Candidates;
use isocost_model::export::{Export, Timing, plan_csv, plan_json, write_all};
use isocost_model::input::{self, Loaded};
use isocost_model::plan::Status;
use isocost_solver::{Backend, Interrupt, SolveOptions, backend, default_backend};

use crate::args::{Format, PlanArgs, Shortage};
use crate::style::{Spinner, warning};
use crate::trace::Trace;
use crate::{Failure, exit, outside, table};

/// Runs the command; returns its exit code.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let scenario = read(args)?;
    let backend = choose_backend(args)?;
    let sizing = args.sizing.options();

    let start = Instant::now();
    let candidates = {
        let _spinner = Spinner::start("sizing");
        Candidates::build(&scenario, &sizing)
    };
    let sizing_s = start.elapsed().as_secs_f64();

    let mut request = request(args, &scenario);
    let trace = Trace::start(&mut request, args.trace.is_some());
    let problem = Problem::new(&scenario, &candidates, &request.problem);
    if let Some(path) = &args.write_model {
        write_model(&planner::program(&scenario, &problem, &request), path)?;
    }
    let start = Instant::now();
    let choice = match &args.read_solution {
        Some(path) => outside::choice(path, &scenario, &problem, &request, &*backend)?,
        None => {
            let _spinner = Spinner::start("solving");
            planner::choose(&scenario, &candidates, &problem, &request, &*backend)
                .map_err(Failure::failed)?
        }
    };
    let timing = Timing { sizing_s, solving_s: start.elapsed().as_secs_f64() };
    if let Some(path) = &args.trace {
        trace.write(path, timing.solving_s, &choice)?;
    }

    let plan = planner::checked(&scenario, &candidates, &sizing, &request, choice)
        .map_err(Failure::failed)?;
    let export = Export { scenario: &scenario, candidates: &candidates, plan: &plan, timing };
    emit(args, &export)?;
    Ok(match plan.status {
        Status::Optimal | Status::Feasible => exit::OK,
        Status::Infeasible => exit::INFEASIBLE,
        Status::Unknown => exit::UNKNOWN,
    })
}

/// The scenario with its loads and capacities as asked for; warnings go to standard error.
fn read(args: &PlanArgs) -> Result<Scenario, Failure> {
    let Loaded { mut scenario, warnings } = input::load(&args.scenario).map_err(Failure::input)?;
    warnings.iter().for_each(|w| warning(&w.to_string()));
    if let Some(path) = &args.loads {
        let loaded = input::with_loads(scenario, path).map_err(Failure::input)?;
        loaded.warnings.iter().for_each(|w| warning(&w.to_string()));
        scenario = loaded.scenario;
    }
    for card in &mut scenario.card_types {
        card.count = card.count.map(|count| (count as f64 * args.capacity_scale) as u64);
    }
    Ok(scenario)
}

fn choose_backend(args: &PlanArgs) -> Result<Box<dyn Backend>, Failure> {
    let chosen = match &args.backend {
        Some(name) => backend(name),
        None => default_backend(),
    };
    chosen.map_err(Failure::input)
}

/// What the arguments ask of the planner.
pub fn request(args: &PlanArgs, scenario: &Scenario) -> Request {
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    // A second handler cannot be set; then Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || raise.raise());
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

fn write_model(program: &Program, path: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("{}: {e}", path.display()));
    let write: fn(&isocost_solver::Milp, &mut Vec<u8>) -> std::io::Result<()> =
        match path.extension().and_then(|e| e.to_str()) {
            Some("mps") => |milp, out| isocost_solver::write_mps(milp, out),
            Some("lp") => |milp, out| isocost_solver::write_lp(milp, out),
            _ => {
                let text = format!("{}: expected a name that ends in .mps or .lp", path.display());
                return Err(Failure::input(text));
            }
        };
    let mut text = Vec::new();
    write(&program.milp, &mut text).map_err(failed)?;
    isocost_model::export::write_file(path, &text).map_err(Failure::failed)
}

fn emit(args: &PlanArgs, export: &Export<'_>) -> Result<(), Failure> {
    if let Some(dir) = &args.out {
        write_all(dir, export).map_err(Failure::failed)?;
    }
    let bytes = match args.format {
        Format::Table => {
            table::print(export);
            return Ok(());
        }
        Format::Json => plan_json(export).into_bytes(),
        Format::Csv => plan_csv(export),
    };
    // A reader that has seen enough (`| head`) is no failure.
    match std::io::stdout().write_all(&bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(e)),
        _ => Ok(()),
    }
}
