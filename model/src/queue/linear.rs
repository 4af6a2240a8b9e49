//! The linear service model: a prefill and decode steps that grow with the number in service.
//!
//! ```text
//! prefill(n) = gamma + delta in n      (0 without a prompt)
//! step(n)    = alpha + beta n                                   = ITL at occupancy n
//! S(n)       = prefill(n) + (out - 1) step(n)
//! TTFT       = wait + prefill(n)
//! ```
//!
//! Latencies are read off at the occupancy `n*` that solves `S(n*)` = mean service time.

use super::service::{Latency, Seen, Tokens};

/// Parameters of the linear service model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    /// Decode step of an empty batch, ms.
    pub alpha_ms: f64,
    /// Decode step, ms for each request in the batch.
    pub beta_ms: f64,
    /// Prefill of an empty prompt, ms.
    pub gamma_ms: f64,
    /// Prefill, ms for each input token and request in the batch.
    pub delta_ms: f64,
}

impl Linear {
    pub(super) fn step_ms(&self, n: f64) -> f64 {
        self.alpha_ms + self.beta_ms * n
    }

    /// `S(n) = fixed + slope n`.
    #[inline]
    fn parts(&self, tokens: Tokens) -> (f64, f64) {
        let steps = tokens.output - 1.0;
        let prefill = if tokens.input > 0.0 { self.gamma_ms } else { 0.0 };
        (prefill + steps * self.alpha_ms, self.delta_ms * tokens.input + steps * self.beta_ms)
    }

    pub(super) fn service_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let (fixed, slope) = self.parts(tokens);
        fixed + slope * n
    }

    #[inline(always)]
    pub(super) fn latency(&self, tokens: Tokens, seen: Seen) -> Latency {
        let (fixed, slope) = self.parts(tokens);
        let n = if slope > 0.0 {
            ((seen.service_ms - fixed) / slope).clamp(0.0, seen.batch)
        } else {
            seen.in_service.min(seen.batch)
        };
        let input = tokens.input;
        let prefill = if input > 0.0 { self.gamma_ms + self.delta_ms * input * n } else { 0.0 };
        Latency { itl_ms: self.step_ms(n), first_token_ms: prefill }
    }
}
