//! Service classes and what they promise, model by model.

use serde_json::{Value, json};

use super::entry::Entry;
use super::{CLASSES, Manner, System, missing};
use crate::compatible::lenient::each_once;
use crate::compatible::shape::TARGET;
use crate::http::Error;
use crate::json::{field, set, text};

/// Priority of a class that is added without one.
const LOWEST: i64 = 100;

impl System {
    /// Adds a class without targets, or gives one another priority; in the reference's manner a new one in place of
    /// the one of its name, and any number is a priority.
    pub fn add_class(&mut self, name: &str, priority: &str) -> Result<Value, Error> {
        let lenient = self.manner == Manner::Reference;
        let priority = match priority {
            "" => LOWEST,
            text => match text.parse::<i64>() {
                Ok(priority) if (1..=LOWEST).contains(&priority) => priority,
                Ok(_) if lenient => LOWEST,
                _ => {
                    let what = format!("priority {text} is out of range; expected 1 to {LOWEST}");
                    return Err(Error::input(what));
                }
            },
        };
        if lenient {
            self.classes.retain(|class| class.name() != name);
        }
        match self.entry(CLASSES, name) {
            Ok(class) => class.change(CLASSES, |class| set(class, "priority", json!(priority))),
            Err(_) => {
                let class = json!({"name": name, "priority": priority, "modelTargets": []});
                self.classes.push(Entry::new(CLASSES, &class));
            }
        }
        self.get(CLASSES, name)
    }

    /// Adds targets to a class that is known, in place of those for the same models; the class, in the reference's
    /// manner.
    pub fn put_targets(&mut self, body: &Value) -> Result<Option<Value>, Error> {
        let name = CLASSES.named(body)?;
        field(body, "modelTargets").and_then(Value::as_array).ok_or_else(|| {
            Error::input("body: expected a list under `modelTargets`; send the class's targets")
        })?;
        let lenient = self.manner == Manner::Reference;
        let class = self.entry(CLASSES, &name)?;
        let priority = |entry: &Value| field(entry, "priority").and_then(Value::as_f64);
        let (has, gives) = (priority(&class.value()), priority(body).filter(|p| *p != 0.0));
        // The reference takes no answer for another priority.
        let gives = if lenient { Some(gives.unwrap_or(0.0)) } else { gives };
        if let (Some(has), Some(gives)) = (has, gives)
            && has != gives
        {
            let message = format!(
                "service class {name} has priority {has}, the body gives {gives}; leave it out, or \
                 change it by /addServiceClass/{name}/{gives}"
            );
            return Err(Error::input(message));
        }
        class.change(CLASSES, |class| add_targets(class, body));
        Ok(lenient.then_some(self.get(CLASSES, &name)?))
    }

    /// What a class promises for a model.
    pub fn target(&mut self, class: &str, model: &str) -> Result<Value, Error> {
        let manner = self.manner;
        let targets = targets(&self.entry(CLASSES, class)?.value());
        let found = targets.iter().find(|t| text(t, "model") == model);
        found.map(|target| manner.answer(target, TARGET)).ok_or_else(|| {
            let known = targets.iter().map(|t| text(t, "model"));
            missing(&format!("model of service class {class}:"), model, known)
        })
    }

    /// Takes that out.
    pub fn remove_target(&mut self, class: &str, model: &str) -> Result<Value, Error> {
        let removed = self.target(class, model)?;
        let entry = self.entry(CLASSES, class)?;
        entry.change(CLASSES, |class| {
            let mut targets = targets(class);
            targets.retain(|t| text(t, "model") != model);
            set(class, "modelTargets", Value::Array(targets));
        });
        Ok(removed)
    }
}

/// Adds the targets of an entry to a class, in place of those for the same models.
pub(super) fn add_targets(class: &mut Value, entry: &Value) {
    let mut all = targets(class);
    all.extend(targets(entry));
    set(class, "modelTargets", Value::Array(each_once(all, &["model"])));
}

fn targets(class: &Value) -> Vec<Value> {
    field(class, "modelTargets").and_then(Value::as_array).cloned().unwrap_or_default()
}
