//! The baseline: a straight line, `ITL = a + b concurrency`, by least squares.
//!
//! It is told the concurrency that was *measured*, by Little's law, which a planner does not have:
//! the model has to find it from the rate.

use crate::point::Point;

/// Signed errors on `judged` of the straight line through `fitted`; `None` where there is no line.
pub(crate) fn line_errors(
    points: &[Point],
    fitted: &[usize],
    judged: &[usize],
) -> Option<Vec<f64>> {
    let (intercept, slope) = line(&known(points, fitted))?;
    let judged = known(points, judged);
    Some(judged.into_iter().map(|(x, y)| (intercept + slope * x) / y - 1.0).collect())
}

/// Concurrency and ITL of the points that have both.
fn known(points: &[Point], at: &[usize]) -> Vec<(f64, f64)> {
    at.iter().filter_map(|&i| Some((points[i].concurrency()?, points[i].itl_ms?))).collect()
}

/// Least squares through (x, y): intercept and slope.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (sxx, sxy) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| {
        (a + (x - mean_x).powi(2), b + (x - mean_x) * (y - mean_y))
    });
    let slope = sxy / sxx;
    (points.len() > 1 && slope.is_finite()).then_some((mean_y - slope * mean_x, slope))
}
