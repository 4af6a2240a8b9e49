//! The system that a stateful service keeps: its sections as they were posted.
//!
//! Entries stay the JSON that their client sent, fields without case, whatever other tools keep beside
//! ours. Whether they make a sound scenario is for the model's reader to say, over the whole, when it is
//! planned for.

mod allocations;
mod classes;
mod models;
mod section;

use isocost_model::input::known_names;
use serde_json::{Map, Value, json};

use crate::http::Error;
use crate::json::{field, text};
use section::SECTIONS;
pub use section::{ACCELERATORS, CAPACITIES, CLASSES, MODELS, SERVERS, Section};

/// What is kept.
#[derive(Debug, Clone, Default)]
pub struct System {
    accelerators: Vec<Value>,
    capacities: Vec<Value>,
    models: Vec<Value>,
    /// Models that were added by name and have no entry yet.
    named: Vec<String>,
    classes: Vec<Value>,
    servers: Vec<Value>,
    optimizer: Option<Value>,
    /// Whether servers carry what a plan wants of them.
    planned: bool,
}

fn missing<'a>(word: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    Error::not_found(format!("{word} {name} not found; {}", known_names(name, known)))
}

impl System {
    /// The system in a scenario's JSON, with or without `{"system": ...}` around it.
    pub fn new(scenario: &Value) -> Self {
        let scenario = field(scenario, "system").unwrap_or(scenario);
        let mut system = Self::default();
        for section in SECTIONS {
            if let Some(data) = field(scenario, section.data) {
                *(section.of)(&mut system) = section.entries(data).unwrap_or_default();
            }
        }
        system.optimizer = field(scenario, "optimizerData").cloned();
        system
    }

    /// The whole as a scenario, to be read by the model's reader.
    pub fn scenario(&mut self) -> Value {
        let mut sections = Map::new();
        for section in SECTIONS {
            let entries = (section.of)(self).clone();
            // No capacities at all are no limit; an empty list would be no cards.
            if !(entries.is_empty() && section.data == CAPACITIES.data) {
                sections.insert(section.data.to_owned(), json!({ section.list: entries }));
            }
        }
        sections.extend(self.optimizer.clone().map(|o| ("optimizerData".to_owned(), o)));
        json!({ "system": sections })
    }

    /// What the optimizer is asked to do from now on.
    pub fn set_optimizer(&mut self, optimizer: Value) {
        self.optimizer = Some(optimizer);
    }

    /// The whole section, as [`System::set_all`] takes it.
    pub fn all(&mut self, section: Section) -> Value {
        json!({ section.list: (section.of)(self) })
    }

    /// Its entries.
    pub fn list(&mut self, section: Section) -> Value {
        Value::Array((section.of)(self).clone())
    }

    /// Replaces a section.
    pub fn set_all(&mut self, section: Section, body: &Value) -> Result<(), Error> {
        let entries = section.entries(body)?;
        *(section.of)(self) = entries;
        if section.data == MODELS.data {
            self.named.clear();
        }
        Ok(())
    }

    /// An entry.
    pub fn get(&mut self, section: Section, name: &str) -> Result<Value, Error> {
        Ok(self.entry(section, name)?.clone())
    }

    fn entry(&mut self, section: Section, name: &str) -> Result<&mut Value, Error> {
        let entries = (section.of)(self);
        match entries.iter().position(|e| section.is(e, name)) {
            Some(i) => Ok(&mut entries[i]),
            None => {
                let known = entries.iter().map(|e| text(e, section.name));
                Err(missing(section.word, name, known))
            }
        }
    }

    /// Adds an entry, or puts it in the place of the one of its name.
    pub fn put(&mut self, section: Section, entry: &Value) -> Result<(), Error> {
        let name = section.named(entry)?;
        match self.entry(section, &name) {
            Ok(place) => *place = entry.clone(),
            Err(_) => (section.of)(self).push(entry.clone()),
        }
        Ok(())
    }

    /// Takes an entry out.
    pub fn remove(&mut self, section: Section, name: &str) -> Result<Value, Error> {
        let removed = self.get(section, name)?;
        (section.of)(self).retain(|e| !section.is(e, name));
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_without_case_and_entries_stay_as_they_came() {
        let body = json!({"ACCELERATORS": [{"Name": "a", "cost": 1, "note": "mine"}]});
        let mut system = System::new(&json!({"System": {"AcceleratorData": body}}));
        assert_eq!(system.get(ACCELERATORS, "a").expect("there")["note"], "mine");
        let error = system.get(ACCELERATORS, "b").expect_err("not there");
        assert_eq!(error.message, "accelerator b not found; did you mean `a`?");
        system.put(ACCELERATORS, &json!({"NAME": "a", "cost": 2})).expect("named");
        assert_eq!(system.list(ACCELERATORS), json!([{"NAME": "a", "cost": 2}]));
        assert!(system.put(ACCELERATORS, &json!({"cost": 2})).is_err());
        assert!(system.set_all(ACCELERATORS, &json!({"accelerators": 1})).is_err());
    }

    #[test]
    fn a_model_outlives_its_entries_until_it_is_removed() {
        let mut system = System::default();
        let entry = json!({"name": "m", "acc": "a"});
        assert!(system.put_perf(&entry).is_err(), "the model is not known");
        system.add_model("m");
        system.put_perf(&entry).expect("known");
        assert_eq!(system.models(), ["m"]);
        assert_eq!(system.remove_perf("m", "a").expect("there"), entry);
        assert_eq!(system.models(), ["m"]);
        system.remove_model("m").expect("there");
        assert!(system.model("m").is_err());
    }

    #[test]
    fn targets_are_added_and_replaced_by_model() {
        let mut system = System::default();
        assert!(system.add_class("c", "101").is_err());
        system.add_class("c", "3").expect("in range");
        let body = |itl| json!({"name": "c", "modelTargets": [{"model": "m", "slo-itl": itl}]});
        system.put_targets(&body(40)).expect("known");
        let class = system.put_targets(&body(50)).expect("known");
        assert_eq!(class["modelTargets"], json!([{"model": "m", "slo-itl": 50}]));
        let other = json!({"name": "c", "priority": 4, "modelTargets": []});
        assert!(system.put_targets(&other).is_err(), "another priority");
        system.remove_target("c", "m").expect("there");
        assert!(system.target("c", "m").is_err());
    }
}
