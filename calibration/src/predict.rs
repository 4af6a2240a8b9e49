//! What the queueing model says of a measured point.

use isocost_model::queue::{
    Analysis, EngineSettings, Metric, QueueError, Reading, ServiceModel, Station,
};

use crate::course::Course;
use crate::point::{Arrivals, Point};
use crate::replay::{self, Load, Replayed};

/// What a server was measured with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bench {
    /// Batch size: the most requests in service.
    pub batch: u32,
    /// Settings of the engine.
    pub engine: EngineSettings,
    /// How the clients of closed loops keep step.
    pub course: Course,
}

impl Default for Bench {
    fn default() -> Self {
        let (engine, course) = (EngineSettings::default(), Course::default());
        Self { batch: 256, engine, course }
    }
}

impl Bench {
    /// A server with places for all clients of the points' closed loops, and 256 at least.
    pub fn for_clients(points: &[Point]) -> Self {
        let mut bench = Self::default();
        for point in points {
            if let Arrivals::Closed { clients } = point.arrivals {
                bench.batch = bench.batch.max(clients);
            }
        }
        bench
    }
}

/// Latencies that the model predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Mean time to first token, ms.
    pub ttft_ms: f64,
    /// Mean inter-token latency, ms.
    pub itl_ms: f64,
    /// Arrival rate over the rate that the replica can serve; 0 in a closed loop.
    pub load: f64,
    shape: Shape,
}

/// What percentiles are read off.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Queue(Box<Analysis>),
    Replay(Replayed),
    /// Beyond capacity there is no distribution.
    None,
}

impl Prediction {
    /// A percentile of the time to first token, ms; nothing beyond capacity.
    pub fn ttft_percentile_ms(&self, percent: f64) -> Option<f64> {
        match &self.shape {
            Shape::Queue(analysis) => Some(analysis.value(Metric::Ttft, Some(percent))),
            Shape::Replay(replayed) => replayed.ttft_percentile_ms(percent),
            Shape::None => None,
        }
    }

    /// A percentile over requests of their mean time between tokens, ms; likewise.
    pub fn tpot_percentile_ms(&self, percent: f64) -> Option<f64> {
        match &self.shape {
            Shape::Queue(analysis) => Some(analysis.value(Metric::Itl, Some(percent))),
            Shape::Replay(replayed) => replayed.tpot_percentile_ms(percent),
            Shape::None => None,
        }
    }
}

/// Above this share of the capacity an unbounded queue is not told from one that grows: the
/// prediction is extrapolated from here, so that the fit has a slope back to where it is stable.
const SATURATED: f64 = 0.995;

/// How fast the extrapolated time to first token rises with the load.
const STEEP: i32 = 20;

/// Loads are not extrapolated beyond this.
const BEYOND: f64 = 1e6;

/// Predicts `point` for a replica as it was measured; `None` where the service times are no
/// positive numbers.
///
/// Closed loops and constant gaps are replayed request by request; of other arrivals the
/// queueing model tells what is to be expected.
pub fn predict(service: ServiceModel, bench: &Bench, point: &Point) -> Option<Prediction> {
    let load = Load { service, bench, point };
    match point.arrivals {
        Arrivals::Closed { clients } => replay::clients(&load, clients).map(replayed),
        Arrivals::Open { scv: 0.0 } => replay::gaps(&load).map(replayed),
        Arrivals::Open { scv } => queued(service, bench, point, scv),
    }
}

/// A queue that grows in a replay has latencies that rise with the load: they need no extrapolation.
fn replayed(r: Replayed) -> Prediction {
    let Replayed { ttft_ms, itl_ms, load, .. } = r;
    let shape = if load > 1.0 { Shape::None } else { Shape::Replay(r) };
    Prediction { ttft_ms, itl_ms, load, shape }
}

/// The engine's model of random arrivals, as plans are made with.
fn queued(service: ServiceModel, bench: &Bench, point: &Point, scv: f64) -> Option<Prediction> {
    let mut station = Station::new(service, point.input_tokens, point.output_tokens, None);
    station.reading = Reading::Engine;
    station.engine = bench.engine;
    station.token_scv = point.token_scv.unwrap_or(1.0);
    station.input_scv = point.input_scv.unwrap_or(0.0);
    station.arrival_scv = scv;
    let rate_per_s = point.rate_per_s;
    let (a, beyond) = match station.analyze(bench.batch, rate_per_s) {
        Err(QueueError::Unstable { capacity_per_s, .. }) => {
            let at = SATURATED * capacity_per_s;
            (station.analyze(bench.batch, at).ok()?, (rate_per_s / at).clamp(1.0, BEYOND))
        }
        analysis => (analysis.ok()?, 1.0),
    };
    let (ttft_ms, itl_ms) = (a.ttft_ms * beyond.powi(STEEP), a.itl_ms * beyond);
    let load = rate_per_s / a.capacity_per_s;
    let shape = if beyond > 1.0 { Shape::None } else { Shape::Queue(Box::new(a)) };
    Some(Prediction { ttft_ms, itl_ms, load, shape })
}
