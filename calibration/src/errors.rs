//! How far off the fitted model is: on the points it was fitted to, and on points it has not seen.
//!
//! An error is `|predicted / measured - 1|`. Leaving out one point at a time says how well the model
//! interpolates; leaving out a whole sweep says what to expect at prompt and answer lengths that
//! nobody measured, which is what a plan does.
//!
//! The baseline is a straight line, `ITL = a + b concurrency`, least squares on the same points and
//! judged on the same ones. It is told the concurrency that was *measured*, by Little's law, which a
//! planner does not have: the model has to find it from the rate.

use isocost_model::queue::ServiceModel;
use rayon::prelude::*;

use crate::fit::{Fit, refit};
use crate::point::{Point, sweeps};
use crate::predict::predict;
use crate::residual::Metric;
use crate::robust::median;

/// Starting points of the search where a sweep is left out, beside the whole fit's parameters.
const STARTS: u32 = 4;

/// Mean, median and largest error of some latencies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Latencies that count.
    pub count: usize,
    /// Mean error, a share.
    pub mean: f64,
    /// Median error, a share.
    pub median: f64,
    /// Largest error, a share.
    pub most: f64,
}

impl Spread {
    fn of(mut errors: Vec<f64>) -> Self {
        let count = errors.len();
        let mean = errors.iter().sum::<f64>() / count.max(1) as f64;
        let most = errors.iter().copied().fold(0.0, f64::max);
        Self { count, mean, median: median(&mut errors), most }
    }
}

/// Errors of both latencies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Errors {
    /// Of the inter-token latency.
    pub itl: Spread,
    /// Of the time to first token.
    pub ttft: Spread,
}

/// Errors of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepErrors {
    /// The sweep.
    pub name: String,
    /// Of the model fitted to all points.
    pub fitted: Errors,
    /// Of the model fitted to all sweeps but this one; `None` where too little is left to fit.
    pub left_out: Option<Errors>,
    /// ITL of the straight line fitted to all points.
    pub line: Spread,
    /// ITL of the straight line fitted to all sweeps but this one.
    pub line_left_out: Option<Spread>,
}

/// How far off a fit is.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// On the points it was fitted to.
    pub fitted: Errors,
    /// On each point when it was fitted to all others.
    pub left_out_point: Errors,
    /// On each sweep when it was fitted to all other sweeps; `None` where there is one sweep.
    pub left_out_sweep: Option<Errors>,
    /// ITL of the straight line on the points it was fitted to.
    pub line: Spread,
    /// ITL of the straight line on each sweep when it was fitted to all other sweeps.
    pub line_left_out_sweep: Option<Spread>,
    /// Sweep by sweep.
    pub sweeps: Vec<SweepErrors>,
}

impl Validation {
    /// Judges `fit` on the points it was made from.
    pub fn new(fit: &Fit, points: &[Point]) -> Self {
        let used = fit.used.as_slice();
        let mut own = Sample::default();
        own.add(fit.service, fit.options.batch, points, used);
        let mut line = Vec::new();
        line_errors(points, used, used, &mut line);

        let one_out = used.par_iter().map(|&out| {
            let rest: Vec<usize> = used.iter().copied().filter(|&i| i != out).collect();
            (refit(fit, points, &rest, 0), out)
        });
        let mut points_out = Sample::default();
        for (service, out) in one_out.collect::<Vec<_>>() {
            if let Some(service) = service {
                points_out.add(service, fit.options.batch, points, &[out]);
            }
        }

        let names = sweeps(points);
        let parts = names.par_iter().map(|name| Part::new(fit, points, name));
        let parts: Vec<Part> = parts.collect();
        let several = names.len() > 1;
        let all = |f: &dyn Fn(&Part) -> Option<&Sample>| {
            let mut all = Sample::default();
            parts.iter().filter_map(f).for_each(|sample| all.extend(sample));
            all.errors()
        };
        let lines_out = || parts.iter().filter_map(|p| p.line_out.clone()).flatten().collect();
        Self {
            fitted: own.errors(),
            left_out_point: points_out.errors(),
            left_out_sweep: several.then(|| all(&|p| p.out.as_ref())),
            line: Spread::of(line),
            line_left_out_sweep: several.then(|| Spread::of(lines_out())),
            sweeps: parts.iter().map(Part::errors).collect(),
        }
    }
}

/// One sweep as it is judged.
struct Part {
    name: String,
    own: Sample,
    out: Option<Sample>,
    line: Vec<f64>,
    line_out: Option<Vec<f64>>,
}

impl Part {
    fn new(fit: &Fit, points: &[Point], name: &str) -> Self {
        let used = fit.used.as_slice();
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            used.iter().copied().partition(|&i| points[i].sweep == name);
        let sample = |service| {
            let mut sample = Sample::default();
            sample.add(service, fit.options.batch, points, &inside);
            sample
        };
        let mut line = Vec::new();
        line_errors(points, used, &inside, &mut line);
        let mut line_out = Vec::new();
        let told = line_errors(points, &outside, &inside, &mut line_out);
        Self {
            name: name.to_owned(),
            own: sample(fit.service),
            out: refit(fit, points, &outside, STARTS).map(sample),
            line,
            line_out: told.then_some(line_out),
        }
    }

    fn errors(&self) -> SweepErrors {
        SweepErrors {
            name: self.name.clone(),
            fitted: self.own.errors(),
            left_out: self.out.as_ref().map(Sample::errors),
            line: Spread::of(self.line.clone()),
            line_left_out: self.line_out.clone().map(Spread::of),
        }
    }
}

/// Errors of both latencies, one by one.
#[derive(Default)]
struct Sample {
    itl: Vec<f64>,
    ttft: Vec<f64>,
}

impl Sample {
    fn add(&mut self, service: ServiceModel, batch: u32, points: &[Point], at: &[usize]) {
        for &i in at {
            let Some(prediction) = predict(service, batch, &points[i]) else { continue };
            for metric in Metric::BOTH {
                let Some(measured) = metric.measured(&points[i]) else { continue };
                let error = (metric.predicted(&prediction) / measured - 1.0).abs();
                match metric {
                    Metric::Itl => self.itl.push(error),
                    Metric::Ttft => self.ttft.push(error),
                }
            }
        }
    }

    fn extend(&mut self, other: &Self) {
        self.itl.extend(&other.itl);
        self.ttft.extend(&other.ttft);
    }

    fn errors(&self) -> Errors {
        Errors { itl: Spread::of(self.itl.clone()), ttft: Spread::of(self.ttft.clone()) }
    }
}

/// Errors on `judged` of the straight line through `fitted`; whether there is one.
fn line_errors(points: &[Point], fitted: &[usize], judged: &[usize], into: &mut Vec<f64>) -> bool {
    let known = |at: &[usize]| -> Vec<(f64, f64)> {
        let pair = |&i: &usize| Some((points[i].concurrency()?, points[i].itl_ms?));
        at.iter().filter_map(pair).collect()
    };
    let Some((intercept, slope)) = line(&known(fitted)) else { return false };
    let error = |(x, y): (f64, f64)| ((intercept + slope * x) / y - 1.0).abs();
    into.extend(known(judged).into_iter().map(error));
    true
}

/// Least squares through (x, y): intercept and slope.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (sxx, sxy) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| {
        (a + (x - mean_x).powi(2), b + (x - mean_x) * (y - mean_y))
    });
    let slope = sxy / sxx;
    (points.len() > 1 && slope.is_finite()).then_some((mean_y - slope * mean_x, slope))
}
