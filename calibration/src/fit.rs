//! The fit: from measured points to service parameters.

use isocost_model::queue::ServiceModel;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use crate::confidence::Confidence;
use crate::family::Family;
use crate::point::{Arrivals, Point};
use crate::predict::predict;
use crate::residual::{Residuals, rows};
use crate::robust::{Minimum, minimise};

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Batch size that the server ran with: the most requests in service.
    pub batch: u32,
    /// Starting points of the search.
    pub starts: u32,
    /// Seed of the starting points: the same seed gives the same fit.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch: 256, starts: 12, seed: 1 }
    }
}

/// Parameters that fit the points.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Which service model.
    pub family: Family,
    /// How it was fitted.
    pub options: Options,
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
    pub(crate) free: Vec<f64>,
}

/// A point that says nothing about a steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct Excluded {
    /// Index of the point.
    pub point: usize,
    /// Why.
    pub reason: Overload,
}

/// How a point shows that the server was overloaded.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Overload {
    /// Fewer requests were completed than arrived.
    #[error("only {:.0}% of the requests that arrived were completed: the queue grew", .share * 100.0)]
    Unserved {
        /// Completed over arrived.
        share: f64,
    },
    /// The rate is above what the fitted model can serve.
    #[error(
        "{rate_per_s} requests/s is above 98% of the fitted capacity, {capacity_per_s:.3} requests/s"
    )]
    Saturated {
        /// Arrival rate, requests/s.
        rate_per_s: f64,
        /// `mu(N)`, requests/s.
        capacity_per_s: f64,
    },
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

/// Below this share of completed requests the queue grew while it was measured.
const LEAST_SERVED: f64 = 0.95;
/// Above this share of the capacity a measurement ends before the queue is steady.
const MOST_LOAD: f64 = 0.98;
/// Rounds in which points may prove to be overloaded.
const ROUNDS: usize = 6;
/// Rounds of reweighting: to compare starting points, and to settle.
const COARSE: usize = 3;
const FINE: usize = 30;

/// Fits `family` to `points`.
///
/// # Errors
/// [`FitError`].
pub fn fit(family: Family, points: &[Point], options: &Options) -> Result<Fit, FitError> {
    if options.batch == 0 || options.batch > isocost_model::queue::MAX_BATCH {
        return Err(FitError::Batch(options.batch));
    }
    let mut excluded: Vec<Excluded> = points.iter().enumerate().filter_map(unserved).collect();
    let mut start = None;
    for _ in 0..ROUNDS {
        let used = left(points, &excluded);
        let minimum = search(family, points, &used, excluded.len(), options, start.take())?;
        let service = family.model(&family.values(&minimum.free));
        let more = saturated(points, &used, service, options.batch);
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

fn unserved((point, measured): (usize, &Point)) -> Option<Excluded> {
    let share = measured.served_share.filter(|share| *share < LEAST_SERVED)?;
    Some(Excluded { point, reason: Overload::Unserved { share } })
}

fn saturated(points: &[Point], used: &[usize], service: ServiceModel, batch: u32) -> Vec<Excluded> {
    let check = |&point: &usize| {
        let measured = &points[point];
        let Arrivals::Open { .. } = measured.arrivals else { return None };
        let load = predict(service, batch, measured)?.load;
        let rate_per_s = measured.rate_per_s;
        let reason = Overload::Saturated { rate_per_s, capacity_per_s: rate_per_s / load };
        (load > MOST_LOAD).then_some(Excluded { point, reason })
    };
    used.iter().filter_map(check).collect()
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
        _ => own.iter().map(|x| x + normal(&mut random)).collect(),
    });
    let starts: Vec<Vec<f64>> = start.into_iter().chain(starts).collect();
    let problem = Residuals::new(family, options.batch, &chosen, &own);
    if let [start] = starts.as_slice() {
        return Ok(minimise(&problem, start, FINE));
    }
    let minima = starts.par_iter().map(|start| minimise(&problem, start, COARSE));
    let minima: Vec<Minimum> = minima.collect();
    // The first of equals, so that the order in which threads end is of no account.
    let best = minima.iter().min_by(|a, b| a.spread.total_cmp(&b.spread));
    Ok(minimise(&problem, best.map_or(&own, |m| &m.free), FINE))
}

/// The service model fitted to the points `used` alone, to judge it on the others. The search
/// starts from `fit`, and from as many other points as `starts` says.
pub(crate) fn refit(
    fit: &Fit,
    points: &[Point],
    used: &[usize],
    starts: u32,
) -> Option<ServiceModel> {
    let options = Options { starts, ..fit.options };
    let found = search(fit.family, points, used, 0, &options, Some(fit.free.clone()));
    Some(fit.family.model(&fit.family.values(&found.ok()?.free)))
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
        let problem = Residuals::new(family, options.batch, &chosen, &minimum.free);
        let confidence = Confidence::new(&problem, &minimum);
        let mut weights = vec![1.0_f64; used.len()];
        for ((point, _), weight) in rows(&chosen).zip(&minimum.weights) {
            weights[point] = weights[point].min(*weight);
        }
        let values = family.values(&minimum.free);
        Self {
            family,
            options: *options,
            service: family.model(&values),
            values,
            confidence,
            used,
            excluded,
            weights,
            free: minimum.free,
        }
    }
}
