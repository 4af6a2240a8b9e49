//! `isocost experiment buckets`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use isocost_formulations::buckets;
use isocost_model::buckets::SliceFactor;

use super::values::{amount, seconds, share};
use super::{Format, SizingArgs};

/// `isocost experiment buckets`.
#[derive(Debug, clap::Args)]
pub struct BucketsArgs {
    /// JSON file with workload_distribution, gpu_info, total_request_rate and slice_factor, as the
    /// Mélange solver reads it; or, with --server, a scenario
    pub input: PathBuf,
    /// Server of the scenario whose requests are spread: each size is sized alone, on each
    /// accelerator, under the server's objectives
    #[arg(long, value_name = "NAME", requires = "distribution")]
    pub server: Option<String>,
    /// CSV of the sizes of the server's requests (input_tokens,output_tokens,share)
    #[arg(long, value_name = "FILE", requires = "server")]
    pub distribution: Option<PathBuf>,
    /// Slices that a bucket is cut into, or inf: any split [default: the file's; 4 for a server]
    #[arg(long, value_name = "N")]
    pub slice_factor: Option<SliceFactor>,
    /// Requests per second in all, instead of the input's
    #[arg(long, value_name = "RATE", value_parser = amount)]
    pub rate: Option<f64>,
    /// At most so many GPUs of a type; may be given again
    #[arg(long, value_name = "GPU=N", value_parser = cap)]
    pub cap: Vec<(String, u64)>,
    /// Ignore how many cards of the scenario exist
    #[arg(long, requires = "server")]
    pub unlimited: bool,
    #[command(flatten)]
    pub sizing: SizingArgs,
    /// How the problem is stated
    #[arg(long, value_enum, default_value_t = Statement::Staged)]
    pub formulation: Statement,
    /// Solver: highs or microlp, as far as built [default: highs where built]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Stop after this long and return the best spread so far with its bound
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<Duration>,
    /// Relative gap between cost and bound at which to stop
    #[arg(long, default_value_t = 1e-6, value_parser = share)]
    pub gap: f64,
    /// Directory for buckets.json, gpus.csv and buckets.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What goes to standard output: csv is a row a GPU type
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How the problem is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Statement {
    /// GPUs by any split first, then slices
    Staged,
    /// One program, equal slices merged into integers
    Merged,
    /// One program, a binary for each slice and GPU type: to compare with
    Slices,
}

impl From<Statement> for buckets::Formulation {
    fn from(chosen: Statement) -> Self {
        match chosen {
            Statement::Staged => Self::Staged,
            Statement::Merged => Self::Merged,
            Statement::Slices => Self::Slices,
        }
    }
}

fn cap(text: &str) -> Result<(String, u64), String> {
    let parts = text.rsplit_once('=').filter(|(name, _)| !name.trim().is_empty());
    let cap = parts.and_then(|(name, most)| {
        let most = most.trim().parse::<u64>().ok().filter(|most| *most <= 1_000_000)?;
        Some((name.trim().to_owned(), most))
    });
    cap.ok_or_else(|| "expected GPU=N with N from 0 to 1000000, e.g. H100=4".to_owned())
}
