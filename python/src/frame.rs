//! Frames of Python, as they come in and as tables.

use isocost_model::export::{Cell, Kind, Table};
use isocost_model::input::{Entry, ScenarioSheet};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyCapsule};

use crate::arrow;

/// What came of a Python frame: anything with `__arrow_c_stream__`, or names of columns and rows of plain values.
pub struct Frame {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Entry>>,
}

impl<'py> FromPyObject<'_, 'py> for Frame {
    type Error = PyErr;

    fn extract(frame: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if !frame.hasattr("__arrow_c_stream__")? {
            let (columns, rows): (_, Vec<Vec<Bound<'_, PyAny>>>) = frame.extract()?;
            let row = |row: Vec<Bound<'_, PyAny>>| row.iter().map(entry).collect();
            let rows = rows.into_iter().map(row).collect::<PyResult<_>>()?;
            return Ok(Self { columns, rows });
        }
        let capsule = frame.call_method0("__arrow_c_stream__")?;
        let capsule = capsule.cast::<PyCapsule>().map_err(|_| {
            PyTypeError::new_err("expected a frame whose __arrow_c_stream__ gives a capsule")
        })?;
        arrow::read(capsule).map_err(|e| PyTypeError::new_err(e.to_string()))
    }
}

/// A plain value of Python as a cell.
fn entry(value: &Bound<'_, PyAny>) -> PyResult<Entry> {
    if value.is_none() {
        return Ok(Entry::Blank);
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Entry::Truth(truth.is_true()));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok(if number.is_nan() { Entry::Blank } else { Entry::Number(number) });
    }
    Ok(Entry::Text(value.str()?.to_string()))
}

impl Frame {
    /// The frame as a section of a scenario.
    pub fn sheet(self, name: String) -> ScenarioSheet {
        ScenarioSheet { place: name.clone(), name, columns: self.columns, rows: self.rows }
    }

    /// The frame as CSV, cells to the letter: it is read by this program alone.
    pub fn csv(self) -> Vec<u8> {
        self.sheet(String::new()).csv().into_bytes()
    }
}

/// A section as a table: a column is of numbers where each of its cells is one or blank.
pub fn table(name: &'static str, sheet: &ScenarioSheet) -> Table {
    let kind = |column: usize| {
        let cells = || sheet.rows.iter().map(|row| &row[column]).filter(|c| **c != Entry::Blank);
        match () {
            () if cells().next().is_none() => Kind::Text,
            () if cells().all(|c| matches!(c, Entry::Number(_))) => Kind::Number,
            () if cells().all(|c| matches!(c, Entry::Truth(_))) => Kind::Truth,
            () => Kind::Text,
        }
    };
    let columns: Vec<(String, Kind)> =
        sheet.columns.iter().enumerate().map(|(i, name)| (name.clone(), kind(i))).collect();
    let cell = |(entry, (_, kind)): (&Entry, &(String, Kind))| match entry {
        Entry::Blank => Cell::Blank,
        Entry::Text(text) => text.as_str().into(),
        Entry::Number(number) if *kind == Kind::Text => Cell::Text(number.to_string()),
        Entry::Number(number) => (*number).into(),
        Entry::Truth(truth) if *kind == Kind::Text => Cell::Text(truth.to_string()),
        Entry::Truth(truth) => Cell::Truth(*truth),
    };
    let rows = sheet.rows.iter().map(|row| row.iter().zip(&columns).map(cell).collect());
    Table { name, rows: rows.collect(), columns: columns.clone() }
}
