//! Fits that have not seen some of the points.
//!
//! Leaving out a whole sweep says what to expect at prompt and answer lengths that nobody measured,
//! which is what a plan does: each sweep costs a fit. Leaving out one point at a time says how well
//! the model interpolates, and needs no fit. At the minimum of the weighted squares the gradient
//! `J' W r` is zero; without the rows `i` of a point it is `-J_i' W_i r_i`, so that one step of
//! Gauss and Newton leads to
//!
//! ```text
//! x + (J' W J - J_i' W_i J_i)^-1 J_i' W_i r_i
//! ```
//!
//! (Cook and Weisberg, Residuals and Influence in Regression, 1982, section 3.2); the point is then
//! predicted by the model at these parameters.

use isocost_model::queue::ServiceModel;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::fit::{Fit, refit};
use crate::point::{Point, sweeps};
use crate::predict::{Bench, Prediction, predict};
use crate::residual::{Residuals, rows};

/// Points that a fit has not seen, and what it says of them.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The sweep; of single points the one they belong to.
    pub sweep: String,
    /// Indices of the points, and what was predicted of each.
    pub judged: Vec<(usize, Prediction)>,
    /// Service model at the ends of the region of the fit that has not seen them, optimistic first.
    pub ends: [ServiceModel; 2],
    /// What the server ran with, as far as that fit knows.
    pub(crate) bench: Bench,
    /// Where that fit ended, in free coordinates.
    pub(crate) free: Vec<f64>,
}

impl LeftOut {
    fn new(fit: &Fit, points: &[Point], sweep: &str, out: &[usize]) -> Self {
        let predicted = |&i: &usize| Some((i, predict(fit.service, &fit.bench, &points[i])?));
        Self {
            sweep: sweep.to_owned(),
            judged: out.iter().filter_map(predicted).collect(),
            ends: [fit.confidence.optimistic, fit.confidence.pessimistic],
            bench: fit.bench,
            free: fit.free.clone(),
        }
    }
}

/// Each sweep judged by a fit to the others; a sweep without which too little is left to fit is not.
pub(crate) fn by_sweep(fit: &Fit, points: &[Point]) -> Vec<LeftOut> {
    let names = sweeps(points);
    if names.len() < 2 {
        return Vec::new();
    }
    let judged = names.par_iter().map(|name| {
        let of = |i: &usize| points[*i].sweep == *name;
        let (out, rest): (Vec<usize>, Vec<usize>) = fit.used.iter().partition(|i| of(i));
        let fit = refit(fit, points, &rest)?;
        (!out.is_empty()).then(|| LeftOut::new(&fit, points, name, &out))
    });
    judged.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// Each point judged by a step to the fit to the others.
pub(crate) fn by_point(fit: &Fit, points: &[Point]) -> Vec<LeftOut> {
    let chosen: Vec<&Point> = fit.used.iter().map(|&i| &points[i]).collect();
    let problem = Residuals::new(fit.family, fit.bench, &chosen, &fit.free);
    let (jacobian, residuals) = (problem.derivatives(&fit.free), problem.plain(&fit.free));
    let weighted = Rows { jacobian, residuals, weights: fit.row_weights.clone() };
    let information = weighted.information(0..weighted.residuals.len());
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); chosen.len()];
    for (row, (point, _)) in rows(&chosen).enumerate() {
        own[point].push(row);
    }
    let mut judged = Vec::new();
    for (at, rows) in own.into_iter().enumerate() {
        let rest = &information - weighted.information(rows.iter().copied());
        let Some(step) = rest.lu().solve(&weighted.pull(&rows)) else { continue };
        let free: Vec<f64> = fit.free.iter().zip(&step).map(|(x, d)| x + d).collect();
        let service = fit.family.model(&fit.family.values(&free));
        if let Some(prediction) = predict(service, &fit.bench, chosen[at]) {
            judged.push(LeftOut {
                sweep: chosen[at].sweep.clone(),
                judged: vec![(fit.used[at], prediction)],
                ends: [fit.confidence.optimistic, fit.confidence.pessimistic],
                bench: fit.bench,
                free,
            });
        }
    }
    judged
}

/// Residuals with their derivatives and weights.
struct Rows {
    jacobian: DMatrix<f64>,
    residuals: Vec<f64>,
    weights: Vec<f64>,
}

impl Rows {
    /// `J' W J` of some rows.
    fn information(&self, rows: impl Iterator<Item = usize>) -> DMatrix<f64> {
        let n = self.jacobian.ncols();
        let mut sum = DMatrix::zeros(n, n);
        for row in rows {
            let slopes = self.jacobian.row(row);
            sum += slopes.transpose() * slopes * self.weights[row];
        }
        sum
    }

    /// `J' W r` of some rows.
    fn pull(&self, rows: &[usize]) -> DVector<f64> {
        let mut sum = DVector::zeros(self.jacobian.ncols());
        for &row in rows {
            sum += self.jacobian.row(row).transpose() * (self.weights[row] * self.residuals[row]);
        }
        sum
    }
}
