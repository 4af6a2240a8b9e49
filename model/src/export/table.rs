//! Tables as plain data, typed by column: CSV, spreadsheets and data frames are made of the same ones.

use std::fmt;

use super::cells;

/// What a column holds. Any of its cells may be blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Texts.
    Text,
    /// Whole numbers of at least 0.
    Whole,
    /// Numbers.
    Number,
    /// true or false.
    Truth,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Blank,
    /// A text.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A number.
    Number(f64),
    /// true or false.
    Truth(bool),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Whole(whole) => whole.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Cell {
    fn from(whole: u64) -> Self {
        Self::Whole(whole)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Blank, Into::into)
    }
}

/// A table; each row has a cell for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name, as its file and its sheet have it.
    pub name: &'static str,
    /// Columns by name, with units.
    pub columns: Vec<(String, Kind)>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of columns whose names and kinds are known beforehand.
    pub fn new(
        name: &'static str,
        columns: &[(&str, Kind)],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Self {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Self { name, columns, rows: rows.collect() }
    }

    /// The table of a CSV file with a header: a column is of numbers where each of its cells is a number or blank.
    ///
    /// # Errors
    /// What is wrong with the CSV.
    pub fn from_csv(name: &'static str, bytes: &[u8]) -> Result<Self, ::csv::Error> {
        let mut reader = ::csv::Reader::from_reader(bytes);
        let header = apart(reader.headers()?);
        let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
        let kinds: Vec<Kind> =
            (0..header.len()).map(|c| kind_of(rows.iter().map(|row| &row[c]))).collect();
        let read = |row: &::csv::StringRecord| {
            row.iter().zip(&kinds).map(|(text, kind)| read_cell(text, *kind)).collect()
        };
        let rows = rows.iter().map(read).collect();
        Ok(Self { name, columns: header.into_iter().zip(kinds).collect(), rows })
    }

    /// The table as CSV.
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let header: Vec<&str> = self.columns.iter().map(|column| column.0.as_str()).collect();
        // A vector takes every write, and every row has the header's length.
        let _ = writer.write_record(cells(&header));
        for row in &self.rows {
            let row: Vec<String> = row.iter().map(Cell::to_string).collect();
            let _ = writer.write_record(cells(&row));
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// Names of columns, told apart: the second `a` is `a_2`.
fn apart(header: &::csv::StringRecord) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in header {
        let alike = header.iter().take(names.len()).filter(|other| *other == name).count();
        names.push(if alike == 0 { name.to_owned() } else { format!("{name}_{}", alike + 1) });
    }
    names
}

/// What all of the cells of a column are.
fn kind_of<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> Kind {
    let filled = cells.filter(|cell| !cell.is_empty());
    let all = |is: fn(&str) -> bool| filled.clone().all(is);
    if filled.clone().next().is_none() {
        Kind::Text
    } else if all(|cell| matches!(cell, "true" | "false")) {
        Kind::Truth
    } else if all(|cell| cell.parse::<u64>().is_ok()) {
        Kind::Whole
    } else if all(|cell| cell.parse::<f64>().is_ok()) {
        Kind::Number
    } else {
        Kind::Text
    }
}

fn read_cell(text: &str, kind: Kind) -> Cell {
    if text.is_empty() {
        return Cell::Blank;
    }
    match kind {
        Kind::Text => text.into(),
        Kind::Truth => Cell::Truth(text == "true"),
        Kind::Whole => text.parse::<u64>().ok().into(),
        Kind::Number => text.parse::<f64>().ok().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_read_back_as_it_was() {
        let columns =
            [("name", Kind::Text), ("n", Kind::Whole), ("x", Kind::Number), ("is", Kind::Truth)];
        let rows = vec![
            vec!["a".into(), 3_u64.into(), 0.5.into(), Cell::Truth(true)],
            vec!["b,\"c\"".into(), Cell::Blank, 1e-9.into(), Cell::Truth(false)],
        ];
        let table = Table::new("t", &columns, rows.into_iter());
        assert_eq!(Table::from_csv("t", &table.csv()).expect("sound"), table);
        assert_eq!(table.csv(), b"name,n,x,is\na,3,0.5,true\n\"b,\"\"c\"\"\",,0.000000001,false\n");
    }

    #[test]
    fn a_column_is_of_numbers_if_all_of_it_is() {
        let table = Table::from_csv("t", b"a,b,c\n1,1,\n2.5,x,\n,2,\n").expect("sound");
        let kinds: Vec<Kind> = table.columns.iter().map(|c| c.1).collect();
        assert_eq!(kinds, [Kind::Number, Kind::Text, Kind::Text]);
        assert_eq!(table.rows[2], [Cell::Blank, "2".into(), Cell::Blank]);
        assert!(Table::from_csv("t", b"a,b\n1\n").is_err());
        let alike = Table::from_csv("t", b"a,b,a\n1,2,3\n").expect("sound");
        let names: Vec<&str> = alike.columns.iter().map(|c| c.0.as_str()).collect();
        assert_eq!(names, ["a", "b", "a_2"]);
    }
}
