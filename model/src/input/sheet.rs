//! A CSV file read row by row, every problem with its line.

use std::path::Path;

use super::figure::between;
use super::notation::{Decimal, comma_remedy};
use super::problem::{At, Report, nearest};
use super::text::{csv_defect, csv_line, csv_rows, name_of, read_text};
use super::visible::visible;

/// The rows of a CSV file and where its columns are.
pub(super) struct Sheet {
    pub file: String,
    columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// A column that is understood.
struct Column {
    name: &'static str,
    /// Where it stands, if it is there.
    at: Option<usize>,
    /// How its numbers are written, where that is not as programs do.
    decimal: Option<Decimal>,
}

/// One row.
pub(super) struct Row {
    pub line: u32,
    record: csv::StringRecord,
}

/// Which columns may be meant by which of those that are unknown.
fn renamed<'a>(missing: &[&str], unknown: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let near = |column: &&str| {
        // `arrival_rate` is a long way from `arrival_rate_per_min`, letter by letter.
        let start = || unknown.clone().find(|h| h.len() > 2 && column.starts_with(h));
        let near = nearest(column, unknown.clone()).or_else(start)?;
        Some(format!("rename {near} to {column}"))
    };
    let pairs: Vec<String> = missing.iter().filter_map(near).collect();
    (pairs.len() == missing.len()).then(|| pairs.join(", "))
}

/// The name and the text of the CSV file at `path`, or a problem.
pub(super) fn csv_file(path: &Path, report: &mut Report) -> Option<(String, String)> {
    let file = name_of(path);
    match read_text(path) {
        Ok(text) => Some((file, text)),
        Err(what) => {
            report.problem_in(&file, what, "give a CSV file");
            None
        }
    }
}

impl Sheet {
    /// Reads `text`; `known` are the columns that are understood, `needed` those that must be there.
    pub fn read(
        file: &str,
        text: &str,
        known: &[&'static str],
        needed: &[&'static str],
        report: &mut Report,
    ) -> Option<Self> {
        let (file, columns_are) = (file.to_owned(), format!("the columns are {}", known.join(",")));
        if text.trim().is_empty() {
            report.problem_in(&file, "the file is empty".to_owned(), &columns_are);
            return None;
        }
        let mut reader = csv_rows(text);
        let header = reader.headers().cloned().unwrap_or_default();
        let first = At { line: 1, column: 1 };
        let place = |c: &str| header.iter().position(|h| h.eq_ignore_ascii_case(c));
        let column = |name: &&'static str| Column { name, at: place(name), decimal: None };
        let columns = known.iter().map(column).collect();
        let unknown = || header.iter().filter(|h| !known.iter().any(|k| h.eq_ignore_ascii_case(k)));
        let missing: Vec<&str> = needed.iter().copied().filter(|c| place(c).is_none()).collect();
        let whole = missing.is_empty();
        if !whole {
            let what = format!("there is no column {}", missing.join(", "));
            let remedy = renamed(&missing, unknown()).unwrap_or_else(|| columns_are.clone());
            report.problem_at(&file, first, "", what, &remedy);
        }
        for name in unknown() {
            let what = format!("unknown column `{name}` is ignored");
            report.warning_at(&file, first, "", what, &columns_are);
        }
        let mut sheet = Self { file, columns, rows: Vec::new() };
        for record in reader.records().filter(|_| whole) {
            match record {
                Ok(record) => {
                    let line = csv_line(text, record.position());
                    let record = record.iter().map(visible).collect();
                    sheet.rows.push(Row { line, record });
                }
                Err(e) => {
                    let (line, what) = csv_defect(text, &e);
                    sheet.problem(line, what, "mend the row", report);
                }
            }
        }
        sheet.decimals(report);
        whole.then_some(sheet)
    }

    /// Finds out how the numbers of each column are written, and says so where it is not as programs do.
    fn decimals(&mut self, report: &mut Report) {
        for column in &mut self.columns {
            let Some(at) = column.at else { continue };
            let cells = self.rows.iter().filter_map(|row| row.record.get(at));
            let Some(decimal) = Decimal::of_column(cells) else { continue };
            column.decimal = Some(decimal);
            let is_one = |row: &&Row| row.record.get(at).is_some_and(|cell| cell.contains(','));
            let line = self.rows.iter().find(is_one).map_or(1, |row| row.line);
            let (what, remedy) = match decimal {
                Decimal::Comma => ("a decimal comma, as in 1,5", "write 1.5 if that is not meant"),
                Decimal::Point => ("commas between thousands", "write 1.5 if a point is meant"),
            };
            let what = format!("{} is read with {what}: its cells say so", column.name);
            report.warning_at(&self.file, At { line, column: 1 }, "", what, remedy);
        }
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the file has a column.
    pub fn has(&self, column: &str) -> bool {
        self.column(column).is_some_and(|column| column.at.is_some())
    }

    /// A cell's text; empty where the column is not there.
    pub fn text<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let at = self.column(column).and_then(|column| column.at);
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
        let number = self.grouped(text, column).or_else(|| text.parse::<f64>().ok());
        let number = number.filter(|n| (least..=most).contains(n));
        if number.is_none() {
            let expected = || format!("expected a number from {}", between(least, most));
            let remedy = comma_remedy(text).unwrap_or_else(expected);
            self.problem(row.line, format!("{column} is `{text}`"), &remedy, report);
        }
        number
    }

    /// The number in a cell as its column writes numbers, where that is not as programs do.
    fn grouped(&self, text: &str, column: &str) -> Option<f64> {
        self.column(column)?.decimal?.number(text)
    }

    /// The same for a whole number.
    pub fn whole(&self, row: &Row, column: &str, most: u64, report: &mut Report) -> Option<u64> {
        let text = self.text(row, column);
        if text.is_empty() {
            return None;
        }
        let grouped = self.grouped(text, column).filter(|n| n.fract() == 0.0).map(|n| n as u64);
        let number = grouped.or_else(|| text.parse::<u64>().ok()).filter(|n| *n <= most);
        if number.is_none() {
            let expected = || format!("expected a whole number from 0 to {most}");
            let remedy = comma_remedy(text).unwrap_or_else(expected);
            self.problem(row.line, format!("{column} is `{text}`"), &remedy, report);
        }
        number
    }

    /// A warning of a row.
    pub fn warning(&self, line: u32, what: String, remedy: &str, report: &mut Report) {
        report.warning_at(&self.file, At { line, column: 1 }, "", what, remedy);
    }

    /// A problem of a row.
    pub fn problem(&self, line: u32, what: String, remedy: &str, report: &mut Report) {
        report.problem_at(&self.file, At { line, column: 1 }, "", what, remedy);
    }
}
