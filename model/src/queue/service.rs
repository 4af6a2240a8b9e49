//! Service times: how long a request is served at each occupancy.

use super::roofline::{Roofline, Tokens};

/// Tokens that one iteration processes at most, `M` of the iteration model.
pub const TOKEN_BUDGET: f64 = 8192.0;

/// No batch is larger than this.
pub const MAX_BATCH: u32 = 100_000;

/// Service times against the number of requests in service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceModel {
    /// `prefill(n) = gamma + delta in n` (0 without input), `decode(n) = alpha + beta n`,
    /// `S(n) = prefill(n) + (out - 1) decode(n)`.
    Linear {
        /// Decode step of an empty batch, ms.
        alpha_ms: f64,
        /// Decode step, ms for each request in the batch.
        beta_ms: f64,
        /// Prefill of an empty prompt, ms.
        gamma_ms: f64,
        /// Prefill, ms for each input token and request in the batch.
        delta_ms: f64,
    },
    /// `S(n) = (c + out) (alpha + n delta(c))`, where `c` is the number of chunks that the token
    /// budget cuts a prefill into, `delta(c) = (w_pre(c) + w_dec) / (c + out)`,
    /// `w_pre(c) = (beta + gamma (c + 1) / 2) in` and
    /// `w_dec = beta out + gamma out (in + (out + 1) / 2)`.
    Iteration {
        /// Overhead of an iteration, ms.
        alpha_ms: f64,
        /// Compute, ms a token.
        beta_ms: f64,
        /// Memory access, ms a token and token of context.
        gamma_ms: f64,
    },
    /// Steps that mix prefill and decode, and computation that hides behind memory traffic.
    Roofline(Roofline),
}

/// One replica: its service model, the requests it serves, and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Service times.
    pub service: ServiceModel,
    /// Mean tokens of a prompt, at least 0.
    pub input_tokens: f64,
    /// Mean tokens of an answer, at least 1.
    pub output_tokens: f64,
    /// Requests that may wait; `None` is unbounded.
    pub queue_limit: Option<u32>,
    /// Squared coefficient of variation of inter-arrival times; 1 is Poisson.
    pub arrival_scv: f64,
    /// Squared coefficient of variation of output tokens; 1 is the chain's own.
    pub token_scv: f64,
}

/// Latencies of a request in service, as the service model reads them off the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Time between two output tokens, ms.
    pub itl_ms: f64,
    /// From the end of the wait to the first token, ms.
    pub first_token_ms: f64,
}

impl Station {
    /// A replica under Poisson arrivals.
    pub fn new(
        service: ServiceModel,
        input_tokens: f64,
        output_tokens: f64,
        queue_limit: Option<u32>,
    ) -> Self {
        Self { service, input_tokens, output_tokens, queue_limit, arrival_scv: 1.0, token_scv: 1.0 }
    }

    /// `mu(n)`, requests/s, with `n >= 1` in service.
    pub fn service_rate_per_s(&self, n: u32) -> f64 {
        1000.0 * f64::from(n) / self.service_ms(f64::from(n))
    }

    /// `S(n)`, ms.
    pub fn service_ms(&self, n: f64) -> f64 {
        match self.service {
            ServiceModel::Linear { .. } => {
                let (fixed, slope) = self.linear_parts();
                fixed + slope * n
            }
            ServiceModel::Iteration { alpha_ms, .. } => {
                let c = self.chunks(n.ceil());
                (c + self.output_tokens) * (alpha_ms + n * self.iteration_delta_ms(c))
            }
            ServiceModel::Roofline(roofline) => roofline.service_ms(self.tokens(), n),
        }
    }

    fn tokens(&self) -> Tokens {
        Tokens { input: self.input_tokens, output: self.output_tokens }
    }

    /// Latencies while `n >= 1` requests are in service all the time, as where each of `n` clients
    /// sends its next request when the last is answered.
    pub fn closed_loop(&self, n: u32) -> Latency {
        let n = n.max(1);
        self.latency(n, self.service_ms(f64::from(n)), f64::from(n))
    }

    /// Time of one decode step (linear, roofline) or iteration with `n` in service, ms.
    pub(super) fn step_ms(&self, n: f64) -> f64 {
        match self.service {
            ServiceModel::Linear { alpha_ms, beta_ms, .. } => alpha_ms + beta_ms * n,
            ServiceModel::Iteration { alpha_ms, .. } => {
                alpha_ms + n * self.iteration_delta_ms(self.chunks(n.ceil()))
            }
            ServiceModel::Roofline(roofline) => roofline.step_ms(self.tokens(), n),
        }
    }

    /// Latencies at a mean service time and a mean number in service of at most `batch`.
    #[inline(always)]
    pub(super) fn latency(
        &self,
        batch: u32,
        mean_service_ms: f64,
        mean_in_service: f64,
    ) -> Latency {
        let most = f64::from(batch);
        match self.service {
            ServiceModel::Linear { alpha_ms, beta_ms, gamma_ms, delta_ms } => {
                let (fixed, slope) = self.linear_parts();
                let n = match slope > 0.0 {
                    true => ((mean_service_ms - fixed) / slope).clamp(0.0, most),
                    false => mean_in_service.min(most),
                };
                let input = self.input_tokens;
                let prefill = if input > 0.0 { gamma_ms + delta_ms * input * n } else { 0.0 };
                Latency { itl_ms: alpha_ms + beta_ms * n, first_token_ms: prefill }
            }
            ServiceModel::Iteration { alpha_ms, .. } => {
                let nearest = f64::from((mean_in_service + 0.5) as u32);
                let c = self.chunks(nearest.clamp(1.0, most));
                let others = (mean_in_service - 1.0) * self.iteration_delta_ms(c);
                let prefill = c * (alpha_ms + others).max(0.0) + self.prefill_work_ms(c);
                let itl_ms = (mean_service_ms - prefill) / self.output_tokens;
                Latency { itl_ms, first_token_ms: prefill + itl_ms }
            }
            ServiceModel::Roofline(roofline) => {
                let tokens = self.tokens();
                let n = roofline.occupancy(tokens, mean_service_ms, most);
                Latency {
                    itl_ms: roofline.step_ms(tokens, n),
                    first_token_ms: roofline.first_token_ms(tokens, n),
                }
            }
        }
    }

    /// `S(n) = fixed + slope n` of the linear model.
    #[inline]
    fn linear_parts(&self) -> (f64, f64) {
        let ServiceModel::Linear { alpha_ms, beta_ms, gamma_ms, delta_ms } = self.service else {
            return (0.0, 0.0);
        };
        let steps = self.output_tokens - 1.0;
        let prefill = if self.input_tokens > 0.0 { gamma_ms } else { 0.0 };
        (prefill + steps * alpha_ms, delta_ms * self.input_tokens + steps * beta_ms)
    }

    /// For a whole `n`, the least `c >= 1` with `floor((c + out) (M - in / c) / (in + out)) >= n`.
    ///
    /// The left side rises with `c`; its root is that of
    /// `M c^2 + (M out - in - n (in + out)) c - in out = 0`.
    #[inline]
    pub(super) fn chunks(&self, n: f64) -> f64 {
        let (input, out, m) = (self.input_tokens, self.output_tokens, TOKEN_BUDGET);
        let tokens = n * (input + out);
        let fits = |c: f64| (c + out) * (m - input / c) >= tokens;
        if n.is_nan() || fits(1.0) {
            return 1.0;
        }
        let b = m * out - input - n * (input + out);
        let root = ((b * b + 4.0 * m * input * out).sqrt() - b) / (2.0 * m);
        let mut c = root.floor().max(1.0);
        // Rounding may leave the root a step off, on either side.
        while c > 1.0 && fits(c - 1.0) {
            c -= 1.0;
        }
        while !fits(c) && c < 1e15 {
            c += 1.0;
        }
        c
    }

    #[inline]
    fn prefill_work_ms(&self, c: f64) -> f64 {
        let ServiceModel::Iteration { beta_ms, gamma_ms, .. } = self.service else { return 0.0 };
        (beta_ms + gamma_ms * (c + 1.0) / 2.0) * self.input_tokens
    }

    #[inline]
    fn iteration_delta_ms(&self, c: f64) -> f64 {
        let ServiceModel::Iteration { beta_ms, gamma_ms, .. } = self.service else { return 0.0 };
        let (input, out) = (self.input_tokens, self.output_tokens);
        let decode = beta_ms * out + gamma_ms * out * (input + (out + 1.0) / 2.0);
        (self.prefill_work_ms(c) + decode) / (c + out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_least_that_fit() {
        let service = ServiceModel::Iteration { alpha_ms: 1.0, beta_ms: 0.1, gamma_ms: 1e-4 };
        for (input, out) in [(128.0, 1024.0), (2048.0, 64.0), (9000.0, 10.0), (0.0, 5.0)] {
            let station = Station::new(service, input, out, None);
            for n in [1.0, 7.0, 64.0, 500.0] {
                let mut c = 1.0;
                while ((c + out) * (TOKEN_BUDGET - input / c) / (input + out)).floor() < n {
                    c += 1.0;
                }
                assert_eq!(station.chunks(n), c, "in {input}, out {out}, n {n}");
            }
        }
    }
}
