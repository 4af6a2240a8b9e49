//! Random stations.

use std::fmt;

use isocost_model::queue::{
    Analysis, Experts, Iteration, Linear, Reading, Roofline, ServiceModel, Station,
};
use isocost_simulation::{
    Effort, Latency, Replica, Report, Traffic, Watch, simulate, simulate_closed,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::figures::Figures;

/// What is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Plain,
    Bursts,
    Lengths,
    Hits,
    Whole,
    Memory,
    Closed,
}

impl Kind {
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            ("plain", Self::Plain),
            ("bursts", Self::Bursts),
            ("lengths", Self::Lengths),
            ("hits", Self::Hits),
            ("whole", Self::Whole),
            ("memory", Self::Memory),
            ("closed", Self::Closed),
        ];
        all.iter().find(|(word, _)| *word == name).map(|(_, kind)| *kind)
    }
}

/// A station under a load.
#[derive(Debug, Clone)]
pub struct Case {
    pub unit: u32,
    pub kind: Kind,
    pub station: Station,
    pub batch: u32,
    /// Share of what it can do at most.
    pub load: f64,
}

impl Case {
    pub fn draw(seed: u64, unit: u32, kind: Kind) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(unit));
        let service = service(&mut rng);
        let input = log_uniform(&mut rng, 16.0, 8000.0).round();
        let output = log_uniform(&mut rng, 8.0, 1000.0).round();
        let batch = log_uniform(&mut rng, 4.0, 256.0).round() as u32;
        let load = rng.random_range(0.2..0.95);
        let mut station =
            Station { reading: Reading::Engine, ..Station::new(service, input, output, None) };
        match kind {
            Kind::Plain | Kind::Closed => (),
            Kind::Bursts => station.arrival_scv = [0.0, 0.5, 2.0, 4.0][rng.random_range(0..4)],
            Kind::Lengths => {
                station.token_scv = [0.0, 0.3, 1.0, 2.0][rng.random_range(0..4)];
                station.input_scv = [0.0, 0.5, 1.0, 2.0][rng.random_range(0..4)];
            }
            Kind::Hits => station.prefix_hit_share = rng.random_range(0.1..0.95),
            Kind::Whole => station.engine.chunked_prefill = false,
            Kind::Memory => {
                let held = input + output;
                let places = rng.random_range(2.0..f64::from(batch).max(3.0));
                station.engine.kv_tokens = Some((held * places) as u64 + 64);
            }
        }
        Self { unit, kind, station, batch: station.batch_limit(batch), load }
    }

    fn replica(&self) -> Replica {
        Replica::of(&self.station, self.batch)
    }

    fn traffic(&self, rate_per_s: f64) -> Traffic {
        let Station { input_tokens, output_tokens, arrival_scv, token_scv, .. } = self.station;
        let Station { input_scv, prefix_hit_share, .. } = self.station;
        Traffic {
            arrival_scv,
            token_scv,
            input_scv,
            prefix_hit_share,
            ..Traffic::new(rate_per_s, input_tokens, output_tokens)
        }
    }

    /// The rate at that load, requests/s, and the figures.
    pub fn simulate(&self) -> (f64, Option<Figures>) {
        let turns = |most: u64, turns: u64| most.max(turns * u64::from(self.batch));
        let effort = |requests: u64, replications: u32| Effort {
            requests,
            time_ms: None,
            warmup: 0.5,
            replications,
            seed: 1,
        };
        let (replica, traffic) = (self.replica(), self.traffic(1.0));
        let short = effort(turns(2_000, 20), 4);
        let full = simulate_closed(&replica, &traffic, 4 * self.batch, &short, &Watch::NONE).ok();
        let throughput = |r: &Report| r.throughput_per_s().map(|e| e.value);
        let Some(capacity_per_s) = full.as_ref().and_then(throughput) else {
            return (f64::NAN, None);
        };
        if self.kind == Kind::Closed {
            let clients = self.clients();
            let run = effort(turns(2_000, 60), 4);
            let report = simulate_closed(&replica, &traffic, clients, &run, &Watch::NONE).ok();
            return (capacity_per_s, report.map(|r| read(&r, capacity_per_s)));
        }
        let rate_per_s = capacity_per_s * self.load;
        let run = effort(turns(8_000, 100), 8);
        let report =
            simulate(&replica, &self.traffic(rate_per_s), &run, self.unit, &Watch::NONE).ok();
        let figures = report.filter(Report::is_steady).map(|r| read(&r, capacity_per_s));
        (rate_per_s, figures)
    }

    /// Clients of a closed loop.
    fn clients(&self) -> u32 {
        (f64::from(self.batch) * self.load).ceil() as u32
    }

    /// What the model says of it.
    pub fn predict(&self, rate_per_s: f64) -> Option<Figures> {
        if self.kind == Kind::Closed {
            let latency = self.station.closed_loop(self.clients());
            let mut figures = [f64::NAN; 9];
            (figures[0], figures[1]) = (latency.first_token_ms, latency.itl_ms);
            return Some(figures);
        }
        let a: Analysis = self.station.analyze(self.batch, rate_per_s).ok()?;
        Some([
            a.ttft_ms,
            a.itl_ms,
            a.ttft_percentile_ms(95.0),
            a.ttft_percentile_ms(99.0),
            a.itl_percentile_ms(95.0),
            a.itl_percentile_ms(99.0),
            a.tpot_percentile_ms(95.0),
            a.tpot_percentile_ms(99.0),
            a.capacity_per_s,
        ])
    }
}

fn read(report: &Report, capacity_per_s: f64) -> Figures {
    let mean = |l| report.mean_ms(l).map_or(f64::NAN, |e| e.value);
    let at = |l, p| report.percentile_ms(l, p).map_or(f64::NAN, |e| e.value);
    [
        mean(Latency::Ttft),
        mean(Latency::Itl),
        at(Latency::Ttft, 95.0),
        at(Latency::Ttft, 99.0),
        at(Latency::Itl, 95.0),
        at(Latency::Itl, 99.0),
        at(Latency::Tpot, 95.0),
        at(Latency::Tpot, 99.0),
        capacity_per_s,
    ]
}

fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low * (high / low).powf(rng.random::<f64>())
}

fn service(rng: &mut ChaCha8Rng) -> ServiceModel {
    let alpha_ms = log_uniform(rng, 5.0, 30.0);
    match rng.random_range(0..3) {
        0 => ServiceModel::Iteration(Iteration {
            alpha_ms,
            beta_ms: log_uniform(rng, 0.005, 0.1),
            gamma_ms: log_uniform(rng, 1e-6, 5e-4),
        }),
        1 => ServiceModel::Linear(Linear {
            alpha_ms,
            beta_ms: log_uniform(rng, 0.01, 0.3),
            gamma_ms: log_uniform(rng, 5.0, 40.0),
            delta_ms: log_uniform(rng, 0.003, 0.05),
        }),
        _ => {
            let delta_ms = log_uniform(rng, 0.005, 0.06);
            ServiceModel::Roofline(Roofline {
                alpha_ms,
                beta_ms: log_uniform(rng, 0.005, 0.1),
                gamma_ms: log_uniform(rng, 1e-6, 1e-4),
                delta_ms,
                delta2_ms: 0.0,
                hidden_tokens: rng.random_range(0.0..1.0) * (alpha_ms / delta_ms).min(400.0),
                overhead_ms: rng.random_range(0.0..10.0),
                lag_steps: rng.random_range(0.5..2.0),
                experts: Experts { read_ms: 0.0, share: 0.0 },
            })
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = &self.station;
        write!(
            f,
            "#{} in {} out {} batch {} load {:.2} {:?} ca {} cs {} ci {} hit {:.2} kv {:?}",
            self.unit,
            s.input_tokens,
            s.output_tokens,
            self.batch,
            self.load,
            s.service,
            s.arrival_scv,
            s.token_scv,
            s.input_scv,
            s.prefix_hit_share,
            s.engine.kv_tokens
        )
    }
}
