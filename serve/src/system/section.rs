//! The sections that are lists of named entries.

use serde_json::{Value, json};

use super::System;
use crate::http::Error;
use crate::json::{field, text};

/// A section that is a list of named entries.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Key of the section in a scenario.
    pub(super) data: &'static str,
    /// Key of the list in it.
    pub(super) list: &'static str,
    /// Key of an entry's name.
    pub(super) name: &'static str,
    /// An entry in words.
    pub word: &'static str,
    /// Its entries in a system.
    pub(super) of: fn(&mut System) -> &mut Vec<Value>,
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
/// All of them.
pub(super) const SECTIONS: [Section; 5] = [ACCELERATORS, MODELS, CLASSES, SERVERS, CAPACITIES];

impl Section {
    /// Whether an entry is of that name.
    pub(super) fn is(self, entry: &Value, name: &str) -> bool {
        text(entry, self.name) == name
    }

    /// The list in a posted body: in its section, in its list, or bare.
    pub(super) fn entries(self, body: &Value) -> Result<Vec<Value>, Error> {
        let inner = field(body, self.data).unwrap_or(body);
        let list = field(inner, self.list).unwrap_or(inner);
        list.as_array().cloned().ok_or_else(|| {
            let (list, form) = (self.list, json!({ self.list: ["..."] }));
            Error::input(format!("body: expected a list under `{list}`; send {form}"))
        })
    }

    /// The name of a posted entry.
    pub(super) fn named(self, entry: &Value) -> Result<String, Error> {
        let name = text(entry, self.name);
        if name.is_empty() {
            let (word, key) = (self.word, self.name);
            let message = format!("body: {word}: `{key}` is missing or empty; give it a name");
            return Err(Error::input(message));
        }
        Ok(name.to_owned())
    }
}
