//! Workbooks: a scenario is read from one, and a plan written as one.
//!
//! ```text
//! .xlsx, .xlsm             -> read  -> Source (a table a section) -> Scenario
//! tables of a plan, Source -> write -> .xlsx, a sheet a table
//! ```
//!
//! A plan's workbook holds its scenario too, so that it can be changed in place and planned again.

mod read;
mod write;

use std::path::Path;

use isocost_model::input::{self, InputError, Loaded, Source};

pub use write::{WorkbookError, write};

/// Endings of the workbooks that are read.
const READ: [&str; 2] = ["xlsx", "xlsm"];
/// Endings of those that are not written.
const OTHERS: [&str; 4] = ["xlsm", "xlsb", "xls", "ods"];

/// Whether a path is that of a workbook, by its ending.
pub fn is_workbook(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| READ.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Whether a path is that of a workbook that is not written, and, but for `.xlsm`, not read either.
pub fn is_other_workbook(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| OTHERS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Takes up the scenario at `path`: a workbook, or what [`Source::open`] takes.
///
/// # Errors
/// Everything that cannot be read.
pub fn open(path: &Path) -> Result<Source, InputError> {
    match is_taken(path) {
        true => read::workbook(path),
        false => Source::open(path),
    }
}

/// Whether a path is for this crate: a workbook that is read, or one of which is said that it is not.
fn is_taken(path: &Path) -> bool {
    (is_workbook(path) || is_other_workbook(path)) && !path.is_dir()
}

/// Reads the scenario at `path`, a workbook or what [`input::load`] takes; with how it is written.
///
/// # Errors
/// Every problem of it.
pub fn load(path: &Path) -> Result<(Loaded, Source), InputError> {
    if !is_taken(path) {
        return input::load_source(path);
    }
    let source = read::workbook(path)?;
    Ok((source.load()?, source))
}
