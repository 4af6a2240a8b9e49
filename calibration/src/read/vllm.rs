//! One result of vLLM's `vllm bench serve --save-result` (`benchmark_serving`), or of SGLang's
//! `bench_serving`, which took its keys from there.
//!
//! The run lasts until the last request is answered: nothing is left unanswered, and what tells a
//! queue that grew is how long that takes. Where the requests are told one by one, their spreads are
//! read, and whether the later half waited longer than the earlier half.

use isocost_model::input::reading::{Node, Report};

use super::run::{End, Given, Run, Source, percentiles};
use super::{MOST, mean, scv};
use crate::point::{Arrivals, Point};
use isocost_model::input::reading::dig;

/// Percentiles that a result may state.
const TTFT: [(f64, &str); 4] =
    [(50.0, "median_ttft_ms"), (90.0, "p90_ttft_ms"), (95.0, "p95_ttft_ms"), (99.0, "p99_ttft_ms")];
const TPOT: [(f64, &str); 4] =
    [(50.0, "median_tpot_ms"), (90.0, "p90_tpot_ms"), (95.0, "p95_tpot_ms"), (99.0, "p99_tpot_ms")];

/// Whether `node` is such a result.
pub(super) fn is(node: &Node) -> bool {
    dig::has(node, "mean_ttft_ms")
        || dig::has(node, "completed") && dig::has(node, "request_throughput")
}

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let (offered, arrivals) = arrivals(node, source, report)?;
    let completed = Given::of(node, &["completed"], 1.0).within(1.0..=MOST, source, report)?;
    let each = |key| Given::of(node, &[key], 1.0 / completed);
    let throughput = Given::of(node, &["request_throughput"], 1.0);
    let mut run = Run {
        arrivals: Some(arrivals),
        rate_per_s: offered.unwrap_or(throughput),
        input_tokens: each("total_input_tokens"),
        output_tokens: each("total_output_tokens"),
        ttft_ms: Given::of(node, &["mean_ttft_ms"], 1.0),
        e2e_ms: Given::measured(node, &["mean_e2e_latency_ms", "mean_e2el_ms"], 1.0),
        // The mean over requests of the time per token after the first comes first; the mean over
        // chunks counts one interval where a chunk holds several tokens.
        own_itl_ms: [&["mean_tpot_ms"], &["mean_itl_ms"]].map(|k| Given::measured(node, k, 1.0)),
        ttft_percentiles: percentiles(node, &TTFT, 1.0),
        tpot_percentiles: percentiles(node, &TPOT, 1.0),
        ..Run::default()
    };
    if let Some(per_s) = throughput.value.filter(|x| *x > 0.0) {
        let longest = dig::numbers(node, "output_lens").into_iter().fold(0.0, f64::max);
        let longest = Some(longest).filter(|x| *x > 0.0);
        run.end = End::Drained { run_s: completed / per_s, sent: completed, longest };
    }
    let mut point = run.point(source, report)?;
    detailed(node, &mut point);
    Some(point)
}

/// Spreads, and the growth of TTFT, from the requests one by one.
fn detailed(node: &Node, point: &mut Point) {
    point.input_scv = scv(&dig::numbers(node, "input_lens"));
    point.token_scv = scv(&dig::numbers(node, "output_lens"));
    let ttfts = dig::numbers(node, "ttfts");
    let (earlier, later) = ttfts.split_at(ttfts.len() / 2);
    if let (Some(earlier), Some(later)) = (mean(earlier), mean(later)) {
        point.ttft_growth = (earlier > 0.0).then(|| later / earlier);
    }
}

/// The rate at which requests were to arrive, none where it is infinite, and how they came.
fn arrivals(
    node: &Node,
    source: Source<'_>,
    report: &mut Report,
) -> Option<(Option<Given>, Arrivals)> {
    let clients = dig::count(node, "max_concurrency");
    let rate = Given::of(node, &["request_rate"], 1.0);
    let mut problem = |what: String, remedy: &str| {
        report.problem_at(source.file, source.at, source.entity, what, remedy);
        None
    };
    if let Some(ramp) = dig::text(node, "ramp_up_strategy") {
        return problem(format!("the rate rose on the way ({ramp})"), "measure at one rate");
    }
    let untold = rate.value.is_none() && !dig::is_infinite(node, "request_rate");
    if let Some(text) = dig::text(node, "request_rate").filter(|_| untold) {
        let remedy = "expected a number or `inf`";
        return problem(format!("`request_rate` is `{text}`"), remedy);
    }
    if rate.value.is_some() {
        // A rate that max_concurrency throttles shows in how long the run took. SGLang has no
        // burstiness: its gaps are exponential.
        let burstiness = dig::positive(node, "burstiness").unwrap_or(1.0);
        return Some((Some(rate), Arrivals::Open { scv: 1.0 / burstiness }));
    }
    match clients {
        Some(clients) => Some((None, Arrivals::Closed { clients })),
        None => {
            let what = "the request rate is infinite and no `max_concurrency` is set: every request \
                        was sent at once";
            problem(what.to_owned(), "measure at a rate, or with --max-concurrency")
        }
    }
}
