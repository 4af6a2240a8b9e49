//! Our CSV: one point a row.
//!
//! `request_rate_per_s` (or `arrival_rate_per_s`), `mean_input_tokens`, `mean_output_tokens`,
//! `ttft_mean_ms` and `itl_mean_ms`; a blank latency was not measured. Optionally
//!
//! * `sweep`, and what was measured: `model`, `card`, `engine`, `precision`, `tp`, `ep`;
//! * how requests came: `concurrency` (clients of a closed loop, whose rate may be blank),
//!   `arrival_scv`, or `load` in words (one client, constant gaps, poisson);
//! * how the run ended: `throughput_per_s` or `completed_rate_per_s`, and `run_s`, its length;
//! * spreads: `sd_input_tokens`, `sd_output_tokens`;
//! * percentiles: `ttft_median_ms`, `ttft_p90_ms`, `ttft_p95_ms`, `ttft_p99_ms` and the same of
//!   `itl`, which are those of requests' own means.

use isocost_model::input::reading::{At, Report, csv_defect, csv_line, csv_mark, csv_rows};

use super::cells::Row;
use super::columns::Columns;
use super::{MOST, MOST_TOKENS, place, sweep_of};
use crate::point::{Arrivals, Percentile, Point};

/// Columns that tell percentiles: of a hundred, and how a latency's column ends.
const PERCENTILES: [(f64, &str); 4] =
    [(50.0, "median_ms"), (90.0, "p90_ms"), (95.0, "p95_ms"), (99.0, "p99_ms")];

/// Columns that say what was measured, in the order of a system's name.
const SYSTEM: [&str; 6] = ["model", "card", "engine", "precision", "tp", "ep"];

/// A run whose length is not told is taken to be at least so many latencies long.
const SHORTEST_RUN: f64 = 10.0;

pub(super) fn read(file: &str, text: &str, report: &mut Report) -> Vec<Point> {
    if text.trim().is_empty() {
        report.problem_in(file, "the file is empty".to_owned(), "give a row for each point");
        return Vec::new();
    }
    let mut reader = csv_rows(text);
    let header = reader.headers().cloned().unwrap_or_default();
    let Some(columns) = Columns::new(file, text, &header, report) else { return Vec::new() };
    let mark = csv_mark(text);
    let mut points = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = csv_line(text, record.position());
                let byte = record.position().map_or(0, csv::Position::byte);
                let rest = &text[(byte as usize).min(text.len())..];
                let line_text = rest.lines().find(|line| !line.is_empty()).unwrap_or("");
                let (columns, record) = (&columns, &record);
                points.extend(point(Row { file, mark, line, line_text, columns, record, report }));
            }
            Err(e) => {
                let (line, what) = csv_defect(text, &e);
                report.problem_at(file, At { line, column: 1 }, "", what, "mend the row");
            }
        }
    }
    if points.is_empty() && report.problems.is_empty() {
        report.problem_in(file, "there is no point".to_owned(), "give a row for each point");
    }
    points
}

/// The point in a row, or nothing where a cell is wrong.
fn point(mut row: Row<'_>) -> Option<Point> {
    let before = row.report.found();
    let completed_per_s = row.number("throughput_per_s", 0.0, MOST);
    let clients = row.number("concurrency", 1.0, 1e6).map(|clients| clients.round() as u32);
    let rate_per_s = match (clients, completed_per_s) {
        (Some(_), Some(rate)) => row.number("request_rate_per_s", 0.0, MOST).unwrap_or(rate),
        _ => row.needed("request_rate_per_s", f64::MIN_POSITIVE, MOST),
    };
    let input_tokens = row.needed("mean_input_tokens", 0.0, MOST_TOKENS);
    let output_tokens = row.needed("mean_output_tokens", 1.0, MOST_TOKENS);
    let arrivals = arrivals(&mut row, clients);
    let sweep = row.text("sweep").map(str::to_owned);
    let sweep = sweep.unwrap_or_else(|| sweep_of(input_tokens, output_tokens));
    let mut point = Point::new(sweep, arrivals, rate_per_s, input_tokens, output_tokens);
    point.ttft_ms = row.number("ttft_mean_ms", f64::MIN_POSITIVE, MOST);
    point.itl_ms = row.number("itl_mean_ms", f64::MIN_POSITIVE, MOST);
    if point.ttft_ms.or(point.itl_ms).is_none() && row.report.found() == before {
        let what = "neither latency is given".to_owned();
        row.problem("ttft_mean_ms", what, "give ttft_mean_ms, itl_mean_ms or both");
    }
    point.system = SYSTEM.into_iter().filter_map(|c| row.text(c)).collect::<Vec<_>>().join(" ");
    point.place = place(row.file, At { line: row.line, column: 1 });
    point.input_scv = spread(&mut row, "sd_input_tokens", input_tokens);
    point.token_scv = spread(&mut row, "sd_output_tokens", output_tokens);
    point.ttft_percentiles = percentiles(&mut row, "ttft");
    point.tpot_percentiles = percentiles(&mut row, "itl");
    let run_s = row.number("run_s", f64::MIN_POSITIVE, MOST);
    if let (Arrivals::Open { .. }, Some(completed_per_s)) = (arrivals, completed_per_s) {
        point.in_flight = in_flight(&point, completed_per_s, run_s);
    }
    (row.report.found() == before).then_some(point)
}

/// How requests came: by clients, by words, or by the variation of their gaps.
fn arrivals(row: &mut Row<'_>, clients: Option<u32>) -> Arrivals {
    let scv = row.number("arrival_scv", 0.0, MOST);
    let load = row.text("load").unwrap_or("").to_lowercase();
    let said = match load.as_str() {
        "" => scv.map(|scv| Arrivals::Open { scv }),
        "one client" => Some(Arrivals::Closed { clients: 1 }),
        "constant gaps" | "constant" => Some(Arrivals::Open { scv: 0.0 }),
        "poisson" => Some(Arrivals::POISSON),
        other => {
            let what = format!("`{other}` is no load");
            row.problem("load", what, "one client, constant gaps and poisson are read");
            None
        }
    };
    let closed = clients.map(|clients| Arrivals::Closed { clients });
    if load.is_empty() && closed.or(said).is_none() {
        let what = "no column says how requests arrived: they are taken as Poisson";
        let remedy = "most benchmarks send at constant gaps: give `load` or `arrival_scv`";
        let at = At { line: row.line, column: 1 };
        row.report.warning_at(row.file, at, "load", what.to_owned(), remedy);
    }
    closed.or(said).unwrap_or(Arrivals::POISSON)
}

/// Requests that arrived and were not answered.
fn in_flight(point: &Point, completed_per_s: f64, run_s: Option<f64>) -> Option<f64> {
    let shortest_s = || Some(SHORTEST_RUN * point.concurrency()? / point.rate_per_s);
    let run_s = run_s.or_else(shortest_s)?;
    Some(((point.rate_per_s - completed_per_s) * run_s).max(0.0))
}

/// Squared coefficient of variation, from a column of standard deviations.
fn spread(row: &mut Row<'_>, column: &'static str, mean: f64) -> Option<f64> {
    let deviation = row.number(column, 0.0, MOST_TOKENS)?;
    (mean > 0.0).then(|| (deviation / mean).powi(2))
}

fn percentiles(row: &mut Row<'_>, latency: &str) -> Vec<Percentile> {
    let mut found = Vec::new();
    for (percent, ending) in PERCENTILES {
        if let Some(ms) = row.number(&format!("{latency}_{ending}"), f64::MIN_POSITIVE, MOST) {
            found.push(Percentile { percent, ms });
        }
    }
    found
}
