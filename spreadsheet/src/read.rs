//! Workbooks as they are read: sheets by their names, row 1 the header.

use std::path::Path;

use calamine::{Data, Range, Reader, Sheets, open_workbook_auto};
use isocost_model::input::reading::Report;
use isocost_model::input::{Entry, InputError, MAX_FILE_BYTES, SHEETS, ScenarioSheet, Source};

use crate::write::PLAN_SHEETS;

/// The scenario in a workbook.
pub fn workbook(path: &Path) -> Result<Source, InputError> {
    let mut report = Report::default();
    let name = path.display().to_string();
    let sheets = match opened(path) {
        Ok(mut book) => sheets(&name, &mut book, &mut report),
        Err(what) => {
            let remedy = "give a workbook that a spreadsheet opens, saved as .xlsx or .ods";
            report.problem_in(&name, what, remedy);
            Vec::new()
        }
    };
    match report.problems.is_empty() {
        true => Ok(Source::Sheets(sheets)),
        false => Err(InputError { problems: report.problems }),
    }
}

type Book = Sheets<std::io::BufReader<std::fs::File>>;

fn opened(path: &Path) -> Result<Book, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("is larger than {} MB", MAX_FILE_BYTES >> 20));
    }
    open_workbook_auto(path).map_err(|e| format!("is no workbook: {e}"))
}

fn sheets(name: &str, book: &mut Book, report: &mut Report) -> Vec<ScenarioSheet> {
    let mut sheets = Vec::new();
    for sheet in book.sheet_names() {
        if ScenarioSheet::section(&sheet).is_none() {
            let is_plan = PLAN_SHEETS.iter().any(|known| known.eq_ignore_ascii_case(&sheet));
            if !is_plan && is_near(&sheet) {
                let what = format!("there is a sheet `{sheet}`, which is none of a scenario's");
                let remedy = format!("name it one of {}", SHEETS.join(", "));
                report.problem_in(name, what, &remedy);
            }
            continue;
        }
        let place = format!("{name}, sheet {sheet}");
        match book.worksheet_range(&sheet) {
            Ok(range) => sheets.extend(table(place, sheet, &range, report)),
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
    isocost_model::input::reading::known_names(sheet, SHEETS.iter().copied())
        .starts_with("did you mean")
}

/// A sheet as a table; `None` of an empty one.
fn table(
    place: String,
    name: String,
    range: &Range<Data>,
    report: &mut Report,
) -> Option<ScenarioSheet> {
    let (last_row, last_column) = range.end()?;
    let cell = |row: u32, column: u32| range.get_value((row, column)).unwrap_or(&Data::Empty);
    let columns: Vec<String> =
        (0..=last_column).map(|c| cell(0, c).to_string().trim().to_owned()).collect();
    let mut rows = Vec::new();
    for row in 1..=last_row {
        let mut cells = Vec::new();
        for (column, title) in (0..).zip(&columns) {
            let at = || format!("{place}:{}:{}", row + 1, column + 1);
            let entry = entry(cell(row, column)).unwrap_or_else(|what| {
                report.problem_in(&at(), what, "write a text, a number, or TRUE or FALSE");
                Entry::Blank
            });
            if title.is_empty() && entry != Entry::Blank {
                let what = "the column has no name in row 1".to_owned();
                report.problem_in(&at(), what, "name the field there, or clear the cell");
            }
            cells.push(if title.is_empty() { Entry::Blank } else { entry });
        }
        rows.push(cells);
    }
    Some(ScenarioSheet { place, name, columns, rows })
}

fn entry(cell: &Data) -> Result<Entry, String> {
    Ok(match cell {
        Data::Empty => Entry::Blank,
        Data::Int(whole) => Entry::Number(*whole as f64),
        Data::Float(number) => Entry::Number(*number),
        Data::String(text) if text.trim().is_empty() => Entry::Blank,
        Data::String(text) => Entry::Text(text.clone()),
        Data::Bool(truth) => Entry::Truth(*truth),
        Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_) => {
            return Err(
                "the cell holds a date or a time, into which spreadsheets turn names such as 1-2"
                    .to_owned(),
            );
        }
        Data::Error(error) => return Err(format!("the cell's formula fails: {error}")),
    })
}
