//! Whether a replica fits, and what its cache holds.
//!
//! On each card, in bytes,
//!
//! ```text
//! cache = share x memory - weights - activations
//! ```
//!
//! where weights are the card's part of the matrices in their precision, and embedding and head in 16
//! bits; activations are what a pass of the token budget needs at once, and 1.5 GB for the engine
//! itself (CUDA graphs, communication buffers). A token takes its part of keys and values in every
//! layer that sees the whole context; of a layer with a window that many tokens of each request, taken
//! at a context of 4,096 tokens.

use crate::card::Card;
use crate::model::Model;
use crate::placement::Placement;
use crate::precision::Precision;

/// What a card of a replica holds, bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// What the engine may take.
    pub granted: f64,
    /// Weights.
    pub weights: f64,
    /// Activations, and the engine's own.
    pub activations: f64,
    /// Cache of a token.
    pub cache_a_token: f64,
}

/// The engine's own memory, bytes.
const ENGINE: f64 = 1.5e9;

/// Context at which a window's part of the cache is counted, tokens.
const CONTEXT: f64 = 4096.0;

/// Requests of which a place is kept for logits, and bytes of a logit.
const LOGITS: (f64, f64) = (256.0, 4.0);

/// Cards of the largest replica that is looked for.
const MOST_CARDS: u32 = 64;

impl Memory {
    /// Of a replica.
    pub fn new(model: &Model, card: &Card, placement: &Placement) -> Self {
        let a = &model.architecture;
        let tp = f64::from(placement.tp);
        let inner =
            a.dense.intermediate.max(a.experts.map_or(0.0, |e| e.per_token * e.intermediate));
        let widths = 4.0 * a.hidden + 3.0 * inner / tp;
        let logits = LOGITS.0 * a.vocabulary * LOGITS.1;
        let window = a.window.map_or(0.0, |w| (w.tokens / CONTEXT).min(1.0));
        let numbers = a.cached(tp) + window * a.cached_in_window(tp);
        Self {
            granted: placement.memory_share * card.usable_gb * 1e9,
            weights: weights(model, placement),
            activations: ENGINE + 2.0 * f64::from(placement.token_budget) * widths + logits,
            cache_a_token: numbers * placement.kv_precision.bytes(),
        }
    }

    /// Bytes that are left for the cache; below 0 where the rest does not fit.
    pub fn cache(&self) -> f64 {
        self.granted - self.weights - self.activations
    }

    /// Tokens that the caches of all `dp` groups hold.
    pub fn kv_tokens(&self, dp: u32) -> f64 {
        (self.cache() / self.cache_a_token).floor().max(0.0) * f64::from(dp)
    }

    /// Whether there is room for a request of `tokens` tokens.
    pub fn holds(&self, tokens: f64) -> bool {
        self.cache() >= tokens * self.cache_a_token
    }
}

/// Weights on each card, bytes.
fn weights(model: &Model, placement: &Placement) -> f64 {
    let a = &model.architecture;
    let (tp, cards) = (f64::from(placement.tp), f64::from(placement.cards()));
    let (dense, experts) = bytes_of(placement);
    let ends = if a.tied { 1.0 } else { 2.0 } * a.head_parameters() * Precision::Bf16.bytes();
    let matrices = (a.attention_parameters() + a.dense_parameters()) * dense;
    (matrices + ends) / tp + a.expert_parameters() * experts / cards
}

/// Bytes of a number of the matrices that every token goes through, and of experts.
pub(crate) fn bytes_of(placement: &Placement) -> (f64, f64) {
    let stored = placement.quantization.precision.bytes();
    let rest = if placement.quantization.experts_only { Precision::Bf16.bytes() } else { stored };
    (rest, stored)
}

/// The least tensor parallelism, a power of two, with which a replica fits and holds a request of
/// `tokens` tokens; `None` where no number of cards does.
pub fn least_tp(model: &Model, card: &Card, placement: &Placement, tokens: f64) -> Option<u32> {
    let mut tp = 1;
    while tp <= MOST_CARDS {
        let wider = Placement { tp, ..*placement };
        let fits = Memory::new(model, card, &wider).holds(tokens);
        if fits && wider.mismatch(model).is_none() {
            return Some(tp);
        }
        tp *= 2;
    }
    None
}
