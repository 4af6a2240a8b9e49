//! How far off a fit is: on the points it was fitted to, and on points that it has not seen.

use rayon::prelude::*;

use crate::errors::{Errors, Spread};
use crate::family::Family;
use crate::fit::{Fit, FitError, Options, fit, improve, otherwise, shows_experts};
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
    let first = fit(family, points, options)?;
    let (mut best, mut unseen) = soundest(first, points);
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

/// Of a fit and what else it may have guessed of closed loops, the one that errs least on sweeps left
/// out, with what it says of them.
fn soundest(first: Fit, points: &[Point]) -> (Fit, Vec<LeftOut>) {
    let others = otherwise(&first, points);
    let unseen = by_sweep(&first, points);
    if unseen.is_empty() || others.is_empty() {
        return (first, unseen);
    }
    let mut least = mean_error(&unseen_errors(points, &unseen));
    let mut best = (first, unseen);
    for fit in others {
        let unseen = by_sweep(&fit, points);
        let error = mean_error(&unseen_errors(points, &unseen));
        if error < least && unseen.len() == best.1.len() {
            (least, best) = (error, (fit, unseen));
        }
    }
    best
}

/// What fits are compared by: mean errors, weighed as in the fit.
fn mean_error(errors: &Errors) -> f64 {
    errors.itl.mean + errors.ttft.mean / 3.0
}

/// Every family of some, judged. Of several, a mixture of experts is fitted only where the roofline
/// model's fit shows experts; one that cannot be fitted is passed over if another can.
///
/// # Errors
/// The first [`FitError`], where no family can be fitted.
pub fn fit_all(
    families: &[Family],
    points: &[Point],
    options: &Options,
) -> Result<Vec<(Fit, Validation)>, FitError> {
    let waits = |family: &Family| families.len() > 1 && *family == Family::Mixture;
    let one = |family: &Family| fit_and_validate(*family, points, options);
    let at_once: Vec<&Family> = families.iter().filter(|family| !waits(family)).collect();
    let found: Vec<_> = at_once.into_par_iter().map(one).collect();
    let mut fits = Vec::new();
    let mut first = None;
    for result in found {
        match result {
            Ok(fit) => fits.push(fit),
            Err(error) => first = first.or(Some(error)),
        }
    }
    let roofline = fits.iter().find(|(fit, _)| fit.family == Family::Roofline);
    if families.iter().any(waits) && roofline.is_some_and(|(fit, _)| shows_experts(fit, points)) {
        fits.extend(one(&Family::Mixture).ok());
    }
    match first {
        Some(error) if fits.is_empty() => Err(error),
        _ => Ok(fits),
    }
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
        mean_error(self.unseen_errors())
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
