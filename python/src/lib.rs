//! The planner as a Python package: `isocost._isocost`, which `python/isocost` dresses.
//!
//! ```text
//! keywords -> arguments of a command (options) -> isocost::call or isocost::plan, on a thread of its own (wait)
//!          <- text as JSON, or a plan whose tables Python takes as Arrow (plan, table)
//! ```
//!
//! Nothing is decided here: arguments are those of the command line, checks and words too.

mod arrow;
mod error;
mod frame;
mod options;
mod plan;
mod scenario;
mod table;
mod wait;

use std::ffi::OsString;
use std::path::PathBuf;

use isocost_charts::Theme;
use isocost_experiments::sweep::Shard;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::frame::Frame;
use crate::options::arguments;
use crate::plan::PyPlan;
use crate::scenario::PyScenario;
use crate::table::PyTable;
use crate::wait::{Heard, run};

/// Runs the command line with these arguments, the program's name first; returns the exit code. `again` is how it is run by itself.
#[pyfunction]
fn main(py: Python<'_>, args: Vec<OsString>, again: Vec<OsString>) -> u8 {
    isocost::run_again_by(again);
    py.detach(|| isocost::main(args))
}

/// Runs a command: what it prints, what it warns of, and its exit code.
#[pyfunction]
#[pyo3(signature = (command, positional, options, scenarios=Vec::new(), listener=None))]
fn call(
    py: Python<'_>,
    command: &str,
    positional: Vec<PathBuf>,
    options: &Bound<'_, PyDict>,
    scenarios: Vec<(PathBuf, PyRef<'_, PyScenario>)>,
    listener: Option<Py<PyAny>>,
) -> PyResult<(Vec<u8>, Vec<String>, u8)> {
    let mut args: Vec<OsString> = vec![command.into()];
    args.extend(positional.into_iter().map(PathBuf::into_os_string));
    args.extend(arguments(options)?);
    let given = scenarios.iter().map(|(name, scenario)| scenario.given(name.clone())).collect();
    let called = run(py, given, Heard(listener), move |caller| isocost::call(&args, caller))?;
    match called.failure {
        Some(failure) => Err(error::failed(py, &failure)),
        None => Ok((called.output, called.warnings, called.code)),
    }
}

/// Makes a plan; returns it with what it warns of.
#[pyfunction]
#[pyo3(signature = (scenario, options, listener=None))]
fn make_plan(
    py: Python<'_>,
    scenario: &PyScenario,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<(PyPlan, Vec<String>)> {
    let mut args: Vec<OsString> = vec![OsString::from(scenario.name.as_str())];
    args.extend(arguments(options)?);
    let given = vec![scenario.given(PathBuf::from(&scenario.name))];
    let (called, planned) =
        run(py, given, Heard(listener), move |caller| isocost::plan(&args, caller))?;
    match (called.failure, planned) {
        (Some(failure), _) => Err(error::failed(py, &failure)),
        (None, Some(planned)) => Ok((PyPlan::new(planned, &scenario.name), called.warnings)),
        (None, None) => Err(error::raised(py, "no plan was made", Vec::new(), false)),
    }
}

/// The table of a CSV file.
#[pyfunction]
fn table_of_csv(py: Python<'_>, bytes: &[u8]) -> PyResult<PyTable> {
    let table = isocost_model::export::Table::from_csv("table", bytes);
    table.map(PyTable::from).map_err(|e| error::raised(py, &e.to_string(), Vec::new(), true))
}

/// A frame as CSV, cells to the letter.
#[pyfunction]
fn csv_of(frame: Frame) -> Vec<u8> {
    frame.csv()
}

/// The directory of a shard `i/n` below that of its sweep.
#[pyfunction]
fn shard_directory(py: Python<'_>, shard: &str) -> PyResult<Option<String>> {
    let parsed = Shard::parse(shard, |_| None);
    let parsed = parsed.map_err(|e| error::raised(py, &e.to_string(), Vec::new(), true))?;
    Ok(parsed.directory())
}

/// Options of a command: name, type and what it is for.
#[pyfunction]
fn options_of(command: &str) -> Vec<(String, String, String)> {
    options::of_command(command)
}

/// Colours of the charts' series.
#[pyfunction]
fn colors() -> Vec<String> {
    Theme::light().series.to_vec()
}

#[pymodule]
fn _isocost(m: &Bound<'_, PyModule>) -> PyResult<()> {
    wait::loaded();
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<PyScenario>()?;
    m.add_class::<PyPlan>()?;
    m.add_class::<PyTable>()?;
    m.add_function(wrap_pyfunction!(main, m)?)?;
    m.add_function(wrap_pyfunction!(call, m)?)?;
    m.add_function(wrap_pyfunction!(make_plan, m)?)?;
    m.add_function(wrap_pyfunction!(table_of_csv, m)?)?;
    m.add_function(wrap_pyfunction!(csv_of, m)?)?;
    m.add_function(wrap_pyfunction!(shard_directory, m)?)?;
    m.add_function(wrap_pyfunction!(options_of, m)?)?;
    m.add_function(wrap_pyfunction!(colors, m)?)?;
    Ok(())
}
