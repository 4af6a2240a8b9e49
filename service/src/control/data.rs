//! The static data: accelerators, models, service classes, and how many cards there are.
//!
//! A directory with the reference optimizer's files, without its servers: those are the Deployments.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::cluster::Cards;
use crate::collect::wire::ServerSpec;
use crate::json::field;

/// Files: name, key of the section, whether there has to be one.
const FILES: [(&str, &str, bool); 5] = [
    ("accelerator-data.json", "acceleratorData", true),
    ("model-data.json", "modelData", true),
    ("serviceclass-data.json", "serviceClassData", true),
    ("optimizer-data.json", "optimizerData", false),
    ("capacity-data.json", CAPACITY, false),
];
const CAPACITY: &str = "capacityData";

/// The static data, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticData {
    directory: PathBuf,
    sections: Map<String, Value>,
}

/// Files that cannot be used; each problem names its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError(pub Vec<String>);

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

impl std::error::Error for DataError {}

impl StaticData {
    /// Reads a directory.
    ///
    /// # Errors
    /// Every file that is missing or is not JSON. What is in them is checked with the servers.
    pub fn read(directory: &Path) -> Result<Self, DataError> {
        let (mut sections, mut problems) = (Map::new(), Vec::new());
        for (file, key, needed) in FILES {
            match section(&directory.join(file), key, needed) {
                Ok(Some(value)) => drop(sections.insert(key.to_owned(), value)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(DataError(problems));
        }
        for_deployments(&mut sections);
        Ok(Self { directory: directory.to_owned(), sections })
    }

    /// The same with the card counts read anew: cards come and go while the rest stays.
    ///
    /// # Errors
    /// The file with the counts, where it cannot be read any more.
    pub fn with_fresh_capacity(&self) -> Result<Self, DataError> {
        let (file, key, needed) = FILES[4];
        let path = self.directory.join(file);
        let capacity = section(&path, key, needed).map_err(|p| DataError(vec![p]))?;
        let mut fresh = self.clone();
        match capacity {
            Some(value) => drop(fresh.sections.insert(CAPACITY.to_owned(), value)),
            None => drop(fresh.sections.remove(CAPACITY)),
        }
        Ok(fresh)
    }

    /// The same with card counts as they were counted: 0 of a type that was not seen.
    #[must_use]
    pub fn with_counted(&self, counted: &Cards) -> Self {
        let count = |card_type: &str| -> u64 {
            let same = counted.iter().filter(|(t, _)| t.eq_ignore_ascii_case(card_type));
            same.map(|(_, n)| n).sum()
        };
        let types = self.card_types();
        let rows = types.iter().map(|t| json!({ "type": t, "count": count(t) }));
        let mut fresh = self.clone();
        let counts = json!({ "count": rows.collect::<Vec<_>>() });
        fresh.sections.insert(CAPACITY.to_owned(), counts);
        fresh
    }

    /// The whole system with its servers, as the optimizer takes it.
    pub fn system(&self, servers: &[ServerSpec]) -> Value {
        let mut sections = self.sections.clone();
        sections.insert("serverData".to_owned(), json!({ "servers": servers }));
        json!({ "system": sections })
    }

    /// Types of card of the accelerators, each once.
    fn card_types(&self) -> Vec<String> {
        let list = self.sections.get("acceleratorData").and_then(|s| field(s, "accelerators"));
        let entries = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let of = |entry: &Value| {
            let named = field(entry, "type").or_else(|| field(entry, "name"));
            named.and_then(Value::as_str).map(str::to_owned)
        };
        let mut types: Vec<String> = entries.iter().filter_map(of).collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}

/// What a control loop asks of the optimizer whatever the file says: a Deployment has one accelerator,
/// and where not all can be served, the most of the load is, by priority.
fn for_deployments(sections: &mut Map<String, Value>) {
    let mut optimizer = match sections.remove("optimizerData") {
        Some(Value::Object(mut section)) => match section.remove("optimizer") {
            Some(Value::Object(inner)) => inner,
            Some(other) => Map::from_iter([("optimizer".to_owned(), other)]),
            None => section,
        },
        Some(other) => Map::from_iter([("optimizer".to_owned(), other)]),
        None => Map::new(),
    };
    optimizer.retain(|key, _| !key.eq_ignore_ascii_case("heterogeneous"));
    optimizer.insert("heterogeneous".to_owned(), json!(false));
    let none = |value: &Value| value.as_str().is_some_and(|v| v.eq_ignore_ascii_case("none"));
    optimizer.retain(|key, value| !(key.eq_ignore_ascii_case("saturationPolicy") && none(value)));
    if !optimizer.keys().any(|key| key.eq_ignore_ascii_case("saturationPolicy")) {
        optimizer.insert("saturationPolicy".to_owned(), json!("PriorityExhaustive"));
    }
    sections.insert("optimizerData".to_owned(), json!({ "optimizer": optimizer }));
}

fn section(path: &Path, key: &str, needed: bool) -> Result<Option<Value>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !needed => return Ok(None),
        Err(e) => {
            let path = path.display();
            return Err(format!("{path}: cannot be read: {e}; mount it, or set INFERNO_DATA_PATH"));
        }
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|e| format!("{}: {e}; mend the JSON", path.display()))?;
    Ok(Some(field(&value, key).cloned().unwrap_or(value)))
}
