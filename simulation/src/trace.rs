//! A trace of requests: a CSV with a row for each, in the order of arrival.

use std::path::Path;

use isocost_model::input::reading::{csv_defect, csv_line, csv_rows, name_of, read_text};

use crate::traffic::Request;

const COLUMNS: [&str; 3] = ["arrival_s", "input_tokens", "output_tokens"];

/// Limits of what a row may say.
const MAX_SECONDS: f64 = 1e9;
const MAX_TOKENS: f64 = 1e7;

/// Problems shown at most; the others are counted.
const SHOWN: usize = 50;

/// A trace, and what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The requests; the first arrives at 0.
    pub requests: Vec<Request>,
    /// Requests/s from the first arrival to the last.
    pub rate_per_s: f64,
    /// Squared coefficient of variation of inter-arrival times.
    pub arrival_scv: f64,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Squared coefficient of variation of prompts.
    pub input_scv: f64,
    /// Mean tokens of an answer.
    pub output_tokens: f64,
    /// Squared coefficient of variation of answers.
    pub token_scv: f64,
}

/// Every problem of a trace that cannot be read, each with its place and a remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct TraceError {
    /// The problems, in the order of the file.
    pub problems: Vec<String>,
}

fn lines(problems: &[String]) -> String {
    let mut text: String = problems.iter().take(SHOWN).map(|p| format!("{p}\n")).collect();
    text += &match problems.len() {
        1 => "1 problem in the trace".to_owned(),
        n if n > SHOWN => format!("... {} more; {n} problems in the trace", n - SHOWN),
        n => format!("{n} problems in the trace"),
    };
    text
}

/// Reads a CSV with the columns `arrival_s` (seconds, not falling), `input_tokens` and
/// `output_tokens`; other columns are left alone.
///
/// # Errors
/// Every problem of the file.
pub fn read_trace(path: &Path) -> Result<Trace, TraceError> {
    let name = name_of(path);
    match read_text(path) {
        Ok(text) => trace_text(&name, &text),
        Err(what) => Err(one(format!("{name}: {what}; give a CSV file of requests"))),
    }
}

/// The same for a text; `name` stands for the file in messages.
///
/// # Errors
/// As [`read_trace`].
pub fn trace_text(name: &str, text: &str) -> Result<Trace, TraceError> {
    let mut reader = csv_rows(text);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(e) => return Err(one(format!("{name}:1: {e}; mend the header"))),
    };
    let places = COLUMNS.map(|c| header.iter().position(|h| h.eq_ignore_ascii_case(c)));
    let missing = COLUMNS.iter().zip(&places).filter(|(_, place)| place.is_none());
    let mut problems: Vec<String> = missing
        .map(|(column, _)| {
            format!("{name}:1: there is no column `{column}`; the header is {}", COLUMNS.join(","))
        })
        .collect();
    let [Some(arrival), Some(input), Some(output)] = places else {
        return Err(TraceError { problems });
    };
    let mut requests: Vec<Request> = Vec::new();
    let mut last_s = 0.0;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let (line, what) = csv_defect(text, &e);
                problems.push(format!("{name}:{line}: {what}; mend the row"));
                continue;
            }
        };
        let line = csv_line(text, record.position());
        let mut row = Row { name, line, record: &record, problems: &mut problems };
        let arrival_s = row.number(arrival, 0, 0.0, MAX_SECONDS);
        let input = row.number(input, 1, 0.0, MAX_TOKENS);
        let output = row.number(output, 2, 1.0, MAX_TOKENS);
        let (Some(arrival_s), Some(input), Some(output)) = (arrival_s, input, output) else {
            continue;
        };
        if arrival_s < last_s {
            let what = format!("it arrives at {arrival_s} s, before the row above ({last_s} s)");
            row.problem(&what, "sort the rows by arrival_s");
            continue;
        }
        last_s = arrival_s;
        requests.push(Request {
            arrival_ms: arrival_s * 1000.0,
            input_tokens: input.round() as u32,
            cached_tokens: 0,
            output_tokens: output.round() as u32,
        });
    }
    if problems.is_empty() && requests.len() < 2 {
        problems.push(format!("{name}: {} requests; a trace has at least 2", requests.len()));
    }
    if problems.is_empty() && requests[0].arrival_ms == last_s * 1000.0 {
        problems.push(format!("{name}: all requests arrive at once; a trace takes some time"));
    }
    match problems.is_empty() {
        true => Ok(Trace::new(requests)),
        false => Err(TraceError { problems }),
    }
}

fn one(problem: String) -> TraceError {
    TraceError { problems: vec![problem] }
}

/// One row as it is read.
struct Row<'a> {
    name: &'a str,
    line: u32,
    record: &'a csv::StringRecord,
    problems: &'a mut Vec<String>,
}

impl Row<'_> {
    fn problem(&mut self, what: &str, remedy: &str) {
        self.problems.push(format!("{}:{}: {what}; {remedy}", self.name, self.line));
    }

    fn number(&mut self, at: usize, column: usize, least: f64, most: f64) -> Option<f64> {
        let text = self.record.get(at).unwrap_or("");
        let value = text.parse::<f64>().ok().filter(|v| (least..=most).contains(v));
        if value.is_none() {
            let what = format!("{} is `{text}`", COLUMNS[column]);
            self.problem(&what, &format!("expected a number from {least} to {most}"));
        }
        value
    }
}

impl Trace {
    /// A trace of at least two requests in the order of arrival that do not arrive all at once.
    fn new(mut requests: Vec<Request>) -> Self {
        let start_ms = requests.first().map_or(0.0, |r| r.arrival_ms);
        requests.iter_mut().for_each(|r| r.arrival_ms -= start_ms);
        let gaps = requests.windows(2).map(|pair| pair[1].arrival_ms - pair[0].arrival_ms);
        let (gap_ms, arrival_scv) = moments(gaps);
        let (output_tokens, token_scv) =
            moments(requests.iter().map(|r| f64::from(r.output_tokens)));
        let (input_tokens, input_scv) = moments(requests.iter().map(|r| f64::from(r.input_tokens)));
        Self {
            requests,
            rate_per_s: 1000.0 / gap_ms,
            arrival_scv,
            input_tokens,
            input_scv,
            output_tokens,
            token_scv,
        }
    }
}

/// Mean and squared coefficient of variation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
    (mean, if mean > 0.0 { squares / count / (mean * mean) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Trace, TraceError> {
        trace_text("trace.csv", text)
    }

    #[test]
    fn a_trace_starts_at_zero_and_knows_its_moments() {
        let trace =
            read("arrival_s,input_tokens,output_tokens,user\n10,5,1,a\n11,7,3,b\n14,6,2,a\n")
                .expect("sound");
        let arrivals: Vec<f64> = trace.requests.iter().map(|r| r.arrival_ms).collect();
        assert_eq!(arrivals, [0.0, 1000.0, 4000.0]);
        assert_eq!((trace.rate_per_s, trace.input_tokens, trace.output_tokens), (0.5, 6.0, 2.0));
        assert!((trace.arrival_scv - 0.25).abs() < 1e-12);
        assert!((trace.token_scv - 1.0 / 6.0).abs() < 1e-12);
        assert!((trace.input_scv - 1.0 / 54.0).abs() < 1e-12);
    }

    #[test]
    fn every_problem_is_said_with_its_line() {
        let error = read(
            "arrival_s,input_tokens,output_tokens\n1,5,1\n0.5,5,1\n2,-1,nan\n3,5,0\n4,5\n5,5,5\n",
        )
        .expect_err("five problems");
        let found: Vec<bool> = [":3: it arrives", ":4: input_tokens", ":4: output", ":5: output"]
            .iter()
            .zip(&error.problems)
            .map(|(part, problem)| problem.contains(part))
            .collect();
        assert_eq!(found, [true; 4], "{error}");
        assert!(error.problems[4].contains(":6: "), "{error}");
        assert!(error.to_string().ends_with("5 problems in the trace"));
        assert!(read("a,b\n").expect_err("no columns").problems.len() == 3);
        assert!(read("arrival_s,input_tokens,output_tokens\n1,1,1\n").is_err());
        assert!(read("arrival_s,input_tokens,output_tokens\n1,1,1\n1,1,1\n").is_err());
    }
}
