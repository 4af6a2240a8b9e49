//! Every route in one table, from which the router and `/openapi.json` are made.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use isocost_model::input::InputError;
use isocost_model::input::reading::{Report, parse};
use serde_json::{Value, json};

use crate::answer::Json;
use crate::http::{Error, Text};
use crate::optimize::{self, BODY};
use crate::system::{ACCELERATORS, CAPACITIES, CLASSES, MODELS, SERVERS, Section, System};
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

type Kept = State<Arc<Optimizer>>;

/// JSON as the model's reader takes it: every problem of its form, with its place.
///
/// # Errors
/// The problems.
pub fn parsed(text: &str) -> Result<Value, Error> {
    let mut report = Report::default();
    let read = parse(BODY, text, &mut report);
    match read.filter(|_| report.problems.is_empty()) {
        Some(_) => serde_json::from_str(text).map_err(|e| Error::input(format!("{BODY}: {e}"))),
        None => Err(InputError { problems: report.problems }.into()),
    }
}

/// Asks the kept system.
fn ask(of: fn(&mut System) -> Value) -> MethodRouter<Arc<Optimizer>> {
    get(async move |State(optimizer): Kept| Json(optimizer.kept(|kept| of(kept.system()))))
}

/// Asks or changes the kept system by a name in the path.
fn by_name(
    of: impl Fn(&mut System, &str) -> Result<Value, Error> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Optimizer>> {
    get(async move |State(optimizer): Kept, Path(name): Path<String>| {
        optimizer.kept(|kept| of(kept.system(), &name)).map(Json)
    })
}

/// The same by two names.
fn by_names(
    of: fn(&mut System, &str, &str) -> Result<Value, Error>,
) -> MethodRouter<Arc<Optimizer>> {
    get(async move |State(optimizer): Kept, Path((a, b)): Path<(String, String)>| {
        optimizer.kept(|kept| of(kept.system(), &a, &b)).map(Json)
    })
}

/// Changes the kept system by a body.
fn by_body(
    of: impl Fn(&mut System, &Value) -> Result<(), Error> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Optimizer>> {
    post(async move |State(optimizer): Kept, Text(text): Text| {
        let body = parsed(&text)?;
        optimizer.kept(|kept| of(kept.system(), &body))?;
        Ok::<_, Error>(Json(body))
    })
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
        route(
            Post,
            "/optimize-concurrency",
            "The least batch size near the best rate",
            "replica",
            takes("Asked", "Analysed"),
            post(analyser::concurrency),
        ),
    ]
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
    let one = |section: Section| by_name(move |system, name| system.get(section, name));
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
        route("/getModels", "Names of the models", "names", ask(|s| json!(s.models()))),
        route(
            "/getModel/{name}",
            "How a model runs on each accelerator",
            "modelData",
            by_name(|s, name| s.model(name)),
        ),
        route(
            "/getModelAcceleratorPerf/{name}/{acc}",
            "How a model runs on an accelerator",
            "model-on-an-accelerator",
            by_names(|s, model, acc| s.perf(model, acc)),
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
            by_names(|s, class, model| s.target(class, model)),
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

/// What changes it: of a stateful service.
fn changing() -> Vec<Route> {
    let at = |path, summary, answer, handler| Route {
        method: Method::Get,
        path,
        summary,
        shape: gives(answer),
        tag: "system",
        handler,
    };
    let sent = |path, summary, body, handler| Route {
        method: Method::Post,
        path,
        summary,
        shape: takes(body, body),
        tag: "system",
        handler,
    };
    let all = |section: Section| by_body(move |system, body| system.set_all(section, body));
    let put = |section: Section| by_body(move |system, body| system.put(section, body));
    let out = |section: Section| by_name(move |system, name| system.remove(section, name));
    let targets = || by_body(|system, body| system.put_targets(body).map(drop));
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
            by_body(|system, body| system.put_perf(body)),
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
            by_name(|system, name| {
                system.add_model(name);
                Ok(json!(name))
            }),
        ),
        at(
            "/addServiceClass/{name}",
            "Add a class of the lowest priority",
            "service-class",
            by_name(|system, name| system.add_class(name, "")),
        ),
        at(
            "/addServiceClass/{name}/{priority}",
            "Add a class, or give it another priority",
            "service-class",
            by_names(|system, name, priority| system.add_class(name, priority)),
        ),
        at("/removeAccelerator/{name}", "Remove one", "accelerator", out(ACCELERATORS)),
        at("/removeCapacity/{type}", "Remove a type's cards", "capacity", out(CAPACITIES)),
        at(
            "/removeModel/{name}",
            "Remove a model",
            "name",
            by_name(|system, name| system.remove_model(name).map(|()| json!(name))),
        ),
        at(
            "/removeModelAcceleratorPerf/{name}/{acc}",
            "Remove how a model runs on an accelerator",
            "model-on-an-accelerator",
            by_names(|system, model, acc| system.remove_perf(model, acc)),
        ),
        at("/removeServiceClass/{name}", "Remove a class", "service-class", out(CLASSES)),
        at(
            "/removeServiceClassModelTarget/{name}/{model}",
            "Remove a class's targets for a model",
            "target",
            by_names(|system, class, model| system.remove_target(class, model)),
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
            method: Method::Get,
            path: "/applyAllocation",
            summary: "Make what the last plan wants what there is",
            shape: gives("done"),
            tag: "plan",
            handler: get(optimize::apply),
        },
    ]
}

/// The routes that a service serves.
pub fn routes(stateful: bool) -> Vec<Route> {
    let mut routes = always();
    routes.extend(asking());
    if stateful {
        routes.extend(changing());
    }
    routes
}

/// The router, with the document that describes it.
pub(super) fn router(optimizer: &Arc<Optimizer>) -> Router {
    let document = Json(openapi::document(&routes(optimizer.stateful)));
    let document = Arc::new(document.0);
    let mut router = Router::new();
    for Route { path, handler, .. } in routes(optimizer.stateful) {
        router = router.route(path, handler);
    }
    if !optimizer.stateful {
        for Route { path, .. } in changing() {
            router = router.route(path, axum::routing::any(stateless));
        }
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
