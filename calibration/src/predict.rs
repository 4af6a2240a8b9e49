//! What the queueing model says of a measured point.

use isocost_model::queue::{Analysis, EngineSettings, Metric, ServiceModel, Station};

use crate::point::{Arrivals, Point};

/// What a server was measured with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bench {
    /// Batch size: the most requests in service.
    pub batch: u32,
    /// Settings of the engine.
    pub engine: EngineSettings,
}

impl Default for Bench {
    fn default() -> Self {
        Self { batch: 256, engine: EngineSettings::default() }
    }
}

/// Latencies that the model predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Mean time to first token, ms.
    pub ttft_ms: f64,
    /// Mean inter-token latency, ms.
    pub itl_ms: f64,
    /// Arrival rate over the rate that the replica can serve; 0 in a closed loop.
    pub load: f64,
    analysis: Option<Analysis>,
}

impl Prediction {
    /// A percentile of the time to first token, ms; nothing in a closed loop or beyond capacity.
    pub fn ttft_percentile_ms(&self, percent: f64) -> Option<f64> {
        Some(self.analysis.as_ref()?.value(Metric::Ttft, Some(percent)))
    }

    /// A percentile over requests of their mean time between tokens, ms; likewise.
    pub fn tpot_percentile_ms(&self, percent: f64) -> Option<f64> {
        Some(self.analysis.as_ref()?.value(Metric::Itl, Some(percent)))
    }
}

/// Above this share of the capacity an unbounded queue is not told from one that grows: the
/// prediction is extrapolated from here, so that the fit has a slope back to where it is stable.
const SATURATED: f64 = 0.995;

/// How fast the extrapolated time to first token rises with the load.
const STEEP: i32 = 20;

/// Predicts `point` for a replica as it was measured; `None` where the service times are no
/// positive numbers.
pub fn predict(service: ServiceModel, bench: &Bench, point: &Point) -> Option<Prediction> {
    let mut station = Station::new(service, point.input_tokens, point.output_tokens, None);
    station.token_scv = point.token_scv.unwrap_or(1.0);
    match point.arrivals {
        Arrivals::Closed { clients } => Some(closed(&station, bench.batch, clients)),
        Arrivals::Open { scv } => {
            station.arrival_scv = scv;
            open(&station, bench.batch, point.rate_per_s)
        }
    }
}

fn open(station: &Station, batch: u32, rate_per_s: f64) -> Option<Prediction> {
    let capacity_per_s = station.service_rate_per_s(batch);
    let load = rate_per_s / capacity_per_s;
    let at = rate_per_s.min(SATURATED * capacity_per_s);
    let a = station.analyze(batch, at).ok()?;
    let beyond = (load / SATURATED).max(1.0);
    let ttft_ms = a.ttft_ms * beyond.min(1e6).powi(STEEP);
    let analysis = (beyond <= 1.0).then_some(a);
    Some(Prediction { ttft_ms, itl_ms: a.itl_ms * beyond, load, analysis })
}

/// Clients above the batch size wait for a place, one after the other.
fn closed(station: &Station, batch: u32, clients: u32) -> Prediction {
    let served = clients.clamp(1, batch);
    let latency = station.closed_loop(served);
    let waiting = f64::from(clients.saturating_sub(batch));
    let wait_ms = waiting * 1000.0 / station.service_rate_per_s(served);
    let ttft_ms = wait_ms + latency.first_token_ms;
    Prediction { ttft_ms, itl_ms: latency.itl_ms, load: 0.0, analysis: None }
}
