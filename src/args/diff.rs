//! `isocost diff`.

use std::path::PathBuf;

use super::values::positive;
use super::{Format, MarginArgs, ScenarioArgs, Share, SizingArgs, SolveArgs};

/// `isocost diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// First plan: a plan.json, the --out directory that holds one, an inferno AllocationSolution, or
    /// a scenario to be planned
    pub before: PathBuf,
    /// Second plan, likewise
    pub after: PathBuf,
    /// CSV of loads for AFTER, where it is a scenario
    #[arg(long, value_name = "FILE")]
    pub loads: Option<PathBuf>,
    /// Multiply every card count of AFTER by this, rounded down, where it is a scenario
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub capacity_scale: f64,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// Show servers that did not change, too
    #[arg(long)]
    pub all: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

impl DiffArgs {
    /// The scenario at `path`, with the changes for AFTER if it is the second.
    pub fn scenario(&self, path: &std::path::Path, second: bool) -> ScenarioArgs {
        ScenarioArgs {
            scenario: path.to_owned(),
            loads: self.loads.clone().filter(|_| second),
            capacity_scale: if second { self.capacity_scale } else { 1.0 },
            share: Share::Stated,
            disaggregate: false,
            budget: None,
            margin: MarginArgs { margin: 1.0, service_margin: 1.0 },
        }
    }
}
