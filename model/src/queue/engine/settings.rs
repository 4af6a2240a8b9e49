//! What an engine is set to, besides what a pass costs.

/// Settings of a continuous-batching engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EngineSettings {
    /// Tokens that a pass works off at most (`maxBatchedTokens`; vLLM's `max_num_batched_tokens`).
    pub token_budget: u32,
    /// Tokens that the KV cache holds (`kvTokens`; vLLM logs it as its KV cache size); `None` where it
    /// is not known, and then it does not bind.
    pub kv_tokens: Option<u64>,
    /// Whether a prompt may be cut into chunks that share passes with decoding (vLLM's default).
    pub chunked_prefill: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { token_budget: 8192, kv_tokens: None, chunked_prefill: true }
    }
}
