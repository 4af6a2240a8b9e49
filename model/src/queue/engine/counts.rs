//! How many of `n` requests are at their prompts: a binomial count.

/// Mean above which a count is taken for normal.
const MANY: f64 = 30.0;

/// Share of the likeliest counts that may be left out.
const REST: f64 = 1e-9;

/// Points at which a normal variate is read, in standard deviations, and their weights: the rule of
/// Gauss and Hermite, exact up to the ninth moment.
const NORMAL: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_7),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (2.856_970_013_872_806, 0.011_257_411_327_720_7),
];

/// The counts with their probabilities, least first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    n: f64,
    /// Odds of one request.
    odds: f64,
    next: f64,
    share: f64,
    left: f64,
    /// Mean and standard deviation where the count is taken for normal.
    normal: Option<(f64, f64)>,
}

impl Counts {
    /// Of `n` requests each counts with probability `share`.
    pub fn new(n: f64, share: f64) -> Self {
        let (mean, free) = (n * share, 1.0 - share);
        let many = mean > MANY || free < 0.5;
        let normal = many.then(|| (mean, (mean * free).max(0.0).sqrt()));
        let none = if many { 0.0 } else { (n * (-share).ln_1p()).exp() };
        Self { n, odds: share / free, next: 0.0, share: none, left: 1.0, normal }
    }

    /// What makes `min(count, room)` have the mean `mean`, as a factor.
    pub fn scale(self, room: f64, mean: f64) -> f64 {
        let total: f64 = self.map(|(count, share)| share * count.min(room)).sum();
        if total > 0.0 { mean / total } else { 1.0 }
    }
}

impl Iterator for Counts {
    type Item = (f64, f64);

    fn next(&mut self) -> Option<(f64, f64)> {
        if let Some((mean, deviation)) = self.normal {
            let (at, share) = *NORMAL.get(self.next as usize)?;
            self.next += 1.0;
            return Some(((mean + deviation * at).clamp(0.0, self.n), share));
        }
        if self.left < REST || self.next > self.n {
            return None;
        }
        let item = (self.next, self.share);
        self.left -= self.share;
        self.share *= (self.n - self.next) / (self.next + 1.0) * self.odds;
        self.next += 1.0;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_moments_of_the_binomial() {
        for (n, share) in [(1.0, 0.3), (7.0, 0.01), (40.0, 0.2), (400.0, 0.2), (9.0, 0.9)] {
            let sum = |of: fn(f64) -> f64| Counts::new(n, share).map(|(k, p)| p * of(k)).sum::<f64>();
            let (mean, variance) = (n * share, n * share * (1.0 - share));
            assert!((sum(|_| 1.0) - 1.0).abs() < 1e-8);
            // The normal rule keeps within 0 and n.
            assert!((sum(|k| k) - mean).abs() < 0.02 * mean, "{n} {share}: {}", sum(|k| k));
            let got = sum(|k| k * k) - sum(|k| k).powi(2);
            assert!((got - variance).abs() < 0.1 * variance, "{n} {share}: {got}");
        }
    }
}
