//! Sizing every pair of the reference scenario `large` (or of data/fleet-27 where it is missing):
//! the best over every batch size, each batch size on its own, the largest alone, and plain
//! bisection with a stored state vector of the largest and of each; and the candidates of a scenario
//! of 370 copies of every server. `cargo bench -p isocost-model`
//!
//! An item is a state at a batch size, `N` of them at batch size `N`, whatever number of evaluations a
//! search makes (plain bisection makes 60): items a second compare whole searches.

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use isocost_model::candidates::{Candidates, Reading, SizingOptions, batch_limit, targets};
use isocost_model::input;
use isocost_model::queue::{Iteration, Linear, Objective, Objectives, ServiceModel, Station};
use isocost_model::scenario::Scenario;
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

fn scenario() -> Scenario {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    input::load(&path).expect("the scenario is sound").scenario
}

fn pairs() -> Vec<Pair> {
    let scenario = scenario();
    let of_server = |server: &isocost_model::scenario::Server| -> Vec<Pair> {
        let profiles = scenario.profiles.iter().filter(|p| p.model == server.model);
        let pair = |p: &isocost_model::scenario::Profile| Pair {
            station: Station::new(
                p.service,
                server.load.input_tokens,
                server.load.output_tokens,
                None,
            ),
            max_batch: batch_limit(server, p, &SizingOptions::reference()),
            objectives: targets(&scenario, server, Reading::Reference),
        };
        profiles.map(pair).collect()
    };
    scenario.servers.iter().flat_map(of_server).collect()
}

/// States of one evaluation at each batch size of each pair.
fn states_of_every_batch(pairs: &[Pair]) -> ItemsCount {
    let states = |p: &Pair| u64::from(p.max_batch) * u64::from(p.max_batch + 1) / 2;
    ItemsCount::new(pairs.iter().map(states).sum::<u64>())
}

/// States of one evaluation at the largest batch size of each pair.
fn states_of_largest(pairs: &[Pair]) -> ItemsCount {
    ItemsCount::new(pairs.iter().map(|p| u64::from(p.max_batch)).sum::<u64>())
}

#[divan::bench]
fn best_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.bench(|| -> usize {
        let best = |p: &Pair| p.station.size_best(p.max_batch, &p.objectives, 0.02).is_ok();
        pairs.par_iter().with_min_len(8).filter(|p| best(p)).count()
    });
}

/// The same as an engine serves them, with objectives on means or on percentiles.
#[divan::bench(args = [None, Some(95.0)], sample_count = 5)]
fn best_batch_of_every_pair_of_engines(bencher: Bencher, percentile: Option<f64>) {
    let over = |objective: Option<Objective>| objective.map(|o| Objective { percentile, ..o });
    let engine = |p: Pair| {
        let stated = p.objectives.per_request();
        Pair {
            station: Station { reading: Reading::Engine, ..p.station },
            objectives: Objectives { itl: over(stated.itl), ttft: over(stated.ttft), ..stated },
            ..p
        }
    };
    let pairs: Vec<Pair> = pairs().into_iter().map(engine).collect();
    bencher.bench(|| -> usize {
        let best = |p: &Pair| p.station.size_best(p.max_batch, &p.objectives, 0.02).is_ok();
        pairs.par_iter().with_min_len(8).filter(|p| best(p)).count()
    });
}

#[divan::bench]
fn every_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.counter(states_of_every_batch(&pairs)).bench(|| -> usize {
        let all = |p: &Pair| p.station.size_all(p.max_batch, &p.objectives).len();
        pairs.par_iter().with_min_len(8).map(all).sum()
    });
}

#[divan::bench]
fn largest_batch_of_every_pair(bencher: Bencher) {
    let pairs = pairs();
    bencher.counter(states_of_largest(&pairs)).bench(|| -> usize {
        let largest = |p: &Pair| p.station.size(p.max_batch, &p.objectives).is_ok();
        pairs.par_iter().with_min_len(8).filter(|p| largest(p)).count()
    });
}

/// One evaluation alone, at half of the service rate.
#[divan::bench(args = [32, 1000, 100_000])]
fn one_evaluation(bencher: Bencher, batch: u32) {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 1.28e-3 });
    let station = Station::new(service, 128.0, 1024.0, None);
    let rate = station.service_rate_per_s(batch) / 2.0;
    bencher.counter(ItemsCount::new(batch)).bench(|| station.analyze(batch, black_box(rate)));
}

/// 370 copies of every server, whose loads differ: what depends on no load is sized once.
#[divan::bench(sample_count = 20)]
fn candidates_of_370_copies(bencher: Bencher) {
    let mut scenario = scenario();
    let originals = scenario.servers.clone();
    scenario.servers = (0..370)
        .flat_map(|copy| {
            originals.iter().cloned().map(move |mut server| {
                server.name = format!("{}#{copy}", server.name);
                server.load.arrival_rate_per_min *= 1.0 + f64::from(copy) / 100.0;
                server
            })
        })
        .collect();
    let sizing = SizingOptions { reading: Reading::Reference, ..SizingOptions::default() };
    bencher.bench(|| Candidates::build(black_box(&scenario), &sizing).pairs());
}

/// What a plain implementation does: bisection in 60 steps, each of which fills and normalises a
/// vector of the states, the queue cut off at ten times the batch.
#[divan::bench(sample_count = 10)]
fn plain_bisection_of_the_largest_batch(bencher: Bencher) {
    let pairs = pairs();
    bencher.counter(states_of_largest(&pairs)).bench(|| -> usize {
        let largest = |p: &Pair| plain(p, p.max_batch) > 0.0;
        pairs.par_iter().with_min_len(8).filter(|p| largest(p)).count()
    });
}

#[divan::bench(sample_count = 2, sample_size = 1)]
fn plain_bisection_of_every_batch(bencher: Bencher) {
    let pairs = pairs();
    bencher.counter(states_of_every_batch(&pairs)).bench(|| -> usize {
        let all = |p: &Pair| (1..=p.max_batch).filter(|n| plain(p, *n) > 0.0).count();
        pairs.par_iter().with_min_len(8).map(all).sum()
    });
}

fn plain(pair: &Pair, batch: u32) -> f64 {
    let mu: Vec<f64> = (1..=batch).map(|n| pair.station.service_rate_per_s(n)).collect();
    let top = mu[mu.len() - 1] * 0.999;
    let (mut low, mut high) = (0.0, top);
    for _ in 0..60 {
        let rate = (low + high) / 2.0;
        if plain_meets(pair, &mu, rate) { low = rate } else { high = rate }
    }
    low
}

fn plain_meets(pair: &Pair, mu: &[f64], rate: f64) -> bool {
    let batch = mu.len();
    let mut p = vec![1.0];
    for n in 1..=11 * batch {
        p.push(p[n - 1] * rate / mu[n.min(batch) - 1]);
    }
    let total: f64 = p.iter().sum();
    p.iter_mut().for_each(|x| *x /= total);
    let served: f64 = p.iter().enumerate().map(|(n, x)| n.min(batch) as f64 * x).sum();
    let waiting: f64 = p.iter().enumerate().map(|(n, x)| n.saturating_sub(batch) as f64 * x).sum();
    let service_ms = black_box(served / rate * 1000.0);
    let wait_ms = waiting / rate * 1000.0;
    let out = pair.station.output_tokens;
    let alpha_ms = match pair.station.service {
        ServiceModel::Iteration(Iteration { alpha_ms, .. })
        | ServiceModel::Linear(Linear { alpha_ms, .. }) => alpha_ms,
        ServiceModel::Roofline(roofline) => roofline.alpha_ms,
    };
    let itl = (service_ms - alpha_ms) / out;
    pair.objectives.itl.is_none_or(|o| itl <= o.limit_ms)
        && pair.objectives.ttft.is_none_or(|o| wait_ms + alpha_ms <= o.limit_ms)
}
