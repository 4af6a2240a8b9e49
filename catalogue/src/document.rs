//! A document with comments, in an order of its own: what is written as YAML for people, and as JSON.

use std::fmt::Write;

use serde_json::Value;

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// A number, a text, true or false.
    Scalar(Value),
    /// A list.
    List(Vec<Document>),
    /// Keys in their order.
    Map(Map),
}

/// Keys in their order, under a comment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map {
    comment: String,
    lines: Vec<(String, Document, String)>,
}

impl Map {
    /// Nothing yet, under a comment of some lines; none where it is empty.
    pub fn under(comment: impl Into<String>) -> Self {
        Self { comment: comment.into(), lines: Vec::new() }
    }

    /// A key with a value.
    pub fn with(self, key: &str, value: impl Into<Document>) -> Self {
        self.noted(key, value, "")
    }

    /// A key with a value, and what it is, behind it.
    pub fn noted(mut self, key: &str, value: impl Into<Document>, note: &str) -> Self {
        self.lines.push((key.to_owned(), value.into(), note.to_owned()));
        self
    }
}

impl From<Map> for Document {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Document>> for Document {
    fn from(list: Vec<Document>) -> Self {
        Self::List(list)
    }
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::Scalar(text.into())
    }
}

impl From<f64> for Document {
    fn from(number: f64) -> Self {
        // Whole numbers are written without a point.
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        Self::Scalar(if whole { (number as i64).into() } else { number.into() })
    }
}

impl From<u64> for Document {
    fn from(number: u64) -> Self {
        Self::Scalar(number.into())
    }
}

impl From<bool> for Document {
    fn from(flag: bool) -> Self {
        Self::Scalar(flag.into())
    }
}

impl Document {
    /// As YAML, comments and all.
    pub fn yaml(&self) -> String {
        let mut text = String::new();
        write(&mut text, self, 0);
        text
    }

    /// As JSON, without comments.
    pub fn json(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(map) => {
                let lines = map.lines.iter();
                Value::Object(lines.map(|(key, item, _)| (key.clone(), item.json())).collect())
            }
        }
    }
}

fn write(text: &mut String, node: &Document, depth: usize) {
    match node {
        Document::Scalar(value) => {
            let _ = writeln!(text, "{:1$}{value}", "", 2 * depth);
        }
        Document::List(items) => items.iter().for_each(|item| write_item(text, item, depth)),
        Document::Map(map) => write_map(text, map, depth, false),
    }
}

fn write_item(text: &mut String, item: &Document, depth: usize) {
    match item {
        Document::Map(map) => write_map(text, map, depth, true),
        other => {
            let mut inner = String::new();
            write(&mut inner, other, depth + 1);
            let _ = writeln!(text, "{:1$}- {2}", "", 2 * depth, inner.trim());
        }
    }
}

/// A map; as an item of a list its first key stands behind a dash.
fn write_map(text: &mut String, map: &Map, depth: usize, item: bool) {
    for line in map.comment.lines() {
        let _ = writeln!(text, "{:1$}# {line}", "", 2 * depth);
    }
    let inner = if item { depth + 1 } else { depth };
    for (i, (key, value, note)) in map.lines.iter().enumerate() {
        let dash = if item && i == 0 { "- " } else { "" };
        let indent = 2 * inner - dash.len();
        let note = if note.is_empty() { String::new() } else { format!("  # {note}") };
        match value {
            Document::Scalar(value) => {
                let _ = writeln!(text, "{:indent$}{dash}{key}: {value}{note}", "");
            }
            Document::List(items) if items.is_empty() => {
                let _ = writeln!(text, "{:indent$}{dash}{key}: []{note}", "");
            }
            nested => {
                let _ = writeln!(text, "{:indent$}{dash}{key}:{note}", "");
                write(text, nested, inner + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_reads_back_as_json() {
        let inner = Map::under("two\nlines").with("name", "a: b # c").noted("cost", 7.5, "cents/h");
        let map = Map::default()
            .with("list", vec![inner.into()])
            .with("empty", Vec::<Document>::new())
            .with("deep", Map::default().with("flag", true));
        let document = Document::from(map);
        let text = document.yaml();
        assert_eq!(
            text,
            "list:\n  # two\n  # lines\n  - name: \"a: b # c\"\n    cost: 7.5  # cents/h\nempty: []\n\
             deep:\n  flag: true\n"
        );
    }
}
