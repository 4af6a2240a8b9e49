//! `isocost demand`.

use std::path::PathBuf;

use clap::ValueEnum;
use isocost_simulation::Fold;

use super::values::period;

/// `isocost demand`.
#[derive(Debug, clap::Args)]
pub struct DemandArgs {
    /// Trace of requests: a CSV (arrival_s,input_tokens,output_tokens), or a trace of Azure, BurstGPT or
    /// Mooncake as it was published
    pub trace: PathBuf,
    /// Length of a period, such as 1h, 15min or 1d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = period)]
    pub period: f64,
    /// Make one period of those at the same time of day or week
    #[arg(long, value_enum)]
    pub fold: Option<Folded>,
    /// Server of the scenario whose load it is; `premium-*` stands for all that begin so
    #[arg(long, value_name = "NAME", default_value = "*")]
    pub server: String,
    /// Write the profile here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What periods are folded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Folded {
    /// A typical day
    Day,
    /// A typical week
    Week,
}

impl DemandArgs {
    /// As the trace takes it.
    pub fn fold(&self) -> Fold {
        match self.fold {
            None => Fold::None,
            Some(Folded::Day) => Fold::Day,
            Some(Folded::Week) => Fold::Week,
        }
    }
}
