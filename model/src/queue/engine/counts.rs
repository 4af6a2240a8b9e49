//! Counts of prompts: binomial, Poisson or negative binomial, by their mean and dispersion.
//!
//! With the dispersion `f` = variance / mean all three follow one recursion (Panjer, ASTIN Bulletin
//! 12, 1981),
//!
//! ```text
//! p(k + 1) / p(k) = (mean / f + k (1 - 1 / f)) / (k + 1),   p(0) = f^(-mean / (f - 1))
//! ```
//!
//! binomial for `f < 1`, Poisson for `f = 1`, negative binomial for `f > 1`. Where the mean is large
//! the count is read at points half a standard deviation apart, with the skew of the distribution
//! (Cornish and Fisher 1937).

/// Mean above which a count is read at points.
const MANY: f64 = 25.0;

/// Share of the counts that one may stand for.
const REST: f64 = 1e-7;

/// The same where counts are mixed with many others.
const COARSE: f64 = 3e-4;

/// Points of a normal variate, and how far apart they are in standard deviations.
const POINTS: u32 = 15;
const STEP: f64 = 0.5;

/// The counts with their probabilities, least first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    next: f64,
    most: f64,
    left: f64,
    rest: f64,
    rule: Rule,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The probability of the next, and the recursion's `mean / f` and `1 - 1 / f`.
    Exact {
        share: f64,
        first: f64,
        slope: f64,
    },
    Points {
        mean: f64,
        deviation: f64,
        skew: f64,
    },
}

impl Counts {
    /// Counts of that mean and dispersion, none above `most`.
    pub fn new(mean: f64, dispersion: f64, most: f64) -> Self {
        let f = dispersion.max(0.0);
        let rule = if mean > MANY || f < 0.4 {
            let deviation = (mean * f).sqrt();
            let skew = if deviation > 0.0 { (2.0 * f - 1.0) / deviation } else { 0.0 };
            Rule::Points { mean, deviation, skew }
        } else {
            let excess = f - 1.0;
            let share = if excess.abs() < 1e-9 { (-mean).exp() } else { f.powf(-mean / excess) };
            Rule::Exact { share, first: mean / f, slope: excess / f }
        };
        Self { next: 0.0, most, left: 1.0, rest: REST, rule }
    }

    /// The same, where counts rarer than what a percentile of a mixture of many can tell are one.
    pub fn coarse(self) -> Self {
        Self { rest: COARSE, ..self }
    }

    /// What makes `min(count, room)` have the mean `mean`, as a factor.
    pub fn scale(self, room: f64, mean: f64) -> f64 {
        let total: f64 = self.map(|(count, share)| share * count.min(room)).sum();
        if total > 0.0 { mean / total } else { 1.0 }
    }
}

impl Iterator for Counts {
    type Item = (f64, f64);

    #[inline]
    fn next(&mut self) -> Option<(f64, f64)> {
        let at = self.next;
        self.next += 1.0;
        match &mut self.rule {
            Rule::Points { mean, deviation, skew } => {
                if at >= f64::from(POINTS) {
                    return None;
                }
                let z = (at - f64::from(POINTS / 2)) * STEP;
                let share = STEP * (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
                let value = *mean + *deviation * (z + *skew / 6.0 * (z * z - 1.0));
                Some((value.clamp(0.0, self.most), share))
            }
            Rule::Exact { share, first, slope } => {
                if self.left < self.rest || at > self.most || *share <= 0.0 {
                    return None;
                }
                // The last stands for all that follow: no probability is lost.
                let is_last = self.left - *share < self.rest;
                let item = (at, if is_last { self.left } else { *share });
                self.left -= item.1;
                *share *= (*first + at * *slope).max(0.0) / (at + 1.0);
                Some(item)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_moments_asked_for() {
        for (mean, f) in [(0.3, 0.7), (2.0, 1.0), (0.5, 3.0), (12.0, 2.0), (80.0, 0.8), (60.0, 4.0)]
        {
            let sum =
                |of: fn(f64) -> f64| Counts::new(mean, f, 1e6).map(|(k, p)| p * of(k)).sum::<f64>();
            assert!((sum(|_| 1.0) - 1.0).abs() < 1e-3, "{mean} {f}: {}", sum(|_| 1.0));
            assert!((sum(|k| k) - mean).abs() < 2e-3 * mean, "{mean} {f}: {}", sum(|k| k));
            let got = sum(|k| k * k) - sum(|k| k).powi(2);
            assert!((got / (mean * f) - 1.0).abs() < 0.06, "{mean} {f}: {got}");
        }
    }
}
