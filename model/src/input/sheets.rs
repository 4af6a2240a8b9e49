//! A scenario as tables: a workbook's sheets, or data frames.
//!
//! A section is a table, its entities rows, their fields columns. The field of a field has the path of its keys for a name (`perfParms.alpha`),
//! what is a list stands in its cell as JSON (`["L4","L40S"]`), and of a service class there is a row for each of its targets
//! (`modelTargets.model`, `modelTargets.slo-itl`). Row 1 is the header, as in a spreadsheet.

mod written;

use serde::{Deserialize, Serialize};

use super::node::{self, Node, Value};
use super::problem::{At, Report};
use super::{SECTIONS, Section};

pub(super) use written::{of_document, of_files};

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

/// Names of the tables, in the order of the sections; behind them the nodes, which stand in the section of the cards.
pub const SHEETS: [&str; 7] =
    ["accelerators", "models", "classes", "servers", "capacity", "optimizer", NODES];
/// Name of the table of loads.
pub const LOADS: &str = "loads";
/// The section of the service classes, and their list that has rows of its own.
const CLASSES: usize = 2;
const TARGETS: &str = "modelTargets";
/// Keys in a field's path at most.
const DEEPEST: usize = 16;
/// The section that is one entity.
const OPTIMIZER: usize = 5;
/// The section of the cards, and what it has besides their counts: a table of its own.
const CAPACITY: usize = 4;
const NODES: &str = "nodes";
const NODES_TABLE: usize = 6;

impl ScenarioSheet {
    /// Which of [`SHEETS`] a table of that name is, if any.
    pub fn table(name: &str) -> Option<usize> {
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
    let mut tables: Vec<Option<Section>> = SHEETS.iter().map(|_| None).collect();
    for sheet in sheets {
        let Some(table) = ScenarioSheet::table(&sheet.name) else { continue };
        if tables[table].is_some() {
            let what = format!("there are two tables of `{}`", SHEETS[table]);
            report.problem_in(&sheet.place, what, "leave one out");
            continue;
        }
        let node = node_of(sheet, table, report);
        tables[table] = Some(Section { file: sheet.place.clone(), node });
    }
    let nodes = tables.pop().flatten();
    let mut sections = tables;
    sections[CAPACITY] = with_nodes(sections[CAPACITY].take(), nodes);
    for (section, name) in SHEETS.iter().enumerate().take(SECTIONS.len()) {
        if sections[section].is_none() && !optional.contains(&section) {
            let place = sheets.first().map_or("the tables", |sheet| sheet.place.as_str());
            let what = format!("there is no table `{name}`");
            report.problem_in(place, what, "add it beside the others");
        }
    }
    sections
}

fn node_of(sheet: &ScenarioSheet, table: usize, report: &mut Report) -> Node {
    let mut entities: Vec<Node> = Vec::new();
    for (row, line) in sheet.rows.iter().zip(2..) {
        if row.iter().all(|cell| *cell == Entry::Blank) {
            continue;
        }
        let entity = entity(sheet, (row, line), table, report);
        match entities.last_mut().filter(|last| table == CLASSES && is_same(last, &entity)) {
            Some(class) => add_targets(class, entity),
            None => entities.push(entity),
        }
    }
    let at = At { line: 1, column: 1 };
    if table == OPTIMIZER {
        if let [_, second, ..] = &entities[..] {
            let what = "the optimizer's options are one row".to_owned();
            report.problem_at(&sheet.place, second.at, "optimizer", what, "remove the others");
        }
        let empty = Node { value: Value::Object(Vec::new()), at };
        return entities.into_iter().next().unwrap_or(empty);
    }
    Node { value: Value::List(entities), at }
}

/// The section of the cards: their counts, and the nodes that they come in.
fn with_nodes(counts: Option<Section>, nodes: Option<Section>) -> Option<Section> {
    let is_empty = |section: &Section| section.node.value == Value::List(Vec::new());
    let Some(nodes) = nodes.filter(|nodes| !is_empty(nodes)) else { return counts };
    let at = nodes.node.at;
    let counts = counts.filter(|counts| !is_empty(counts));
    // A section's problems name one place: where it has two tables, both.
    let file = match &counts {
        Some(counts) => format!("{} or {}", nodes.file, counts.file),
        None => nodes.file,
    };
    let mut fields = vec![(NODES.to_owned(), nodes.node)];
    fields.extend(counts.map(|counts| ("count".to_owned(), counts.node)));
    Some(Section { file, node: Node { value: Value::Object(fields), at } })
}

/// A row as an object.
fn entity(
    sheet: &ScenarioSheet,
    (row, line): (&[Entry], u32),
    table: usize,
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
        let path = path(column, table);
        if path.len() > DEEPEST || !put(&mut entity, &path, Node { value, at }) {
            let what = format!("column `{}` is no field beside the others", column.trim());
            let remedy = "name each field once, by its path of keys such as perfParms.alpha";
            report.problem_at(&sheet.place, at, "", what, remedy);
        }
    }
    if let (true, Value::Object(fields)) = (table == CLASSES, &mut entity.value) {
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

/// The keys that lead to a column's field. A node's cards are by type, whose name may have points in it.
fn path(column: &str, table: usize) -> Vec<String> {
    let lower = column.trim().to_lowercase();
    match lower.split_once('.') {
        Some(("cards", card_type)) if table == NODES_TABLE => {
            vec!["cards".to_owned(), card_type.to_owned()]
        }
        _ => lower.split('.').map(str::to_owned).collect(),
    }
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
