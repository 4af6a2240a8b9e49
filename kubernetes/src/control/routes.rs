//! The routes of controller, collector and actuator.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::json;

use super::dashboard;
use super::invoke::{Invoker, NotNow};
use super::leader::Candidate;
use super::record::{Applied, Record};
use crate::actuate::{Actuator, Done, Ledger, changes_of};
use crate::cluster::{Cluster, ClusterError, describe};
use crate::collect::wire::{ServerActuatorInfo, ServerCollectorInfo};
use crate::collect::{Bounded, Collector};
use isocost_serve::http::Error;

/// What a request carries that a replica has passed on.
const PASSED_ON: &str = "x-isocost-passed-on";
/// Longest that a request that was passed on may take: more than a cycle takes.
const PASSED_ON_WAIT: Duration = Duration::from_secs(120);

/// `GET` and `POST /invoke`, `GET /cycles`, `GET /desired/NAMESPACE/DEPLOYMENT`, the page at `/`. A replica that
/// stands by passes the first and the third on to the one that acts.
pub fn controller(invoker: Arc<Invoker>) -> Router {
    Router::new()
        .route("/invoke", get(invoke).post(invoke))
        .route("/desired/{namespace}/{deployment}", get(desired))
        .route("/cycles", get(async |State(i): State<Arc<Invoker>>| Json(records(&i))))
        .route("/", get(page))
        .route("/style.css", get(async || ([(CONTENT_TYPE, "text/css")], dashboard::STYLE)))
        .with_state(invoker)
}

/// 200 where the cycle did what it decided on, or a part of it; 502 with its record where it decided nothing, or
/// failed with every change.
async fn invoke(
    State(invoker): State<Arc<Invoker>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    match invoker.invoke().await {
        Ok(record) => {
            let code = if record.succeeded() { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
            Ok((code, Json((*record).clone())).into_response())
        }
        Err(NotNow::Failed) => Err(Error::failed(NotNow::Failed)),
        Err(not_now @ NotNow::NotLeader(_)) => pass_on(&invoker, &uri, &headers, not_now).await,
        Err(not_now) => Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, not_now)),
    }
}

/// The replicas that a Deployment is to have by the last cycle that decided, for autoscalers.
async fn desired(
    State(invoker): State<Arc<Invoker>>,
    Path((namespace, deployment)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if !invoker.is_leader() {
        let holder = invoker.candidate.as_ref().and_then(Candidate::holder);
        return pass_on(&invoker, &uri, &headers, NotNow::NotLeader(holder)).await;
    }
    let history = invoker.history();
    let last = history.iter().find(|record| record.decided_at_all());
    let last = last.ok_or_else(|| {
        Error::new(StatusCode::SERVICE_UNAVAILABLE, "no cycle has decided anything yet")
    })?;
    let wanted = format!("{namespace}/{deployment}");
    let found = last.desired().find(|(_, of, _)| *of == wanted);
    let (server, _, replicas) = found.ok_or_else(|| {
        Error::not_found(format!("{wanted} is not planned; GET /cycles says what was left alone"))
    })?;
    Ok(Json(json!({ "server": server, "desired_replicas": replicas })).into_response())
}

/// Has the replica that acts answer.
async fn pass_on(
    invoker: &Invoker,
    uri: &Uri,
    headers: &HeaderMap,
    not_now: NotNow,
) -> Result<Response, Error> {
    let here = || Error::new(StatusCode::SERVICE_UNAVAILABLE, &not_now);
    let address = invoker.candidate.as_ref().and_then(Candidate::address);
    let address = address.filter(|_| !headers.contains_key(PASSED_ON)).ok_or_else(here)?;
    let failed = |what: String| {
        Error::new(StatusCode::SERVICE_UNAVAILABLE, format!("{not_now}, at {address}: {what}"))
    };
    let client = reqwest::Client::builder().timeout(PASSED_ON_WAIT).build();
    let client = client.map_err(|e| failed(describe(&e)))?;
    let path = uri.path();
    let method = if path == "/invoke" { Method::POST } else { Method::GET };
    let mut request = client.request(method, format!("{}{path}", address.trim_end_matches('/')));
    request = request.header(PASSED_ON, "1");
    if let Some(token) = headers.get(AUTHORIZATION) {
        request = request.header(AUTHORIZATION, token.clone());
    }
    let answer = request.send().await.map_err(|e| failed(describe(&e)))?;
    let code = answer.status();
    let body = answer.bounded().await.map_err(failed)?;
    Ok((code, [(CONTENT_TYPE, "application/json")], body).into_response())
}

fn records(invoker: &Invoker) -> Vec<Record> {
    invoker.history().iter().map(|record| (**record).clone()).collect()
}

async fn page(State(invoker): State<Arc<Invoker>>) -> Response {
    let html = dashboard::page(&invoker.holder, invoker.is_leader(), &invoker.history());
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, dashboard::POLICY)];
    (headers, html).into_response()
}

/// `GET /collect`.
pub fn collector(collector: Collector) -> Router {
    let collect = async |State(collector): State<Arc<Collector>>| match collector.collect().await {
        Ok(observed) => Ok(Json(ServerCollectorInfo::from(&observed))),
        Err(error) => Err(Error::new(StatusCode::BAD_GATEWAY, error)),
    };
    Router::new().route("/collect", get(collect)).with_state(Arc::new(collector))
}

/// What `GET /collect` answers, as text.
///
/// # Errors
/// Where the Deployments cannot be listed.
pub async fn collected(collector: &Collector) -> Result<String, ClusterError> {
    let info = ServerCollectorInfo::from(&collector.collect().await?);
    // Plain structs with string keys always serialise.
    Ok(serde_json::to_string_pretty(&info).unwrap_or_default() + "\n")
}

/// `POST /update`.
pub fn actuator(cluster: Cluster, actuator: Actuator) -> Router {
    Router::new().route("/update", post(update)).with_state(Arc::new((cluster, actuator)))
}

async fn update(
    State(parts): State<Arc<(Cluster, Actuator)>>,
    body: String,
) -> Result<Json<Updated>, Error> {
    carry_out(&parts.0, &parts.1, &body).await.map(Json)
}

/// Carries out the body of a `POST /update`; what became of it as text, and whether all of it is done.
///
/// # Errors
/// A body that cannot be read, or a cluster that cannot be asked.
pub async fn updated(
    cluster: &Cluster,
    actuator: &Actuator,
    body: &str,
) -> Result<(String, bool), Error> {
    let updated = carry_out(cluster, actuator, body).await?;
    let failed = updated.applied.iter().any(|applied| applied.error.is_some());
    let complete = updated.errors.is_empty() && !failed;
    Ok((serde_json::to_string_pretty(&updated).unwrap_or_default() + "\n", complete))
}

/// What became of an update.
#[derive(Serialize)]
struct Updated {
    applied: Vec<Applied>,
    errors: Vec<String>,
}

async fn carry_out(cluster: &Cluster, actuator: &Actuator, body: &str) -> Result<Updated, Error> {
    let info: ServerActuatorInfo = serde_json::from_str(body).map_err(|e| {
        Error::input(format!(
            "{e}; expected {{\"allocations\": {{...}}, \"kube-resources\": {{...}}}}"
        ))
    })?;
    let listing = cluster.list().await;
    let listing = listing.map_err(|e| Error::new(StatusCode::BAD_GATEWAY, e))?;
    let (changes, errors) = changes_of(&info, &listing.managed);
    let done = actuator.apply(changes, Ledger::default(), || true).await;
    let applied =
        done.iter().map(|Done { change, outcome }| Applied::new(&change.server, outcome)).collect();
    Ok(Updated { applied, errors: errors.iter().map(ToString::to_string).collect() })
}
