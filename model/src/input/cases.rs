//! Cases for the queueing model, from a CSV file: a replica and a rate a row, and what is said of it
//! elsewhere.

use std::path::Path;

use super::InputError;
use super::fields::ABSURD;
use super::problem::{Problem, Report};
use super::servers::{MANY, MAX_TOKENS};
use super::sheet::{Row, Sheet, csv_file};
use crate::queue::{Analysis, Iteration, Linear, MAX_BATCH, QueueError, ServiceModel, Station};

/// Columns of a case. A blank `max_queue` is no limit, a blank `delta_ms` is 0.
pub const GIVEN: [&str; 10] = [
    "service_model",
    "input_tokens",
    "output_tokens",
    "max_batch",
    "max_queue",
    "arrival_rps",
    "alpha_ms",
    "beta_ms",
    "gamma_ms",
    "delta_ms",
];

/// What may be said of it.
pub const STATED: [&str; 10] = [
    "throughput_rps",
    "loss_probability",
    "mean_in_service",
    "mean_wait_ms",
    "mean_service_ms",
    "mean_response_ms",
    "itl_ms",
    "ttft_ms",
    "wait_p95_ms",
    "wait_p99_ms",
];

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its cells in the columns [`GIVEN`], as they are written.
    pub given: [String; 10],
    /// What it says in the columns [`STATED`], where it does.
    pub stated: [Option<f64>; 10],
    /// What the queueing model says of it.
    pub analysis: Analysis,
}

/// Reads the cases of a CSV file, and analyses them.
///
/// # Errors
/// Every problem of the file, each with its line.
pub fn cases(path: &Path) -> Result<(Vec<Case>, Vec<Problem>), InputError> {
    let mut report = Report::default();
    match csv_file(path, &mut report) {
        Some((file, text)) => cases_text(&file, &text),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same for a text; `file` stands for it in messages.
///
/// # Errors
/// As [`cases`].
pub fn cases_text(file: &str, text: &str) -> Result<(Vec<Case>, Vec<Problem>), InputError> {
    let mut report = Report::default();
    let mut cases = Vec::new();
    let known = [GIVEN, STATED].concat();
    if let Some(sheet) = Sheet::read(file, text, &known, &GIVEN, &mut report) {
        let read = |row: &Row| case(&sheet, row, &mut report);
        cases = sheet.rows.iter().filter_map(read).collect();
    }
    match report.problems.is_empty() {
        true => Ok((cases, report.warnings)),
        false => Err(InputError { problems: report.problems }),
    }
}

fn case(sheet: &Sheet, row: &Row, report: &mut Report) -> Option<Case> {
    let station = station(sheet, row, report);
    let batch = batch(sheet, row, report);
    let rate_per_s = needed(sheet, row, "arrival_rps", 0.0, ABSURD, report);
    let stated = STATED.map(|column| sheet.number(row, column, -ABSURD, f64::MAX, report));
    match station?.analyze(batch?, rate_per_s?) {
        Ok(analysis) => {
            let given = GIVEN.map(|column| sheet.text(row, column).to_owned());
            Some(Case { given, stated, analysis })
        }
        Err(error) => {
            let remedy = match error {
                QueueError::Unstable { .. } => "lower arrival_rps, or give a max_queue",
                QueueError::Service => "give alpha_ms, beta_ms, gamma_ms or delta_ms",
                QueueError::Batch(_) | QueueError::Rate(_) => "mend the row",
            };
            sheet.problem(row.line, error.to_string(), remedy, report);
            None
        }
    }
}

fn station(sheet: &Sheet, row: &Row, report: &mut Report) -> Option<Station> {
    let mut time = |column| needed(sheet, row, column, 0.0, ABSURD, report);
    let [alpha_ms, beta_ms, gamma_ms] = ["alpha_ms", "beta_ms", "gamma_ms"].map(&mut time);
    let input = needed(sheet, row, "input_tokens", 0.0, MAX_TOKENS, report);
    let output = needed(sheet, row, "output_tokens", 1.0, MAX_TOKENS, report);
    let delta = sheet.number(row, "delta_ms", 0.0, ABSURD, report);
    let queue = sheet.whole(row, "max_queue", u64::from(MANY), report);
    let (alpha_ms, beta_ms, gamma_ms) = (alpha_ms?, beta_ms?, gamma_ms?);
    let service = match sheet.text(row, "service_model") {
        "linear" => ServiceModel::Linear(Linear {
            alpha_ms,
            beta_ms,
            gamma_ms,
            delta_ms: delta.unwrap_or(0.0),
        }),
        "iteration" => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
        other => {
            let what = format!("service_model is `{other}`");
            sheet.problem(row.line, what, "expected linear or iteration", report);
            return None;
        }
    };
    Some(Station::new(service, input?, output?, queue.map(|q| q as u32)))
}

fn batch(sheet: &Sheet, row: &Row, report: &mut Report) -> Option<u32> {
    let batch = sheet.whole(row, "max_batch", u64::from(MAX_BATCH), report);
    if batch.is_none() && sheet.text(row, "max_batch").is_empty() {
        sheet.problem(row.line, "max_batch is blank".to_owned(), "give a batch size", report);
    }
    batch.map(|b| b as u32)
}

/// A number that has to be there.
fn needed(
    sheet: &Sheet,
    row: &Row,
    column: &str,
    least: f64,
    most: f64,
    report: &mut Report,
) -> Option<f64> {
    if sheet.text(row, column).is_empty() {
        let remedy = format!("expected a number from {least} to {most}");
        sheet.problem(row.line, format!("{column} is blank"), &remedy, report);
    }
    sheet.number(row, column, least, most, report)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "service_model,input_tokens,output_tokens,max_batch,max_queue,arrival_rps,\
                          alpha_ms,beta_ms,gamma_ms,delta_ms,itl_ms\n";

    #[test]
    fn a_case_is_read_and_analysed() {
        let text = format!("{HEADER}linear,0,1024,48,,0.5,19,1,0,0,40.5\n");
        let (cases, warnings) = cases_text("c.csv", &text).expect("sound");
        assert_eq!((cases.len(), warnings), (1, vec![]));
        assert_eq!(cases[0].stated[6], Some(40.5));
        assert!(cases[0].analysis.itl_ms > 19.0, "{:?}", cases[0].analysis);
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let rows = "linear,0,0,48,,0.5,19,1,0,0,\nlinaer,0,9,0,,0.5,19,,0,0,x\n\
                    linear,0,9,2,,900,19,1,0,,\nlinear,0,9,2,,1,0,0,0,,\n";
        let error = cases_text("c.csv", &format!("{HEADER}{rows}")).expect_err("not sound");
        let found = error.to_string();
        for wanted in [
            ":2:1: output_tokens is `0`; expected a number from 1",
            ":3:1: beta_ms is blank",
            ":3:1: itl_ms is `x`",
            "4:1: arrival rate 900 requests/s is not below",
            ":5:1: the service model gives no positive",
        ] {
            assert!(found.contains(wanted), "{wanted} in {found}");
        }
    }
}
