//! Exports: the plan as files, one module a format.

mod csv;
mod json;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::candidates::Candidates;
use crate::plan::Plan;
use crate::scenario::Scenario;

pub use csv::{budgets_csv, candidates_csv, plan_csv, usage_csv};
pub use json::{plan_json, plan_value};

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

/// Writes `plan.json`, `plan.csv`, `usage.csv`, `candidates.csv` and, where the plan keeps budgets,
/// `budgets.csv` into `dir`, which is made if it is not there. Each file is complete before it takes its name: whatever happens on the way, a
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
    let mut files = vec![
        ("plan.json", plan_json(export).into_bytes()),
        ("plan.csv", plan_csv(export)),
        ("usage.csv", usage_csv(export)),
        ("candidates.csv", candidates_csv(export)),
    ];
    if !export.plan.budgets.is_empty() {
        files.push(("budgets.csv", budgets_csv(export)));
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
    commit(stage(path, content)?)
}

type Staged = (tempfile::NamedTempFile, PathBuf);

fn stage(path: &Path, content: &[u8]) -> Result<Staged, ExportError> {
    let write = || {
        let dir = path.parent().filter(|d| !d.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(dir.unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        readable(&file)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|source| ExportError { path: path.to_owned(), source })?;
    Ok((file, path.to_owned()))
}

fn commit((file, path): Staged) -> Result<(), ExportError> {
    file.persist(&path).map(drop).map_err(|e| ExportError { path, source: e.error })
}

/// Temporary files are private to their owner; a plan is as readable as any file.
#[cfg(unix)]
fn readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
