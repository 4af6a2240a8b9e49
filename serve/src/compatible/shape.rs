//! The fields of the reference's types. An answer of a type has all of them, in their types; what a client sent beside
//! them stays.

use serde_json::{Map, Value, json};

use crate::json::field;

/// A field: its name, and what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Field(&'static str, Kind);

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Number,
    /// Decoded into an integer.
    Whole,
    Object(&'static [Field]),
    List(&'static [Field]),
}

use Kind::{Flag, List, Number, Object, Text, Whole};

/// An accelerator.
pub const ACCELERATOR: &[Field] = &[
    Field("name", Text),
    Field("type", Text),
    Field("multiplicity", Whole),
    Field("memSize", Whole),
    Field("memBW", Whole),
    Field("power", Object(POWER)),
    Field("cost", Number),
];
const POWER: &[Field] = &[
    Field("idle", Whole),
    Field("full", Whole),
    Field("midPower", Whole),
    Field("midUtil", Number),
];
/// Cards of a type.
pub const CAPACITY: &[Field] = &[Field("type", Text), Field("count", Whole)];
/// A model on an accelerator.
pub const MODEL: &[Field] = &[
    Field("name", Text),
    Field("acc", Text),
    Field("accCount", Whole),
    Field("maxBatchSize", Whole),
    Field("atTokens", Whole),
    Field("perfParms", Object(PARAMETERS)),
];
const PARAMETERS: &[Field] =
    &[Field("alpha", Number), Field("beta", Number), Field("gamma", Number)];
/// A service class.
pub const CLASS: &[Field] =
    &[Field("name", Text), Field("priority", Whole), Field("modelTargets", List(TARGET))];
/// What a class promises for a model.
pub const TARGET: &[Field] = &[
    Field("model", Text),
    Field("slo-itl", Number),
    Field("slo-ttft", Number),
    Field("slo-tps", Number),
];
/// A server.
pub const SERVER: &[Field] = &[
    Field("name", Text),
    Field("class", Text),
    Field("model", Text),
    Field("keepAccelerator", Flag),
    Field("minNumReplicas", Whole),
    Field("maxBatchSize", Whole),
    Field("currentAlloc", Object(ALLOCATION)),
    Field("desiredAlloc", Object(ALLOCATION)),
];
/// Where a server runs, or is to run.
pub const ALLOCATION: &[Field] = &[
    Field("accelerator", Text),
    Field("numReplicas", Whole),
    Field("maxBatch", Whole),
    Field("cost", Number),
    Field("itlAverage", Number),
    Field("ttftAverage", Number),
    Field("avgConcurrency", Number),
    Field("load", Object(LOAD)),
];
/// What arrives at a server.
pub const LOAD: &[Field] = &[
    Field("arrivalRate", Number),
    Field("throughput", Number),
    Field("avgInTokens", Whole),
    Field("avgOutTokens", Whole),
];

/// An entry with every field of its type, and whatever else it had.
pub fn shaped(entry: &Value, fields: &[Field]) -> Value {
    let mut shaped = Map::new();
    let others = entry.as_object().into_iter().flatten();
    let is_known = |key: &str| fields.iter().any(|field| field.0.eq_ignore_ascii_case(key));
    shaped.extend(others.filter(|(key, _)| !is_known(key)).map(|(k, v)| (k.clone(), v.clone())));
    shaped.extend(fields.iter().map(|Field(name, kind)| {
        ((*name).to_owned(), kind.held(field(entry, name).unwrap_or(&Value::Null)))
    }));
    Value::Object(shaped)
}

/// The fields of a type alone.
pub fn only(entry: &Value, fields: &[Field]) -> Value {
    let held = fields.iter().map(|Field(name, kind)| {
        ((*name).to_owned(), kind.held(field(entry, name).unwrap_or(&Value::Null)))
    });
    Value::Object(held.collect())
}

impl Kind {
    /// A value of this kind; what is none is what stands where nothing is given.
    fn held(self, value: &Value) -> Value {
        match self {
            Text => json!(value.as_str().unwrap_or("")),
            Flag => json!(value.as_bool().unwrap_or(false)),
            Number => value.as_f64().map_or(json!(0), |_| value.clone()),
            Whole => match value.as_i64() {
                Some(_) => value.clone(),
                // A float that is beyond integers is held to their ends.
                None => json!(value.as_f64().unwrap_or(0.0).round() as i64),
            },
            Object(fields) => shaped(value, fields),
            List(fields) => {
                let entries = value.as_array().into_iter().flatten();
                Value::Array(entries.map(|entry| shaped(entry, fields)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_every_field_in_its_type_and_keeps_what_it_had_beside() {
        let server = json!({"NAME": "s", "minNumReplicas": 2.0, "note": "mine", "currentAlloc": {
            "load": {"avgInTokens": 128.4, "arrivalRate": 0.5}}});
        let shaped = shaped(&server, SERVER);
        assert_eq!((&shaped["name"], &shaped["class"]), (&json!("s"), &json!("")));
        assert_eq!(shaped["minNumReplicas"], json!(2));
        assert_eq!(shaped["note"], "mine");
        let load =
            json!({"arrivalRate": 0.5, "throughput": 0, "avgInTokens": 128, "avgOutTokens": 0});
        assert_eq!(shaped["currentAlloc"]["load"], load);
        assert_eq!(shaped["desiredAlloc"]["numReplicas"], 0);
        assert_eq!(only(&server, SERVER).get("note"), None);
        let class = only(&json!({"modelTargets": null}), CLASS);
        assert_eq!(class["modelTargets"], json!([]));
    }
}
