//! `isocost fit`.

use std::path::PathBuf;

use clap::ValueEnum;
use isocost_calibration::{Bench, Family, Options, Placement, Point};
use isocost_model::queue::EngineSettings;

use super::PlotsArgs;

/// `isocost fit`.
#[derive(Debug, clap::Args)]
pub struct FitArgs {
    /// Measured points: a CSV, or files of vLLM, SGLang, GuideLLM, AIPerf, genai-perf, inference-perf,
    /// llm-d-benchmark or llmperf; several are fitted together
    #[arg(required = true)]
    pub bench: Vec<PathBuf>,
    /// Service model to fit
    #[arg(long, value_enum, default_value_t = Service::Best)]
    pub service: Service,
    /// Batch size that the server ran with (its most requests in service) [default: 256, or as many as
    /// the most clients of a closed loop]
    #[arg(long, value_name = "N")]
    pub max_batch: Option<u32>,
    /// Tokens that a pass of the server works off at most
    #[arg(long, value_name = "TOKENS", default_value_t = 8192)]
    pub max_batched_tokens: u32,
    /// Tokens that the server's KV cache holds [default: what closed loops show]
    #[arg(long, value_name = "TOKENS")]
    pub kv_tokens: Option<u64>,
    /// The server works off prompts whole, before anybody decodes [default: what closed loops show]
    #[arg(long)]
    pub no_chunked_prefill: bool,
    /// Fit the points of the system whose name (model, card, engine, precision) holds this text
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Predict the points of this file with the parameters fitted to the others, and state the errors
    #[arg(long, value_name = "FILE")]
    pub predict: Option<PathBuf>,
    /// Take every point of a CSV as open loop: do not look for points that a sweep starts with, one
    /// request after the other
    #[arg(long)]
    pub open: bool,
    /// Starting points of the search
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub starts: u32,
    /// Seed of the starting points: the same seed gives the same fit
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Model that was measured, for the entry
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Accelerator that it was measured on, for the entry
    #[arg(long, value_name = "NAME")]
    pub acc: Option<String>,
    /// Accelerators that the measured replica took, for the entry
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub acc_count: u32,
    /// Write the entry for model-data.json
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub plots: PlotsArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = FitFormat::Table)]
    pub format: FitFormat,
}

impl FitArgs {
    /// How to fit these points.
    pub fn options(&self, points: &[Point]) -> Options {
        let engine = EngineSettings {
            token_budget: self.max_batched_tokens,
            kv_tokens: self.kv_tokens,
            chunked_prefill: !self.no_chunked_prefill,
        };
        let clients = Bench::for_clients(points);
        let bench = Bench { batch: self.max_batch.unwrap_or(clients.batch), engine, ..clients };
        Options { bench, starts: self.starts, seed: self.seed }
    }

    /// What the entry is for.
    pub fn placement(&self) -> Placement {
        Placement {
            model: self.model.clone(),
            accelerator: self.acc.clone(),
            units: self.acc_count,
        }
    }
}

/// Which service model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// All of them; the one with the least error on what was left out is taken
    Best,
    /// decodeParms and prefillParms
    Linear,
    /// perfParms
    Iteration,
    /// rooflineParms
    Roofline,
    /// rooflineParms of a mixture of experts
    Mixture,
}

impl Service {
    /// The families to fit.
    pub fn families(self) -> &'static [Family] {
        match self {
            Self::Best => &Family::ALL,
            Self::Linear => &[Family::Linear],
            Self::Iteration => &[Family::Iteration],
            Self::Roofline => &[Family::Roofline],
            Self::Mixture => &[Family::Mixture],
        }
    }
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FitFormat {
    /// For people
    Table,
    /// JSON, with the entry in it
    Json,
}
