//! The routes of controller, collector and actuator.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::dashboard;
use super::invoke::{Invoker, NotNow};
use super::record::{Applied, Record};
use crate::actuate::{Actuator, Done, Ledger, changes_of};
use crate::cluster::Cluster;
use crate::collect::Collector;
use crate::collect::wire::{ServerActuatorInfo, ServerCollectorInfo};
use crate::http::Error;

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

/// `POST /update`.
pub fn actuator(cluster: Cluster, actuator: Actuator) -> Router {
    Router::new().route("/update", post(update)).with_state(Arc::new((cluster, actuator)))
}

async fn update(
    State(parts): State<Arc<(Cluster, Actuator)>>,
    body: String,
) -> Result<Json<Value>, Error> {
    let (cluster, actuator) = &*parts;
    let info: ServerActuatorInfo = serde_json::from_str(&body).map_err(|e| {
        Error::input(format!(
            "{e}; expected {{\"allocations\": {{...}}, \"kube-resources\": {{...}}}}"
        ))
    })?;
    let listing = cluster.list().await;
    let listing = listing.map_err(|e| Error::new(StatusCode::BAD_GATEWAY, e))?;
    let (changes, errors) = changes_of(&info, &listing.managed);
    let done = actuator.apply(changes, Ledger::default(), || true).await;
    let applied: Vec<Applied> =
        done.iter().map(|Done { change, outcome }| Applied::new(&change.server, outcome)).collect();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Ok(Json(json!({ "applied": applied, "errors": errors })))
}
