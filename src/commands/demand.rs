//! `isocost demand`: from a trace of requests to a profile for `isocost horizon`.

use isocost_model::export::write_file;
use isocost_simulation::{Demand, read_trace};

use crate::args::DemandArgs;
use crate::output::style::warning;
use crate::output::{demand, print};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &DemandArgs) -> Result<u8, Failure> {
    let trace = read_trace(&args.trace).map_err(Failure::input)?;
    let found = Demand::new(&trace, args.period, args.fold())
        .map_err(|what| Failure::input(format!("--period: {what}")))?;
    trace.notes.iter().chain(&found.notes).for_each(|note| warning(note));
    let csv = demand::profile(&found, &args.server).map_err(Failure::failed)?;
    match &args.out {
        Some(path) => write_file(path, &csv).map_err(Failure::failed)?,
        None => print(&csv)?,
    }
    Ok(exit::OK)
}
