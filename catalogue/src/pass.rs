//! What a pass takes, from bytes, FLOPs and messages.
//!
//! A pass of `m` tokens and `n` requests on `g = tp dp` cards, each with bandwidth `W` and compute `F`,
//!
//! ```text
//! reads      weights that every token goes through    (P_attention + P_dense + head) bytes / tp / (e_w W)
//!            experts that its tokens take             c(n) P_experts bytes / g / (e_x e_w W),
//!                                                     c(n) = 1 - (1 - k / E)^n
//!            keys and values of its requests          tokens of context x cache bytes / dp / (e_k W)
//! computes   2 P a token                              2 (P_attention + P_dense) / g / (e_c F) + experts
//!            attention within prompts                 H (d + v) L tokens^2 / g / (e_a F)
//! sends      two all-reduces a layer                  each t_r, and 2 (tp - 1) / tp h 2 bytes a token / (e_l link)
//! and waits  for the host                             t_0, and t_l a layer, and t_n a request
//! ```
//!
//! with efficiencies `e` of the data sheet's figures ([`Efficiency`]). Reading and computing overlap: the
//! first tokens of a pass, as many as are computed in a share `s` of the time that weights take, cost
//! nothing more. This is the roofline service model ([`Roofline`]).

use isocost_model::queue::{Experts, Roofline};

use crate::card::Card;
use crate::efficiency::Efficiency;
use crate::memory::bytes_of;
use crate::model::Model;
use crate::placement::Placement;
use crate::precision::Precision;

/// All-reduces of a layer.
const REDUCES: f64 = 2.0;

/// Parts of a pass, ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// Weights that every token goes through, read once.
    pub weights_ms: f64,
    /// All experts, read once.
    pub experts_ms: f64,
    /// The host, and what all-reduces take however little they carry.
    pub fixed_ms: f64,
    /// A request: the host, its message, and its windows.
    pub request_ms: f64,
    /// A token of context.
    pub context_ms: f64,
    /// Computing a token of a prompt, and its message.
    pub token_ms: f64,
    /// Attention within a prompt, a square of its tokens.
    pub square_ms: f64,
}

impl Pass {
    /// The parts of a pass.
    pub fn new(model: &Model, card: &Card, placement: &Placement, e: &Efficiency) -> Self {
        let a = &model.architecture;
        let (tp, dp) = (f64::from(placement.tp), f64::from(placement.dp));
        let cards = tp * dp;
        let (dense_bytes, expert_bytes) = bytes_of(placement);
        let bytes_per_ms = card.bandwidth_gb_per_s * 1e6;
        let every_token = a.attention_parameters() + a.dense_parameters();
        let head = a.head_parameters() * Precision::Bf16.bytes();
        let read = |bytes: f64, share: f64| bytes / (share * bytes_per_ms);
        let cached = placement.kv_precision.bytes() / dp;
        let window = a.window.map_or(0.0, |w| w.tokens) * a.cached_in_window(tp) * cached;
        let taken = a.experts.map_or(0.0, |x| x.per_token / x.count) * a.expert_parameters();
        let stored = placement.quantization.precision;
        let rest = if placement.quantization.experts_only { Precision::Bf16 } else { stored };
        let compute = |flops: f64, precision| flops / cards / e.flops_per_ms(card, precision);
        let message_ms = message_ms(model, card, placement, e);
        let handed_ms = a.experts.map_or(0.0, |x| x.layers * x.per_token * e.expert_ms / dp);
        Self {
            weights_ms: read((every_token * dense_bytes + head) / tp, e.weights),
            experts_ms: read(a.expert_parameters() * expert_bytes / cards, e.weights * e.experts),
            fixed_ms: e.pass_ms + a.layers * (e.layer_ms + reduces(placement) * e.reduce_ms),
            request_ms: e.request_ms / dp + message_ms + handed_ms + read(window, e.cache),
            context_ms: read(a.cached(tp) * cached, e.cache),
            token_ms: compute(2.0 * every_token, rest)
                + compute(2.0 * taken, stored)
                + handed_ms
                + message_ms,
            square_ms: compute(a.attention_flops(), Precision::Bf16) / e.attention,
        }
    }

    /// The roofline service model of it.
    pub fn roofline(&self, model: &Model, e: &Efficiency) -> Roofline {
        let alpha_ms = self.fixed_ms + self.weights_ms;
        let share = model.architecture.experts.map_or(0.0, |x| x.per_token / x.count);
        Roofline {
            alpha_ms,
            beta_ms: self.request_ms,
            gamma_ms: self.context_ms,
            delta_ms: self.token_ms,
            delta2_ms: self.square_ms,
            hidden_tokens: (e.hidden * self.weights_ms).min(0.99 * alpha_ms) / self.token_ms,
            overhead_ms: e.overhead_ms + model.architecture.layers * e.prompt_layer_ms,
            lag_steps: e.lag_steps,
            experts: Experts { read_ms: self.experts_ms, share },
        }
    }
}

fn reduces(placement: &Placement) -> f64 {
    if placement.cards() > 1 { REDUCES } else { 0.0 }
}

/// What the messages of a token take on the link of a card, ms: those of its group's all-reduces, and where
/// experts are whole, its way to each of them and back.
fn message_ms(model: &Model, card: &Card, placement: &Placement, e: &Efficiency) -> f64 {
    let a = &model.architecture;
    let (tp, cards) = (f64::from(placement.tp), f64::from(placement.cards()));
    let bytes = a.hidden * Precision::Bf16.bytes();
    let others = |cards: f64| (cards - 1.0) / cards;
    let reduced = REDUCES * a.layers * bytes * 2.0 * others(tp) / f64::from(placement.dp);
    let sent = a
        .experts
        .filter(|_| placement.dp > 1)
        .map_or(0.0, |x| 2.0 * x.layers * x.per_token * bytes * others(cards) / cards);
    (reduced + sent) / (e.link * card.link_gb_per_s * 1e6)
}
