//! Every request counted, timed and logged, and the metrics as Prometheus reads them.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::{Error, Registry};

/// Upper ends of the buckets of a latency, s.
const LATENCIES_S: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// What is counted of requests. Routes are their patterns, so that clients cannot make series.
#[derive(Debug, Clone)]
pub struct Observer {
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

impl Observer {
    pub fn new(registry: &mut Registry) -> Self {
        let observer = Self {
            answered: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(LATENCIES_S)),
            in_flight: Gauge::default(),
        };
        let Self { answered, seconds, in_flight } = observer.clone();
        registry.register("http_requests", "Requests answered", answered);
        registry.register("http_request_seconds", "Time until the answer began", seconds);
        registry.register("http_requests_in_flight", "Requests in work", in_flight);
        observer
    }
}

/// Status that a request is counted under whose client went away.
const GONE: u16 = 499;

/// A request in work for as long as it lives: also where its client goes away.
struct InWork<'a> {
    observer: &'a Observer,
    route: String,
    method: &'static str,
    status: u16,
    start: Instant,
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        let Self { observer, route, method, status, start } = self;
        let (method, status, seconds) = (*method, *status, start.elapsed().as_secs_f64());
        observer.in_flight.dec();
        let ms = seconds * 1e3;
        match status {
            500.. => tracing::warn!(method, route, status, ms, "answered"),
            GONE => tracing::info!(method, route, status, ms, "the client went away"),
            _ if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") => {
                tracing::debug!(method, route, status, ms, "answered");
            }
            _ => tracing::info!(method, route, status, ms, "answered"),
        }
        let route = std::mem::take(route);
        let labels = Route { route: route.clone() };
        observer.seconds.get_or_create(&labels).observe(seconds);
        observer.answered.get_or_create(&Answered { route, method, status }).inc();
    }
}

/// Labels have few values, whatever a client sends.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

pub async fn observed(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    observer.in_flight.inc();
    let pattern = request.extensions().get::<MatchedPath>();
    let route = pattern.map_or("other", MatchedPath::as_str).to_owned();
    let (method, start) = (word(request.method()), Instant::now());
    let mut work = InWork { observer: &observer, route, method, status: GONE, start };
    let response = next.run(request).await;
    work.status = response.status().as_u16();
    drop(work);
    response
}

/// `GET /metrics`.
pub fn metrics_route(registry: Registry) -> Router {
    let metrics = async |State(registry): State<Arc<Registry>>| {
        let mut text = String::new();
        match encode(&mut text, &registry) {
            Ok(()) => {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                ([(CONTENT_TYPE, kind)], text).into_response()
            }
            Err(error) => Error::failed(error).into_response(),
        }
    };
    Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry))
}
