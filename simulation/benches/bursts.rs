//! The corrections for bursts and variable lengths against simulation, over a grid: the table in
//! docs/src/simulation.md. `cargo bench -p isocost-simulation --bench bursts`
//!
//! The chain is simulated with work and arrivals of other variation, so that nothing but the
//! correction can be off.

use isocost_model::queue::{Linear, ServiceModel, Station};
use isocost_simulation::{Chain, Effort, Latency, Watch, simulate_chain};
use rayon::prelude::*;

/// Steps that do not depend on the batch, that double over 32 places, and that share one processor.
const KINDS: [(&str, f64, f64); 3] =
    [("constant", 1.0, 0.0), ("mixed", 1.0, 1.0 / 32.0), ("shared", 0.05, 1.0)];
const BATCHES: [u32; 4] = [1, 4, 16, 64];
const LOADS: [f64; 6] = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98];
const ARRIVALS: [f64; 5] = [0.0, 0.5, 1.0, 2.0, 4.0];
const LENGTHS: [f64; 4] = [0.0, 0.5, 1.0, 4.0];

/// A wait below this share of the service time does not matter, and one whose interval is wider
/// than this share of it is not known.
const LEAST_WAIT: f64 = 0.01;
const WIDEST: f64 = 0.15;

struct Point {
    batch: u32,
    /// Off by, for the mean as corrected and by Allen and Cunneen's factor alone, and for the P99.
    mean: f64,
    plain: f64,
    p99: Option<f64>,
}

fn main() {
    let mut cases = Vec::new();
    for kind in KINDS {
        for batch in BATCHES {
            for load in LOADS {
                for arrival_scv in ARRIVALS {
                    for token_scv in LENGTHS {
                        cases.push((kind, batch, load, arrival_scv, token_scv));
                    }
                }
            }
        }
    }
    let points: Vec<Point> = cases
        .par_iter()
        .enumerate()
        .filter_map(|(unit, &((_, a, b), batch, load, arrival_scv, token_scv))| {
            point([a, b], batch, load, [arrival_scv, token_scv], unit as u32)
        })
        .collect();
    println!("| batch | points | | median | 90% | worst |\n|---|---|---|---|---|---|");
    for batch in BATCHES.into_iter().map(Some).chain([None]) {
        let chosen: Vec<&Point> =
            points.iter().filter(|p| batch.is_none_or(|b| b == p.batch)).collect();
        let name = batch.map_or("all".to_owned(), |b| b.to_string());
        let row = |what: &str, errors: Vec<f64>| {
            let [median, most, worst] = shares(errors);
            println!("| {name} | {} | {what} | {median} | {most} | {worst} |", chosen.len());
        };
        row("(ca + cs)/2 alone, mean", chosen.iter().map(|p| p.plain).collect());
        row("as corrected, mean", chosen.iter().map(|p| p.mean).collect());
        row("as corrected, P99", chosen.iter().filter_map(|p| p.p99).collect());
    }
}

fn point(
    [a, b]: [f64; 2],
    batch: u32,
    load: f64,
    [arrival_scv, token_scv]: [f64; 2],
    unit: u32,
) -> Option<Point> {
    // One output token after the first: a step is the whole service.
    let service = ServiceModel::Linear(Linear {
        alpha_ms: 1000.0 * a,
        beta_ms: 1000.0 * b,
        gamma_ms: 0.0,
        delta_ms: 0.0,
    });
    let plain = Station::new(service, 0.0, 2.0, None);
    let station = Station { arrival_scv, token_scv, ..plain };
    let rates_per_s: Vec<f64> = (1..=batch).map(|n| plain.service_rate_per_s(n)).collect();
    let rate_per_s = rates_per_s[batch as usize - 1] * load;
    let chain =
        Chain { rates_per_s, queue_limit: None, rate_per_s, arrival_scv, work_scv: token_scv };
    // Waiting is rare where there are many places.
    let requests = if batch < 64 { 20_000 } else { 150_000 };
    let effort = Effort { requests, replications: 8, ..Effort::default() };
    let report = simulate_chain(&chain, &effort, unit, &Watch::NONE).ok()?;
    let simulated = report.mean_ms(Latency::Wait)?;
    let full_ms = plain.service_ms(f64::from(batch));
    let known = simulated.half_width <= WIDEST * simulated.value;
    if simulated.value < LEAST_WAIT * full_ms || !known {
        return None;
    }
    let corrected = station.analyze(batch, rate_per_s).ok()?;
    let base = plain.analyze(batch, rate_per_s).ok()?.mean_wait_ms;
    let off = |predicted: f64, simulated: f64| {
        (predicted / simulated).max(simulated / predicted.max(1e-9 * simulated)) - 1.0
    };
    let p99 = report.percentile_ms(Latency::Wait, 99.0)?.value;
    Some(Point {
        batch,
        mean: off(corrected.mean_wait_ms, simulated.value),
        plain: off(base * (arrival_scv + token_scv) / 2.0, simulated.value),
        p99: (p99 > 0.1 * full_ms).then(|| off(corrected.wait_percentile_ms(99.0), p99)),
    })
}

/// Median, 90th percentile and largest, as text.
fn shares(mut errors: Vec<f64>) -> [String; 3] {
    errors.sort_by(f64::total_cmp);
    [0.5, 0.9, 1.0].map(|q| match errors.len() {
        0 => "-".to_owned(),
        n => format!("{:.0}%", errors[(q * (n - 1) as f64) as usize] * 100.0),
    })
}
