//! Requests as they arrive: drawn, or read from a trace.

use rand::rngs::ChaCha8Rng;

use crate::random::{Lengths, Purpose, Variate, rounded, stream};

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Arrival since the start, ms.
    pub arrival_ms: f64,
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer, at least 1.
    pub output_tokens: u32,
}

/// Requests of one replica, by their means and variation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Arrival rate, requests/s.
    pub rate_per_s: f64,
    /// Squared coefficient of variation of inter-arrival times: a renewal process, Poisson at 1.
    pub arrival_scv: f64,
    /// Tokens of a prompt: the same for every request, a fraction rounded at random.
    pub input_tokens: f64,
    /// Mean tokens of an answer, at least 1.
    pub output_tokens: f64,
    /// Squared coefficient of variation of answers; at 1 they are geometric, the memoryless length.
    pub token_scv: f64,
}

/// An endless draw of requests.
pub(crate) struct Draw {
    now_ms: f64,
    gaps: Variate,
    input_tokens: f64,
    lengths: Lengths,
    arrivals: ChaCha8Rng,
    prompts: ChaCha8Rng,
    answers: ChaCha8Rng,
}

impl Draw {
    pub fn new(traffic: &Traffic, seed: u64, unit: u32, replication: u32) -> Self {
        let rng = |purpose| stream(seed, unit, replication, purpose);
        Self {
            now_ms: 0.0,
            gaps: Variate::new(1000.0 / traffic.rate_per_s, traffic.arrival_scv),
            input_tokens: traffic.input_tokens,
            lengths: Lengths::new(traffic.output_tokens, traffic.token_scv),
            arrivals: rng(Purpose::Arrivals),
            prompts: rng(Purpose::Prompts),
            answers: rng(Purpose::Answers),
        }
    }
}

impl Draw {
    /// From `now_ms` on requests come as `traffic` says.
    pub fn change(&mut self, traffic: &Traffic, now_ms: f64) {
        self.now_ms = now_ms;
        self.gaps = Variate::new(1000.0 / traffic.rate_per_s, traffic.arrival_scv);
        self.input_tokens = traffic.input_tokens;
        self.lengths = Lengths::new(traffic.output_tokens, traffic.token_scv);
    }
}

impl Iterator for Draw {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.now_ms += self.gaps.draw(&mut self.arrivals);
        Some(Request {
            arrival_ms: self.now_ms,
            input_tokens: rounded(self.input_tokens, &mut self.prompts),
            output_tokens: self.lengths.draw(&mut self.answers),
        })
    }
}
