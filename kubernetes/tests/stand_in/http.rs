//! The API over HTTP.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::StandIn;
use super::store::{Id, Refused, Write};

type Params = BTreeMap<String, String>;

pub fn router(stand_in: StandIn) -> Router {
    Router::new().fallback(handle).with_state(stand_in)
}

/// What a path names.
struct Target {
    group: String,
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
    sub: Option<String>,
}

fn target(path: &str) -> Option<Target> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("v1".to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return None,
    };
    let owned = |text: &&str| Some((*text).to_owned());
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (owned(namespace), rest),
        rest => (None, rest),
    };
    let [kind, rest @ ..] = rest else { return None };
    let known = ["deployments", "leases", "namespaces", "nodes", "pods"];
    known.contains(kind).then(|| Target {
        group,
        kind: (*kind).to_owned(),
        namespace,
        name: rest.first().and_then(owned),
        sub: rest.get(1).and_then(owned),
    })
}

async fn handle(
    State(api): State<StandIn>,
    method: Method,
    uri: Uri,
    Query(params): Query<Params>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method == Method::PATCH {
        api.faults.patches.fetch_add(1, Ordering::SeqCst);
    }
    if api.faults.strikes() {
        let gone = refusal(&Refused(500, "InternalError", "the stand-in is gone".to_owned()));
        return ([("connection", "close")], gone).into_response();
    }
    if let Some(status) = api.faults.refusal(method == Method::PATCH) {
        let reason = if status == 401 { "Unauthorized" } else { "Forbidden" };
        return refusal(&Refused(status, reason, format!("{reason}: the stand-in was told so")));
    }
    tokio::time::sleep(api.faults.wait()).await;
    let Some(target) = target(uri.path()) else {
        return refusal(&Refused(404, "NotFound", format!("no such path {}", uri.path())));
    };
    if method == Method::GET && params.get("watch").is_some_and(|w| w == "true" || w == "1") {
        return watch(api, target, &params);
    }
    let answer = match (&method, &target.name) {
        (&Method::GET, None) => list(&api, &target, &params),
        _ => object(&api, &method, &target, &params, &headers, &body),
    };
    let partial = headers.get("accept").and_then(|a| a.to_str().ok());
    let partial = partial.is_some_and(|a| a.contains("as=PartialObjectMetadata;"));
    match answer {
        Ok(value) if partial => axum::Json(json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": value["metadata"],
        }))
        .into_response(),
        Ok(value) => {
            let code = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            (code, axum::Json(value)).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

fn status(Refused(code, reason, message): &Refused) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code, "reason": reason, "message": message, "metadata": {},
    })
}

fn refusal(refused: &Refused) -> Response {
    let code = StatusCode::from_u16(refused.0).unwrap();
    (code, axum::Json(status(refused))).into_response()
}

fn object(
    api: &StandIn,
    method: &Method,
    target: &Target,
    params: &Params,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Value, Refused> {
    let bad = |e: serde_json::Error| Refused(400, "BadRequest", e.to_string());
    let body: Value = match body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(body).map_err(bad)?,
    };
    let write = Write {
        manager: params.get("fieldManager").map_or("unknown", String::as_str),
        force: params.get("force").is_some_and(|f| f == "true"),
        dry_run: params.contains_key("dryRun"),
    };
    let kind_of = headers.get("content-type").and_then(|c| c.to_str().ok()).unwrap_or("");
    let namespace = target.namespace.clone().unwrap_or_default();
    let mut store = api.store.lock().unwrap();
    let Some(name) = &target.name else {
        return store.create(&target.kind, &namespace, body, &write);
    };
    let at: Id = (target.kind.clone(), namespace.clone(), name.clone());
    match (method.as_str(), target.sub.as_deref()) {
        ("GET", None | Some("status")) => store.get(&target.kind, &namespace, name),
        ("GET", Some("scale")) => store.get(&target.kind, &namespace, name).map(|v| scale(&v)),
        ("DELETE", None) => store.delete(&at),
        ("PUT", None) => store.replace(&at, body, &write),
        ("PUT" | "PATCH", Some("status")) => store.set_status(&at, &body, &write),
        ("PUT" | "PATCH", Some("scale")) => store.set_scale(&at, &body, &write).map(|v| scale(&v)),
        ("PATCH", None) if kind_of.contains("apply-patch") => {
            if write.manager == "unknown" {
                let what = "fieldManager is required for apply patch".to_owned();
                return Err(Refused(400, "BadRequest", what));
            }
            store.apply(&at, &body, &write)
        }
        ("PATCH", None) if kind_of.contains("merge-patch") => store.merge(&at, &body, &write),
        _ => Err(Refused(405, "MethodNotAllowed", format!("{method} {name}"))),
    }
}

fn scale(deployment: &Value) -> Value {
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {
            "name": deployment["metadata"]["name"],
            "namespace": deployment["metadata"]["namespace"],
            "uid": deployment["metadata"]["uid"],
            "resourceVersion": deployment["metadata"]["resourceVersion"],
        },
        "spec": { "replicas": deployment["spec"]["replicas"] },
        "status": { "replicas": deployment["status"].get("replicas").cloned().unwrap_or(json!(0)) },
    })
}

/// `a=b,c` as selectors of labels have it.
fn selects(selector: Option<&String>, object: &Value) -> bool {
    let label = |key: &str| object["metadata"]["labels"].get(key).and_then(Value::as_str);
    let holds = |part: &str| match part.split_once('=') {
        Some((key, value)) => label(key) == Some(value.trim_start_matches('=')),
        None => label(part).is_some(),
    };
    selector.is_none_or(|s| s.split(',').filter(|p| !p.is_empty()).all(holds))
}

fn list(api: &StandIn, target: &Target, params: &Params) -> Result<Value, Refused> {
    let store = api.store.lock().unwrap();
    let gone = || Refused(410, "Expired", "The provided continue parameter is too old".to_owned());
    // A token is the version that the list began at, and the last object of the page.
    let after = match params.get("continue").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => {
            let (version, last) = token.split_once(':').ok_or_else(gone)?;
            let version: u64 = version.parse().map_err(|_| gone())?;
            if store.is_forgotten(version) {
                return Err(gone());
            }
            last.split_once('/').map(|(n, d)| (version, (n.to_owned(), d.to_owned())))
        }
    };
    let version = after.as_ref().map_or(store.version(), |(version, _)| *version);
    let all = store.list(&target.kind, target.namespace.as_deref());
    let all = all.into_iter().filter(|(id, value)| {
        let later = after.as_ref().is_none_or(|(_, last)| (&id.1, &id.2) > (&last.0, &last.1));
        later && selects(params.get("labelSelector"), value)
    });
    let limit = params.get("limit").and_then(|l| l.parse::<usize>().ok()).filter(|l| *l > 0);
    let mut rows: Vec<(Id, Value)> = all.collect();
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let Some(limit) = limit.filter(|limit| *limit < rows.len()) {
        metadata["remainingItemCount"] = json!(rows.len() - limit);
        rows.truncate(limit);
        let (_, namespace, name) = &rows[limit - 1].0;
        metadata["continue"] = json!(format!("{version}:{namespace}/{name}"));
    }
    let items: Vec<Value> = rows.into_iter().map(|(_, value)| value).collect();
    let kind = match target.kind.as_str() {
        "deployments" => "DeploymentList",
        "leases" => "LeaseList",
        "nodes" => "NodeList",
        _ => "NamespaceList",
    };
    Ok(json!({ "apiVersion": target.group, "kind": kind, "metadata": metadata, "items": items }))
}

/// Events as they come, a bookmark now and then, and an error once the version is forgotten.
fn watch(api: StandIn, target: Target, params: &Params) -> Response {
    let from = params.get("resourceVersion").and_then(|v| v.parse::<u64>().ok());
    let from = from.unwrap_or_else(|| api.store.lock().unwrap().version());
    let bookmarks = params.get("allowWatchBookmarks").is_some_and(|b| b == "true");
    let selector = params.get("labelSelector").cloned();
    let events = stream::unfold(Some((from, 0_u32)), move |state| {
        let (api, selector) = (api.clone(), selector.clone());
        let (kind, namespace, group) =
            (target.kind.clone(), target.namespace.clone(), target.group.clone());
        async move {
            let (from, idle) = state?;
            tokio::time::sleep(Duration::from_millis(20)).await;
            let store = api.store.lock().unwrap();
            if store.is_forgotten(from) {
                let gone = Refused(410, "Expired", format!("too old resource version: {from}"));
                let line = json!({ "type": "ERROR", "object": status(&gone) }).to_string() + "\n";
                return Some((Ok::<_, std::io::Error>(line), None));
            }
            let mut lines = String::new();
            for event in store.since(from) {
                let mine =
                    event.id.0 == kind && namespace.as_ref().is_none_or(|n| *n == event.id.1);
                if mine && selects(selector.as_ref(), &event.object) {
                    let row = json!({ "type": event.what, "object": event.object });
                    lines += &(row.to_string() + "\n");
                }
            }
            let (now, idle) = (store.version(), if lines.is_empty() { idle + 1 } else { 0 });
            if bookmarks && idle % 10 == 1 {
                let kind = match kind.as_str() {
                    "deployments" => "Deployment",
                    "leases" => "Lease",
                    "nodes" => "Node",
                    _ => "Namespace",
                };
                let metadata = json!({ "resourceVersion": now.to_string() });
                let mark = json!({ "apiVersion": group, "kind": kind, "metadata": metadata });
                lines += &(json!({ "type": "BOOKMARK", "object": mark }).to_string() + "\n");
            }
            Some((Ok(lines), Some((now, idle))))
        }
    });
    ([("content-type", "application/json")], Body::from_stream(events)).into_response()
}
