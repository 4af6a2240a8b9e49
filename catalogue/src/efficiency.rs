//! Shares of a data sheet's figures that engines reach, and what passes take besides.

use crate::card::Card;
use crate::precision::Precision;

/// How much of its data sheet an engine gets out of a card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Efficiency {
    /// Share of the memory bandwidth at which weights are read.
    pub weights: f64,
    /// Share of that at which experts are read.
    pub experts: f64,
    /// Handing a token to one of its experts and back, ms.
    pub expert_ms: f64,
    /// Share of the memory bandwidth at which the cache is read.
    pub cache: f64,
    /// Share of the dense peak with 16-bit numbers.
    pub bf16: f64,
    /// The same with FP8.
    pub fp8: f64,
    /// The same with FP4.
    pub fp4: f64,
    /// Share of the 16-bit compute that attention gets.
    pub attention: f64,
    /// Share of the time that weights take in which computing hides.
    pub hidden: f64,
    /// The host, ms a pass.
    pub pass_ms: f64,
    /// The host, ms a layer.
    pub layer_ms: f64,
    /// The host, ms a request.
    pub request_ms: f64,
    /// An all-reduce that carries next to nothing, ms.
    pub reduce_ms: f64,
    /// Share of the link's bandwidth.
    pub link: f64,
    /// Time to first token outside the engine, ms.
    pub overhead_ms: f64,
    /// What the host takes to start a prompt, ms a layer: passes with prompts are launched kernel by
    /// kernel, others as one graph.
    pub prompt_layer_ms: f64,
    /// Passes after which a request that finds the replica busy joins.
    pub lag_steps: f64,
}

impl Efficiency {
    /// FLOPs that a card does in a millisecond with weights of a precision. Weights in a format that the card
    /// does not compute with are turned into the next wider one that it does.
    pub fn flops_per_ms(&self, card: &Card, weights: Precision) -> f64 {
        let bf16 = card.bf16_tflops * self.bf16;
        let fp8 = card.fp8_tflops.map_or(bf16, |peak| peak * self.fp8);
        let fp4 = card.fp4_tflops.map_or(fp8, |peak| peak * self.fp4);
        let tflops = match weights {
            Precision::Bf16 | Precision::Int4 => bf16,
            Precision::Fp8 | Precision::Int8 => fp8,
            Precision::Fp4 => fp4,
        };
        tflops * 1e9
    }
}
