//! Service classes and what they promise, model by model.

use serde_json::{Value, json};

use super::{CLASSES, System, missing};
use crate::http::Error;
use crate::json::{field, set, text};

/// Priority of a class that is added without one.
const LOWEST: u32 = 100;

impl System {
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
}

fn targets(class: &Value) -> Vec<Value> {
    field(class, "modelTargets").and_then(Value::as_array).cloned().unwrap_or_default()
}
