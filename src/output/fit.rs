//! What `isocost fit` found: tables for people, JSON for programs.

mod predicted;

use isocost_calibration::{Course, Entry, Errors, Fit, Forecast, Point, Spread, Validation};
use isocost_model::input::reading::figure as readable;
use serde_json::{Value, json};

use super::style::{BOLD, GREEN, warning};
use super::table::table;
use super::width::fitted;

use crate::output::say;

/// A fit, and what it is compared with.
pub struct Fitted<'a> {
    /// What was measured.
    pub points: &'a [Point],
    /// Points that were taken as one request after the other.
    pub single: usize,
    /// The fit that was taken.
    pub fit: &'a Fit,
    /// How far off it is.
    pub validation: &'a Validation,
    /// Every fit that was made.
    pub all: &'a [(Fit, Validation)],
    /// The entry for the model data.
    pub entry: &'a Entry,
    /// What it says of another file's points, where one was given.
    pub forecast: Option<(&'a Forecast, &'a [Point])>,
}

/// Points whose weight is below this are named.
const OUTLIER: f64 = 0.4;

impl Fitted<'_> {
    /// Prints parameters, errors, and what the points do not tell.
    pub fn print_table(&self) {
        self.print_points();
        if self.all.len() > 1 {
            self.print_comparison();
        }
        self.print_parameters();
        self.print_sweeps();
        self.print_region();
        if let Some((forecast, points)) = self.forecast {
            predicted::print(forecast, points);
        }
        let v = self.validation;
        say!(
            "{BOLD}{} model{BOLD:#}, median error {GREEN}ITL {}{GREEN:#}, \
             {GREEN}TTFT {}{GREEN:#}; left out: {}",
            self.fit.family.name(),
            percent(v.fitted.itl.median),
            percent(v.fitted.ttft.median),
            left_out(v),
        );
    }

    /// Which points were used, and which were not.
    fn print_points(&self) {
        let (fit, points) = (self.fit, self.points);
        say!(
            "{} points in {} sweeps, {} fitted, batch size {}",
            points.len(),
            self.validation.sweeps.len(),
            fit.used.len(),
            fit.bench.batch,
        );
        if let Some(course) = fit.found_course() {
            say!("the clients of the closed loops send {}", course.words());
        }
        if let (None, Some(tokens)) =
            (fit.options.bench.engine.kv_tokens, fit.bench.engine.kv_tokens)
        {
            say!("the closed loops show a KV cache of {tokens} tokens");
        }
        if self.single > 0 {
            say!(
                "{} points with one request in the system are taken as closed loop (--open: as any \
                 other)",
                self.single
            );
        }
        for excluded in &fit.excluded {
            say!("excluded: {}: {}", points[excluded.point].place, excluded.reason);
        }
        for (&i, weight) in fit.used.iter().zip(&fit.weights).filter(|(_, w)| **w < OUTLIER) {
            say!("outlier: {}: weight {weight:.2}", points[i].place);
        }
        say!();
    }

    fn print_comparison(&self) {
        let mut rows = table(&["service model", "ITL %", "left out", "TTFT %", "left out"], 1);
        for (fit, v) in self.all {
            let out = unseen(v);
            rows.add_row([
                fit.family.name().to_owned(),
                shares(&v.fitted.itl),
                shares(&out.itl),
                shares(&v.fitted.ttft),
                shares(&out.ttft),
            ]);
        }
        let out = self.validation.line_left_out_sweep.as_ref().map_or(String::new(), shares);
        rows.add_row(["straight line", &shares(&self.validation.line), &out, "", ""]);
        say!("{}", fitted(&rows, &[]));
        say!("mean / median error; left out: {}\n", how(self.validation));
    }

    fn print_parameters(&self) {
        let (fit, family) = (self.fit, self.fit.family);
        let mut rows = table(&["parameter", "value", "95% from", "to", "unit"], 1);
        let columns = family.parameters().iter().zip(family.units());
        for ((name, unit), (value, (low, high))) in
            columns.zip(fit.values.iter().zip(&fit.confidence.intervals))
        {
            let row = [(*name).to_owned(), figure(*value), figure(*low), figure(*high)];
            rows.add_row(row.into_iter().chain([(*unit).to_owned()]));
        }
        say!("{}\n", fitted(&rows, &[]));
        for doubt in &fit.confidence.doubts {
            warning(&doubt.to_string());
        }
        if let Some(doubt) = self.validation.local_optimum() {
            warning(&doubt);
        }
    }

    /// What the 95% regions hold of latencies that the fit has not seen.
    fn print_region(&self) {
        let region = &self.validation.region;
        if let (Some(itl), Some(ttft)) = (region.itl_coverage, region.ttft_coverage) {
            say!(
                "the 95% region holds {} of ITL and {} of TTFT that was left out\n",
                percent(itl),
                percent(ttft),
            );
        }
    }

    fn print_sweeps(&self) {
        let header = ["sweep", "ITL %", "left out", "TTFT %", "left out", "line ITL %", "left out"];
        let mut rows = table(&header, 1);
        for sweep in &self.validation.sweeps {
            let out = |f: fn(&Errors) -> &Spread| sweep.left_out.as_ref().map(f).map(shares);
            rows.add_row([
                sweep.name.clone(),
                shares(&sweep.fitted.itl),
                out(|e| &e.itl).unwrap_or_default(),
                shares(&sweep.fitted.ttft),
                out(|e| &e.ttft).unwrap_or_default(),
                shares(&sweep.line),
                sweep.line_left_out.as_ref().map(shares).unwrap_or_default(),
            ]);
        }
        say!("{}", fitted(&rows, &[]));
        say!(
            "mean / median error; left out: fitted without the sweep; line: a straight line of ITL \
             on the measured concurrency\n"
        );
    }

    /// Everything, with the entry in it.
    pub fn json(&self) -> Value {
        let (fit, family) = (self.fit, self.fit.family);
        let parameters = family.parameters().iter().zip(family.units());
        let parameters: Vec<Value> = parameters
            .zip(fit.values.iter().zip(&fit.confidence.intervals))
            .map(|((name, unit), (value, (low, high)))| {
                json!({ "name": name, "unit": unit, "value": value, "low": low, "high": finite(*high) })
            })
            .collect();
        let place = |i: usize| self.points[i].place.clone();
        let excluded: Vec<Value> = fit
            .excluded
            .iter()
            .map(|e| json!({ "place": place(e.point), "reason": e.reason.to_string() }))
            .collect();
        let weights: Vec<Value> = fit
            .used
            .iter()
            .zip(&fit.weights)
            .map(|(&i, weight)| json!({ "place": place(i), "weight": weight }))
            .collect();
        let doubts: Vec<String> = fit.confidence.doubts.iter().map(ToString::to_string).collect();
        let doubts: Vec<String> =
            doubts.into_iter().chain(self.validation.local_optimum()).collect();
        let region = &self.validation.region;
        let predicted = self.forecast.map(|(forecast, points)| predicted::json(forecast, points));
        let compared = self.all.iter().map(|(fit, v)| {
            let out = v.left_out_sweep.as_ref().map(errors);
            let value = json!({ "fitted": errors(&v.fitted), "leftOutSweep": out });
            (fit.family.name().to_owned(), value)
        });
        json!({
            "service": family.name(),
            "points": weights,
            "excluded": excluded,
            "closedLoopFound": self.single,
            "course": fit.found_course().map(Course::name),
            "kvTokens": fit.bench.engine.kv_tokens,
            "chunkedPrefill": fit.bench.engine.chunked_prefill,
            "parameters": parameters,
            "correlations": fit.confidence.correlations,
            "doubts": doubts,
            "coverage": { "itl": region.itl_coverage, "ttft": region.ttft_coverage },
            "predicted": predicted,
            "errors": validation(self.validation),
            "services": serde_json::Map::from_iter(compared),
            "entry": self.entry,
        })
    }
}

fn validation(v: &Validation) -> Value {
    let sweeps: Vec<Value> = v
        .sweeps
        .iter()
        .map(|s| {
            json!({
                "sweep": s.name,
                "fitted": errors(&s.fitted),
                "leftOutSweep": s.left_out.as_ref().map(errors),
                "line": spread(&s.line),
                "lineLeftOutSweep": s.line_left_out.as_ref().map(spread),
            })
        })
        .collect();
    json!({
        "fitted": errors(&v.fitted),
        "leftOutPoint": errors(&v.left_out_point),
        "leftOutSweep": v.left_out_sweep.as_ref().map(errors),
        "line": spread(&v.line),
        "lineLeftOutSweep": v.line_left_out_sweep.as_ref().map(spread),
        "sweeps": sweeps,
    })
}

/// Errors of means and percentiles; those of the ITL are over requests of their own means.
fn errors(e: &Errors) -> Value {
    json!({
        "itl": spread(&e.itl),
        "ttft": spread(&e.ttft),
        "tpotPercentiles": percentiles(&e.tpot_percentiles),
        "ttftPercentiles": percentiles(&e.ttft_percentiles),
    })
}

fn percentiles(spreads: &[(f64, Spread)]) -> Vec<Value> {
    let of = |(percent, s): &(f64, Spread)| json!({ "percent": percent, "error": spread(s) });
    spreads.iter().map(of).collect()
}

fn spread(s: &Spread) -> Value {
    json!({
        "count": s.count,
        "mean": s.mean,
        "median": s.median,
        "most": s.most,
        "optimistic": s.optimistic,
    })
}

/// JSON knows no infinity.
fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Errors on what the fit has not seen: sweeps where there are several, else points.
fn unseen(v: &Validation) -> &Errors {
    v.unseen_errors()
}

fn how(v: &Validation) -> &'static str {
    match v.left_out_sweep {
        Some(_) => "each sweep by a fit to the others",
        None => "each point by a fit to the others",
    }
}

fn left_out(v: &Validation) -> String {
    let out =
        |e: &Errors| format!("ITL {}, TTFT {}", percent(e.itl.median), percent(e.ttft.median));
    let point = format!("one point {}", out(&v.left_out_point));
    match &v.left_out_sweep {
        Some(sweep) => format!("{point}; one sweep {}", out(sweep)),
        None => point,
    }
}

fn shares(s: &Spread) -> String {
    format!("{} / {}", tenths(s.mean * 100.0), tenths(s.median * 100.0))
}

fn percent(share: f64) -> String {
    format!("{}%", tenths(share * 100.0))
}

/// To a tenth, or where that is a long number to six digits.
fn tenths(x: f64) -> String {
    if x.abs() < 1e5 { format!("{x:.1}") } else { readable(x) }
}

/// Four digits.
fn figure(x: f64) -> String {
    if !x.is_finite() {
        return "∞".to_owned();
    }
    let size = x.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return format!("{x:.3e}");
    }
    let digits = (3.0 - size.max(1e-9).log10().floor()).clamp(0.0, 7.0) as usize;
    format!("{x:.digits$}")
}
