//! A ready entry for a scenario's model data, with the calibration's error in it.

use isocost_model::export::json_text;
use isocost_model::queue::{Iteration, Linear, ServiceModel};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::confidence::LEVEL;
use crate::fit::Fit;
use crate::point::Point;
use crate::validation::Validation;

/// What an entry is for, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placement {
    /// The model's name.
    pub model: Option<String>,
    /// The accelerator's name.
    pub accelerator: Option<String>,
    /// Accelerators that the measured replica took, at least 1.
    pub units: u32,
}

/// An entry of the model data, in the order in which a person reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    name: String,
    acc: String,
    acc_count: u32,
    max_batch_size: u32,
    at_tokens: u64,
    /// Where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    kv_tokens: Option<u64>,
    /// Where prompts are whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunked_prefill: Option<bool>,
    #[serde(flatten)]
    parameters: Parameters,
    provenance: &'static str,
    calibration: Calibration,
}

impl Entry {
    /// Names, limits, service parameters, and what is known about them.
    ///
    /// The batch size is that of the benchmark, at the longest answers it was run with: so many
    /// requests of that length did fit. A name that is not known is left for the reader to fill in.
    pub fn new(fit: &Fit, points: &[Point], validation: &Validation, at: &Placement) -> Self {
        let longest = fit.used.iter().map(|&i| points[i].output_tokens).fold(1.0, f64::max);
        let name = |given: &Option<String>, what: &str| {
            given.clone().unwrap_or_else(|| format!("<{what}>"))
        };
        Self {
            name: name(&at.model, "model"),
            acc: name(&at.accelerator, "accelerator"),
            acc_count: at.units.max(1),
            max_batch_size: fit.options.bench.batch,
            at_tokens: longest.round() as u64,
            kv_tokens: fit.bench.engine.kv_tokens,
            chunked_prefill: (!fit.bench.engine.chunked_prefill).then_some(false),
            parameters: Parameters::of(fit.service),
            provenance: "calibrated",
            calibration: Calibration::of(fit, validation),
        }
    }

    /// The entry as it is written to a file.
    pub fn json(&self) -> String {
        json_text(self)
    }
}

/// Service parameters in the form of the model data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Parameters {
    #[serde(rename = "perfParms")]
    Iteration { alpha: f64, beta: f64, gamma: f64 },
    #[serde(rename = "rooflineParms")]
    Roofline {
        alpha: f64,
        beta: f64,
        gamma: f64,
        delta: f64,
        delta2: f64,
        hidden: f64,
        overhead: f64,
        lag: f64,
        #[serde(skip_serializing_if = "is_none")]
        experts: f64,
        #[serde(rename = "expertShare", skip_serializing_if = "is_none")]
        expert_share: f64,
    },
    #[serde(untagged, rename_all = "camelCase")]
    Linear { decode_parms: Decode, prefill_parms: Prefill },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Decode {
    alpha: f64,
    beta: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Prefill {
    gamma: f64,
    delta: f64,
}

impl Parameters {
    fn of(service: ServiceModel) -> Self {
        match service {
            ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }) => {
                Self::Linear {
                    decode_parms: Decode { alpha: digits(alpha_ms), beta: digits(beta_ms) },
                    prefill_parms: Prefill { gamma: digits(gamma_ms), delta: digits(delta_ms) },
                }
            }
            ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }) => Self::Iteration {
                alpha: digits(alpha_ms),
                beta: digits(beta_ms),
                gamma: digits(gamma_ms),
            },
            ServiceModel::Roofline(r) => Self::Roofline {
                alpha: digits(r.alpha_ms),
                beta: digits(r.beta_ms),
                gamma: digits(r.gamma_ms),
                delta: digits(r.delta_ms),
                delta2: digits(r.delta2_ms),
                hidden: digits(r.hidden_tokens),
                overhead: digits(r.overhead_ms),
                lag: digits(r.lag_steps),
                experts: digits(r.experts.read_ms),
                expert_share: digits(r.experts.share),
            },
        }
    }
}

/// What the fit knows about its error: mean errors as shares, on the points it was fitted to and on
/// what was left out; intervals and ends of the region at `level`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Calibration {
    points: usize,
    itl_error: f64,
    ttft_error: f64,
    itl_error_left_out: f64,
    ttft_error_left_out: f64,
    /// What the model's own error adds to the region: logarithms of factors on every time, and on
    /// that of the first token beyond.
    time_margin: f64,
    first_token_margin: f64,
    level: f64,
    optimistic: Parameters,
    pessimistic: Parameters,
    /// By parameter; null where an end is not known.
    intervals: Map<String, Value>,
    /// Parameters in the order of the covariance.
    parameters: &'static [&'static str],
    /// Of the logarithms of the parameters.
    log_covariance: Vec<Vec<f64>>,
}

impl Calibration {
    fn of(fit: &Fit, validation: &Validation) -> Self {
        let confidence = &fit.confidence;
        let finite = |x: f64| if x.is_finite() { json!(digits(x)) } else { Value::Null };
        let intervals = fit.family.parameters().iter().zip(&confidence.intervals);
        let intervals = intervals
            .map(|(name, (low, high))| ((*name).to_owned(), json!([finite(*low), finite(*high)])));
        let short = |row: &Vec<f64>| row.iter().map(|x| digits(*x)).collect();
        let (unseen, region) = (validation.unseen_errors(), &validation.region);
        Self {
            points: fit.used.len(),
            itl_error: digits(validation.fitted.itl.mean),
            ttft_error: digits(validation.fitted.ttft.mean),
            itl_error_left_out: digits(unseen.itl.mean),
            ttft_error_left_out: digits(unseen.ttft.mean),
            time_margin: digits(region.margin.time),
            first_token_margin: digits(region.margin.first),
            level: LEVEL,
            optimistic: Parameters::of(region.optimistic),
            pessimistic: Parameters::of(region.pessimistic),
            intervals: intervals.collect(),
            parameters: fit.family.parameters(),
            log_covariance: confidence.covariance.iter().map(short).collect(),
        }
    }
}

/// Whether a parameter is of what the model has not.
fn is_none(x: &f64) -> bool {
    *x == 0.0
}

/// Seven digits: more than any measurement holds, and short to read.
fn digits(x: f64) -> f64 {
    format!("{x:.6e}").parse().unwrap_or(x)
}
