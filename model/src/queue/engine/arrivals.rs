//! How arrivals come in a window: even, at random or in bursts.
//!
//! Of a renewal stream of rate `lambda` and squared coefficient of variation `c` (the distributions of the
//! simulation: a shifted exponential up to 1, two exponentials with balanced means above). Windows are
//! counted in mean gaps, `m = lambda t`. Above 1 the stream's intensity `s` after an arrival is
//!
//! ```text
//! h(s) / lambda = 1 + (c - 1)/(c + 1) e^(-2 lambda s/(c + 1))
//! ```
//!
//! from which the mean of it over a window and the variance of a count over its mean follow. Up to 1 no arrival
//! comes within `1 - sqrt(c)` mean gaps of another, and the count's variance over its mean is `1 - m` until it
//! is `c`.
//!
//! With all `N` places taken the queue of a G/M/N falls by `sigma` a request, the root below 1 of
//! `sigma = A(mu(N) (1 - sigma))` for the transform `A` of the gaps: what arrivals find is `sigma / rho` times as
//! likely to be a full batch as it is over time.

/// A stream of arrivals, by the squared coefficient of variation of its gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arrivals(pub f64);

impl Arrivals {
    /// Whether they come at random, one independent of the other.
    pub fn are_poisson(self) -> bool {
        self.0 == 1.0
    }

    /// Variance over mean of the count in a window of `m` mean gaps.
    pub fn dispersion(self, m: f64) -> f64 {
        let c = self.0;
        if c <= 1.0 {
            return if c == 1.0 { 1.0 } else { (1.0 - m).max(c) };
        }
        1.0 + (c - 1.0) * (1.0 - fading(2.0 * m / (c + 1.0)))
    }

    /// How much likelier than at random another arrival comes within `m` mean gaps of one.
    pub fn clustering(self, m: f64) -> f64 {
        let c = self.0;
        if c > 1.0 {
            return 1.0 + (c - 1.0) / (c + 1.0) * fading(2.0 * m / (c + 1.0));
        }
        let apart = 1.0 - c.sqrt();
        if apart <= 0.0 { 1.0 } else { (1.0 - apart / m.max(f64::MIN_POSITIVE)).max(0.0) }
    }

    /// `sigma`: what a state of the queue weighs against the one before, where `rho` of the capacity is used.
    pub fn decay(self, rho: f64) -> f64 {
        if self.are_poisson() || rho <= 0.0 || rho >= 1.0 {
            return rho;
        }
        // Convex, above 0 at 0 and with its other root at 1: Newton's steps from 0 stay below the root.
        let mut sigma = 0.0;
        for _ in 0..60 {
            let (value, slope) = self.transform((1.0 - sigma) / rho);
            let step = (value - sigma) / (1.0 + slope / rho);
            sigma += step;
            if step < 1e-10 {
                break;
            }
        }
        sigma.clamp(0.0, 1.0 - 1e-12)
    }

    /// Laplace transform of a gap at `s` a mean gap, and its slope.
    fn transform(self, s: f64) -> (f64, f64) {
        let c = self.0;
        if c <= 1.0 {
            let (least, spread) = (1.0 - c.sqrt(), c.sqrt());
            let value = (-least * s).exp() / (1.0 + spread * s);
            return (value, -value * (least + spread / (1.0 + spread * s)));
        }
        let often = (1.0 + ((c - 1.0) / (c + 1.0)).sqrt()) / 2.0;
        let part = |share: f64| {
            let rate = 2.0 * share;
            (share * rate / (rate + s), -share * rate / (rate + s).powi(2))
        };
        let (a, b) = (part(often), part(1.0 - often));
        (a.0 + b.0, a.1 + b.1)
    }
}

/// Mean of `e^-x` over `0..x`.
fn fading(x: f64) -> f64 {
    if x < 1e-6 { 1.0 - x / 2.0 } else { -(-x).exp_m1() / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_fall_as_those_of_one_server_do() {
        assert_eq!(Arrivals(1.0).decay(0.7), 0.7);
        // D/M/1 at 80%: sigma = e^(-(1 - sigma)/0.8).
        let sigma = Arrivals(0.0).decay(0.8);
        assert!((sigma - (-(1.0 - sigma) / 0.8).exp()).abs() < 1e-9 && sigma < 0.8, "{sigma}");
        // In heavy traffic 1 - sigma is 2 (1 - rho)/(c + 1).
        for c in [0.0, 0.5, 2.0, 4.0] {
            let heavy = (1.0 - Arrivals(c).decay(0.999)) / 0.001;
            assert!((heavy - 2.0 / (c + 1.0)).abs() < 0.01, "{c}: {heavy}");
        }
    }

    #[test]
    fn windows_tend_to_whole_numbers_and_to_the_long_run() {
        for c in [0.0, 0.5, 1.0, 2.0, 4.0] {
            let arrivals = Arrivals(c);
            assert!((arrivals.dispersion(1e-6) - 1.0).abs() < 1e-5);
            assert!((arrivals.dispersion(1e6) - c).abs() < 1e-4);
            assert!((arrivals.clustering(1e6) - 1.0).abs() < 1e-4);
        }
        assert_eq!(Arrivals(0.0).clustering(0.9), 0.0);
        assert!((Arrivals(4.0).clustering(1e-9) - 1.6).abs() < 1e-6);
    }
}
