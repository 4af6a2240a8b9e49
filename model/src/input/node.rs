//! One small tree for JSON and YAML alike, every node with its place.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use rustc_hash::FxHashSet;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::problem::{At, Report};
use super::size::{Of, Room, json_fits};
use super::visible::visible;
use crate::queue::stop::pause;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it starts.
    pub at: At,
}

/// A value. Numbers stay text, so that one out of range is a problem of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// true or false.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys in lower case, each once.
    Object(Vec<(String, Node)>),
}

impl Value {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Nesting deeper than this is no scenario.
const MAX_DEPTH: usize = 64;

/// Reads a fleet's document; by its name it is YAML or JSON, else by how it begins.
pub fn parse_fleet(file: &str, text: &str, report: &mut Report) -> Option<Node> {
    sole(file, text, Json { of: Of::Fleet, ..Json::default() }, report)
}

/// The same of a document of measurements.
pub fn parse(file: &str, text: &str, report: &mut Report) -> Option<Node> {
    parse_from(file, text, 1, report)
}

/// The same for a text that starts at a line further down in its file.
pub fn parse_from(file: &str, text: &str, line: u32, report: &mut Report) -> Option<Node> {
    sole(file, text, Json { line, ..Json::default() }, report)
}

/// Reads a document that another tool wrote, from a line of its file on: `NaN` and `Infinity` are
/// numbers, as Python writes them, and of a key that is given twice the first counts.
pub fn parse_foreign(file: &str, text: &str, line: u32, report: &mut Report) -> Option<Node> {
    read(file, text, Json { line, non_finite: true, ..Json::default() }, report)
}

/// Reads every document of a file that another tool wrote, keys and texts as they are written.
pub fn parse_documents(file: &str, text: &str, report: &mut Report) -> Vec<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = match is_yaml(file, text) {
        true => yaml_documents(Of::Measured, text, Keys::Written),
        false => {
            parse_json(text, Json { keys: Keys::Written, ..Json::default() }).map(|node| vec![node])
        }
    };
    match documents {
        Ok(documents) => documents.into_iter().filter(|node| node.value != Value::Null).collect(),
        Err((at, what)) => {
            let chart = text.contains("{{");
            let remedy = if chart { "render the chart first" } else { "mend the file" };
            report.problem_at(file, at, "", what, remedy);
            Vec::new()
        }
    }
}

/// A document in which each key is given once.
fn sole(file: &str, text: &str, json: Json, report: &mut Report) -> Option<Node> {
    let node = read(file, text, json, report)?;
    duplicates(file, &node, report);
    Some(node)
}

fn read(file: &str, text: &str, json: Json, report: &mut Report) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        report.problem_in(file, "the file is empty".to_owned(), "is it the one that is meant?");
        return None;
    }
    let yaml = is_yaml(file, text);
    let node = if yaml { parse_yaml(json.of, text) } else { parse_json(text, json) };
    let (at, what) = match node {
        Ok(node) => return Some(node),
        Err(defect) => defect,
    };
    let remedy = if yaml { "mend the YAML" } else { "mend the JSON" };
    report.problem_at(file, at, "", what, remedy);
    None
}

fn is_yaml(file: &str, text: &str) -> bool {
    let file = file.to_lowercase();
    let named = |ends: &[&str]| ends.iter().any(|e| file.ends_with(e));
    named(&[".yaml", ".yml"]) || !named(&[".json"]) && !text.trim_start().starts_with(['{', '['])
}

/// Reads a JSON document, and keeps the keys of objects at a depth as they are written: names.
pub(super) fn parse_names(
    file: &str,
    text: &str,
    depth: usize,
    report: &mut Report,
) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = Json { of: Of::Fleet, keys: Keys::NamesAt(depth), ..Json::default() };
    match parse_json(text, json) {
        Ok(node) => {
            duplicates(file, &node, report);
            Some(node)
        }
        Err((at, what)) => {
            report.problem_at(file, at, "", what, "mend the JSON");
            None
        }
    }
}

type Defect = (At, String);

/// How keys are read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Keys {
    /// In lower case.
    Lower,
    /// In lower case, but for those of objects at a depth, which are names.
    NamesAt(usize),
    /// As they are written.
    Written,
}

impl Keys {
    fn read(self, key: &str, depth: usize) -> String {
        match self == Self::Written || self == Self::NamesAt(depth) {
            true => key.to_owned(),
            false => key.to_lowercase(),
        }
    }

    /// A text that goes with them: in a document of another tool it may be a document itself, lines and all.
    fn text(self, text: &str) -> String {
        if self == Self::Written { text.to_owned() } else { visible(text).into_owned() }
    }
}

/// How a document is read.
struct Json {
    /// What it is of.
    of: Of,
    /// The line of its file that it starts in.
    line: u32,
    /// How keys are read.
    keys: Keys,
    /// Whether numbers may be `NaN` and `Infinity`.
    non_finite: bool,
}

impl Default for Json {
    fn default() -> Self {
        Self { of: Of::Measured, line: 1, keys: Keys::Lower, non_finite: false }
    }
}

fn parse_json(text: &str, Json { of, line, keys, non_finite }: Json) -> Result<Node, Defect> {
    let strict = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: non_finite,
        allow_extended_string_escapes: false,
    };
    let start = At { line, column: 1 };
    json_fits(of, text).map_err(|what| (start, what))?;
    pause();
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &strict).map_err(|e| {
        let line = line - 1 + e.line_display() as u32;
        let at = At { line, column: e.column_display() as u32 };
        (at, e.kind().to_string())
    })?;
    let value = parsed.value.ok_or((start, "no value".to_owned()))?;
    let mut cursor = Cursor { text, offset: 0, at: start, keys };
    from_json(value, &mut cursor, 0)
}

/// Walks the text once, from node to node.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    at: At,
    keys: Keys,
}

impl Cursor<'_> {
    fn go(&mut self, offset: usize) -> At {
        for c in self.text[self.offset..offset.max(self.offset)].chars() {
            if c == '\n' {
                self.at = At { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.offset = offset.max(self.offset);
        self.at
    }
}

fn from_json(value: ast::Value<'_>, cursor: &mut Cursor<'_>, depth: usize) -> Result<Node, Defect> {
    pause();
    let at = cursor.go(value.range().start);
    if depth > MAX_DEPTH {
        return Err((at, format!("nested deeper than {MAX_DEPTH}")));
    }
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(lit) => Value::Bool(lit.value),
        ast::Value::NumberLit(lit) => Value::Number(lit.value.to_owned()),
        ast::Value::StringLit(lit) => Value::Text(cursor.keys.text(&lit.value)),
        ast::Value::Array(array) => {
            let items = array.elements.into_iter().map(|v| from_json(v, cursor, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        ast::Value::Object(object) => {
            let entries = object.properties.into_iter().map(|p| {
                let key = cursor.keys.read(&visible(p.name.as_str()), depth);
                Ok((key, from_json(p.value, cursor, depth + 1)?))
            });
            Value::Object(entries.collect::<Result<_, Defect>>()?)
        }
    };
    Ok(Node { value, at })
}

/// A YAML collection that is still open: its items, or its entries with a key that waits.
enum Open {
    List(At, Vec<Node>),
    Object(At, Vec<(String, Node)>, Option<String>),
}

fn parse_yaml(of: Of, text: &str) -> Result<Node, Defect> {
    let mut documents = yaml_documents(of, text, Keys::Lower)?.into_iter();
    let first = documents.next().ok_or((At { line: 1, column: 1 }, "no value".to_owned()))?;
    match documents.next() {
        Some(second) => Err((
            second.at,
            "more than one document (of objects of a cluster `isocost import` makes a scenario)"
                .to_owned(),
        )),
        None => Ok(first),
    }
}

fn yaml_documents(of: Of, text: &str, keys: Keys) -> Result<Vec<Node>, Defect> {
    let mut open: Vec<Open> = Vec::new();
    let mut roots = Vec::new();
    let mut room = Room::new(of, text.len());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let at = At { line: e.marker().line() as u32, column: e.marker().col() as u32 + 1 };
            (at, e.info().to_owned())
        })?;
        let at = At { line: span.start.line() as u32, column: span.start.col() as u32 + 1 };
        let node = match event {
            Event::SequenceStart(..) => {
                open.push(Open::List(at, Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Object(at, Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(close),
            Event::Scalar(text, style, ..) => Some(Node { value: scalar(&text, style, keys), at }),
            Event::Alias(_) => return Err((at, "aliases are not read".to_owned())),
            _ => None,
        };
        if open.len() > MAX_DEPTH {
            return Err((at, format!("nested deeper than {MAX_DEPTH}")));
        }
        let Some(node) = node else { continue };
        pause();
        let is_object = matches!(node.value, Value::Object(_));
        room.take(is_object).map_err(|what| (node.at, what))?;
        match open.last_mut() {
            None => roots.push(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Object(_, entries, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(key_text(node, keys)?),
            },
        }
    }
    Ok(roots)
}

fn close(open: Open) -> Node {
    match open {
        Open::List(at, items) => Node { value: Value::List(items), at },
        Open::Object(at, entries, _) => Node { value: Value::Object(entries), at },
    }
}

fn key_text(node: Node, keys: Keys) -> Result<String, Defect> {
    match node.value {
        Value::Text(text) | Value::Number(text) => Ok(keys.read(&text, usize::MAX)),
        other => Err((node.at, format!("expected a key, found {}", other.kind()))),
    }
}

fn scalar(text: &str, style: ScalarStyle, keys: Keys) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(keys.text(text));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        // `nan` and `inf` parse as numbers in Rust, and are names here.
        _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && text.parse::<f64>().is_ok() =>
        {
            Value::Number(text.to_owned())
        }
        _ => Value::Text(keys.text(text)),
    }
}

/// Keys that an object gives twice.
fn duplicates(file: &str, node: &Node, report: &mut Report) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|n| duplicates(file, n, report)),
        Value::Object(entries) => {
            let mut seen = FxHashSet::default();
            for (key, node) in entries {
                if !seen.insert(key) {
                    let what = format!("key `{key}` is given twice (keys compare without case)");
                    report.problem_at(file, node.at, "", what, "keep one of them");
                }
                duplicates(file, node, report);
            }
        }
        _ => {}
    }
}
