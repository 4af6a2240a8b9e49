//! A scenario as tables: a workbook's sheets, or data frames.
//!
//! A section is a table, its entities rows, their fields columns. The field of a field has the path of its keys for a name (`perfParms.alpha`),
//! what is a list stands in its cell as JSON (`["L4","L40S"]`), and of a service class there is a row for each of its targets
//! (`modelTargets.model`, `modelTargets.slo-itl`). Row 1 is the header, as in a spreadsheet.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::node::{self, Node, Value};
use super::problem::{At, Report};
use super::source::SourceFile;
use super::{SECTIONS, Section, unwrap};

/// A section of a scenario as a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioSheet {
    /// What messages call it: its file and name.
    pub place: String,
    /// Which section: one of [`SHEETS`].
    pub name: String,
    /// Fields.
    pub columns: Vec<String>,
    /// Entities; each row has a cell for each column.
    pub rows: Vec<Vec<Entry>>,
}

/// A cell of a scenario's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// Nothing: the field is not given.
    Blank,
    /// A text, or a list as JSON.
    Text(String),
    /// A number.
    Number(f64),
    /// true or false.
    Truth(bool),
}

/// Names of the tables, in the order of the sections.
pub const SHEETS: [&str; 6] =
    ["accelerators", "models", "classes", "servers", "capacity", "optimizer"];
/// Name of the table of loads.
pub const LOADS: &str = "loads";
/// The section of the service classes, and their list that has rows of its own.
const CLASSES: usize = 2;
const TARGETS: &str = "modelTargets";
/// Keys in a field's path at most.
const DEEPEST: usize = 16;
/// The section that is one entity.
const OPTIMIZER: usize = 5;
/// The section of the cards, and what it has besides their counts.
const CAPACITY: usize = 4;
const NODES: &str = "nodes";

impl ScenarioSheet {
    /// The section that a table of that name holds, if any.
    pub fn section(name: &str) -> Option<usize> {
        let is = |known: &str| known.eq_ignore_ascii_case(name.trim());
        let listed = || SECTIONS.iter().position(|s| is(s.2) || is(s.1) || is(s.0));
        SHEETS.iter().position(|known| is(known)).or_else(listed)
    }

    /// Whether a table of that name holds loads, which are put over those of the servers.
    pub fn is_loads(name: &str) -> bool {
        name.trim().eq_ignore_ascii_case(LOADS)
    }

    /// The table as CSV, cells to the letter.
    pub fn csv(&self) -> String {
        let header = self.columns.iter().map(|name| quoted(name)).collect::<Vec<_>>();
        let cell = |cell: &Entry| match cell {
            Entry::Blank => String::new(),
            Entry::Number(number) => number.to_string(),
            Entry::Truth(truth) => truth.to_string(),
            Entry::Text(text) => quoted(text),
        };
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect());
        std::iter::once(header).chain(rows).map(|line| line.join(",") + "\n").collect()
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The sections that tables hold.
pub(super) fn sections(
    sheets: &[ScenarioSheet],
    optional: &[usize],
    report: &mut Report,
) -> Vec<Option<Section>> {
    let mut sections: Vec<Option<Section>> = SECTIONS.iter().map(|_| None).collect();
    for sheet in sheets {
        let Some(section) = ScenarioSheet::section(&sheet.name) else { continue };
        if sections[section].is_some() {
            let what = format!("there are two tables of `{}`", SHEETS[section]);
            report.problem_in(&sheet.place, what, "leave one out");
            continue;
        }
        let node = node_of(sheet, section, report);
        sections[section] = Some(Section { file: sheet.place.clone(), node });
    }
    for (section, name) in SHEETS.iter().enumerate() {
        if sections[section].is_none() && !optional.contains(&section) {
            let place = sheets.first().map_or("the tables", |sheet| sheet.place.as_str());
            let what = format!("there is no table `{name}`");
            report.problem_in(place, what, "add it beside the others");
        }
    }
    sections
}

fn node_of(sheet: &ScenarioSheet, section: usize, report: &mut Report) -> Node {
    let mut entities: Vec<Node> = Vec::new();
    for (row, line) in sheet.rows.iter().zip(2..) {
        if row.iter().all(|cell| *cell == Entry::Blank) {
            continue;
        }
        let entity = entity(sheet, (row, line), section == CLASSES, report);
        match entities.last_mut().filter(|last| section == CLASSES && is_same(last, &entity)) {
            Some(class) => add_targets(class, entity),
            None => entities.push(entity),
        }
    }
    let at = At { line: 1, column: 1 };
    if section == OPTIMIZER {
        if let [_, second, ..] = &entities[..] {
            let what = "the optimizer's options are one row".to_owned();
            report.problem_at(&sheet.place, second.at, "optimizer", what, "remove the others");
        }
        let empty = Node { value: Value::Object(Vec::new()), at };
        return entities.into_iter().next().unwrap_or(empty);
    }
    if section == CAPACITY {
        return with_nodes(entities, at);
    }
    Node { value: Value::List(entities), at }
}

/// Counts of cards, and the nodes that rows have in a column of their own.
fn with_nodes(mut entities: Vec<Node>, at: At) -> Node {
    let mut nodes = Vec::new();
    for entity in &mut entities {
        let Value::Object(fields) = &mut entity.value else { continue };
        if let Some(index) = fields.iter().position(|f| f.0 == NODES) {
            match fields.remove(index).1 {
                Node { value: Value::List(list), .. } => nodes.extend(list),
                other => nodes.push(other),
            }
        }
    }
    if nodes.is_empty() {
        return Node { value: Value::List(entities), at };
    }
    entities.retain(|entity| entity.value != Value::Object(Vec::new()));
    let list = |list| Node { value: Value::List(list), at };
    let mut sections = vec![(NODES.to_owned(), list(nodes))];
    sections.extend((!entities.is_empty()).then(|| ("count".to_owned(), list(entities))));
    Node { value: Value::Object(sections), at }
}

/// A row as an object.
fn entity(
    sheet: &ScenarioSheet,
    (row, line): (&[Entry], u32),
    has_targets: bool,
    report: &mut Report,
) -> Node {
    let at = At { line, column: 1 };
    let mut entity = Node { value: Value::Object(Vec::new()), at };
    for ((column, cell), number) in sheet.columns.iter().zip(row).zip(1..) {
        let at = At { line, column: number };
        let value = match cell {
            Entry::Blank => continue,
            Entry::Text(text) => list_or_text(text),
            Entry::Number(number) => Value::Number(number.to_string()),
            Entry::Truth(truth) => Value::Bool(*truth),
        };
        let path: Vec<String> = column.trim().split('.').map(str::to_lowercase).collect();
        if path.len() > DEEPEST || !put(&mut entity, &path, Node { value, at }) {
            let what = format!("column `{}` is no field beside the others", column.trim());
            let remedy = "name each field once, by its path of keys such as perfParms.alpha";
            report.problem_at(&sheet.place, at, "", what, remedy);
        }
    }
    if let (true, Value::Object(fields)) = (has_targets, &mut entity.value) {
        let targets = TARGETS.to_lowercase();
        for (_, field) in fields.iter_mut().filter(|field| field.0 == targets) {
            if let Value::Object(_) = field.value {
                let target = std::mem::replace(&mut field.value, Value::Null);
                field.value = Value::List(vec![Node { value: target, at: field.at }]);
            }
        }
    }
    entity
}

/// Puts a value under its path; `false` where something stands there.
fn put(node: &mut Node, path: &[String], value: Node) -> bool {
    let (Value::Object(fields), [key, rest @ ..]) = (&mut node.value, path) else { return false };
    let found = fields.iter().position(|field| field.0 == *key);
    match (found, rest) {
        (Some(_), []) => false,
        (None, []) => {
            fields.push((key.clone(), value));
            true
        }
        (Some(index), rest) => put(&mut fields[index].1, rest, value),
        (None, rest) => {
            let mut inner = Node { value: Value::Object(Vec::new()), at: value.at };
            let put = put(&mut inner, rest, value);
            fields.push((key.clone(), inner));
            put
        }
    }
}

/// What begins like a list or an object in JSON and is one, else the text.
fn list_or_text(text: &str) -> Value {
    let is_json = text.starts_with(['[', '{']);
    let parsed = is_json.then(|| node::parse("", text, &mut Report::default())).flatten();
    parsed.map_or_else(|| Value::Text(text.to_owned()), |node| node.value)
}

/// Whether a row goes on with the class of the row before: what it says of the class itself is the same, or nothing.
fn is_same(class: &Node, row: &Node) -> bool {
    let (Value::Object(class), Value::Object(row)) = (&class.value, &row.value) else {
        return false;
    };
    let targets = TARGETS.to_lowercase();
    let same = |field: &(String, Node)| {
        let known = class.iter().find(|known| known.0 == field.0);
        field.0 == targets || known.is_some_and(|known| known.1.value == field.1.value)
    };
    row.iter().all(same)
}

fn add_targets(class: &mut Node, row: Node) {
    let (Value::Object(class), Value::Object(row)) = (&mut class.value, row.value) else { return };
    let targets = TARGETS.to_lowercase();
    let Some((key, more)) = row.into_iter().find(|field| field.0 == targets) else { return };
    match (class.iter_mut().find(|field| field.0 == targets), more.value) {
        (Some((_, Node { value: Value::List(list), .. })), Value::List(more)) => list.extend(more),
        (_, value) => class.push((key, Node { value, at: more.at })),
    }
}

/// The tables of a document of all sections.
pub(super) fn of_document(file: &SourceFile) -> Vec<ScenarioSheet> {
    let Some(document) = as_written(file) else { return Vec::new() };
    let Value::Object(sections) = unwrap(document, "system").value else { return Vec::new() };
    let each = sections.into_iter().filter_map(|(key, node)| {
        let section = SECTIONS.iter().position(|s| s.1.eq_ignore_ascii_case(&key))?;
        Some((section, sheet_of(file, section, node)))
    });
    in_order(each.collect())
}

/// The tables of documents, one a section.
pub(super) fn of_files(files: &[(usize, SourceFile)]) -> Vec<ScenarioSheet> {
    let each = files.iter().filter_map(|(section, file)| {
        let node = unwrap(as_written(file)?, SECTIONS[*section].1);
        Some((*section, sheet_of(file, *section, node)))
    });
    in_order(each.collect())
}

fn in_order(mut sheets: Vec<(usize, ScenarioSheet)>) -> Vec<ScenarioSheet> {
    sheets.sort_by_key(|sheet| sheet.0);
    sheets.into_iter().map(|sheet| sheet.1).collect()
}

/// The document with its keys as they are written.
fn as_written(file: &SourceFile) -> Option<Node> {
    node::parse_documents(&file.name, &file.text, &mut Report::default()).into_iter().next()
}

fn sheet_of(file: &SourceFile, section: usize, node: Node) -> ScenarioSheet {
    let (_, _, list) = SECTIONS[section];
    let (nodes, node) = match node.value {
        Value::Object(mut fields) if section == CAPACITY => {
            let found = fields.iter().position(|f| f.0.eq_ignore_ascii_case(NODES));
            let nodes = found.map(|index| fields.remove(index));
            let is_alone = nodes.is_some() && fields.is_empty();
            let value = if is_alone { Value::List(Vec::new()) } else { Value::Object(fields) };
            (nodes, Node { value, at: node.at })
        }
        _ => (None, node),
    };
    let node = entry(node, list);
    let entities = match node.value {
        Value::List(entities) => entities,
        _ => vec![node],
    };
    let mut sheet = ScenarioSheet {
        place: file.name.clone(),
        name: SHEETS[section].to_owned(),
        columns: Vec::new(),
        rows: Vec::new(),
    };
    for entity in entities {
        for row in rows_of(entity, section == CLASSES) {
            let mut cells = Vec::new();
            flatten("", row, &mut cells);
            add_row(&mut sheet, cells);
        }
    }
    if let Some((key, nodes)) = nodes {
        add_row(&mut sheet, vec![(key, Entry::Text(json(&nodes.value).to_string()))]);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Source;
    use super::*;

    #[test]
    fn tables_of_a_scenario_are_read_back_as_it_was() {
        for name in ["quickstart", "quickstart.yaml", "fleet-27", "nodes.yaml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name);
            let source = Source::open(&path).expect("sound");
            let stated = source.load().expect("sound").scenario;
            let sheets = Source::Sheets(source.sheets());
            assert_eq!(sheets.load().expect("sound").scenario, stated, "{name}");
            let text = serde_json::to_string(&sheets).expect("plain data");
            assert_eq!(serde_json::from_str::<Source>(&text).expect("the same"), sheets);
        }
    }

    fn sheet(name: &str, columns: &[&str], rows: &[&[Entry]]) -> ScenarioSheet {
        ScenarioSheet {
            place: format!("fleet.xlsx, {name}"),
            name: name.to_owned(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: rows.iter().map(|row| row.to_vec()).collect(),
        }
    }

    #[test]
    fn problems_name_table_row_and_column() {
        let text = |text: &str| Entry::Text(text.to_owned());
        let accelerators = sheet(
            "Accelerators",
            &["name", "type", "cost"],
            &[
                &[text("L4"), text("L4"), text("dear")],
                &[text("L4"), text("L4"), Entry::Number(-1.0)],
            ],
        );
        let deep = sheet("capacity", &[&"a.".repeat(100_000)], &[&[Entry::Number(1.0)]]);
        let error = Source::Sheets(vec![accelerators, deep]).load().expect_err("wrong");
        let text = error.to_string();
        for said in [
            "fleet.xlsx, Accelerators: there is no table `models`",
            "there is no table `servers`",
            "fleet.xlsx, capacity:2:1",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }

    #[test]
    fn cells_are_found_by_row_and_column() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart");
        let mut sheets = Source::open(&path).expect("sound").sheets();
        let cost = sheets[0].columns.iter().position(|c| c == "cost").expect("a price");
        sheets[0].rows[1][cost] = Entry::Text("dear".to_owned());
        sheets[0].place = "fleet.xlsx, accelerators".to_owned();
        let error = Source::Sheets(sheets).load().expect_err("no price");
        let place = format!("fleet.xlsx, accelerators:3:{}", cost + 1);
        assert!(error.to_string().contains(&place), "{error}");
    }
}
