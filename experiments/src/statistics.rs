//! Medians with their spread, and growth exponents with their error.
//!
//! Times are skewed to the right and outliers are the rule on a shared machine: the middle and the
//! quartiles say more than mean and deviation. Ratios are taken within one repeat, whose arms ran
//! next to each other, and only then summarised.

/// The middle of some values and the middle half around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Lower quartile.
    pub low: f64,
    /// Median.
    pub median: f64,
    /// Upper quartile.
    pub high: f64,
    /// How many values.
    pub count: usize,
}

impl Spread {
    /// Of the finite values among `values`; `None` without any. Quantiles are interpolated between
    /// order statistics (type 7 of Hyndman and Fan, 1996).
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let quantile = |p: f64| {
            let at = p * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        (!sorted.is_empty()).then(|| Self {
            low: quantile(0.25),
            median: quantile(0.5),
            high: quantile(0.75),
            count: sorted.len(),
        })
    }
}

/// A power law `y = c x^exponent`, fitted by least squares of the logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The exponent.
    pub exponent: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The constant `c`.
    pub constant: f64,
    /// Points it was fitted to.
    pub points: usize,
}

impl PowerLaw {
    /// Fitted to the positive ones among `points`; `None` with fewer than three of them, or where all
    /// have one x.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let positive = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0);
        let logs: Vec<(f64, f64)> = positive.map(|(x, y)| (x.ln(), y.ln())).collect();
        let n = logs.len() as f64;
        let mean_x = logs.iter().map(|p| p.0).sum::<f64>() / n;
        let mean_y = logs.iter().map(|p| p.1).sum::<f64>() / n;
        let sxx: f64 = logs.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
        let sxy: f64 = logs.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
        if logs.len() < 3 || sxx <= 1e-12 {
            return None;
        }
        let exponent = sxy / sxx;
        let off = |p: &(f64, f64)| (p.1 - mean_y - exponent * (p.0 - mean_x)).powi(2);
        let residual: f64 = logs.iter().map(off).sum();
        Some(Self {
            exponent,
            standard_error: (residual / (n - 2.0) / sxx).sqrt(),
            constant: (mean_y - exponent * mean_x).exp(),
            points: logs.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let spread = Spread::of([4.0, 1.0, f64::NAN, 3.0, 2.0, 5.0]).expect("values");
        assert_eq!((spread.low, spread.median, spread.high, spread.count), (2.0, 3.0, 4.0, 5));
        assert_eq!(Spread::of([1.0, 2.0]).map(|s| s.median), Some(1.5));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_power_law_is_found_exactly() {
        let points: Vec<(f64, f64)> =
            [1.0, 10.0, 100.0].map(|x: f64| (x, 3.0 * x.powf(1.5))).to_vec();
        let law = PowerLaw::fit(&points).expect("three points");
        assert!((law.exponent - 1.5).abs() < 1e-12 && (law.constant - 3.0).abs() < 1e-9);
        assert!(law.standard_error < 1e-12);
    }

    #[test]
    fn the_standard_error_is_that_of_the_textbook() {
        // x = 0, 1, 2 and y = 0, 1, 3 in logarithms: slope 1.5, residuals 1/6, -1/3, 1/6.
        let points =
            [(0.0, 0.0), (1.0, 1.0), (2.0, 3.0)].map(|(x, y): (f64, f64)| (x.exp(), y.exp()));
        let law = PowerLaw::fit(&points).expect("three points");
        assert!((law.exponent - 1.5).abs() < 1e-12);
        assert!((law.standard_error - (1.0f64 / 12.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn too_few_points_say_nothing() {
        assert_eq!(PowerLaw::fit(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(PowerLaw::fit(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }
}
