//! A plan as its client gets it: what `plan.json` holds, what is known of serving every server, and why not.

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use isocost_model::export::{json_text, plan_value};
use isocost_model::input;
use serde_json::{Value, json};

use crate::http::Problem;
use crate::planning::Planned;

/// JSON, indented.
pub struct Json(pub Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        written(text(&self.0))
    }
}

/// An answer that is written already.
pub fn written(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

/// A value as indented text.
pub fn text(value: &Value) -> Bytes {
    json_text(value).into()
}

/// The answer to `/optimizeOne` and `/optimize`. Where not every server can be served, `status` is
/// infeasible, `reasons` says why, and the allocations are those of the best partial plan, of which
/// `partial` says what is known.
pub fn plan(planned: &Planned, warnings: Vec<input::Problem>) -> Value {
    let mut answer = plan_value(&planned.export());
    answer["status"] = json!(planned.status.word());
    if !planned.reasons.is_empty() {
        answer["reasons"] = json!(planned.reasons);
    }
    if planned.is_partial() {
        answer["partial"] = json!({
            "status": planned.plan.status.word(),
            "notServedInFull": not_in_full(planned),
        });
    }
    if !warnings.is_empty() {
        let warnings: Vec<Problem> = warnings.into_iter().map(Problem::from).collect();
        answer["warnings"] = json!(warnings);
    }
    answer
}

/// Servers of a partial plan that lack something, with the share of their load that is served.
fn not_in_full(planned: &Planned) -> Value {
    let servers = planned.fleet.scenario.servers.iter().zip(&planned.plan.placements);
    let lacking = servers.filter(|(_, placement)| placement.served_share < 1.0 - 1e-9);
    let entries = lacking.map(
        |(server, placement)| json!({"server": server.name, "servedShare": placement.served_share}),
    );
    Value::Array(entries.collect())
}
