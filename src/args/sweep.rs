//! `isocost sweep` and `isocost merge`.

use std::path::PathBuf;

use super::{PlotsArgs, ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost sweep`.
#[derive(Debug, clap::Args)]
#[command(after_help = AXES)]
#[group(id = "where", required = true, multiple = true, args = ["vary", "points"])]
pub struct SweepArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// An axis and its values: a list (1,1.5,2), a range of n values (0.5..2/16), or one that is
    /// even in ratio (log:0.25..4/9). Several axes make a grid, the first varying slowest
    #[arg(long, value_name = "AXIS=VALUES", conflicts_with = "points")]
    pub vary: Vec<String>,
    /// Take the points from a CSV: axes in the header, a row for each point
    #[arg(long, value_name = "FILE")]
    pub points: Option<PathBuf>,
    /// Directory for points.csv, points-timings.csv, and the journal that the same command resumes
    /// from
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub plots: PlotsArgs,
    /// Run only the i-th of n parts; `auto` or `auto/n` takes i and n from a Kubernetes indexed job
    /// or a Slurm array
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Points side by side [default: one a core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
}

const AXES: &str = "\
Axes (factors are of what the scenario says):
  load[:SERVER|CLASS|MODEL]   factor of the arrival rates
  input-tokens  output-tokens mean tokens of prompts, of answers; or of one alone
  capacity[:TYPE]             factor of the card counts, rounded down
  cards:TYPE                  card count
  price[:ACCELERATOR]         factor of the prices
  card-price:TYPE             factor of all prices of a card type
  itl[:CLASS]  ttft[:CLASS]  tps[:CLASS]
                              factor of the objectives
  percentile[:CLASS]  itl-percentile[:CLASS]  ttft-percentile[:CLASS]
                              percentile that the limits hold for, or mean
  batch  batch-tolerance  energy-price  formulation
                              as the options of the same name";

/// `isocost merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Directories of the shards, or one above them
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// CSV file for the table; timings go beside it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub plots: PlotsArgs,
}
