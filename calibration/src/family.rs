//! The service models as families of free parameters for the fit.
//!
//! The fit moves in free coordinates, in which every value is allowed: the logarithm of each
//! parameter, so that it stays positive; for the roofline's `hidden` the logit of
//! `hidden delta / alpha`, so that no more computation hides than a step takes; and for its `lag` the
//! logarithm of what it is beyond the half step that a request waits until the running one ends. Of a
//! mixture of experts, the logit of the share of experts that a token needs.

use isocost_model::queue::{Experts, Iteration, Linear, Roofline, ServiceModel};

use crate::point::Point;

/// A service model whose parameters are to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// [`ServiceModel::Linear`].
    Linear,
    /// [`ServiceModel::Iteration`].
    Iteration,
    /// [`ServiceModel::Roofline`].
    Roofline,
    /// [`ServiceModel::Roofline`] of a mixture of experts.
    Mixture,
}

/// Free coordinates are kept within this: parameters from 1e-13 to 1e13.
const FREE_LIMIT: f64 = 30.0;

/// Place of `hidden` among the roofline's parameters.
const HIDDEN: usize = 5;

/// Place of `lag`, and the least it can be, in steps.
const LAG: usize = 7;
const LEAST_LAG: f64 = 0.5;

/// Names and units of the roofline's parameters; from [`EXPERTS`] on those of a mixture alone.
const ROOFLINE: [&str; 10] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "delta2",
    "hidden",
    "overhead",
    "lag",
    "experts",
    "expertShare",
];
const ROOFLINE_UNITS: [&str; 10] =
    ["ms", "ms/request", "ms/token", "ms/token", "ms/token²", "tokens", "ms", "steps", "ms", ""];
const EXPERTS: usize = 8;
const SHARE: usize = 9;

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Linear, Self::Iteration, Self::Roofline, Self::Mixture];

    fn is_roofline(self) -> bool {
        matches!(self, Self::Roofline | Self::Mixture)
    }

    /// Its name in words and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Iteration => "iteration",
            Self::Roofline => "roofline",
            Self::Mixture => "mixture",
        }
    }

    /// Names of its parameters, as the model data call them.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Linear => &["alpha", "beta", "gamma", "delta"],
            Self::Iteration => &["alpha", "beta", "gamma"],
            Self::Roofline => &ROOFLINE[..EXPERTS],
            Self::Mixture => &ROOFLINE,
        }
    }

    /// Units of its parameters.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Linear => &["ms", "ms/request", "ms", "ms/token"],
            Self::Iteration => &["ms", "ms/token", "ms/token²"],
            Self::Roofline => &ROOFLINE_UNITS[..EXPERTS],
            Self::Mixture => &ROOFLINE_UNITS,
        }
    }

    /// The service model at these parameter values.
    pub fn model(self, values: &[f64]) -> ServiceModel {
        let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
        let (alpha_ms, beta_ms, gamma_ms) = (at(0), at(1), at(2));
        match self {
            Self::Linear => {
                ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms: at(3) })
            }
            Self::Iteration => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
            Self::Roofline | Self::Mixture => ServiceModel::Roofline(Roofline {
                alpha_ms,
                beta_ms,
                gamma_ms,
                delta_ms: at(3),
                delta2_ms: at(4),
                hidden_tokens: at(HIDDEN),
                overhead_ms: at(6),
                lag_steps: at(LAG),
                experts: Experts { read_ms: at(EXPERTS), share: at(SHARE) },
            }),
        }
    }

    /// Parameter values at free coordinates.
    pub fn values(self, free: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> =
            free.iter().map(|x| x.clamp(-FREE_LIMIT, FREE_LIMIT).exp()).collect();
        if self.is_roofline() {
            values[HIDDEN] = of_odds(values[HIDDEN]) * values[0] / values[3];
            values[LAG] += LEAST_LAG;
        }
        if self == Self::Mixture {
            values[SHARE] = of_odds(values[SHARE]);
        }
        values
    }

    /// Free coordinates of parameter values.
    pub fn free(self, values: &[f64]) -> Vec<f64> {
        let mut free: Vec<f64> = values.iter().map(|x| x.max(1e-13).ln()).collect();
        if self.is_roofline() {
            free[HIDDEN] = log_odds(values[HIDDEN] * values[3] / values[0]);
            free[LAG] = (values[LAG] - LEAST_LAG).max(1e-13).ln();
        }
        if self == Self::Mixture {
            free[SHARE] = log_odds(values[SHARE]);
        }
        free
    }

    /// Derivatives of the logarithms of the values by the free coordinates, row by row.
    pub fn log_gradient(self, free: &[f64]) -> Vec<Vec<f64>> {
        let n = free.len();
        let mut rows: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        if self.is_roofline() {
            rows[HIDDEN][0] = 1.0;
            rows[HIDDEN][3] = -1.0;
            rows[HIDDEN][HIDDEN] = 1.0 / (1.0 + free[HIDDEN].exp());
            rows[LAG][LAG] = free[LAG].exp() / (free[LAG].exp() + LEAST_LAG);
        }
        if self == Self::Mixture {
            rows[SHARE][SHARE] = 1.0 / (1.0 + free[SHARE].exp());
        }
        rows
    }

    /// Where the search starts: what the lowest and the highest latencies alone suggest.
    pub fn start(self, points: &[&Point]) -> Vec<f64> {
        let hints = Hints::new(points);
        let Hints { alpha, beta, ttft, token, context, longest } = hints;
        let values = match self {
            Self::Linear => vec![alpha, beta, ttft, ttft / longest * 0.01],
            Self::Iteration => vec![alpha, token * 0.6, beta / context * 0.5],
            Self::Roofline | Self::Mixture => {
                let read = if self == Self::Mixture { alpha * 0.5 } else { alpha };
                let hidden = read / token * 0.5;
                let overhead = ((ttft - alpha) * 0.8).max(ttft * 0.1);
                let (base, attention) = (beta / context * 0.3, token * 0.05 / longest);
                let dense = [read, beta * 0.1, base, token, attention, hidden, overhead, 1.2];
                let own: &[f64] = if self == Self::Mixture { &[alpha, 0.05] } else { &[] };
                [&dense[..], own].concat()
            }
        };
        self.free(&values)
    }
}

/// The share that odds are of.
fn of_odds(odds: f64) -> f64 {
    odds / (1.0 + odds)
}

fn log_odds(share: f64) -> f64 {
    let share = share.clamp(1e-12, 1.0 - 1e-12);
    (share / (1.0 - share)).ln()
}

/// What the lowest and highest latencies suggest.
struct Hints {
    /// The least ITL, ms.
    alpha: f64,
    /// How ITL rises with the requests in the system, ms.
    beta: f64,
    /// The least TTFT, ms.
    ttft: f64,
    /// How the least TTFT rises with a prompt's tokens, ms.
    token: f64,
    /// Mean context, tokens.
    context: f64,
    /// The longest prompt, tokens.
    longest: f64,
}

impl Hints {
    fn new(points: &[&Point]) -> Self {
        let alpha = least(points.iter().filter_map(|p| p.itl_ms)).unwrap_or(10.0);
        let ttft = least(points.iter().filter_map(|p| p.ttft_ms)).unwrap_or(alpha);
        let mut slopes = Vec::new();
        for point in points {
            if let (Some(n), Some(itl)) = (point.concurrency(), point.itl_ms)
                && n > 2.0
            {
                slopes.push((itl - alpha).max(0.0) / n);
            }
        }
        let count = points.len().max(1) as f64;
        let mean = slopes.iter().sum::<f64>() / slopes.len().max(1) as f64;
        let context = points.iter().map(|p| p.input_tokens + p.output_tokens).sum::<f64>() / count;
        let shortest = least(points.iter().map(|p| p.input_tokens)).unwrap_or(100.0).max(1.0);
        let longest = points.iter().map(|p| p.input_tokens).fold(shortest, f64::max);
        let long = points.iter().filter(|p| p.input_tokens > 0.8 * longest);
        let slow = least(long.filter_map(|p| p.ttft_ms)).unwrap_or(ttft);
        let rise = (slow - ttft) / (longest - shortest);
        let token = if rise > 0.0 && rise.is_finite() { rise } else { ttft / longest * 0.5 };
        Self { alpha, beta: mean.max(alpha * 1e-4), ttft, token, context, longest }
    }
}

/// The least of some figures, above 0.
fn least(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let least = figures.fold(f64::INFINITY, f64::min);
    least.is_finite().then(|| least.max(1e-6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_free_coordinates_are_the_same_thing() {
        for (family, values) in [
            (Family::Linear, vec![11.0, 0.1, 20.0, 1e-3]),
            (Family::Iteration, vec![11.0, 0.04, 5e-5]),
            (Family::Roofline, vec![11.0, 0.01, 7e-5, 0.04, 2e-6, 140.0, 7.0, 1.3]),
            (Family::Mixture, vec![5.0, 0.01, 7e-5, 0.04, 2e-6, 90.0, 7.0, 1.3, 6.0, 0.04]),
        ] {
            let free = family.free(&values);
            for (a, b) in family.values(&free).iter().zip(&values) {
                assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
            }
            let gradient = family.log_gradient(&free);
            for j in 0..free.len() {
                let mut moved = free.clone();
                moved[j] += 1e-6;
                for (i, value) in family.values(&moved).iter().enumerate() {
                    let slope = (value / values[i]).ln() / 1e-6;
                    assert!((slope - gradient[i][j]).abs() < 1e-4, "{i} {j}: {slope}");
                }
            }
        }
    }
}
