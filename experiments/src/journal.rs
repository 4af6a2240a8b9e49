//! The journal of a run of many parts: what is finished stays finished, whatever happens.
//!
//! A journal is a file of lines. The first binds it to its run (a hash of the input, of the options
//! and of the parts); each further line is one finished part, and each ends with its checksum. It is only ever appended to, so that a
//! kill leaves whole lines and at most one torn one at the end, which is dropped when the journal is
//! opened again. A lock on the directory keeps two runs apart.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::Hasher;
use std::io::Write;
use std::path::{Path, PathBuf};

use isocost_model::export::{ExportError, write_file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::sweep::Shard;
use crate::sweep::points::MOST_POINTS;

/// Name of the journal in its directory.
pub const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = "journal.lock";

/// What a journal is of. Two journals with the same header, shards apart, are parts of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What kind of run, e.g. `sweep`.
    pub run: String,
    /// Version of isocost that made it.
    pub version: String,
    /// Hash of the input.
    pub input: String,
    /// Hash of the options.
    pub options: String,
    /// Hash of the parts.
    pub parts: String,
    /// Number of parts, over all shards.
    pub total: usize,
    /// The shard that the journal is of.
    pub shard: Shard,
    /// Names of the cells.
    pub columns: Vec<String>,
    /// Names of the timings.
    pub timings: Vec<String>,
}

impl Header {
    /// Whether a run could have written it.
    fn is_sound(&self) -> bool {
        let Shard { index, count } = self.shard;
        (1..=count).contains(&index) && self.total <= MOST_POINTS
    }

    /// What of `other` is not as here, shards apart; `None` where both are of one run.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let differs = [
            (self.run != other.run, "kind of run"),
            (self.version != other.version, "version of isocost"),
            (self.input != other.input, "scenario"),
            (self.options != other.options, "options"),
            (self.parts != other.parts || self.total != other.total, "points"),
            (self.shard.count != other.shard.count, "number of shards"),
            (self.columns != other.columns || self.timings != other.timings, "columns"),
        ];
        differs.into_iter().find(|d| d.0).map(|d| d.1)
    }
}

/// A finished part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which part, from 0.
    pub part: usize,
    /// A cell for each of [`Header::columns`].
    pub cells: Vec<String>,
    /// Seconds for each of [`Header::timings`].
    pub seconds: Vec<f64>,
    /// Rows of a second table that belong to the part; most runs have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Vec<String>>,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run holds the directory.
    #[error("{}: another run is at work here; wait for it, or choose another directory by --out", .0.display())]
    Locked(PathBuf),
    /// The directory holds another run.
    #[error(
        "{}: holds a run that differs in the {what}; give what it was started with to go on with \
         it, choose another directory by --out, or remove {JOURNAL} to start anew",
        dir.display()
    )]
    Other {
        /// The directory.
        dir: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A line that no run wrote.
    #[error("{}:{line}: is damaged; remove the file to start anew", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// There is none.
    #[error("{}: there is no {JOURNAL}; give directories that `isocost sweep --out` wrote", .0.display())]
    Missing(PathBuf),
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The header cannot be written.
    #[error(transparent)]
    Write(#[from] ExportError),
}

/// An open journal, locked against other runs until it is dropped.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl Journal {
    /// Opens the journal in `dir`, which is made if it is not there, or starts one; returns it with
    /// the parts that are finished.
    ///
    /// # Errors
    /// [`JournalError`]; nothing is written if the directory holds another run.
    pub fn open(dir: &Path, header: &Header) -> Result<(Self, Vec<Record>), JournalError> {
        std::fs::create_dir_all(dir).map_err(io(dir))?;
        let lock = lock(dir)?;
        let path = dir.join(JOURNAL);
        if !path.exists() {
            // Under its name only once it is whole: there is no journal with half a header.
            write_file(&path, &line(header))?;
        }
        let read = Read::new(&path, &std::fs::read(&path).map_err(io(&path))?)?;
        if let Some(what) = header.difference(&read.header) {
            return Err(JournalError::Other { dir: dir.to_owned(), what });
        }
        if header.shard != read.header.shard {
            return Err(JournalError::Other { dir: dir.to_owned(), what: "shard" });
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(io(&path))?;
        file.set_len(read.whole_bytes).map_err(io(&path))?;
        Ok((Self { path, file, _lock: lock }, read.records))
    }

    /// Adds a finished part, in one write.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.file.write_all(&line(record)).map_err(io(&self.path))
    }

    /// Has all that was added written to the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_all().map_err(io(&self.path))
    }
}

/// Reads the journal in `dir`, which may be at work.
///
/// # Errors
/// [`JournalError`].
pub fn read(dir: &Path) -> Result<(Header, Vec<Record>), JournalError> {
    let path = dir.join(JOURNAL);
    if !path.is_file() {
        return Err(JournalError::Missing(dir.to_owned()));
    }
    parse(&path, &std::fs::read(&path).map_err(io(&path))?)
}

/// The same for the bytes of a journal; `path` stands for it in messages.
///
/// # Errors
/// [`JournalError::Damaged`].
pub fn parse(path: &Path, bytes: &[u8]) -> Result<(Header, Vec<Record>), JournalError> {
    let Read { header, records, .. } = Read::new(path, bytes)?;
    Ok((header, records))
}

/// What a journal holds.
struct Read {
    header: Header,
    records: Vec<Record>,
    /// Length of its whole lines.
    whole_bytes: u64,
}

impl Read {
    fn new(path: &Path, bytes: &[u8]) -> Result<Self, JournalError> {
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let damaged = |line: usize| JournalError::Damaged { path: path.to_owned(), line };
        let mut lines = bytes[..whole].split_inclusive(|&b| b == b'\n');
        let first = lines.next().and_then(value);
        let header = first.filter(Header::is_sound).ok_or_else(|| damaged(1))?;
        let mut records = Vec::new();
        let mut seen = HashSet::new();
        for (i, text) in lines.enumerate() {
            let record = value(text).filter(|r: &Record| {
                r.part < header.total
                    && r.cells.len() == header.columns.len()
                    && r.seconds.len() == header.timings.len()
            });
            let record = record.ok_or_else(|| damaged(i + 2))?;
            if seen.insert(record.part) {
                records.push(record);
            }
        }
        Ok(Self { header, records, whole_bytes: whole as u64 })
    }
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(JournalError::Io { path, source }),
    }
}

/// What stands before a line's checksum.
const CHECK: &[u8] = b",\"check\":\"";

/// A value as a line, an object whose last field is the checksum of the rest.
fn line(value: &impl Serialize) -> Vec<u8> {
    // Strings and numbers alone: nothing that JSON cannot hold.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    let check = checksum(&text);
    text.truncate(text.len().saturating_sub(1));
    text.extend([CHECK, check.as_bytes(), b"\"}\n"].concat());
    text
}

/// The value of a line that is as it was written.
fn value<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let at = line.len().checked_sub(CHECK.len() + DIGITS + b"\"}\n".len())?;
    let (text, check) = line.split_at(at);
    let check = check.strip_prefix(CHECK)?.strip_suffix(b"\"}\n")?;
    let text = [text, b"}"].concat();
    let is_whole = checksum(&text).as_bytes() == check;
    serde_json::from_slice(&text).ok().filter(|_| is_whole)
}

/// Digits of a checksum.
const DIGITS: usize = 16;

fn checksum(text: &[u8]) -> String {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(text);
    format!("{:016x}", hasher.finish())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}

/// A hash of what `value` looks like, the same on every machine.
pub fn fingerprint(value: &impl fmt::Debug) -> String {
    struct Sink(fnv::FnvHasher);
    impl fmt::Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut sink = Sink(fnv::FnvHasher::default());
    // The sink takes everything.
    let _ = write!(sink, "{value:?}");
    format!("{:016x}", sink.0.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            run: "sweep".to_owned(),
            version: "1".to_owned(),
            input: fingerprint(&1),
            options: fingerprint(&"o"),
            parts: fingerprint(&[1.5]),
            total: 3,
            shard: Shard::WHOLE,
            columns: vec!["cost".to_owned()],
            timings: vec!["solving".to_owned()],
        }
    }

    fn record(part: usize) -> Record {
        Record {
            part,
            cells: vec![format!("cost, \"{part}\"\n")],
            seconds: vec![0.1 * part as f64],
            details: Vec::new(),
        }
    }

    #[test]
    fn a_torn_last_line_is_dropped_at_every_byte() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(JOURNAL);
        let whole = {
            let (mut journal, _) = Journal::open(dir.path(), &header()).expect("opens");
            journal.append(&record(0)).expect("writes");
            let kept = std::fs::read(&path).expect("reads");
            journal.append(&record(2)).expect("writes");
            (kept.len(), std::fs::read(&path).expect("reads"))
        };
        for cut in whole.0..whole.1.len() {
            std::fs::write(&path, &whole.1[..cut]).expect("writes");
            let (mut journal, done) = Journal::open(dir.path(), &header()).expect("opens");
            assert_eq!(done, [record(0)]);
            journal.append(&record(2)).expect("writes");
            assert_eq!(std::fs::read(&path).expect("reads"), whole.1, "cut at {cut}");
        }
    }

    #[test]
    fn a_cell_that_was_changed_is_damage() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut journal, _) = Journal::open(dir.path(), &header()).expect("opens");
        journal.append(&record(0)).expect("writes");
        journal.append(&record(1)).expect("writes");
        let path = dir.path().join(JOURNAL);
        let text = std::fs::read_to_string(&path).expect("reads");
        for (from, to) in [
            ("cost, \\\"1\\\"", "cost, \\\"7\\\""),
            ("[0.1]", "[0.2]"),
            ("\"part\":1", "\"part\":2"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            std::fs::write(&path, changed).expect("writes");
            let error = read(dir.path()).expect_err("it was changed");
            assert!(error.to_string().contains("journal.jsonl:3: is damaged"), "{error}");
        }
    }

    #[test]
    fn a_damaged_line_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut journal, _) = Journal::open(dir.path(), &header()).expect("opens");
        let wrong = Record { part: 3, ..record(0) };
        for part in [record(0), wrong, record(1)] {
            journal.append(&part).expect("writes");
        }
        let error = read(dir.path()).expect_err("part 3 of 3 is not there");
        assert!(error.to_string().contains("journal.jsonl:3: is damaged"), "{error}");
    }

    #[test]
    fn a_header_that_no_run_writes_is_damage() {
        let path = Path::new(JOURNAL);
        assert!(parse(path, &line(&header())).is_ok());
        let far = Header { total: usize::MAX, ..header() };
        let none = Header { shard: Shard { index: 1, count: 0 }, ..header() };
        let beyond = Header { shard: Shard { index: 3, count: 2 }, ..header() };
        for header in [far, none, beyond] {
            let error = parse(path, &line(&header)).expect_err("damaged");
            assert!(error.to_string().contains("journal.jsonl:1: is damaged"), "{error}");
        }
    }

    #[test]
    fn one_run_at_a_time_and_only_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Journal::open(dir.path(), &header()).expect("opens");
        let second = Journal::open(dir.path(), &header());
        assert!(matches!(second, Err(JournalError::Locked(_))), "{second:?}");
        drop(first);
        let other = Header { input: fingerprint(&2), ..header() };
        let error = Journal::open(dir.path(), &other).expect_err("another scenario");
        assert!(error.to_string().contains("differs in the scenario"), "{error}");
        Journal::open(dir.path(), &header()).expect("the lock is free again");
    }
}
