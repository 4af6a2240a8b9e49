//! How far off a fit is: on the points it was fitted to, and on points that it has not seen.

use crate::errors::{Errors, Spread};
use crate::family::Family;
use crate::fit::{Fit, FitError, Options, fit, improve};
use crate::left_out::{LeftOut, by_point, by_sweep};
use crate::line::line_errors;
use crate::point::{Point, sweeps};
use crate::predict::predict;
use crate::region::Region;

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
    /// What was predicted of each sweep without it; where there is one sweep, of each point.
    pub unseen: Vec<LeftOut>,
    /// Where latencies lie, with the model's own error.
    pub region: Region,
}

/// Fits that are tried from where the fits without a sweep ended.
const RESTARTS: usize = 3;

/// The fit of `family` to `points`, judged. Where a fit to fewer points ends at parameters from which
/// the whole fit is better too, the search had ended in a local optimum, and it goes on from there.
///
/// # Errors
/// [`FitError`].
pub fn fit_and_validate(
    family: Family,
    points: &[Point],
    options: &Options,
) -> Result<(Fit, Validation), FitError> {
    let mut best = fit(family, points, options)?;
    let mut unseen = by_sweep(&best, points);
    for _ in 0..RESTARTS {
        let before = best.free.clone();
        let starts: Vec<Vec<f64>> = unseen.iter().map(|out| out.free.clone()).collect();
        best = improve(best, points, &starts);
        if best.free == before {
            break;
        }
        unseen = by_sweep(&best, points);
    }
    let validation = Validation::with(&best, points, unseen);
    Ok((best, validation))
}

impl Validation {
    /// Judges `fit` on the points it was made from.
    pub fn new(fit: &Fit, points: &[Point]) -> Self {
        Self::with(fit, points, by_sweep(fit, points))
    }

    fn with(fit: &Fit, points: &[Point], swept: Vec<LeftOut>) -> Self {
        let used = fit.used.as_slice();
        let single = by_point(fit, points);
        let names = sweeps(points);
        let several = names.len() > 1;
        let parts: Vec<SweepErrors> =
            names.iter().map(|name| sweep_errors(fit, points, name, &swept)).collect();
        let line_out = names.iter().filter_map(|name| {
            let (inside, outside) = part(points, used, name);
            line_errors(points, &outside, &inside)
        });
        let line_out: Vec<f64> = line_out.flatten().collect();
        let left_out_point = unseen_errors(points, &single);
        let left_out_sweep = several.then(|| unseen_errors(points, &swept));
        let unseen = if swept.is_empty() { single } else { swept };
        Self {
            fitted: own_errors(fit, points, used),
            left_out_point,
            left_out_sweep,
            line: Spread::of(&line_errors(points, used, used).unwrap_or_default()),
            line_left_out_sweep: several.then(|| Spread::of(&line_out)),
            sweeps: parts,
            region: Region::new(fit, points, &unseen),
            unseen,
        }
    }

    /// Errors on what the fit has not seen: sweeps where there are several, else points.
    pub fn unseen_errors(&self) -> &Errors {
        self.left_out_sweep.as_ref().unwrap_or(&self.left_out_point)
    }

    /// What service models are compared by: mean errors on what the fit has not seen, weighed as in it.
    pub fn unseen_mean(&self) -> f64 {
        let errors = self.unseen_errors();
        errors.itl.mean + errors.ttft.mean / 3.0
    }

    /// Why the fit is in doubt: an error on its own points above that on points it has not seen is
    /// that of a search which ended in a local optimum. Each latency with its errors, own first.
    pub fn local_optimum(&self) -> Option<String> {
        let mut said = Vec::new();
        let unseen = self.unseen_errors();
        for (name, own, out) in
            [("ITL", self.fitted.itl, unseen.itl), ("TTFT", self.fitted.ttft, unseen.ttft)]
        {
            if out.count > 0 && own.mean > out.mean {
                let (own, out) = (own.mean * 100.0, out.mean * 100.0);
                said.push(format!(
                    "the mean error of {name} is {own:.1}% on the points fitted and {out:.1}% on \
                     those left out"
                ));
            }
        }
        (!said.is_empty()).then(|| {
            format!(
                "{}: the search may have ended in a local optimum; raise --starts",
                said.join(", ")
            )
        })
    }
}

/// The points of `used` in a sweep, and those outside.
fn part(points: &[Point], used: &[usize], name: &str) -> (Vec<usize>, Vec<usize>) {
    used.iter().copied().partition(|&i| points[i].sweep == name)
}

fn sweep_errors(fit: &Fit, points: &[Point], name: &str, swept: &[LeftOut]) -> SweepErrors {
    let (inside, outside) = part(points, &fit.used, name);
    let out = swept.iter().find(|out| out.sweep == name);
    let line = line_errors(points, &fit.used, &inside).unwrap_or_default();
    SweepErrors {
        name: name.to_owned(),
        fitted: own_errors(fit, points, &inside),
        left_out: out.map(|out| unseen_errors(points, std::slice::from_ref(out))),
        line: Spread::of(&line),
        line_left_out: line_errors(points, &outside, &inside).map(|errors| Spread::of(&errors)),
    }
}

/// Of the whole fit on some points.
fn own_errors(fit: &Fit, points: &[Point], at: &[usize]) -> Errors {
    let predicted = |&i: &usize| Some((i, predict(fit.service, &fit.bench, &points[i])?));
    let judged: Vec<_> = at.iter().filter_map(predicted).collect();
    Errors::of(&judged.iter().map(|(i, p)| (&points[*i], p)).collect::<Vec<_>>())
}

/// Of fits on what they have not seen.
fn unseen_errors(points: &[Point], unseen: &[LeftOut]) -> Errors {
    let judged = unseen.iter().flat_map(|out| &out.judged);
    Errors::of(&judged.map(|(i, p)| (&points[*i], p)).collect::<Vec<_>>())
}
