//! A benchmark of GuideLLM's report (`benchmarks.json`).
//!
//! Read are the strategy (`config.strategy`, in reports before 0.4 `args.strategy`) and, of
//! `metrics`, what holds of the successful requests.

use isocost_model::input::reading::{Node, Report};

use super::run::{End, Given, Run, Source, percentiles};
use crate::point::{Arrivals, Point};
use isocost_model::input::reading::dig;

const TTFT: [(f64, &str); 4] = [
    (50.0, "metrics.time_to_first_token_ms.successful.median"),
    (90.0, "metrics.time_to_first_token_ms.successful.percentiles.p90"),
    (95.0, "metrics.time_to_first_token_ms.successful.percentiles.p95"),
    (99.0, "metrics.time_to_first_token_ms.successful.percentiles.p99"),
];

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let (arrivals, offered) = strategy(node, source, report)?;
    let mean = |keys: &[&'static str], scale| Given::of(node, keys, scale);
    let answered = mean(&["metrics.requests_per_second.successful.mean"], 1.0);
    let run = Run {
        arrivals: Some(arrivals),
        rate_per_s: Given { value: answered.value.and(offered.or(answered.value)), ..answered },
        input_tokens: mean(&["metrics.prompt_token_count.successful.mean"], 1.0),
        output_tokens: mean(&["metrics.output_token_count.successful.mean"], 1.0),
        ttft_ms: mean(&["metrics.time_to_first_token_ms.successful.mean"], 1.0),
        e2e_ms: Given::measured(node, &["metrics.request_latency.successful.mean"], 1000.0),
        own_itl_ms: [
            Given::measured(node, &["metrics.inter_token_latency_ms.successful.mean"], 1.0),
            Given::default(),
        ],
        input_sd: dig::number(node, "metrics.prompt_token_count.successful.std_dev"),
        output_sd: dig::number(node, "metrics.output_token_count.successful.std_dev"),
        ttft_percentiles: percentiles(node, &TTFT, 1.0),
        end: end(node, offered, answered.value),
        ..Run::default()
    };
    if answered.value.is_some_and(|x| x <= 0.0) {
        return Run { rate_per_s: answered, ..run }.point(source, report);
    }
    run.point(source, report)
}

/// A run ends at a time, with requests under way: those that were sent and neither answered nor
/// failed, and those that a server could not yet be sent.
fn end(node: &Node, offered: Option<f64>, answered_per_s: Option<f64>) -> End {
    let Some(run_s) = dig::positive(node, "duration") else { return End::Untold };
    let total = |status: &str| {
        let of = |place: &str| dig::number(node, &format!("{place}.{status}"));
        of("request_totals").or_else(|| of("metrics.request_totals"))
    };
    let errored = total("errored").unwrap_or(0.0);
    let answered = total("successful").or(answered_per_s.map(|rate| rate * run_s));
    let late = offered.zip(answered).map(|(rate, answered)| rate * run_s - answered - errored);
    let told = [total("incomplete"), late].into_iter().flatten().reduce(f64::max);
    told.map_or(End::Untold, End::Cut)
}

/// How requests arrived, and the rate that was asked for; nothing where the benchmark says nothing
/// about a steady load.
fn strategy(
    node: &Node,
    source: Source<'_>,
    report: &mut Report,
) -> Option<(Arrivals, Option<f64>)> {
    let places = ["config.strategy", "args.strategy", "scheduler.strategy"];
    let Some(strategy) = places.iter().find_map(|path| dig::at(node, path)) else {
        let remedy = "expected `strategy` under `config` or `args`";
        let what = "the strategy is missing".to_owned();
        report.problem_at(source.file, source.at, source.entity, what, remedy);
        return None;
    };
    let kind = dig::text(strategy, "type_").or_else(|| dig::text(strategy, "type")).unwrap_or("");
    let rate = Given::of(strategy, &["rate"], 1.0).value;
    let streams =
        dig::count(strategy, "streams").or_else(|| dig::count(strategy, "max_concurrency"));
    arrivals(kind, streams, rate, Source { at: strategy.at, ..source }, report)
}

/// The same from a strategy's name, its streams and its rate, for every form of a report.
pub(super) fn arrivals(
    kind: &str,
    streams: Option<u32>,
    rate: Option<f64>,
    source: Source<'_>,
    report: &mut Report,
) -> Option<(Arrivals, Option<f64>)> {
    let rate = rate.filter(|x| *x > 0.0);
    match (kind, streams) {
        ("synchronous", _) => Some((Arrivals::Closed { clients: 1 }, None)),
        ("concurrent", Some(clients)) => Some((Arrivals::Closed { clients }, None)),
        ("concurrent", None) => {
            let what = "the number of streams is missing".to_owned();
            let remedy = "give `streams`, the clients of the closed loop";
            report.problem_at(source.file, source.at, source.entity, what, remedy);
            None
        }
        ("constant", _) => Some((Arrivals::Open { scv: 0.0 }, rate)),
        ("poisson", _) => Some((Arrivals::POISSON, rate)),
        (other, _) => {
            let what = format!("strategy `{other}` is no steady load: the benchmark is ignored");
            let remedy = "synchronous, concurrent, constant and poisson are read";
            report.warning_at(source.file, source.at, source.entity, what, remedy);
            None
        }
    }
}
