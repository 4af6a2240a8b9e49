//! A report of llm-d-benchmark, version 0.1 or 0.2, whose every quantity has its unit.
//!
//! 0.2 states the load (`scenario.load.standardized`); 0.1 has the arguments of the tool that made it
//! (`scenario.load.args`), which 0.2 keeps as `native`.

use isocost_model::input::reading::{Node, Report};

use super::aiperf::time_ms;
use super::run::{End, Given, Run, Source};
use crate::point::{Arrivals, Percentile, Point};
use isocost_model::input::reading::dig;

/// Where the results of either version stand, and what they call the rate of answers.
const FORMS: [(&str, &[&str]); 2] = [
    (
        "results.request_performance.aggregate",
        &["throughput.request_rate.mean", "throughput.requests_rate.mean"],
    ),
    ("metrics", &["throughput.requests_per_sec"]),
];

const PERCENTILES: [(f64, &str); 4] = [(50.0, "p50"), (90.0, "p90"), (95.0, "p95"), (99.0, "p99")];

/// Whether `node` is such a report.
pub(super) fn is(node: &Node) -> bool {
    dig::has(node, "scenario.load") && FORMS.iter().any(|(path, _)| dig::has(node, path))
}

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let (of, keys) = FORMS.iter().find_map(|(path, keys)| Some((dig::at(node, path)?, *keys)))?;
    let answered = Given::of(of, keys, 1.0);
    let (arrivals, offered) = load(node, source, report)?;
    let output_tokens = Given::of(of, &["requests.output_length.mean"], 1.0);
    let latency = |key: &'static str, path: &str| {
        let unit = dig::text(of, &format!("{path}.units")).unwrap_or("s");
        Given::of(of, &[key], time_ms(unit).unwrap_or(f64::NAN))
    };
    let run = Run {
        arrivals: Some(arrivals),
        rate_per_s: offered.unwrap_or(answered),
        input_tokens: Given::of(of, &["requests.input_length.mean"], 1.0),
        output_tokens,
        ttft_ms: latency("latency.time_to_first_token.mean", "latency.time_to_first_token"),
        e2e_ms: nonzero(latency("latency.request_latency.mean", "latency.request_latency")),
        own_itl_ms: [
            nonzero(latency("latency.time_per_output_token.mean", "latency.time_per_output_token")),
            nonzero(latency("latency.inter_token_latency.mean", "latency.inter_token_latency")),
        ],
        input_sd: dig::number(of, "requests.input_length.stddev"),
        output_sd: dig::number(of, "requests.output_length.stddev"),
        ttft_percentiles: statistics(of, "latency.time_to_first_token"),
        tpot_percentiles: statistics(of, "latency.time_per_output_token"),
        end: end(of, answered.value),
    };
    run.point(source, report)
}

fn nonzero(given: Given) -> Given {
    Given { value: given.value.filter(|x| *x != 0.0), ..given }
}

fn statistics(of: &Node, path: &str) -> Vec<Percentile> {
    let Some(node) = dig::at(of, path) else { return Vec::new() };
    let scale = dig::text(node, "units").and_then(time_ms).unwrap_or(1000.0);
    super::run::percentiles(node, &PERCENTILES, scale)
}

/// The run lasts until its last answer, unless some were left incomplete.
fn end(of: &Node, answered_per_s: Option<f64>) -> End {
    let total = dig::positive(of, "requests.total");
    let Some((sent, per_s)) = total.zip(answered_per_s.filter(|x| *x > 0.0)) else {
        return End::Untold;
    };
    if let Some(incomplete) = dig::positive(of, "requests.incomplete") {
        return End::Cut(incomplete);
    }
    let failed = dig::positive(of, "requests.failures").unwrap_or(0.0);
    End::Drained { run_s: (sent - failed).max(1.0) / per_s, sent, longest: None }
}

/// How requests came, and the rate of an open loop.
fn load(node: &Node, source: Source<'_>, report: &mut Report) -> Option<(Arrivals, Option<Given>)> {
    const STATED: &str = "scenario.load.standardized";
    let native = ["scenario.load.native.config", "scenario.load.native.args", "scenario.load.args"];
    let native: Vec<&Node> = native.iter().filter_map(|path| dig::at(node, path)).collect();
    let stated = dig::at(node, STATED);
    let sections = || stated.into_iter().chain(native.iter().copied());
    let rates = ["rate_qps", "request_rate", "request-rate"];
    let rate = sections().map(|s| Given::measured(s, &rates, 1.0)).find(|r| r.value.is_some());
    let listed = native.iter().find_map(|section| stage(node, section));
    let (rate, listed) = match told(&native) {
        Some("concurrent") => (rate, listed),
        _ => (rate.or(listed), None),
    };
    let clients = ["concurrency", "max_concurrency", "max-concurrency"];
    let clients = sections().find_map(|s| clients.iter().find_map(|key| dig::count(s, key)));
    let clients = clients.or(listed.and_then(|given| given.value).map(|x| x.round() as u32));
    match (rate, clients) {
        (Some(rate), _) => Some((Arrivals::Open { scv: scv(node, &native) }, Some(rate))),
        (None, Some(clients)) => Some((Arrivals::Closed { clients }, None)),
        (None, None) => {
            let what = "the report names neither a rate nor a concurrency".to_owned();
            let remedy = "give `rate_qps` or `concurrency` under scenario.load.standardized";
            report.problem_at(source.file, source.at, source.entity, what, remedy);
            None
        }
    }
}

/// The rate of the stage that the report is of, where the tool's own settings list them.
fn stage(node: &Node, native: &Node) -> Option<Given> {
    let numbers = ["scenario.load.standardized.stage", "scenario.load.metadata.stage"];
    let number = numbers.iter().find_map(|path| dig::number(node, path)).unwrap_or(0.0) as usize;
    let value = match dig::items(native, "load.stages").get(number) {
        Some(stage) => dig::positive(stage, "rate"),
        None => dig::numbers(native, "rate").get(number).copied().filter(|x| *x > 0.0),
    };
    value.is_some().then_some(Given { key: "rate", value })
}

/// The kind of load as the tool was told.
fn told<'a>(native: &[&'a Node]) -> Option<&'a str> {
    let kinds = ["load.type", "rate_type", "rate-type", "profile"];
    native.iter().find_map(|section| kinds.iter().find_map(|key| dig::text(section, key)))
}

/// Variation of the gaps: as the tool was told, else by what it does on its own.
fn scv(node: &Node, native: &[&Node]) -> f64 {
    if let Some(burstiness) = native.iter().find_map(|s| dig::positive(s, "burstiness")) {
        return 1.0 / burstiness;
    }
    let tools = ["scenario.load.standardized.tool", "scenario.load.name"];
    let tool = tools.iter().find_map(|path| dig::text(node, path)).unwrap_or("");
    match (told(native), tool) {
        (Some("poisson"), _) => 1.0,
        (Some("constant"), _) => 0.0,
        (_, "inference-perf" | "guidellm") => 0.0,
        _ => 1.0,
    }
}
