//! Exports: the plan as files, one module a format.

mod cells;
mod csv;
mod json;
mod staged;
mod table;
mod tails;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::candidates::Candidates;
use crate::plan::Plan;
use crate::scenario::Scenario;

pub use cells::{cell, cells, exact_cells};
pub use csv::{
    budgets_csv, budgets_table, candidates_csv, candidates_table, loads_table, nodes_csv,
    nodes_table, plan_csv, plan_table, summary_table, usage_csv, usage_table,
};
pub use json::{plan_json, plan_value};
use staged::{Held, temporary};
pub use table::{Cell, Kind, Table};
pub use text::json_text;

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its candidates.
    pub candidates: &'a Candidates,
    /// The plan.
    pub plan: &'a Plan,
    /// Seconds spent.
    pub timing: Timing,
}

/// Seconds spent on a plan.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timing {
    /// In the queueing model.
    pub sizing_s: f64,
    /// In the formulation and its backend.
    pub solving_s: f64,
}

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {source}; choose another directory by --out", path.display())]
pub struct ExportError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Writes `plan.json`, `plan.csv`, `usage.csv`, `candidates.csv` and, where the plan keeps budgets
/// or fills nodes, `budgets.csv` and `nodes.csv` into `dir`, which is made if it is not there. Each file is complete before it takes its name: whatever happens on the way, a
/// reader finds the old file or the new one.
///
/// # Errors
/// The first file that cannot be written.
pub fn write_all(dir: &Path, export: &Export<'_>) -> Result<(), ExportError> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError { path, source }
    };
    std::fs::create_dir_all(dir).map_err(error(dir))?;
    // Two runs into one directory write one after the other: its files are all of one of them.
    let _held = Held::alone(dir);
    let mut files = vec![
        ("plan.json", plan_json(export).into_bytes()),
        ("plan.csv", plan_csv(export)),
        ("usage.csv", usage_csv(export)),
        ("candidates.csv", candidates_csv(export)),
    ];
    if !export.plan.budgets.is_empty() {
        files.push(("budgets.csv", budgets_csv(export)));
    }
    if !export.plan.nodes.is_empty() {
        files.push(("nodes.csv", nodes_csv(export)));
    }
    let ready: Result<Vec<_>, _> =
        files.into_iter().map(|(name, content)| stage(&dir.join(name), &content)).collect();
    ready?.into_iter().try_for_each(commit)
}

/// Writes one file: complete under a temporary name first, then renamed.
///
/// # Errors
/// The file, and why it cannot be written.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), ExportError> {
    let _held = Held::beside(directory(path));
    commit(stage(path, content)?)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

type Staged = (tempfile::NamedTempFile, PathBuf);

fn stage(path: &Path, content: &[u8]) -> Result<Staged, ExportError> {
    let write = || {
        let mut file = temporary(directory(path))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|source| ExportError { path: path.to_owned(), source })?;
    Ok((file, path.to_owned()))
}

fn commit((file, path): Staged) -> Result<(), ExportError> {
    file.persist(&path).map(drop).map_err(|e| ExportError { path, source: e.error })
}
