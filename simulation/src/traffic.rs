//! Requests as they arrive: drawn, or read from a trace.

use isocost_model::queue::Station;
use rand::rngs::ChaCha8Rng;

use crate::random::{Lengths, Purpose, Variate, rounded, stream};

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Arrival since the start, ms.
    pub arrival_ms: f64,
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Of them, those that the prefix cache holds: they need no computing, and take their place in
    /// the KV cache. The last token of a prompt is always computed.
    pub cached_tokens: u32,
    /// Tokens of the answer, at least 1.
    pub output_tokens: u32,
    /// Time that it has behind it as it arrives, ms: its latencies are from before that on.
    pub before_ms: f64,
}

/// Requests of one replica, by their means and variation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Arrival rate, requests/s.
    pub rate_per_s: f64,
    /// Squared coefficient of variation of inter-arrival times: a renewal process, Poisson at 1.
    pub arrival_scv: f64,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Squared coefficient of variation of prompts; at 0 they are all as long as their mean, a
    /// fraction rounded at random.
    pub input_scv: f64,
    /// Share of a prompt's tokens that the prefix cache holds, in [0, 1].
    pub prefix_hit_share: f64,
    /// Mean tokens of an answer, at least 1.
    pub output_tokens: f64,
    /// Squared coefficient of variation of answers; at 1 they are geometric, the memoryless length.
    pub token_scv: f64,
}

impl Traffic {
    /// Poisson arrivals of prompts of one length, none of it cached, with memoryless answers.
    pub fn new(rate_per_s: f64, input_tokens: f64, output_tokens: f64) -> Self {
        Self {
            rate_per_s,
            arrival_scv: 1.0,
            input_tokens,
            input_scv: 0.0,
            prefix_hit_share: 0.0,
            output_tokens,
            token_scv: 1.0,
        }
    }

    /// The requests of a station at a rate, requests/s.
    pub fn of(station: &Station, rate_per_s: f64) -> Self {
        Self {
            rate_per_s,
            arrival_scv: station.arrival_scv,
            input_tokens: station.input_tokens,
            input_scv: station.input_scv,
            prefix_hit_share: station.prefix_hit_share,
            output_tokens: station.output_tokens,
            token_scv: station.token_scv,
        }
    }
}

/// An endless draw of requests.
pub(crate) struct Draw {
    now_ms: f64,
    shape: Shape,
    arrivals: ChaCha8Rng,
    prompts: ChaCha8Rng,
    hits: ChaCha8Rng,
    answers: ChaCha8Rng,
}

/// What is drawn for a request.
struct Shape {
    gap_ms: Variate,
    input_tokens: Variate,
    prefix_hit_share: f64,
    output_tokens: Lengths,
}

impl Shape {
    fn new(traffic: &Traffic) -> Self {
        Self {
            gap_ms: Variate::new(1000.0 / traffic.rate_per_s, traffic.arrival_scv),
            input_tokens: Variate::new(traffic.input_tokens, traffic.input_scv),
            prefix_hit_share: traffic.prefix_hit_share,
            output_tokens: Lengths::new(traffic.output_tokens, traffic.token_scv),
        }
    }
}

impl Draw {
    pub fn new(traffic: &Traffic, seed: u64, unit: u32, replication: u32) -> Self {
        Self {
            now_ms: 0.0,
            shape: Shape::new(traffic),
            arrivals: stream(seed, unit, replication, Purpose::Arrivals),
            prompts: stream(seed, unit, replication, Purpose::Prompts),
            hits: stream(seed, unit, replication, Purpose::Hits),
            answers: stream(seed, unit, replication, Purpose::Answers),
        }
    }

    /// From `now_ms` on requests come as `traffic` says.
    pub fn change(&mut self, traffic: &Traffic, now_ms: f64) {
        self.now_ms = now_ms;
        self.shape = Shape::new(traffic);
    }
}

impl Iterator for Draw {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let shape = &self.shape;
        self.now_ms += shape.gap_ms.draw(&mut self.arrivals);
        let input_tokens = rounded(shape.input_tokens.draw(&mut self.prompts), &mut self.prompts);
        let cached = shape.prefix_hit_share * f64::from(input_tokens);
        Some(Request {
            arrival_ms: self.now_ms,
            input_tokens,
            cached_tokens: rounded(cached, &mut self.hits),
            output_tokens: shape.output_tokens.draw(&mut self.answers),
            before_ms: 0.0,
        })
    }
}
