//! One result of vLLM's `benchmark_serving` (`vllm bench serve --save-result`).

use isocost_model::input::reading::{Fields, Report};

use super::{MOST, MOST_TOKENS, place, sweep_of};
use crate::point::{Arrivals, Point};

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
        // A rate that max_concurrency throttles shows in the share that was served.
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
    // The run lasts from the first request sent to the last one answered.
    let drain_s = (ttft_ms + (output_tokens - 1.0) * itl_ms.unwrap_or(0.0)) / 1000.0;
    let expected = |offered: f64| completed / (completed / offered + drain_s);
    Some(Point {
        sweep: sweep_of(input_tokens, output_tokens),
        place: place(fields.file, fields.at),
        arrivals,
        rate_per_s: offered.unwrap_or(throughput),
        served_share: offered.map(|offered| throughput / expected(offered)),
        input_tokens,
        output_tokens,
        ttft_ms: Some(ttft_ms),
        itl_ms: itl_ms.filter(|_| output_tokens > 1.0),
    })
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
