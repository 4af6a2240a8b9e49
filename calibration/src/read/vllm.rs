//! One result of vLLM's `benchmark_serving` (`vllm bench serve --save-result`).
//!
//! The run lasts until the last request is answered: nothing is left unanswered, and what tells a
//! queue that grew is how long that takes. Where `--save-detailed` wrote the requests one by one,
//! their spreads are read, and whether the later half waited longer than the earlier half.

use isocost_model::input::reading::{Fields, Report};

use super::{MOST, MOST_TOKENS, mean, numbers, place, scv, sweep_of};
use crate::point::{Arrivals, Percentile, Point};

/// Percentiles that a result may state, with the keys of TTFT and of the time per token.
const PERCENTILES: [(f64, &str, &str); 4] = [
    (50.0, "median_ttft_ms", "median_tpot_ms"),
    (90.0, "p90_ttft_ms", "p90_tpot_ms"),
    (95.0, "p95_ttft_ms", "p95_tpot_ms"),
    (99.0, "p99_ttft_ms", "p99_tpot_ms"),
];

/// The longest of some answers over their mean, where the answers are not told one by one.
const LONGEST: f64 = 4.0;

pub(super) fn read(mut fields: Fields<'_>, report: &mut Report) -> Option<Point> {
    let before = report.problems.len();
    let completed = need(&mut fields, "completed", 1.0, report);
    let input = need(&mut fields, "total_input_tokens", 0.0, report);
    let output = need(&mut fields, "total_output_tokens", 1.0, report);
    let throughput = need(&mut fields, "request_throughput", f64::MIN_POSITIVE, report);
    let ttft_ms = need(&mut fields, "mean_ttft_ms", f64::MIN_POSITIVE, report);
    // The mean over requests of the time per token after the first; the mean over chunks
    // (`mean_itl_ms`) counts one interval where a chunk holds several tokens.
    let itl_ms = positive(&mut fields, "mean_tpot_ms", report)
        .or_else(|| positive(&mut fields, "mean_itl_ms", report));
    let burstiness = positive(&mut fields, "burstiness", report).unwrap_or(1.0);
    let clients = fields.whole("max_concurrency", 1..=1_000_000, report);
    let offered = offered(&mut fields, report);
    if report.problems.len() > before {
        return None;
    }
    let arrivals = match (offered, clients) {
        // A rate that max_concurrency throttles shows in how long the run took.
        (Some(_), _) => Arrivals::Open { scv: 1.0 / burstiness },
        (None, Some(clients)) => Arrivals::Closed { clients },
        (None, None) => {
            let what = "the request rate is `inf` and no max_concurrency is set: every request \
                        was sent at once";
            let remedy = "measure at a rate, or with --max-concurrency; the result is ignored";
            fields.warning("request_rate", what.to_owned(), remedy, report);
            return None;
        }
    };
    let (input_tokens, output_tokens) = (input / completed, (output / completed).max(1.0));
    let rate_per_s = offered.unwrap_or(throughput);
    let sweep = sweep_of(input_tokens, output_tokens);
    let mut point = Point::new(sweep, arrivals, rate_per_s, input_tokens, output_tokens);
    point.place = place(fields.file, fields.at);
    point.ttft_ms = Some(ttft_ms);
    point.itl_ms = itl_ms.filter(|_| output_tokens > 1.0);
    for (percent, ttft, tpot) in PERCENTILES {
        let of = |ms| Percentile { percent, ms };
        point.ttft_percentiles.extend(positive(&mut fields, ttft, report).map(of));
        point.tpot_percentiles.extend(positive(&mut fields, tpot, report).map(of));
    }
    detailed(&mut fields, &mut point);
    if offered.is_some() {
        let longest = numbers(&mut fields, "output_lens").into_iter().fold(0.0, f64::max);
        let run_s = completed / throughput;
        point.in_flight = Some(in_flight(&point, run_s, completed, longest));
    }
    Some(point)
}

/// Spreads, and the growth of TTFT, from the requests one by one.
fn detailed(fields: &mut Fields<'_>, point: &mut Point) {
    point.input_scv = scv(&numbers(fields, "input_lens"));
    let answers = numbers(fields, "output_lens");
    point.token_scv = scv(&answers);
    let ttfts = numbers(fields, "ttfts");
    let (earlier, later) = ttfts.split_at(ttfts.len() / 2);
    if let (Some(earlier), Some(later)) = (mean(earlier), mean(later)) {
        point.ttft_growth = (earlier > 0.0).then(|| later / earlier);
    }
}

/// Requests in flight when the last one arrived: those that were answered in the time that the run
/// took beyond the arrivals and the longest answer, and those that a steady run leaves.
fn in_flight(point: &Point, run_s: f64, completed: f64, longest: f64) -> f64 {
    let longest = if longest > 0.0 { longest } else { LONGEST * point.output_tokens };
    let (ttft_ms, itl_ms) = (point.ttft_ms.unwrap_or(0.0), point.itl_ms.unwrap_or(0.0));
    let answer_s = (ttft_ms + longest * itl_ms) / 1000.0;
    let late_s = (run_s - completed / point.rate_per_s - answer_s).max(0.0);
    point.concurrency().unwrap_or(0.0) + late_s * completed / run_s
}

/// Requests per second that were to arrive; `None` is `inf`.
fn offered(fields: &mut Fields<'_>, report: &mut Report) -> Option<f64> {
    if fields.is_text("request_rate") {
        let text = fields.text("request_rate", report).unwrap_or("");
        if text != "inf" {
            let what = format!("the request rate is `{text}`");
            fields.problem("request_rate", what, "expected a number or `inf`", report);
        }
        return None;
    }
    fields.number("request_rate", f64::MIN_POSITIVE..=MOST, report)
}

fn need(fields: &mut Fields<'_>, key: &'static str, least: f64, report: &mut Report) -> f64 {
    if !fields.has(key) {
        let what = format!("`{key}` is missing");
        fields.problem(key, what, "give the whole result of vllm bench serve", report);
    }
    fields.number(key, least..=MOST.max(MOST_TOKENS), report).unwrap_or(0.0)
}

/// A number above 0; 0 stands for what was not measured.
fn positive(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<f64> {
    fields.number(key, 0.0..=MOST, report).filter(|x| *x > 0.0)
}
