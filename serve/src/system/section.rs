//! The sections that are lists of named entries.

use serde_json::{Value, json};

use super::System;
use super::entry::Entry;
use crate::compatible::shape::{self, Field};
use crate::http::Error;
use crate::json::{field, text};

/// A section that is a list of named entries.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Key of the section in a scenario.
    pub data: &'static str,
    /// Key of the list in it.
    pub list: &'static str,
    /// Keys that tell entries apart; the first is the name.
    pub(super) keys: &'static [&'static str],
    /// The fields that the reference's clients expect in an entry.
    pub(super) fields: &'static [Field],
    /// An entry in words.
    pub word: &'static str,
    /// Its entries in a system.
    pub(super) of: fn(&mut System) -> &mut Vec<Entry>,
    /// The same to be read.
    pub(super) entries_of: fn(&System) -> &[Entry],
}

/// Accelerators.
pub const ACCELERATORS: Section = Section {
    data: "acceleratorData",
    list: "accelerators",
    keys: &["name"],
    fields: shape::ACCELERATOR,
    word: "accelerator",
    of: |system| &mut system.accelerators,
    entries_of: |system| &system.accelerators,
};
/// Cards of each type.
pub const CAPACITIES: Section = Section {
    data: "capacityData",
    list: "count",
    keys: &["type"],
    fields: shape::CAPACITY,
    word: "capacity for",
    of: |system| &mut system.capacities,
    entries_of: |system| &system.capacities,
};
/// Models on accelerators.
pub const MODELS: Section = Section {
    data: "modelData",
    list: "models",
    keys: &["name", "acc"],
    fields: shape::MODEL,
    word: "model",
    of: |system| &mut system.models,
    entries_of: |system| &system.models,
};
/// Service classes.
pub const CLASSES: Section = Section {
    data: "serviceClassData",
    list: "serviceClasses",
    keys: &["name"],
    fields: shape::CLASS,
    word: "service class",
    of: |system| &mut system.classes,
    entries_of: |system| &system.classes,
};
/// Servers.
pub const SERVERS: Section = Section {
    data: "serverData",
    list: "servers",
    keys: &["name"],
    fields: shape::SERVER,
    word: "server",
    of: |system| &mut system.servers,
    entries_of: |system| &system.servers,
};
/// All of them.
pub(super) const SECTIONS: [Section; 5] = [ACCELERATORS, MODELS, CLASSES, SERVERS, CAPACITIES];

impl Section {
    /// Key of an entry's name.
    pub(super) fn name(self) -> &'static str {
        self.keys[0]
    }

    /// The list of a section that is read: in its list, or bare.
    pub fn entries(self, data: &Value) -> Result<Vec<Value>, Error> {
        let inner = field(data, self.data).unwrap_or(data);
        let list = field(inner, self.list).unwrap_or(inner);
        list.as_array().cloned().ok_or_else(|| self.no_list())
    }

    /// That a body has no such list.
    pub(super) fn no_list(self) -> Error {
        let (list, form) = (self.list, json!({ self.list: ["..."] }));
        Error::input(format!("body: expected a list under `{list}`; send {form}"))
    }

    /// The name of a posted entry.
    pub(super) fn named(self, entry: &Value) -> Result<String, Error> {
        let name = text(entry, self.name());
        if name.is_empty() {
            let (word, key) = (self.word, self.name());
            let message = format!("body: {word}: `{key}` is missing or empty; give it a name");
            return Err(Error::input(message));
        }
        Ok(name.to_owned())
    }
}
