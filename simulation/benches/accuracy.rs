//! The queueing model against iteration-level simulation: the tables in docs/src/simulation.md.
//! `cargo bench -p isocost-simulation --bench accuracy`

use isocost_model::queue::{
    Analysis, EngineSettings, Experts, Iteration, Linear, Roofline, ServiceModel, Station,
};
use isocost_simulation::{Effort, Estimate, Latency, Replica, Report, Traffic, Watch, simulate};
use rayon::prelude::*;

const LOADS: [f64; 4] = [0.3, 0.6, 0.8, 0.95];

/// (name, service model, input, output, batch)
type Given = (&'static str, ServiceModel, f64, f64, u32);

const STATIONS: [Given; 7] = [
    ("iteration, short chat", CHAT, 128.0, 256.0, 32),
    ("iteration, long answers", CHAT, 128.0, 1024.0, 48),
    ("iteration, long prompts", CHAT, 2048.0, 128.0, 16),
    ("iteration, much context", CONTEXT, 512.0, 512.0, 32),
    ("linear, chat", LINEAR, 256.0, 256.0, 32),
    ("linear, long prompts", LINEAR, 2048.0, 128.0, 16),
    ("roofline, chat", ROOFLINE, 256.0, 256.0, 64),
];
const CHAT: ServiceModel =
    ServiceModel::Iteration(Iteration { alpha_ms: 8.06, beta_ms: 0.1, gamma_ms: 9.7e-6 });
const CONTEXT: ServiceModel =
    ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 0.00128 });
const LINEAR: ServiceModel =
    ServiceModel::Linear(Linear { alpha_ms: 7.9, beta_ms: 0.06, gamma_ms: 12.7, delta_ms: 0.0117 });
const ROOFLINE: ServiceModel = ServiceModel::Roofline(Roofline {
    alpha_ms: 8.0,
    beta_ms: 0.02,
    gamma_ms: 2e-5,
    delta_ms: 0.05,
    delta2_ms: 1e-6,
    hidden_tokens: 150.0,
    overhead_ms: 5.0,
    lag_steps: 1.5,
    experts: Experts { read_ms: 0.0, share: 0.0 },
});

struct Point {
    name: &'static str,
    batch: u32,
    load: f64,
    predicted: Analysis,
    report: Report,
}

fn main() {
    for (token_scv, title) in
        [(0.0, "Every answer as long as the mean"), (1.0, "Geometric answers")]
    {
        let points = points(token_scv);
        println!("\n{title} (`tokenScv` {token_scv}):\n");
        println!("| station | batch | load | TTFT mean | TTFT P99 | ITL mean | ITL P99 |");
        println!("|---|---|---|---|---|---|---|");
        for p in &points {
            let a = &p.predicted;
            let cells = [
                cell(a.ttft_ms, p.report.mean_ms(Latency::Ttft)),
                cell(a.ttft_percentile_ms(99.0), p.report.percentile_ms(Latency::Ttft, 99.0)),
                cell(a.itl_ms, p.report.mean_ms(Latency::Itl)),
                cell(a.itl_percentile_ms(99.0), p.report.percentile_ms(Latency::Itl, 99.0)),
            ];
            let growing = if p.report.is_steady() { "" } else { " (queue grows)" };
            println!(
                "| {} | {} | {:.0}%{growing} | {} |",
                p.name,
                p.batch,
                p.load * 100.0,
                cells.join(" | ")
            );
        }
    }
}

fn points(token_scv: f64) -> Vec<Point> {
    let cases: Vec<(&Given, f64)> =
        STATIONS.iter().flat_map(|s| LOADS.map(|load| (s, load))).collect();
    let point =
        |(unit, &(&(name, service, input, output, batch), load)): (usize, &(&Given, f64))| {
            let station = Station { token_scv, ..Station::new(service, input, output, None) };
            let rate_per_s = station.service_rate_per_s(batch) * load;
            let engine = EngineSettings::default();
            let replica = Replica { service, batch, queue_limit: None, engine, network_ms: 0.0 };
            let traffic = Traffic { token_scv, ..Traffic::new(rate_per_s, input, output) };
            let effort = Effort { requests: 20_000, ..Effort::default() };
            Some(Point {
                name,
                batch,
                load,
                predicted: station.analyze(batch, rate_per_s).ok()?,
                report: simulate(&replica, &traffic, &effort, unit as u32, &Watch::NONE).ok()?,
            })
        };
    cases.par_iter().enumerate().filter_map(point).collect()
}

/// `predicted / simulated ± half width`, ms.
fn cell(predicted_ms: f64, simulated: Option<Estimate>) -> String {
    let digits = |x: f64| if x >= 100.0 { 0 } else { 1 };
    let number = |x: f64| format!("{x:.*}", digits(x));
    match simulated {
        Some(e) => format!(
            "{} / {} ± {:.*}",
            number(predicted_ms),
            number(e.value),
            digits(e.value),
            e.half_width
        ),
        None => format!("{} / -", number(predicted_ms)),
    }
}
