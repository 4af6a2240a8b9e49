//! `isocost import`.

use std::path::PathBuf;

use isocost_model::import::Assume;

use super::values::{amount, positive};

/// `isocost import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// ConfigMaps and VariantAutoscaling objects of llm-d's autoscaler (kubectl get -o yaml or json), or
    /// profiles of AIBrix's GPU optimizer
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Requests per minute of each server, whatever the files say; of AIBrix profiles all requests
    #[arg(long, value_name = "PER_MIN", value_parser = positive)]
    pub rate: Option<f64>,
    /// Mean tokens of a prompt, likewise
    #[arg(long, value_name = "TOKENS", value_parser = amount)]
    pub input: Option<f64>,
    /// Mean tokens of an answer, likewise
    #[arg(long, value_name = "TOKENS", value_parser = positive)]
    pub output: Option<f64>,
    /// Write the scenario, or the requests by size, here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl ImportArgs {
    /// What to take where the files do not say.
    pub fn assume(&self) -> Assume {
        Assume { rate_per_min: self.rate, input_tokens: self.input, output_tokens: self.output }
    }
}
