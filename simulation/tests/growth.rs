//! Queues that grow are told from those that do not, on drawn requests and on traces.

use isocost_model::queue::{EngineSettings, Iteration, ServiceModel};
use isocost_simulation::{
    Effort, Group, Replica, Report, Request, Traffic, Watch, simulate, simulate_closed,
    simulate_trace,
};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const SEEDS: u64 = 100;

/// Replicas and requests of three kinds: small batch, large batch, short of memory.
fn stations() -> [(Replica, Traffic); 3] {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 });
    let engine = EngineSettings::default();
    let small = Replica { service, batch: 4, queue_limit: None, engine, network_ms: 0.0 };
    let large = Replica { batch: 48, ..small };
    let engine = EngineSettings { kv_tokens: Some(4_000), ..engine };
    let short = Replica { engine, ..large };
    let traffic = Traffic::new(1.0, 200.0, 20.0);
    let bursty = Traffic { arrival_scv: 2.0, ..traffic };
    [(small, traffic), (large, bursty), (short, traffic)]
}

/// Throughput of the saturated replica, requests/s.
fn capacity_per_s(replica: &Replica, traffic: &Traffic) -> f64 {
    let effort = Effort { requests: 40_000, replications: 2, ..Effort::default() };
    let report = simulate_closed(replica, traffic, 2 * replica.batch, &effort, &Watch::NONE);
    report.expect("runs").throughput_per_s().expect("requests").value
}

/// Seeds of which the queue is said to grow at a share of the capacity.
fn alarms(load: f64, run: impl Fn(&Replica, &Traffic, u64) -> Report) -> Vec<usize> {
    let of = |(replica, traffic): (Replica, Traffic)| {
        let rate_per_s = load * capacity_per_s(&replica, &traffic);
        let traffic = Traffic { rate_per_s, ..traffic };
        (0..SEEDS).filter(|seed| !run(&replica, &traffic, *seed).is_steady()).count()
    };
    stations().into_iter().map(of).collect()
}

fn drawn(replica: &Replica, traffic: &Traffic, seed: u64) -> Report {
    let effort = Effort { requests: 3_000, replications: 5, seed, ..Effort::default() };
    simulate(replica, traffic, &effort, 0, &Watch::NONE).expect("runs")
}

/// A Poisson trace, or one of two exponentials with balanced means, with geometric answers.
fn requests(traffic: &Traffic, seed: u64, count: usize) -> Vec<Request> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scv = traffic.arrival_scv;
    let first = (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt()) / 2.0;
    let mut arrival_ms = 0.0;
    let mut request = || {
        let mut exponential = || -(1.0 - rng.random::<f64>()).ln();
        let (gap, more) = (exponential(), exponential());
        let branch = if rng.random::<f64>() < first { first } else { 1.0 - first };
        arrival_ms += 1000.0 / traffic.rate_per_s * gap / (2.0 * branch);
        let output_tokens = 1 + (-more / (-1.0 / traffic.output_tokens).ln_1p()) as u32;
        let input_tokens = traffic.input_tokens as u32;
        Request { arrival_ms, input_tokens, cached_tokens: 0, output_tokens, before_ms: 0.0 }
    };
    (0..count).map(|_| request()).collect()
}

/// The same kind of requests as a trace.
fn traced(replica: &Replica, traffic: &Traffic, seed: u64) -> Report {
    let requests = requests(traffic, seed, 40_000);
    let group = Group { replica: *replica, count: 1, weight: 1.0 };
    let effort = Effort { seed, ..Effort::default() };
    simulate_trace(&[group], &requests, &effort, 0, &Watch::NONE).expect("runs").remove(0)
}

#[test]
fn at_nine_tenths_of_the_capacity_no_queue_grows() {
    for alarms in [alarms(0.9, drawn), alarms(0.9, traced)] {
        assert!(alarms.iter().all(|alarms| *alarms < 1), "{alarms:?} of {SEEDS}");
    }
}

#[test]
fn at_a_twentieth_above_the_capacity_every_queue_grows() {
    for alarms in [alarms(1.05, drawn), alarms(1.05, traced)] {
        assert!(alarms.iter().all(|alarms| *alarms as u64 >= SEEDS - 1), "{alarms:?} of {SEEDS}");
    }
}

#[test]
fn a_trace_at_two_and_a_half_times_the_capacity_is_not_steady() {
    let (replica, traffic) = stations()[0];
    let rate_per_s = 2.5 * capacity_per_s(&replica, &traffic);
    let requests = requests(&Traffic { rate_per_s, ..traffic }, 1, 100);
    let group = Group { replica, count: 1, weight: 1.0 };
    let effort = Effort { replications: 2, ..Effort::default() };
    let run = simulate_trace(&[group], &requests, &effort, 0, &Watch::NONE).expect("runs");
    assert!(!run[0].is_steady());
    assert!((run[0].pooled().drift.share() - 0.6).abs() < 0.15);
}
