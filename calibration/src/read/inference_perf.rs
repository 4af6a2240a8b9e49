//! A stage of inference-perf (`stage_N_lifecycle_metrics.json`), in seconds.
//!
//! Requests are sent at the stage's rate, or by so many clients; the stage ends with its last answer.
//! Whether gaps are constant or exponential stands in its configuration alone, `config.yaml` beside the
//! stages; constant is the default. A summary over all stages has no rate and mixes loads.

use isocost_model::input::reading::{Node, Report};

use super::run::{End, Given, Run, Source, percentiles};
use crate::point::{Arrivals, Point};
use isocost_model::input::reading::dig;

const TTFT: [(f64, &str); 5] = [
    (50.0, "successes.latency.time_to_first_token.median"),
    (50.0, "successes.latency.time_to_first_token.p50"),
    (90.0, "successes.latency.time_to_first_token.p90"),
    (95.0, "successes.latency.time_to_first_token.p95"),
    (99.0, "successes.latency.time_to_first_token.p99"),
];
const TPOT: [(f64, &str); 5] = [
    (50.0, "successes.latency.time_per_output_token.median"),
    (50.0, "successes.latency.time_per_output_token.p50"),
    (90.0, "successes.latency.time_per_output_token.p90"),
    (95.0, "successes.latency.time_per_output_token.p95"),
    (99.0, "successes.latency.time_per_output_token.p99"),
];

/// Whether `node` is a stage, or a summary of some.
pub(super) fn is(node: &Node) -> bool {
    dig::has(node, "load_summary") && dig::has(node, "successes")
}

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let answered = Given::of(node, &["successes.throughput.requests_per_sec"], 1.0);
    let sent = ["load_summary.achieved_rate", "load_summary.requested_rate"];
    let sent = Given::measured(node, &sent, 1.0);
    let (arrivals, rate_per_s) = match dig::count(node, "load_summary.concurrency") {
        Some(clients) => (Arrivals::Closed { clients }, answered),
        None if sent.value.is_some() => (open(source, report), sent),
        None => {
            let what = "the file names no rate: it is a summary that mixes the stages".to_owned();
            let remedy = "give stage_0_lifecycle_metrics.json and the others";
            report.problem_at(source.file, source.at, source.entity, what, remedy);
            return None;
        }
    };
    let tokens = |keys: &[&'static str], per_s: &str| {
        let given = Given::of(node, keys, 1.0);
        let by_rate = dig::number(node, per_s).zip(answered.value.filter(|x| *x > 0.0));
        Given {
            value: given.value.or(by_rate.map(|(tokens, requests)| tokens / requests)),
            ..given
        }
    };
    let latency = |keys: &[&'static str]| Given::measured(node, keys, 1000.0);
    let run = Run {
        arrivals: Some(arrivals),
        rate_per_s,
        input_tokens: tokens(
            &["successes.prompt_len.mean", "successes.prompt_tokens.mean"],
            "successes.throughput.input_tokens_per_sec",
        ),
        output_tokens: tokens(
            &["successes.output_len.mean", "successes.output_tokens.mean"],
            "successes.throughput.output_tokens_per_sec",
        ),
        ttft_ms: Given::of(node, &["successes.latency.time_to_first_token.mean"], 1000.0),
        e2e_ms: latency(&["successes.latency.request_latency.mean"]),
        own_itl_ms: [
            latency(&["successes.latency.time_per_output_token.mean"]),
            latency(&["successes.latency.inter_token_latency.mean"]),
        ],
        ttft_percentiles: percentiles(node, &TTFT, 1000.0),
        tpot_percentiles: percentiles(node, &TPOT, 1000.0),
        end: end(node, answered.value),
        ..Run::default()
    };
    run.point(source, report)
}

/// The stage lasts until its last answer.
fn end(node: &Node, answered_per_s: Option<f64>) -> End {
    let answered = dig::positive(node, "successes.count");
    let sent = dig::positive(node, "load_summary.count");
    let Some(per_s) = answered_per_s.filter(|x| *x > 0.0) else { return End::Untold };
    match answered.or(sent) {
        Some(answered) => {
            let sent = sent.unwrap_or(answered);
            End::Drained { run_s: answered / per_s, sent, longest: None }
        }
        None => End::Untold,
    }
}

/// Whether `node` is the configuration that the tool keeps beside its stages.
pub(super) fn is_configuration(node: &Node) -> bool {
    dig::has(node, "load.type") && dig::has(node, "server") && !dig::has(node, "scenario")
}

/// Variation of the gaps that a configuration asks for.
pub(super) fn gap_scv(configuration: &Node) -> Option<f64> {
    match dig::text(configuration, "load.type")? {
        "poisson" => Some(1.0),
        "constant" => Some(0.0),
        _ => None,
    }
}

fn open(source: Source<'_>, report: &mut Report) -> Arrivals {
    if let Some(scv) = source.gap_scv {
        return Arrivals::Open { scv };
    }
    let what =
        "the stage does not say how requests came: gaps are taken as constant, the tool's default";
    let remedy = "its `config.yaml`, beside it, would say";
    report.warning_at(source.file, source.at, source.entity, what.to_owned(), remedy);
    Arrivals::Open { scv: 0.0 }
}
