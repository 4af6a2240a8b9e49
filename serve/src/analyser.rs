//! The queue analyser: what one replica does at a rate, and what rate or batch size its targets allow.
//!
//! Three parameters (alpha, beta, gamma) are the iteration model; with delta it is the linear one. Rates come by
//! the second (`RPS`) or by the minute (`RPM`), and go out as both.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use isocost_model::input::InputError;
use isocost_model::input::reading::{ABSURD, Fields, Report, parse_fleet};
use isocost_model::queue::{
    Analysis, Iteration, Linear, MAX_BATCH, Objective, Objectives, ServiceModel, Shortfall, Sized,
    Station, TokenRate,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::Optimizer;
use crate::answer::Json;
use crate::http::{Deadline, Error, Text};
use crate::optimize::BODY;
use crate::planning::{Place, Planner};
use isocost_model::candidates::BatchChoice;

/// Most requests that may wait, and most tokens of one, that make sense.
const MANY: u32 = 100_000_000;
/// Share of the service rate at a full batch up to which a replica is steady, as sizing has it.
const STEADY: f64 = 0.999;
/// Share of the best rate that a smaller batch may give up, where the service itself takes the largest.
const TOLERANCE: f64 = 0.02;

/// Largest batch size up to which all are compared: engines run some hundreds at a time.
const MOST_SIZED: u32 = 4_096;
/// Figures of a batch size that meets nothing.
const ZERO: [&str; 7] =
    ["throughput", "avgRespTime", "avgWaitTime", "avgNumInServ", "avgTTFT", "avgITL", "maxRPS"];

/// What is asked. Keys compare without case.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema is made from it; bodies are read field by field")]
#[schema(rename_all = "camelCase")]
pub struct Asked {
    /// alpha, ms.
    alpha: f64,
    /// beta, ms.
    #[schema(required = false)]
    beta: f64,
    /// gamma, ms.
    #[schema(required = false)]
    gamma: f64,
    /// delta, ms: with it the service model is the linear one.
    delta: Option<f64>,
    /// Largest batch size.
    max_batch_size: u32,
    /// Requests that may wait; without it the service's own limit.
    max_queue_size: Option<u32>,
    /// Mean tokens of a prompt.
    #[schema(required = false)]
    avg_input_tokens: f64,
    /// Mean tokens of an answer.
    avg_output_tokens: f64,
    /// Arrival rate, requests per second; for `/solve` this or `RPM`.
    #[schema(rename = "RPS")]
    rps: Option<f64>,
    /// Arrival rate, requests per minute.
    #[schema(rename = "RPM")]
    rpm: Option<f64>,
    /// Largest mean time to first token, ms; 0 is none.
    #[schema(rename = "targetTTFT")]
    target_ttft: Option<f64>,
    /// Largest mean inter-token latency, ms; 0 is none.
    #[schema(rename = "targetITL")]
    target_itl: Option<f64>,
    /// Tokens per second that the server as a whole has to produce; 0 is none.
    #[schema(rename = "targetTPS")]
    target_tps: Option<f64>,
}

/// What a replica does at a rate.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analysed {
    /// Whether every target is met.
    feasible: bool,
    /// Batch size.
    concurrency: u32,
    /// Arrival rate, requests per second.
    #[serde(rename = "offeredRPS")]
    offered_rps: f64,
    /// Requests per second that are served.
    throughput: f64,
    /// The same by the minute.
    #[serde(rename = "throughputRPM")]
    throughput_rpm: f64,
    /// Mean wait and service time, ms.
    avg_resp_time: f64,
    /// Mean wait, ms.
    avg_wait_time: f64,
    /// Mean requests in service.
    avg_num_in_serv: f64,
    /// Mean requests in service and waiting.
    avg_num_in_system: f64,
    /// Mean time to first token, ms.
    #[serde(rename = "avgTTFT")]
    avg_ttft: f64,
    /// Mean inter-token latency, ms.
    #[serde(rename = "avgITL")]
    avg_itl: f64,
    /// Share of the batch in use.
    utilisation: f64,
    /// Share of the requests that are turned away.
    loss_probability: f64,
    /// Largest steady rate, requests per second.
    #[serde(rename = "maxRPS")]
    max_rps: f64,
    /// The same by the minute.
    #[serde(rename = "maxRPM")]
    max_rpm: f64,
}

impl Analysed {
    fn new(a: &Analysis) -> Self {
        let max_rps = a.capacity_per_s * STEADY;
        Self {
            feasible: true,
            concurrency: a.batch,
            offered_rps: a.rate_per_s,
            throughput: a.throughput_per_s,
            throughput_rpm: a.throughput_per_s * 60.0,
            avg_resp_time: a.mean_response_ms,
            avg_wait_time: a.mean_wait_ms,
            avg_num_in_serv: a.mean_in_service,
            avg_num_in_system: a.mean_in_system,
            avg_ttft: a.ttft_ms,
            avg_itl: a.itl_ms,
            utilisation: a.utilisation,
            loss_probability: a.loss_probability,
            max_rps,
            max_rpm: max_rps * 60.0,
        }
    }
}

/// A body that was read.
struct Read {
    station: Station,
    max_batch: u32,
    rate_per_s: Option<f64>,
    objectives: Objectives,
}

impl Asked {
    /// Reads a body; keys that nobody knows are let pass, as the reference does.
    fn read(text: &str, planner: &Planner) -> Result<Read, Error> {
        let mut report = Report::default();
        let node = parse_fleet(BODY, text, &mut report);
        let fields = node.as_ref().and_then(|n| Fields::new(BODY, n, "replica", &mut report));
        let read = fields.map(|fields| Self::of(fields, planner, &mut report));
        match read.filter(|_| report.problems.is_empty()) {
            Some(read) => Ok(read),
            None => Err(InputError { problems: report.problems }.into()),
        }
    }

    fn of(mut fields: Fields<'_>, planner: &Planner, report: &mut Report) -> Read {
        let sizing = planner.options().sizing;
        for key in ["maxbatchsize", "avgoutputtokens"] {
            if !fields.has(key) {
                fields.problem(key, format!("`{key}` is missing"), "give a number", report);
            }
        }
        let linear = fields.has("delta");
        let mut number = |key, low: f64| fields.number(key, low..=ABSURD, report);
        let [alpha_ms, beta_ms, gamma_ms, delta_ms] =
            ["alpha", "beta", "gamma", "delta"].map(|key| number(key, 0.0).unwrap_or(0.0));
        let input_tokens = number("avginputtokens", 0.0).unwrap_or(0.0);
        let output_tokens = number("avgoutputtokens", 1.0).unwrap_or(1.0);
        let (rps, rpm) = (number("rps", 0.0), number("rpm", 0.0));
        let target = |value: Option<f64>| value.filter(|v| *v > 0.0);
        let ttft = target(number("targetttft", 0.0)).map(Objective::mean);
        let itl = target(number("targetitl", 0.0)).map(Objective::mean);
        let tokens_per_s =
            target(number("targettps", 0.0)).map(|per_s| TokenRate { per_s, percentile: None });
        let objectives =
            Objectives { itl, ttft, tokens_per_s, max_loss: sizing.max_loss, ..Objectives::none() };
        let max_batch = fields.whole("maxbatchsize", 1..=MAX_BATCH, report).unwrap_or(1);
        let max_queue = fields.whole("maxqueuesize", 0..=MANY, report).or(sizing.max_queue);
        if rps.is_some() && rpm.is_some() {
            fields.problem("rpm", "both RPS and RPM are given".to_owned(), "give one", report);
        }
        let service = match linear {
            true => ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }),
            false => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
        };
        Read {
            station: Station::new(service, input_tokens, output_tokens, max_queue),
            max_batch,
            rate_per_s: rps.or(rpm.map(|per_min| per_min / 60.0)),
            objectives: sizing.reading.objectives(objectives),
        }
    }
}

impl Read {
    fn analysed(&self, sized: Sized) -> Result<Analysed, Error> {
        let analysis = self.station.analyze(sized.batch, sized.arrival_rate_per_s);
        analysis.map(|a| Analysed::new(&a)).map_err(Error::input)
    }
}

impl Read {
    /// The batch size that the reference's analyser gives, and what led to it; of targets out of reach every figure
    /// is zero, at a batch size of 1.
    fn onset(&self) -> Result<Value, Error> {
        let onset = self.station.size_onset(self.max_batch, &self.objectives);
        let mut answer = match onset.sized {
            Ok(sized) => json!(self.analysed(sized)?),
            Err(shortfall) => {
                let mut none = infeasible(&shortfall);
                none["concurrency"] = json!(1);
                for key in ZERO {
                    none[key] = json!(0);
                }
                none
            }
        };
        answer["M_ITL"] = json!(onset.by_itl);
        answer["M_TPF"] = json!(onset.by_prefill);
        answer["oracleCalls"] = json!(onset.sizings);
        Ok(answer)
    }
}

/// What cannot be met is an answer.
fn infeasible(shortfall: &Shortfall) -> Value {
    json!({"feasible": false, "reason": shortfall.to_string()})
}

/// Asks for what is answered beside plans.
async fn answer(
    optimizer: &Optimizer,
    deadline: Deadline,
    text: String,
    of: fn(&Read, &Planner) -> Result<Value, Error>,
) -> Result<Json, Error> {
    let work = move |planner: &Planner, _| of(&Asked::read(&text, planner)?, planner);
    optimizer.planner.run(Place::Aside, deadline.0, work).await?.map(Json)
}

/// `POST /solve`.
pub async fn solve(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    Text(text): Text,
) -> Result<Json, Error> {
    answer(&optimizer, deadline, text, |read, _| {
        let rate = read.rate_per_s.ok_or_else(|| {
            Error::input("body: replica: no rate is given; give RPS (or RPM), the arrival rate")
        })?;
        let analysis = read.station.analyze(read.max_batch, rate).map_err(Error::input)?;
        Ok(json!(Analysed::new(&analysis)))
    })
    .await
}

/// `POST /target`.
pub async fn target(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    Text(text): Text,
) -> Result<Json, Error> {
    answer(&optimizer, deadline, text, |read, planner| {
        let Read { station, max_batch, objectives, .. } = read;
        let sized = match station.size(*max_batch, objectives) {
            Ok(sized) => sized,
            Err(shortfall) if planner.options().compatible => {
                return Err(Error::input(format!("no rate meets the targets: {shortfall}")));
            }
            Err(shortfall) => return Ok(infeasible(&shortfall)),
        };
        let mut answer = json!(read.analysed(sized)?);
        let none = Objectives { max_loss: objectives.max_loss, ..Objectives::none() };
        for (name, alone) in [
            ("TargetTTFT", Objectives { ttft: objectives.ttft, ..none }),
            ("TargetITL", Objectives { itl: objectives.itl, ..none }),
            ("TargetTPS", Objectives { tokens_per_s: objectives.tokens_per_s, ..none }),
        ] {
            if let Ok(sized) = station.size(*max_batch, &alone) {
                answer[format!("RPS{name}")] = json!(sized.arrival_rate_per_s);
                answer[format!("RPM{name}")] = json!(sized.arrival_rate_per_s * 60.0);
            }
        }
        Ok(answer)
    })
    .await
}

/// `POST /optimize-concurrency`.
pub async fn concurrency(
    State(optimizer): State<Arc<Optimizer>>,
    Extension(deadline): Extension<Deadline>,
    Text(text): Text,
) -> Result<Json, Error> {
    best_batch(&optimizer, deadline, text).await
}

/// The least batch size near the best rate.
pub async fn best_batch(
    optimizer: &Optimizer,
    deadline: Deadline,
    text: String,
) -> Result<Json, Error> {
    answer(optimizer, deadline, text, |read, planner| {
        if planner.options().compatible {
            return read.onset();
        }
        if read.max_batch > MOST_SIZED {
            let what = format!("body: replica: maxBatchSize is {}", read.max_batch);
            let remedy = format!("sizes up to {MOST_SIZED} are compared; send less");
            return Err(Error::input(format!("{what}; {remedy}")));
        }
        let tolerance = match planner.options().sizing.batch {
            BatchChoice::Least { tolerance } => tolerance,
            BatchChoice::Max => TOLERANCE,
        };
        match read.station.size_best(read.max_batch, &read.objectives, tolerance) {
            Ok(sized) => Ok(json!(read.analysed(sized)?)),
            Err(shortfall) => Ok(infeasible(&shortfall)),
        }
    })
    .await
}
