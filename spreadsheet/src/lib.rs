//! Workbooks: a scenario is read from one, and a plan written as one.
//!
//! ```text
//! .xlsx, .xlsm, .xlsb, .xls, .ods -> read  -> Source (a table a section) -> Scenario
//! tables of a plan, Source        -> write -> .xlsx, a sheet a table
//! ```
//!
//! A plan's workbook holds its scenario too, so that it can be changed in place and planned again.

mod read;
mod write;

use std::path::Path;

use isocost_model::input::{InputError, Source};

pub use write::{WorkbookError, write};

/// Endings of the workbooks that are read.
const READ: [&str; 5] = ["xlsx", "xlsm", "xlsb", "xls", "ods"];

/// Whether a path is that of a workbook, by its ending.
pub fn is_workbook(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| READ.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Takes up the scenario at `path`: a workbook, or what [`Source::open`] takes.
///
/// # Errors
/// Everything that cannot be read.
pub fn open(path: &Path) -> Result<Source, InputError> {
    match is_workbook(path) && !path.is_dir() {
        true => read::workbook(path),
        false => Source::open(path),
    }
}
