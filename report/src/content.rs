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
    Figures(Figures),
}

/// Charts side by side where there is room, kept together on paper.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// A heading below the section's; empty for none.
    pub heading: String,
    pub figures: Vec<Figure>,
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
    /// The same for where the chart has to be narrow: drawn anew, since type that shrinks with its
    /// chart cannot be read.
    pub narrow: Option<String>,
}

/// Width of what is drawn for narrow places, pixels.
pub(crate) const NARROW: u32 = 320;
/// Up to this width a chart is narrow as it is.
const NARROW_ENOUGH: u32 = 380;

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
    /// From which width of the table on it is shown without being asked for.
    pub rank: Rank,
}

/// How soon a column is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rank {
    /// On a telephone.
    First,
    /// On a tablet.
    Middle,
    /// On a wide screen, and on paper where it is wide.
    Last,
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
        let theme = Theme::embedded();
        let narrow = (chart.width > NARROW_ENOUGH)
            .then(|| chart.clone().size(NARROW, chart.height).svg(&theme));
        Self { name: name.into(), svg: chart.svg(&theme), chart, narrow }
    }
}

impl Block {
    /// Charts without a heading.
    pub fn figures(figures: Vec<Figure>) -> Self {
        Self::Figures(Figures { heading: String::new(), figures })
    }
}

impl Table {
    /// An empty table; the columns from `text` on hold numbers. All are wanted on a telephone.
    pub fn new(id: &'static str, caption: impl Into<String>, text: usize, names: &[&str]) -> Self {
        let column = |(i, name): (usize, &&str)| Column {
            name: (*name).into(),
            number: i >= text,
            rank: Rank::First,
        };
        let columns = names.iter().enumerate().map(column).collect();
        Self { id, caption: caption.into(), columns, rows: Vec::new(), left_out: None }
    }

    /// Which columns a reader wants `first`, and which `last`, by their names; the others stand between.
    pub fn ranked(mut self, first: &[&str], last: &[&str]) -> Self {
        for column in &mut self.columns {
            let name = &column.name.as_str();
            column.rank = match (first.contains(name), last.contains(name)) {
                (true, _) => Rank::First,
                (false, true) => Rank::Last,
                (false, false) => Rank::Middle,
            };
        }
        self
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
