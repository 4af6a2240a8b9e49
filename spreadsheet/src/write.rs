//! Workbooks as they are written: a sheet a table, numbers as numbers, the header kept in sight.
//!
//! A text is written as a text: nothing that a name begins with makes a formula of it.

use isocost_model::export::{Cell, Table};
use isocost_model::input::{Entry, LOADS, ScenarioSheet, Source};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// Sheets that a plan's workbook has besides its scenario's.
pub const PLAN_SHEETS: [&str; 6] =
    ["summary", "plan", "usage", "candidates", "budgets", "filled nodes"];

/// Columns are as wide as what stands in them, up to this many pixels.
const WIDEST: u32 = 400;

/// A workbook that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("a workbook cannot hold it: {0}; write CSV into a directory")]
pub struct WorkbookError(#[from] XlsxError);

/// The workbook of a plan's tables and its scenario's, where that is known.
///
/// # Errors
/// More rows than a sheet holds, or a text that is longer than a cell.
pub fn write(tables: &[Table], scenario: Option<&Source>) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    // The same plan gives the same bytes, whenever it is written.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
    for table in tables {
        let header: Vec<&str> = table.columns.iter().map(|column| column.0.as_str()).collect();
        let sheet = sheet(&mut book, table.name, &header)?;
        for (row, cells) in (1..).zip(&table.rows) {
            for (column, cell) in (0..).zip(cells) {
                put(sheet, (row, column), cell)?;
            }
        }
        sheet.set_autofit_max_width(WIDEST);
        sheet.autofit();
    }
    let has_loads = tables.iter().any(|table| table.name == LOADS);
    for table in scenario.map(Source::sheets).unwrap_or_default() {
        if has_loads && ScenarioSheet::is_loads(&table.name) {
            continue;
        }
        let header: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        let sheet = sheet(&mut book, &table.name, &header)?;
        section(sheet, &table)?;
        sheet.set_autofit_max_width(WIDEST);
        sheet.autofit();
    }
    Ok(book.save_to_buffer()?)
}

/// An empty sheet with its header.
fn sheet<'a>(
    book: &'a mut Workbook,
    name: &str,
    header: &[&str],
) -> Result<&'a mut Worksheet, XlsxError> {
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    for (column, title) in (0..).zip(header) {
        sheet.write_string_with_format(0, column, *title, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(sheet)
}

fn section(sheet: &mut Worksheet, table: &ScenarioSheet) -> Result<(), XlsxError> {
    for (row, cells) in (1..).zip(&table.rows) {
        for (column, cell) in (0..).zip(cells) {
            let cell = match cell {
                Entry::Blank => Cell::Blank,
                Entry::Text(text) => Cell::Text(text.clone()),
                Entry::Number(number) => Cell::Number(*number),
                Entry::Truth(truth) => Cell::Truth(*truth),
            };
            put(sheet, (row, column), &cell)?;
        }
    }
    Ok(())
}

fn put(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Blank => {}
        Cell::Text(text) => {
            sheet.write_string(row, column, text)?;
        }
        // Beyond 2^53 a spreadsheet's numbers lose their last digits: it has no others.
        Cell::Whole(whole) => {
            sheet.write_number(row, column, *whole as f64)?;
        }
        Cell::Number(number) if number.is_finite() => {
            sheet.write_number(row, column, *number)?;
        }
        Cell::Number(number) => {
            sheet.write_string(row, column, number.to_string())?;
        }
        Cell::Truth(truth) => {
            sheet.write_boolean(row, column, *truth)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use calamine::{Data, Reader, open_workbook_auto};
    use isocost_model::export::Kind;

    use super::*;

    fn source(name: &str) -> Source {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name);
        Source::open(&path).expect("sound")
    }

    #[test]
    fn a_scenario_in_a_workbook_is_read_back_as_it_was() {
        let directory = tempfile::tempdir().expect("a place");
        for name in ["quickstart", "fleet-27"] {
            let source = source(name);
            let path = directory.path().join(name).with_extension("xlsx");
            std::fs::write(&path, write(&[], Some(&source)).expect("small")).expect("room");
            let read = crate::open(&path).expect("sound").load().expect("sound").scenario;
            assert_eq!(read, source.load().expect("sound").scenario);
        }
    }

    #[test]
    fn numbers_are_numbers_and_formulas_are_texts() {
        let columns = [("name", Kind::Text), ("n", Kind::Whole), ("is", Kind::Truth)];
        let row = vec!["=1+1".into(), 3_u64.into(), Cell::Truth(true)];
        let table = Table::new("plan", &columns, [row].into_iter());
        let bytes = write(std::slice::from_ref(&table), None).expect("small");
        assert_eq!(bytes, write(&[table], None).expect("small"), "not the same bytes again");
        let directory = tempfile::tempdir().expect("a place");
        let path = directory.path().join("plan.xlsx");
        std::fs::write(&path, bytes).expect("room");
        let mut book = open_workbook_auto(&path).expect("a workbook");
        let range = book.worksheet_range("plan").expect("a sheet");
        let texts = Data::String("=1+1".to_owned());
        assert_eq!(range.rows().nth(1), Some(&[texts, Data::Float(3.0), Data::Bool(true)][..]));
        assert!(book.worksheet_formula("plan").expect("a sheet").is_empty());
    }

    #[test]
    fn what_is_no_workbook_is_said() {
        let directory = tempfile::tempdir().expect("a place");
        for (name, bytes) in [("a.xlsx", &b"PK\x03\x04 not"[..]), ("b.xlsm", b""), ("c.ods", b"x")]
        {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).expect("room");
            let error = crate::open(&path).expect_err("no workbook").to_string();
            assert!(error.contains(name) && error.contains("workbook"), "{error}");
        }
        let error = crate::open(&directory.path().join("none.xlsx")).expect_err("none").to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }
}
