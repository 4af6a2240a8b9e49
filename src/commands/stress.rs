//! `isocost stress`: a plan under loads and service times that are off.

use std::path::Path;

use isocost_model::export::write_file;
use isocost_model::plan::Status;
use isocost_model::stress::{Margin, stress};

use crate::args::{Format, StressArgs};
use crate::job::Job;
use crate::output::stress::{Price, Stress};
use crate::output::style::Spinner;
use crate::{Failure, exit, output};

/// Runs the command; returns its exit code.
pub fn run(args: &StressArgs) -> Result<u8, Failure> {
    let job = Job::new(&args.scenario, &args.sizing, &args.solve)?;
    let _spinner = Spinner::start("planning and stressing");
    let plan = job.planner.plan(&job.fleet).map_err(Failure::failed)?;
    if !plan.has_plan() {
        plan.notes.iter().for_each(|note| output::style::warning(note));
        output::style::error(&format!("there is no plan to stress: it is {}", plan.status.word()));
        return Ok(exit::of(plan.status));
    }
    let headroom = stress(job.stated(), &job.planner.sizing, &plan, args.factor);
    let margins = args.margins.iter().map(|&m| price(&job, m)).collect::<Result<Vec<_>, _>>()?;
    let scenario = job.stated();
    let result =
        Stress { scenario, plan: &plan, factor: args.factor, headroom: &headroom, margins };
    drop(_spinner);
    if let Some(dir) = &args.out {
        write(dir, &result)?;
    }
    match args.format {
        Format::Table => result.print_table(),
        Format::Json => output::print(result.json().as_bytes())?,
        Format::Csv => output::print(&result.csv()?)?,
    }
    Ok(exit::OK)
}

/// What planning costs with a margin of `factor` on loads, on service times, and on both.
fn price(job: &Job, factor: f64) -> Result<Price, Failure> {
    let cost = |load: f64, service: f64| -> Result<(Status, f64), Failure> {
        let mut planner = job.planner.clone();
        planner.request.margin = Margin { load, service };
        let fleet = planner.fleet(job.stated().clone());
        let plan = planner.plan(&fleet).map_err(Failure::failed)?;
        Ok((plan.status, plan.total_cost))
    };
    Ok(Price {
        factor,
        load: cost(factor, 1.0)?,
        service: cost(1.0, factor)?,
        both: cost(factor, factor)?,
    })
}

fn write(dir: &Path, result: &Stress<'_>) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Failure::failed(format!("{}: cannot be made: {e}", dir.display())))?;
    let mut files =
        vec![("stress.json", result.json().into_bytes()), ("stress.csv", result.csv()?)];
    if !result.margins.is_empty() {
        files.push(("margins.csv", result.margins_csv()?));
    }
    files
        .into_iter()
        .try_for_each(|(name, bytes)| write_file(&dir.join(name), &bytes).map_err(Failure::failed))
}
