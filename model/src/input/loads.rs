//! A CSV of loads that replaces those of the scenario.

use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Loaded;
use super::fields::ABSURD;
use super::problem::{InputError, Report};
use super::servers::MAX_TOKENS;
use super::sheet::{Row, Sheet, csv_file};
use crate::scenario::{Load, Scenario};

/// What to do about a load that is none to speak of.
pub(super) const FEW: &str = "give 0, or at least 1e-9";

/// Takes a load that is none to speak of for none; what to say of that, if so.
pub(super) fn none_to_speak_of(load: &mut Load) -> Option<String> {
    let rate = load.arrival_rate_per_min;
    if rate == 0.0 || load.rate_per_s() > 0.0 {
        return None;
    }
    load.arrival_rate_per_min = 0.0;
    Some(format!("{rate:e} requests/min are too few to plan for: they count as none"))
}

/// Largest squared coefficient of variation, as in the input reference.
const MOST_SCV: f64 = 1e4;

/// Reads the tokens of a row into `load`, whose rate is read, and holds the two together.
pub(super) fn complete(sheet: &Sheet, row: &Row, load: &mut Load, report: &mut Report) {
    for (column, tokens) in
        [("input_tokens", &mut load.input_tokens), ("output_tokens", &mut load.output_tokens)]
    {
        if let Some(number) = sheet.number(row, column, 0.0, MAX_TOKENS, report) {
            *tokens = number;
        }
    }
    for (column, scv) in [
        ("arrival_scv", &mut load.arrival_scv),
        ("input_scv", &mut load.input_scv),
        ("token_scv", &mut load.token_scv),
    ] {
        if let Some(number) = sheet.number(row, column, 0.0, MOST_SCV, report) {
            *scv = number;
        }
    }
    if let Some(share) = sheet.number(row, "prefix_hit_share", 0.0, 1.0, report) {
        load.prefix_hit_share = share;
    }
    if let Some(what) = none_to_speak_of(load) {
        sheet.warning(row.line, what, FEW, report);
    }
    if load.arrival_rate_per_min > 0.0 && load.output_tokens < 1.0 {
        let what = "requests arrive, and they have no output tokens".to_owned();
        sheet.problem(row.line, what, "expected at least 1", report);
    }
}

const COLUMNS: [&str; 8] = [
    "server",
    "arrival_rate_per_min",
    "input_tokens",
    "output_tokens",
    "arrival_scv",
    "input_scv",
    "token_scv",
    "prefix_hit_share",
];
/// Of them, those that have to be there: the first.
const NEEDED: usize = 4;

/// Replaces the loads of `scenario` by those in a CSV file with the columns `server`,
/// `arrival_rate_per_min`, `input_tokens` and `output_tokens`, and `arrival_scv`, `input_scv`,
/// `token_scv` and `prefix_hit_share` where they are given. Servers without a row, and blank cells, keep what the scenario says.
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
    if let Some(sheet) = Sheet::read(file, text, &COLUMNS, &COLUMNS[..NEEDED], &mut report) {
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
        if let Some(rate) = sheet.number(row, "arrival_rate_per_min", 0.0, ABSURD, report) {
            load.arrival_rate_per_min = rate;
        }
        complete(sheet, row, load, report);
    }
}
