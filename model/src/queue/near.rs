//! The chain at the rates near one at which it was summed.
//!
//! Before they are normalised the probabilities are powers of the rate, `p(n) ~ lambda^n`, so that
//! at `lambda (1 + y)`
//!
//! ```text
//! p(n) (1 + y)^n = p(n) (1 + n y + C(n, 2) y^2 + C(n, 3) y^3 + ... + C(n, 5) y^5 + ...)
//! ```
//!
//! and one pass that adds up `p(n) C(n, k)` for `k = 0..=5` tells the sums at every `y` close by.
//! With `|y| N <= 0.005` the terms left out are below `0.005^6 / 6!`, less than rounding, in the
//! mass, and below `0.005^5 / 5! < 3e-14` of `N` in the mean number in service. A search for a rate that comes this close
//! needs no other pass.

use super::occupancy::{Body, HUGE, Occupancy, RESCALE_EVERY};
use super::stop::pause;

/// Terms of the expansion that are kept.
const TERMS: usize = 6;

/// Largest `|y| N`.
const REACH: f64 = 5e-3;

/// A chain that is known at a rate and around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    rate_per_ms: f64,
    /// `1 / rate_per_ms`.
    per_rate_ms: f64,
    batch: f64,
    /// `1 / mu(N)`, ms.
    gap_ms: f64,
    queue_limit: Option<u32>,
    /// `sum of p(n) C(n, k)`.
    mass: [f64; TERMS],
    /// `p(N)`, in the unit of `mass`.
    last: f64,
}

impl Near {
    /// One pass over the states.
    pub fn new(gaps_ms: &[f64], rate_per_ms: f64, queue_limit: Option<u32>) -> Self {
        pause();
        let mut last = 1.0;
        let mut mass = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut choose = mass;
        for chunk in gaps_ms.chunks(RESCALE_EVERY) {
            for gap in chunk {
                // Pascal's rule: C(n, k) = C(n - 1, k) + C(n - 1, k - 1).
                let [a, b, c, d, e, _] = choose;
                let before = [0.0, a, b, c, d, e];
                last *= rate_per_ms * gap;
                for k in 0..TERMS {
                    choose[k] += before[k];
                    mass[k] += last * choose[k];
                }
            }
            if mass[0] > HUGE {
                let unit = 1.0 / mass[0];
                last *= unit;
                mass = mass.map(|sum| sum * unit);
            }
        }
        let gap_ms = gaps_ms.last().copied().unwrap_or(0.0);
        Self {
            rate_per_ms,
            per_rate_ms: 1.0 / rate_per_ms,
            batch: gaps_ms.len() as f64,
            gap_ms,
            queue_limit,
            mass,
            last,
        }
    }

    /// How far the rate may be from that of the pass, as a share of it.
    pub fn reach(&self) -> f64 {
        REACH / self.batch
    }

    /// The chain at a rate within reach.
    #[inline(always)]
    pub fn at(&self, rate_per_ms: f64) -> Occupancy {
        let y = (rate_per_ms - self.rate_per_ms) * self.per_rate_ms;
        let ([a, b, c, d, e, f], n) = (self.mass, self.batch);
        let body = Body {
            mass: a + y * (b + y * (c + y * (d + y * (e + y * f)))),
            served: (1.0 + y) * (b + y * (2.0 * c + y * (3.0 * d + y * (4.0 * e + y * 5.0 * f)))),
            last: self.last * power(y, n),
        };
        Occupancy::close(body, n, rate_per_ms * self.gap_ms, self.queue_limit)
    }
}

/// `(1 + y)^n` to the terms that are kept.
fn power(y: f64, n: f64) -> f64 {
    let rest = 1.0 + (n - 3.0) * y / 4.0 * (1.0 + (n - 4.0) * y / 5.0);
    let rest = 1.0 + (n - 2.0) * y / 3.0 * rest;
    1.0 + n * y * (1.0 + (n - 1.0) * y / 2.0 * rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_near_by_is_the_chain_summed_there() {
        let close = |a: f64, b: f64| (a - b).abs() <= 3e-13 * b.abs();
        for batch in [1_u32, 2, 3, 7, 64, 3000] {
            let gaps: Vec<f64> = (1..=batch).map(|n| 3.0 / f64::from(n) + 0.1).collect();
            for limit in [None, Some(0), Some(40)] {
                for share in [0.01, 0.7, 0.98] {
                    let rate = share / gaps[gaps.len() - 1];
                    let near = Near::new(&gaps, rate, limit);
                    for turn in [-1.0, -0.3, 0.0, 0.6, 1.0] {
                        let other = rate * (1.0 + turn * near.reach());
                        let (a, b) = (near.at(other), Occupancy::new(&gaps, other, limit));
                        assert!(close(a.in_service, b.in_service), "{a:?} {b:?}");
                        assert!(close(a.waiting, b.waiting), "{a:?} {b:?}");
                        assert!(close(a.busy, b.busy) && close(a.loss, b.loss), "{a:?} {b:?}");
                    }
                }
            }
        }
    }
}
