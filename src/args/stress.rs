//! `isocost stress`.

use std::path::PathBuf;

use super::values::factor;
use super::{Format, ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost stress`.
#[derive(Debug, clap::Args)]
pub struct StressArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// How far loads and service times may be off: what breaks within it is marked
    #[arg(long, value_name = "FACTOR", default_value_t = 1.5, value_parser = factor)]
    pub factor: f64,
    /// Plan with each of these margins too (on loads, on service times, on both) and say what that
    /// costs, e.g. 1.1,1.2,1.5
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', value_parser = factor)]
    pub margins: Vec<f64>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Directory for stress.json, stress.csv and, with --margins, margins.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
