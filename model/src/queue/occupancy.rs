//! The stationary probabilities of the chain, as running sums.

use super::service::Station;
use super::stop::pause;

/// `1 / mu(n)`, ms, for `n = 1..=batch`: what every evaluation at another rate starts from.
pub(super) fn mean_gaps_ms(station: &Station, batch: u32) -> Vec<f64> {
    (1..=batch).map(|n| station.service_ms(f64::from(n)) / f64::from(n)).collect()
}

/// Sums over the states `0..=N`, all in one unit of no meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Body {
    /// `sum of p(n)`.
    pub mass: f64,
    /// `sum of n p(n)`.
    pub served: f64,
    /// `p(N)`.
    pub last: f64,
}

impl Body {
    /// The empty replica alone.
    pub fn empty() -> Self {
        Self { mass: 1.0, served: 0.0, last: 1.0 }
    }

    /// One pass over the states; no probability is kept.
    pub fn new(gaps_ms: &[f64], rate_per_ms: f64) -> Self {
        let mut body = Self::empty();
        let mut n = 0.0;
        for chunk in gaps_ms.chunks(RESCALE_EVERY) {
            for gap in chunk {
                n += 1.0;
                body.push(rate_per_ms * gap, n);
            }
            body.rescale();
        }
        body
    }

    /// Adds state `n`, which weighs `ratio` times the one below.
    pub fn push(&mut self, ratio: f64, n: f64) {
        self.last *= ratio;
        self.mass += self.last;
        self.served += self.last * n;
    }

    fn rescale(&mut self) {
        if self.mass > HUGE {
            *self = self.scaled(1.0 / self.mass);
        }
    }

    pub fn scaled(self, by: f64) -> Self {
        Self { mass: self.mass * by, served: self.served * by, last: self.last * by }
    }
}

/// The chains of every batch size `1..=gaps_ms.len()` at one rate, in one pass: the sums of batch
/// size `n` are a prefix of those of `n + 1`.
pub(super) fn every_batch(
    gaps_ms: &[f64],
    rate_per_ms: f64,
    queue_limit: Option<u32>,
) -> impl Iterator<Item = Occupancy> {
    let mut body = Body::empty();
    gaps_ms.iter().enumerate().map(move |(i, gap)| {
        let (n, rho) = ((i + 1) as f64, rate_per_ms * gap);
        body.push(rho, n);
        body.rescale();
        Occupancy::close(body, n, rho, queue_limit)
    })
}

/// Sums are rescaled beyond this. A state outweighs the one below by at most `lambda / mu(1)`,
/// which sizing keeps under the batch size (1e5), so that a few dozen steps cannot overflow.
pub(super) const HUGE: f64 = 1e100;
/// States after which the sums are looked at.
pub(super) const RESCALE_EVERY: usize = 32;

/// The whole chain, normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Occupancy {
    /// Mean number in service.
    pub in_service: f64,
    /// Mean number waiting.
    pub waiting: f64,
    /// Probability that all `N` places are taken.
    pub busy: f64,
    /// Probability that an arrival is lost; 0 for an unbounded queue.
    pub loss: f64,
    /// `p(N)`.
    pub last: f64,
    /// `lambda / mu(N)`.
    pub rho: f64,
}

impl Occupancy {
    /// The chain of a batch of `gaps_ms.len()`; an unbounded queue needs `rho < 1`.
    pub fn new(gaps_ms: &[f64], rate_per_ms: f64, queue_limit: Option<u32>) -> Self {
        pause();
        let rho = rate_per_ms * gaps_ms.last().copied().unwrap_or(0.0);
        Self::close(Body::new(gaps_ms, rate_per_ms), gaps_ms.len() as f64, rho, queue_limit)
    }

    /// Adds the states above `N` to those up to it.
    #[inline(always)]
    pub fn close(body: Body, batch: f64, rho: f64, queue_limit: Option<u32>) -> Self {
        let tail = match queue_limit {
            None => Tail::unbounded(rho),
            Some(limit) => Tail::finite(rho, f64::from(limit)),
        };
        let first = body.last;
        let body = body.scaled(tail.unit);
        let unit = 1.0 / (body.mass + first * tail.mass);
        Self {
            in_service: (body.served + batch * first * tail.mass) * unit,
            waiting: first * tail.waiting * unit,
            busy: (body.last + first * tail.mass) * unit,
            loss: first * tail.last * unit,
            last: body.last * unit,
            rho,
        }
    }
}

/// Sums over `k = 1..=Q` of `rho^k`, in units of `p(N)` times `unit`.
struct Tail {
    /// What the states up to `N` are multiplied by: `rho^-Q` above `rho = 1`, where `rho^Q` may
    /// overflow, else 1.
    unit: f64,
    /// `sum of rho^k`.
    mass: f64,
    /// `sum of k rho^k`.
    waiting: f64,
    /// `rho^Q`, the weight of the last state; 0 for an unbounded queue.
    last: f64,
}

impl Tail {
    fn unbounded(rho: f64) -> Self {
        let per_free = 1.0 / (1.0 - rho);
        let mass = rho * per_free;
        Self { unit: 1.0, mass, waiting: mass * per_free, last: 0.0 }
    }

    fn finite(rho: f64, limit: f64) -> Self {
        if rho <= 1.0 {
            let (mass, waiting) = power_sums(rho, limit);
            return Self { unit: 1.0, mass, waiting, last: rho.powf(limit) };
        }
        // Seen from the last state: k = Q - i, rho^(k - Q) = (1 / rho)^i for i = 0..Q - 1.
        let (mass, weighted) = power_sums(1.0 / rho, limit - 1.0);
        let (mass, weighted) = if limit > 0.0 { (1.0 + mass, weighted) } else { (0.0, 0.0) };
        Self { unit: (-limit * rho.ln()).exp(), mass, waiting: limit * mass - weighted, last: 1.0 }
    }
}

/// `(sum of x^k, sum of k x^k)` over `k = 1..=q`, for `0 <= x <= 1`.
fn power_sums(x: f64, q: f64) -> (f64, f64) {
    if q <= 0.0 || x == 0.0 {
        return (0.0, 0.0);
    }
    let free = 1.0 - x;
    if free * q < 1e-4 {
        // The closed forms cancel here; expand x^k = exp(k ln x) to the third order instead.
        let log = x.ln();
        let (s1, s2) = (q * (q + 1.0) / 2.0, q * (q + 1.0) * (2.0 * q + 1.0) / 6.0);
        let (s3, s4) = (s1 * s1, s2 * (3.0 * q * q + 3.0 * q - 1.0) / 5.0);
        let mass = q + log * (s1 + log / 2.0 * (s2 + log / 3.0 * s3));
        return (mass, s1 + log * (s2 + log / 2.0 * (s3 + log / 3.0 * s4)));
    }
    let last = x.powf(q);
    let mass = -x * (q * x.ln()).exp_m1() / free;
    (mass, (mass - q * last * x) / free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_sums_equal_their_terms() {
        for x in [0.0, 0.3, 0.9, 0.999, 1.0 - 1e-7, 1.0 - 1e-12, 1.0] {
            for q in [0.0, 1.0, 2.0, 10.0, 5000.0] {
                let terms = (1..=q as i32).map(|k| x_pow(x, k));
                let mass: f64 = terms.clone().sum();
                let weighted: f64 = terms.zip(1..).map(|(t, k)| t * f64::from(k)).sum();
                let (m, w) = power_sums(x, q);
                assert!((m - mass).abs() <= 1e-9 * mass, "mass at x {x}, q {q}: {m}, not {mass}");
                assert!((w - weighted).abs() <= 1e-9 * weighted, "{w}, not {weighted}");
            }
        }
    }

    fn x_pow(x: f64, k: i32) -> f64 {
        x.powi(k)
    }

    #[test]
    fn overload_does_not_overflow() {
        let gaps = [1.0, 0.6, 0.5];
        let chain = Occupancy::new(&gaps, 1e3, Some(100_000));
        assert!((chain.in_service - 3.0).abs() < 1e-12);
        assert!((chain.loss - (1.0 - 2.0 / 1e3)).abs() < 1e-12);
        assert!(chain.waiting <= 100_000.0 && chain.waiting > 99_999.0);
    }
}
