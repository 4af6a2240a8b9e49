//! Sizes of a server's requests, from a CSV file.

use std::path::Path;

use super::InputError;
use super::problem::{At, Problem, Report};
use super::servers::MAX_TOKENS;
use super::sheet::{Sheet, csv_file};
use crate::buckets::Size;

const COLUMNS: [&str; 3] = ["input_tokens", "output_tokens", "share"];

/// Reads the sizes of requests from a CSV file with the columns `input_tokens`, `output_tokens` and
/// `share`. Returns what is odd about them beside them.
///
/// # Errors
/// Every problem of the file, each with its line.
pub fn sizes(path: &Path) -> Result<(Vec<Size>, Vec<Problem>), InputError> {
    let mut report = Report::default();
    match csv_file(path, &mut report) {
        Some((file, text)) => sizes_text(&file, &text),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same for a text; `file` stands for it in messages.
///
/// # Errors
/// As [`sizes`].
pub fn sizes_text(file: &str, text: &str) -> Result<(Vec<Size>, Vec<Problem>), InputError> {
    let mut report = Report::default();
    let mut sizes = Vec::new();
    if let Some(sheet) = Sheet::read(file, text, &COLUMNS, &COLUMNS, &mut report) {
        for row in &sheet.rows {
            let least = [0.0, 1.0, 0.0];
            let most = [MAX_TOKENS, MAX_TOKENS, 1.0];
            let mut cells = [0.0; 3];
            for (i, column) in COLUMNS.into_iter().enumerate() {
                if sheet.text(row, column).is_empty() {
                    let remedy = "give a number in every column";
                    sheet.problem(row.line, format!("{column} is blank"), remedy, &mut report);
                }
                let cell = sheet.number(row, column, least[i], most[i], &mut report);
                cells[i] = cell.unwrap_or(least[i]);
            }
            let [input_tokens, output_tokens, share] = cells;
            sizes.push(Size { input_tokens, output_tokens, share });
        }
        let total: f64 = sizes.iter().map(|s| s.share).sum();
        let at = At { line: 1, column: 1 };
        if sizes.is_empty() {
            let remedy = "give a row for each size of requests";
            report.problem_at(&sheet.file, at, "", "there is no row".to_owned(), remedy);
        } else if (total - 1.0).abs() > 1e-6 {
            let what = format!("the shares sum to {total}, not to 1");
            let remedy = "the rate of a bucket is its share times the server's rate, as it stands";
            report.warning_at(&sheet.file, at, "", what, remedy);
        }
    }
    match report.problems.is_empty() {
        true => Ok((sizes, report.warnings)),
        false => Err(InputError { problems: report.problems }),
    }
}
