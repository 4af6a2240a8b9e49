//! The routes that plan.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, Response};
use isocost_model::Scenario;
use isocost_model::export::{Export, json_text};
use isocost_model::input::{self, Loaded};
use isocost_report::Input;
use isocost_solver::Interrupt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{self, Json, written};
use crate::compatible::answer::solution;
use crate::compatible::{self, lenient};
use crate::handlers::parsed;
use crate::http::{Deadline, Error, Text};
use crate::planning::{Place, Planned, Planner, Until};
use crate::{Optimizer, analyser, answer::plan};

/// What messages call the body of a request, whatever content type its client names: the reader tells JSON
/// from YAML by how it begins.
pub const BODY: &str = "body";
/// The same of a body that had to be read otherwise than it stands.
const AS_READ: &str = "body, as it is read";
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

/// A request to plan, as it is read.
struct Asked {
    factors: Factors,
    deadline: Deadline,
}

impl Asked {
    /// Reads a scenario, changes it and plans; on the thread that it is called on.
    fn planned(
        &self,
        planner: &Planner,
        (name, text): (&str, &str),
        interrupt: Interrupt,
    ) -> Result<(Planned, Vec<input::Problem>), Error> {
        let Loaded { mut scenario, warnings } = input::load_text(name, text)?;
        self.factors.apply(&mut scenario);
        if planner.options().compatible {
            compatible::newcomers(&mut scenario);
        }
        let until = until(self.deadline, interrupt);
        let planned = planner.plan(scenario, &until).map_err(|error| {
            tracing::error!(%error, "planning failed");
            Error::failed(error)
        })?;
        Ok((planned, warnings))
    }

    /// The answer to a scenario.
    fn answer(
        &self,
        planner: &Planner,
        document: (&str, &str),
        interrupt: Interrupt,
    ) -> Result<Value, Error> {
        if planner.options().compatible {
            return self.compatible(planner, document, interrupt);
        }
        let (planned, warnings) = self.planned(planner, document, interrupt)?;
        Ok(plan(&planned, warnings))
    }

    /// The same as the reference's optimizer gives it.
    fn compatible(
        &self,
        planner: &Planner,
        (name, text): (&str, &str),
        interrupt: Interrupt,
    ) -> Result<Value, Error> {
        if !is_json(text) {
            let what = "body: it is no JSON, as the reference's clients send it; leave --compatible out to send YAML";
            return Err(Error::input(what));
        }
        let sent = parsed(text)?;
        let read = lenient::read(&sent);
        if !read.lost.is_empty() {
            return solution(&Value::Null, &[], read.lost);
        }
        if read.servers.is_empty() {
            return Ok(json!({"allocations": {}}));
        }
        // Places of what is wrong are those of the body where nothing had to be read otherwise.
        let as_read = json_text(&read.scenario);
        let is_as_sent = read.scenario == sent;
        let document = if is_as_sent { (name, text) } else { (AS_READ, as_read.as_str()) };
        let (planned, warnings) = self.planned(planner, document, interrupt)?;
        solution(&plan(&planned, warnings), &read.servers, read.lost)
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// `POST /optimizeOne`.
pub async fn optimize_one(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    uri: Uri,
    Text(text): Text,
) -> Result<Response, Error> {
    let asked = Asked { factors: Factors::of(&uri)?, deadline };
    let is_compatible = optimizer.is_compatible();
    let work = move |planner: &Planner, interrupt| {
        let answer = asked.answer(planner, (BODY, &text), interrupt);
        (text, answer.map(|answer| answer::text(&answer)))
    };
    let (text, answer) = optimizer.planner.run(Place::Plan, deadline.0, work).await?;
    // YAML is planned for as it stands, and not kept; where it leaves somebody out the reference keeps the system.
    let kept = match &answer {
        Ok(answer) => Some(answer.clone()),
        Err(error) if is_compatible && error.status == StatusCode::NOT_FOUND => {
            Some(Bytes::from_static(b"{}"))
        }
        Err(_) => None,
    };
    if let Some(kept) = kept.filter(|_| is_json(&text)) {
        optimizer.kept(|system| system.planned_for(Bytes::from(text), kept));
    }
    answer.map(written)
}

/// `POST /optimize`: the kept system, with the options in the body, else those kept.
pub async fn optimize(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    Text(text): Text,
) -> Result<Json, Error> {
    let is_compatible = optimizer.is_compatible();
    if text.trim().is_empty() && is_compatible {
        return Err(Error::input("body: there is none; send the optimizer's options"));
    }
    let work = move |optimizer: &Optimizer| {
        let options = if text.trim().is_empty() { None } else { Some(parsed(&text)?) };
        if is_compatible && options.as_ref().is_some_and(compatible::is_of_the_analyser) {
            return Ok(Err(text));
        }
        let scenario = optimizer.kept(|kept| {
            let system = kept.system();
            options.into_iter().for_each(|options| system.set_optimizer(options));
            system.scenario()
        });
        Ok(Ok(scenario))
    };
    let scenario = match optimizer.off(deadline, work).await? {
        Ok(scenario) => scenario,
        Err(text) => return analyser::best_batch(&optimizer, deadline, text).await,
    };
    let asked = Asked { factors: Factors::default(), deadline };
    let work =
        move |planner: &Planner, interrupt| asked.answer(planner, (KEPT, &scenario), interrupt);
    let answer = optimizer.planner.run(Place::Plan, deadline.0, work).await??;
    optimizer.kept(|kept| kept.system().desire(&answer));
    Ok(Json(answer))
}

/// `/applyAllocation`.
pub async fn apply(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
) -> Result<Json, Error> {
    let work = |optimizer: &Optimizer| optimizer.kept(|kept| kept.system().apply());
    optimizer.off(deadline, work).await?;
    Ok(Json(json!("Done")))
}

/// `GET /getSystem`: the text that messages about the kept system point into.
pub async fn system(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
) -> Result<Response, Error> {
    let work = |optimizer: &Optimizer| Ok(optimizer.kept(|kept| kept.system().scenario()));
    optimizer.off(deadline, work).await.map(|text| written(text.into()))
}

/// `POST /report`: the plan as a page for people, with why it is as it is.
pub async fn report(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    uri: Uri,
    Text(text): Text,
) -> Result<Html<String>, Error> {
    let asked = Asked { factors: Factors::of(&uri)?, deadline };
    let work = move |planner: &Planner, interrupt: Interrupt| {
        let (planned, _) = asked.planned(planner, (BODY, &text), interrupt.clone())?;
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
    optimizer.planner.run(Place::Plan, deadline.0, work).await?.map(Html)
}
