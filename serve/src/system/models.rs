//! Models, and how they run on accelerators: a model outlives its entries until it is removed.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::entry::Entry;
use super::{MODELS, Manner, System, missing};
use crate::http::Error;

impl System {
    /// Names of the models, each once.
    pub fn models(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let names =
            self.models.iter().map(Entry::name).chain(self.named.iter().map(String::as_str));
        names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
    }

    fn has_model(&self, name: &str) -> Result<(), Error> {
        let mut entries = self.models.iter().map(Entry::name);
        match entries.any(|n| n == name) || self.named.iter().any(|n| n == name) {
            true => Ok(()),
            false => Err(missing(MODELS.word, name, self.models().iter().map(String::as_str))),
        }
    }

    /// A model's entries.
    pub fn model(&self, name: &str) -> Result<Value, Error> {
        self.has_model(name)?;
        let entries = self.models.iter().filter(|e| e.name() == name);
        let entries = entries.map(|e| self.manner.answer(&e.value(), MODELS.fields));
        Ok(json!({ MODELS.list: entries.collect::<Vec<_>>() }))
    }

    /// Adds a model by its name alone; in the reference's manner in place of the one of its name.
    pub fn add_model(&mut self, name: &str) {
        if self.manner == Manner::Reference {
            self.models.retain(|e| e.name() != name);
        }
        if self.has_model(name).is_err() {
            self.named.push(name.to_owned());
        }
    }

    /// Takes a model out with all its entries.
    pub fn remove_model(&mut self, name: &str) -> Result<(), Error> {
        self.has_model(name)?;
        self.models.retain(|e| e.name() != name);
        self.named.retain(|n| n != name);
        Ok(())
    }

    fn place_of_perf(&self, model: &str, accelerator: &str) -> Result<usize, Error> {
        self.has_model(model)?;
        let of_model = || self.models.iter().enumerate().filter(|(_, e)| e.name() == model);
        match of_model().find(|(_, e)| &*e.keys()[1] == accelerator) {
            Some((i, _)) => Ok(i),
            None => {
                let known = of_model().map(|(_, e)| &*e.keys()[1]);
                Err(missing(&format!("accelerator of model {model}:"), accelerator, known))
            }
        }
    }

    /// How a model runs on an accelerator.
    pub fn perf(&self, model: &str, accelerator: &str) -> Result<Value, Error> {
        let entry = &self.models[self.place_of_perf(model, accelerator)?];
        Ok(self.manner.answer(&entry.value(), MODELS.fields))
    }

    /// Adds how a model that is known runs on an accelerator, in place of what was known of that.
    pub fn put_perf(&mut self, entry: &Value) -> Result<(), Error> {
        let model = MODELS.named(entry)?;
        self.has_model(&model)?;
        let entry = Entry::new(MODELS, entry);
        match self.place_of_perf(&model, &entry.keys()[1]) {
            Ok(place) => self.models[place] = entry,
            Err(_) => self.models.push(entry),
        }
        Ok(())
    }

    /// Takes out how a model runs on an accelerator; the model itself stays.
    pub fn remove_perf(&mut self, model: &str, accelerator: &str) -> Result<Value, Error> {
        let place = self.place_of_perf(model, accelerator)?;
        let entry = self.models.remove(place);
        if self.has_model(model).is_err() {
            self.named.push(model.to_owned());
        }
        Ok(self.manner.answer(&entry.value(), MODELS.fields))
    }
}
