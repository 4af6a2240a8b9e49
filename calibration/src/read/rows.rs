//! Our CSV: one point a row.
//!
//! `request_rate_per_s`, `mean_input_tokens`, `mean_output_tokens`, `ttft_mean_ms` and
//! `itl_mean_ms`; optionally `sweep`, `concurrency` (clients of a closed loop) and
//! `throughput_per_s` (requests completed, where the rate is what was offered). A blank latency was
//! not measured.

use isocost_model::input::reading::{
    At, Report, csv_defect, csv_line, csv_mark, csv_rows, decimal_comma, known_names,
};

use super::{MOST, MOST_TOKENS, place, sweep_of};
use crate::point::{Arrivals, Point};

const REQUIRED: [&str; 5] = [
    "request_rate_per_s",
    "mean_input_tokens",
    "mean_output_tokens",
    "ttft_mean_ms",
    "itl_mean_ms",
];
const OPTIONAL: [&str; 3] = ["sweep", "concurrency", "throughput_per_s"];

/// Where each column stands.
struct Columns {
    required: [usize; 5],
    optional: [Option<usize>; 3],
}

pub(super) fn read(file: &str, text: &str, report: &mut Report) -> Vec<Point> {
    if text.trim().is_empty() {
        report.problem_in(file, "the file is empty".to_owned(), "give a row for each point");
        return Vec::new();
    }
    let mut reader = csv_rows(text);
    let header = reader.headers().cloned().unwrap_or_default();
    let Some(columns) = columns(file, text, &header, report) else { return Vec::new() };
    let mark = csv_mark(text);
    let mut points = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = csv_line(text, record.position());
                let byte = record.position().map_or(0, csv::Position::byte);
                let line_text = line_of(&text[(byte as usize).min(text.len())..]);
                let (header, record) = (&header, &record);
                let mut row = Row { file, mark, line, line_text, header, record, report };
                points.extend(row.read(&columns));
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

fn columns(
    file: &str,
    text: &str,
    header: &csv::StringRecord,
    report: &mut Report,
) -> Option<Columns> {
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    for (i, name) in header.iter().enumerate() {
        let known = || REQUIRED.iter().chain(&OPTIONAL);
        if !known().any(|k| k.eq_ignore_ascii_case(name)) {
            let remedy = known_names(name, known().copied());
            let what = format!("unknown column `{name}` is ignored");
            report.warning_at(
                file,
                cell_at(line_of(text), csv_mark(text), 1, i),
                "",
                what,
                &remedy,
            );
        }
    }
    let missing: Vec<_> = REQUIRED.into_iter().filter(|name| place(name).is_none()).collect();
    if !missing.is_empty() {
        let what = format!("there is no column {}", missing.join(", "));
        let remedy = format!("the header is {}", REQUIRED.join(","));
        report.problem_at(file, At { line: 1, column: 1 }, "", what, &remedy);
    }
    missing.is_empty().then(|| Columns {
        required: REQUIRED.map(|name| place(name).unwrap_or(0)),
        optional: OPTIONAL.map(place),
    })
}

/// The first line of `text` that is not blank.
fn line_of(text: &str) -> &str {
    text.lines().find(|line| !line.is_empty()).unwrap_or("")
}

/// Where cell `index` of a line starts; quotes may hold marks.
fn cell_at(line_text: &str, mark: u8, line: u32, index: usize) -> At {
    let (mut column, mut cell, mut quoted) = (1, 0, false);
    for (i, c) in line_text.chars().enumerate() {
        match c {
            _ if cell == index => break,
            '"' => quoted = !quoted,
            _ if c == char::from(mark) && !quoted => {
                cell += 1;
                column = i as u32 + 2;
            }
            _ => {}
        }
    }
    At { line, column }
}

/// One row as it is read.
struct Row<'a> {
    file: &'a str,
    mark: u8,
    line: u32,
    line_text: &'a str,
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    report: &'a mut Report,
}

impl Row<'_> {
    /// The point, or nothing where a cell is wrong.
    fn read(&mut self, columns: &Columns) -> Option<Point> {
        let before = self.report.problems.len();
        let [rate, input, output, ttft, itl] = columns.required;
        let tiny = f64::MIN_POSITIVE;
        let rate = self.needed(rate, tiny, MOST);
        let input_tokens = self.needed(input, 0.0, MOST_TOKENS);
        let output_tokens = self.needed(output, 1.0, MOST_TOKENS);
        let (ttft_ms, itl_ms) = (self.number(ttft, tiny, MOST), self.number(itl, tiny, MOST));
        let [sweep, clients, throughput] = columns.optional;
        let clients = clients.and_then(|at| self.number(at, 1.0, 1e6));
        let completed = throughput.and_then(|at| self.number(at, 0.0, MOST));
        if ttft_ms.is_none() && itl_ms.is_none() && self.report.problems.len() == before {
            let what = "neither latency is given".to_owned();
            self.problem(ttft, what, "give ttft_mean_ms, itl_mean_ms or both");
        }
        let named = sweep.and_then(|at| self.record.get(at)).filter(|name| !name.is_empty());
        (self.report.problems.len() == before).then(|| Point {
            sweep: named.map_or_else(|| sweep_of(input_tokens, output_tokens), str::to_owned),
            place: place(self.file, At { line: self.line, column: 1 }),
            arrivals: match clients {
                Some(clients) => Arrivals::Closed { clients: clients.round() as u32 },
                None => Arrivals::POISSON,
            },
            rate_per_s: rate,
            served_share: completed.map(|c| c / rate),
            input_tokens,
            output_tokens,
            ttft_ms,
            itl_ms,
        })
    }

    /// A number that has to be there; 0 where it is not, which is said.
    fn needed(&mut self, at: usize, least: f64, most: f64) -> f64 {
        let blank = self.record.get(at).unwrap_or("").is_empty();
        if blank {
            self.problem(at, "the cell is blank".to_owned(), "give a number");
        }
        self.number(at, least, most).unwrap_or(0.0)
    }

    /// A number, or nothing where the cell is blank or wrong, which is said.
    fn number(&mut self, at: usize, least: f64, most: f64) -> Option<f64> {
        let text = self.record.get(at).unwrap_or("");
        if text.is_empty() {
            return None;
        }
        match text.parse::<f64>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let from = if least == f64::MIN_POSITIVE {
                    "above 0".to_owned()
                } else {
                    format!("from {least}")
                };
                let what = format!("`{text}` is no number {from} to {most:e}");
                let remedy = decimal_comma(text).unwrap_or_else(|| "mend the cell".to_owned());
                self.problem(at, what, &remedy);
                None
            }
        }
    }

    fn problem(&mut self, at: usize, what: String, remedy: &str) {
        let place = cell_at(self.line_text, self.mark, self.line, at);
        let header = self.header.get(at).unwrap_or("");
        let mut names = REQUIRED.iter().chain(&OPTIONAL).copied();
        let entity = names.find(|n| n.eq_ignore_ascii_case(header)).unwrap_or("");
        self.report.problem_at(self.file, place, entity, what, remedy);
    }
}
