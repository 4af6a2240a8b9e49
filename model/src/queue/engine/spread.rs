//! How lengths are spread: a few points with their shares, in place of a distribution.
//!
//! The distributions are those of the simulation: a constant, a shifted exponential, or the mixture
//! of two exponentials with balanced means, by the mean and the squared coefficient of variation
//! (Whitt, Operations Research 30, 1982).

use std::sync::LazyLock;

/// Ends of the parts of a distribution that a point stands for: finer where short answers are, whose
/// few tokens vary most, and where long prompts are.
const ENDS: [f64; 14] =
    [0.0, 0.003, 0.008, 0.02, 0.04, 0.08, 0.16, 0.3, 0.5, 0.7, 0.85, 0.94, 0.98, 1.0];

/// The same where a few will do.
const FEW: [f64; 9] = [0.0, 0.4, 0.7, 0.85, 0.93, 0.97, 0.985, 0.995, 1.0];

/// (mean, share) of the parts of a unit exponential. They are asked for millions of times in a sizing.
static UNIT: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| parts(&ENDS));
static UNIT_FEW: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| parts(&FEW));

/// A constant has one part, its least.
const WHOLE: [(f64, f64); 1] = [(0.0, 1.0)];

/// (value, share) of a length.
pub(super) fn points(mean: f64, scv: f64) -> impl Iterator<Item = (f64, f64)> {
    at(mean, scv, &UNIT)
}

/// [`points`], fewer of them.
pub(super) fn few_points(mean: f64, scv: f64) -> impl Iterator<Item = (f64, f64)> {
    at(mean, scv, &UNIT_FEW)
}

fn at(mean: f64, scv: f64, unit: &'static [(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let (first, second) = if scv <= 0.0 || mean <= 0.0 {
        (scaled(&WHOLE, mean, 0.0, 1.0), scaled(&[], 0.0, 0.0, 0.0))
    } else if scv <= 1.0 {
        let spread = mean * scv.sqrt();
        (scaled(unit, mean - spread, spread, 1.0), scaled(&[], 0.0, 0.0, 0.0))
    } else {
        let first = (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt()) / 2.0;
        let short = scaled(unit, 0.0, mean / (2.0 * first), first);
        (short, scaled(unit, 0.0, mean / (2.0 * (1.0 - first)), 1.0 - first))
    };
    first.chain(second)
}

/// A shifted exponential of weight `weight`: the mean over each part.
fn scaled(
    unit: &'static [(f64, f64)],
    least: f64,
    spread: f64,
    weight: f64,
) -> impl Iterator<Item = (f64, f64)> {
    unit.iter().map(move |(mean, share)| (least + spread * mean, weight * share))
}

/// `P(X > x)` of a length.
pub(super) fn beyond(mean: f64, scv: f64, x: f64) -> f64 {
    if scv <= 0.0 || mean <= 0.0 {
        return f64::from(u8::from(x < mean));
    }
    if scv <= 1.0 {
        let spread = mean * scv.sqrt();
        return (-((x - (mean - spread)) / spread).max(0.0)).exp();
    }
    let first = (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt()) / 2.0;
    let of = |share: f64| share * (-2.0 * share * x.max(0.0) / mean).exp();
    of(first) + of(1.0 - first)
}

fn parts(ends: &[f64]) -> Vec<(f64, f64)> {
    // The integral of the quantile -ln(1 - q): q + (1 - q) ln(1 - q).
    let integral = |q: f64| if q >= 1.0 { 1.0 } else { q + (1.0 - q) * (-q).ln_1p() };
    let part = |ends: &[f64]| {
        let share = ends[1] - ends[0];
        ((integral(ends[1]) - integral(ends[0])) / share, share)
    };
    ends.windows(2).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_has_the_mean_and_the_spread() {
        for scv in [0.3, 1.0, 2.0, 4.0] {
            let step = 0.01;
            let at = (0..100_000).map(|i| (f64::from(i) + 0.5) * step);
            let (mut mean, mut square) = (0.0, 0.0);
            for x in at {
                mean += step * beyond(7.0, scv, x);
                square += step * 2.0 * x * beyond(7.0, scv, x);
            }
            assert!((mean - 7.0).abs() < 1e-2, "{scv}: {mean}");
            assert!((square / 49.0 - 1.0 - scv).abs() < 2e-2 * (1.0 + scv), "{scv}: {square}");
        }
    }

    #[test]
    fn points_keep_the_mean_and_most_of_the_spread() {
        for scv in [0.0, 0.3, 1.0, 2.0, 4.0] {
            let all: Vec<_> = points(7.0, scv).collect();
            let mean: f64 = all.iter().map(|(x, p)| x * p).sum();
            let square: f64 = all.iter().map(|(x, p)| x * x * p).sum();
            assert!((mean - 7.0).abs() < 1e-9, "{scv}: {mean}");
            let got = square / 49.0 - 1.0;
            assert!(got <= scv + 1e-9 && got >= 0.9 * scv, "{scv}: {got}");
        }
    }
}
