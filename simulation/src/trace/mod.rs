//! Traces of requests: recorded arrivals with their tokens.
//!
//! ```text
//! text -> requests as the file has them (table.rs, lines.rs) -> spread within coarse stamps (coarse.rs) -> Trace
//! ```
//!
//! Ours is a CSV with `arrival_s,input_tokens,output_tokens`, in order; what is wrong with it is an
//! error. Published traces (Azure, BurstGPT, Mooncake) are read as they are: requests that failed are
//! dropped and counted, rows out of order are sorted, and both are said.

mod coarse;
mod demand;
mod lines;
mod stamp;
mod table;

use std::path::Path;

use isocost_model::input::reading::{figure, name_of, read_text};

use crate::traffic::Request;

pub use demand::{Demand, Fold, Period};

/// Limits of what a row may say.
const MAX_SECONDS: f64 = 1e9;
const MAX_TOKENS: f64 = 1e7;

/// A trace that takes less time has no rate to speak of.
const SHORTEST_S: f64 = 1e-6;

/// Problems shown at most; the others are counted.
const SHOWN: usize = 50;

/// A trace, and what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The requests; the first arrives at 0.
    pub requests: Vec<Request>,
    /// When the first arrived, seconds since 1970, where the file has dates.
    pub start_s: Option<f64>,
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
    /// What was done to the file's rows on the way.
    pub notes: Vec<String>,
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

/// A request as a file has it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamped {
    arrival_s: f64,
    input_tokens: f64,
    output_tokens: f64,
}

/// The requests of a file.
#[derive(Default)]
struct Recorded {
    requests: Vec<Stamped>,
    /// Whether arrivals are seconds since 1970.
    dated: bool,
    /// Requests without an answer, which are not among the others.
    failed: usize,
    /// Whether rows may be in any order.
    sort: bool,
    problems: Vec<String>,
}

/// Reads a trace: ours, or one of Azure (2023, 2024), BurstGPT or Mooncake, told by its columns.
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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let recorded = match text.trim_start().starts_with(['{', '[']) {
        true => lines::read(name, text),
        false => table::read(name, text),
    };
    Trace::new(name, recorded)
}

fn one(problem: String) -> TraceError {
    TraceError { problems: vec![problem] }
}

impl Trace {
    fn new(name: &str, recorded: Recorded) -> Result<Self, TraceError> {
        let Recorded { mut requests, dated, failed, sort, mut problems } = recorded;
        let mut notes = Vec::new();
        if failed > 0 {
            let which = match failed {
                1 => "1 request has no answer: it failed and is dropped".to_owned(),
                n => format!("{n} requests have no answer: they failed and are dropped"),
            };
            notes.push(format!("{name}: {which}"));
        }
        if sort && !requests.is_sorted_by(|a, b| a.arrival_s <= b.arrival_s) {
            requests.sort_by(|a, b| a.arrival_s.total_cmp(&b.arrival_s));
            notes.push(format!("{name}: the rows are sorted by their time stamps"));
        }
        let ends = requests.first().zip(requests.last());
        if problems.is_empty() && requests.len() < 2 {
            let what = format!("{name}: {} requests; a trace has at least 2", requests.len());
            problems.push(what);
        } else if problems.is_empty()
            && ends.is_some_and(|(a, b)| b.arrival_s - a.arrival_s < SHORTEST_S)
        {
            problems.push(format!("{name}: all requests arrive at once; a trace takes some time"));
        }
        if !problems.is_empty() {
            return Err(TraceError { problems });
        }
        let mut arrivals_s: Vec<f64> = requests.iter().map(|r| r.arrival_s).collect();
        if let Some(step_s) = coarse::spread(&mut arrivals_s) {
            let step = figure(step_s);
            notes.push(format!(
                "{name}: time stamps are in steps of {step} s, with several requests in many: their \
                 bursts are the stamps' own, and arrivals are spread evenly at random within each step"
            ));
        }
        Ok(Self::of(&requests, &arrivals_s, dated, notes))
    }

    /// At least two requests, which do not arrive all at once, in the order of their arrivals.
    fn of(recorded: &[Stamped], arrivals_s: &[f64], dated: bool, notes: Vec<String>) -> Self {
        let start_s = arrivals_s.first().copied().unwrap_or(0.0);
        let request = |(r, arrival_s): (&Stamped, &f64)| Request {
            arrival_ms: (arrival_s - start_s) * 1000.0,
            input_tokens: r.input_tokens.round() as u32,
            cached_tokens: 0,
            output_tokens: r.output_tokens.round() as u32,
            before_ms: 0.0,
        };
        let requests: Vec<Request> = recorded.iter().zip(arrivals_s).map(request).collect();
        let gaps = requests.windows(2).map(|pair| pair[1].arrival_ms - pair[0].arrival_ms);
        let (gap_ms, arrival_scv) = moments(gaps);
        let (output_tokens, token_scv) =
            moments(requests.iter().map(|r| f64::from(r.output_tokens)));
        let (input_tokens, input_scv) = moments(requests.iter().map(|r| f64::from(r.input_tokens)));
        Self {
            requests,
            start_s: dated.then_some(start_s),
            rate_per_s: 1000.0 / gap_ms,
            arrival_scv,
            input_tokens,
            input_scv,
            output_tokens,
            token_scv,
            notes,
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
mod tests;
