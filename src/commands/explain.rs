//! `isocost explain`: why a plan is as it is, or why there is none.

use std::sync::Arc;
use std::time::Instant;

use isocost_model::export::json_text;
use isocost_planner::Shortage;
use isocost_planner::explain::{Effort, ExplainError};

use crate::args::{ExplainArgs, ExplainFormat};
use crate::job::Job;
use crate::output::say;
use crate::output::style::{Spinner, warning};
use crate::output::{explain as text, print};
use crate::{Failure, exit};

/// Servers up to which some of each server's options are solved exactly.
const EXACT_SERVERS: usize = 100;
/// How many of them.
const EXACT_OPTIONS: usize = 3;

/// How many options of each of so many servers are solved exactly unless told otherwise.
pub fn exact_options(servers: usize) -> usize {
    if servers <= EXACT_SERVERS { EXACT_OPTIONS } else { 0 }
}

/// Runs the command; returns its exit code.
pub fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let mut job = Job::new(&args.scenario, &args.sizing, &args.solve)?;
    if std::mem::take(&mut job.planner.request.shortage) != Shortage::Say {
        warning("--shortage is not explained: what is missing is said instead");
    }
    let spinner = Arc::new(Spinner::start("solving"));
    let start = Instant::now();
    let Job { planner, fleet, .. } = &mut job;
    let plan = planner.plan(fleet).map_err(Failure::failed)?;
    let limit = planner.request.solve.time_limit;
    planner.request.solve.time_limit = limit.map(|limit| limit.saturating_sub(start.elapsed()));

    let exact = exact_options(fleet.scenario.servers.len());
    let heard = Arc::clone(&spinner);
    let effort = Effort {
        slice: args.each,
        stage: args.stage,
        options: args.options.unwrap_or(exact),
        listener: Some(Arc::new(move |what| heard.say(what))),
    };
    let explanation = planner.explain(fleet, &plan, effort).map_err(|e| match e {
        ExplainError::Greedy => Failure::input(e),
        ExplainError::Solver(e) => Failure::failed(e),
    })?;
    drop(spinner);
    match args.format {
        ExplainFormat::Table => {
            text::print(&explanation);
            say!("{} solves in {:.1} s", explanation.solves, start.elapsed().as_secs_f64());
        }
        ExplainFormat::Json => {
            print(json_text(&explanation).as_bytes())?;
        }
    }
    Ok(exit::of(plan.status))
}
