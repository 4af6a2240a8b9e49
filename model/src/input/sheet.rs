//! A CSV file read row by row, every problem with its line.

use std::path::Path;

use super::problem::{At, Report};

/// The rows of a CSV file and where its columns are.
pub(super) struct Sheet {
    pub file: String,
    columns: Vec<(&'static str, Option<usize>)>,
    pub rows: Vec<Row>,
}

/// One row.
pub(super) struct Row {
    pub line: u32,
    record: csv::StringRecord,
}

impl Sheet {
    /// Reads `path`; `known` are the columns that are understood, `needed` those that must be there.
    pub fn read(
        path: &Path,
        known: &[&'static str],
        needed: &[&'static str],
        report: &mut Report,
    ) -> Option<Self> {
        let file = path.display().to_string();
        let mut reader = match csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path) {
            Ok(reader) => reader,
            Err(e) => {
                report.problem_in(&file, format!("cannot be read: {e}"), "give a CSV file");
                return None;
            }
        };
        let header = reader.headers().cloned().unwrap_or_default();
        let first = At { line: 1, column: 1 };
        let place = |c: &'static str| (c, header.iter().position(|h| h.eq_ignore_ascii_case(c)));
        let columns: Vec<_> = known.iter().map(|c| place(c)).collect();
        let mut whole = true;
        for column in needed.iter().filter(|c| place(c).1.is_none()) {
            let what = format!("there is no column `{column}`");
            report.problem_at(
                &file,
                first,
                "",
                what,
                &format!("the columns are {}", known.join(",")),
            );
            whole = false;
        }
        for name in header.iter().filter(|h| !known.iter().any(|k| h.eq_ignore_ascii_case(k))) {
            let what = format!("unknown column `{name}` is ignored");
            report.warning_at(
                &file,
                first,
                "",
                what,
                &format!("the columns are {}", known.join(",")),
            );
        }
        let mut sheet = Self { file, columns, rows: Vec::new() };
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line) as u32;
                    sheet.rows.push(Row { line, record });
                }
                Err(e) => {
                    let line = e.position().map_or(0, csv::Position::line) as u32;
                    sheet.problem(line, e.to_string(), "mend the row", report);
                }
            }
        }
        whole.then_some(sheet)
    }

    /// Whether the file has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.0 == column && c.1.is_some())
    }

    /// A cell's text; empty where the column is not there.
    pub fn text<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let at = self.columns.iter().find(|c| c.0 == column).and_then(|c| c.1);
        at.and_then(|at| row.record.get(at)).unwrap_or("")
    }

    /// A cell's number, at least `least` and at most `most`; `None` where it is blank, or wrong.
    pub fn number(
        &self,
        row: &Row,
        column: &str,
        least: f64,
        most: f64,
        report: &mut Report,
    ) -> Option<f64> {
        let text = self.text(row, column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse::<f64>().ok().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            let remedy = format!("expected a number from {least} to {most}");
            self.problem(row.line, format!("{column} is `{text}`"), &remedy, report);
        }
        number
    }

    /// The same for a whole number.
    pub fn whole(&self, row: &Row, column: &str, most: u64, report: &mut Report) -> Option<u64> {
        let text = self.text(row, column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse::<u64>().ok().filter(|n| *n <= most);
        if number.is_none() {
            let remedy = format!("expected a whole number from 0 to {most}");
            self.problem(row.line, format!("{column} is `{text}`"), &remedy, report);
        }
        number
    }

    /// A problem of a row.
    pub fn problem(&self, line: u32, what: String, remedy: &str, report: &mut Report) {
        report.problem_at(&self.file, At { line, column: 1 }, "", what, remedy);
    }
}
