//! The summary of a run of AIPerf (`profile_export_aiperf.json`) or of its forerunner genai-perf
//! (`profile_export_genai_perf.json`): a metric each, with its unit and statistics.
//!
//! The load stands in `input_config`, whose shape has changed several times; a CSV has none, and then
//! the file's path tells it (`.../model-concurrency8/profile_export_genai_perf.csv`), or Little's law.

use isocost_model::input::reading::{Node, Report};

use super::hint;
use super::run::{End, Given, Run, Source, percentiles};
use crate::point::{Arrivals, Point};
use isocost_model::input::reading::dig;

/// Percentiles of a metric.
const PERCENTILES: [(f64, &str); 4] = [(50.0, "p50"), (90.0, "p90"), (95.0, "p95"), (99.0, "p99")];

/// Metrics that tell the kind of file.
const METRICS: [&str; 4] =
    ["time_to_first_token", "request_latency", "request_throughput", "error_request_count"];

/// Whether `node` is such a summary.
pub(super) fn is(node: &Node) -> bool {
    let metrics = metrics(node);
    METRICS.iter().any(|metric| dig::has(metrics, &format!("{metric}.avg")))
}

/// Where the metrics stand: some versions keep them under `records`.
fn metrics(node: &Node) -> &Node {
    dig::at(node, "records").unwrap_or(node)
}

pub(super) fn read(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Point> {
    let of = metrics(node);
    let ms = |metric| unit(of, metric, source, report, time_ms);
    let [ttft, e2e, itl] =
        ["time_to_first_token", "request_latency", "inter_token_latency"].map(ms);
    let per_s = unit(of, "request_throughput", source, report, rate_per_s)?;
    let (ttft, e2e, itl) = (ttft?, e2e?, itl?);
    let answered = Given::of(of, &["request_throughput.avg"], per_s);
    let mut run = Run {
        rate_per_s: answered,
        input_tokens: Given::of(of, &["input_sequence_length.avg"], 1.0),
        output_tokens: Given::of(
            of,
            &["output_sequence_length.avg", "output_token_count.avg"],
            1.0,
        ),
        ttft_ms: Given::of(of, &["time_to_first_token.avg"], ttft),
        e2e_ms: Given::measured(of, &["request_latency.avg"], e2e),
        own_itl_ms: [Given::measured(of, &["inter_token_latency.avg"], itl), Given::default()],
        input_sd: dig::number(of, "input_sequence_length.std"),
        output_sd: dig::number(of, "output_sequence_length.std"),
        ttft_percentiles: statistics(of, "time_to_first_token", ttft),
        tpot_percentiles: statistics(of, "inter_token_latency", itl),
        ..Run::default()
    };
    match load(node, source, report)? {
        Some(Load { arrivals, rate }) => {
            run.arrivals = Some(arrivals);
            run.rate_per_s = rate.unwrap_or(answered);
        }
        None => run.arrivals = Some(by_little(&run, source, report)),
    }
    run.end = end(of, answered);
    run.point(source, report)
}

fn statistics(of: &Node, metric: &str, scale: f64) -> Vec<crate::point::Percentile> {
    dig::at(of, metric).map(|node| percentiles(node, &PERCENTILES, scale)).unwrap_or_default()
}

/// A run lasts until its last answer.
fn end(of: &Node, answered: Given) -> End {
    let count = dig::positive(of, "request_count.avg");
    let errors = dig::positive(of, "error_request_count.avg").unwrap_or(0.0);
    let Some((count, per_s)) = count.zip(answered.value.filter(|x| *x > 0.0)) else {
        return End::Untold;
    };
    End::Drained { run_s: count / per_s, sent: count + errors, longest: None }
}

/// What a metric's numbers are to be multiplied by; a unit that is not known is a problem.
fn unit(
    of: &Node,
    metric: &str,
    source: Source<'_>,
    report: &mut Report,
    scale: fn(&str) -> Option<f64>,
) -> Option<f64> {
    let unit = dig::text(of, &format!("{metric}.unit")).unwrap_or("");
    let found = scale(unit);
    if found.is_none() {
        let what = format!("`{metric}` is in `{unit}`, which is no unit of it");
        let remedy = "expected ms, s, us or ns, or requests/sec";
        report.problem_at(source.file, source.at, source.entity, what, remedy);
    }
    found
}

/// Milliseconds in a unit of time.
pub(super) fn time_ms(unit: &str) -> Option<f64> {
    match unit.to_lowercase().split('/').next().unwrap_or("") {
        "" | "ms" | "msec" | "millisecond" | "milliseconds" => Some(1.0),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1e3),
        "us" | "µs" | "usec" | "microsecond" | "microseconds" => Some(1e-3),
        "ns" | "nsec" | "nanosecond" | "nanoseconds" => Some(1e-6),
        _ => None,
    }
}

fn rate_per_s(unit: &str) -> Option<f64> {
    match unit.to_lowercase().rsplit(['/', ' ']).next().unwrap_or("") {
        "" | "s" | "sec" | "second" => Some(1.0),
        "min" | "minute" => Some(1.0 / 60.0),
        _ => None,
    }
}

/// How requests came, and the rate of an open loop.
struct Load {
    arrivals: Arrivals,
    rate: Option<Given>,
}

/// Where an `input_config` may hold the load, and whether gaps are constant where nobody says.
const SECTIONS: [(&str, bool); 3] = [
    ("input_config.loadgen", false),
    ("input_config.perf_analyzer.stimulus", true),
    ("input_config", true),
];

/// The load as the file tells it, or its path; nothing where neither does. A load that is not steady
/// is a problem.
fn load(node: &Node, source: Source<'_>, report: &mut Report) -> Option<Option<Load>> {
    let phases = ["input_config.phases", "input_config.benchmark.phases"];
    let phase = phases
        .iter()
        .flat_map(|path| dig::items(node, path))
        .rfind(|phase| ["kind", "name"].iter().all(|key| dig::text(phase, key) != Some("warmup")));
    let sections = SECTIONS.iter().filter_map(|(path, even)| Some((dig::at(node, path)?, *even)));
    for (section, even) in phase.map(|phase| (phase, false)).into_iter().chain(sections) {
        let rate = Given::measured(section, &["request_rate", "rate"], 1.0);
        let clients = dig::count(section, "concurrency");
        let keys = ["request_rate_mode", "arrival_pattern", "type"];
        let mode = keys.iter().find_map(|key| dig::text(section, key)).unwrap_or("");
        if ["user_centric", "fixed_schedule"].contains(&mode) {
            let what = format!("`{mode}` is no steady load");
            let remedy = "measure at a rate or a concurrency";
            report.problem_at(source.file, section.at, source.entity, what, remedy);
            return None;
        }
        match (rate.value, clients) {
            (Some(_), _) => {
                let smoothness = dig::positive(section, "arrival_smoothness")
                    .or_else(|| dig::positive(section, "smoothness"));
                let scv = match mode {
                    "constant" => 0.0,
                    "gamma" => 1.0 / smoothness.unwrap_or(1.0),
                    "" if even => 0.0,
                    _ => 1.0,
                };
                return Some(Some(Load { arrivals: Arrivals::Open { scv }, rate: Some(rate) }));
            }
            (None, Some(clients)) => {
                return Some(Some(Load { arrivals: Arrivals::Closed { clients }, rate: None }));
            }
            (None, None) => {}
        }
    }
    Some(
        hint::clients(source.file)
            .map(|clients| Load { arrivals: Arrivals::Closed { clients }, rate: None }),
    )
}

/// A closed loop of as many clients as requests were in the system.
fn by_little(run: &Run, source: Source<'_>, report: &mut Report) -> Arrivals {
    let in_system = run.rate_per_s.value.zip(run.e2e_ms.value).map(|(rate, ms)| rate * ms / 1000.0);
    let clients = in_system.unwrap_or(1.0).round().clamp(1.0, 1e6) as u32;
    let what = format!("the load is not in the file: taken as a closed loop of {clients} clients");
    let remedy = "rate x latency gives as many; a path with `concurrency8` in it says otherwise";
    report.warning_at(source.file, source.at, source.entity, what, remedy);
    Arrivals::Closed { clients }
}
