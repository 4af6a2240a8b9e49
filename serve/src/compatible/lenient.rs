//! A scenario as the reference's optimizer reads it.
//!
//! | sent | read as |
//! |---|---|
//! | an entry twice | the last |
//! | priority outside 1 to 100 | 100 |
//! | a pair on an unknown accelerator, a target for an unknown model | not there |
//! | a current accelerator that is unknown | none |
//! | a saturation policy that is unknown | `None` |
//! | a load without answers, or no load | no requests |
//! | no capacities | no cards |
//! | a server of an unknown class or model, or without a target | not to be placed |

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::json::{field, set, text};
use crate::system::{ACCELERATORS, CAPACITIES, CLASSES, MODELS, SERVERS, Section};

/// Priority of a class that states none that is one.
const LOWEST: i64 = 100;
/// Class of a server that names none.
const FREE: &str = "Free";
/// Saturation policies that are known.
const POLICIES: [&str; 4] = ["None", "PriorityExhaustive", "PriorityRoundRobin", "RoundRobin"];

/// What was read.
pub struct Read {
    /// The scenario, for the model's reader.
    pub scenario: Value,
    /// Servers as they were sent, each once.
    pub servers: Vec<Value>,
    /// Names of servers that cannot be placed, whatever the plan.
    pub lost: Vec<String>,
}

/// Reads a scenario, with or without `{"system": ...}` around it.
pub fn read(sent: &Value) -> Read {
    let sent = field(sent, "system").unwrap_or(sent);
    let accelerators = each_once(entries(sent, ACCELERATORS), &["name"]);
    let mut pairs = each_once(entries(sent, MODELS), &["name", "acc"]);
    let mut known = Known { accelerators: names(&accelerators), ..Known::default() };
    pairs.retain(|pair| known.accelerators.contains(text(pair, "acc")));
    known.models = names(&pairs);
    let classes = classes(sent, &mut known);
    let (mut placed, mut lost) = (Vec::new(), Vec::new());
    let servers = each_once(entries(sent, SERVERS), &["name"]);
    for server in &servers {
        match known.server(server) {
            Some(server) => placed.push(server),
            None => lost.push(text(server, "name").to_owned()),
        }
    }
    let capacities = each_once(entries(sent, CAPACITIES), &["type"]);
    let mut sections = Map::new();
    for (section, entries) in [
        (ACCELERATORS, accelerators),
        (MODELS, pairs),
        (CLASSES, classes),
        (SERVERS, placed),
        (CAPACITIES, capacities),
    ] {
        sections.insert(section.data.to_owned(), json!({section.list: entries}));
    }
    sections.insert("optimizerData".to_owned(), json!({"optimizer": optimizer(sent)}));
    Read { scenario: json!({"system": sections}), servers, lost }
}

fn entries(sent: &Value, section: Section) -> Vec<Value> {
    let entries = field(sent, section.data).and_then(|data| section.entries(data).ok());
    entries.unwrap_or_default()
}

fn names(entries: &[Value]) -> HashSet<String> {
    entries.iter().map(|entry| text(entry, "name").to_owned()).collect()
}

/// Of entries that agree in `keys` the last, where the first stands.
pub fn each_once(entries: Vec<Value>, keys: &[&str]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    let mut places = HashMap::new();
    for entry in entries {
        let key: Vec<String> = keys.iter().map(|key| text(&entry, key).to_owned()).collect();
        match places.entry(key) {
            Entry::Occupied(place) => kept[*place.get()] = entry,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(entry);
            }
        }
    }
    kept
}

/// Names that a server refers to.
#[derive(Default)]
struct Known {
    accelerators: HashSet<String>,
    models: HashSet<String>,
    /// Models that a class has a target for.
    promised: HashMap<String, HashSet<String>>,
}

/// Classes, each once: the priority that came first, of targets for a model the last.
fn classes(sent: &Value, known: &mut Known) -> Vec<Value> {
    let mut classes: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in entries(sent, CLASSES) {
        let next = classes.len();
        let place = *places.entry(text(&entry, "name").to_owned()).or_insert(next);
        if place == next {
            classes.push((entry.clone(), Vec::new()));
        }
        let targets = field(&entry, "modelTargets").and_then(Value::as_array);
        classes[place].1.extend(targets.into_iter().flatten().cloned());
    }
    let read = |(mut class, targets): (Value, Vec<Value>)| {
        let priority = field(&class, "priority").and_then(Value::as_i64);
        let priority = priority.filter(|p| (1..=LOWEST).contains(p)).unwrap_or(LOWEST);
        let mut targets = each_once(targets, &["model"]);
        targets.retain(|target| known.models.contains(text(target, "model")));
        let models = targets.iter().map(|target| text(target, "model").to_owned()).collect();
        known.promised.insert(text(&class, "name").to_owned(), models);
        set(&mut class, "priority", json!(priority));
        set(&mut class, "modelTargets", Value::Array(targets));
        class
    };
    classes.into_iter().map(read).collect()
}

impl Known {
    /// A server; none where it cannot be placed.
    fn server(&self, sent: &Value) -> Option<Value> {
        let class = Some(text(sent, "class")).filter(|class| !class.is_empty());
        self.promised.get(class.unwrap_or(FREE))?.get(text(sent, "model"))?;

        let mut current = field(sent, "currentAlloc").cloned().unwrap_or_else(|| json!({}));
        let mut load = field(&current, "load").cloned().unwrap_or_else(|| json!({}));
        let number = |key| field(&load, key).and_then(Value::as_f64).unwrap_or(0.0);
        let [rate, input, output] = ["arrivalRate", "avgInTokens", "avgOutTokens"].map(number);
        if rate < 0.0 || input < 0.0 || output < 0.0 {
            return None;
        }
        if output == 0.0 {
            set(&mut load, "arrivalRate", json!(0));
        }
        set(&mut current, "load", load);
        let accelerator = text(&current, "accelerator");
        if !accelerator.is_empty() && !self.accelerators.contains(accelerator) {
            if field(sent, "keepAccelerator").and_then(Value::as_bool) == Some(true) {
                return None;
            }
            set(&mut current, "accelerator", json!(""));
        }
        let mut server = sent.clone();
        set(&mut server, "currentAlloc", current);
        Some(server)
    }
}

/// The optimizer's options: one accelerator a server, as its clients carry plans out.
fn optimizer(sent: &Value) -> Value {
    let data = field(sent, "optimizerData");
    let options = data.map(|data| field(data, "optimizer").unwrap_or(data));
    let mut options = options.cloned().unwrap_or_else(|| json!({}));
    let policy = text(&options, "saturationPolicy");
    if !POLICIES.iter().any(|known| known.eq_ignore_ascii_case(policy)) {
        set(&mut options, "saturationPolicy", Value::Null);
    }
    for key in ["heterogeneous", "milpSolver", "useCplex"] {
        set(&mut options, key, json!(false));
    }
    options
}
