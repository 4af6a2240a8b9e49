//! The cells of a CSV row, by the names of their columns.

use isocost_model::input::reading::{At, Report, as_written, between, comma_remedy};

use super::columns::Columns;

/// One row as it is read.
pub(super) struct Row<'a> {
    pub file: &'a str,
    pub mark: u8,
    pub line: u32,
    pub line_text: &'a str,
    pub columns: &'a Columns,
    pub record: &'a csv::StringRecord,
    pub report: &'a mut Report,
}

impl Row<'_> {
    /// A number that has to be there; 0 where it is not, which is said.
    pub fn needed(&mut self, column: &str, least: f64, most: f64) -> f64 {
        if self.text(column).is_none() {
            self.problem(column, "the cell is blank".to_owned(), "give a number");
        }
        self.number(column, least, most).unwrap_or(0.0)
    }

    /// A number, or nothing where the cell is blank or wrong, which is said.
    pub fn number(&mut self, column: &str, least: f64, most: f64) -> Option<f64> {
        let text = self.text(column)?.to_owned();
        let number = text.parse::<f64>().ok().filter(|x| (least..=most).contains(x));
        if number.is_none() {
            let what = format!("`{}` is no number {}", as_written(&text), between(least, most));
            let remedy = comma_remedy(&text).unwrap_or_else(|| "mend the cell".to_owned());
            self.problem(column, what, &remedy);
        }
        number
    }

    /// What stands in a cell, where it is not blank.
    pub fn text(&self, column: &str) -> Option<&str> {
        let at = self.columns.place(column)?;
        self.record.get(at).filter(|text| !text.is_empty())
    }

    /// Says what is wrong with a cell.
    pub fn problem(&mut self, column: &str, what: String, remedy: &str) {
        let at = self.columns.place(column).unwrap_or(0);
        let place = cell_at(self.line_text, self.mark, self.line, at);
        self.report.problem_at(self.file, place, column, what, remedy);
    }
}

/// Where cell `index` of a line starts; quotes may hold marks.
pub(super) fn cell_at(line_text: &str, mark: u8, line: u32, index: usize) -> At {
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
