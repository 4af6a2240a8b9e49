//! The system that a stateful service keeps: its sections as they were posted.
//!
//! Entries stay the JSON that their client sent, as text ([`entry`]), fields without case, whatever other tools keep beside
//! ours. Whether they make a sound scenario is for the model's reader to say, over the whole, when it is
//! planned for.
//!
//! In the reference's manner a section that is set is merged into what is there, and answers have every field of its
//! types.

mod allocations;
mod classes;
mod entry;
mod models;
mod posted;
mod section;

use std::collections::hash_map;
use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use isocost_model::export::json_text;
use isocost_model::input::known_names;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::compatible::shape::{Field, shaped};
use crate::http::Error;
use crate::json::field;
use entry::Entry;
pub use posted::value;
use section::SECTIONS;
pub use section::{ACCELERATORS, CAPACITIES, CLASSES, MODELS, SERVERS, Section};

/// What is kept.
#[derive(Debug, Clone, Default)]
pub struct System {
    accelerators: Vec<Entry>,
    capacities: Vec<Entry>,
    models: Vec<Entry>,
    /// Models that were added by name and have no entry yet.
    named: Vec<String>,
    classes: Vec<Entry>,
    servers: Vec<Entry>,
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
                let entries = section.entries(data).unwrap_or_default();
                system.put_all(section, entries.iter().map(|e| Entry::new(section, e)).collect());
            }
        }
        system.optimizer = field(scenario, "optimizerData").cloned();
        system
    }

    /// The whole as a scenario, to be read by the model's reader.
    pub fn scenario(&self) -> String {
        json_text(&json_of([("system", Whole(self))]))
    }

    /// What the optimizer is asked to do from now on.
    pub fn set_optimizer(&mut self, optimizer: Value) {
        self.optimizer = Some(optimizer);
    }

    /// The whole section, as [`System::set_all`] takes it.
    pub fn all(&mut self, section: Section) -> Bytes {
        let list = self.answered(section);
        json_text(&json_of([(section.list, list)])).into()
    }

    /// Its entries.
    pub fn list(&mut self, section: Section) -> Bytes {
        json_text(&self.answered(section)).into()
    }

    fn answered(&mut self, section: Section) -> Answered<'_> {
        let manner = self.manner;
        Answered { entries: (section.of)(self), section, manner }
    }

    /// Replaces a section by that of a body, or, in the reference's manner, merges its entries into it; what is
    /// answered to it: the body, in the reference's manner with every field of its types.
    pub fn set_all(&mut self, section: Section, body: String) -> Result<Bytes, Error> {
        let entries = posted::entries(section, &body)?;
        let answer = match self.manner {
            Manner::Own => body.into(),
            manner @ Manner::Reference => {
                let list = Answered { entries: &entries, section, manner };
                json_text(&json_of([(section.list, list)])).into()
            }
        };
        self.put_all(section, entries);
        Ok(answer)
    }

    fn put_all(&mut self, section: Section, entries: Vec<Entry>) {
        if self.manner == Manner::Reference {
            self.merge(section, entries);
            return;
        }
        *(section.of)(self) = entries;
        if section.data == MODELS.data {
            self.named.clear();
        }
    }

    /// Puts entries in the place of those that they agree with, else behind the last; a class that is there keeps
    /// its priority, and its targets for other models.
    fn merge(&mut self, section: Section, entries: Vec<Entry>) {
        let kept = (section.of)(self);
        let mut places: HashMap<Vec<Box<str>>, usize> =
            kept.iter().enumerate().map(|(i, entry)| (entry.keys().to_vec(), i)).collect();
        for entry in entries {
            match places.entry(entry.keys().to_vec()) {
                hash_map::Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(entry);
                }
                hash_map::Entry::Occupied(place) if section.data == CLASSES.data => {
                    let targets = entry.value();
                    kept[*place.get()].change(section, |c| classes::add_targets(c, &targets));
                }
                hash_map::Entry::Occupied(place) => kept[*place.get()] = entry,
            }
        }
    }

    /// What is answered to an entry that was set, in the reference's manner.
    pub fn echo_entry(&self, section: Section, body: &Value) -> Option<Value> {
        (self.manner == Manner::Reference).then(|| shaped(body, section.fields))
    }

    /// An entry.
    pub fn get(&mut self, section: Section, name: &str) -> Result<Value, Error> {
        let manner = self.manner;
        Ok(manner.answer(&self.entry(section, name)?.value(), section.fields))
    }

    fn entry(&mut self, section: Section, name: &str) -> Result<&mut Entry, Error> {
        let entries = (section.of)(self);
        match entries.iter().position(|e| e.name() == name) {
            Some(i) => Ok(&mut entries[i]),
            None => Err(missing(section.word, name, entries.iter().map(Entry::name))),
        }
    }

    /// Adds an entry, or puts it in the place of the one of its name.
    pub fn put(&mut self, section: Section, entry: &Value) -> Result<(), Error> {
        let name = section.named(entry)?;
        let entry = Entry::new(section, entry);
        match self.entry(section, &name) {
            Ok(place) => *place = entry,
            Err(_) => (section.of)(self).push(entry),
        }
        Ok(())
    }

    /// Takes an entry out.
    pub fn remove(&mut self, section: Section, name: &str) -> Result<Value, Error> {
        let removed = self.get(section, name)?;
        (section.of)(self).retain(|e| e.name() != name);
        Ok(removed)
    }
}

/// Entries as they are answered, each made when it is written.
struct Answered<'a> {
    entries: &'a [Entry],
    section: Section,
    manner: Manner,
}

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { entries, section, manner } = self;
        to.collect_seq(entries.iter().map(|e| manner.answer(&e.value(), section.fields)))
    }
}

/// The whole, section by section, as it was sent.
struct Whole<'a>(&'a System);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(system) = self;
        let entries = SECTIONS.map(|section| (section, (section.entries_of)(system)));
        // No capacities at all are no limit; an empty list would be no cards.
        let there = |s: Section, e: &[Entry]| !(e.is_empty() && s.data == CAPACITIES.data);
        let there = entries.into_iter().filter(|(s, entries)| there(*s, entries));
        let sections =
            there.map(|(s, entries)| (s.data, Part::Section(json_of([(s.list, entries)]))));
        let optimizer = system.optimizer.iter().map(|o| ("optimizerData", Part::Optimizer(o)));
        to.collect_map(sections.chain(optimizer))
    }
}

/// A part of the whole.
#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Section(BTreeMap<&'static str, &'a [Entry]>),
    Optimizer(&'a Value),
}

/// An object of one field.
fn json_of<T, const N: usize>(fields: [(&'static str, T); N]) -> BTreeMap<&'static str, T> {
    BTreeMap::from(fields)
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
    use serde_json::json;

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
        let list: Value = serde_json::from_slice(&system.list(ACCELERATORS)).expect("JSON");
        assert_eq!(list, json!([{"NAME": "a", "cost": 2}]));
        assert!(system.put(ACCELERATORS, &json!({"cost": 2})).is_err());
        assert!(system.set_all(ACCELERATORS, r#"{"accelerators": 1}"#.to_owned()).is_err());
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
