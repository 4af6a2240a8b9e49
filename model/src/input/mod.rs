//! Input: from files to a validated [`Scenario`].
//!
//! A scenario is a directory with one file an entity (`accelerator-data.json`, `model-data.json`,
//! `serviceclass-data.json`, `server-data.json`, and optionally `capacity-data.json` and
//! `optimizer-data.json`, or all of them in `system-data.json`), or one file; JSON or YAML alike.
//! Keys compare without case. Reading collects every problem, each with file, line and column,
//! before it gives up: a scenario is whole or it is not there.

mod advice;
mod buckets;
pub mod cases;
pub mod dig;
mod fields;
mod figure;
mod fleet;
mod limits;
mod loads;
mod node;
mod nodes;
mod notation;
mod odd;
mod prices;
mod problem;
mod profile;
pub mod reference;
mod saved;
mod servers;
mod service;
mod sheet;
mod sheets;
mod size;
mod sizes;
mod source;
mod text;
mod visible;
mod weights;
mod zones;

use std::path::Path;

use crate::scenario::Scenario;
use fields::Fields;
use node::{Node, Value};
use problem::Report;
pub use problem::{InputError, KEPT, Problem, known_names};

/// The means by which scenarios are read, for inputs of other kinds: documents with places,
/// fields checked as they are read, every problem at once.
pub mod reading {
    pub use super::dig;
    pub use super::fields::{ABSURD, Fields};
    pub use super::figure::{as_written, between, figure};
    pub use super::node::{
        Node, Value, parse, parse_documents, parse_fleet, parse_foreign, parse_from,
    };
    pub use super::notation::comma_remedy;
    pub use super::problem::{At, Report, known_names, nearest};
    pub use super::text::{csv_defect, csv_line, csv_mark, csv_rows, name_of, read_text};
}

pub use buckets::{Instead, buckets, buckets_text};
pub use loads::{with_loads, with_loads_text};
pub use prices::{prices, prices_text};
pub use profile::{profile, profile_text};
pub use saved::{is_plan, load_plan, plan_text};
pub use servers::{Fault, server_faults};
pub use sheets::{Entry, LOADS, SHEETS, ScenarioSheet};
pub use sizes::{sizes, sizes_text};
pub use source::{Source, SourceFile};
pub use text::MAX_FILE_BYTES;
pub use visible::visible;

/// A scenario and what is odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// What was read but may not be meant.
    pub warnings: Vec<Problem>,
}

/// Sections of a scenario: (file stem, key in the one-file form, list inside it).
const SECTIONS: [(&str, &str, &str); 6] = [
    ("accelerator-data", "acceleratorData", "accelerators"),
    ("model-data", "modelData", "models"),
    ("serviceclass-data", "serviceClassData", "serviceclasses"),
    ("server-data", "serverData", "servers"),
    ("capacity-data", "capacityData", "count"),
    ("optimizer-data", "optimizerData", "optimizer"),
];
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
/// Sections that a scenario may leave out.
const OPTIONAL: [usize; 2] = [4, 5];
/// The section of the servers.
const SERVERS: usize = 3;

/// A section as it was read: the file it stands in, and its content.
struct Section {
    file: String,
    node: Node,
}

/// Reads the scenario at `path`, a directory or one file.
///
/// # Errors
/// Every problem found, if there is any.
pub fn load(path: &Path) -> Result<Loaded, InputError> {
    read(path, &OPTIONAL)
}

/// The same without servers, whether the scenario has some or not: accelerators, models, service
/// classes and cards, for servers that are known elsewhere.
///
/// # Errors
/// As [`load`].
pub fn load_without_servers(path: &Path) -> Result<Loaded, InputError> {
    let [capacity, optimizer] = OPTIONAL;
    read(path, &[SERVERS, capacity, optimizer])
}

fn read(path: &Path, optional: &[usize]) -> Result<Loaded, InputError> {
    let mut report = Report::default();
    match source::read(path, optional, &mut report) {
        Some(source) => source.loaded(optional, report),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same as [`load`], with the scenario as it is written besides.
///
/// # Errors
/// As [`load`].
pub fn load_source(path: &Path) -> Result<(Loaded, Source), InputError> {
    let mut report = Report::default();
    match source::read(path, &OPTIONAL, &mut report) {
        Some(source) => Ok((source.loaded(&OPTIONAL, report)?, source)),
        None => Err(InputError { problems: report.problems }),
    }
}

/// Cards as they were counted anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The scenario with its new counts.
    pub scenario: Scenario,
    /// Card types, by index, of which there is no count: they stand at 0 cards.
    pub uncounted: Vec<usize>,
    /// What was read but may not be meant.
    pub warnings: Vec<Problem>,
}

/// Counts the cards of `scenario` anew by the capacity file of a directory; `None` where there is no such
/// file.
///
/// # Errors
/// Every problem of the file.
pub fn with_capacity(
    mut scenario: Scenario,
    directory: &Path,
) -> Result<Option<Counted>, InputError> {
    let (stem, key, _) = SECTIONS[OPTIONAL[0]];
    let Some(path) = source::find(directory, stem) else { return Ok(None) };
    let mut report = Report::default();
    let file = source::read_file(&path, &mut report);
    let section = file.and_then(|file| file.section(key, &mut report));
    let uncounted = limits::capacity(section.as_ref(), &mut scenario, &mut report);
    if report.problems.is_empty() {
        return Ok(Some(Counted { scenario, uncounted, warnings: report.warnings }));
    }
    Err(InputError { problems: report.problems })
}

/// Reads the scenario in `text`, a JSON or YAML document; `name` stands for the file in messages
/// and tells the two apart by how it ends, where it does.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Loaded, InputError> {
    Source::text(name, text).load()
}

fn finish(
    mut sections: Vec<Option<Section>>,
    optional: &[usize],
    mut report: Report,
) -> Result<Loaded, InputError> {
    if optional.contains(&SERVERS) {
        sections.iter_mut().skip(SERVERS).take(1).for_each(|servers| *servers = None);
    }
    let complete = sections.len() == SECTIONS.len()
        && (0..SECTIONS.len()).all(|i| optional.contains(&i) || sections[i].is_some());
    if complete {
        let scenario = assemble(&sections, &mut report);
        if report.problems.is_empty() {
            return Ok(Loaded { scenario, warnings: report.warnings });
        }
    }
    Err(InputError { problems: report.problems })
}

fn assemble(sections: &[Option<Section>], report: &mut Report) -> Scenario {
    let [accelerators, models, classes, servers, capacity, optimizer] =
        [0, 1, 2, 3, 4, 5].map(|i| sections[i].as_ref());
    let mut scenario = fleet::accelerators(accelerators, report);
    let pairs = fleet::profiles(models, &mut scenario, report);
    fleet::classes(classes, &mut scenario, report);
    nodes::of_accelerators(accelerators, &mut scenario, report);
    limits::capacity(capacity, &mut scenario, report);
    limits::optimizer(optimizer, &mut scenario, report);
    servers::servers(servers, pairs, &mut scenario, report);
    scenario
}

/// Takes a section out of an envelope such as `{"acceleratorData": {...}}`.
fn unwrap(node: Node, key: &str) -> Node {
    match node.value {
        Value::Object(mut entries)
            if entries.len() == 1 && entries[0].0.eq_ignore_ascii_case(key) =>
        {
            entries.remove(0).1
        }
        _ => node,
    }
}

/// The sections of the one-file form, with or without `{"system": ...}` around them.
fn split(file: &str, node: Node, optional: &[usize], report: &mut Report) -> Vec<Option<Section>> {
    let at = node.at;
    let mut sections: Vec<Option<Section>> = SECTIONS.iter().map(|_| None).collect();
    match unwrap(node, "system").value {
        Value::Object(entries) => {
            let is_section = |key: &str| SECTIONS.iter().any(|s| s.1.eq_ignore_ascii_case(key));
            if entries.iter().any(|e| e.0 == "kind") && entries.iter().any(|e| e.0 == "metadata") {
                let what = "this is an object of a cluster, not a scenario".to_owned();
                report.problem_at(file, at, "scenario", what, "`isocost import` makes one of it");
                return sections;
            }
            let list = entries.iter().find(|e| SECTIONS.iter().any(|s| s.2 == e.0));
            if let Some((key, _)) = list.filter(|_| !entries.iter().any(|e| is_section(&e.0))) {
                let what = format!("`{key}` is one section of a scenario");
                let remedy = "give the directory that holds the others too";
                report.problem_at(file, at, "scenario", what, remedy);
                return sections;
            }
            for (key, node) in entries {
                match SECTIONS.iter().position(|s| s.1.eq_ignore_ascii_case(&key)) {
                    Some(i) => sections[i] = Some(Section { file: file.to_owned(), node }),
                    None => report.warning_at(
                        file,
                        node.at,
                        "scenario",
                        format!("unknown section `{key}` is ignored"),
                        "sections are acceleratorData, modelData, serviceClassData, serverData, \
                         capacityData and optimizerData",
                    ),
                }
            }
        }
        other => {
            let what = format!("expected an object with the sections, found {}", other.kind());
            report.problem_at(file, at, "scenario", what, "`isocost reference` shows the form");
            return sections;
        }
    }
    for (i, section) in SECTIONS.iter().enumerate() {
        if sections[i].is_none() && !optional.contains(&i) {
            let what = format!("there is no section `{}`", section.1);
            report.problem_at(file, at, "scenario", what, "add it beside the others");
        }
    }
    sections
}

/// Entities of a section: the list under `key`, each as its fields.
fn entities<'a>(
    section: &'a Section,
    (key, entity): (&str, &str),
    report: &mut Report,
) -> Vec<Fields<'a>> {
    let node = &section.node;
    let list = match &node.value {
        Value::List(_) => Some(node),
        Value::Object(entries) => entries.iter().find(|e| e.0 == key).map(|e| &e.1),
        _ => None,
    };
    match list.map(|n| &n.value) {
        Some(Value::List(items)) => {
            let each = items.iter().filter_map(|n| Fields::new(&section.file, n, key, report));
            each.map(|fields| fields.listed(entity)).collect()
        }
        _ => {
            let what = format!("expected a list under `{key}`, found {}", node.value.kind());
            report.problem_at(
                &section.file,
                node.at,
                key,
                what,
                "`isocost reference` shows the form",
            );
            Vec::new()
        }
    }
}
