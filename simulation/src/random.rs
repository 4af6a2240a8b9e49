//! Random numbers: streams that do not depend on each other, and two-moment variates.
//!
//! A stream is ChaCha with 8 rounds under the run's seed; its number says which unit, replication
//! and purpose it is for, so that a draw depends on nothing else: not on the machine, the number of
//! threads, or what other units do. Logarithms are those of the pure-Rust `libm`, for the same
//! reason: a system's own may round the last bit otherwise.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// What a stream is drawn from for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Arrivals,
    Prompts,
    Answers,
    Dispatch,
    Hits,
}

/// The stream of a unit (at most 2^32), a replication (at most 2^24) and a purpose.
pub(crate) fn stream(seed: u64, unit: u32, replication: u32, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((u64::from(unit) << 32) | (u64::from(replication) << 8) | purpose as u64);
    rng
}

/// An exponential variate of mean 1.
fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    -libm::log(1.0 - rng.random::<f64>())
}

/// `x` rounded down or up at random, so that the mean is kept.
pub(crate) fn rounded(x: f64, rng: &mut ChaCha8Rng) -> u32 {
    if x == x.floor() { x as u32 } else { (x + rng.random::<f64>()) as u32 }
}

/// A variate of given mean and squared coefficient of variation: exponential at 1, below it an
/// exponential shifted away from 0 (a constant at 0), above it one of two exponentials with
/// balanced means (Whitt, Approximating a point process by a renewal process I, Operations
/// Research 30, 1982, sections 3.1 and 3.2).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Variate {
    /// `least + spread * Exp(1)`.
    Shifted { least: f64, spread: f64 },
    /// `means[0] * Exp(1)` with probability `first`, else `means[1] * Exp(1)`.
    Mixed { first: f64, means: [f64; 2] },
}

impl Variate {
    pub fn new(mean: f64, scv: f64) -> Self {
        if scv <= 1.0 {
            let spread = mean * scv.sqrt();
            return Self::Shifted { least: mean - spread, spread };
        }
        let first = (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt()) / 2.0;
        Self::Mixed { first, means: [mean / (2.0 * first), mean / (2.0 * (1.0 - first))] }
    }

    pub fn draw(&self, rng: &mut ChaCha8Rng) -> f64 {
        match *self {
            Self::Shifted { least, spread: 0.0 } => least,
            Self::Shifted { least, spread } => least + spread * exponential(rng),
            Self::Mixed { first, means } => {
                let branch = usize::from(rng.random::<f64>() >= first);
                means[branch] * exponential(rng)
            }
        }
    }
}

/// Output tokens of a request, at least 1.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lengths {
    /// Every request has one token.
    One,
    /// Geometric: the memoryless length on 1, 2, ..., whose squared coefficient of variation is
    /// `1 - 1 / mean`; holds the logarithm of the probability that another token follows.
    Geometric { log_more: f64 },
    /// One token and a two-moment variate, rounded at random.
    Rounded(Variate),
}

impl Lengths {
    pub fn new(mean: f64, scv: f64) -> Self {
        let more = mean - 1.0;
        if more <= 0.0 {
            Self::One
        } else if scv == 1.0 {
            Self::Geometric { log_more: libm::log1p(-1.0 / mean) }
        } else {
            Self::Rounded(Variate::new(more, scv * (mean / more).powi(2)))
        }
    }

    pub fn draw(&self, rng: &mut ChaCha8Rng) -> u32 {
        let more = match self {
            Self::One => 0,
            Self::Geometric { log_more } => (-exponential(rng) / log_more) as u32,
            Self::Rounded(variate) => rounded(variate.draw(rng), rng),
        };
        more.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(n: u32, mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = draw();
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        (mean, squares / f64::from(n) / (mean * mean) - 1.0)
    }

    #[test]
    fn variates_have_the_moments_asked_for() {
        for scv in [0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 9.0] {
            let mut rng = stream(7, 0, 0, Purpose::Arrivals);
            let variate = Variate::new(3.0, scv);
            let (mean, got) = moments(1_000_000, || variate.draw(&mut rng));
            assert!((mean - 3.0).abs() < 0.03, "mean {mean} at {scv}");
            assert!((got - scv).abs() < 0.04 * (1.0 + scv), "scv {got}, not {scv}");
        }
    }

    #[test]
    fn lengths_have_the_moments_asked_for() {
        for (mean, scv) in [(200.0, 0.0), (200.0, 0.25), (200.0, 4.0), (12.5, 2.0), (900.0, 1.0)] {
            let mut rng = stream(7, 1, 0, Purpose::Answers);
            let lengths = Lengths::new(mean, scv);
            let (got, got_scv) = moments(1_000_000, || f64::from(lengths.draw(&mut rng)));
            assert!((got / mean - 1.0).abs() < 0.01, "mean {got}, not {mean}");
            assert!((got_scv - scv).abs() < 0.02 * (1.0 + 2.0 * scv), "scv {got_scv}, not {scv}");
        }
        let mut rng = stream(7, 1, 0, Purpose::Answers);
        assert_eq!(Lengths::new(1.0, 1.0).draw(&mut rng), 1);
        // The geometric length of mean 2 is 1 every other time.
        let (two, mut ones) = (Lengths::new(2.0, 1.0), 0);
        (0..100_000).for_each(|_| ones += u32::from(two.draw(&mut rng) == 1));
        assert!((49_000..51_000).contains(&ones), "{ones}");
    }

    /// These numbers hold on every machine: they are part of what a seed promises.
    #[test]
    fn a_seed_is_a_promise() {
        let draw = |unit, replication| {
            stream(1, unit, replication, Purpose::Arrivals).random::<f64>().to_bits()
        };
        let mut all = vec![draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1)];
        assert_eq!(all[0], draw(0, 0));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4, "streams differ");
    }
}
