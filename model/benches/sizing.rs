//! Sizing every pair of the reference scenario `large` (or of data/fleet-27 where it is missing):
//! the best over every batch size, every batch size on its own, the largest alone, and plain
//! bisection with a stored state vector. `cargo bench -p isocost-model`

use std::path::Path;

use divan::{Bencher, black_box};
use isocost_model::candidates::{batch_limit, targets};
use isocost_model::input;
use isocost_model::queue::{Objectives, ServiceModel, Station};
use rayon::prelude::*;

fn main() {
    divan::main();
}

/// One (server, accelerator) pair.
struct Pair {
    station: Station,
    max_batch: u32,
    objectives: Objectives,
}

fn pairs() -> Vec<Pair> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    let scenario = input::load(&path).expect("the scenario is sound").scenario;
    let of_server = |server: &isocost_model::scenario::Server| -> Vec<Pair> {
        let profiles = scenario.profiles.iter().filter(|p| p.model == server.model);
        let pair = |p: &isocost_model::scenario::Profile| Pair {
            station: Station::new(
                p.service,
                server.load.input_tokens,
                server.load.output_tokens,
                None,
            ),
            max_batch: batch_limit(server, p),
            objectives: targets(&scenario, server),
        };
        profiles.map(pair).collect()
    };
    scenario.servers.iter().flat_map(of_server).collect()
}

#[divan::bench]
fn best_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.bench(|| -> usize {
        let best = |p: &Pair| p.station.size_best(p.max_batch, &p.objectives, 0.02).is_ok();
        pairs.par_iter().with_min_len(8).filter(|p| best(p)).count()
    });
}

#[divan::bench]
fn every_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.bench(|| -> usize {
        let all = |p: &Pair| p.station.size_all(p.max_batch, &p.objectives).len();
        pairs.par_iter().with_min_len(8).map(all).sum()
    });
}

#[divan::bench]
fn largest_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.bench(|| -> usize {
        let largest = |p: &Pair| p.station.size(p.max_batch, &p.objectives).is_ok();
        pairs.par_iter().with_min_len(8).filter(|p| largest(p)).count()
    });
}

/// What a plain implementation does, for the largest batch alone: bisection in 60 steps, each of
/// which fills and normalises a vector of the states, the queue cut off at ten times the batch.
#[divan::bench]
fn plain_bisection_of_the_largest_batch(bencher: Bencher) {
    let pairs = pairs();
    bencher
        .bench(|| -> usize { pairs.par_iter().with_min_len(8).filter(|p| plain(p) > 0.0).count() });
}

fn plain(pair: &Pair) -> f64 {
    let top = pair.station.service_rate_per_s(pair.max_batch) * 0.999;
    let (mut low, mut high) = (0.0, top);
    for _ in 0..60 {
        let rate = (low + high) / 2.0;
        if plain_meets(pair, rate) { low = rate } else { high = rate }
    }
    low
}

fn plain_meets(pair: &Pair, rate: f64) -> bool {
    let batch = pair.max_batch as usize;
    let mut p = vec![1.0];
    for n in 1..=11 * batch {
        let mu = pair.station.service_rate_per_s(n.min(batch) as u32);
        p.push(p[n - 1] * rate / mu);
    }
    let total: f64 = p.iter().sum();
    p.iter_mut().for_each(|x| *x /= total);
    let served: f64 = p.iter().enumerate().map(|(n, x)| n.min(batch) as f64 * x).sum();
    let waiting: f64 = p.iter().enumerate().map(|(n, x)| n.saturating_sub(batch) as f64 * x).sum();
    let service_ms = black_box(served / rate * 1000.0);
    let wait_ms = waiting / rate * 1000.0;
    let out = pair.station.output_tokens;
    let alpha_ms = match pair.station.service {
        ServiceModel::Iteration { alpha_ms, .. } | ServiceModel::Linear { alpha_ms, .. } => {
            alpha_ms
        }
        ServiceModel::Roofline(roofline) => roofline.alpha_ms,
    };
    let itl = (service_ms - alpha_ms) / out;
    pair.objectives.itl.is_none_or(|o| itl <= o.limit_ms)
        && pair.objectives.ttft.is_none_or(|o| wait_ms + alpha_ms <= o.limit_ms)
}
