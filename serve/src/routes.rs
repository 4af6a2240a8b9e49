//! Every route in one table, from which the router and `/openapi.json` are made.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, get, on, post};
use serde_json::{Value, json};

use crate::answer::{Json, text};
use crate::handlers::{ask, by_body, by_name, by_names, by_text, changes, meant};
use crate::http::Error;
use crate::optimize;
use crate::system::{ACCELERATORS, CAPACITIES, CLASSES, MODELS, SERVERS, Section};
use crate::{Optimizer, analyser, openapi};

/// A route.
pub struct Route {
    /// `GET` or `POST`.
    pub method: Method,
    /// Pattern of its path.
    pub path: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it takes and gives.
    pub shape: Shape,
    /// Part of the interface that it belongs to.
    pub tag: &'static str,
    handler: MethodRouter<Arc<Optimizer>>,
}

/// Method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads, or changes what its path names, as the reference has it.
    Get,
    /// Takes a body.
    Post,
}

/// What a route takes and gives, by names of schemas.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// Schema of the body.
    pub body: Option<&'static str>,
    /// Schema of the answer; any JSON without one.
    pub answer: Option<&'static str>,
    /// Whether the query may scale loads and capacities.
    pub factors: bool,
    /// Whether the answer is a page.
    pub page: bool,
}

const fn gives(answer: &'static str) -> Shape {
    Shape { body: None, answer: Some(answer), factors: false, page: false }
}

const fn takes(body: &'static str, answer: &'static str) -> Shape {
    Shape { body: Some(body), answer: Some(answer), factors: false, page: false }
}

/// What is served whatever is kept.
fn always() -> Vec<Route> {
    let route = |method, path, summary, tag, shape, handler| Route {
        method,
        path,
        summary,
        shape,
        tag,
        handler,
    };
    let scaled = |shape| Shape { factors: true, ..shape };
    let page = Shape { page: true, ..takes("scenario", "page") };
    use Method::{Get, Post};
    vec![
        route(
            Post,
            "/optimizeOne",
            "Plan a scenario that comes with the request",
            "plan",
            scaled(takes("scenario", "Solution")),
            post(optimize::optimize_one),
        ),
        route(
            Post,
            "/report",
            "Plan a scenario, and say why as a page",
            "plan",
            scaled(page),
            post(optimize::report),
        ),
        route(
            Get,
            "/getSystem",
            "The kept system, as a scenario",
            "system",
            gives("scenario"),
            get(optimize::system),
        ),
        route(
            Post,
            "/solve",
            "What a replica does at a rate",
            "replica",
            takes("Asked", "Analysed"),
            post(analyser::solve),
        ),
        route(
            Post,
            "/target",
            "The largest rates that a replica's targets allow",
            "replica",
            takes("Asked", "Analysed"),
            post(analyser::target),
        ),
        concurrency("/optimize-concurrency"),
    ]
}

/// What the reference's analyser serves as `/optimize`.
fn concurrency(path: &'static str) -> Route {
    Route {
        method: Method::Post,
        path,
        summary: "The least batch size near the best rate",
        shape: takes("Asked", "Analysed"),
        tag: "replica",
        handler: post(analyser::concurrency),
    }
}

/// What asks about the kept system.
fn asking() -> Vec<Route> {
    let route = |path, summary, answer, handler| Route {
        method: Method::Get,
        path,
        summary,
        shape: gives(answer),
        tag: "system",
        handler,
    };
    let one = |section: Section| {
        by_name(MethodFilter::GET, move |system, name| system.get(section, name))
    };
    vec![
        route(
            "/getAccelerators",
            "All accelerators",
            "accelerators",
            ask(|s| s.list(ACCELERATORS)),
        ),
        route("/getAccelerator/{name}", "An accelerator", "accelerator", one(ACCELERATORS)),
        route("/getCapacities", "Cards of every type", "capacityData", ask(|s| s.all(CAPACITIES))),
        route("/getCapacity/{type}", "Cards of a type", "capacity", one(CAPACITIES)),
        route("/getModels", "Names of the models", "names", ask(|s| text(&json!(s.models())))),
        route(
            "/getModel/{name}",
            "How a model runs on each accelerator",
            "modelData",
            by_name(MethodFilter::GET, |s, name| s.model(name)),
        ),
        route(
            "/getModelAcceleratorPerf/{name}/{acc}",
            "How a model runs on an accelerator",
            "model-on-an-accelerator",
            by_names(MethodFilter::GET, |s, model, acc| s.perf(model, acc)),
        ),
        route(
            "/getServiceClasses",
            "All service classes",
            "serviceClassData",
            ask(|s| s.all(CLASSES)),
        ),
        route("/getServiceClass/{name}", "A service class", "service-class", one(CLASSES)),
        route(
            "/getServiceClassModelTarget/{name}/{model}",
            "A class's targets for a model",
            "target",
            by_names(MethodFilter::GET, |s, class, model| s.target(class, model)),
        ),
        route(
            "/getServers",
            "All servers, with what the last plan wants of them",
            "serverData",
            ask(|s| s.all(SERVERS)),
        ),
        route("/getServer/{name}", "A server", "server", one(SERVERS)),
    ]
}

/// What changes it: of a stateful service, and as the reference has it where it is to be `compatible`.
fn changing(compatible: bool) -> Vec<Route> {
    let method = if compatible { Method::Get } else { Method::Post };
    let guarded = move |handler: MethodRouter<Arc<Optimizer>>| match compatible {
        true => handler,
        false => handler.layer(from_fn(meant)),
    };
    let at = move |path, summary, answer, handler| Route {
        method,
        path,
        summary,
        shape: gives(answer),
        tag: "system",
        handler: guarded(handler),
    };
    let sent = |path, summary, body, handler| Route {
        method: Method::Post,
        path,
        summary,
        shape: takes(body, body),
        tag: "system",
        handler,
    };
    let all = |section: Section| by_text(move |system, body| system.set_all(section, body));
    let put = |section: Section| {
        by_body(move |system, body| {
            system.put(section, body)?;
            Ok(system.echo_entry(section, body))
        })
    };
    let out =
        |section: Section| by_name(changes(), move |system, name| system.remove(section, name));
    let targets = || by_body(|system, body| system.put_targets(body));
    vec![
        sent("/setAccelerators", "Replace all accelerators", "acceleratorData", all(ACCELERATORS)),
        sent("/setCapacities", "Replace the cards of every type", "capacityData", all(CAPACITIES)),
        sent("/setModels", "Replace all models", "modelData", all(MODELS)),
        sent("/setServiceClasses", "Replace all classes", "serviceClassData", all(CLASSES)),
        sent("/setServers", "Replace all servers", "serverData", all(SERVERS)),
        sent("/addAccelerator", "Add or replace one", "accelerator", put(ACCELERATORS)),
        sent("/setCapacity", "Set the cards of a type", "capacity", put(CAPACITIES)),
        sent("/addServer", "Add or replace a server", "server", put(SERVERS)),
        sent(
            "/addModelAcceleratorPerf",
            "Say how a known model runs on an accelerator",
            "model-on-an-accelerator",
            by_body(|system, body| {
                system.put_perf(body)?;
                Ok(system.echo_entry(MODELS, body))
            }),
        ),
        sent(
            "/addServiceClassModelTargets",
            "Add targets to a known class",
            "service-class",
            targets(),
        ),
        sent(
            "/addServiceClassModelTarget",
            "The same, as older clients call it",
            "service-class",
            targets(),
        ),
        at(
            "/addModel/{name}",
            "Add a model by its name",
            "name",
            by_name(changes(), |system, name| {
                system.add_model(name);
                Ok(json!(name))
            }),
        ),
        at(
            "/addServiceClass/{name}",
            "Add a class of the lowest priority",
            "service-class",
            by_name(changes(), |system, name| system.add_class(name, "")),
        ),
        at(
            "/addServiceClass/{name}/{priority}",
            "Add a class, or give it another priority",
            "service-class",
            by_names(changes(), |system, name, priority| system.add_class(name, priority)),
        ),
        at("/removeAccelerator/{name}", "Remove one", "accelerator", out(ACCELERATORS)),
        at("/removeCapacity/{type}", "Remove a type's cards", "capacity", out(CAPACITIES)),
        at(
            "/removeModel/{name}",
            "Remove a model",
            "name",
            by_name(changes(), |system, name| system.remove_model(name).map(|()| json!(name))),
        ),
        at(
            "/removeModelAcceleratorPerf/{name}/{acc}",
            "Remove how a model runs on an accelerator",
            "model-on-an-accelerator",
            by_names(changes(), |system, model, acc| system.remove_perf(model, acc)),
        ),
        at("/removeServiceClass/{name}", "Remove a class", "service-class", out(CLASSES)),
        at(
            "/removeServiceClassModelTarget/{name}/{model}",
            "Remove a class's targets for a model",
            "target",
            by_names(changes(), |system, class, model| system.remove_target(class, model)),
        ),
        at("/removeServer/{name}", "Remove a server", "server", out(SERVERS)),
        Route {
            method: Method::Post,
            path: "/optimize",
            summary: "Plan the kept system",
            shape: takes("optimizerData", "Solution"),
            tag: "plan",
            handler: post(optimize::optimize),
        },
        Route {
            tag: "plan",
            ..at(
                "/applyAllocation",
                "Make what the last plan wants what there is",
                "done",
                on(changes(), optimize::apply),
            )
        },
    ]
}

/// The routes that a service serves.
pub fn routes(stateful: bool, compatible: bool) -> Vec<Route> {
    let mut routes = always();
    routes.extend(asking());
    if stateful {
        routes.extend(changing(compatible));
    } else if compatible {
        routes.push(concurrency("/optimize"));
    }
    routes
}

/// The router, with the document that describes it.
pub(super) fn router(optimizer: &Arc<Optimizer>) -> Router {
    let served = routes(optimizer.stateful, optimizer.is_compatible());
    let document = Arc::new(openapi::document(&served));
    let is_served: Vec<&str> = served.iter().map(|route| route.path).collect();
    let mut router = Router::new();
    for Route { path, .. } in changing(true).iter().filter(|r| !is_served.contains(&r.path)) {
        router = router.route(path, axum::routing::any(stateless));
    }
    for Route { path, handler, .. } in served {
        router = router.route(path, handler);
    }
    let openapi = async move || Json(Value::clone(&document));
    router
        .route("/openapi.json", get(openapi))
        .with_state(Arc::clone(optimizer))
        .layer(map_response(not_stored))
}

/// What a stateless service answers to those who want to change what it keeps.
async fn stateless(uri: axum::http::Uri) -> Error {
    let path = uri.path();
    let message = format!(
        "`{path}` changes a kept system, and this service keeps none; start it with --stateful (-F)"
    );
    Error::not_found(message)
}

/// Answers are those of now.
async fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
