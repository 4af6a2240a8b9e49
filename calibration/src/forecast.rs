//! Points of another file, predicted with the parameters of a fit.

use crate::errors::Errors;
use crate::fit::Fit;
use crate::overload::{Excluded, measured};
use crate::point::Point;
use crate::predict::{Prediction, predict};

/// What a fit says of points that it was not fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Indices of the points, and what is predicted of each.
    pub judged: Vec<(usize, Prediction)>,
    /// Points that were overloaded when they were measured, which no steady state predicts.
    pub excluded: Vec<Excluded>,
    /// How far the predictions are off.
    pub errors: Errors,
}

impl Forecast {
    /// Predicts `points` with the parameters of `fit`.
    pub fn new(fit: &Fit, points: &[Point]) -> Self {
        let excluded = measured(points);
        let mut judged = Vec::new();
        for (i, point) in points.iter().enumerate() {
            if excluded.iter().any(|e| e.point == i) {
                continue;
            }
            judged.extend(predict(fit.service, &fit.bench, point).map(|p| (i, p)));
        }
        let errors = Errors::of(&judged.iter().map(|(i, p)| (&points[*i], p)).collect::<Vec<_>>());
        Self { judged, excluded, errors }
    }
}
