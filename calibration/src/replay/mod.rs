//! Benchmarks replayed: what a load of known shape brings, pass by pass.
//!
//! The queueing model takes arrivals as random. A benchmark's often are not: constant gaps between
//! them never let two prompts meet while a gap is longer than a prefill, and clients that wait for
//! their answers send in waves. So these two loads are replayed, with the same cost of a pass
//! ([`ServiceModel::pass_ms`]) that the queueing model and the simulation use:
//!
//! * [`gaps`]: an open loop of constant gaps, with the number that decodes at its mean;
//! * [`clients`]: a closed loop, request by request.
//!
//! Both are deterministic. Where lengths vary, they are quantiles of their distributions in the order
//! of a sequence of low discrepancy (van der Corput, 1935), so that equal parameters give equal
//! latencies and the fit has a slope.

mod clients;
mod gaps;

use std::sync::LazyLock;

use isocost_model::queue::ServiceModel;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::point::Point;
use crate::predict::Bench;

pub(crate) use clients::clients;
pub(crate) use gaps::gaps;

/// What a replay measures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replayed {
    /// Mean time to first token, ms.
    pub ttft_ms: f64,
    /// Mean over requests of the time between two of their tokens, ms.
    pub itl_ms: f64,
    /// Times to first token, ms, rising.
    pub ttfts_ms: Vec<f64>,
    /// Standard deviation over requests of their mean time between two tokens, ms.
    pub itl_deviation_ms: f64,
    /// Arrival rate over the rate that can be served; 0 in a closed loop.
    pub load: f64,
}

/// A load to replay.
pub(crate) struct Load<'a> {
    pub service: ServiceModel,
    pub bench: &'a Bench,
    pub point: &'a Point,
}

impl Load<'_> {
    /// Length of the `i`-th prompt, tokens: at least one, normal about the mean.
    fn prompt(&self, i: usize) -> f64 {
        varied(self.point.input_tokens, self.point.input_scv, &PROMPTS, i).max(1.0)
    }

    /// Length of the `i`-th answer, tokens: at least one, normal about the mean.
    fn answer(&self, i: usize) -> f64 {
        varied(self.point.output_tokens, self.point.token_scv, &ANSWERS, i).round().max(1.0)
    }
}

/// Standard normal numbers of prompts and of answers; where a replay is longer they come again.
static PROMPTS: LazyLock<Vec<f64>> = LazyLock::new(|| (0..NUMBERS).map(|i| standard(i, 2)).collect());
static ANSWERS: LazyLock<Vec<f64>> = LazyLock::new(|| (0..NUMBERS).map(|i| standard(i, 3)).collect());
const NUMBERS: usize = 1024;

fn varied(mean: f64, scv: Option<f64>, numbers: &[f64], i: usize) -> f64 {
    let deviation = scv.unwrap_or(0.0).sqrt();
    if deviation > 0.0 { mean * (1.0 + deviation * numbers[i % NUMBERS]) } else { mean }
}

/// The `i`-th of a sequence of standard normal numbers, by the radical inverse to `base`.
fn standard(i: usize, base: usize) -> f64 {
    let (mut left, mut unit, mut share) = (i + 1, 1.0, 0.0);
    while left > 0 {
        unit /= base as f64;
        share += unit * (left % base) as f64;
        left /= base;
    }
    // Mean 0 and deviation 1 are sound.
    Normal::new(0.0, 1.0).map_or(0.0, |normal| normal.inverse_cdf(share))
}

impl Replayed {
    /// A percentile of the time to first token, ms.
    pub fn ttft_percentile_ms(&self, percent: f64) -> f64 {
        let n = self.ttfts_ms.len();
        let at = (percent / 100.0 * n as f64 - 0.5).max(0.0);
        let below = (at as usize).min(n.saturating_sub(1));
        let above = (below + 1).min(n.saturating_sub(1));
        let share = (at - below as f64).clamp(0.0, 1.0);
        self.ttfts_ms[below] * (1.0 - share) + self.ttfts_ms[above] * share
    }

    /// A percentile over requests of their mean time between tokens, ms, taken as normal.
    pub fn tpot_percentile_ms(&self, percent: f64) -> f64 {
        let normal = Normal::new(self.itl_ms, self.itl_deviation_ms.max(1e-9 * self.itl_ms));
        normal.map_or(self.itl_ms, |normal| normal.inverse_cdf(percent / 100.0))
    }
}
