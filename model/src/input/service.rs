//! Service parameters of a profile, and where they come from.

use super::fields::Fields;
use super::problem::Report;
use crate::queue::{Experts, Iteration, Linear, Roofline, ServiceModel};
use crate::scenario::{Provenance, StatedEngine};
use crate::trust::{Calibration, Region};

/// Service parameters, in whichever form they are given.
pub(super) enum Parameters {
    /// They say how long requests take.
    Known(ServiceModel),
    /// All are zero, as they are until something was learned.
    Unlearned,
}

/// The service times, in whichever form they are given.
pub(super) fn service(fields: &mut Fields<'_>, report: &mut Report) -> Option<ServiceModel> {
    match parameters(fields, report)? {
        Parameters::Known(model) => Some(model),
        Parameters::Unlearned => {
            let what = "the service parameters are all zero: requests would take no time";
            fields.problem("", what.to_owned(), "give at least alpha, in ms", report);
            None
        }
    }
}

/// The same, where they may not be known yet.
pub(super) fn parameters(fields: &mut Fields<'_>, report: &mut Report) -> Option<Parameters> {
    let before = report.found();
    let iteration = fields.inner("perfparms", report);
    let decode = fields.inner("decodeparms", report);
    let prefill = fields.inner("prefillparms", report);
    let roofline = fields.inner("rooflineparms", report);
    let mut value = |f: &mut Option<Fields<'_>>, key| {
        f.as_mut().and_then(|f| f.quantity(key, report)).unwrap_or(0.0)
    };
    let (mut i, mut d, mut p, mut r) = (iteration, decode, prefill, roofline);
    let model = match (i.is_some(), d.is_some() || p.is_some(), r.is_some()) {
        (true, false, false) => Some(ServiceModel::Iteration(Iteration {
            alpha_ms: value(&mut i, "alpha"),
            beta_ms: value(&mut i, "beta"),
            gamma_ms: value(&mut i, "gamma"),
        })),
        (false, true, false) => Some(ServiceModel::Linear(Linear {
            alpha_ms: value(&mut d, "alpha"),
            beta_ms: value(&mut d, "beta"),
            gamma_ms: value(&mut p, "gamma"),
            delta_ms: value(&mut p, "delta"),
        })),
        (false, false, true) => Some(ServiceModel::Roofline(Roofline {
            alpha_ms: value(&mut r, "alpha"),
            beta_ms: value(&mut r, "beta"),
            gamma_ms: value(&mut r, "gamma"),
            delta_ms: value(&mut r, "delta"),
            delta2_ms: value(&mut r, "delta2"),
            hidden_tokens: value(&mut r, "hidden"),
            overhead_ms: value(&mut r, "overhead"),
            lag_steps: value(&mut r, "lag"),
            experts: Experts {
                read_ms: value(&mut r, "experts"),
                share: value(&mut r, "expertshare"),
            },
        })),
        _ => None,
    };
    [i, d, p, r].into_iter().flatten().for_each(|f| f.finish(report));
    match &model {
        None => {
            let what = "expected one of perfParms, decodeParms with prefillParms, or rooflineParms";
            fields.problem("", what.to_owned(), "give one of the three forms", report);
        }
        Some(model) if model.is_zero() && report.found() == before => {
            return Some(Parameters::Unlearned);
        }
        Some(model) => sensible(fields, model, report),
    }
    model.map(Parameters::Known)
}

/// How the engine is set, as far as it is said.
pub(super) fn engine(fields: &mut Fields<'_>, report: &mut Report) -> StatedEngine {
    let token_budget = fields.count("maxbatchedtokens", report);
    let kv_tokens = fields.count("kvtokens", report).map(u64::from);
    let has_chunks = fields.has("chunkedprefill");
    let chunks = fields.flag("chunkedprefill", report);
    StatedEngine { token_budget, kv_tokens, chunked_prefill: has_chunks.then_some(chunks) }
}

fn sensible(fields: &Fields<'_>, model: &ServiceModel, report: &mut Report) {
    let zero = match model {
        ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }) => {
            alpha_ms + beta_ms + gamma_ms
        }
        ServiceModel::Linear(Linear { alpha_ms, beta_ms, .. }) => alpha_ms + beta_ms,
        ServiceModel::Roofline(r) => r.alpha_ms + r.beta_ms + r.gamma_ms,
    } <= 0.0;
    if zero {
        let what = "the service parameters are zero but for prefill: answers would take no time";
        fields.problem("", what.to_owned(), "give at least alpha, in ms", report);
    }
    if let ServiceModel::Roofline(r) = model
        && r.delta_ms * r.hidden_tokens > r.alpha_ms * (1.0 + 1e-9)
    {
        let hides = r.delta_ms * r.hidden_tokens;
        let what = format!("delta x hidden is {hides:.3} ms: more than alpha, {} ms", r.alpha_ms);
        let remedy = "no more computation can hide than a step takes: lower hidden";
        fields.problem("rooflineparms", what, remedy, report);
    }
}

pub(super) fn provenance(fields: &mut Fields<'_>, report: &mut Report) -> Provenance {
    match fields.word("provenance", report) {
        Some("estimated") => Provenance::Estimated,
        Some("calibrated") => Provenance::Calibrated,
        _ => Provenance::Unstated,
    }
}

/// What a fit says about its error. Intervals and covariance are for other readers.
pub(super) fn calibration(fields: &mut Fields<'_>, report: &mut Report) -> Option<Calibration> {
    let mut inner = fields.inner("calibration", report)?;
    inner.ignore(&[
        "points",
        "itlerrorleftout",
        "ttfterrorleftout",
        "timemargin",
        "firsttokenmargin",
        "intervals",
        "parameters",
        "logcovariance",
    ]);
    let mut error = |key| inner.quantity(key, report).unwrap_or(0.0);
    let (itl_error, ttft_error) = (error("itlerror"), error("ttfterror"));
    let level = inner.quantity("level", report).unwrap_or(0.95);
    let mut end = |key| {
        let mut fields = inner.inner(key, report)?;
        let service = service(&mut fields, report);
        fields.finish(report);
        service
    };
    let (optimistic, pessimistic) = (end("optimistic"), end("pessimistic"));
    if optimistic.is_some() != pessimistic.is_some() {
        let what = "one end of the region is missing".to_owned();
        inner.problem("", what, "give optimistic and pessimistic, or neither", report);
    }
    inner.finish(report);
    let ends = optimistic.zip(pessimistic);
    let region = ends.map(|(optimistic, pessimistic)| Region { level, optimistic, pessimistic });
    Some(Calibration { itl_error, ttft_error, region })
}
