//! What a rate brings on average, and as an analysis states it.

use super::chain::Replica;
use crate::queue::analysis::Analysis;
use crate::queue::occupancy::Occupancy;

/// What a rate brings on average; times in ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::queue) struct Means {
    pub chain: Occupancy,
    /// Wait for a place in the batch.
    pub place_ms: f64,
    /// Probability that an arrival finds all places taken.
    pub places_taken: f64,
    /// Wait for the end of the pass under way.
    pub residual_ms: f64,
    /// Between two tokens.
    pub itl_ms: f64,
    /// From the end of the wait to the first token.
    pub first_ms: f64,
    /// How much longer cycles of whole prompts are than levels say.
    pub stretch: f64,
}

impl Means {
    /// Mean wait for a place and for the end of the pass under way, ms.
    pub(super) fn wait_ms(&self) -> f64 {
        self.place_ms + self.residual_ms
    }

    /// Wait for a place that `percent` do not exceed, ms: exponential where there is one.
    pub(super) fn place_percentile_ms(&self, percent: f64) -> f64 {
        let odds = self.places_taken / (1.0 - percent / 100.0);
        if odds > 1.0 { self.place_ms / self.places_taken * odds.ln() } else { 0.0 }
    }

    /// Mean time to first token, ms.
    pub(super) fn ttft_ms(&self) -> f64 {
        self.wait_ms() + self.first_ms
    }
}

impl Replica {
    /// What a rate brings, as an analysis states it.
    pub fn analysis(&self, rate_per_s: f64) -> Analysis {
        self.analysis_of(&self.means(rate_per_s / 1000.0), rate_per_s)
    }

    /// The same where the means are known.
    pub(super) fn analysis_of(&self, means: &Means, rate_per_s: f64) -> Analysis {
        let chain = means.chain;
        let throughput_per_s = rate_per_s * (1.0 - chain.loss);
        let served_per_ms = throughput_per_s / 1000.0;
        let mean_wait_ms = means.wait_ms();
        // A request that waits for the end of a pass is not in service yet.
        let mean_in_service = (chain.in_service - served_per_ms * means.residual_ms).max(0.0);
        let mean_service_ms = mean_in_service / served_per_ms;
        Analysis {
            station: *self.station(),
            batch: self.batch(),
            rate_per_s,
            throughput_per_s,
            capacity_per_s: self.capacity_per_s(),
            loss_probability: chain.loss,
            mean_in_system: mean_in_service + served_per_ms * mean_wait_ms,
            mean_in_service,
            mean_wait_ms,
            mean_service_ms,
            mean_response_ms: mean_wait_ms + mean_service_ms,
            itl_ms: means.itl_ms,
            ttft_ms: mean_wait_ms + means.first_ms,
            utilisation: mean_in_service / f64::from(self.batch()),
            first_token_ms: means.first_ms,
            chain,
        }
    }
}
