//! A summary of llmperf (`*_summary.json`), in seconds, and of llmperf-bench, which keeps several by
//! their clients. Clients form a closed loop.
//!
//! Its own inter-token latency is end-to-end latency over tokens, the first token included: only
//! where there is nothing else is the latency worked out from it.

use isocost_model::input::reading::{Node, Report};

use super::run::{Given, Run, Source, percentiles};
use super::{hint, mean};
use crate::point::{Arrivals, Point};
use isocost_model::input::reading::dig;

const TTFT: [(f64, &str); 4] = [
    (50.0, "results_ttft_s_quantiles_p50"),
    (90.0, "results_ttft_s_quantiles_p90"),
    (95.0, "results_ttft_s_quantiles_p95"),
    (99.0, "results_ttft_s_quantiles_p99"),
];

/// Whether `node` is a summary, of either kind.
pub(super) fn is(node: &Node) -> bool {
    dig::has(node, "results_ttft_s_mean") || is_short(node)
}

/// Whether `node` is one of llmperf-bench's short summaries.
fn is_short(node: &Node) -> bool {
    dig::has(node, "first-time-to-token_mean_in_ms")
}

/// Whether `node` is a request out of `*_individual_responses.json`.
pub(super) fn is_request(node: &Node) -> bool {
    dig::has(node, "end_to_end_latency_s") && dig::has(node, "number_output_tokens")
}

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let (run, clients) = if is_short(node) { short(node) } else { long(node) };
    let run = Run { arrivals: closed(clients, source, report), ..run };
    run.point(source, report)
}

fn long(node: &Node) -> (Run, Option<u32>) {
    let per_min = Given::of(node, &["results_num_completed_requests_per_min"], 1.0 / 60.0);
    let run = Run {
        rate_per_s: per_min,
        input_tokens: Given::of(node, &["results_number_input_tokens_mean"], 1.0),
        output_tokens: Given::of(node, &["results_number_output_tokens_mean"], 1.0),
        ttft_ms: Given::of(node, &["results_ttft_s_mean"], 1000.0),
        e2e_ms: Given { key: E2E, ..Given::measured(node, &[E2E], 1000.0) },
        own_itl_ms: [Given { key: E2E, value: None }; 2],
        input_sd: dig::number(node, "results_number_input_tokens_stddev"),
        output_sd: dig::number(node, "results_number_output_tokens_stddev"),
        ttft_percentiles: percentiles(node, &TTFT, 1000.0),
        ..Run::default()
    };
    (run, dig::count(node, "num_concurrent_requests"))
}

const E2E: &str = "results_end_to_end_latency_s_mean";

fn short(node: &Node) -> (Run, Option<u32>) {
    let output_tokens = Given::of(node, &["output_token_length"], 1.0);
    let per_request = |given: Given, factor: fn(f64, f64) -> f64| {
        let value = given.value.zip(output_tokens.value).map(|(x, tokens)| factor(x, tokens));
        Given { value, ..given }
    };
    let tokens_per_s = Given::of(node, &["throughput_token_per_s"], 1.0);
    let ms_per_token = Given::measured(node, &["latency_ms_per_token"], 1.0);
    let run = Run {
        rate_per_s: per_request(tokens_per_s, |rate, tokens| rate / tokens.max(1.0)),
        input_tokens: Given::of(node, &["input_token_length"], 1.0),
        output_tokens,
        ttft_ms: Given::of(node, &["first-time-to-token_mean_in_ms"], 1.0),
        e2e_ms: per_request(ms_per_token, |ms, tokens| ms * tokens),
        own_itl_ms: [Given { key: "latency_ms_per_token", value: None }; 2],
        ..Run::default()
    };
    (run, dig::count(node, "concurrency"))
}

/// The mean over requests one by one (`*_individual_responses.json`), whose clients only the path
/// tells; those that failed do not count.
pub(super) fn requests(nodes: &[Node], source: Source<'_>, report: &mut Report) -> Option<Point> {
    let sound: Vec<&Node> = nodes.iter().filter(|node| !dig::has(node, "error_code")).collect();
    let of = |key: &'static str, scale: f64| {
        let values: Vec<f64> = sound.iter().filter_map(|node| dig::number(node, key)).collect();
        Given { key, value: mean(&values).map(|x| x * scale) }
    };
    let clients = hint::clients(source.file);
    let e2e_ms = of("end_to_end_latency_s", 1000.0);
    // Each client has one request under way at any time.
    let rate = clients.zip(e2e_ms.value).map(|(clients, ms)| f64::from(clients) * 1000.0 / ms);
    let run = Run {
        arrivals: closed(clients, source, report),
        rate_per_s: Given { key: "end_to_end_latency_s", value: rate },
        input_tokens: of("number_input_tokens", 1.0),
        output_tokens: of("number_output_tokens", 1.0),
        ttft_ms: of("ttft_s", 1000.0),
        e2e_ms,
        own_itl_ms: [Given { key: "end_to_end_latency_s", value: None }; 2],
        ..Run::default()
    };
    run.arrivals?;
    run.point(source, report)
}

fn closed(clients: Option<u32>, source: Source<'_>, report: &mut Report) -> Option<Arrivals> {
    if clients.is_none() {
        let what = "the number of clients is missing".to_owned();
        let remedy = "give *_summary.json, which has `num_concurrent_requests`, or say \
                      `concurrency8` in the path";
        report.problem_at(source.file, source.at, source.entity, what, remedy);
    }
    clients.map(|clients| Arrivals::Closed { clients })
}
