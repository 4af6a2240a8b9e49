//! Joins the shards of a sweep into one table: the same bytes as of a run in one go.

use std::path::{Path, PathBuf};

use crate::journal::{self, Header, JOURNAL, JournalError, Record};
use crate::table::Table;

/// Shards that do not make a whole.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A directory that cannot be listed.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Parts of different sweeps.
    #[error(
        "{} and {} are not of one sweep: they differ in the {what}; give the directories of one sweep",
        first.display(), second.display()
    )]
    Different {
        /// The first directory.
        first: PathBuf,
        /// The one that does not belong to it.
        second: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Points that nobody has finished.
    #[error("{points} of {total} points are missing: {}", lines(.shards))]
    Missing {
        /// How many.
        points: usize,
        /// Points in all.
        total: usize,
        /// By shard, what is missing and what to do.
        shards: Vec<String>,
    },
}

fn lines(shards: &[String]) -> String {
    shards.join("; ")
}

/// Points of one shard that are listed by number.
const LISTED: usize = 8;

/// The table of the shards in `dirs`; a directory without a journal stands for those below it.
///
/// # Errors
/// [`MergeError`].
pub fn merge(dirs: &[PathBuf]) -> Result<Table, MergeError> {
    let mut parts: Vec<(PathBuf, Header, Vec<Record>)> = Vec::new();
    for dir in dirs {
        for dir in journals(dir)? {
            let (header, records) = journal::read(&dir)?;
            parts.push((dir, header, records));
        }
    }
    if parts.is_empty() { Err(empty(dirs)) } else { join(parts) }
}

/// The table of journals that were read, each with its directory; there is at least one.
///
/// # Errors
/// [`MergeError::Different`] and [`MergeError::Missing`].
pub fn join(parts: Vec<(PathBuf, Header, Vec<Record>)>) -> Result<Table, MergeError> {
    let (first, header, _) = &parts[0];
    for (second, other, _) in &parts {
        if let Some(what) = header.difference(other) {
            let (first, second) = (first.clone(), second.clone());
            return Err(MergeError::Different { first, second, what });
        }
    }
    let header = header.clone();
    let shards: Vec<usize> = parts.iter().map(|part| part.1.shard.index).collect();
    let mut found: Vec<Option<Record>> = vec![None; header.total];
    for record in parts.into_iter().flat_map(|part| part.2) {
        let part = record.part;
        found[part] = Some(record);
    }
    let missing = missing(&header, &found, &shards);
    if !missing.is_empty() {
        let points = found.iter().filter(|record| record.is_none()).count();
        return Err(MergeError::Missing { points, total: header.total, shards: missing });
    }
    Ok(Table::new(&header, found.into_iter().flatten().collect()))
}

/// Directories with a journal: `dir`, or those right below it.
fn journals(dir: &Path) -> Result<Vec<PathBuf>, MergeError> {
    let unreadable = |source| MergeError::Unreadable { path: dir.to_owned(), source };
    if dir.join(JOURNAL).is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let entries = std::fs::read_dir(dir).map_err(unreadable)?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|e| e.map(|e| e.path())).collect();
    let mut below = paths.map_err(unreadable)?;
    below.retain(|path| path.join(JOURNAL).is_file());
    below.sort();
    if below.is_empty() { Err(JournalError::Missing(dir.to_owned()).into()) } else { Ok(below) }
}

fn empty(dirs: &[PathBuf]) -> MergeError {
    JournalError::Missing(dirs.first().cloned().unwrap_or_default()).into()
}

/// What each shard has left to do, in words.
fn missing(header: &Header, found: &[Option<Record>], there: &[usize]) -> Vec<String> {
    let count = header.shard.count;
    let of_shard = |index: usize| {
        let left: Vec<usize> =
            (index - 1..found.len()).step_by(count).filter(|&p| found[p].is_none()).collect();
        if left.is_empty() {
            return None;
        }
        if !there.contains(&index) {
            return Some(format!("shard {index}/{count} is not among the directories"));
        }
        let mut some: Vec<String> = left.iter().take(LISTED).map(ToString::to_string).collect();
        some.extend((left.len() > LISTED).then(|| format!("{} more", left.len() - LISTED)));
        let some = some.join(", ");
        Some(format!("shard {index}/{count} lacks {some}: run it again to finish it"))
    };
    // Shards beyond the last point have none.
    (1..=count.min(found.len())).filter_map(of_shard).collect()
}
