//! The system that a stateful service keeps: its sections as they were posted.
//!
//! Entries stay the JSON that their client sent, fields without case, whatever other tools keep beside
//! ours. Whether they make a sound scenario is for the model's reader to say, over the whole, when it is
//! planned for.
//!
//! In the reference's manner a section that is set is merged into what is there, and answers have every field of its
//! types.

mod allocations;
mod classes;
mod models;
mod section;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use isocost_model::input::known_names;
use serde_json::{Map, Value, json};

use crate::compatible::shape::{Field, shaped};
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
    manner: Manner,
    /// Whether servers carry what a plan wants of them.
    planned: bool,
}

/// How requests change it, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// What is set replaces what was there, and entries are as they were sent.
    #[default]
    Own,
    /// As the reference's optimizer does.
    Reference,
}

fn missing<'a>(word: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    Error::not_found(format!("{word} {name} not found; {}", known_names(name, known)))
}

impl System {
    /// An empty one.
    pub fn empty(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }

    /// The system in a scenario's JSON, with or without `{"system": ...}` around it.
    pub fn new(scenario: &Value, manner: Manner) -> Self {
        let scenario = field(scenario, "system").unwrap_or(scenario);
        let mut system = Self::empty(manner);
        for section in SECTIONS {
            if let Some(data) = field(scenario, section.data) {
                // What has no such form was refused where it was planned for.
                let _ = system.set_all(section, data);
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
        json!({ section.list: self.list(section) })
    }

    /// Its entries.
    pub fn list(&mut self, section: Section) -> Value {
        let manner = self.manner;
        let entries = (section.of)(self).iter();
        Value::Array(entries.map(|entry| manner.answer(entry, section.fields)).collect())
    }

    /// Replaces a section, or, in the reference's manner, merges entries into it.
    pub fn set_all(&mut self, section: Section, body: &Value) -> Result<(), Error> {
        let entries = section.entries(body)?;
        if self.manner == Manner::Reference {
            self.merge(section, entries);
            return Ok(());
        }
        *(section.of)(self) = entries;
        if section.data == MODELS.data {
            self.named.clear();
        }
        Ok(())
    }

    /// Puts entries in the place of those that they agree with, else behind the last; a class that is there keeps
    /// its priority, and its targets for other models.
    fn merge(&mut self, section: Section, entries: Vec<Value>) {
        let kept = (section.of)(self);
        let mut places: HashMap<Vec<String>, usize> =
            kept.iter().enumerate().map(|(i, entry)| (section.key(entry), i)).collect();
        for entry in entries {
            match places.entry(section.key(&entry)) {
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(entry);
                }
                Entry::Occupied(place) if section.data == CLASSES.data => {
                    classes::add_targets(&mut kept[*place.get()], &entry);
                }
                Entry::Occupied(place) => kept[*place.get()] = entry,
            }
        }
    }

    /// What is answered to a section that was set: the section as it was sent, in the reference's manner with every
    /// field of its types.
    pub fn echo(&self, section: Section, body: &Value) -> Option<Value> {
        let entries = section.entries(body).ok().filter(|_| self.manner == Manner::Reference)?;
        let entries: Vec<Value> = entries.iter().map(|e| shaped(e, section.fields)).collect();
        Some(json!({ section.list: entries }))
    }

    /// The same to an entry.
    pub fn echo_entry(&self, section: Section, body: &Value) -> Option<Value> {
        (self.manner == Manner::Reference).then(|| shaped(body, section.fields))
    }

    /// An entry.
    pub fn get(&mut self, section: Section, name: &str) -> Result<Value, Error> {
        let manner = self.manner;
        Ok(manner.answer(self.entry(section, name)?, section.fields))
    }

    fn entry(&mut self, section: Section, name: &str) -> Result<&mut Value, Error> {
        let entries = (section.of)(self);
        match entries.iter().position(|e| section.is(e, name)) {
            Some(i) => Ok(&mut entries[i]),
            None => {
                let known = entries.iter().map(|e| text(e, section.name()));
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

impl Manner {
    /// An entry as it is answered.
    fn answer(self, entry: &Value, fields: &[Field]) -> Value {
        match self {
            Self::Own => entry.clone(),
            Self::Reference => shaped(entry, fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_without_case_and_entries_stay_as_they_came() {
        let body = json!({"ACCELERATORS": [{"Name": "a", "cost": 1, "note": "mine"}]});
        let scenario = json!({"System": {"AcceleratorData": body}});
        let mut system = System::new(&scenario, Manner::Own);
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
        system.put_targets(&body(50)).expect("known");
        let class = system.get(CLASSES, "c").expect("there");
        assert_eq!(class["modelTargets"], json!([{"model": "m", "slo-itl": 50}]));
        let other = json!({"name": "c", "priority": 4, "modelTargets": []});
        assert!(system.put_targets(&other).is_err(), "another priority");
        system.remove_target("c", "m").expect("there");
        assert!(system.target("c", "m").is_err());
    }
}
