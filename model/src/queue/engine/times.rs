//! A time as a mixture: uniform times, some of which an exponential wait precedes.
//!
//! Objectives ask what share of a mixture is within a limit, which is a sum over its parts as they come. With `a` the
//! limit less where a part of length `l` begins, `i = min(a, l)` and a wait of mean `w`,
//!
//! ```text
//! i / l                                              of a part alone
//! (i - w (e^(-(a - i)/w) - e^(-a/w))) / l            of a part and a wait
//! ```
//!
//! A percentile is the least time that so large a share is within; its parts are kept for that.

/// Takes the parts of a mixture.
pub(super) trait Mixture {
    /// A time that is uniform over `length` from `from` on, ms, of probability `mass`.
    fn add(&mut self, from: f64, length: f64, mass: f64);

    /// The times that are added from here on come after an exponential wait of that mean, ms.
    fn wait(&mut self, mean_ms: f64);
}

/// The share of a mixture that is within a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within {
    limit_ms: f64,
    wait_ms: f64,
    /// The share so far.
    pub share: f64,
}

impl Within {
    /// The share of nothing.
    pub fn limit(limit_ms: f64) -> Self {
        Self { limit_ms, wait_ms: 0.0, share: 0.0 }
    }
}

impl Mixture for Within {
    #[inline]
    fn add(&mut self, from: f64, length: f64, mass: f64) {
        let Self { limit_ms, wait_ms: wait, .. } = *self;
        let after = limit_ms - from;
        if after < 0.0 {
            return;
        }
        let inside = after.min(length);
        self.share += mass
            * match (wait > 0.0, length > 1e-6 * wait.max(after)) {
                (false, false) => 1.0,
                (false, true) => inside / length,
                (true, false) => -(-after / wait).exp_m1(),
                (true, true) => {
                    let waits = (-(after - inside) / wait).exp() - (-after / wait).exp();
                    (inside - wait * waits) / length
                }
            };
    }

    fn wait(&mut self, mean_ms: f64) {
        self.wait_ms = mean_ms;
    }
}

/// The parts of a mixture.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// (from, length, mass) of those alone.
    alone: Vec<(f64, f64, f64)>,
    waiting: Vec<(f64, f64, f64)>,
    wait_ms: Option<f64>,
}

impl Mixture for Parts {
    fn add(&mut self, from: f64, length: f64, mass: f64) {
        let parts = if self.wait_ms.is_some() { &mut self.waiting } else { &mut self.alone };
        parts.push((from, length, mass));
    }

    fn wait(&mut self, mean_ms: f64) {
        self.wait_ms = Some(mean_ms);
    }
}

impl Parts {
    /// Share that is within a limit.
    fn within(&self, limit_ms: f64) -> f64 {
        let mut within = Within::limit(limit_ms);
        self.alone.iter().for_each(|(from, length, mass)| within.add(*from, *length, *mass));
        within.wait(self.wait_ms.unwrap_or(0.0));
        self.waiting.iter().for_each(|(from, length, mass)| within.add(*from, *length, *mass));
        within.share
    }

    /// Probability of all that were added.
    fn mass(&self) -> f64 {
        self.alone.iter().chain(&self.waiting).map(|(.., mass)| mass).sum()
    }

    /// The mean, ms.
    pub fn mean(&self) -> f64 {
        let sum = |parts: &[(f64, f64, f64)], wait_ms: f64| -> f64 {
            parts.iter().map(|(from, length, mass)| mass * (from + length / 2.0 + wait_ms)).sum()
        };
        let sums = sum(&self.alone, 0.0) + sum(&self.waiting, self.wait_ms.unwrap_or(0.0));
        sums / self.mass()
    }

    /// The time that `percent` of what was added are within, ms.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.quantile(percent / 100.0 * self.mass())
    }

    /// The least time that `share` of all is within, ms; the longest known where less is known of.
    pub fn quantile(&self, share: f64) -> f64 {
        let ends = self.alone.iter().chain(&self.waiting).map(|(from, length, _)| from + length);
        let waiting: f64 = self.waiting.iter().map(|(.., mass)| mass).sum();
        let odds = waiting / (1e-3 * (1.0 - share)).max(1e-300);
        let waits = self.wait_ms.unwrap_or(0.0) * odds.max(1.0).ln();
        let (mut low, mut high) = (0.0, ends.fold(0.0, f64::max) + waits);
        if self.within(low) >= share {
            return low;
        }
        // Parts that end before the bracket, or begin after it, are not looked at again.
        let (mut parts, mut before) = (self.clone(), 0.0);
        loop {
            let middle = 0.5 * (low + high);
            // Times that many take are jumps, which percentages close to one another share to the digit.
            if middle <= low || middle >= high {
                return high;
            }
            if before + parts.within(middle) >= share {
                high = middle;
            } else {
                low = middle;
            }
            parts.alone.retain(|(from, length, mass)| {
                let is_before = from + length <= low;
                before += if is_before { *mass } else { 0.0 };
                !is_before && *from <= high
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform over 2..6, and at 30% with a wait of mean 5 besides.
    fn both(into: &mut impl Mixture) {
        into.add(2.0, 4.0, 0.7);
        into.wait(5.0);
        into.add(2.0, 4.0, 0.3);
    }

    #[test]
    fn uniform_and_exponential_times_add_up() {
        let mut parts = Parts::default();
        both(&mut parts);
        // P(X > x) far out: 0.3 e^(-(x - 2)/5) (e^(4/5) - 1) / (4/5).
        let far = 2.0 + 5.0 * (0.3 * (0.8_f64.exp() - 1.0) / 0.8 / 0.01).ln();
        assert!((parts.quantile(0.99) - far).abs() < 1e-9 * far, "{} {far}", parts.quantile(0.99));
        for share in [0.1, 0.5, 0.9, 0.99] {
            let mut within = Within::limit(parts.quantile(share));
            both(&mut within);
            assert!((within.share - share).abs() < 1e-9, "{share}: {}", within.share);
        }
    }

    #[test]
    fn points_are_jumps() {
        let mut parts = Parts::default();
        parts.add(3.0, 0.0, 0.5);
        parts.add(7.0, 0.0, 0.5);
        assert!((parts.quantile(0.4) - 3.0).abs() < 1e-9);
        assert!((parts.quantile(0.6) - 7.0).abs() < 1e-9);
        parts.wait(1.0);
        assert_eq!(Parts::default().quantile(0.5), 0.0);
    }
}
