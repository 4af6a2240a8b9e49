//! Benchmarks replayed: what a load of known shape brings, pass by pass.
//!
//! The queueing model takes arrivals as random. A benchmark's often are not: constant gaps between
//! them never let two prompts meet while a gap is longer than a prefill, and clients that wait for
//! their answers send in waves. So these two loads are replayed, with the same cost of a pass
//! ([`ServiceModel::pass_ms`]) that the queueing model and the simulation use:
//!
//! * [`gaps`]: an open loop of constant gaps;
//! * [`clients`]: a closed loop.
//!
//! Both are deterministic. Where lengths vary, they are quantiles of their distributions in the order
//! of a sequence of low discrepancy (van der Corput, 1935), so that equal parameters give equal
//! latencies and the fit has a slope.

mod engine;

use std::sync::LazyLock;

use isocost_model::queue::ServiceModel;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::point::{Arrivals, Point};
use crate::predict::Bench;

pub(crate) use engine::{clients, gaps};

/// What a replay measures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replayed {
    /// Mean time to first token, ms.
    pub ttft_ms: f64,
    /// Mean over requests of the time between two of their tokens, ms.
    pub itl_ms: f64,
    /// Times to first token, ms, in the order in which they came.
    pub ttfts_ms: Vec<f64>,
    /// Times between tokens of requests, ms, likewise.
    pub itls_ms: Vec<f64>,
    /// Arrivals over answers where requests wait for a place at the end; else 0.
    pub load: f64,
}

/// A load to replay.
pub(crate) struct Load<'a> {
    pub service: ServiceModel,
    pub bench: &'a Bench,
    pub point: &'a Point,
}

impl Load<'_> {
    /// Passes after which a request that finds the replica busy joins, half a one of them in an open
    /// loop until the one under way ends: as the model has it, else in a closed loop the pass that
    /// began before the client could send.
    fn lag_passes(&self) -> f64 {
        match (self.service, self.point.arrivals) {
            (ServiceModel::Roofline(roofline), _) => roofline.lag_steps.min(MOST_LAG),
            (_, Arrivals::Open { .. }) => 0.0,
            (_, Arrivals::Closed { .. }) => 1.0,
        }
    }

    /// Length of the `i`-th prompt, tokens: at least one, normal about the mean.
    fn prompt(&self, i: usize) -> f64 {
        let scv = self.point.input_scv.unwrap_or(0.0);
        varied(self.point.input_tokens, scv, &PROMPTS, i).max(1.0)
    }

    /// Length of the `i`-th answer, tokens: at least one, normal about the mean.
    fn answer(&self, i: usize) -> f64 {
        let scv = self.point.token_scv.unwrap_or(self.bench.course.answers_scv());
        varied(self.point.output_tokens, scv, &ANSWERS, i).round().max(1.0)
    }
}

/// No lag is longer: a search passes through many.
const MOST_LAG: f64 = 1e4;

/// Standard normal numbers of prompts and of answers; where a replay is longer they come again.
static PROMPTS: LazyLock<Vec<f64>> =
    LazyLock::new(|| (0..NUMBERS).map(|i| standard(i, 2)).collect());
static ANSWERS: LazyLock<Vec<f64>> =
    LazyLock::new(|| (0..NUMBERS).map(|i| standard(i, 3)).collect());
const NUMBERS: usize = 1024;

fn varied(mean: f64, scv: f64, numbers: &[f64], i: usize) -> f64 {
    let deviation = scv.sqrt();
    if deviation > 0.0 { mean * (1.0 + deviation * numbers[i % NUMBERS]) } else { mean }
}

/// The `i`-th of a sequence of standard normal numbers, by the radical inverse to `base`.
fn standard(i: usize, base: usize) -> f64 {
    // Mean 0 and deviation 1 are sound.
    Normal::new(0.0, 1.0).map_or(0.0, |normal| normal.inverse_cdf(share(i, base)))
}

/// The `i`-th of a sequence of numbers in (0, 1), evenly spread: the radical inverse to `base`.
fn share(i: usize, base: usize) -> f64 {
    let (mut left, mut unit, mut share) = (i + 1, 1.0, 0.0);
    while left > 0 {
        unit /= base as f64;
        share += unit * (left % base) as f64;
        left /= base;
    }
    share
}

impl Replayed {
    /// A percentile of the time to first token, ms.
    pub fn ttft_percentile_ms(&self, percent: f64) -> Option<f64> {
        percentile(&self.ttfts_ms, percent)
    }

    /// A percentile over requests of their mean time between tokens, ms.
    pub fn tpot_percentile_ms(&self, percent: f64) -> Option<f64> {
        percentile(&self.itls_ms, percent)
    }
}

/// A percentile of figures, straight between them; nothing of nothing.
fn percentile(figures: &[f64], percent: f64) -> Option<f64> {
    let mut rising = figures.to_vec();
    rising.sort_by(f64::total_cmp);
    let last = rising.len().checked_sub(1)?;
    let at = (percent / 100.0 * rising.len() as f64 - 0.5).clamp(0.0, last as f64);
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    Some(rising[below] + (rising[above] - rising[below]) * (at - at.floor()))
}
