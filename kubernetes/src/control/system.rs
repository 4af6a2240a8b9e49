//! The fleet as an optimizer elsewhere takes it: the files of the static data as they stand, and the servers,
//! card counts and options of this plan.

use std::path::{Path, PathBuf};

use isocost_model::Scenario;
use isocost_model::input::reading::{self, Node, Report, name_of, parse};
use isocost_model::scenario::{Budget, Saturation, Server};
use serde_json::{Map, Value, json};

use super::data::DataError;
use crate::collect::wire::{AllocationData, LoadData, ServerSpec};

/// Sections that are sent as they stand: name of the file, key of the section.
const SECTIONS: [(&str, &str); 3] = [
    ("accelerator-data", "acceleratorData"),
    ("model-data", "modelData"),
    ("serviceclass-data", "serviceClassData"),
];
/// All of them in one file.
const WHOLE: &str = "system-data";

/// The sections of the static data that no plan changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sections(Map<String, Value>);

impl Sections {
    /// Reads them.
    ///
    /// # Errors
    /// A file that is missing or is neither JSON nor YAML.
    pub fn read(directory: &Path) -> Result<Self, DataError> {
        let mut sections = Map::new();
        for (stem, key) in SECTIONS {
            let own = find(directory, stem);
            let file = own.or_else(|| find(directory, WHOLE));
            let file = file.unwrap_or_else(|| directory.join(format!("{stem}.json")));
            let value = document(&file)?;
            // The section may come in an envelope of its own name, and the whole in one of its.
            let value = unwrapped(unwrapped(value, "system"), key);
            sections.insert(key.to_owned(), value);
        }
        Ok(Self(sections))
    }

    /// The body of a request for a plan of the scenario.
    pub fn system(&self, scenario: &Scenario) -> Value {
        let mut system = self.0.clone();
        let servers: Vec<ServerSpec> = scenario.servers.iter().map(|s| spec(scenario, s)).collect();
        system.insert("serverData".to_owned(), json!({ "servers": servers }));
        let counted = scenario.card_types.iter().filter_map(|card| {
            Some(json!({ "type": card.name, "count": card.count?, "spare": card.spare }))
        });
        let counts: Vec<Value> = counted.collect();
        if !counts.is_empty() {
            system.insert("capacityData".to_owned(), json!({ "count": counts }));
        }
        system.insert("optimizerData".to_owned(), json!({ "optimizer": optimizer(scenario) }));
        json!({ "system": system })
    }
}

fn find(directory: &Path, stem: &str) -> Option<PathBuf> {
    let files = ["json", "yaml", "yml"].map(|ext| directory.join(format!("{stem}.{ext}")));
    files.into_iter().find(|file| file.is_file())
}

/// What stands under a key, whatever its case; the whole where there is no such key.
fn unwrapped(mut value: Value, key: &str) -> Value {
    let inner = value.as_object_mut().and_then(|entries| {
        let own = entries.keys().find(|k| k.eq_ignore_ascii_case(key))?.clone();
        entries.remove(&own)
    });
    inner.unwrap_or(value)
}

/// A file, JSON or YAML, as JSON.
fn document(file: &Path) -> Result<Value, DataError> {
    let failed = |what: String| DataError::Section { file: file.to_owned(), what };
    let text = std::fs::read_to_string(file).map_err(|e| failed(e.to_string()))?;
    if file.extension().is_some_and(|e| e == "json") {
        return serde_json::from_str(&text).map_err(|e| failed(e.to_string()));
    }
    let mut report = Report::default();
    let node = parse(&name_of(file), &text, &mut report);
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    match node {
        Some(node) if problems.is_empty() => Ok(json(&node)),
        _ => Err(failed(problems.join("; "))),
    }
}

/// Keys are in lower case then; nobody who reads these files minds their case.
fn json(node: &Node) -> Value {
    match &node.value {
        reading::Value::Null => Value::Null,
        reading::Value::Bool(value) => Value::Bool(*value),
        // A number that JSON has no form for goes as it is written, and is refused where it is read.
        reading::Value::Number(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        reading::Value::Text(text) => Value::String(text.clone()),
        reading::Value::List(items) => items.iter().map(json).collect(),
        reading::Value::Object(entries) => {
            entries.iter().map(|(key, node)| (key.clone(), json(node))).collect()
        }
    }
}

fn optimizer(scenario: &Scenario) -> Value {
    let asked = &scenario.optimizer;
    let saturation = match asked.saturation {
        Saturation::None => "None",
        Saturation::PriorityExhaustive => "PriorityExhaustive",
        Saturation::PriorityRoundRobin => "PriorityRoundRobin",
        Saturation::RoundRobin => "RoundRobin",
    };
    let budget = |budget: &Budget| {
        let types = budget.card_types.iter().map(|&t| scenario.card_types[t].name.as_str());
        let types: Vec<&str> = types.collect();
        json!({
            "name": budget.name,
            "types": types,
            "cards": budget.cards,
            "watts": budget.watts,
            "centsPerHour": budget.cents_per_h,
            "gramsPerHour": budget.grams_per_h,
        })
    };
    let mut options = json!({
        "unlimited": asked.unlimited,
        "heterogeneous": asked.heterogeneous,
        "saturationPolicy": saturation,
        "delayedBestEffort": asked.delayed_best_effort,
    });
    if !scenario.budgets.is_empty() {
        options["budgets"] = scenario.budgets.iter().map(budget).collect();
    }
    options
}

fn spec(scenario: &Scenario, server: &Server) -> ServerSpec {
    let name = |a: usize| scenario.accelerators[a].name.clone();
    let current = server.current.as_ref();
    let load = &server.load;
    ServerSpec {
        name: server.name.clone(),
        class: scenario.classes[server.class].name.clone(),
        model: scenario.models[server.model].clone(),
        keep_accelerator: server.keep_accelerator,
        min_num_replicas: server.min_replicas,
        max_num_replicas: server.max_replicas,
        allow: server.allow.iter().map(|&a| name(a)).collect(),
        current_alloc: AllocationData {
            accelerator: current.map(|c| name(c.accelerator)).unwrap_or_default(),
            num_replicas: current.map_or(0, |c| c.replicas),
            cost: current.map_or(0.0, |c| c.cost_cents_per_h),
            load: LoadData {
                arrival_rate: load.arrival_rate_per_min,
                avg_in_tokens: load.input_tokens,
                avg_out_tokens: load.output_tokens,
            },
            ..AllocationData::default()
        },
    }
}
