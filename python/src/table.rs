//! Tables for Python: Arrow streams, from which pandas, polars and others make their frames.

use isocost_model::export::{Cell, Table};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

use crate::arrow;

/// A table, typed by column.
#[pyclass(frozen, module = "isocost._isocost", name = "Table")]
pub struct PyTable(Table);

impl From<Table> for PyTable {
    fn from(table: Table) -> Self {
        Self(table)
    }
}

#[pymethods]
impl PyTable {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.0.columns.iter().map(|column| column.0.as_str()).collect()
    }

    /// Rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.0.rows.len(), self.0.columns.len())
    }

    fn __len__(&self) -> usize {
        self.0.rows.len()
    }

    /// The table as an Arrow stream, by Arrow's PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer that converts nothing leave the request aside.
        drop(requested_schema);
        arrow::stream(py, &self.0)
    }

    /// Columns by name, each a list.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
        let dict = pyo3::types::PyDict::new(py);
        for (index, (name, _)) in self.0.columns.iter().enumerate() {
            let column = PyList::empty(py);
            for row in &self.0.rows {
                column.append(value(py, &row[index])?)?;
            }
            dict.set_item(name, column)?;
        }
        Ok(dict)
    }

    /// The table as CSV.
    fn to_csv(&self) -> Vec<u8> {
        self.0.csv()
    }
}

fn value<'py>(py: Python<'py>, cell: &Cell) -> PyResult<Bound<'py, PyAny>> {
    match cell {
        Cell::Blank => Ok(py.None().into_bound(py)),
        Cell::Text(text) => text.into_bound_py_any(py),
        Cell::Whole(whole) => whole.into_bound_py_any(py),
        Cell::Number(number) => number.into_bound_py_any(py),
        Cell::Truth(truth) => truth.into_bound_py_any(py),
    }
}
