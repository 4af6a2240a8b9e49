//! How well the parameters are known.
//!
//! The covariance is the sandwich of an M-estimator at the minimum (Huber 1967; White 1980), from
//! the Jacobian: it holds where the errors of the latencies differ in size, and takes each latency
//! as one observation. Residuals are enlarged by `1 / (1 - leverage)` (the HC3 correction), without
//! which few points look more certain than they are. Intervals are `t` intervals in the logarithms
//! of the parameters: they stay positive, and are not symmetric.
//!
//! **The ends of the region.** The parameters lie, all together, within the ellipsoid
//! `(x - fit)' C^-1 (x - fit) <= p F(0.95; p, n - p)` with 95% confidence. Every latency rises with
//! every parameter but `hidden`, with which it falls; yet the corner of the box around the ellipsoid
//! is far outside of it where parameters can stand in for each other. So the pessimistic end is the
//! point of the ellipsoid at which the latencies of the measured points are the longest on
//! (geometric) average, `fit + r C g / sqrt(g' C g)` with `g` the mean gradient of their logarithms;
//! the optimistic end is opposite. The ellipsoid's radius (Scheffe's) rather than a single
//! parameter's leaves room for loads whose latencies weigh the parameters differently.

use isocost_model::queue::ServiceModel;
use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use crate::residual::Residuals;
use crate::robust::{HUBER, Minimum};

/// The share of intervals and regions that hold the truth.
pub const LEVEL: f64 = 0.95;

/// Halvings of the step to an end of the region, at most.
const HALVINGS: i32 = 8;

/// Parameters that correlate more than this stand in for each other.
const CLOSE: f64 = 0.98;

/// A parameter whose interval is wider than this factor on either side is not known.
const WIDE: f64 = 3.0;

/// Directions with less information than this share of the most are not identified at all.
const NO_INFORMATION: f64 = 1e-11;

/// Intervals and correlations of the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Confidence {
    /// Ends of the 95% interval of each parameter; 0 and infinity where it is not identified.
    pub intervals: Vec<(f64, f64)>,
    /// Correlations of the logarithms of the parameters, row by row.
    pub correlations: Vec<Vec<f64>>,
    /// Covariances of the logarithms of the parameters, row by row.
    pub covariance: Vec<Vec<f64>>,
    /// What the points do not tell.
    pub doubts: Vec<Doubt>,
    /// Service model at the end of the region where latencies are shortest.
    pub optimistic: ServiceModel,
    /// Service model at the end of the region where latencies are longest.
    pub pessimistic: ServiceModel,
    /// Standard deviation of an ITL's relative residual; that of TTFT is three times as large.
    pub scale: f64,
}

/// What the points do not tell.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Doubt {
    /// Two parameters stand in for each other.
    #[error(
        "{a} and {b} correlate by {correlation:.3}: the points tell what they amount to, not each of \
         them; measure other prompt and answer lengths"
    )]
    Correlated {
        /// One parameter.
        a: &'static str,
        /// The other.
        b: &'static str,
        /// Their correlation.
        correlation: f64,
    },
    /// A parameter could be almost anything.
    #[error("{parameter} is not identified by these points (95% from {low:.3e} to {high:.3e})")]
    Unknown {
        /// The parameter.
        parameter: &'static str,
        /// Lower end of its interval.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

impl Confidence {
    pub(crate) fn new(problem: &Residuals<'_>, minimum: &Minimum) -> Self {
        let family = problem.family;
        let free = &minimum.free;
        let residuals = problem.plain(free);
        let jacobian = problem.derivatives(free);
        let (covariance, lost) = sandwich(&jacobian, &residuals, minimum.scale);
        let p = free.len();
        let left = (residuals.len() - p).max(1) as f64;

        let gradient = DMatrix::from_row_iterator(p, p, family.log_gradient(free).concat());
        let logs = &gradient * &covariance * gradient.transpose();
        let values = family.values(free);
        let t = StudentsT::new(0.0, 1.0, left).map_or(2.0, |t| t.inverse_cdf(0.5 + LEVEL / 2.0));
        let half =
            |i: usize| if lost[i] { f64::INFINITY } else { t * logs[(i, i)].max(0.0).sqrt() };
        let intervals: Vec<(f64, f64)> =
            (0..p).map(|i| (values[i] * (-half(i)).exp(), values[i] * half(i).exp())).collect();
        let correlation = |i: usize, j: usize| {
            let size = (logs[(i, i)] * logs[(j, j)]).sqrt();
            if size > 0.0 { (logs[(i, j)] / size).clamp(-1.0, 1.0) } else { 0.0 }
        };
        let table = |f: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..p).map(|i| (0..p).map(|j| f(i, j)).collect()).collect()
        };
        let correlations = table(&|i, j| if i == j { 1.0 } else { correlation(i, j) });
        let ends = ends(&jacobian, &covariance, left);
        let mean = |free: &[f64]| problem.plain(free).iter().sum::<f64>();
        let end = |sign: f64| {
            let moved = |step: f64| -> Vec<f64> {
                free.iter().zip(&ends).map(|(x, d)| x + sign * step * d).collect()
            };
            // The slope holds near the fit; a step over the bend of a knee may turn it round.
            let steps = (0..HALVINGS).map(|k| 0.5_f64.powi(k));
            let away = |step: &f64| sign * (mean(&moved(*step)) - mean(free)) > 0.0;
            let step = steps.into_iter().find(away).unwrap_or(0.0);
            family.model(&family.values(&moved(step)))
        };
        let doubts = doubts(family.parameters(), &values, &intervals, &correlations);
        Self {
            intervals,
            covariance: table(&|i, j| logs[(i, j)]),
            correlations,
            doubts,
            optimistic: end(-1.0),
            pessimistic: end(1.0),
            scale: minimum.scale,
        }
    }
}

/// Covariance of the free coordinates, and which of them lie in directions without information.
fn sandwich(jacobian: &DMatrix<f64>, residuals: &[f64], scale: f64) -> (DMatrix<f64>, Vec<bool>) {
    let n = jacobian.ncols();
    let inner = |r: f64| r.abs() <= HUBER * scale;
    let mut bread = DMatrix::zeros(n, n);
    for (row, r) in jacobian.row_iter().zip(residuals) {
        if inner(*r) {
            bread += row.transpose() * row;
        }
    }
    let (inverse, lost) = pseudo_inverse(bread);
    let mut filling = DMatrix::zeros(n, n);
    for (row, r) in jacobian.row_iter().zip(residuals) {
        let leverage = if inner(*r) { (row * &inverse * row.transpose())[(0, 0)] } else { 0.0 };
        let influence = r.clamp(-HUBER * scale, HUBER * scale) / (1.0 - leverage.min(0.99));
        filling += row.transpose() * row * (influence * influence);
    }
    (&inverse * filling * &inverse, lost)
}

/// The inverse over the directions that have information, and the coordinates of the others.
fn pseudo_inverse(matrix: DMatrix<f64>) -> (DMatrix<f64>, Vec<bool>) {
    let n = matrix.ncols();
    let eigen = matrix.symmetric_eigen();
    let most = eigen.eigenvalues.iter().copied().fold(0.0, f64::max);
    let mut inverse = DMatrix::zeros(n, n);
    let mut lost = vec![false; n];
    for (value, vector) in eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()) {
        if *value > NO_INFORMATION * most {
            inverse += vector * vector.transpose() / *value;
        } else {
            let share = |i: usize| vector[i] * vector[i] > 0.01;
            (0..n).filter(|i| share(*i)).for_each(|i| lost[i] = true);
        }
    }
    (inverse, lost)
}

/// Step in the free coordinates from the fit to the pessimistic end of the region. A parameter that is
/// hardly known goes no further than a factor of 3, since its slope says nothing beyond.
fn ends(jacobian: &DMatrix<f64>, covariance: &DMatrix<f64>, left: f64) -> Vec<f64> {
    let p = jacobian.ncols() as f64;
    let up: DVector<f64> = jacobian.row_sum().transpose() / jacobian.nrows() as f64;
    let direction = covariance * &up;
    let deviation = up.dot(&direction).max(0.0).sqrt();
    let radius = FisherSnedecor::new(p, left).map_or(4.0, |f| (p * f.inverse_cdf(LEVEL)).sqrt());
    if deviation > 0.0 && deviation.is_finite() {
        let most = WIDE.ln();
        direction.iter().map(|d| (d / deviation * radius).clamp(-most, most)).collect()
    } else {
        vec![0.0; jacobian.ncols()]
    }
}

fn doubts(
    names: &[&'static str],
    values: &[f64],
    intervals: &[(f64, f64)],
    correlations: &[Vec<f64>],
) -> Vec<Doubt> {
    let unknown = |i: usize| {
        let (low, high) = intervals[i];
        !(high <= values[i] * WIDE && low >= values[i] / WIDE)
    };
    let each = (0..names.len()).filter(|i| unknown(*i)).map(|i| {
        let (low, high) = intervals[i];
        Doubt::Unknown { parameter: names[i], low, high }
    });
    let pairs = (0..names.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
    let close = pairs.filter(|&(i, j)| correlations[i][j].abs() > CLOSE).map(|(i, j)| {
        Doubt::Correlated { a: names[i], b: names[j], correlation: correlations[i][j] }
    });
    each.chain(close).collect()
}
