//! A CSV of loads that replaces those of the scenario.

use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Loaded;
use super::fields::ABSURD;
use super::problem::{InputError, Report};
use super::servers::MAX_TOKENS;
use super::sheet::{Sheet, csv_file};
use crate::scenario::Scenario;

const COLUMNS: [&str; 4] = ["server", "arrival_rate_per_min", "input_tokens", "output_tokens"];

/// Replaces the loads of `scenario` by those in a CSV file with the columns `server`,
/// `arrival_rate_per_min`, `input_tokens` and `output_tokens`. Servers without a row, and blank
/// cells, keep what the scenario says.
///
/// # Errors
/// Every problem of the file, each with its line.
pub fn with_loads(scenario: Scenario, path: &Path) -> Result<Loaded, InputError> {
    let mut report = Report::default();
    match csv_file(path, &mut report) {
        Some((file, text)) => with_loads_text(scenario, &file, &text),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same for a text; `file` stands for it in messages.
///
/// # Errors
/// As [`with_loads`].
pub fn with_loads_text(
    mut scenario: Scenario,
    file: &str,
    text: &str,
) -> Result<Loaded, InputError> {
    let mut report = Report::default();
    if let Some(sheet) = Sheet::read(file, text, &COLUMNS, &COLUMNS, &mut report) {
        read(&sheet, &mut scenario, &mut report);
    }
    match report.problems.is_empty() {
        true => Ok(Loaded { scenario, warnings: report.warnings }),
        false => Err(InputError { problems: report.problems }),
    }
}

fn read(sheet: &Sheet, scenario: &mut Scenario, report: &mut Report) {
    let names: Vec<String> = scenario.servers.iter().map(|s| s.name.clone()).collect();
    let index: FxHashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let mut seen = FxHashSet::default();
    for row in &sheet.rows {
        let name = sheet.text(row, "server");
        let Some(&server) = index.get(name) else {
            let remedy = report.known_names(name, names.iter().map(String::as_str));
            sheet.problem(row.line, format!("unknown server `{name}`"), &remedy, report);
            continue;
        };
        if !seen.insert(server) {
            let what = format!("server `{name}` has two rows");
            sheet.problem(row.line, what, "keep one of them", report);
        }
        let load = &mut scenario.servers[server].load;
        for (column, most, value) in [
            ("arrival_rate_per_min", ABSURD, &mut load.arrival_rate_per_min),
            ("input_tokens", MAX_TOKENS, &mut load.input_tokens),
            ("output_tokens", MAX_TOKENS, &mut load.output_tokens),
        ] {
            if let Some(number) = sheet.number(row, column, 0.0, most, report) {
                *value = number;
            }
        }
        if load.arrival_rate_per_min > 0.0 && load.output_tokens < 1.0 {
            let what = "requests arrive, and they have no output tokens".to_owned();
            sheet.problem(row.line, what, "expected at least 1", report);
        }
    }
}
