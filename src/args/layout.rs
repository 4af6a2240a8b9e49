//! How replicas are laid out and their engines set, where profiles are estimated.

use std::path::PathBuf;

use isocost_catalogue::draft::Engine;
use isocost_catalogue::{Catalogue, Model, Placement, Precision};

use super::values::share;
use crate::Failure;

/// Where cards and models are looked up, and how engines are set.
#[derive(Debug, Clone, clap::Args)]
pub struct LayoutArgs {
    /// Directory of a catalogue (cards.csv with prices.csv, models.json) in place of the built-in one
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
    /// Numbers of the KV cache: bf16, fp8, int8, fp4 or int4
    #[arg(long, value_name = "PRECISION", default_value = "bf16")]
    pub kv_precision: Precision,
    /// Share of a card's memory that the engine takes
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share)]
    pub memory_share: f64,
    /// Requests in service at most
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_batch: u32,
    /// Tokens that a pass works off at most
    #[arg(long, value_name = "TOKENS", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_batched_tokens: u32,
}

impl LayoutArgs {
    /// The catalogue that is asked for.
    pub fn catalogue(&self) -> Result<Catalogue, Failure> {
        match &self.catalogue {
            Some(directory) => Catalogue::load(directory).map_err(Failure::input),
            None => Ok(Catalogue::builtin()),
        }
    }

    /// A replica on `tp` cards, with weights of `precision` or else as they are published.
    pub fn placement(&self, model: &Model, tp: u32, precision: Option<Precision>) -> Placement {
        Placement {
            quantization: model.quantization.or(precision),
            kv_precision: self.kv_precision,
            memory_share: self.memory_share,
            max_batch: self.max_batch,
            token_budget: self.max_batched_tokens,
            ..Placement::new(model, tp)
        }
    }

    /// How engines are set.
    pub fn engine(&self) -> Engine {
        Engine {
            kv_precision: self.kv_precision,
            memory_share: self.memory_share,
            max_batch: self.max_batch,
            token_budget: self.max_batched_tokens,
        }
    }
}
