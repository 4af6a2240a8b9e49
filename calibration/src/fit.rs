//! The fit: from measured points to service parameters.

use isocost_model::queue::ServiceModel;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use crate::confidence::Confidence;
use crate::course::{Course, Guess, has_clients};
use crate::family::Family;
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
    /// What the server ran with: as stated, and as the points show it.
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
    /// Whether a point is of a closed loop of several clients.
    has_clients: bool,
    /// What was guessed of closed loops.
    guess: Guess,
    /// Other guesses that came near, and where they ended in free coordinates.
    near: Vec<(Guess, Vec<f64>)>,
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
/// Guesses whose minimum is no higher than this times the lowest are judged by what is left out.
const NEAR: f64 = 1.25;
/// Experts' part of the weights, and the share of them that a token needs, to look for them from.
const EXPERTS: (f64, f64) = (0.5, 0.05);
/// Experts show where they lower the mean residual to this share.
const SHOWN: f64 = 0.9;
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
    let mut rounds = 0;
    loop {
        let used = left(points, &excluded);
        let task = Task { family, points, used: &used, excluded: excluded.len(), options };
        let found = task.anew()?;
        let service = family.model(&family.values(&found.minimum.free));
        let more = overload::predicted(points, &used, service, &options.bench);
        rounds += 1;
        if more.is_empty() || rounds > ROUNDS {
            return Ok(Fit::new(family, points, used, excluded, options, found));
        }
        excluded.extend(more);
    }
}

/// Indices of the points that are not excluded.
fn left(points: &[Point], excluded: &[Excluded]) -> Vec<usize> {
    (0..points.len()).filter(|i| excluded.iter().all(|e| e.point != *i)).collect()
}

/// Points to fit.
struct Task<'a> {
    family: Family,
    points: &'a [Point],
    used: &'a [usize],
    excluded: usize,
    options: &'a Options,
}

/// A minimum, and what was guessed, the best first, with what came near.
struct Found {
    minimum: Minimum,
    guess: Guess,
    near: Vec<(Guess, Vec<f64>)>,
}

impl Task<'_> {
    /// The points, where there are enough of them.
    fn chosen(&self) -> Result<Vec<&Point>, FitError> {
        let chosen: Vec<&Point> = self.used.iter().map(|&i| &self.points[i]).collect();
        let parameters = self.family.parameters().len();
        let latencies = rows(&chosen).count();
        if latencies <= parameters {
            let (family, excluded) = (self.family.name(), self.excluded);
            return Err(FitError::TooFew { family, parameters, latencies, excluded });
        }
        Ok(chosen)
    }

    fn problem<'p>(&self, chosen: &'p [&'p Point], guess: Guess, free: &[f64]) -> Residuals<'p> {
        Residuals::new(self.family, guess.bench(self.options.bench, chosen), chosen, free)
    }

    /// From `start`, for one guess.
    fn again(&self, guess: Guess, start: &[f64], effort: Effort) -> Result<Found, FitError> {
        let chosen = self.chosen()?;
        let minimum = minimise(&self.problem(&chosen, guess, start), start, effort);
        Ok(Found { minimum, guess, near: Vec::new() })
    }

    /// Each guess from the first starting point, where several are near each until it settles, then the
    /// best of them from the other starting points too.
    fn anew(&self) -> Result<Found, FitError> {
        let chosen = self.chosen()?;
        let chosen = chosen.as_slice();
        let own = self.family.start(chosen);
        let coarse = |guess: Guess, start: &Vec<f64>| {
            (guess, minimise(&self.problem(chosen, guess, &own), start, Effort::COARSE))
        };
        let all = Guess::all(&self.options.bench, chosen);
        let tried: Vec<(Guess, Minimum)> = all.par_iter().map(|g| coarse(*g, &own)).collect();
        let least = tried.iter().map(|(_, m)| m.spread).fold(f64::INFINITY, f64::min);
        let near: Vec<_> = tried.into_iter().filter(|(_, m)| m.spread <= NEAR * least).collect();
        let settle = |(guess, m): &(Guess, Minimum)| {
            let problem = self.problem(chosen, *guess, &own);
            (*guess, minimise(&problem, &m.free, Effort::FINE))
        };
        let tried: Vec<(Guess, Minimum)> =
            if near.len() > 1 { near.par_iter().map(settle).collect() } else { near };
        let (guess, first) = nearest(tried.clone());
        let others = tried.into_iter().filter(|(g, _)| *g != guess);
        let near = others.map(|(g, minimum)| (g, minimum.free)).collect();

        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        let starts = (1..self.options.starts)
            .map(|_| own.iter().map(|x| x + SPREAD * normal(&mut random)).collect());
        let starts: Vec<Vec<f64>> = starts.collect();
        let more: Vec<_> = starts.par_iter().map(|start| coarse(guess, start)).collect();
        let (_, best) = nearest([(guess, first)].into_iter().chain(more).collect());
        let problem = self.problem(chosen, guess, &own);
        let minimum = minimise(&problem, &best.free, Effort::FINE);
        Ok(Found { minimum: revived(&problem, minimum, &own), guess, near })
    }
}

/// The guess whose minimum is nearest to the points: the first of equals, so that the order in which
/// threads end is of no account. There is one at least.
fn nearest(tried: Vec<(Guess, Minimum)>) -> (Guess, Minimum) {
    let least = tried.into_iter().reduce(|a, b| if b.1.spread < a.1.spread { b } else { a });
    least.unwrap_or_else(|| unreachable!("every search tries one guess at least"))
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

/// The fits to the same points under the other guesses that were near.
pub(crate) fn otherwise(fit: &Fit, points: &[Point]) -> Vec<Fit> {
    let (family, used, options) = (fit.family, fit.used.as_slice(), &fit.options);
    let task = Task { family, points, used, excluded: fit.excluded.len(), options };
    let mut fits = Vec::new();
    for (guess, start) in &fit.near {
        let Ok(found) = task.again(*guess, start, Effort::AGAIN) else { continue };
        fits.push(Fit::new(family, points, used.to_vec(), fit.excluded.clone(), options, found));
    }
    fits
}

/// The fit to the points `used` alone, to judge it on the others: from where `fit` ended.
pub(crate) fn refit(fit: &Fit, points: &[Point], used: &[usize]) -> Option<Fit> {
    let task = Task { family: fit.family, points, used, excluded: 0, options: &fit.options };
    let found = task.again(fit.guess, &fit.free, Effort::AGAIN).ok()?;
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
    let minimum = minimise(&problem, start, Effort::FINE);
    if minimum.spread >= fit.spread {
        return fit;
    }
    let found = Found { minimum, guess: fit.guess, near: fit.near };
    Fit::new(fit.family, points, fit.used, fit.excluded, &fit.options, found)
}

/// Whether the steps of a fit's server seem to read more weights the more tokens are in them: where a
/// descent with experts ends well below the fit.
pub(crate) fn shows_experts(fit: &Fit, points: &[Point]) -> bool {
    let chosen: Vec<&Point> = fit.used.iter().map(|&i| &points[i]).collect();
    let mut values = fit.values.clone();
    values[0] *= 1.0 - EXPERTS.0;
    values.extend([fit.values[0] * EXPERTS.0, EXPERTS.1]);
    let start = Family::Mixture.free(&values);
    let problem = Residuals::new(Family::Mixture, fit.bench, &chosen, &start);
    minimise(&problem, &start, Effort::COARSE).spread < SHOWN * fit.spread
}

/// A standard normal number, by Box and Muller.
fn normal(random: &mut impl RngExt) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Fit {
    /// How the clients of closed loops were found to keep step; `None` where there are none.
    pub fn found_course(&self) -> Option<Course> {
        self.has_clients.then_some(self.bench.course)
    }

    fn new(
        family: Family,
        points: &[Point],
        used: Vec<usize>,
        excluded: Vec<Excluded>,
        options: &Options,
        found: Found,
    ) -> Self {
        let chosen: Vec<&Point> = used.iter().map(|&i| &points[i]).collect();
        let Found { minimum, guess, near } = found;
        let bench = guess.bench(options.bench, &chosen);
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
            has_clients: has_clients(&chosen),
            guess,
            near,
            free: minimum.free,
            row_weights: minimum.weights,
            spread: minimum.spread,
        }
    }
}
