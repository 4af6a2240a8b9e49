//! Estimates with confidence intervals, from sections of a simulation.
//!
//! A section is an independent replication after its warm-up, or a batch of one long run (batch
//! means). The estimate is that of the pooled sample, mean and percentile alike; its interval is
//! Student's t over the sections' own estimates `x_i` about the pooled one `x`,
//!
//! ```text
//! x ± t(R - 1) sqrt(sum of (x_i - x)^2 / (R (R - 1)))
//! ```
//!
//! (sectioning: Asmussen and Glynn, Stochastic Simulation, 2007, III.5a), which for percentiles is
//! less biased than the mean of the sections' percentiles.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Probability with which an interval holds the true value.
pub const CONFIDENCE: f64 = 0.95;

/// A value with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Half the width of its interval at [`CONFIDENCE`]; infinite from a single section.
    pub half_width: f64,
}

impl Estimate {
    /// The estimate `pooled` with an interval from those of the sections.
    pub fn new(pooled: f64, sections: &[f64]) -> Self {
        let count = sections.len() as f64;
        if sections.len() < 2 {
            return Self { value: pooled, half_width: f64::INFINITY };
        }
        let squares: f64 = sections.iter().map(|x| (x - pooled).powi(2)).sum();
        let error = (squares / (count * (count - 1.0))).sqrt();
        Self { value: pooled, half_width: student_t((1.0 + CONFIDENCE) / 2.0, count - 1.0) * error }
    }

    /// Whether `value` lies in the interval.
    pub fn holds(&self, value: f64) -> bool {
        (value - self.value).abs() <= self.half_width
    }
}

/// Quantile of Student's t.
pub(crate) fn student_t(probability: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) => t.inverse_cdf(probability),
        Err(_) => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [(1.0, 12.706), (2.0, 4.303), (4.0, 2.776), (9.0, 2.262), (29.0, 2.045)];
        for (freedom, t) in table {
            let got = student_t(0.975, freedom);
            assert!((got - t).abs() < 6e-4, "{freedom}: {got}");
        }
    }

    #[test]
    fn intervals_are_students() {
        // Mean 2, standard deviation 1, three sections: 4.303 / sqrt(3).
        let estimate = Estimate::new(2.0, &[1.0, 2.0, 3.0]);
        assert!((estimate.half_width - 4.303 / 3.0_f64.sqrt()).abs() < 1e-3);
        assert!(estimate.holds(4.0) && !estimate.holds(5.0));
        assert_eq!(Estimate::new(2.0, &[2.0]).half_width, f64::INFINITY);
    }
}
