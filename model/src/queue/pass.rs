//! What an iteration takes: the time of one forward pass over a batch, from a profile's parameters.
//!
//! A pass takes `d` requests one token further and works off chunks of prompts. Both readings give
//! a request that is alone exactly the service time that the profile's parameters stand for.
//!
//! **Iteration parameters** (alpha, beta, gamma): an overhead, compute for each token, and memory
//! access for the context that each request reads,
//!
//! ```text
//! alpha + beta (tokens in the pass) + gamma (sum over the requests in it of their context)
//! ```
//!
//! where the context of a request counts the tokens worked off so far, this pass included. A prompt
//! of `in` tokens in `c` equal chunks then costs `c alpha + (beta + gamma (c + 1) / 2) in`, and
//! `out` tokens after it `out alpha + beta out + gamma out (in + (out + 1) / 2)`. Each of the `out`
//! tokens takes a pass of its own, and a prompt, even an empty one, at least one pass before them.
//!
//! **Linear parameters** (alpha, beta for decoding, gamma, delta for prompts): a pass pays one fixed
//! part, as it reads the weights once, and it is the larger of those of its two kinds of work,
//!
//! ```text
//! max(alpha if any request decodes, gamma if any prompt is in it) + beta d + delta (prompt tokens)
//! ```
//!
//! The pass that ends a prompt yields the first token, so that `out - 1` decode; without a prompt
//! the first token is there as service starts.
//!
//! **Roofline parameters** (alpha, beta, gamma, delta, hidden; see
//! [`Roofline`](super::Roofline)) are stated for a pass as they are,
//!
//! ```text
//! alpha + beta (requests in it) + gamma (sum of their context) + delta (tokens in it - hidden)+
//!       + delta2 (sum over the chunks of `c` tokens that follow `k` of (k + c)^2 - k^2)
//!       + experts (1 - (1 - share)^(tokens in it))
//! ```
//!
//! and the pass that ends a prompt, of one token at least, yields the first token. `overhead`, and
//! what `lag` adds to the half pass that a request waits here on its own account, are part of the
//! time to first token, outside the engine.

use super::iteration::Iteration;
use super::linear::Linear;
use super::service::ServiceModel;

/// What is in a pass. Numbers of requests and tokens are whole in a simulation; a model puts means
/// in their place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pass {
    /// Requests that decode a token each.
    pub decoding: f64,
    /// Their contexts, this token included.
    pub decode_context: f64,
    /// Chunks of prompts.
    pub chunks: f64,
    /// Tokens in the chunks.
    pub prompt_tokens: f64,
    /// Contexts of the prompts, the chunks included.
    pub prompt_context: f64,
    /// Attention of the chunks, in squares of tokens: `(k + c)^2 - k^2` for `c` tokens after `k`.
    pub prompt_attention: f64,
}

impl ServiceModel {
    /// Time of a pass, ms.
    pub fn pass_ms(&self, pass: &Pass) -> f64 {
        match *self {
            Self::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }) => {
                let tokens = pass.decoding + pass.prompt_tokens;
                let context = pass.decode_context + pass.prompt_context;
                alpha_ms + beta_ms * tokens + gamma_ms * context
            }
            Self::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }) => {
                let decode = if pass.decoding > 0.0 { alpha_ms } else { 0.0 };
                let prompt = if pass.chunks > 0.0 { gamma_ms } else { 0.0 };
                let work = beta_ms * pass.decoding + delta_ms * pass.prompt_tokens;
                decode.max(prompt) + work
            }
            Self::Roofline(r) => {
                let requests = pass.decoding + pass.chunks;
                let context = pass.decode_context + pass.prompt_context;
                let memory = r.beta_ms * requests + r.gamma_ms * context;
                let computed = r.compute_ms(pass.decoding + pass.prompt_tokens);
                r.alpha_ms + memory + computed + r.delta2_ms * pass.prompt_attention
            }
        }
    }

    /// Whether the pass that ends a prompt yields the first token.
    pub fn prompt_yields_token(&self) -> bool {
        !matches!(self, Self::Iteration(_))
    }

    /// Whether a request without a prompt has its first token as service starts.
    pub fn needs_no_prompt(&self) -> bool {
        matches!(self, Self::Linear(_))
    }

    /// Time to first token outside the engine, ms, of a request that arrives during a pass of
    /// `under_way_ms` (0 where the replica is idle).
    pub fn outside_ms(&self, under_way_ms: f64) -> f64 {
        match self {
            Self::Roofline(r) => {
                r.overhead_ms + (r.lag_steps - RESIDUAL_PASS).max(0.0) * under_way_ms
            }
            _ => 0.0,
        }
    }
}

/// Passes that a request waits on average for the one under way to end.
const RESIDUAL_PASS: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Experts, Roofline};

    #[test]
    fn chunks_of_a_prompt_cost_the_attention_of_the_whole() {
        let service = ServiceModel::Roofline(Roofline {
            alpha_ms: 10.0,
            beta_ms: 0.0,
            gamma_ms: 0.0,
            delta_ms: 0.05,
            delta2_ms: 1e-5,
            hidden_tokens: 0.0,
            overhead_ms: 0.0,
            lag_steps: 0.0,
            experts: Experts::default(),
        });
        let chunk = |from: f64, to: f64| Pass {
            chunks: 1.0,
            prompt_tokens: to - from,
            prompt_attention: to * to - from * from,
            ..Pass::default()
        };
        let whole = service.pass_ms(&chunk(0.0, 4000.0));
        assert!((whole - (10.0 + 200.0 + 160.0)).abs() < 1e-9, "{whole}");
        let parts = [(0.0, 1500.0), (1500.0, 2000.0), (2000.0, 4000.0)];
        let cut: f64 = parts.into_iter().map(|(from, to)| service.pass_ms(&chunk(from, to))).sum();
        assert!((cut - whole - 20.0).abs() < 1e-9, "two more passes: {cut}, {whole}");
    }
}
