//! Measurements as they stand in a CSV file: all that summaries are made from.

/// The rows of a CSV file.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    data: &'a Data,
    cells: &'a [String],
}

impl Data {
    /// Reads CSV.
    ///
    /// # Errors
    /// Text that is no CSV.
    pub fn read(text: &[u8]) -> Result<Self, csv::Error> {
        let mut reader = csv::Reader::from_reader(text);
        let owned = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let columns = owned(reader.headers()?);
        let rows: Result<Vec<_>, _> = reader.records().map(|r| r.map(|r| owned(&r))).collect();
        Ok(Self { columns, rows: rows? })
    }

    /// No rows at all.
    pub fn empty() -> Self {
        Self { columns: Vec::new(), rows: Vec::new() }
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.rows.iter().map(|cells| Row { data: self, cells })
    }

    /// Rows that have these texts in these columns.
    pub fn only(&self, wanted: &[(&str, &str)]) -> impl Iterator<Item = Row<'_>> + use<'_> {
        let fits = |row: &Row<'_>| wanted.iter().all(|(column, text)| row.text(column) == *text);
        self.rows().filter(fits).collect::<Vec<_>>().into_iter()
    }

    /// Distinct texts of a column, in the order in which they come.
    pub fn distinct(&self, column: &str) -> Vec<&str> {
        let mut seen: Vec<&str> = Vec::new();
        for row in self.rows() {
            let text = row.text(column);
            if !seen.contains(&text) {
                seen.push(text);
            }
        }
        seen
    }
}

impl<'a> Row<'a> {
    /// The text of a column; empty where there is none.
    pub fn text(&self, column: &str) -> &'a str {
        let at = self.data.columns.iter().position(|c| c == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The number of a column; `None` where it is blank.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.text(column).parse().ok()
    }

    /// Seconds of sizing, building and solving together.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.number("sizing_s")? + self.number("building_s")? + self.number("solving_s")?)
    }
}
