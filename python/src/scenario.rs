//! Scenarios: as they are written, with the loads that were put over them, and as they were read.

use std::path::PathBuf;
use std::sync::Arc;

use isocost::Given;
use isocost_model::Scenario;
use isocost_model::candidates::Sizings;
use isocost_model::export::loads_table;
use isocost_model::input::{
    InputError, LOADS, Loaded, Problem, ScenarioSheet, Source, with_loads_text,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error;
use crate::frame::{Frame, table};
use crate::table::PyTable;

/// A scenario: what is to be planned. It is never changed, and may be sent to another process.
#[pyclass(frozen, module = "isocost._isocost", name = "Scenario")]
pub struct PyScenario {
    /// What messages call it.
    pub name: String,
    /// As it is written.
    pub source: Arc<Source>,
    /// CSV of loads put over it, one after the other.
    loads: Vec<String>,
    /// As it was read.
    pub scenario: Arc<Scenario>,
    warnings: Vec<Problem>,
    /// Sizings made so far, of all scenarios that come from this one.
    pub sizings: Arc<Sizings>,
}

impl PyScenario {
    fn read(name: String, source: Source, loads: Vec<String>) -> Result<Self, InputError> {
        let Loaded { mut scenario, mut warnings } = source.load()?;
        for text in &loads {
            let loaded = with_loads_text(scenario, LOADS, text)?;
            scenario = loaded.scenario;
            warnings.extend(loaded.warnings);
        }
        let (scenario, source, sizings) = (Arc::new(scenario), Arc::new(source), Arc::default());
        Ok(Self { name, source, loads, scenario, warnings, sizings })
    }
}

impl PyScenario {
    /// The scenario for a command that is given `name` in place of a path.
    pub fn given(&self, name: PathBuf) -> Given {
        let Self { scenario, source, sizings, .. } = self;
        let (scenario, source) = (Arc::clone(scenario), Arc::clone(source));
        Given { name, scenario, source, sizings: Arc::clone(sizings) }
    }
}

#[pymethods]
impl PyScenario {
    /// Takes up a directory, a JSON or YAML file, or a workbook.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let name = path.display().to_string();
        let read = || Self::read(name, isocost::source(&path)?, Vec::new());
        py.detach(read).map_err(|e| error::input(py, &e))
    }

    /// Takes a JSON or YAML text.
    #[staticmethod]
    #[pyo3(signature = (text, name="scenario"))]
    fn loads(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        let read = || Self::read(name.to_owned(), Source::text(name, text), Vec::new());
        py.detach(read).map_err(|e| error::input(py, &e))
    }

    /// Takes frames, each with the name of its section.
    #[staticmethod]
    fn from_frames(py: Python<'_>, frames: Vec<(String, Frame)>) -> PyResult<Self> {
        let sheets = frames.into_iter().map(|(name, frame)| frame.sheet(name)).collect();
        Self::read("frames".to_owned(), Source::Sheets(sheets), Vec::new())
            .map_err(|e| error::input(py, &e))
    }

    /// The same with other loads.
    fn with_loads(&self, py: Python<'_>, frame: Frame) -> PyResult<Self> {
        let text = String::from_utf8_lossy(&frame.csv()).into_owned();
        let loaded = with_loads_text((*self.scenario).clone(), LOADS, &text)
            .map_err(|e| error::input(py, &e))?;
        let mut warnings = self.warnings.clone();
        warnings.extend(loaded.warnings);
        Ok(Self {
            name: self.name.clone(),
            source: Arc::clone(&self.source),
            loads: self.loads.iter().cloned().chain([text]).collect(),
            scenario: Arc::new(loaded.scenario),
            warnings,
            sizings: Arc::clone(&self.sizings),
        })
    }

    /// What was read but may not be meant.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().map(ToString::to_string).collect()
    }

    /// What messages call it.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// A section as it is written, as a table; `None` where it is left out.
    fn table(&self, name: &str) -> Option<PyTable> {
        let known = ScenarioSheet::table(name)?;
        let mut sheets = self.source.sheets().into_iter();
        let sheet = sheets.find(|sheet| ScenarioSheet::table(&sheet.name) == Some(known))?;
        Some(table("scenario", &sheet).into())
    }

    /// Loads as they are planned for.
    fn loads_table(&self) -> PyTable {
        loads_table(&self.scenario).into()
    }

    /// Names of servers, classes, models, accelerators and card types.
    fn names(&self) -> [Vec<String>; 5] {
        let Scenario { servers, classes, models, accelerators, card_types, .. } = &*self.scenario;
        [
            servers.iter().map(|s| s.name.clone()).collect(),
            classes.iter().map(|c| c.name.clone()).collect(),
            models.clone(),
            accelerators.iter().map(|a| a.name.clone()).collect(),
            card_types.iter().map(|t| t.name.clone()).collect(),
        ]
    }

    fn __reduce__<'py>(
        slf: Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let py = slf.py();
        let this = slf.get();
        let state = serde_json::to_vec(&(&this.name, &*this.source, &this.loads))
            .map_err(|e| PyValueError::new_err(e.to_string()))?;
        let restore = slf.get_type().getattr("_restore")?;
        Ok((restore, (PyBytes::new(py, &state),)))
    }

    /// What was sent from another process.
    #[staticmethod]
    fn _restore(py: Python<'_>, state: &[u8]) -> PyResult<Self> {
        let (name, source, loads) =
            serde_json::from_slice(state).map_err(|e| PyValueError::new_err(e.to_string()))?;
        py.detach(|| Self::read(name, source, loads)).map_err(|e| error::input(py, &e))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| *other.get().scenario == *self.scenario)
    }
}
