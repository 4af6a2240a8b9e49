//! The efficiencies of each family of cards, and how far estimates with them are off.
//!
//! Fitted once to closed loops of 13 systems (models of 8 to 671 billion parameters on H100, H200 and B200 under
//! TensorRT-LLM, vLLM and SGLang) by `cargo bench -p isocost-catalogue --bench left_out`, which prints these
//! figures. Blackwell has factors of its own on what reads, what computes and the host; a family that was not
//! measured has Hopper's figures. Of another of NVIDIA's its error is that of a family that was left out. Of other
//! makers' cards one system was compared, eight MI300X under an engine of 2024 (`tests/elsewhere.rs`), which took 1.4
//! to 1.6 times as long as estimated: that is what their estimates are told to be off by.
//!
//! An estimate's ends: every time is longer or shorter by `exp(time)`, and what a prompt takes by `exp(first)`
//! besides. Between them lie 80% of the latencies of systems left out.

use isocost_model::queue::{Experts, Roofline};

use crate::card::Card;
use crate::efficiency::Efficiency;

/// Of Hopper cards, and of those that were not measured.
const HOPPER: Efficiency = Efficiency {
    weights: 0.852,
    experts: 0.966,
    cache: 0.761,
    bf16: 0.666,
    fp8: 0.502,
    fp4: 0.361,
    attention: 0.546,
    hidden: 0.513,
    pass_ms: 1.016,
    layer_ms: 0.0150,
    request_ms: 0.00873,
    reduce_ms: 0.0138,
    expert_ms: 0.00005,
    link: 0.606,
    overhead_ms: 9.84,
    prompt_layer_ms: 0.555,
    lag_steps: 1.680,
};

/// Factors for Blackwell: on what reads, what computes, and the host.
const BLACKWELL: (f64, f64, f64) = (1.074, 1.047, 1.028);

/// Share of latencies between the ends.
const LEVEL: f64 = 0.8;

impl Efficiency {
    /// Those of a card's family.
    pub fn of(card: &Card) -> Self {
        if card.family != "Blackwell" {
            return HOPPER;
        }
        let (reads, computes, hosts) = BLACKWELL;
        Self {
            weights: HOPPER.weights * reads,
            cache: HOPPER.cache * reads,
            bf16: HOPPER.bf16 * computes,
            fp8: HOPPER.fp8 * computes,
            fp4: HOPPER.fp4 * computes,
            pass_ms: HOPPER.pass_ms * hosts,
            layer_ms: HOPPER.layer_ms * hosts,
            ..HOPPER
        }
    }
}

/// How far estimates are off on systems that their efficiencies were not fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    /// Mean error of ITL, a share.
    pub itl_error: f64,
    /// Mean error of TTFT, a share; a few points where clients wait for a place make most of it.
    pub ttft_error: f64,
    /// Median errors of ITL and TTFT.
    pub medians: (f64, f64),
    /// Share of such latencies that lie between the ends.
    pub level: f64,
    /// Both ends are beyond the estimate by a factor of this exponent in every time.
    pub time: f64,
    /// And by this one more in what a prompt takes.
    pub first: f64,
    /// What the error rests on.
    pub basis: Basis,
}

/// What an estimate's error was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Systems of the card's family.
    Family,
    /// Systems of other families of its maker.
    Maker,
    /// One system of another maker, whose first tokens were not timed.
    Other,
}

/// The margins of a card's family.
pub fn margins(card: &Card) -> Margins {
    match (card.family.as_str(), card.vendor.as_str()) {
        ("Hopper" | "Blackwell", _) => Margins {
            itl_error: 0.119,
            ttft_error: 0.579,
            medians: (0.100, 0.192),
            level: LEVEL,
            time: 0.18,
            first: 0.30,
            basis: Basis::Family,
        },
        (_, "NVIDIA") => Margins {
            itl_error: 0.120,
            ttft_error: 0.629,
            medians: (0.097, 0.195),
            level: LEVEL,
            time: 0.17,
            first: 0.25,
            basis: Basis::Maker,
        },
        // First tokens: no better than those of cards that were measured.
        _ => Margins {
            itl_error: 0.346,
            ttft_error: 0.629,
            medians: (0.350, 0.350),
            level: LEVEL,
            time: 0.49,
            first: 0.25,
            basis: Basis::Other,
        },
    }
}

impl Margins {
    /// Service times where latencies are shortest, and where they are longest.
    pub fn ends(&self, service: &Roofline) -> [Roofline; 2] {
        [-1.0, 1.0].map(|sign| {
            let (time, first) = ((sign * self.time).exp(), (sign * self.first).exp());
            Roofline {
                alpha_ms: service.alpha_ms * time,
                beta_ms: service.beta_ms * time,
                gamma_ms: service.gamma_ms * time,
                delta_ms: service.delta_ms * time * first,
                delta2_ms: service.delta2_ms * time * first,
                // The same time of computing hides.
                hidden_tokens: service.hidden_tokens / first,
                overhead_ms: service.overhead_ms * time * first,
                lag_steps: service.lag_steps * first,
                experts: Experts { read_ms: service.experts.read_ms * time, ..service.experts },
            }
        })
    }
}
