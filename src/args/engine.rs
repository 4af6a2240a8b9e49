//! How engines are set, and what prompts are like.

use isocost_model::scenario::StatedEngine;

use super::values::{amount, share};

/// How engines are set where a scenario does not say.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct EngineArgs {
    /// Tokens that a pass works off at most, where a profile states no maxBatchedTokens
    /// [default: 8192]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    pub token_budget: Option<u32>,
    /// Tokens that a replica's KV cache holds, where a profile states no kvTokens [default: 2 x
    /// maxBatchSize x atTokens; without a scenario never short]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(16..))]
    pub kv_tokens: Option<u64>,
    /// Prompts are not cut into chunks, where a profile does not say: a pass holds whole prompts,
    /// which go first, or decoding
    #[arg(long)]
    pub no_chunked_prefill: bool,
}

impl EngineArgs {
    /// What is stated.
    pub fn stated(&self) -> StatedEngine {
        StatedEngine {
            token_budget: self.token_budget,
            kv_tokens: self.kv_tokens,
            chunked_prefill: self.no_chunked_prefill.then_some(false),
        }
    }
}

/// What prompts are like.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct PromptArgs {
    /// Share of the prompt tokens that the prefix cache holds, whatever the scenario says of it:
    /// they need no computing [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub prefix_hit_share: Option<f64>,
    /// Squared coefficient of variation of prompt tokens, whatever the scenario says of it
    /// [default: 0, all as long as their mean]
    #[arg(long, value_name = "SCV", value_parser = amount)]
    pub input_scv: Option<f64>,
}
