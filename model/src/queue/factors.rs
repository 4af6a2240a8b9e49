//! Service times that are longer, or shorter, by factors.
//!
//! A factor on alpha is one on everything that a step or iteration reads whatever is in it, the weights
//! of experts among it; one on delta is one on all computation. Tokens that hide, and the share of the
//! experts that a token needs, are no times and stay.

use super::iteration::Iteration;
use super::linear::Linear;
use super::roofline::{Experts, Roofline};
use super::service::ServiceModel;

/// Factors on the parameters of a service model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors {
    /// On alpha.
    pub alpha: f64,
    /// On beta.
    pub beta: f64,
    /// On gamma.
    pub gamma: f64,
    /// On delta.
    pub delta: f64,
    /// On time that is stated beside these: outside the engine.
    pub rest: f64,
    /// On the steps until a request joins.
    pub lag: f64,
}

impl Factors {
    /// One factor on every time; a lag is a number of steps, which are longer by themselves.
    pub fn of_times(factor: f64) -> Self {
        let [alpha, beta, gamma, delta, rest] = [factor; 5];
        Self { alpha, beta, gamma, delta, rest, lag: 1.0 }
    }
}

impl ServiceModel {
    /// The same with its parameters times their factors.
    #[must_use]
    pub fn scaled(self, by: &Factors) -> Self {
        match self {
            Self::Linear(l) => Self::Linear(Linear {
                alpha_ms: l.alpha_ms * by.alpha,
                beta_ms: l.beta_ms * by.beta,
                gamma_ms: l.gamma_ms * by.gamma,
                delta_ms: l.delta_ms * by.delta,
            }),
            Self::Iteration(i) => Self::Iteration(Iteration {
                alpha_ms: i.alpha_ms * by.alpha,
                beta_ms: i.beta_ms * by.beta,
                gamma_ms: i.gamma_ms * by.gamma,
            }),
            Self::Roofline(r) => Self::Roofline(Roofline {
                alpha_ms: r.alpha_ms * by.alpha,
                beta_ms: r.beta_ms * by.beta,
                gamma_ms: r.gamma_ms * by.gamma,
                delta_ms: r.delta_ms * by.delta,
                delta2_ms: r.delta2_ms * by.delta,
                overhead_ms: r.overhead_ms * by.rest,
                lag_steps: r.lag_steps * by.lag,
                experts: Experts { read_ms: r.experts.read_ms * by.alpha, ..r.experts },
                ..r
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Pass;

    #[test]
    fn a_factor_on_all_times_is_one_on_every_pass() {
        let experts = Experts { read_ms: 7.0, share: 0.05 };
        let roofline = Roofline {
            alpha_ms: 10.0,
            beta_ms: 0.1,
            gamma_ms: 1e-4,
            delta_ms: 0.05,
            delta2_ms: 1e-6,
            hidden_tokens: 100.0,
            overhead_ms: 5.0,
            lag_steps: 1.5,
            experts,
        };
        let service = ServiceModel::Roofline(roofline);
        let longer = service.scaled(&Factors::of_times(1.5));
        let decode = Pass { decoding: 9.0, decode_context: 9000.0, ..Pass::default() };
        let mixed = Pass { chunks: 1.0, prompt_tokens: 500.0, prompt_attention: 25e4, ..decode };
        for pass in [decode, mixed] {
            let ratio = longer.pass_ms(&pass) / service.pass_ms(&pass);
            assert!((ratio - 1.5).abs() < 1e-12, "{ratio}");
        }
        // Nine tokens leave 0.95^9 of the experts alone.
        let expected = 10.0 + 0.9 + 0.9 + 7.0 * (1.0 - 0.95_f64.powi(9));
        assert!((service.pass_ms(&decode) - expected).abs() < 1e-9);
    }
}
