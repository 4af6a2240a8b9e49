//! Input: from files to a validated [`Scenario`].
//!
//! A scenario is a directory with one file an entity (`accelerator-data.json`, `model-data.json`,
//! `serviceclass-data.json`, `server-data.json`, and optionally `capacity-data.json` and
//! `optimizer-data.json`, or all of them in `system-data.json`), or one file; JSON or YAML alike.
//! Keys compare without case. Reading collects every problem, each with file, line and column,
//! before it gives up: a scenario is whole or it is not there.

mod buckets;
mod fields;
mod fleet;
mod limits;
mod loads;
mod node;
mod prices;
mod problem;
mod profile;
pub mod reference;
mod saved;
mod servers;
mod service;
mod sheet;
mod sizes;

use std::path::{Path, PathBuf};

use crate::scenario::Scenario;
use fields::Fields;
use node::{Node, Value};
use problem::Report;
pub use problem::{InputError, Problem, known_names};

/// The means by which scenarios are read, for inputs of other kinds: documents with places,
/// fields checked as they are read, every problem at once.
pub mod reading {
    pub use super::fields::{ABSURD, Fields};
    pub use super::node::{Node, Value, parse};
    pub use super::problem::{At, Report, known_names};
    pub use super::read_text;
}

pub use buckets::{Instead, buckets, buckets_text};
pub use loads::with_loads;
pub use prices::prices;
pub use profile::profile;
pub use saved::{is_plan, load_plan, plan_text};
pub use sizes::sizes;

/// Files larger than this are refused: no fleet needs them, and they would not fit in memory.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

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
    ("accelerator-data", "acceleratordata", "accelerators"),
    ("model-data", "modeldata", "models"),
    ("serviceclass-data", "serviceclassdata", "serviceclasses"),
    ("server-data", "serverdata", "servers"),
    ("capacity-data", "capacitydata", "count"),
    ("optimizer-data", "optimizerdata", "optimizer"),
];
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
/// Sections that a scenario may leave out.
const OPTIONAL: [usize; 2] = [4, 5];

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
    let mut report = Report::default();
    let sections = if path.is_dir() {
        read_directory(path, &mut report)
    } else {
        read_file(path, &mut report)
            .map(|node| split(&path.display().to_string(), node, &mut report))
    };
    finish(sections.unwrap_or_default(), report)
}

/// Reads the scenario in `text`, a JSON or YAML document; `name` stands for the file in messages
/// and is taken for YAML where it ends in `.yaml` or `.yml`.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Loaded, InputError> {
    let mut report = Report::default();
    let sections = node::parse(name, text, &mut report).map(|node| split(name, node, &mut report));
    finish(sections.unwrap_or_default(), report)
}

fn finish(sections: Vec<Option<Section>>, mut report: Report) -> Result<Loaded, InputError> {
    let complete = sections.len() == SECTIONS.len()
        && (0..SECTIONS.len()).all(|i| OPTIONAL.contains(&i) || sections[i].is_some());
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
    fleet::profiles(models, &mut scenario, report);
    fleet::classes(classes, &mut scenario, report);
    limits::capacity(capacity, &mut scenario, report);
    limits::optimizer(optimizer, &mut scenario, report);
    servers::servers(servers, &mut scenario, report);
    scenario
}

/// The files of a directory, one a section, or `system-data` with all of them.
fn read_directory(path: &Path, report: &mut Report) -> Option<Vec<Option<Section>>> {
    let find = |stem: &str| -> Option<PathBuf> {
        EXTENSIONS.iter().map(|e| path.join(format!("{stem}.{e}"))).find(|p| p.is_file())
    };
    let files: Vec<Option<PathBuf>> = SECTIONS.iter().map(|s| find(s.0)).collect();
    let missing: Vec<usize> =
        (0..files.len()).filter(|i| !OPTIONAL.contains(i) && files[*i].is_none()).collect();
    if !missing.is_empty() {
        if let Some(system) = find("system-data") {
            let name = system.display().to_string();
            return read_file(&system, report).map(|node| split(&name, node, report));
        }
        for i in missing {
            let what = format!("there is no {}.json (or .yaml)", SECTIONS[i].0);
            let remedy = "add it, or give all sections in system-data.json";
            report.problem_in(&path.display().to_string(), what, remedy);
        }
    }
    let sections = files.into_iter().enumerate().map(|(i, file)| {
        let file = file?;
        let node = read_file(&file, report)?;
        Some(Section { file: file.display().to_string(), node: unwrap(node, SECTIONS[i].1) })
    });
    Some(sections.collect())
}

fn read_file(path: &Path, report: &mut Report) -> Option<Node> {
    let name = path.display().to_string();
    let text = match read_text(path) {
        Ok(text) => text,
        Err((what, remedy)) => {
            report.problem_in(&name, what, &remedy);
            return None;
        }
    };
    node::parse(&name, &text, report)
}

/// The text of a file, or what is wrong and what to do.
///
/// # Errors
/// What is wrong, and what to do about it.
pub fn read_text(path: &Path) -> Result<String, (String, String)> {
    let cannot = |e: std::io::Error| {
        let remedy = "give the path of a scenario directory, or of one JSON or YAML file";
        (format!("cannot be read: {e}"), remedy.to_owned())
    };
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES >> 20;
        let what = format!("has {} MiB, the limit is {limit} MiB", size >> 20);
        return Err((what, "split the fleet into scenarios that fit".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        (format!("is not UTF-8 (from byte {at} on)"), "save it as UTF-8".to_owned())
    })
}

/// Takes a section out of an envelope such as `{"acceleratorData": {...}}`.
fn unwrap(node: Node, key: &str) -> Node {
    match node.value {
        Value::Object(mut entries) if entries.len() == 1 && entries[0].0 == key => {
            entries.remove(0).1
        }
        _ => node,
    }
}

/// The sections of the one-file form, with or without `{"system": ...}` around them.
fn split(file: &str, node: Node, report: &mut Report) -> Vec<Option<Section>> {
    let at = node.at;
    let mut sections: Vec<Option<Section>> = SECTIONS.iter().map(|_| None).collect();
    match unwrap(node, "system").value {
        Value::Object(entries) => {
            for (key, node) in entries {
                match SECTIONS.iter().position(|s| s.1 == key) {
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
            report.problem_at(file, at, "scenario", what, "see the README for the form");
            return sections;
        }
    }
    for (i, section) in SECTIONS.iter().enumerate() {
        if sections[i].is_none() && !OPTIONAL.contains(&i) {
            let what = format!("there is no section `{}`", section.1);
            report.problem_at(file, at, "scenario", what, "add it beside the others");
        }
    }
    sections
}

/// Entities of a section: the list under `key`, each as its fields.
fn entities<'a>(section: &'a Section, key: &str, report: &mut Report) -> Vec<Fields<'a>> {
    let node = &section.node;
    let list = match &node.value {
        Value::List(_) => Some(node),
        Value::Object(entries) => entries.iter().find(|e| e.0 == key).map(|e| &e.1),
        _ => None,
    };
    match list.map(|n| &n.value) {
        Some(Value::List(items)) => {
            items.iter().filter_map(|n| Fields::new(&section.file, n, key, report)).collect()
        }
        _ => {
            let what = format!("expected a list under `{key}`, found {}", node.value.kind());
            report.problem_at(&section.file, node.at, key, what, "see the README for the form");
            Vec::new()
        }
    }
}
