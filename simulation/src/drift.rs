//! Whether a queue grows: a test on how much longer it is after each step of a run.
//!
//! A run is cut into steps of equal numbers of arrivals. Where the load is above what the replica
//! can do, the increments `d_i` of the queue over the steps are about independent with mean
//! `m (1 - capacity / load)`, `m` arrivals a step. Where it is below, the queue comes back, so that an
//! increment that is up is followed by one that is down: the sum is that of its two ends, far below
//! what independent increments of the same spread would come to. So Student's test of the
//! increments' mean,
//!
//! ```text
//! mean(d) / sqrt(var(d) / B) > t(B - 1)
//! ```
//!
//! has its level at a load of exactly the capacity, and raises false alarms the more rarely the
//! lighter the load is. A queue that grows by a smaller share of the arrivals than [`MATERIAL`] may
//! still be filling to its steady state, and is not said to grow however sure that is.

use crate::estimate::student_t;

/// Steps that the counted part of a run is cut into.
pub(crate) const STEPS: u64 = 20;

/// Least growth, as a share of the arrivals.
const MATERIAL: f64 = 0.01;

/// Probability with which a queue at exactly its capacity is not said to grow.
const LEVEL: f64 = 0.99;

/// Increments of a queue over the steps of one or more runs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Drift {
    steps: u64,
    arrivals: u64,
    growth: i64,
    squares: f64,
}

impl Drift {
    /// A queue is longer by `growth` after `arrivals`.
    pub(crate) fn add(&mut self, arrivals: u64, growth: i64) {
        self.steps += 1;
        self.arrivals += arrivals;
        self.growth += growth;
        self.squares += (growth as f64).powi(2);
    }

    /// Adds the steps of other runs.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.steps += other.steps;
        self.arrivals += other.arrivals;
        self.growth += other.growth;
        self.squares += other.squares;
    }

    /// By how much the queue grew, as a share of the arrivals; below 0 where it shrank.
    pub fn share(&self) -> f64 {
        if self.arrivals == 0 { 0.0 } else { self.growth as f64 / self.arrivals as f64 }
    }

    /// Whether the queue grows with the length of the run.
    pub fn is_growth(&self) -> bool {
        if self.steps < 2 || self.share() <= MATERIAL {
            return false;
        }
        let steps = self.steps as f64;
        let mean = self.growth as f64 / steps;
        let variance = (self.squares - steps * mean * mean).max(0.0) / (steps - 1.0);
        mean > student_t(LEVEL, steps - 1.0) * (variance / steps).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(increments: &[i64]) -> Drift {
        let mut drift = Drift::default();
        increments.iter().for_each(|d| drift.add(100, *d));
        drift
    }

    #[test]
    fn what_goes_up_steadily_grows_and_what_comes_down_does_not() {
        assert!(drift(&[9, 11, 10, 12, 8]).is_growth());
        assert!(!drift(&[90, -88, 95, -96, 10]).is_growth());
        assert!(!drift(&[0, 0, 0, 0, 60]).is_growth());
        // Sure, and too little.
        assert!(!drift(&[1; 20]).is_growth());
        assert!(drift(&[2; 20]).is_growth());
        assert!(!drift(&[50]).is_growth() && !drift(&[]).is_growth());
        assert_eq!(drift(&[10, 20]).share(), 0.15);
    }
}
