//! The input reference: every field that a scenario may have, with unit, range and meaning.
//!
//! One table, from which the page of the documentation and a JSON Schema for editors are made. Tests
//! hold it against the reader: what the reader asks for is documented, and what is documented is
//! read, within the range that the table states.

use std::fmt::Write;

use serde_json::{Map, Value, json};

mod entities;

pub use entities::ENTITIES;

/// A kind of object in a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Entity {
    /// Name, e.g. `accelerator`.
    pub name: &'static str,
    /// Where it stands: the section and its file, or the field that holds it.
    pub place: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// A field of an entity.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name as it is written; it compares without case.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// What stands in for it; `None` where it has to be there.
    pub default: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// A text.
    Text,
    /// One of some words.
    Word(&'static [&'static str]),
    /// true or false.
    Flag,
    /// A number of a unit, from the first to the second bound.
    Number(&'static str, f64, f64),
    /// A whole number, likewise.
    Whole(&'static str, u32, u32),
    /// A list of names.
    Names,
    /// An object of names with whole numbers.
    Counts,
    /// An object of names with numbers of a unit, of at least 0.
    Amounts(&'static str),
    /// A list of lists of whole numbers.
    Geometries,
    /// An object of another entity.
    Object(&'static str),
    /// A list of objects of another entity.
    List(&'static str),
}

/// The entity of a name.
pub(super) fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

use Form::{Amounts, Counts, Flag, Geometries, List, Names, Number, Object, Text, Whole, Word};

impl Form {
    /// What it holds, in words.
    pub(super) fn words(self) -> String {
        let unit = |unit: &str| if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match self {
            Text => "text".to_owned(),
            Word(words) => words.join(", "),
            Flag => "true, false".to_owned(),
            Number(of, low, high) => format!("{low} to {}{}", short(high), unit(of)),
            Whole(of, low, high) => {
                format!("whole, {low} to {}{}", short(f64::from(high)), unit(of))
            }
            Names => "list of names".to_owned(),
            Counts => "names with whole numbers".to_owned(),
            Amounts(of) => format!("names with numbers{}", unit(of)),
            Geometries => "list of lists of whole numbers".to_owned(),
            Object(entity) => format!("[{entity}](#{})", anchor(entity)),
            List(entity) => format!("list of [{entity}](#{})", anchor(entity)),
        }
    }

    fn schema(self) -> Value {
        match self {
            Text => json!({"type": "string"}),
            Word(words) => json!({"enum": words}),
            Flag => json!({"type": "boolean"}),
            Number(_, low, high) => json!({"type": "number", "minimum": low, "maximum": high}),
            Whole(_, low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
            Names => json!({"type": "array", "items": {"type": "string"}}),
            Counts => json!({"type": "object", "additionalProperties": whole_from_1()}),
            Amounts(_) => {
                let amount = json!({"type": "number", "minimum": 0});
                json!({"type": "object", "additionalProperties": amount})
            }
            Geometries => {
                let sizes = json!({"type": "array", "items": whole_from_1()});
                json!({"type": "array", "items": sizes})
            }
            Object(entity) => reference(entity),
            List(entity) => json!({"type": "array", "items": reference(entity)}),
        }
    }
}

fn whole_from_1() -> Value {
    json!({"type": "integer", "minimum": 1})
}

/// A bound as it is read most easily.
fn short(bound: f64) -> String {
    if bound >= 1e5 { format!("{bound:e}") } else { bound.to_string() }
}

fn anchor(entity: &str) -> String {
    entity.to_lowercase().replace(' ', "-")
}

fn reference(entity: &str) -> Value {
    json!({"$ref": format!("#/$defs/{}", anchor(entity))})
}

/// The reference as Markdown: a heading and a table for each entity.
pub fn markdown() -> String {
    let mut text = String::new();
    for entity in ENTITIES {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "## {}\n\n{}\n", entity.name, entity.place);
        text.push_str("| field | holds | without it | meaning |\n|---|---|---|---|\n");
        for field in entity.fields {
            let default = field.default.unwrap_or("**needed**");
            let (name, form) = (field.name, field.form.words());
            let _ = writeln!(text, "| `{name}` | {form} | {default} | {} |", field.meaning);
        }
        text.push('\n');
    }
    text
}

/// A JSON Schema (2020-12) of the one-file form, for editors. Schemas compare keys with case, the
/// reader does not: the schema knows the spelling of the reference.
pub fn schema() -> Value {
    let object = |entity: &Entity| {
        let property = |f: &Field| {
            let mut schema = f.form.schema();
            if let Value::Object(map) = &mut schema {
                map.insert("description".to_owned(), json!(f.meaning));
            }
            (f.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = entity.fields.iter().map(property).collect();
        let needed = entity.fields.iter().filter(|f| f.default.is_none()).map(|f| f.name);
        let needed: Vec<&str> = needed.collect();
        (
            anchor(entity.name),
            json!({"type": "object", "properties": properties, "required": needed}),
        )
    };
    let section = |list: &str, entity: &str| {
        json!({
            "type": "object",
            "properties": {list: {"type": "array", "items": reference(entity)}},
            "required": [list],
        })
    };
    let sections = json!({
        "acceleratorData": section("accelerators", "accelerator"),
        "modelData": section("models", "model on an accelerator"),
        "serviceClassData": section("serviceClasses", "service class"),
        "serverData": section("servers", "server"),
        "capacityData": reference("cards"),
        "optimizerData": {"type": "object", "properties": {"optimizer": reference("optimizer")}},
    });
    let needed = ["acceleratorData", "modelData", "serviceClassData", "serverData"];
    let system = json!({"type": "object", "properties": sections, "required": needed});
    let mut definitions: Map<String, Value> = ENTITIES.iter().map(object).collect();
    definitions.insert("system".to_owned(), system);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "isocost scenario",
        "anyOf": [
            {"$ref": "#/$defs/system"},
            {"type": "object", "properties": {"system": {"$ref": "#/$defs/system"}}, "required": ["system"]},
        ],
        "$defs": definitions,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::figure::between;
    use super::super::{fields, load_text};
    use super::*;

    /// A scenario in which every object of the reference occurs; `change` is `path=value`.
    fn scenario(change: Option<(&str, &str, String)>) -> String {
        let object = |entity: &str, given: &[(&str, &str)]| {
            let mut fields: Vec<(String, String)> =
                given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            if let Some((of, field, value)) = &change
                && *of == entity
            {
                fields.retain(|f| f.0 != *field);
                fields.push(((*field).to_owned(), value.clone()));
            }
            let fields: Vec<String> =
                fields.into_iter().map(|(k, v)| format!("\"{k}\": {v}")).collect();
            format!("{{{}}}", fields.join(", "))
        };
        let power = object("power", &[]);
        let accelerator = object(
            "accelerator",
            &[("name", "\"g\""), ("type", "\"t\""), ("cost", "1"), ("power", &power)],
        );
        let per = object("perfParms", &[("alpha", "1")]);
        let end = object("end of a region", &[("perfParms", &per)]);
        let calibration = object("calibration", &[("optimistic", &end), ("pessimistic", &end)]);
        let decode = object("decodeParms", &[("alpha", "1")]);
        let prefill = object("prefillParms", &[]);
        let roofline = object("rooflineParms", &[("alpha", "1")]);
        let model = |name: &str, kind: &str, parms: &[(&str, &str)]| {
            let mut given =
                vec![("name", name), ("acc", "\"g\""), ("maxBatchSize", "8"), ("atTokens", "100")];
            given.extend(parms);
            object(kind, &given)
        };
        let models = [
            model(
                "\"m\"",
                "model on an accelerator",
                &[("perfParms", &per), ("calibration", &calibration)],
            ),
            model("\"n\"", "", &[("decodeParms", &decode), ("prefillParms", &prefill)]),
            model("\"o\"", "", &[("rooflineParms", &roofline)]),
        ]
        .join(", ");
        let target = object("target", &[("model", "\"m\""), ("slo-itl", "1e6")]);
        let targets = format!("[{target}]");
        let class = object("service class", &[("name", "\"c\""), ("modelTargets", &targets)]);
        let load = object("load", &[("arrivalRate", "1"), ("avgOutTokens", "10")]);
        let current = object("current allocation", &[("load", &load)]);
        let server = object(
            "server",
            &[
                ("name", "\"s\""),
                ("class", "\"c\""),
                ("model", "\"m\""),
                ("currentAlloc", &current),
            ],
        );
        let capacity = object("capacity", &[("type", "\"t\""), ("count", "1")]);
        let node = object("node", &[("name", "\"k\""), ("cards", "{\"t\": 1}"), ("count", "1")]);
        let nodes = format!("[{node}]");
        let counts = format!("[{capacity}]");
        let cards = object("cards", &[("count", &counts), ("nodes", &nodes)]);
        let budgets = format!("[{}]", object("budget", &[("name", "\"b\""), ("cards", "1")]));
        let optimizer = object("optimizer", &[("budgets", &budgets)]);
        format!(
            r#"{{"acceleratorData": {{"accelerators": [{accelerator}]}}, "modelData": {{"models": [{models}]}},
                "serviceClassData": {{"serviceClasses": [{class}]}}, "serverData": {{"servers": [{server}]}},
                "capacityData": {cards}, "optimizerData": {{"optimizer": {optimizer}}}}}"#
        )
    }

    #[test]
    fn the_reader_asks_for_what_the_reference_lists_and_nothing_else() {
        fields::asked_here();
        let loaded = load_text("s.json", &scenario(None)).expect("sound");
        assert_eq!(loaded.warnings, []);
        let listed = ENTITIES.iter().flat_map(|e| e.fields).map(|f| f.name.to_lowercase());
        // The envelope of the optimizer's section, and what the reference system's solver choice was.
        let envelope = ["optimizer", "milpsolver", "usecplex"].map(str::to_owned);
        let known: BTreeSet<String> = listed.chain(envelope).collect();
        let asked: BTreeSet<String> = fields::asked_here().into_iter().map(str::to_owned).collect();
        assert_eq!(asked, known);
    }

    #[test]
    fn ranges_are_those_of_the_reader() {
        for entity in ENTITIES {
            for field in entity.fields {
                let (low, high) = match field.form {
                    Number(_, low, high) => (low, high),
                    Whole(_, low, high) => (f64::from(low), f64::from(high)),
                    _ => continue,
                };
                for wrong in [low - 1.0, high * 2.0 + 1.0] {
                    let text = scenario(Some((entity.name, field.name, wrong.to_string())));
                    let error = load_text("s.json", &text).expect_err("out of range").to_string();
                    let expected = format!("expected {}", between(low, high));
                    let at = field.name;
                    assert!(error.contains(&expected) && error.contains(at), "{at}: {error}");
                }
            }
        }
    }

    #[test]
    fn needed_fields_are_needed() {
        for entity in ENTITIES {
            for field in entity.fields.iter().filter(|f| f.default.is_none()) {
                let text = scenario(Some((entity.name, field.name, "null".to_owned())));
                assert!(load_text("s.json", &text).is_err(), "{} {}", entity.name, field.name);
            }
        }
    }

    #[test]
    fn every_link_of_the_page_has_its_heading() {
        let page = markdown();
        let headings: BTreeSet<String> =
            page.lines().filter_map(|l| l.strip_prefix("## ")).map(anchor).collect();
        for link in page.split("](#").skip(1) {
            let name = link.split(')').next().unwrap_or("");
            assert!(headings.contains(name), "{name}");
        }
        let schema = schema().to_string();
        for link in schema.split("#/$defs/").skip(1) {
            let name = link.split('"').next().unwrap_or("");
            assert!(name == "system" || headings.contains(name), "{name}");
        }
    }
}
