//! What the queueing model says of a measured point.

use isocost_model::queue::{ServiceModel, Station};

use crate::point::{Arrivals, Point};

/// Latencies that the model predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Time to first token, ms.
    pub ttft_ms: f64,
    /// Inter-token latency, ms.
    pub itl_ms: f64,
    /// Arrival rate over the rate that the replica can serve; 0 in a closed loop.
    pub load: f64,
}

/// Above this share of the capacity an unbounded queue is not told from one that grows: the
/// prediction is extrapolated from here, so that the fit has a slope back to where it is stable.
const SATURATED: f64 = 0.995;

/// How fast the extrapolated time to first token rises with the load.
const STEEP: i32 = 20;

/// Predicts `point` for a replica of batch size `batch`; `None` where the service times are no
/// positive numbers.
pub fn predict(service: ServiceModel, batch: u32, point: &Point) -> Option<Prediction> {
    let mut station = Station::new(service, point.input_tokens, point.output_tokens, None);
    match point.arrivals {
        Arrivals::Closed { clients } => Some(closed(&station, batch, clients)),
        Arrivals::Open { scv } => {
            station.arrival_scv = scv;
            open(&station, batch, point.rate_per_s)
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
    Some(Prediction { ttft_ms, itl_ms: a.itl_ms * beyond, load })
}

/// Clients above the batch size wait for a place, one after the other.
fn closed(station: &Station, batch: u32, clients: u32) -> Prediction {
    let served = clients.clamp(1, batch);
    let latency = station.closed_loop(served);
    let waiting = f64::from(clients.saturating_sub(batch));
    let wait_ms = waiting * 1000.0 / station.service_rate_per_s(served);
    Prediction { ttft_ms: wait_ms + latency.first_token_ms, itl_ms: latency.itl_ms, load: 0.0 }
}
