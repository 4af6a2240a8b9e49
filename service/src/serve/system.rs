//! The system that a stateful service keeps: its sections as they were posted.
//!
//! Entries stay the JSON that their client sent, fields without case, whatever other tools keep beside
//! ours. Whether they make a sound scenario is for the model's reader to say, over the whole, when it is
//! planned for.

use isocost_model::input::known_names;
use serde_json::{Map, Value, json};

use crate::http::Error;

/// A section that is a list of named entries.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Key of the section in a scenario.
    data: &'static str,
    /// Key of the list in it.
    list: &'static str,
    /// Key of an entry's name.
    name: &'static str,
    /// An entry in words.
    pub word: &'static str,
    of: fn(&mut System) -> &mut Vec<Value>,
}

/// Accelerators.
pub const ACCELERATORS: Section = Section {
    data: "acceleratorData",
    list: "accelerators",
    name: "name",
    word: "accelerator",
    of: |system| &mut system.accelerators,
};
/// Cards of each type.
pub const CAPACITIES: Section = Section {
    data: "capacityData",
    list: "count",
    name: "type",
    word: "capacity for",
    of: |system| &mut system.capacities,
};
/// Models on accelerators.
pub const MODELS: Section = Section {
    data: "modelData",
    list: "models",
    name: "name",
    word: "model",
    of: |system| &mut system.models,
};
/// Service classes.
pub const CLASSES: Section = Section {
    data: "serviceClassData",
    list: "serviceClasses",
    name: "name",
    word: "service class",
    of: |system| &mut system.classes,
};
/// Servers.
pub const SERVERS: Section = Section {
    data: "serverData",
    list: "servers",
    name: "name",
    word: "server",
    of: |system| &mut system.servers,
};
const SECTIONS: [Section; 5] = [ACCELERATORS, MODELS, CLASSES, SERVERS, CAPACITIES];

/// Priority of a class that is added without one.
const LOWEST: u32 = 100;

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

/// A field of an object; keys compare without case.
fn field<'a>(entry: &'a Value, key: &str) -> Option<&'a Value> {
    entry.as_object()?.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    field(entry, key).and_then(Value::as_str).map_or("", str::trim)
}

/// Sets a field of an object, in place of one that differs by case alone.
fn set(entry: &mut Value, key: &str, value: Value) {
    let Some(map) = entry.as_object_mut() else { return };
    map.retain(|k, _| !k.eq_ignore_ascii_case(key));
    map.insert(key.to_owned(), value);
}

fn missing<'a>(word: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    Error::not_found(format!("{word} {name} not found; {}", known_names(name, known)))
}

impl Section {
    fn is(self, entry: &Value, name: &str) -> bool {
        text(entry, self.name) == name
    }

    /// The list in a posted body: in its section, in its list, or bare.
    fn entries(self, body: &Value) -> Result<Vec<Value>, Error> {
        let inner = field(body, self.data).unwrap_or(body);
        let list = field(inner, self.list).unwrap_or(inner);
        list.as_array().cloned().ok_or_else(|| {
            let (list, form) = (self.list, json!({ self.list: ["..."] }));
            Error::input(format!("body: expected a list under `{list}`; send {form}"))
        })
    }

    /// The name of a posted entry.
    fn named(self, entry: &Value) -> Result<String, Error> {
        let name = text(entry, self.name);
        if name.is_empty() {
            let (word, key) = (self.word, self.name);
            let message = format!("body: {word}: `{key}` is missing or empty; give it a name");
            return Err(Error::input(message));
        }
        Ok(name.to_owned())
    }
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

    /// Names of the models.
    pub fn models(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let entries = self.models.iter().map(|e| text(e, "name"));
        for name in entries.chain(self.named.iter().map(String::as_str)) {
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn has_model(&self, name: &str) -> Result<(), Error> {
        let names = self.models();
        match names.iter().any(|n| n == name) {
            true => Ok(()),
            false => Err(missing(MODELS.word, name, names.iter().map(String::as_str))),
        }
    }

    /// A model's entries.
    pub fn model(&self, name: &str) -> Result<Value, Error> {
        self.has_model(name)?;
        let entries = self.models.iter().filter(|e| MODELS.is(e, name));
        Ok(json!({ MODELS.list: entries.collect::<Vec<_>>() }))
    }

    /// Adds a model by its name alone.
    pub fn add_model(&mut self, name: &str) {
        if self.has_model(name).is_err() {
            self.named.push(name.to_owned());
        }
    }

    /// Takes a model out with all its entries.
    pub fn remove_model(&mut self, name: &str) -> Result<(), Error> {
        self.has_model(name)?;
        self.models.retain(|e| !MODELS.is(e, name));
        self.named.retain(|n| n != name);
        Ok(())
    }

    fn place_of_perf(&self, model: &str, accelerator: &str) -> Result<usize, Error> {
        self.has_model(model)?;
        let of_model = || self.models.iter().enumerate().filter(|(_, e)| MODELS.is(e, model));
        match of_model().find(|(_, e)| text(e, "acc") == accelerator) {
            Some((i, _)) => Ok(i),
            None => {
                let known = of_model().map(|(_, e)| text(e, "acc"));
                Err(missing(&format!("accelerator of model {model}:"), accelerator, known))
            }
        }
    }

    /// How a model runs on an accelerator.
    pub fn perf(&self, model: &str, accelerator: &str) -> Result<Value, Error> {
        Ok(self.models[self.place_of_perf(model, accelerator)?].clone())
    }

    /// Adds how a model that is known runs on an accelerator, in place of what was known of that.
    pub fn put_perf(&mut self, entry: &Value) -> Result<(), Error> {
        let model = MODELS.named(entry)?;
        self.has_model(&model)?;
        match self.place_of_perf(&model, text(entry, "acc")) {
            Ok(place) => self.models[place] = entry.clone(),
            Err(_) => self.models.push(entry.clone()),
        }
        Ok(())
    }

    /// Takes out how a model runs on an accelerator; the model itself stays.
    pub fn remove_perf(&mut self, model: &str, accelerator: &str) -> Result<Value, Error> {
        let place = self.place_of_perf(model, accelerator)?;
        let entry = self.models.remove(place);
        self.add_model(model);
        Ok(entry)
    }

    /// Adds a class without targets, or gives one another priority.
    pub fn add_class(&mut self, name: &str, priority: &str) -> Result<Value, Error> {
        let priority: u32 = match priority {
            "" => LOWEST,
            text => text.parse().ok().filter(|p| (1..=LOWEST).contains(p)).ok_or_else(|| {
                Error::input(format!("priority {text} is out of range; expected 1 to {LOWEST}"))
            })?,
        };
        match self.entry(CLASSES, name) {
            Ok(class) => set(class, "priority", json!(priority)),
            Err(_) => {
                self.classes.push(json!({"name": name, "priority": priority, "modelTargets": []}))
            }
        }
        self.get(CLASSES, name)
    }

    /// Adds targets to a class that is known, in place of those for the same models.
    pub fn put_targets(&mut self, body: &Value) -> Result<Value, Error> {
        let name = CLASSES.named(body)?;
        let added = field(body, "modelTargets").and_then(Value::as_array).ok_or_else(|| {
            Error::input("body: expected a list under `modelTargets`; send the class's targets")
        })?;
        let class = self.entry(CLASSES, &name)?;
        let (has, gives) = (field(class, "priority"), field(body, "priority"));
        if let (Some(has), Some(gives)) = (has, gives.filter(|p| **p != json!(0)))
            && has != gives
        {
            let message = format!(
                "service class {name} has priority {has}, the body gives {gives}; leave it out, or \
                 change it by /addServiceClass/{name}/{gives}"
            );
            return Err(Error::input(message));
        }
        let mut targets = targets(class);
        for target in added {
            targets.retain(|t| text(t, "model") != text(target, "model"));
            targets.push(target.clone());
        }
        set(class, "modelTargets", Value::Array(targets));
        Ok(class.clone())
    }

    /// What a class promises for a model.
    pub fn target(&mut self, class: &str, model: &str) -> Result<Value, Error> {
        let targets = targets(self.entry(CLASSES, class)?);
        let found = targets.iter().find(|t| text(t, "model") == model).cloned();
        found.ok_or_else(|| {
            let known = targets.iter().map(|t| text(t, "model"));
            missing(&format!("model of service class {class}:"), model, known)
        })
    }

    /// Takes that out.
    pub fn remove_target(&mut self, class: &str, model: &str) -> Result<Value, Error> {
        let removed = self.target(class, model)?;
        let entry = self.entry(CLASSES, class)?;
        let mut targets = targets(entry);
        targets.retain(|t| text(t, "model") != model);
        set(entry, "modelTargets", Value::Array(targets));
        Ok(removed)
    }

    /// Notes for each server what a plan wants of it, as `desiredAlloc`.
    pub fn desire(&mut self, answer: &Value) {
        for server in &mut self.servers {
            let name = text(server, "name");
            let allocation = answer.get("allocations").and_then(|all| all.get(name));
            let mut desired =
                json!({"accelerator": "", "numReplicas": 0, "maxBatch": 0, "cost": 0});
            for key in [
                "accelerator",
                "numReplicas",
                "maxBatch",
                "cost",
                "itlAverage",
                "ttftAverage",
                "load",
            ] {
                if let Some(value) = allocation.and_then(|a| a.get(key)) {
                    set(&mut desired, key, value.clone());
                }
            }
            let load = field(server, "currentAlloc").and_then(|a| field(a, "load"));
            if let Some(load) = load.filter(|_| field(&desired, "load").is_none()) {
                set(&mut desired, "load", load.clone());
            }
            set(server, "desiredAlloc", desired);
        }
        self.planned = true;
    }

    /// Makes what the last plan wants what there is; a server's load stays what it was.
    pub fn apply(&mut self) -> Result<(), Error> {
        if !self.planned {
            return Err(Error::conflict("nothing was planned yet; POST /optimize first"));
        }
        for server in &mut self.servers {
            let Some(mut desired) = field(server, "desiredAlloc").cloned() else { continue };
            let load = field(server, "currentAlloc").and_then(|a| field(a, "load"));
            if let Some(load) = load {
                set(&mut desired, "load", load.clone());
            }
            set(server, "currentAlloc", desired);
        }
        Ok(())
    }
}

fn targets(class: &Value) -> Vec<Value> {
    field(class, "modelTargets").and_then(Value::as_array).cloned().unwrap_or_default()
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
