//! The fleet as an optimizer elsewhere takes it: the files of the static data as they stand, and the servers,
//! card counts and options of this plan.

use std::path::Path;

use isocost_model::Scenario;
use isocost_model::scenario::{Budget, Saturation, Server};
use serde_json::{Map, Value, json};

use super::data::DataError;
use crate::collect::wire::{AllocationData, LoadData, ServerSpec};

/// Files that are sent as they stand: name, key of the section.
const FILES: [(&str, &str); 3] = [
    ("accelerator-data.json", "acceleratorData"),
    ("model-data.json", "modelData"),
    ("serviceclass-data.json", "serviceClassData"),
];

/// The sections of the static data that no plan changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sections(Map<String, Value>);

impl Sections {
    /// Reads them.
    ///
    /// # Errors
    /// A file that is missing or is not JSON.
    pub fn read(directory: &Path) -> Result<Self, DataError> {
        let mut sections = Map::new();
        for (file, key) in FILES {
            let path = directory.join(file);
            let failed = |what: String| DataError::Section { file: path.clone(), what };
            let text = std::fs::read_to_string(&path).map_err(|e| failed(e.to_string()))?;
            let mut value: Value =
                serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
            // The section may come in an envelope of its own name.
            let inner = value.as_object_mut().and_then(|entries| {
                let own = entries.keys().find(|k| k.eq_ignore_ascii_case(key))?.clone();
                entries.remove(&own)
            });
            sections.insert(key.to_owned(), inner.unwrap_or(value));
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
        json!({ "name": budget.name, "types": types, "cards": budget.cards, "watts": budget.watts })
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
