//! The entries of a section in a posted body, read one by one: however long a body is, one tree of values is there at a
//! time.
//!
//! The list stands in its section, in its list, or bare: `{"serverData": {"servers": [...]}}`, `{"servers": [...]}`,
//! `[...]`. Keys compare without case and are given once, nesting ends somewhere, and a body holds no more values than
//! one of its length may.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use isocost_model::queue::stop::pause;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::Section;
use super::entry::Entry;
use crate::http::Error;
use crate::optimize::BODY;

/// Nesting deeper than this is no scenario.
const MAX_DEPTH: usize = 64;
/// Keys that an object may have: an entry has some ten, and each that is unknown is a warning.
const MOST_KEYS: usize = 10_000;
/// Values that any body may hold, and the bytes of each beyond them.
const VALUES: (usize, usize) = (500_000, 16);

/// The entries of a section in a body.
///
/// # Errors
/// What is wrong, with its place; that there is no list.
pub fn entries(section: Section, body: &str) -> Result<Vec<Entry>, Error> {
    let left = Cell::new(VALUES.0 + body.len() / VALUES.1);
    let list = read(body, List { section, left: &left, depth: 0 })?;
    list.ok_or_else(|| section.no_list())
}

/// A body as a value, without its places.
///
/// # Errors
/// What is wrong, with its place.
pub fn value(body: &str) -> Result<Value, Error> {
    let left = Cell::new(VALUES.0 + body.len() / VALUES.1);
    read(body, Checked { left: &left, depth: 0 })
}

fn read<'a, T: DeserializeSeed<'a>>(body: &'a str, seed: T) -> Result<T::Value, Error> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let mut json = serde_json::Deserializer::from_str(body);
    let read = seed.deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = error.to_string();
        let end = format!(" at line {line} column {column}");
        let what = what.strip_suffix(&end).unwrap_or(&what);
        Error::input(format!("{BODY}:{line}:{column}: {what}; mend the JSON"))
    })
}

/// Reads a body, or what stands under the section's key in it: its list, if it is there.
#[derive(Clone, Copy)]
struct List<'a> {
    section: Section,
    left: &'a Cell<usize>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Option<Vec<Entry>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Option<Vec<Entry>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list under `{}`", self.section.list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(value) = items.next_element_seed(Checked { left: self.left, depth: 1 })? {
            entries.push(Entry::new(self.section, &value));
        }
        Ok(Some(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut seen) = (None, HashSet::new());
        let names = [self.section.data, self.section.list];
        while let Some(key) = fields.next_key::<String>()? {
            let is_list =
                names[self.depth.min(1)..].iter().any(|name| name.eq_ignore_ascii_case(&key));
            once(&mut seen, &key)?;
            match is_list && self.depth <= 1 {
                true => found = fields.next_value_seed(Self { depth: self.depth + 1, ..self })?,
                false => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads a value whose objects give each key once.
struct Checked<'a> {
    left: &'a Cell<usize>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Checked<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        pause();
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!("nested deeper than {MAX_DEPTH}")));
        }
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| {
            D::Error::custom("more values than a document of this length may hold")
        })?);
        from.deserialize_any(self)
    }
}

impl Checked<'_> {
    fn deeper(&self) -> Self {
        Self { left: self.left, depth: self.depth + 1 }
    }
}

impl<'de> Visitor<'de> for Checked<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let (mut map, mut seen) = (Map::new(), HashSet::new());
        while let Some(key) = fields.next_key::<String>()? {
            once(&mut seen, &key)?;
            let value = fields.next_value_seed(self.deeper())?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

/// Notes a key of an object.
fn once<E: serde::de::Error>(seen: &mut HashSet<String>, key: &str) -> Result<(), E> {
    if seen.len() == MOST_KEYS {
        return Err(E::custom(format!("more than {MOST_KEYS} keys in one object")));
    }
    match seen.insert(key.to_lowercase()) {
        true => Ok(()),
        false => Err(E::custom(format!(
            "key `{key}` is given twice (keys compare without case); keep one of them"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::SERVERS;
    use super::*;

    fn names(body: &str) -> Result<Vec<String>, String> {
        let entries = entries(SERVERS, body).map_err(|error| error.message)?;
        Ok(entries.iter().map(|entry| entry.name().to_owned()).collect())
    }

    #[test]
    fn the_list_is_found_where_it_may_stand() {
        let list = r#"[{"NAME": "a", "n": [1, {"x": null}]}, {"name": " b "}]"#;
        for body in [
            list.to_owned(),
            format!("{{\"Servers\": {list}}}"),
            format!("{{\"note\": 1, \"SERVERDATA\": {{\"servers\": {list}}}}}"),
            format!("\u{feff}{{\"serverData\": {list}}}"),
        ] {
            assert_eq!(
                names(&body).as_deref(),
                Ok(&["a".to_owned(), "b".to_owned()][..]),
                "{body}"
            );
        }
        for none in ["{}", "1", "\"servers\"", r#"{"servers": 1}"#, r#"{"serverData": {"x": []}}"#]
        {
            let what = names(none).expect_err("no list");
            assert!(what.contains("expected a list under `servers`"), "{none}: {what}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (body, said) in [
            ("[{\"name\": \"a\"}\n{", "body:2:1: "),
            (r#"[{"name": "a", "Name": "b"}]"#, "key `Name` is given twice"),
            (r#"{"servers": [], "SERVERS": []}"#, "is given twice"),
            (&"[".repeat(100), "nested deeper than 64"),
            ("[1e400]", "number out of range"),
            ("[] x", "trailing characters"),
            ("", "EOF"),
        ] {
            let what = names(body).expect_err("wrong");
            assert!(what.starts_with("body:") && what.contains(said), "{body}: {what}");
        }
        let keys: Vec<String> = (0..=10_000).map(|i| format!("\"{i}\":0")).collect();
        let what = names(&format!("[{{{}}}]", keys.join(","))).expect_err("many keys");
        assert!(what.contains("more than 10000 keys"), "{what}");
        let dense = format!("[{}0]", "0,".repeat(4_000_000));
        let what = names(&dense).expect_err("dense");
        assert!(what.contains("may hold"), "{what}");
    }
}
