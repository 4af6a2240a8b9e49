//! The document at `/openapi.json`, made from the table of routes and the model's own reference of its input.

use isocost_model::input::reference;
use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, Object, Type};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, InfoBuilder, OpenApiBuilder, PathItem, PathsBuilder, Ref, Required,
    ResponseBuilder,
};

use crate::analyser::{Analysed, Asked};
use crate::http::{Error, Problem};
use crate::routes::{Method, Route};

/// Answers that are no results: status and when.
const ERRORS: [(&str, &str); 7] = [
    ("400", "The input is wrong: every problem with its place and its remedy"),
    ("401", "The bearer token is missing or wrong"),
    ("404", "Nothing of that name"),
    ("408", "The request took longer than it may"),
    ("413", "The body is larger than it may be"),
    ("500", "The service failed"),
    ("503", "As many requests are in work as are taken at once"),
];

/// The document.
pub fn document(routes: &[Route]) -> Value {
    let mut paths = PathsBuilder::new();
    for route in routes {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
        };
        paths = paths.path(route.path, PathItem::new(method, operation(route)));
    }
    let info = InfoBuilder::new()
        .title("isocost")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Exact minimum-cost capacity plans for LLM inference fleets"));
    let components = ComponentsBuilder::new()
        .schema_from::<Asked>()
        .schema_from::<Analysed>()
        .schema_from::<Error>()
        .schema_from::<Problem>()
        .build();
    let api = OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build();
    // Plain structs with string keys always serialise.
    let mut document = serde_json::to_value(api).unwrap_or_default();
    if let Some(all) = document["components"]["schemas"].as_object_mut() {
        all.extend(scenario());
        all.extend(answers());
    }
    document
}

fn operation(route: &Route) -> OperationBuilder {
    let Route { path, summary, shape, tag, .. } = route;
    let json = |name: &str| ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
    let mut operation = OperationBuilder::new().tag(*tag).summary(Some(*summary));
    for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Object::with_type(Type::String))),
        );
    }
    if shape.factors {
        for (name, what) in
            [("load", "Factor on every load"), ("capacity", "Factor on every card count")]
        {
            operation = operation.parameter(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Query)
                    .description(Some(what))
                    .schema(Some(Object::with_type(Type::Number))),
            );
        }
    }
    if let Some(name) = shape.body {
        let mut body = RequestBodyBuilder::new().content("application/json", json(name));
        if shape.factors {
            body = body.content("application/yaml", json(name));
        }
        operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
    }
    let (kind, name) = match shape.page {
        true => ("text/html", "page"),
        false => ("application/json", shape.answer.unwrap_or("any")),
    };
    let done = ResponseBuilder::new().description(*summary).content(kind, json(name));
    operation = operation.response("200", done.build());
    for (status, when) in ERRORS {
        let error =
            ResponseBuilder::new().description(when).content("application/json", json("Error"));
        operation = operation.response(status, error.build());
    }
    operation
}

/// The scenario's schemas, from the reference that the reader is held against.
fn scenario() -> Vec<(String, Value)> {
    let text = reference::schema().to_string().replace("#/$defs/", "#/components/schemas/");
    let mut schema: Value = serde_json::from_str(&text).unwrap_or_default();
    let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    let mut all: Vec<(String, Value)> = definitions.into_iter().collect();
    if let Some(map) = schema.as_object_mut() {
        map.retain(|key, _| key != "$defs" && key != "$schema");
    }
    let sections =
        all.iter().find(|(name, _)| name == "system").map(|(_, s)| s["properties"].clone());
    for (name, section) in sections.unwrap_or_default().as_object().cloned().unwrap_or_default() {
        all.push((name, section));
    }
    all.push(("scenario".to_owned(), schema));
    all
}

/// What is answered beside entries of a scenario.
fn answers() -> Vec<(String, Value)> {
    let number = || json!({"type": ["number", "null"]});
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let status = json!({"enum": ["optimal", "feasible", "infeasible", "unknown"]});
    let partial = json!({
        "type": "object",
        "description": "What is known of the partial plan, where status is infeasible and there is one",
        "properties": {"status": status, "notServedInFull": {"type": "array"}},
    });
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    let solution = json!({
        "type": "object",
        "required": ["allocations", "status"],
        "properties": {
            "allocations": {
                "type": "object",
                "additionalProperties": {"$ref": "#/components/schemas/Allocation"},
            },
            "status": status,
            "reasons": texts(),
            "partial": partial,
            "warnings": {"type": "array", "items": problem},
            "notes": texts(),
            "totalCost": number(),
            "objective": number(),
            "bound": number(),
            "gap": number(),
            "watts": number(),
            "usage": {"type": "array"},
            "budgets": {"type": "array"},
        },
    });
    let load = json!({"$ref": "#/components/schemas/load"});
    let allocation = json!({
        "type": "object",
        "properties": {
            "accelerator": {"type": "string"},
            "numReplicas": {"type": "integer"},
            "maxBatch": {"type": "integer"},
            "cost": number(),
            "itlAverage": number(),
            "ttftAverage": number(),
            "load": load,
            "servedShare": number(),
            "headroom": {"type": ["number", "null"]},
            "breaksFirst": {"type": ["string", "null"]},
            "parts": {"type": "array"},
        },
    });
    let accelerators =
        json!({"type": "array", "items": {"$ref": "#/components/schemas/accelerator"}});
    [
        ("Solution", solution),
        ("Allocation", allocation),
        ("accelerators", accelerators),
        ("names", texts()),
        ("name", json!({"type": "string"})),
        ("page", json!({"type": "string"})),
        ("done", json!({"const": "Done"})),
        ("any", json!({})),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into()
}
