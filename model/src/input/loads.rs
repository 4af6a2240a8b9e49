//! A CSV of loads that replaces those of the scenario.

use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Loaded;
use super::fields::ABSURD;
use super::problem::{At, InputError, Report, known_names};
use super::servers::MAX_TOKENS;
use crate::scenario::Scenario;

const COLUMNS: [&str; 4] = ["server", "arrival_rate_per_min", "input_tokens", "output_tokens"];

/// Replaces the loads of `scenario` by those in a CSV file with the columns `server`,
/// `arrival_rate_per_min`, `input_tokens` and `output_tokens`. Servers without a row, and blank
/// cells, keep what the scenario says.
///
/// # Errors
/// Every problem of the file, each with its line.
pub fn with_loads(mut scenario: Scenario, path: &Path) -> Result<Loaded, InputError> {
    let file = path.display().to_string();
    let mut report = Report::default();
    let mut reader = match csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path) {
        Ok(reader) => reader,
        Err(e) => {
            report.problem_in(&file, format!("cannot be read: {e}"), "give a CSV file of loads");
            return Err(InputError { problems: report.problems });
        }
    };
    let header = reader.headers().cloned().unwrap_or_default();
    let places = COLUMNS.map(|c| header.iter().position(|h| h.eq_ignore_ascii_case(c)));
    for (column, place) in COLUMNS.iter().zip(&places) {
        if place.is_none() {
            let what = format!("there is no column `{column}`");
            let remedy = format!("the header is {}", COLUMNS.join(","));
            report.problem_at(&file, At { line: 1, column: 1 }, "", what, &remedy);
        }
    }
    let [Some(name), Some(rate), Some(input), Some(output)] = places else {
        return Err(InputError { problems: report.problems });
    };
    let index: FxHashMap<String, usize> =
        scenario.servers.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
    let mut seen = FxHashSet::default();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let line = e.position().map_or(0, csv::Position::line) as u32;
                report.problem_at(&file, At { line, column: 1 }, "", e.to_string(), "mend the row");
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line) as u32;
        let mut row = Row { file: &file, line, record: &record, report: &mut report };
        let Some(server) = row.server(name, &index, &mut seen) else { continue };
        let load = &mut scenario.servers[server].load;
        row.number(rate, 1, ABSURD, &mut load.arrival_rate_per_min);
        row.number(input, 2, MAX_TOKENS, &mut load.input_tokens);
        row.number(output, 3, MAX_TOKENS, &mut load.output_tokens);
        if load.arrival_rate_per_min > 0.0 && load.output_tokens < 1.0 {
            row.problem(
                "requests arrive, and they have no output tokens".to_owned(),
                "expected at least 1",
            );
        }
    }
    match report.problems.is_empty() {
        true => Ok(Loaded { scenario, warnings: report.warnings }),
        false => Err(InputError { problems: report.problems }),
    }
}

/// One row as it is read.
struct Row<'a> {
    file: &'a str,
    line: u32,
    record: &'a csv::StringRecord,
    report: &'a mut Report,
}

impl Row<'_> {
    fn problem(&mut self, what: String, remedy: &str) {
        self.report.problem_at(self.file, At { line: self.line, column: 1 }, "", what, remedy);
    }

    fn server(
        &mut self,
        at: usize,
        index: &FxHashMap<String, usize>,
        seen: &mut FxHashSet<usize>,
    ) -> Option<usize> {
        let name = self.record.get(at).unwrap_or("");
        let Some(&server) = index.get(name) else {
            let mut known: Vec<&str> = index.keys().map(String::as_str).collect();
            known.sort_unstable();
            let remedy = known_names(name, known.into_iter());
            self.problem(format!("unknown server `{name}`"), &remedy);
            return None;
        };
        if !seen.insert(server) {
            self.problem(format!("server `{name}` has two rows"), "keep one of them");
        }
        Some(server)
    }

    /// Reads a cell into `value`, unless it is blank.
    fn number(&mut self, at: usize, column: usize, most: f64, value: &mut f64) {
        let text = self.record.get(at).unwrap_or("");
        if text.is_empty() {
            return;
        }
        match text.parse::<f64>() {
            Ok(number) if (0.0..=most).contains(&number) => *value = number,
            _ => {
                let what = format!("{} is `{text}`", COLUMNS[column]);
                self.problem(what, &format!("expected a number from 0 to {most}"));
            }
        }
    }
}
