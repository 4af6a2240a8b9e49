//! The routes of controller, collector and actuator.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::dashboard;
use super::invoke::{Invoker, NotNow};
use super::record::{Applied, Record};
use crate::actuate::{Actuator, Done, Ledger, changes_of};
use crate::cluster::{Cluster, ClusterError};
use crate::collect::Collector;
use crate::collect::wire::{ServerActuatorInfo, ServerCollectorInfo};
use isocost_serve::http::Error;

/// `GET` and `POST /invoke`, `GET /cycles`, the page at `/`.
pub fn controller(invoker: Arc<Invoker>) -> Router {
    Router::new()
        .route("/invoke", get(invoke).post(invoke))
        .route("/cycles", get(async |State(i): State<Arc<Invoker>>| Json(records(&i))))
        .route("/", get(page))
        .route("/style.css", get(async || ([(CONTENT_TYPE, "text/css")], dashboard::STYLE)))
        .with_state(invoker)
}

async fn invoke(State(invoker): State<Arc<Invoker>>) -> Result<Json<Record>, Error> {
    match invoker.invoke().await {
        Ok(record) => Ok(Json((*record).clone())),
        Err(NotNow::Failed) => Err(Error::failed(NotNow::Failed)),
        Err(not_now) => Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, not_now)),
    }
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
