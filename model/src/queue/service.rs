//! Service times: how long a request is served at each occupancy.

use super::engine::{self, EngineSettings};
use super::iteration::Iteration;
use super::linear::Linear;
use super::reading::Reading;
use super::roofline::Roofline;

/// Tokens that one iteration processes at most, `M` of the service models.
pub const TOKEN_BUDGET: f64 = 8192.0;

/// No batch is larger than this.
pub const MAX_BATCH: u32 = 100_000;

/// Service times against the number of requests in service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceModel {
    /// A prefill and decode steps that grow with the number in service.
    Linear(Linear),
    /// Iterations whose time is that of the tokens in them.
    Iteration(Iteration),
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
    /// Which of the two models says what it does.
    pub reading: Reading,
    /// How its passes are composed, and what its KV cache holds; the engine's reading alone.
    pub engine: EngineSettings,
    /// Squared coefficient of variation of prompts, 0 where all are alike; the engine's reading alone.
    pub input_scv: f64,
    /// Share of a prompt's tokens that the prefix cache holds, in [0, 1]; the engine's reading alone.
    pub prefix_hit_share: f64,
    /// On the way to it and back, ms: part of the time to the first token and to the last.
    pub network_ms: f64,
}

/// Latencies of a request in service, as the service model reads them off the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Time between two output tokens, ms.
    pub itl_ms: f64,
    /// From the end of the wait to the first token, ms.
    pub first_token_ms: f64,
}

/// Mean tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tokens {
    pub input: f64,
    pub output: f64,
}

/// What the chain says of requests in service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Most in service.
    pub batch: f64,
    /// Mean service time, ms.
    pub service_ms: f64,
    /// Mean number in service.
    pub in_service: f64,
}

impl Station {
    /// A replica under Poisson arrivals, as the reference reads it.
    pub fn new(
        service: ServiceModel,
        input_tokens: f64,
        output_tokens: f64,
        queue_limit: Option<u32>,
    ) -> Self {
        Self {
            service,
            input_tokens,
            output_tokens,
            queue_limit,
            arrival_scv: 1.0,
            token_scv: 1.0,
            reading: Reading::Reference,
            engine: EngineSettings::default(),
            input_scv: 0.0,
            prefix_hit_share: 0.0,
            network_ms: 0.0,
        }
    }

    /// The largest batch up to `batch` that the KV cache holds but for a rare moment, at least 1; `batch`
    /// itself where the cache is not known, and under the reference's reading.
    pub fn batch_limit(&self, batch: u32) -> u32 {
        match self.reading {
            Reading::Engine => engine::batch_limit(self, batch),
            Reading::Reference => batch,
        }
    }

    /// `mu(n)`, requests/s, with `n >= 1` in service.
    pub fn service_rate_per_s(&self, n: u32) -> f64 {
        1000.0 * f64::from(n) / self.service_ms(f64::from(n))
    }

    /// `S(n)`, ms.
    pub fn service_ms(&self, n: f64) -> f64 {
        if self.reading == Reading::Engine {
            return engine::service_ms(self, n);
        }
        let tokens = self.tokens();
        match &self.service {
            ServiceModel::Linear(linear) => linear.service_ms(tokens, n),
            ServiceModel::Iteration(iteration) => iteration.service_ms(tokens, n),
            ServiceModel::Roofline(roofline) => roofline.service_ms(tokens, n),
        }
    }

    /// Time of one decode step or iteration with `n` in service, ms.
    pub(super) fn step_ms(&self, n: f64) -> f64 {
        if self.reading == Reading::Engine {
            return engine::pass_ms(self, n);
        }
        match &self.service {
            ServiceModel::Linear(linear) => linear.step_ms(n),
            ServiceModel::Iteration(iteration) => iteration.step_ms(self.tokens(), n),
            ServiceModel::Roofline(roofline) => roofline.step_ms(self.tokens(), n),
        }
    }

    /// Latencies of requests in service, by what the chain says of them.
    #[inline(always)]
    pub(super) fn latency(&self, seen: Seen) -> Latency {
        let tokens = self.tokens();
        let latency = match &self.service {
            ServiceModel::Linear(linear) => linear.latency(tokens, seen),
            ServiceModel::Iteration(iteration) => iteration.latency(tokens, seen),
            ServiceModel::Roofline(roofline) => roofline.latency(tokens, seen),
        };
        Latency { first_token_ms: latency.first_token_ms + self.network_ms, ..latency }
    }

    /// Time to first token outside the engine, ms, of a request that arrives during a pass of
    /// `under_way_ms` (0 where the replica is idle).
    pub fn outside_ms(&self, under_way_ms: f64) -> f64 {
        self.service.outside_ms(under_way_ms) + self.network_ms
    }

    /// Latencies while `n >= 1` requests are in service all the time, as where each of `n` clients
    /// sends its next request when the last is answered.
    pub fn closed_loop(&self, n: u32) -> Latency {
        if self.reading == Reading::Engine {
            return engine::closed_loop(self, n);
        }
        let n = f64::from(n.max(1));
        self.latency(Seen { batch: n, service_ms: self.service_ms(n), in_service: n })
    }

    #[inline(always)]
    fn tokens(&self) -> Tokens {
        Tokens { input: self.input_tokens, output: self.output_tokens }
    }
}

impl ServiceModel {
    /// Whether every parameter is zero, so that requests would take no time.
    pub(crate) fn is_zero(&self) -> bool {
        let [_, parameters @ ..] = self.parameters();
        parameters.iter().all(|parameter| *parameter == 0.0)
    }

    /// Its parameters in a fixed order, 0 where it has none: equal ones mean equal service times.
    pub(crate) fn parameters(&self) -> [f64; 11] {
        match *self {
            Self::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }) => {
                [0.0, alpha_ms, beta_ms, gamma_ms, delta_ms, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
            }
            Self::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }) => {
                [1.0, alpha_ms, beta_ms, gamma_ms, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
            }
            Self::Roofline(r) => [
                2.0,
                r.alpha_ms,
                r.beta_ms,
                r.gamma_ms,
                r.delta_ms,
                r.delta2_ms,
                r.hidden_tokens,
                r.overhead_ms,
                r.lag_steps,
                r.experts.read_ms,
                r.experts.share,
            ],
        }
    }
}
