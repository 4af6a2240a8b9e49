//! Robust least squares: Huber's loss by iteratively reweighted least squares.
//!
//! A residual beyond 1.345 standard deviations counts by its size, not by its square, so that one
//! bad point cannot pull the fit to it; on clean normal errors that costs 5% of the precision
//! (Huber, Annals of Mathematical Statistics 35, 1964). The standard deviation is that of the median
//! absolute residual. Each round is a Levenberg-Marquardt descent at fixed weights.

use levenberg_marquardt::LevenbergMarquardt;

use crate::residual::Residuals;

/// Residuals beyond this many standard deviations are weighed down.
pub(crate) const HUBER: f64 = 1.345;

/// Median absolute value of a standard normal.
const MEDIAN_OF_NORMAL: f64 = 0.674_489_75;

/// Residuals are never taken to be more precise than this share.
const LEAST_SCALE: f64 = 1e-7;

/// Free coordinates that move less than this have settled.
const SETTLED: f64 = 1e-4;

/// How far a descent goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds of reweighting, at most.
    pub rounds: usize,
    /// Each round ends when the squares, or the coordinates, change by less than this share.
    pub precision: f64,
}

impl Effort {
    /// To compare starting points.
    pub const COARSE: Self = Self { rounds: 1, precision: 1e-2 };
    /// To settle.
    pub const FINE: Self = Self { rounds: 5, precision: 1e-5 };
    /// To settle again near a minimum, where some points are left out.
    pub const AGAIN: Self = Self { rounds: 2, precision: 1e-3 };
}

/// A minimum of the robust loss.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Minimum {
    pub free: Vec<f64>,
    /// Standard deviation of a residual.
    pub scale: f64,
    /// Weight of each residual, in (0, 1].
    pub weights: Vec<f64>,
    /// Mean absolute residual: what minima are compared by.
    pub spread: f64,
}

/// Descends from `free` for as many rounds of reweighting as the effort allows.
pub(crate) fn minimise(problem: &Residuals<'_>, free: &[f64], effort: Effort) -> Minimum {
    let Effort { rounds, precision } = effort;
    let mut minimum = Minimum::at(problem, free.to_vec());
    for _ in 0..rounds {
        let weighted = problem.weighted(&minimum.weights, &minimum.free);
        let search = LevenbergMarquardt::new()
            .with_ftol(precision)
            .with_xtol(precision)
            .with_gtol(precision)
            .with_patience(3);
        let (found, _) = search.minimize(weighted);
        let moved = found.free().iter().zip(&minimum.free).map(|(a, b)| (a - b).abs());
        let moved = moved.fold(0.0, f64::max);
        if !moved.is_finite() {
            break;
        }
        minimum = Minimum::at(problem, found.free().to_vec());
        if moved < SETTLED {
            break;
        }
    }
    minimum
}

impl Minimum {
    fn at(problem: &Residuals<'_>, free: Vec<f64>) -> Self {
        let residuals = problem.plain(&free);
        let scale = scale(&residuals, free.len());
        let weights = residuals.iter().map(|r| (HUBER * scale / r.abs()).min(1.0)).collect();
        Self { free, scale, weights, spread: spread(&residuals) }
    }
}

/// Mean absolute residual.
pub(crate) fn spread(residuals: &[f64]) -> f64 {
    residuals.iter().map(|r| r.abs()).sum::<f64>() / residuals.len() as f64
}

/// Standard deviation by the median absolute residual, with `parameters` of them used up.
fn scale(residuals: &[f64], parameters: usize) -> f64 {
    let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    let n = sizes.len();
    let left = n.saturating_sub(parameters).max(1);
    let used = (n as f64 / left as f64).sqrt();
    (median(&mut sizes) / MEDIAN_OF_NORMAL * used).max(LEAST_SCALE)
}

/// The median; 0 of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}
