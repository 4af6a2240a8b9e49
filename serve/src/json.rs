//! Fields of JSON objects, whose keys compare without case, as everywhere in a scenario.

use serde_json::Value;

/// A field of an object.
pub fn field<'a>(entry: &'a Value, key: &str) -> Option<&'a Value> {
    entry.as_object()?.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// A field that is a text; empty where it is not.
pub fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    field(entry, key).and_then(Value::as_str).map_or("", str::trim)
}

/// Sets a field of an object, in place of one that differs by case alone.
pub fn set(entry: &mut Value, key: &str, value: Value) {
    let Some(map) = entry.as_object_mut() else { return };
    map.retain(|k, _| !k.eq_ignore_ascii_case(key));
    map.insert(key.to_owned(), value);
}
