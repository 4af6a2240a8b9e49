//! Residuals: how far the model is from what was measured.
//!
//! A residual is `weight ln(predicted / measured)`: shares, so that small and large latencies count
//! alike. One per cent of ITL weighs as three of TTFT, which is the precision that capacity needs of
//! either and about how well either is measured.

use levenberg_marquardt::LeastSquaresProblem;
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use crate::family::Family;
use crate::point::{Percentile, Point};
use crate::predict::{Bench, Prediction, predict};

/// A latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Inter-token latency.
    Itl,
    /// Time to first token.
    Ttft,
}

impl Metric {
    /// Both, in the order of the residuals of a point.
    pub const BOTH: [Self; 2] = [Self::Itl, Self::Ttft];

    /// Its weight in the fit.
    fn weight(self) -> f64 {
        match self {
            Self::Itl => 1.0,
            Self::Ttft => 1.0 / 3.0,
        }
    }

    /// What was measured, ms.
    pub fn measured(self, point: &Point) -> Option<f64> {
        match self {
            Self::Itl => point.itl_ms,
            Self::Ttft => point.ttft_ms,
        }
    }

    /// Percentiles that were measured: of the ITL those over requests of their own means.
    pub fn percentiles(self, point: &Point) -> &[Percentile] {
        match self {
            Self::Itl => &point.tpot_percentiles,
            Self::Ttft => &point.ttft_percentiles,
        }
    }

    /// The same as predicted, ms.
    pub fn predicted_percentile(self, prediction: &Prediction, percent: f64) -> Option<f64> {
        match self {
            Self::Itl => prediction.tpot_percentile_ms(percent),
            Self::Ttft => prediction.ttft_percentile_ms(percent),
        }
    }

    /// What is predicted, ms.
    pub fn predicted(self, prediction: &Prediction) -> f64 {
        match self {
            Self::Itl => prediction.itl_ms,
            Self::Ttft => prediction.ttft_ms,
        }
    }
}

/// The residuals of some points as a least-squares problem in the free coordinates.
#[derive(Clone)]
pub(crate) struct Residuals<'a> {
    pub family: Family,
    pub bench: Bench,
    pub points: &'a [&'a Point],
    /// Roots of the weights that the robust loss gives.
    pub roots: Vec<f64>,
    free: DVector<f64>,
}

/// What a residual is where the model gives no number at all.
const HOPELESS: f64 = 50.0;

/// Steps of the numerical derivatives in the free coordinates (logarithms), central and one-sided.
/// Whether two prompts meet in a pass is decided anew as parameters move, so that a latency has many
/// small jumps: a step is wide enough to see the slope across them.
const STEP: f64 = 5e-3;
const NEAR: f64 = 1e-2;

impl<'a> Residuals<'a> {
    pub fn new(family: Family, bench: Bench, points: &'a [&'a Point], free: &[f64]) -> Self {
        let rows = rows(points).count();
        let free = DVector::from_column_slice(free);
        Self { family, bench, points, roots: vec![1.0; rows], free }
    }

    /// The same with other weights.
    pub fn weighted(&self, weights: &[f64], free: &[f64]) -> Self {
        let roots = weights.iter().map(|w| w.sqrt()).collect();
        Self { roots, free: DVector::from_column_slice(free), ..self.clone() }
    }

    /// Residuals at `free`, without the robust weights.
    pub fn plain(&self, free: &[f64]) -> Vec<f64> {
        let service = self.family.model(&self.family.values(free));
        let mut residuals = Vec::new();
        for point in self.points {
            let prediction = predict(service, &self.bench, point);
            for metric in Metric::BOTH {
                let Some(measured) = metric.measured(point) else { continue };
                let predicted = prediction.as_ref().map_or(f64::NAN, |p| metric.predicted(p));
                let ratio = (predicted / measured).ln();
                let ratio = if ratio.is_finite() { ratio } else { HOPELESS };
                residuals.push(metric.weight() * ratio);
            }
        }
        residuals
    }

    /// Derivatives of the residuals at `free`, without the robust weights.
    pub fn derivatives(&self, free: &[f64]) -> DMatrix<f64> {
        let mut columns = Vec::new();
        for j in 0..free.len() {
            let (mut above, mut below) = (free.to_vec(), free.to_vec());
            above[j] += STEP;
            below[j] -= STEP;
            let rise =
                DVector::from_vec(self.plain(&above)) - DVector::from_vec(self.plain(&below));
            columns.push(rise / (2.0 * STEP));
        }
        DMatrix::from_columns(&columns)
    }

    /// The same one-sided, at half the cost: exact enough to descend by.
    fn slopes(&self, free: &[f64]) -> DMatrix<f64> {
        let here = DVector::from_vec(self.plain(free));
        let mut columns = Vec::new();
        for j in 0..free.len() {
            let mut moved = free.to_vec();
            moved[j] += NEAR;
            columns.push((DVector::from_vec(self.plain(&moved)) - &here) / NEAR);
        }
        DMatrix::from_columns(&columns)
    }

    pub fn free(&self) -> &[f64] {
        self.free.as_slice()
    }
}

/// (point, latency) of each residual.
pub(crate) fn rows<'a>(points: &'a [&'a Point]) -> impl Iterator<Item = (usize, Metric)> + 'a {
    points.iter().enumerate().flat_map(|(i, point)| {
        let given = move |metric: &Metric| metric.measured(point).is_some();
        Metric::BOTH.into_iter().filter(given).map(move |metric| (i, metric))
    })
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Residuals<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, free: &DVector<f64>) {
        self.free.copy_from(free);
    }

    fn params(&self) -> DVector<f64> {
        self.free.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let plain = self.plain(self.free());
        Some(DVector::from_iterator(plain.len(), plain.iter().zip(&self.roots).map(|(r, w)| r * w)))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let mut jacobian = self.slopes(self.free());
        for (mut row, root) in jacobian.row_iter_mut().zip(&self.roots) {
            row *= *root;
        }
        Some(jacobian)
    }
}
