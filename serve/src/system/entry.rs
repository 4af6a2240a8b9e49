//! An entry of a section, as its client sent it.
//!
//! What is kept is its text: a tree of values takes a dozen times as much, and is made again, one entry at a time,
//! where an entry is asked for or changed.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Section;
use crate::json::text;

/// An entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What tells it apart, as its section has it; the first is its name.
    keys: Box<[Box<str>]>,
    json: Box<str>,
}

impl Entry {
    /// The entry of a section that a value is.
    pub fn new(section: Section, value: &Value) -> Self {
        let keys = section.keys.iter().map(|key| Box::from(text(value, key)));
        Self { keys: keys.collect(), json: value.to_string().into_boxed_str() }
    }

    /// As a value.
    pub fn value(&self) -> Value {
        // It was written from one.
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// What tells it apart.
    pub fn keys(&self) -> &[Box<str>] {
        &self.keys
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.keys[0]
    }

    /// Changes it.
    pub fn change(&mut self, section: Section, with: impl FnOnce(&mut Value)) {
        let mut value = self.value();
        with(&mut value);
        *self = Self::new(section, &value);
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}
