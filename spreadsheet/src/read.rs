//! Workbooks as they are read: sheets by their names, row 1 the header.
//!
//! Cells are read one after the other, as they stand in the file: one that stands alone in the last row is no reason for a table of billions.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, Reader, Xlsx, XlsxError, open_workbook};
use isocost_model::input::reading::{At, Report, known_names};
use isocost_model::input::{
    Entry, InputError, LOADS, MAX_FILE_BYTES, SHEETS, ScenarioSheet, Source,
};

use crate::is_workbook;
use crate::write::PLAN_SHEETS;

/// Columns and cells that a table has at most; the widest section has some dozens of fields.
const MOST_COLUMNS: usize = 1_024;
const MOST_CELLS: usize = 20_000_000;

type Book = Xlsx<BufReader<File>>;

/// The scenario in a workbook.
pub fn workbook(path: &Path) -> Result<Source, InputError> {
    let mut report = Report::default();
    let name = path.display().to_string();
    let sheets = match opened(path) {
        Ok(mut book) => sheets(&name, &mut book, &mut report),
        Err(what) => {
            let remedy = "give a workbook that a spreadsheet opens, saved as .xlsx";
            report.problem_in(&name, what, remedy);
            Vec::new()
        }
    };
    match report.problems.is_empty() {
        true => Ok(Source::Sheets(sheets)),
        false => Err(InputError { problems: report.problems }),
    }
}

fn opened(path: &Path) -> Result<Book, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if !is_workbook(path) {
        return Err("is a workbook of a kind that is not read".to_owned());
    }
    if size > MAX_FILE_BYTES {
        return Err(format!("is larger than {} MB", MAX_FILE_BYTES >> 20));
    }
    open_workbook(path).map_err(|e: XlsxError| format!("is no workbook: {e}"))
}

fn sheets(name: &str, book: &mut Book, report: &mut Report) -> Vec<ScenarioSheet> {
    let mut sheets = Vec::new();
    for sheet in book.sheet_names() {
        if ScenarioSheet::table(&sheet).is_none() && !ScenarioSheet::is_loads(&sheet) {
            let is_plan = PLAN_SHEETS.iter().any(|known| known.eq_ignore_ascii_case(&sheet));
            if !is_plan && is_near(&sheet) {
                let what = format!("there is a sheet `{sheet}`, which is none of a scenario's");
                let remedy = format!("name it one of {}, {LOADS}", SHEETS.join(", "));
                report.problem_in(name, what, &remedy);
            }
            continue;
        }
        let place = format!("{name}, sheet {sheet}");
        match rows(book, &sheet, &place, report) {
            Ok(rows) => sheets.extend(table(place, sheet, rows, report)),
            Err(error) => {
                let what = format!("cannot be read: {error}");
                report.problem_in(&place, what, "save the workbook anew");
            }
        }
    }
    sheets
}

/// Whether a name is meant for a section's: what is slightly off would be left out in silence.
fn is_near(sheet: &str) -> bool {
    known_names(sheet, SHEETS.into_iter().chain([LOADS])).starts_with("did you mean")
}

/// Rows from the first on, each as long as its last cell that is filled.
fn rows(
    book: &mut Book,
    sheet: &str,
    place: &str,
    report: &mut Report,
) -> Result<Vec<Vec<Entry>>, XlsxError> {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut reader = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_cell_with_formula_metadata()? {
        let at = At { line: cell.pos.0.saturating_add(1), column: cell.pos.1.saturating_add(1) };
        let entry = match entry(&cell.value, cell.formula.is_some()) {
            Ok(Entry::Blank) => continue,
            Ok(entry) => entry,
            Err((what, remedy)) => {
                report.problem_at(place, at, "", what, remedy);
                continue;
            }
        };
        let (row, column) = (cell.pos.0 as usize, cell.pos.1 as usize);
        if column >= MOST_COLUMNS || (row + 1).saturating_mul(column + 1) > MOST_CELLS {
            let what = "the cell stands too far from the table to be of it".to_owned();
            report.problem_at(place, at, "", what, "clear it, or move it beside the others");
            continue;
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
        if rows[row].len() <= column {
            rows[row].resize(column + 1, Entry::Blank);
        }
        rows[row][column] = entry;
    }
    Ok(rows)
}

/// Rows as a table, the first its header; `None` of an empty sheet.
fn table(
    place: String,
    name: String,
    rows: Vec<Vec<Entry>>,
    report: &mut Report,
) -> Option<ScenarioSheet> {
    let mut rows = rows.into_iter();
    let title = |cell| match cell {
        Entry::Text(name) => name.trim().to_owned(),
        Entry::Blank => String::new(),
        Entry::Number(number) => number.to_string(),
        Entry::Truth(truth) => truth.to_string(),
    };
    let columns: Vec<String> = rows.next()?.into_iter().map(title).collect();
    let mut rows: Vec<Vec<Entry>> = rows.collect();
    for (line, row) in (2..).zip(&mut rows) {
        for (number, (column, cell)) in (1..).zip(row.iter_mut().enumerate()) {
            let is_named = columns.get(column).is_some_and(|name| !name.is_empty());
            if !is_named && *cell != Entry::Blank {
                let what = "the column has no name in row 1".to_owned();
                let remedy = "name the field there, or clear the cell";
                report.problem_at(&place, At { line, column: number }, "", what, remedy);
                *cell = Entry::Blank;
            }
        }
        row.resize(columns.len(), Entry::Blank);
    }
    Some(ScenarioSheet { place, name, columns, rows })
}

/// What a cell holds, else what is wrong with it and what to do.
fn entry(cell: &DataRef<'_>, is_formula: bool) -> Result<Entry, (String, &'static str)> {
    let text = |text: &str| match text.trim().is_empty() {
        true => Entry::Blank,
        false => Entry::Text(text.to_owned()),
    };
    Ok(match cell {
        DataRef::Empty if is_formula => {
            return Err((
                "the value of the cell's formula is not stored".to_owned(),
                "open the workbook in a spreadsheet and save it, or write the value",
            ));
        }
        DataRef::Empty => Entry::Blank,
        DataRef::Int(whole) => Entry::Number(*whole as f64),
        DataRef::Float(number) => Entry::Number(*number),
        DataRef::String(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(truth) => Entry::Truth(*truth),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
            return Err((
                "the cell holds a date or a time, into which spreadsheets turn names such as 1-2"
                    .to_owned(),
                "write a text, a number, or TRUE or FALSE",
            ));
        }
        DataRef::Error(error) => {
            return Err((format!("the cell's formula fails: {error}"), "mend the formula"));
        }
    })
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{Workbook, Worksheet};

    use super::*;

    /// What is wrong with a workbook whose sheet `accelerators` is filled so.
    fn refused(fill: impl FnOnce(&mut Worksheet)) -> String {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("accelerators").expect("a name");
        sheet.write_string(0, 0, "name").expect("room");
        fill(sheet);
        let directory = tempfile::tempdir().expect("a place");
        let path = directory.path().join("fleet.xlsx");
        book.save(&path).expect("room");
        workbook(&path).expect_err("wrong").to_string()
    }

    #[test]
    fn a_formula_without_a_value_is_no_blank() {
        let (what, _) = entry(&DataRef::Empty, true).expect_err("no value");
        assert!(what.contains("not stored"), "{what}");
        assert_eq!(entry(&DataRef::String(String::new()), true), Ok(Entry::Blank));
        assert_eq!(entry(&DataRef::Empty, false), Ok(Entry::Blank));
    }

    #[test]
    fn a_cell_far_away_is_no_table_of_billions() {
        let text = refused(|sheet| {
            sheet.write_number(1_048_575, 16_383, 1.0).expect("room");
        });
        assert!(text.contains("1048576:16384") && text.contains("too far"), "{text}");
    }

    #[test]
    fn columns_without_names_are_said() {
        let text = refused(|sheet| {
            sheet.write_number(2, 1, 1.0).expect("room");
        });
        assert!(text.contains("sheet accelerators:3:2") && text.contains("no name"), "{text}");
    }

    #[test]
    fn names_slightly_off_are_said() {
        let text = refused(|sheet| {
            sheet.set_name("accelerator").expect("a name");
        });
        assert!(text.contains("`accelerator`"), "{text}");
    }
}
