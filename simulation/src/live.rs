//! A replica under a load that changes while it runs, looked at from time to time.

use isocost_model::queue::Pass;

use crate::engine::Engine;
use crate::replica::Replica;
use crate::section::{Section, Window};
use crate::traffic::{Draw, Request, Traffic};

/// A replica that serves, iteration by iteration, as far as it is told to.
///
/// The load may change at any time: what comes after that is drawn anew, as the new load says,
/// which is exact for Poisson arrivals.
///
/// ```
/// use isocost_model::queue::{EngineSettings, Iteration, ServiceModel};
/// use isocost_simulation::{Live, Replica, Traffic};
///
/// let service = ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 0.00128 });
/// let engine = EngineSettings::default();
/// let replica = Replica { service, batch: 32, queue_limit: Some(100), engine, network_ms: 0.0 };
/// let traffic = Traffic::new(0.2, 128.0, 64.0);
/// let mut live = Live::new(&replica, 1, 0);
/// live.set_traffic(Some(&traffic));
/// live.advance(600_000.0);
/// assert!(live.observed().served() > 60);
/// live.set_traffic(None);
/// live.advance(1_200_000.0);
/// assert_eq!((live.running(), live.waiting()), (0, 0));
/// ```
pub struct Live {
    engine: Engine,
    draw: Option<Draw>,
    next: Option<Request>,
    /// The pass that is under way: when it began and when it ends, ms.
    pass: Option<(Pass, f64, f64)>,
    now_ms: f64,
    seed: u64,
    unit: u32,
}

impl Live {
    /// An idle replica without load. `unit` tells its random numbers from those of others under
    /// the same seed.
    pub fn new(replica: &Replica, seed: u64, unit: u32) -> Self {
        let engine = Engine::new(replica, Window { warmup: 0, counted: u64::MAX, sections: 1 });
        Self { engine, draw: None, next: None, pass: None, now_ms: 0.0, seed, unit }
    }

    /// From now on requests come as `traffic` says; none come where it is absent or has no rate.
    pub fn set_traffic(&mut self, traffic: Option<&Traffic>) {
        let Some(traffic) = traffic.filter(|t| t.rate_per_s > 0.0) else {
            self.next = None;
            return;
        };
        let draw = self.draw.get_or_insert_with(|| Draw::new(traffic, self.seed, self.unit, 0));
        draw.change(traffic, self.now_ms);
        self.next = draw.next();
    }

    /// Serves until `to_ms` after the start; a time that has passed changes nothing.
    pub fn advance(&mut self, to_ms: f64) {
        if to_ms <= self.now_ms {
            return;
        }
        loop {
            let (began_ms, ends_ms) = self.pass.map_or((0.0, f64::INFINITY), |p| (p.1, p.2));
            if self.pass.is_none() && self.engine.in_system() > 0 {
                let pass = self.engine.compose();
                let began_ms = self.engine.now_ms();
                self.pass = Some((pass, began_ms, began_ms + self.engine.length_ms(&pass)));
            } else if let Some(next) = self.next.filter(|n| n.arrival_ms <= ends_ms.min(to_ms)) {
                if self.pass.is_none() {
                    self.engine.idle_until(next.arrival_ms);
                }
                let under_way_ms = if self.pass.is_some() { ends_ms - began_ms } else { 0.0 };
                self.engine.arrive(next, under_way_ms);
                self.next = self.draw.as_mut().and_then(Iterator::next);
            } else if let Some((pass, ..)) = self.pass.filter(|_| ends_ms <= to_ms) {
                self.engine.complete(&pass, ends_ms);
                self.pass = None;
            } else {
                break;
            }
        }
        self.engine.advance(to_ms);
        self.now_ms = to_ms;
    }

    /// What has been observed since the start. Requests that have arrived and not left are in
    /// `arrived` alone.
    pub fn observed(&self) -> &Section {
        &self.engine.recorder().sections()[0]
    }

    /// Requests in service.
    pub fn running(&self) -> usize {
        self.engine.in_service()
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.engine.in_system() - self.engine.in_service()
    }
}

#[cfg(test)]
mod tests {
    use isocost_model::queue::{EngineSettings, Iteration, ServiceModel};

    use super::*;
    use crate::{Effort, Latency, Watch, simulate};

    const ENGINE: EngineSettings =
        EngineSettings { token_budget: 8192, kv_tokens: None, chunked_prefill: true };
    const REPLICA: Replica = Replica {
        service: ServiceModel::Iteration(Iteration {
            alpha_ms: 20.58,
            beta_ms: 0.041,
            gamma_ms: 0.00128,
        }),
        batch: 8,
        queue_limit: None,
        engine: ENGINE,
        network_ms: 0.0,
    };
    const TRAFFIC: Traffic = Traffic {
        rate_per_s: 2.0,
        arrival_scv: 1.0,
        input_tokens: 128.0,
        input_scv: 0.0,
        prefix_hit_share: 0.0,
        output_tokens: 100.0,
        token_scv: 1.0,
    };

    fn live(steps: u32) -> Live {
        let mut live = Live::new(&REPLICA, 7, 0);
        live.set_traffic(Some(&TRAFFIC));
        let end_ms = 2_000_000.0;
        (1..=steps).for_each(|i| live.advance(end_ms * f64::from(i) / f64::from(steps)));
        live
    }

    #[test]
    fn how_often_it_is_looked_at_changes_nothing() {
        let (once, often) = (live(1), live(9_973));
        let (mut a, mut b) = (once.observed().clone(), often.observed().clone());
        // The integrals over time are summed in other pieces.
        assert!((a.in_system_ms - b.in_system_ms).abs() <= 1e-6 * a.in_system_ms);
        for section in [&mut a, &mut b] {
            (section.time_ms, section.in_system_ms, section.in_service_ms) = (0.0, 0.0, 0.0);
        }
        assert_eq!(a, b);
        assert_eq!((once.running(), once.waiting()), (often.running(), often.waiting()));
    }

    #[test]
    fn under_a_steady_load_it_is_the_simulation() {
        let effort = Effort { requests: 4_000, ..Effort::default() };
        let report = simulate(&REPLICA, &TRAFFIC, &effort, 0, &Watch::NONE).expect("not stopped");
        let observed = live(100).observed().clone();
        let itl = report.mean_ms(Latency::Itl).expect("answers of several tokens");
        let mean = observed.itl_ms.mean().expect("answers of several tokens");
        assert!((mean - itl.value).abs() < 0.05 * itl.value, "{mean} ms, not {}", itl.value);
        let rate = observed.served() as f64 / 2_000.0;
        assert!((rate - 2.0).abs() < 0.1, "{rate} requests a second");
        let tokens = observed.output_tokens as f64 / observed.served() as f64;
        assert!((tokens - 100.0).abs() < 10.0, "{tokens} tokens an answer");
    }

    #[test]
    fn requests_are_kept_account_of() {
        let mut live = live(3);
        let open = live.running() + live.waiting();
        let observed = live.observed();
        assert_eq!(observed.arrived, observed.served() + observed.lost + open as u64);
        live.set_traffic(None);
        live.advance(4_000_000.0);
        assert_eq!((live.running(), live.waiting()), (0, 0));
        assert_eq!(live.observed().arrived, live.observed().served());
    }
}
