//! The iteration service model: iterations whose time is that of the tokens in them.
//!
//! The token budget `M` cuts a prefill into `c` chunks, each in an iteration of its own; an iteration
//! costs `alpha`, `beta` a token computed, and `gamma` a token and token of its context:
//!
//! ```text
//! w_pre(c) = (beta + gamma (c + 1) / 2) in
//! w_dec    = beta out + gamma out (in + (out + 1) / 2)
//! delta(c) = (w_pre(c) + w_dec) / (c + out)
//! step(n)  = alpha + n delta(c)
//! S(n)     = (c + out) step(n)
//! ```
//!
//! with the least `c >= 1` for which `floor((c + out) (M - in / c) / (in + out)) >= n`. Latencies are
//! read off at the mean number in service `B`, with `c` at `B` rounded:
//!
//! ```text
//! prefill = c max(0, alpha + (B - 1) delta(c)) + w_pre(c)
//! ITL     = (mean service time - prefill) / out
//! TTFT    = wait + prefill + ITL
//! ```

use super::service::{Latency, Seen, TOKEN_BUDGET, Tokens};

/// Parameters of the iteration service model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iteration {
    /// Overhead of an iteration, ms.
    pub alpha_ms: f64,
    /// Compute, ms a token.
    pub beta_ms: f64,
    /// Memory access, ms a token and token of context.
    pub gamma_ms: f64,
}

impl Iteration {
    pub(super) fn step_ms(&self, tokens: Tokens, n: f64) -> f64 {
        self.alpha_ms + n * self.delta_ms(tokens, chunks(tokens, n.ceil()))
    }

    pub(super) fn service_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let c = chunks(tokens, n.ceil());
        (c + tokens.output) * (self.alpha_ms + n * self.delta_ms(tokens, c))
    }

    #[inline(always)]
    pub(super) fn latency(&self, tokens: Tokens, seen: Seen) -> Latency {
        let nearest = f64::from((seen.in_service + 0.5) as u32);
        let c = chunks(tokens, nearest.clamp(1.0, seen.batch));
        let others = (seen.in_service - 1.0) * self.delta_ms(tokens, c);
        let prefill = c * (self.alpha_ms + others).max(0.0) + self.prefill_work_ms(tokens, c);
        let itl_ms = (seen.service_ms - prefill) / tokens.output;
        Latency { itl_ms, first_token_ms: prefill + itl_ms }
    }

    /// `w_pre(c)`.
    #[inline]
    fn prefill_work_ms(&self, tokens: Tokens, c: f64) -> f64 {
        (self.beta_ms + self.gamma_ms * (c + 1.0) / 2.0) * tokens.input
    }

    /// `delta(c)`.
    #[inline]
    fn delta_ms(&self, tokens: Tokens, c: f64) -> f64 {
        let Tokens { input, output: out } = tokens;
        let decode = self.beta_ms * out + self.gamma_ms * out * (input + (out + 1.0) / 2.0);
        (self.prefill_work_ms(tokens, c) + decode) / (c + out)
    }
}

/// For a whole `n`, the least `c >= 1` with `floor((c + out) (M - in / c) / (in + out)) >= n`.
///
/// The left side rises with `c`; its root is that of
/// `M c^2 + (M out - in - n (in + out)) c - in out = 0`.
#[inline]
fn chunks(tokens: Tokens, n: f64) -> f64 {
    let (Tokens { input, output: out }, m) = (tokens, TOKEN_BUDGET);
    let wanted = n * (input + out);
    let fits = |c: f64| (c + out) * (m - input / c) >= wanted;
    if n.is_nan() || fits(1.0) {
        return 1.0;
    }
    let b = m * out - input - n * (input + out);
    let root = ((b * b + 4.0 * m * input * out).sqrt() - b) / (2.0 * m);
    let mut c = root.floor().max(1.0);
    // Rounding may leave the root a step off, on either side.
    while c > 1.0 && fits(c - 1.0) {
        c -= 1.0;
    }
    while !fits(c) && c < 1e15 {
        c += 1.0;
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_least_that_fit() {
        for (input, output) in [(128.0, 1024.0), (2048.0, 64.0), (9000.0, 10.0), (0.0, 5.0)] {
            for n in [1.0, 7.0, 64.0, 500.0] {
                let mut c = 1.0;
                while ((c + output) * (TOKEN_BUDGET - input / c) / (input + output)).floor() < n {
                    c += 1.0;
                }
                let found = chunks(Tokens { input, output }, n);
                assert_eq!(found, c, "in {input}, out {output}, n {n}");
            }
        }
    }
}
