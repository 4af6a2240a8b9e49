//! `isocost plan`: from a scenario to a checked plan.

use std::path::Path;
use std::time::Instant;

use isocost_formulations::explain::{Subject, reason};
use isocost_formulations::{Program, planner};
use isocost_model::export::{Export, Timing, plan_csv, plan_json, write_all};
use isocost_model::plan::{Plan, Status};
use isocost_model::trust::{CostRange, End, Trust};

use super::{outside, report};
use crate::args::{Format, PlanArgs};
use crate::job::Job;
use crate::output::style::Spinner;
use crate::output::trace::Trace;
use crate::output::{print, table};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let mut job = Job::new(&args.scenario, &args.sizing, &args.solve)?;
    let trace = Trace::start(&mut job.request, args.trace.is_some());
    let problem = job.problem();
    let Job { scenario, candidates, request, backend, sizing_s, .. } = &job;
    if let Some(path) = &args.write_model {
        write_model(&planner::program(scenario, &problem, request), path)?;
    }
    let start = Instant::now();
    let choice = match &args.read_solution {
        Some(path) => outside::choice(path, scenario, &problem, request, &**backend)?,
        None => {
            let _spinner = Spinner::start("solving");
            planner::choose(scenario, candidates, &problem, request, &**backend)
                .map_err(Failure::failed)?
        }
    };
    let timing = Timing { sizing_s: *sizing_s, solving_s: start.elapsed().as_secs_f64() };
    if let Some(path) = &args.trace {
        trace.write(path, timing.solving_s, &choice)?;
    }

    let mut plan = job.plan(choice)?;
    if plan.serves_all() && !args.no_cost_range && args.read_solution.is_none() {
        plan.cost_range = cost_range(&job)?;
    }
    if plan.status == Status::Infeasible {
        plan.notes.extend(why(&job, &plan)?);
    }
    report::write(args, &job, &plan, timing)?;
    emit(args, &Export { scenario: job.stated(), candidates, plan: &plan, timing })?;
    Ok(exit::of(plan.status))
}

/// Why there is no plan, and where to read more.
fn why(job: &Job, plan: &Plan) -> Result<Vec<String>, Failure> {
    let Job { scenario, sizing, candidates, request, backend, .. } = job;
    let _spinner = Spinner::start("why there is no plan");
    let subject = Subject { scenario, sizing, candidates, request, plan };
    let reason = reason(subject, &**backend).map_err(Failure::failed)?;
    let more = "`isocost explain` with the same arguments says what would help".to_owned();
    Ok(reason.into_iter().chain([more]).collect())
}

/// What planning costs at the ends of the calibration's region; `None` where no profile carries
/// one.
fn cost_range(job: &Job) -> Result<Option<CostRange>, Failure> {
    let Some(level) = Trust::of(job.stated()).level else { return Ok(None) };
    let _spinner = Spinner::start("planning at the ends of the calibration's region");
    let (optimistic, pessimistic) = (job.cost_at(End::Optimistic)?, job.cost_at(End::Pessimistic)?);
    Ok(Some(CostRange { level, optimistic, pessimistic }))
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
    print(&bytes)
}
