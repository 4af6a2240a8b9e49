//! Models, and how they run on accelerators: a model outlives its entries until it is removed.

use serde_json::{Value, json};

use super::{MODELS, Manner, System, missing};
use crate::http::Error;
use crate::json::text;

impl System {
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
        let entries = entries.map(|entry| self.manner.answer(entry, MODELS.fields));
        Ok(json!({ MODELS.list: entries.collect::<Vec<_>>() }))
    }

    /// Adds a model by its name alone; in the reference's manner in place of the one of its name.
    pub fn add_model(&mut self, name: &str) {
        if self.manner == Manner::Reference {
            self.models.retain(|e| !MODELS.is(e, name));
        }
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
        let entry = &self.models[self.place_of_perf(model, accelerator)?];
        Ok(self.manner.answer(entry, MODELS.fields))
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
        if self.has_model(model).is_err() {
            self.named.push(model.to_owned());
        }
        Ok(self.manner.answer(&entry, MODELS.fields))
    }
}
