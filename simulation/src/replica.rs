//! A replica, and how it serves a stream of requests.

use isocost_model::queue::{EngineSettings, ServiceModel, Station};

use crate::engine::Engine;
use crate::section::{Section, Window};
use crate::traffic::Request;
use crate::{Stopped, Watch};

/// One replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replica {
    /// Service times of the profile.
    pub service: ServiceModel,
    /// Most requests in service.
    pub batch: u32,
    /// Most requests that wait; `None` is unbounded.
    pub queue_limit: Option<u32>,
    /// How its passes are composed, and what its KV cache holds. The token budget is at least the
    /// batch size.
    pub engine: EngineSettings,
    /// On the way to it and back, ms: part of the time to the first token and to the last.
    pub network_ms: f64,
}

impl Replica {
    /// One of a station, with that many requests in service at most.
    pub fn of(station: &Station, batch: u32) -> Self {
        let Station { service, queue_limit, engine, network_ms, .. } = *station;
        Self { service, batch, queue_limit, engine, network_ms }
    }
}

/// Serves `requests` until those counted in `window` have left.
pub(crate) fn serve(
    replica: &Replica,
    requests: impl Iterator<Item = Request>,
    window: Window,
    watch: &Watch<'_>,
) -> Result<Vec<Section>, Stopped> {
    let mut engine = Engine::new(replica, window);
    run(&mut engine, requests, watch)?;
    Ok(engine.into_sections())
}

/// Those who left: their number among the requests, and how long they were there, ms.
pub(crate) type Left = Vec<(u64, f64)>;

/// [`serve`], and who left.
pub(crate) fn serve_on(
    replica: &Replica,
    requests: impl Iterator<Item = Request>,
    window: Window,
    watch: &Watch<'_>,
) -> Result<(Vec<Section>, Left), Stopped> {
    let mut engine = Engine::new(replica, window);
    engine.follow();
    run(&mut engine, requests, watch)?;
    let left = engine.take_left();
    Ok((engine.into_sections(), left))
}

fn run(
    engine: &mut Engine,
    requests: impl Iterator<Item = Request>,
    watch: &Watch<'_>,
) -> Result<(), Stopped> {
    let mut requests = requests.peekable();
    let mut reported = 0;
    loop {
        while let Some(request) = requests.next_if(|r| r.arrival_ms <= engine.now_ms()) {
            engine.arrive(request, 0.0);
        }
        if engine.in_system() == 0 {
            match requests.peek() {
                Some(next) if !engine.recorder().is_done() => engine.idle_until(next.arrival_ms),
                _ => break,
            }
            continue;
        }
        let pass = engine.compose();
        let length_ms = engine.length_ms(&pass);
        let end_ms = engine.now_ms() + length_ms;
        while let Some(request) = requests.next_if(|r| r.arrival_ms <= end_ms) {
            engine.arrive(request, length_ms);
        }
        engine.complete(&pass, end_ms);
        let arrivals = engine.recorder().arrivals();
        if arrivals - reported >= REPORT_EVERY || engine.passes().is_multiple_of(LOOK_EVERY) {
            watch.report(arrivals - reported)?;
            reported = arrivals;
        }
        if engine.recorder().is_done() {
            break;
        }
    }
    watch.report(engine.recorder().arrivals() - reported)
}

/// Serves `clients` that each send their next request when the last is answered, until those counted
/// in `window` have left.
pub(crate) fn serve_closed(
    replica: &Replica,
    clients: usize,
    mut requests: impl Iterator<Item = Request>,
    window: Window,
    watch: &Watch<'_>,
) -> Result<Vec<Section>, Stopped> {
    let mut engine = Engine::new(replica, window);
    let mut reported = 0;
    while !engine.recorder().is_done() {
        let arrivals = engine.recorder().arrivals();
        let vacant = clients.max(1) - engine.in_system();
        for request in requests.by_ref().take(vacant) {
            engine.arrive(Request { arrival_ms: engine.now_ms(), ..request }, 0.0);
        }
        if engine.in_system() > 0 {
            let pass = engine.compose();
            let end_ms = engine.now_ms() + engine.length_ms(&pass);
            engine.complete(&pass, end_ms);
        } else if engine.recorder().arrivals() == arrivals {
            break;
        }
        if arrivals - reported >= REPORT_EVERY || engine.passes().is_multiple_of(LOOK_EVERY) {
            watch.report(arrivals - reported)?;
            reported = arrivals;
        }
    }
    watch.report(engine.recorder().arrivals() - reported)?;
    Ok(engine.into_sections())
}

/// Arrivals, and passes, after which the watch hears of it.
const REPORT_EVERY: u64 = 256;
const LOOK_EVERY: u64 = 65_536;
