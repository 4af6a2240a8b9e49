//! The fit: from measured points to service parameters.

use isocost_model::queue::ServiceModel;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use crate::confidence::Confidence;
use crate::family::Family;
use crate::memory::with_memory;
use crate::overload::{self, Excluded};
use crate::point::Point;
use crate::predict::Bench;
use crate::residual::{Residuals, rows};
use crate::robust::{Effort, Minimum, minimise, spread};

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What the server ran with.
    pub bench: Bench,
    /// Starting points of the search.
    pub starts: u32,
    /// Seed of the starting points: the same seed gives the same fit.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { bench: Bench::default(), starts: 4, seed: 1 }
    }
}

/// Parameters that fit the points.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Which service model.
    pub family: Family,
    /// How it was fitted.
    pub options: Options,
    /// What the server ran with: as stated, and the KV cache that the points show.
    pub bench: Bench,
    /// Parameter values, in the order of [`Family::parameters`].
    pub values: Vec<f64>,
    /// The service model at these values.
    pub service: ServiceModel,
    /// Intervals and correlations of the parameters.
    pub confidence: Confidence,
    /// Indices of the points that were fitted.
    pub used: Vec<usize>,
    /// Points that were not, and why.
    pub excluded: Vec<Excluded>,
    /// Of each point that was fitted the least weight of its latencies, in (0, 1].
    pub weights: Vec<f64>,
    /// Free coordinates of the values.
    pub(crate) free: Vec<f64>,
    /// Weight of each residual.
    pub(crate) row_weights: Vec<f64>,
    /// Mean absolute residual.
    pub(crate) spread: f64,
}

/// Points that no parameters can be fitted to.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// There are not enough latencies.
    #[error(
        "the {family} model has {parameters} parameters, and {latencies} latencies are left to fit \
         ({excluded} points are excluded as overloaded); measure more points below saturation"
    )]
    TooFew {
        /// Service model.
        family: &'static str,
        /// Its parameters.
        parameters: usize,
        /// Latencies that can be fitted.
        latencies: usize,
        /// Points that were left out.
        excluded: usize,
    },
    /// The batch size is out of range.
    #[error("batch size {0} is outside 1 to {MAX}", MAX = isocost_model::queue::MAX_BATCH)]
    Batch(u32),
}

/// Rounds in which points may prove to be overloaded.
const ROUNDS: usize = 6;
/// Starting points lie about the first by so much in the logarithms, a standard deviation.
const SPREAD: f64 = 0.6;
/// Logarithm of a parameter that is as good as nothing, in any of the units.
const VANISHED: f64 = -20.0;
/// A minimum is lower than another by more than this share.
const BETTER: f64 = 1e-3;

/// Fits `family` to `points`.
///
/// # Errors
/// [`FitError`].
pub fn fit(family: Family, points: &[Point], options: &Options) -> Result<Fit, FitError> {
    let batch = options.bench.batch;
    if batch == 0 || batch > isocost_model::queue::MAX_BATCH {
        return Err(FitError::Batch(batch));
    }
    let mut excluded = overload::measured(points);
    let mut start = None;
    for _ in 0..ROUNDS {
        let used = left(points, &excluded);
        let minimum = search(family, points, &used, excluded.len(), options, start.take())?;
        let service = family.model(&family.values(&minimum.free));
        let more = overload::predicted(points, &used, service, &options.bench);
        if more.is_empty() {
            return Ok(Fit::new(family, points, used, excluded, options, minimum));
        }
        excluded.extend(more);
        start = Some(minimum.free);
    }
    let used = left(points, &excluded);
    let minimum = search(family, points, &used, excluded.len(), options, start)?;
    Ok(Fit::new(family, points, used, excluded, options, minimum))
}

/// Indices of the points that are not excluded.
fn left(points: &[Point], excluded: &[Excluded]) -> Vec<usize> {
    (0..points.len()).filter(|i| excluded.iter().all(|e| e.point != *i)).collect()
}

/// The best minimum from several starting points, and from `start` where there is one.
fn search(
    family: Family,
    points: &[Point],
    used: &[usize],
    excluded: usize,
    options: &Options,
    start: Option<Vec<f64>>,
) -> Result<Minimum, FitError> {
    let chosen: Vec<&Point> = used.iter().map(|&i| &points[i]).collect();
    let parameters = family.parameters().len();
    let latencies = rows(&chosen).count();
    if latencies <= parameters {
        let family = family.name();
        return Err(FitError::TooFew { family, parameters, latencies, excluded });
    }
    let own = family.start(&chosen);
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let least = u32::from(start.is_none());
    let starts = (0..options.starts.max(least)).map(|i| match i {
        0 => own.clone(),
        _ => own.iter().map(|x| x + SPREAD * normal(&mut random)).collect(),
    });
    let starts: Vec<Vec<f64>> = start.into_iter().chain(starts).collect();
    let bench = with_memory(options.bench, &chosen);
    let problem = Residuals::new(family, bench, &chosen, &own);
    if let [start] = starts.as_slice() {
        return Ok(minimise(&problem, start, Effort::AGAIN));
    }
    let minima = starts.par_iter().map(|start| minimise(&problem, start, Effort::COARSE));
    let minima: Vec<Minimum> = minima.collect();
    // The first of equals, so that the order in which threads end is of no account.
    let best = minima.iter().min_by(|a, b| a.spread.total_cmp(&b.spread));
    let found = minimise(&problem, best.map_or(&own, |m| &m.free), Effort::FINE);
    Ok(revived(&problem, found, &own))
}

/// A parameter that a first long step took to nothing has no slope to come back by: it is set to
/// where it started, and what a descent from there finds is taken unless it is higher.
fn revived(problem: &Residuals<'_>, found: Minimum, own: &[f64]) -> Minimum {
    let mut free = found.free.clone();
    for (x, start) in free.iter_mut().zip(own) {
        if *x < VANISHED {
            *x = *start;
        }
    }
    if free == found.free {
        return found;
    }
    let again = minimise(problem, &free, Effort::FINE);
    if again.spread <= found.spread * (1.0 + BETTER) { again } else { found }
}

/// The fit to the points `used` alone, to judge it on the others. The search starts from `fit`, and
/// from as many other points as `starts` says.
pub(crate) fn refit(fit: &Fit, points: &[Point], used: &[usize], starts: u32) -> Option<Fit> {
    let options = Options { starts, ..fit.options };
    let start = Some(fit.free.clone());
    let found = search(fit.family, points, used, 0, &options, start).ok()?;
    Some(Fit::new(fit.family, points, used.to_vec(), Vec::new(), &fit.options, found))
}

/// `fit`, or where one of `others` is nearer to its points, the fit that a descent from there finds.
pub(crate) fn improve(fit: Fit, points: &[Point], others: &[Vec<f64>]) -> Fit {
    let chosen: Vec<&Point> = fit.used.iter().map(|&i| &points[i]).collect();
    let problem = Residuals::new(fit.family, fit.bench, &chosen, &fit.free);
    let mut best = (fit.spread * (1.0 - BETTER), None);
    for other in others {
        let spread = spread(&problem.plain(other));
        if spread < best.0 {
            best = (spread, Some(other));
        }
    }
    let Some(start) = best.1 else { return fit };
    let found = minimise(&problem, start, Effort::FINE);
    if found.spread >= fit.spread {
        return fit;
    }
    Fit::new(fit.family, points, fit.used, fit.excluded, &fit.options, found)
}

/// A standard normal number, by Box and Muller.
fn normal(random: &mut impl RngExt) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Fit {
    fn new(
        family: Family,
        points: &[Point],
        used: Vec<usize>,
        excluded: Vec<Excluded>,
        options: &Options,
        minimum: Minimum,
    ) -> Self {
        let chosen: Vec<&Point> = used.iter().map(|&i| &points[i]).collect();
        let bench = with_memory(options.bench, &chosen);
        let problem = Residuals::new(family, bench, &chosen, &minimum.free);
        let confidence = Confidence::new(&problem, &minimum);
        let mut weights = vec![1.0_f64; used.len()];
        for ((point, _), weight) in rows(&chosen).zip(&minimum.weights) {
            weights[point] = weights[point].min(*weight);
        }
        let values = family.values(&minimum.free);
        Self {
            family,
            options: *options,
            bench,
            service: family.model(&values),
            values,
            confidence,
            used,
            excluded,
            weights,
            free: minimum.free,
            row_weights: minimum.weights,
            spread: minimum.spread,
        }
    }
}
