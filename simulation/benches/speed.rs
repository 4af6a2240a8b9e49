//! Simulated requests per second. `cargo bench -p isocost-simulation --bench speed`

use divan::Bencher;
use divan::counter::ItemsCount;
use isocost_model::queue::ServiceModel;
use isocost_simulation::{
    Chain, Effort, Replica, TOKEN_BUDGET, Traffic, Watch, simulate, simulate_chain,
};

fn main() {
    divan::main();
}

const EFFORT: Effort = Effort { requests: 20_000, warmup: 0.0, replications: 1, seed: 1 };

/// Batch sizes of about the same load per place, at answers of 200 tokens.
#[divan::bench(args = [8, 64, 256])]
fn iterations(bencher: Bencher, batch: u32) {
    let service = ServiceModel::Iteration { alpha_ms: 8.0, beta_ms: 0.02, gamma_ms: 1e-6 };
    let replica = Replica { service, batch, queue_limit: None, token_budget: TOKEN_BUDGET };
    let traffic = Traffic {
        rate_per_s: 0.35 * f64::from(batch),
        arrival_scv: 1.0,
        input_tokens: 200.0,
        output_tokens: 200.0,
        token_scv: 1.0,
    };
    bencher
        .counter(ItemsCount::new(EFFORT.total()))
        .bench(|| simulate(&replica, &traffic, &EFFORT, 0, &Watch::NONE));
}

#[divan::bench(args = [8, 64, 256])]
fn chain(bencher: Bencher, batch: u32) {
    let chain = Chain {
        rates_per_s: (1..=batch).map(f64::from).collect(),
        queue_limit: None,
        rate_per_s: 0.8 * f64::from(batch),
        arrival_scv: 1.0,
        work_scv: 1.0,
    };
    bencher
        .counter(ItemsCount::new(EFFORT.total()))
        .bench(|| simulate_chain(&chain, &EFFORT, 0, &Watch::NONE));
}
