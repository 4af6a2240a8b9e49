//! The tables of a scenario that stands in documents.

use serde_json::Value as Json;

use super::{CAPACITY, CLASSES, Entry, NODES, NODES_TABLE, SHEETS, ScenarioSheet, TARGETS};
use crate::input::node::{self, Node, Value};
use crate::input::problem::Report;
use crate::input::source::SourceFile;
use crate::input::{SECTIONS, unwrap};

/// The tables of a document of all sections.
pub(in crate::input) fn of_document(file: &SourceFile) -> Vec<ScenarioSheet> {
    let Some(document) = as_written(file) else { return Vec::new() };
    let Value::Object(sections) = unwrap(document, "system").value else { return Vec::new() };
    let each = sections.into_iter().filter_map(|(key, node)| {
        let section = SECTIONS.iter().position(|s| s.1.eq_ignore_ascii_case(&key))?;
        Some((section, sheets_of(file, section, node)))
    });
    in_order(each.collect())
}

/// The tables of documents, one a section.
pub(in crate::input) fn of_files(files: &[(usize, SourceFile)]) -> Vec<ScenarioSheet> {
    let each = files.iter().filter_map(|(section, file)| {
        let node = unwrap(as_written(file)?, SECTIONS[*section].1);
        Some((*section, sheets_of(file, *section, node)))
    });
    in_order(each.collect())
}

fn in_order(mut sheets: Vec<(usize, Vec<ScenarioSheet>)>) -> Vec<ScenarioSheet> {
    sheets.sort_by_key(|sheet| sheet.0);
    sheets.into_iter().flat_map(|sheet| sheet.1).collect()
}

/// The document with its keys as they are written.
fn as_written(file: &SourceFile) -> Option<Node> {
    node::parse_documents(&file.name, &file.text, &mut Report::default()).into_iter().next()
}

/// The tables of a section: one, and of cards that come in nodes those besides.
fn sheets_of(file: &SourceFile, section: usize, node: Node) -> Vec<ScenarioSheet> {
    let (nodes, node) = match node.value {
        Value::Object(mut fields) if section == CAPACITY => {
            let found = fields.iter().position(|f| f.0.eq_ignore_ascii_case(NODES));
            let nodes = found.map(|index| fields.remove(index).1);
            let is_alone = nodes.is_some() && fields.is_empty();
            let value = Value::Object(fields);
            (nodes, (!is_alone).then_some(Node { value, at: node.at }))
        }
        value => (None, Some(Node { value, at: node.at })),
    };
    let counted = node.map(|node| sheet_of(file, section, entry(node, SECTIONS[section].2)));
    let nodes = nodes.map(|nodes| sheet_of(file, NODES_TABLE, nodes));
    counted.into_iter().chain(nodes).collect()
}

/// The table of a list of entities, or of one.
fn sheet_of(file: &SourceFile, table: usize, node: Node) -> ScenarioSheet {
    let entities = match node.value {
        Value::List(entities) => entities,
        _ => vec![node],
    };
    let mut sheet = ScenarioSheet {
        place: file.name.clone(),
        name: SHEETS[table].to_owned(),
        columns: Vec::new(),
        rows: Vec::new(),
    };
    for entity in entities {
        for row in rows_of(entity, table == CLASSES) {
            let mut cells = Vec::new();
            flatten("", row, &mut cells);
            add_row(&mut sheet, cells);
        }
    }
    let columns = sheet.columns.len();
    sheet.rows.iter_mut().for_each(|row| row.resize(columns, Entry::Blank));
    sheet
}

/// What stands under `key`, if the node has it, else the node.
fn entry(node: Node, key: &str) -> Node {
    match node.value {
        Value::Object(mut entries) => {
            match entries.iter().position(|e| e.0.eq_ignore_ascii_case(key)) {
                Some(index) => entries.remove(index).1,
                None => Node { value: Value::Object(entries), at: node.at },
            }
        }
        _ => node,
    }
}

/// An entity as its rows: of a class one for each target.
fn rows_of(entity: Node, has_targets: bool) -> Vec<Node> {
    let Value::Object(fields) = &entity.value else { return vec![entity] };
    let is_list = |f: &(String, Node)| {
        f.0.eq_ignore_ascii_case(TARGETS) && matches!(f.1.value, Value::List(_))
    };
    let Some(index) = fields.iter().position(is_list).filter(|_| has_targets) else {
        return vec![entity];
    };
    let Value::List(targets) = fields[index].1.value.clone() else { return vec![entity] };
    if targets.is_empty() {
        return vec![entity];
    }
    let with = |target: Node| {
        let mut fields = fields.clone();
        fields[index].1 = target;
        Node { value: Value::Object(fields), at: entity.at }
    };
    targets.into_iter().map(with).collect()
}

/// The cells of an object, by the paths of its keys.
fn flatten(path: &str, node: Node, cells: &mut Vec<(String, Entry)>) {
    let cell = match node.value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                flatten(&path, field, cells);
            }
            return;
        }
        Value::Null => Entry::Blank,
        Value::Bool(truth) => Entry::Truth(truth),
        Value::Number(text) => text.parse().map_or(Entry::Text(text), Entry::Number),
        Value::Text(text) => Entry::Text(text),
        Value::List(_) => Entry::Text(json(&node.value).to_string()),
    };
    cells.push((path.to_owned(), cell));
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => items.iter().map(|item| json(&item.value)).collect(),
        Value::Object(fields) => Json::Object(
            fields.iter().map(|(key, field)| (key.clone(), json(&field.value))).collect(),
        ),
    }
}

fn add_row(sheet: &mut ScenarioSheet, cells: Vec<(String, Entry)>) {
    let mut row = vec![Entry::Blank; sheet.columns.len()];
    for (column, cell) in cells {
        match sheet.columns.iter().position(|known| known.eq_ignore_ascii_case(&column)) {
            Some(index) => row[index] = cell,
            None => {
                sheet.columns.push(column);
                row.push(cell);
            }
        }
    }
    sheet.rows.push(row);
}
