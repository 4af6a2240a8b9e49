//! Points of another file, as a fit predicts them.

use isocost_calibration::{Forecast, Point, Spread};
use serde_json::{Value, json};

use super::{errors, percent, shares};
use crate::output::say;
use crate::output::table::table;
use crate::output::width::fitted;

/// Prints what was predicted of each point, and how far off it is.
pub fn print(forecast: &Forecast, points: &[Point]) {
    for excluded in &forecast.excluded {
        say!("excluded: {}: {}", points[excluded.point].place, excluded.reason);
    }
    let header = ["predicted", "rate/s", "ITL ms", "measured", "TTFT ms", "measured"];
    let mut rows = table(&header, 1);
    for (i, prediction) in &forecast.judged {
        let point = &points[*i];
        rows.add_row([
            point.sweep.clone(),
            format!("{:.3}", point.rate_per_s),
            format!("{:.2}", prediction.itl_ms),
            figure(point.itl_ms),
            format!("{:.1}", prediction.ttft_ms),
            figure(point.ttft_ms),
        ]);
    }
    say!("{}\n", fitted(&rows, &[]));
    let mut rows = table(&["predicted, error", "points", "mean / median %", "too short by"], 1);
    for (name, spread) in named(forecast) {
        rows.add_row([name, spread.count.to_string(), shares(&spread), percent(spread.optimistic)]);
    }
    say!("{}\n", fitted(&rows, &[]));
}

/// Each latency with its errors.
fn named(forecast: &Forecast) -> Vec<(String, Spread)> {
    let e = &forecast.errors;
    let mut named = vec![("ITL".to_owned(), e.itl), ("TTFT".to_owned(), e.ttft)];
    for (percent, spread) in &e.ttft_percentiles {
        named.push((format!("P{percent} TTFT"), *spread));
    }
    for (percent, spread) in &e.tpot_percentiles {
        named.push((format!("P{percent} ITL over requests"), *spread));
    }
    named
}

fn figure(measured: Option<f64>) -> String {
    measured.map(|ms| format!("{ms:.2}")).unwrap_or_default()
}

/// The same for programs.
pub fn json(forecast: &Forecast, points: &[Point]) -> Value {
    let mut judged = Vec::new();
    for (i, prediction) in &forecast.judged {
        let point = &points[*i];
        judged.push(json!({
            "place": point.place,
            "sweep": point.sweep,
            "ratePerS": point.rate_per_s,
            "itlMs": prediction.itl_ms,
            "ttftMs": prediction.ttft_ms,
            "measured": { "itlMs": point.itl_ms, "ttftMs": point.ttft_ms },
        }));
    }
    let mut excluded = Vec::new();
    for out in &forecast.excluded {
        let place = &points[out.point].place;
        excluded.push(json!({ "place": place, "reason": out.reason.to_string() }));
    }
    json!({ "points": judged, "excluded": excluded, "errors": errors(&forecast.errors) })
}
