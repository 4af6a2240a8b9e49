//! Coarse time stamps: several requests to a step, as where arrivals are stamped every three seconds.
//!
//! Gaps between such stamps are mostly 0, and now and then a step: a variation that is the stamps' and
//! not the load's. Within its step a request may have come at any time. Spread evenly at random there,
//! Poisson arrivals have the variation of Poisson arrivals, 1, and arrivals that come in bursts longer
//! than a step keep theirs.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Fewer requests than this tell nothing of their stamps.
const FEWEST: usize = 20;

/// Stamps are coarse where at least this share of the requests has the stamp of the one before.
const SAME: f64 = 0.05;

/// Stamps are compared in units of this, s.
const UNIT_S: f64 = 1e-6;

/// Spreads arrivals, in order, within the steps of their stamps where these are coarse; returns the
/// step, s.
pub(super) fn spread(arrivals_s: &mut [f64]) -> Option<f64> {
    let step_s = step(arrivals_s)?;
    // A trace is the same at every reading.
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for same in arrivals_s.chunk_by_mut(|a, b| a == b) {
        for arrival_s in same.iter_mut() {
            *arrival_s += step_s * random.random::<f64>();
        }
        same.sort_by(f64::total_cmp);
    }
    Some(step_s)
}

/// The step that all stamps are multiples of, apart, where many requests share a stamp, s.
fn step(arrivals_s: &[f64]) -> Option<f64> {
    if arrivals_s.len() < FEWEST {
        return None;
    }
    let mut same = 0_usize;
    let mut step = 0_u64;
    for pair in arrivals_s.windows(2) {
        let gap = ((pair[1] - pair[0]) / UNIT_S).round() as u64;
        same += usize::from(gap == 0);
        step = greatest_divisor(step, gap);
    }
    let coarse = step > 1 && same as f64 >= SAME * arrivals_s.len() as f64;
    coarse.then_some(step as f64 * UNIT_S)
}

fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
