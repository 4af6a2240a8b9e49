//! `isocost experiment`.

use std::path::PathBuf;

use clap::Subcommand;

use super::BucketsArgs;

/// `isocost experiment`.
#[derive(Debug, clap::Args)]
pub struct ExperimentArgs {
    #[command(subcommand)]
    pub command: ExperimentCommand,
}

/// What to do with experiments.
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Say which experiments there are
    List,
    /// Run an experiment, or `all`: CSV, plots, and a summary made from the CSV alone. The same
    /// command goes on where a stopped one was
    Run(RunArgs),
    /// Write the summary and the plots of the CSV of an earlier run anew
    Summarize(SummarizeArgs),
    /// Spread a server's requests, by size, over GPU types
    ///
    /// Reads the Mélange solver's input, too.
    Buckets(BucketsArgs),
    /// Make one measurement: a task on standard input, what was measured on standard output
    #[command(hide = true)]
    Measure,
}

/// `isocost experiment run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Name of the experiment, or all
    pub name: String,
    /// Directory for the results; each experiment has one of its own in it
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Only so much that every step is seen to work, in seconds
    #[arg(long)]
    pub quick: bool,
    /// Seed of the generated fleets
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Most copies of the fleet of 27 servers in `scale`
    #[arg(long, value_name = "K", default_value_t = 3700)]
    pub copies: u32,
    /// Solver from PyPI to compare with in `families`, by the `python3` on the path: highs, scip; may be
    /// given twice
    #[arg(long = "peer", value_name = "SOLVER", value_parser = ["highs", "scip"])]
    pub peers: Vec<String>,
}

/// `isocost experiment summarize`.
#[derive(Debug, clap::Args)]
pub struct SummarizeArgs {
    /// Name of the experiment, or all
    pub name: String,
    /// Directory of the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
}
