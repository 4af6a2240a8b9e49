//! `isocost plan`: from a scenario to a checked plan.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use isocost_formulations::greedy::{Greedy, greedy};
use isocost_formulations::pattern::{self, Shape};
use isocost_formulations::shortage::{Service, shortage};
use isocost_formulations::{Problem, ProblemOptions, Program, mixed, single};
use isocost_model::Scenario;
use isocost_model::candidates::Candidates;
use isocost_model::check::{CheckOptions, check};
use isocost_model::export::{Export, Timing, plan_csv, plan_json, write_all};
use isocost_model::input::{self, Loaded};
use isocost_model::plan::{Choice, Plan, Status};
use isocost_model::scenario::Provenance;
use isocost_solver::{Backend, Interrupt, SolveOptions, backend, default_backend};

use crate::args::{Format, Formulation, PlanArgs, Shortage};
use crate::style::{Spinner, warning};
use crate::{Failure, exit, table};

/// Runs the command; returns its exit code.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let scenario = read(args)?;
    let backend = choose_backend(args)?;
    let sizing = args.sizing.options();
    let unlimited = args.unlimited || scenario.optimizer.unlimited;

    let start = Instant::now();
    let candidates = {
        let _spinner = Spinner::start("sizing");
        Candidates::build(&scenario, &sizing)
    };
    let sizing_s = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let choice = {
        let _spinner = Spinner::start("solving");
        solve(args, &scenario, &candidates, &*backend, unlimited)?
    };
    let timing = Timing { sizing_s, solving_s: start.elapsed().as_secs_f64() };

    let plan = Plan::new(&scenario, &candidates, &sizing, unlimited, choice);
    let options = CheckOptions {
        unlimited,
        partial: args.shortage != Shortage::None,
        transition: args.transition,
    };
    let violations = check(&scenario, &sizing, &options, &plan);
    if !violations.is_empty() {
        let list: Vec<String> = violations.iter().take(20).map(ToString::to_string).collect();
        let text = format!("the plan breaks its own rules and is withheld:\n{}", list.join("\n"));
        return Err(Failure::failed(text));
    }
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

fn solve(
    args: &PlanArgs,
    scenario: &Scenario,
    candidates: &Candidates,
    backend: &dyn Backend,
    unlimited: bool,
) -> Result<Choice, Failure> {
    let options =
        ProblemOptions { unlimited, transition: args.transition, max_moves: args.max_moves };
    let problem = Problem::new(scenario, candidates, &options);
    let formulation = match args.formulation {
        Formulation::Auto if scenario.optimizer.heterogeneous => Formulation::Mixed,
        Formulation::Auto => Formulation::Single,
        chosen => chosen,
    };
    let program = || match formulation {
        Formulation::Single | Formulation::Auto => single(&problem, &options),
        Formulation::Mixed | Formulation::Compact | Formulation::Greedy => {
            mixed(&problem, &options)
        }
    };
    if let Some(path) = &args.write_model {
        write_model(&program(), path)?;
    }
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    // A second handler cannot be set; then Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || raise.raise());
    let solve = SolveOptions {
        time_limit: args.time_limit,
        relative_gap: args.gap,
        threads: args.threads,
        interrupt,
        ..SolveOptions::default()
    };
    if formulation == Formulation::Greedy {
        return Ok(by_greedy(scenario, &problem));
    }
    let solved = match formulation.shape(&problem, &options) {
        Some(shape) => pattern::solve(&problem, shape, backend, &solve),
        None => program().solve(&problem, backend, &solve),
    };
    let mut choice = solved.map_err(Failure::failed)?;
    let service = match args.shortage {
        Shortage::None => None,
        Shortage::Whole => Some(Service::Whole),
        Shortage::Partial => Some(Service::Partial),
    };
    if let Some(service) = service.filter(|_| choice.status == Status::Infeasible) {
        choice = shortage(&problem, service, backend, &solve).map_err(Failure::failed)?;
    }
    choice.notes.extend(unserved(scenario, candidates));
    choice.notes.extend(provenance(scenario));
    Ok(choice)
}

/// The baseline's choice; a plan only if it leaves nobody out.
fn by_greedy(scenario: &Scenario, problem: &Problem) -> Choice {
    let Greedy { mut choice, left_out } = greedy(problem);
    if !left_out.is_empty() {
        let names: Vec<&str> =
            left_out.iter().map(|&s| scenario.servers[s].name.as_str()).collect();
        let (left, all) = (names.len(), scenario.servers.len());
        choice.shares.clear();
        choice
            .notes
            .push(format!("greedy leaves {left} of {all} servers out: {}", names.join(", ")));
    }
    choice
}

/// Servers up to which `single` goes to the backend as it is: it closes that in milliseconds.
const DIRECT: usize = 200;

impl Formulation {
    /// The shape of the patterns that state it, or `None` where the plain program does: small, or
    /// with moves and spread, which patterns do not know.
    fn shape(self, problem: &Problem, options: &ProblemOptions) -> Option<Shape> {
        let plain = options.max_moves.is_some() || problem.servers.iter().any(|s| s.min_types > 1);
        match self {
            Self::Single | Self::Auto if !plain && problem.servers.len() > DIRECT => {
                Some(Shape::Single)
            }
            Self::Mixed if !plain && !options.transition => Some(Shape::Mixed),
            _ => None,
        }
    }
}

/// Servers that no accelerator serves within their objectives, each with the closest miss.
fn unserved(scenario: &Scenario, candidates: &Candidates) -> Vec<String> {
    let without = (0..scenario.servers.len()).filter(|&s| candidates.options(s).is_empty());
    let describe = |s: usize| {
        let reasons = candidates.rejected(s).iter();
        let closest = reasons.filter_map(|r| match r.reason {
            isocost_model::candidates::Reason::Objective(shortfall) => {
                Some((r.accelerator, shortfall))
            }
            _ => None,
        });
        let closest = closest.min_by(|a, b| a.1.excess().total_cmp(&b.1.excess()));
        let name = &scenario.servers[s].name;
        match closest {
            Some((a, shortfall)) => format!(
                "no accelerator serves `{name}`; closest is {}: {shortfall}",
                scenario.accelerators[a].name
            ),
            None => format!("no accelerator may serve `{name}`"),
        }
    };
    without.map(describe).collect()
}

fn provenance(scenario: &Scenario) -> Option<String> {
    let estimated =
        scenario.profiles.iter().filter(|p| p.provenance == Provenance::Estimated).count();
    (estimated > 0).then(|| {
        format!(
            "{estimated} of {} service profiles are estimated from data sheets, not measured",
            scenario.profiles.len()
        )
    })
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
