//! `isocost analyze` and `isocost size`: one replica.

use std::path::PathBuf;

use super::scenario::Read;
use super::values::{amount, percentile, positive, share};
use super::{EngineArgs, Format, PromptArgs};

/// `isocost analyze`.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    #[command(flatten)]
    pub of: ServerArgs,
    #[command(flatten)]
    pub station: StationArgs,
    #[command(flatten)]
    pub objectives: ObjectiveArgs,
    /// Batch size [default with a scenario: the one that `size` finds]
    #[arg(long, required_unless_present_any = ["cases", "scenario"])]
    pub batch: Option<u32>,
    /// Arrival rate, requests per minute [default with a scenario: the largest within the
    /// objectives]
    #[arg(
        long,
        value_name = "PER_MIN",
        required_unless_present_any = ["cases", "scenario"],
        value_parser = positive
    )]
    pub rate: Option<f64>,
    /// Read many cases from a CSV and write them to standard output with their results
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "rate", "plot", "plot_occupancy"])]
    pub cases: Option<PathBuf>,
    /// Instead of the cases, print how far the results computed differ from those in the file
    #[arg(long, requires = "cases")]
    pub compare: bool,
    /// Draw TTFT and ITL against the rate, with the objectives (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Draw the distribution of the number of requests in the system (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub plot_occupancy: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `isocost size`.
#[derive(Debug, clap::Args)]
pub struct SizeArgs {
    #[command(flatten)]
    pub of: ServerArgs,
    #[command(flatten)]
    pub station: StationArgs,
    #[command(flatten)]
    pub objectives: ObjectiveArgs,
    /// Largest batch size [default with a scenario: the server's own]
    #[arg(long, required_unless_present = "scenario")]
    pub max_batch: Option<u32>,
    /// Draw the largest rate against the batch size (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// A server of a scenario, in place of one from flags.
#[derive(Debug, clap::Args)]
pub struct ServerArgs {
    /// Scenario (a directory, or one JSON or YAML file) that --server is looked up in
    #[arg(requires = "server", conflicts_with_all = FROM_FLAGS)]
    pub scenario: Option<PathBuf>,
    /// Server of the scenario
    #[arg(long, value_name = "NAME", requires = "scenario")]
    pub server: Option<String>,
    /// Accelerator of the scenario [default: every one]
    #[arg(long, value_name = "NAME", requires = "scenario")]
    pub accelerator: Option<String>,
}

/// What a scenario says itself.
const FROM_FLAGS: [&str; 20] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "delta2",
    "hidden",
    "overhead",
    "lag",
    "linear",
    "input",
    "output",
    "arrival_scv",
    "token_scv",
    "input_scv",
    "prefix_hit_share",
    "itl",
    "ttft",
    "ttw",
    "e2e",
    "tps",
];

/// What the replica has to keep, and how its batch size is chosen.
#[derive(Debug, clap::Args)]
pub struct ObjectiveArgs {
    /// Inter-token latency objective, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub itl: Option<f64>,
    /// Time-to-first-token objective, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub ttft: Option<f64>,
    /// Percentile that the ITL objective holds for, over requests, each by the mean of its own
    /// gaps (TPOT); over tokens under --reading reference [default: mean]
    #[arg(long, value_name = "P", requires = "itl", value_parser = percentile)]
    pub itl_percentile: Option<f64>,
    /// Percentile that the TTFT objective holds for [default: mean]
    #[arg(long, value_name = "P", requires = "ttft", value_parser = percentile)]
    pub ttft_percentile: Option<f64>,
    /// Wait before service objective, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub ttw: Option<f64>,
    /// Percentile that the wait's objective holds for [default: mean]
    #[arg(long, value_name = "P", requires = "ttw", value_parser = percentile)]
    pub ttw_percentile: Option<f64>,
    /// Objective of the time from arrival to the last token, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub e2e: Option<f64>,
    /// Percentile that it holds for [default: mean]
    #[arg(long, value_name = "P", requires = "e2e", value_parser = percentile)]
    pub e2e_percentile: Option<f64>,
    /// Tokens per second that each request gets at least while it decodes
    #[arg(long, value_name = "PER_S", value_parser = positive)]
    pub tps: Option<f64>,
    /// Whose tokens per second are meant: each request's (`engine`) or the server's (`reference`)
    #[arg(long, value_enum, default_value_t = Read::Engine)]
    pub reading: Read,
    /// Largest share of requests that a finite queue may turn away
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    pub max_loss: f64,
    /// Share of the best rate that may be given up for a smaller batch
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub batch_tolerance: f64,
}

/// One replica. With --hidden the service model is the roofline model, else with --delta (or
/// --linear) the linear one, else the iteration model.
#[derive(Debug, clap::Args)]
pub struct StationArgs {
    /// alpha: an iteration or step, whatever is in it; ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub alpha: f64,
    /// beta: a token computed (linear and roofline: a step and request in the batch); ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub beta: f64,
    /// gamma: a token and token of its context (linear: a prefill); ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub gamma: f64,
    /// delta: a prefill, token and request (roofline: a token beyond --hidden); ms
    #[arg(long, value_name = "MS", value_parser = amount)]
    pub delta: Option<f64>,
    /// Attention in a prompt, ms for each square of its tokens (roofline model)
    #[arg(long, value_name = "MS", requires = "hidden", default_value_t = 0.0, value_parser = amount)]
    pub delta2: f64,
    /// Tokens of a step whose computation hides behind memory traffic (roofline model)
    #[arg(long, value_name = "TOKENS", conflicts_with = "linear", value_parser = amount)]
    pub hidden: Option<f64>,
    /// Time to first token spent outside the engine, ms (roofline model)
    #[arg(long, value_name = "MS", requires = "hidden", default_value_t = 0.0, value_parser = amount)]
    pub overhead: f64,
    /// Steps until a request joins a busy replica (roofline model)
    #[arg(long, value_name = "STEPS", requires = "hidden", default_value_t = 0.0, value_parser = amount)]
    pub lag: f64,
    /// Take the linear service model
    #[arg(long)]
    pub linear: bool,
    /// Mean input tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 0.0, value_parser = amount)]
    pub input: f64,
    /// Mean output tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 1.0, value_parser = positive)]
    pub output: f64,
    /// Requests that may wait [default: unbounded]; with a scenario, where its server says nothing
    #[arg(long, value_name = "N")]
    pub max_queue: Option<u32>,
    /// Squared coefficient of variation of inter-arrival times
    #[arg(long, value_name = "SCV", default_value_t = 1.0, value_parser = amount)]
    pub arrival_scv: f64,
    /// Squared coefficient of variation of output tokens
    #[arg(long, value_name = "SCV", default_value_t = 1.0, value_parser = amount)]
    pub token_scv: f64,
    #[command(flatten)]
    pub prompts: PromptArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
}
