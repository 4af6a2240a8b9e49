//! Analysis: what a rate brings.

use super::bursts::Bursts;
use super::engine::{OneShot, Replica, batch_limit};
use super::objective::{ItlOver, Metric, Objectives};
use super::occupancy::{Occupancy, mean_gaps_ms};
use super::reading::Reading;
use super::service::{Latency, MAX_BATCH, Seen, Station};

/// What one replica of a given batch size does at a given rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Analysis {
    /// The replica.
    pub station: Station,
    /// Batch size `N`.
    pub batch: u32,
    /// Arrival rate, requests/s.
    pub rate_per_s: f64,
    /// Rate served, `lambda (1 - loss)`, requests/s.
    pub throughput_per_s: f64,
    /// `mu(N)`, requests/s.
    pub capacity_per_s: f64,
    /// Probability that an arrival is turned away.
    pub loss_probability: f64,
    /// Mean requests in service and waiting.
    pub mean_in_system: f64,
    /// Mean requests in service.
    pub mean_in_service: f64,
    /// Mean wait of a request that is served, ms.
    pub mean_wait_ms: f64,
    /// Mean service time, ms.
    pub mean_service_ms: f64,
    /// Mean wait and service time, ms.
    pub mean_response_ms: f64,
    /// Mean inter-token latency, ms.
    pub itl_ms: f64,
    /// Mean time to first token, ms.
    pub ttft_ms: f64,
    /// Mean requests in service over the batch size, in [0, 1].
    pub utilisation: f64,
    /// From the start of service to the first token, ms.
    pub first_token_ms: f64,
    /// The slow chain, whose rates are those of the reading.
    pub(super) chain: Occupancy,
}

/// A replica that cannot be analysed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum QueueError {
    /// Batch size 0 or above [`MAX_BATCH`].
    #[error("batch size {0} is outside 1 to {MAX_BATCH}")]
    Batch(u32),
    /// A rate that is not positive and finite.
    #[error("arrival rate {0} requests/s is not a positive number")]
    Rate(f64),
    /// The queue grows without bound.
    #[error(
        "arrival rate {rate_per_s} requests/s is not below the service rate {capacity_per_s} \
         requests/s: an unbounded queue has no steady state"
    )]
    Unstable {
        /// Arrival rate, requests/s.
        rate_per_s: f64,
        /// `mu(N)`, requests/s.
        capacity_per_s: f64,
    },
    /// Service times that are zero, negative or not finite.
    #[error("the service model gives no positive, finite service time at these tokens")]
    Service,
}

impl Analysis {
    /// The value of what an objective limits, as [`Analysis::value`], with a percentile of ITL over what
    /// the objectives say.
    pub fn limited(&self, objectives: &Objectives, metric: Metric, percentile: Option<f64>) -> f64 {
        match (metric, percentile, objectives.itl_over) {
            (Metric::Itl, Some(p), ItlOver::Gaps) => self.itl_percentile_ms(p),
            _ => self.value(metric, percentile),
        }
    }

    /// A latency, its mean or a percentile of it, ms; of loss and rate what they are. A percentile of
    /// ITL is that over requests, [`Analysis::tpot_percentile_ms`].
    pub fn value(&self, metric: Metric, percentile: Option<f64>) -> f64 {
        match (metric, percentile) {
            (Metric::Itl, None) => self.itl_ms,
            (Metric::Itl, Some(p)) => self.tpot_percentile_ms(p),
            (Metric::Ttft, None) => self.ttft_ms,
            (Metric::Ttft, Some(p)) => self.ttft_percentile_ms(p),
            (Metric::Wait, None) => self.mean_wait_ms,
            (Metric::Wait, Some(p)) => self.wait_percentile_ms(p),
            (Metric::E2e, None) => self.e2e_ms(),
            (Metric::E2e, Some(p)) => self.e2e_percentile_ms(p),
            (Metric::Loss, _) => self.loss_probability,
            (Metric::Rate, _) => self.rate_per_s,
        }
    }
}

impl Analysis {
    /// Mean time from the arrival of a request to its last token, ms: to the first token, and a gap for
    /// each that follows; by the reference's reading wait and service.
    pub fn e2e_ms(&self) -> f64 {
        match self.station.reading {
            Reading::Engine => self.station.e2e_ms(self.ttft_ms, self.itl_ms),
            Reading::Reference => self.mean_response_ms + self.station.network_ms,
        }
    }
}

impl Station {
    /// Time to the last token of a mean answer, ms.
    pub(super) fn e2e_ms(&self, ttft_ms: f64, itl_ms: f64) -> f64 {
        ttft_ms + (self.output_tokens - 1.0).max(0.0) * itl_ms
    }
}

impl Station {
    /// What a replica of batch size `batch` does at `rate_per_s` requests/s.
    ///
    /// # Errors
    /// [`QueueError`] where there is no steady state, or a number makes no sense.
    pub fn analyze(&self, batch: u32, rate_per_s: f64) -> Result<Analysis, QueueError> {
        if batch == 0 || batch > MAX_BATCH {
            return Err(QueueError::Batch(batch));
        }
        if !(rate_per_s > 0.0 && rate_per_s.is_finite()) {
            return Err(QueueError::Rate(rate_per_s));
        }
        if self.reading == Reading::Engine {
            return self.analyze_engine(batch, rate_per_s);
        }
        let gaps_ms = mean_gaps_ms(self, batch);
        if !gaps_ms.iter().all(|gap| *gap > 0.0 && gap.is_finite()) {
            return Err(QueueError::Service);
        }
        let capacity_per_s = 1000.0 / gaps_ms[gaps_ms.len() - 1];
        if self.queue_limit.is_none() && rate_per_s >= capacity_per_s {
            return Err(QueueError::Unstable { rate_per_s, capacity_per_s });
        }
        Ok(self.analyze_gaps(&gaps_ms, rate_per_s))
    }

    /// [`Station::analyze`] by the engine's reading.
    fn analyze_engine(&self, batch: u32, rate_per_s: f64) -> Result<Analysis, QueueError> {
        if let Some(queue) = OneShot::new(self, batch) {
            return queue.analyze(rate_per_s);
        }
        let replica = Replica::new(self, batch_limit(self, batch));
        let capacity_per_s = replica.capacity_per_s();
        if !(capacity_per_s > 0.0 && capacity_per_s.is_finite()) {
            return Err(QueueError::Service);
        }
        if self.queue_limit.is_none() && rate_per_s >= capacity_per_s {
            return Err(QueueError::Unstable { rate_per_s, capacity_per_s });
        }
        Ok(replica.analysis(rate_per_s))
    }

    /// The same from `1 / mu(n)`, worked out before and known to be sound.
    pub(super) fn analyze_gaps(&self, gaps_ms: &[f64], rate_per_s: f64) -> Analysis {
        let chain = Occupancy::new(gaps_ms, rate_per_s / 1000.0, self.queue_limit);
        self.read(chain, gaps_ms, rate_per_s)
    }

    /// What a chain of batch size `gaps_ms.len()` says.
    pub(super) fn read(&self, chain: Occupancy, gaps_ms: &[f64], rate_per_s: f64) -> Analysis {
        let batch = gaps_ms.len() as u32;
        let Means { throughput_per_ms, wait_ms, service_ms, latency } =
            self.means(&chain, batch, rate_per_s);
        Analysis {
            station: *self,
            batch,
            rate_per_s,
            throughput_per_s: throughput_per_ms * 1000.0,
            capacity_per_s: 1000.0 / gaps_ms[gaps_ms.len() - 1],
            loss_probability: chain.loss,
            mean_in_system: chain.in_service + throughput_per_ms * wait_ms,
            mean_in_service: chain.in_service,
            mean_wait_ms: wait_ms,
            mean_service_ms: service_ms,
            mean_response_ms: wait_ms + service_ms,
            itl_ms: latency.itl_ms,
            ttft_ms: wait_ms + latency.first_token_ms,
            utilisation: chain.in_service / f64::from(batch),
            first_token_ms: latency.first_token_ms,
            chain,
        }
    }

    /// The means of a chain, by Little's law.
    #[inline(always)]
    pub(super) fn means(&self, chain: &Occupancy, batch: u32, rate_per_s: f64) -> Means {
        let throughput_per_ms = rate_per_s / 1000.0 * (1.0 - chain.loss);
        let gap_ms = 1.0 / throughput_per_ms;
        let service_ms = chain.in_service * gap_ms;
        Means {
            throughput_per_ms,
            wait_ms: chain.waiting * gap_ms * Bursts::new(self, chain).mean(),
            service_ms,
            latency: self.latency(Seen {
                batch: f64::from(batch),
                service_ms,
                in_service: chain.in_service,
            }),
        }
    }
}

/// What objectives on the mean ask of a chain.
pub(super) struct Means {
    pub throughput_per_ms: f64,
    pub wait_ms: f64,
    pub service_ms: f64,
    pub latency: Latency,
}
