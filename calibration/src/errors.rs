//! How far predictions are off.
//!
//! An error is `|predicted / measured - 1|`; it is optimistic where the latency was longer than
//! predicted.

use crate::point::Point;
use crate::predict::Prediction;
use crate::residual::Metric;
use crate::robust::median;

/// Mean, median and largest error of some latencies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Latencies that count.
    pub count: usize,
    /// Mean error, a share.
    pub mean: f64,
    /// Median error, a share.
    pub median: f64,
    /// Largest error, a share.
    pub most: f64,
    /// Largest share by which a latency was predicted too short; 0 where none was.
    pub optimistic: f64,
}

impl Spread {
    /// Of signed errors, `predicted / measured - 1`.
    pub fn of(signed: &[f64]) -> Self {
        let count = signed.len();
        let mut sizes: Vec<f64> = signed.iter().map(|e| e.abs()).collect();
        Self {
            count,
            mean: sizes.iter().sum::<f64>() / count.max(1) as f64,
            most: sizes.iter().copied().fold(0.0, f64::max),
            median: median(&mut sizes),
            optimistic: signed.iter().map(|e| -e).fold(0.0, f64::max),
        }
    }
}

/// Errors of both latencies, and of their percentiles where they were measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Errors {
    /// Of the mean inter-token latency.
    pub itl: Spread,
    /// Of the mean time to first token.
    pub ttft: Spread,
    /// Of percentiles of the time to first token, by percent.
    pub ttft_percentiles: Vec<(f64, Spread)>,
    /// Of percentiles over requests of their own mean inter-token latency, by percent.
    pub tpot_percentiles: Vec<(f64, Spread)>,
}

impl Errors {
    /// Of points and what was predicted of each.
    pub fn of(judged: &[(&Point, &Prediction)]) -> Self {
        Self {
            itl: means(judged, Metric::Itl),
            ttft: means(judged, Metric::Ttft),
            ttft_percentiles: percentiles(judged, Metric::Ttft),
            tpot_percentiles: percentiles(judged, Metric::Itl),
        }
    }
}

fn means(judged: &[(&Point, &Prediction)], metric: Metric) -> Spread {
    let errors: Vec<f64> =
        judged.iter().filter_map(|(point, x)| metric_error(metric, point, x)).collect();
    Spread::of(&errors)
}

/// Errors of each percentile that was both measured and predicted.
fn percentiles(judged: &[(&Point, &Prediction)], metric: Metric) -> Vec<(f64, Spread)> {
    let measured = judged.iter().flat_map(|(point, _)| metric.percentiles(point));
    let mut percents: Vec<f64> = measured.map(|p| p.percent).collect();
    percents.sort_by(f64::total_cmp);
    percents.dedup();
    let mut spreads = Vec::new();
    for percent in percents {
        let each = judged.iter().filter_map(|(p, x)| percentile_error(metric, percent, p, x));
        let errors: Vec<f64> = each.collect();
        if !errors.is_empty() {
            spreads.push((percent, Spread::of(&errors)));
        }
    }
    spreads
}

/// Signed error of a mean, where it was measured.
fn metric_error(metric: Metric, point: &Point, predicted: &Prediction) -> Option<f64> {
    Some(metric.predicted(predicted) / metric.measured(point)? - 1.0)
}

/// Signed error of a percentile, where it was both measured and predicted.
fn percentile_error(
    metric: Metric,
    percent: f64,
    point: &Point,
    predicted: &Prediction,
) -> Option<f64> {
    let measured = metric.percentiles(point).iter().find(|p| p.percent == percent)?;
    Some(metric.predicted_percentile(predicted, percent)? / measured.ms - 1.0)
}
