//! Fields of an object, and who owns them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Where a field is.
pub type Path = Vec<String>;

/// Who owns which fields: managers by name and operation (`Apply` or `Update`).
pub type Owners = BTreeMap<(String, &'static str), BTreeSet<Path>>;

/// Fields that nobody owns.
const UNOWNED: [&str; 10] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "generateName",
];

/// The fields of a configuration that can be owned, with their values. A list is one value.
pub fn leaves(object: &Value) -> BTreeMap<Path, Value> {
    let mut all = BTreeMap::new();
    walk(object, &mut Vec::new(), &mut all);
    all.retain(|path, _| match path.as_slice() {
        [top, ..] if top == "apiVersion" || top == "kind" || top == "status" => false,
        [top, second, ..] if top == "metadata" => !UNOWNED.contains(&second.as_str()),
        _ => true,
    });
    all
}

fn walk(value: &Value, path: &mut Path, all: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                path.push(key.clone());
                walk(value, path, all);
                path.pop();
            }
        }
        other => drop(all.insert(path.clone(), other.clone())),
    }
}

pub fn get<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

pub fn set(object: &mut Value, path: &[String], value: Value) {
    let mut at = object;
    for key in path {
        if !at.is_object() {
            *at = json!({});
        }
        at = at.as_object_mut().unwrap().entry(key.clone()).or_insert(Value::Null);
    }
    *at = value;
}

pub fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(object, |value, key| value.get_mut(key));
    if let Some(Value::Object(fields)) = parent {
        fields.remove(last);
    }
}

/// RFC 7386.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let object = target.as_object_mut().unwrap();
    for (key, value) in fields {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// As `metadata.managedFields` shows them.
pub fn shown(owners: &Owners) -> Value {
    let entry = |((manager, operation), paths): (&(String, &'static str), &BTreeSet<Path>)| {
        let mut fields = json!({});
        for path in paths {
            let marked: Path = path.iter().map(|key| format!("f:{key}")).collect();
            set(&mut fields, &marked, json!({}));
        }
        json!({ "manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields })
    };
    owners.iter().filter(|(_, paths)| !paths.is_empty()).map(entry).collect()
}
