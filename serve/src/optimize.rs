//! The routes that plan.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::{Html, Response};
use isocost_model::Scenario;
use isocost_model::export::Export;
use isocost_model::input::{self, Loaded};
use isocost_report::Input;
use isocost_solver::Interrupt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{self, Json, written};
use crate::http::{Deadline, Error, Text};
use crate::planning::{Planned, Planner, Until};
use crate::routes::parsed;
use crate::{Optimizer, answer::plan};

/// What messages call the body of a request, whatever content type its client names: the reader tells JSON
/// from YAML by how it begins.
pub const BODY: &str = "body";
/// What messages call the kept system: where it can be seen.
const KEPT: &str = "/getSystem";
/// Share of what is left of a request's time that planning may take; the rest is for the answer.
const SHARE: f64 = 0.9;
/// Longest that a report's explanation may take.
const EXPLAINING: Duration = Duration::from_secs(5);
/// Factors on loads and capacities above this are a mistake.
const MOST: f64 = 1000.0;

/// Factors on the scenario, from the query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Factors {
    load: f64,
    capacity: f64,
}

impl Default for Factors {
    fn default() -> Self {
        Self { load: 1.0, capacity: 1.0 }
    }
}

impl Factors {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let Query(factors) = Query::<Self>::try_from_uri(uri).map_err(|e| {
            Error::input(format!(
                "query: {e}; expected load and capacity, factors of at most {MOST}"
            ))
        })?;
        for (name, value) in [("load", factors.load), ("capacity", factors.capacity)] {
            if !(value > 0.0 && value <= MOST) {
                let what = format!("query: {name}: {value} is out of range");
                return Err(Error::input(format!(
                    "{what}; expected a factor above 0, at most {MOST}"
                )));
            }
        }
        Ok(factors)
    }

    fn apply(self, scenario: &mut Scenario) {
        let servers = scenario.servers.iter_mut();
        servers.for_each(|server| server.load.arrival_rate_per_min *= self.load);
        scenario.card_types.iter_mut().for_each(|card| card.scale(self.capacity));
    }
}

fn until(deadline: Deadline, interrupt: Interrupt) -> Until {
    Until { limit: Some(deadline.left().mul_f64(SHARE)), interrupt }
}

/// Reads, changes and plans; on the thread that it is called on.
fn planned(
    planner: &Planner,
    name: &str,
    text: &str,
    factors: Factors,
    until: &Until,
) -> Result<(Planned, Vec<input::Problem>), Error> {
    let Loaded { mut scenario, warnings } = input::load_text(name, text)?;
    factors.apply(&mut scenario);
    let planned = planner.plan(scenario, until).map_err(|error| {
        tracing::error!(%error, "planning failed");
        Error::failed(error)
    })?;
    Ok((planned, warnings))
}

/// `POST /optimizeOne`.
pub async fn optimize_one(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    uri: Uri,
    Text(text): Text,
) -> Result<Response, Error> {
    let factors = Factors::of(&uri)?;
    let work = move |planner: &Planner, interrupt| {
        let until = until(deadline, interrupt);
        let (planned, warnings) = planned(planner, BODY, &text, factors, &until)?;
        Ok::<_, Error>((text, answer::text(&plan(&planned, warnings))))
    };
    let (text, answer) = optimizer.planner.run(work).await?;
    // YAML is planned for as it stands, and not kept.
    if text.trim_start().starts_with('{') {
        optimizer.kept(|kept| kept.planned_for(Bytes::from(text), answer.clone()));
    }
    Ok(written(answer))
}

/// `POST /optimize`: the kept system, with the options in the body, else those kept.
pub async fn optimize(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    Text(text): Text,
) -> Result<Json, Error> {
    let asked = if text.trim().is_empty() { None } else { Some(parsed(&text)?) };
    let scenario = optimizer.kept(|kept| {
        let system = kept.system();
        asked.into_iter().for_each(|asked| system.set_optimizer(asked));
        system.scenario()
    });
    let work = move |planner: &Planner, interrupt| {
        let text = String::from_utf8_lossy(&answer::text(&scenario)).into_owned();
        let until = until(deadline, interrupt);
        let (planned, warnings) = planned(planner, KEPT, &text, Factors::default(), &until)?;
        Ok::<_, Error>(plan(&planned, warnings))
    };
    let answer = optimizer.planner.run(work).await?;
    optimizer.kept(|kept| kept.system().desire(&answer));
    Ok(Json(answer))
}

/// `GET /applyAllocation`.
pub async fn apply(State(optimizer): State<Arc<Optimizer>>) -> Result<Json, Error> {
    optimizer.kept(|kept| kept.system().apply())?;
    Ok(Json(json!("Done")))
}

/// `GET /getSystem`: the text that messages about the kept system point into.
pub async fn system(State(optimizer): State<Arc<Optimizer>>) -> Json {
    let system: Value = optimizer.kept(|kept| kept.system().scenario());
    Json(system)
}

/// `POST /report`: the plan as a page for people, with why it is as it is.
pub async fn report(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    uri: Uri,
    Text(text): Text,
) -> Result<Html<String>, Error> {
    let factors = Factors::of(&uri)?;
    let work = move |planner: &Planner, interrupt: Interrupt| {
        let until = until(deadline, interrupt.clone());
        let (planned, _) = planned(planner, BODY, &text, factors, &until)?;
        let limit = Some(EXPLAINING.min(deadline.left().mul_f64(0.5)));
        let explanation = planner.explain(&planned, &Until { limit, interrupt });
        let explanation = explanation.map_err(Error::failed)?;
        let Export { scenario, candidates, plan, timing } = planned.export();
        Ok::<_, Error>(isocost_report::html(&Input {
            name: "the scenario",
            scenario,
            sizing: &planner.options().sizing,
            candidates,
            plan,
            explanation: explanation.as_ref(),
            timing,
        }))
    };
    optimizer.planner.run(work).await.map(Html)
}
