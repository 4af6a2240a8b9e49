//! How a replica of a model is laid over cards, and how its engine is set.

use crate::model::Model;
use crate::precision::Precision;
use crate::quantization::Quantization;

/// How a replica is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Cards that share each layer (tensor parallelism).
    pub tp: u32,
    /// Groups of `tp` cards that attend to requests of their own and share the experts (data
    /// parallelism within a replica).
    pub dp: u32,
    /// Whether every expert is whole on one card (expert parallelism) or split over all.
    pub whole_experts: bool,
    /// How weights are stored.
    pub quantization: Quantization,
    /// Numbers of the cache.
    pub kv_precision: Precision,
    /// Share of a card's memory that the engine takes.
    pub memory_share: f64,
    /// Requests in service at most.
    pub max_batch: u32,
    /// Tokens that a pass works off at most.
    pub token_budget: u32,
}

impl Placement {
    /// As vLLM is set by default: the published weights on `tp` cards, a cache of 16 bits, 90% of memory.
    pub fn new(model: &Model, tp: u32) -> Self {
        Self {
            tp,
            dp: 1,
            whole_experts: false,
            quantization: model.quantization,
            kv_precision: Precision::Bf16,
            memory_share: 0.9,
            max_batch: 256,
            token_budget: 8192,
        }
    }

    /// Cards of a replica.
    pub fn cards(&self) -> u32 {
        self.tp * self.dp
    }

    /// Why the model cannot be split so; `None` where it can.
    pub fn mismatch(&self, model: &Model) -> Option<String> {
        let heads = model.architecture.attention.heads();
        if heads % f64::from(self.tp) != 0.0 {
            return Some(format!("{heads} heads do not split over tp {}", self.tp));
        }
        match model.architecture.experts {
            None if self.whole_experts => {
                Some("the model has no experts: leave out --ep".to_owned())
            }
            None if self.dp > 1 => {
                Some("only the experts of a mixture share cards over dp: use tp alone".to_owned())
            }
            Some(e) if self.whole_experts && e.count % f64::from(self.cards()) != 0.0 => {
                Some(format!("{} experts do not split over {} cards", e.count, self.cards()))
            }
            _ => None,
        }
    }
}
