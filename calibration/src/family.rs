//! The service models as families of free parameters for the fit.
//!
//! The fit moves in free coordinates, in which every value is allowed: the logarithm of each
//! parameter, so that it stays positive; for the roofline's `hidden` the logit of
//! `hidden delta / alpha`, so that no more computation hides than a step takes; and for its `lag` the
//! logarithm of what it is beyond the half step that a request waits until the running one ends.

use isocost_model::queue::{Iteration, Linear, Roofline, ServiceModel};

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
}

/// Free coordinates are kept within this: parameters from 1e-13 to 1e13.
const FREE_LIMIT: f64 = 30.0;

/// Place of `hidden` among the roofline's parameters.
const HIDDEN: usize = 5;

/// Place of `lag`, and the least it can be, in steps.
const LAG: usize = 7;
const LEAST_LAG: f64 = 0.5;

impl Family {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Iteration, Self::Roofline];

    /// Its name in words and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Iteration => "iteration",
            Self::Roofline => "roofline",
        }
    }

    /// Names of its parameters, as the model data call them.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Linear => &["alpha", "beta", "gamma", "delta"],
            Self::Iteration => &["alpha", "beta", "gamma"],
            Self::Roofline => {
                &["alpha", "beta", "gamma", "delta", "delta2", "hidden", "overhead", "lag"]
            }
        }
    }

    /// Units of its parameters.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Linear => &["ms", "ms/request", "ms", "ms/token"],
            Self::Iteration => &["ms", "ms/token", "ms/token²"],
            Self::Roofline => {
                &["ms", "ms/request", "ms/token", "ms/token", "ms/token²", "tokens", "ms", "steps"]
            }
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
            Self::Roofline => ServiceModel::Roofline(Roofline {
                alpha_ms,
                beta_ms,
                gamma_ms,
                delta_ms: at(3),
                delta2_ms: at(4),
                hidden_tokens: at(HIDDEN),
                overhead_ms: at(6),
                lag_steps: at(LAG),
            }),
        }
    }

    /// Parameter values at free coordinates.
    pub fn values(self, free: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> =
            free.iter().map(|x| x.clamp(-FREE_LIMIT, FREE_LIMIT).exp()).collect();
        if self == Self::Roofline {
            let odds = values[HIDDEN];
            values[HIDDEN] = odds / (1.0 + odds) * values[0] / values[3];
            values[LAG] += LEAST_LAG;
        }
        values
    }

    /// Free coordinates of parameter values.
    pub fn free(self, values: &[f64]) -> Vec<f64> {
        let mut free: Vec<f64> = values.iter().map(|x| x.max(1e-13).ln()).collect();
        if self == Self::Roofline {
            let share = (values[HIDDEN] * values[3] / values[0]).clamp(1e-12, 1.0 - 1e-12);
            free[HIDDEN] = (share / (1.0 - share)).ln();
            free[LAG] = (values[LAG] - LEAST_LAG).max(1e-13).ln();
        }
        free
    }

    /// Derivatives of the logarithms of the values by the free coordinates, row by row.
    pub fn log_gradient(self, free: &[f64]) -> Vec<Vec<f64>> {
        let n = free.len();
        let mut rows: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        if self == Self::Roofline {
            rows[HIDDEN][0] = 1.0;
            rows[HIDDEN][3] = -1.0;
            rows[HIDDEN][HIDDEN] = 1.0 / (1.0 + free[HIDDEN].exp());
            rows[LAG][LAG] = free[LAG].exp() / (free[LAG].exp() + LEAST_LAG);
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
            Self::Roofline => vec![
                alpha,
                beta * 0.1,
                beta / context * 0.3,
                token,
                token * 0.05 / longest,
                alpha / token * 0.5,
                ((ttft - alpha) * 0.8).max(ttft * 0.1),
                1.2,
            ],
        };
        self.free(&values)
    }
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
