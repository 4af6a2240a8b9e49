//! What a report consists of, as plain data: the template knows these shapes and nothing else.

use isocost_charts::{Chart, Theme};
use serde::Serialize;

/// A part of the report with a heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Section {
    /// Name in links.
    pub id: &'static str,
    pub title: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "content", rename_all = "camelCase")]
pub(crate) enum Block {
    Text(String),
    List(Vec<String>),
    /// A heading below the section's.
    Heading(String),
    Table(Table),
    /// Charts side by side where there is room.
    Figures(Vec<Figure>),
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// Name of its file, without extension.
    pub name: String,
    #[serde(skip)]
    pub chart: Chart,
    /// For the page: takes its colours from it.
    pub svg: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Table {
    /// Name in links, unique in the report.
    pub id: &'static str,
    pub caption: String,
    pub columns: Vec<Column>,
    /// The first cell of a row names it.
    pub rows: Vec<Vec<Cell>>,
    /// What the table leaves out.
    pub left_out: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Column {
    pub name: String,
    /// Whether its values are numbers, set to the right.
    pub number: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub text: String,
    /// What it is sorted by, where that is a number.
    pub value: Option<f64>,
    /// How it is set off: `met`, `close`, `missed`.
    pub tone: Option<&'static str>,
}

impl Section {
    pub fn new(id: &'static str, title: impl Into<String>) -> Self {
        Self { id, title: title.into(), blocks: Vec::new() }
    }

    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }
}

impl Figure {
    pub fn new(name: impl Into<String>, chart: Chart) -> Self {
        let svg = chart.svg(&Theme::embedded());
        Self { name: name.into(), chart, svg }
    }
}

impl Table {
    /// An empty table; the columns from `text` on hold numbers.
    pub fn new(id: &'static str, caption: impl Into<String>, text: usize, names: &[&str]) -> Self {
        let column = |(i, name): (usize, &&str)| Column { name: (*name).into(), number: i >= text };
        let columns = names.iter().enumerate().map(column).collect();
        Self { id, caption: caption.into(), columns, rows: Vec::new(), left_out: None }
    }

    /// Keeps the first `most` rows, and says in words what is left out.
    pub fn cut(mut self, most: usize, order: &str, elsewhere: &str) -> Self {
        let all = self.rows.len();
        if all > most {
            self.rows.truncate(most);
            let (shown, all) =
                (crate::format::count(most as u64), crate::format::count(all as u64));
            self.left_out =
                Some(format!("The table shows {shown} of {all} rows, {order}. {elsewhere}"));
        }
        self
    }
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None, tone: None }
    }

    /// A number as people write it; empty where there is none.
    pub fn number(value: Option<f64>, write: impl Fn(f64) -> String) -> Self {
        let value = value.filter(|v| v.is_finite());
        Self { text: value.map_or(String::new(), write), value, tone: None }
    }

    pub fn count(value: u64) -> Self {
        Self::number(Some(value as f64), |_| crate::format::count(value))
    }

    pub fn tone(self, tone: &'static str) -> Self {
        Self { tone: Some(tone), ..self }
    }
}
