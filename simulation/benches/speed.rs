//! Simulated requests per second. `cargo bench -p isocost-simulation --bench speed`

use divan::Bencher;
use divan::counter::ItemsCount;
use isocost_model::queue::{EngineSettings, Iteration, ServiceModel};
use isocost_simulation::{Chain, Effort, Replica, Traffic, Watch, simulate, simulate_chain};

fn main() {
    divan::main();
}

const EFFORT: Effort =
    Effort { requests: 20_000, time_ms: None, warmup: 0.0, replications: 1, seed: 1 };

const BATCHES: [u32; 3] = [8, 64, 256];

/// Batch sizes of about the same load per place, at answers of 200 tokens.
#[divan::bench(args = BATCHES)]
fn iterations(bencher: Bencher, batch: u32) {
    iterate(bencher, batch, None);
}

/// The same with a KV cache that holds four fifths of a full batch.
#[divan::bench(args = BATCHES)]
fn iterations_short_of_memory(bencher: Bencher, batch: u32) {
    iterate(bencher, batch, Some(240 * u64::from(batch)));
}

fn iterate(bencher: Bencher, batch: u32, kv_tokens: Option<u64>) {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.02, gamma_ms: 1e-6 });
    let engine = EngineSettings { kv_tokens, ..EngineSettings::default() };
    let replica = Replica { service, batch, queue_limit: None, engine, network_ms: 0.0 };
    let traffic = Traffic::new(0.35 * f64::from(batch), 200.0, 200.0);
    bencher
        .counter(ItemsCount::new(EFFORT.requests))
        .bench(|| simulate(&replica, &traffic, &EFFORT, 0, &Watch::NONE));
}

#[divan::bench(args = BATCHES)]
fn chain(bencher: Bencher, batch: u32) {
    let chain = Chain {
        rates_per_s: (1..=batch).map(f64::from).collect(),
        queue_limit: None,
        rate_per_s: 0.8 * f64::from(batch),
        arrival_scv: 1.0,
        work_scv: 1.0,
    };
    bencher
        .counter(ItemsCount::new(EFFORT.requests))
        .bench(|| simulate_chain(&chain, &EFFORT, 0, &Watch::NONE));
}
