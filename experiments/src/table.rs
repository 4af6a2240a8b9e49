//! A table of finished parts, as it is written: CSV, the timings in a file of their own.

use std::path::{Path, PathBuf};

use isocost_model::export::cells;
use isocost_model::export::{ExportError, write_file};

use crate::journal::{Header, Record};

/// Rows in the order of the parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Names of the cells; the first is the part.
    pub columns: Vec<String>,
    /// A cell for each column, for each part.
    pub rows: Vec<Vec<String>>,
    /// Names of the timings.
    pub timings: Vec<String>,
    /// Seconds for each timing, for each part.
    pub seconds: Vec<Vec<f64>>,
}

impl Table {
    /// The table of `records`, which may come in any order.
    pub fn new(header: &Header, mut records: Vec<Record>) -> Self {
        records.sort_by_key(|record| record.part);
        let columns = ["point".to_owned()].into_iter().chain(header.columns.iter().cloned());
        let row = |record: &Record| {
            [record.part.to_string()].into_iter().chain(record.cells.iter().cloned()).collect()
        };
        Self {
            columns: columns.collect(),
            rows: records.iter().map(row).collect(),
            timings: header.timings.clone(),
            seconds: records.into_iter().map(|record| record.seconds).collect(),
        }
    }

    /// Index of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }

    /// The table as CSV.
    pub fn csv(&self) -> Vec<u8> {
        csv_text(&self.columns, &self.rows)
    }

    /// The timings as CSV.
    pub fn timings_csv(&self) -> Vec<u8> {
        let header: Vec<String> =
            ["point".to_owned()].into_iter().chain(self.timings.iter().cloned()).collect();
        let rows = self.rows.iter().zip(&self.seconds).map(|(row, seconds)| {
            let part = [row[0].clone()].into_iter();
            part.chain(seconds.iter().map(|s| format!("{s:.6}"))).collect::<Vec<_>>()
        });
        csv_text(&header, &rows.collect::<Vec<_>>())
    }

    /// Writes the table to `path` as CSV, and its timings beside it; with the feature `parquet`
    /// also as Parquet.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ExportError> {
        #[cfg(feature = "parquet")]
        {
            let path = path.with_extension("parquet");
            let bytes = crate::parquet::parquet(self).map_err(|e| ExportError {
                path: path.clone(),
                source: std::io::Error::other(e),
            })?;
            write_file(&path, &bytes)?;
        }
        write_file(&beside(path, "timings.csv"), &self.timings_csv())?;
        write_file(path, &self.csv())
    }
}

/// The file `NAME` that belongs to the table at `path`: `points.csv` has `points-NAME`.
pub fn beside(path: &Path, name: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{name}"))
}

/// A header and rows as CSV.
pub(crate) fn csv_text<S: AsRef<[u8]>>(header: &[S], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A vector takes every write, and every row has the header's length.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(cells(row));
    }
    writer.into_inner().unwrap_or_default()
}
