//! GuideLLM's report (`benchmarks.json`): one point a benchmark.
//!
//! Read are the strategy (`config.strategy`, in reports before 0.3 `args.strategy`) and, of
//! `metrics`, the means over the successful requests.

use isocost_model::input::reading::{Fields, Report};

use super::{MOST, MOST_TOKENS, place, sweep_of};
use crate::point::{Arrivals, Point};

pub(super) fn read(mut fields: Fields<'_>, report: &mut Report) -> Vec<Point> {
    let benchmarks = fields.list("benchmarks", report);
    if benchmarks.is_empty() {
        let what = "there is no benchmark in the report".to_owned();
        fields.problem("benchmarks", what, "give a report of a run that ended", report);
    }
    let numbered = benchmarks.into_iter().zip(1..);
    numbered.filter_map(|(fields, number)| benchmark(fields, number, report)).collect()
}

fn benchmark(mut fields: Fields<'_>, number: u32, report: &mut Report) -> Option<Point> {
    fields.entity = format!("benchmark {number}");
    let before = report.problems.len();
    let arrivals = arrivals(&mut fields, report);
    let Some(mut metrics) = fields.inner("metrics", report) else {
        if !fields.has("metrics") {
            let what = "`metrics` is missing".to_owned();
            fields.problem("", what, "give the report as GuideLLM wrote it", report);
        }
        return None;
    };
    let tiny = f64::MIN_POSITIVE;
    let rate_per_s = mean(&mut metrics, "requests_per_second", tiny..=MOST, report);
    let input_tokens = mean(&mut metrics, "prompt_token_count", 0.0..=MOST_TOKENS, report);
    let output_tokens = mean(&mut metrics, "output_token_count", 1.0..=MOST_TOKENS, report);
    let ttft_ms = mean(&mut metrics, "time_to_first_token_ms", tiny..=MOST, report);
    let itl_ms = match output_tokens {
        Some(tokens) if tokens > 1.0 => {
            mean(&mut metrics, "inter_token_latency_ms", tiny..=MOST, report)
        }
        _ => None,
    };
    let (arrivals, offered) = arrivals?;
    if report.problems.len() > before {
        return None;
    }
    let (rate_per_s, input_tokens, output_tokens) = (rate_per_s?, input_tokens?, output_tokens?);
    let sweep = sweep_of(input_tokens, output_tokens);
    let arrived_per_s = offered.unwrap_or(rate_per_s);
    let mut point = Point::new(sweep, arrivals, arrived_per_s, input_tokens, output_tokens);
    point.place = place(fields.file, fields.at);
    (point.ttft_ms, point.itl_ms) = (ttft_ms, itl_ms);
    let run_s = fields.number("duration", f64::MIN_POSITIVE..=MOST, report);
    point.in_flight = run_s.map(|run_s| ((arrived_per_s - rate_per_s) * run_s).max(0.0));
    Some(point)
}

/// How requests arrived, and the rate that was asked for; nothing where the benchmark says nothing
/// about a steady load, which is remarked.
fn arrivals(fields: &mut Fields<'_>, report: &mut Report) -> Option<(Arrivals, Option<f64>)> {
    let key = if fields.has("config") { "config" } else { "args" };
    let strategy = fields.inner(key, report).and_then(|mut f| f.inner("strategy", report));
    let Some(mut strategy) = strategy else {
        let what = "the strategy is missing".to_owned();
        fields.problem("", what, "expected `strategy` under `config` or `args`", report);
        return None;
    };
    let kind = strategy.name("type_", report).to_owned();
    let rate = strategy.number("rate", f64::MIN_POSITIVE..=MOST, report);
    match kind.as_str() {
        "synchronous" => Some((Arrivals::Closed { clients: 1 }, None)),
        "concurrent" => {
            let clients = strategy.whole("streams", 1..=1_000_000, report);
            if clients.is_none() {
                let what = "the number of streams is missing".to_owned();
                strategy.problem("streams", what, "give the clients of the closed loop", report);
            }
            clients.map(|clients| (Arrivals::Closed { clients }, None))
        }
        "constant" => Some((Arrivals::Open { scv: 0.0 }, rate)),
        "poisson" => Some((Arrivals::POISSON, rate)),
        "" => None,
        other => {
            let what = format!("strategy `{other}` is no steady load: the benchmark is ignored");
            let remedy = "synchronous, concurrent, constant and poisson are read";
            strategy.warning("type_", what, remedy, report);
            None
        }
    }
}

/// The mean of a metric over the successful requests.
fn mean(
    metrics: &mut Fields<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<f64>,
    report: &mut Report,
) -> Option<f64> {
    let before = report.problems.len();
    let value = metrics
        .inner(key, report)
        .and_then(|mut metric| metric.inner("successful", report))
        .and_then(|mut distribution| distribution.number("mean", range, report));
    if value.is_none() && report.problems.len() == before {
        let what = format!("`{key}.successful.mean` is missing");
        metrics.problem(key, what, "give the report as GuideLLM wrote it", report);
    }
    value
}
