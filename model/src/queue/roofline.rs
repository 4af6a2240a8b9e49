//! The roofline service model: steps that mix prefill and decode, and computation that hides
//! behind memory traffic.
//!
//! One step of a continuous-batching engine reads the weights once (`alpha`), reads the context of
//! every request that decodes (`gamma` a token of it, `beta` a request), and computes every token in
//! the step. Computing goes on beside reading the weights, so that the first `hidden` tokens of a
//! step cost no time and each token beyond them costs `delta`: the roofline of Williams, Waterman
//! and Patterson (CACM 52(4), 2009). A step with `m` tokens to compute and `n` requests in it takes
//!
//! ```text
//! t(m, n) = alpha + (beta + gamma (in + out/2)) n + delta (m - hidden)+
//! ```
//!
//! where `in + out/2` is the mean context of a request that decodes. Each token of a prompt attends
//! to all before it: a chunk of `c` tokens that follows `k` costs `delta2 ((k + c)^2 - k^2)` more,
//! and a prompt `delta2 in^2` in all, however it is cut. A prompt is prefilled in
//! `c = ceil(in / M)` steps (token budget `M` a step), beside the decoding of the others. While
//! a request decodes its `out - 1` tokens each of the `n - 1` others is replaced about once, so that
//! it meets `a = c (n - 1) / out` prefill steps a token: a share `q = min(1, a)` of its steps has
//! `max(1, a)` prompts in it. With `in' = max(1, in) / c`:
//!
//! ```text
//! step(n)    = (1 - q) t(n, n) + q t(n + (in' - 1) max(1, a), n) + a delta2 in^2 / c
//!                                                                     = ITL at occupancy n
//! prefill(n) = c t(n - 1 + in', n) + delta2 in^2
//! S(n)       = prefill(n) + (out - 1) step(n)
//! TTFT       = wait + overhead + lag (1 - exp(1 - n)) step(n) + prefill(n)
//! ```
//!
//! `overhead` is what a request spends outside the engine (network, tokenizer); a request that finds
//! the replica busy joins it `lag` steps later (half a step until the running one ends, and what the
//! engine schedules ahead). The others that an arrival sees are about Poisson with mean `n - 1`, so
//! that it finds the replica busy with probability `1 - exp(1 - n)`. Both are over before service
//! starts: they are part of TTFT and not of `S(n)`.
//!
//! **Mixtures of experts.** A token is computed by a `share` of the experts alone, so that a step with
//! `m` tokens reads the weights of a share `1 - (1 - share)^m` of them, tokens taken to choose
//! independently: `experts` times that, beside the `alpha` of what every step reads.
//!
//! `alpha >= delta hidden` says that no more computation hides than a step takes; then `n / S(n)`
//! rises with `n`, as the chain needs it.

use super::root::{Bracket, narrow};
use super::service::{Latency, Seen, TOKEN_BUDGET, Tokens};

/// Parameters of the roofline service model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofline {
    /// Step of an empty batch: reading the weights, ms.
    pub alpha_ms: f64,
    /// Step, ms for each request in the batch.
    pub beta_ms: f64,
    /// Memory access, ms for each token of context of each request in the batch.
    pub gamma_ms: f64,
    /// Computation, ms for each token of a step beyond `hidden_tokens`.
    pub delta_ms: f64,
    /// Attention within a prompt, ms for each square of its tokens.
    pub delta2_ms: f64,
    /// Tokens of a step whose computation hides behind reading the weights.
    pub hidden_tokens: f64,
    /// Time to first token that is spent outside the engine, ms.
    pub overhead_ms: f64,
    /// Steps after which a request that finds the replica busy joins the batch.
    pub lag_steps: f64,
    /// Weights that not every step reads.
    pub experts: Experts,
}

/// The experts of a mixture, in all layers together; none by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Experts {
    /// Reading the weights of all of them, ms.
    pub read_ms: f64,
    /// Share of them that a token is computed by, in [0, 1].
    pub share: f64,
}

impl Experts {
    /// Reading the weights of those that `tokens` tokens of a step need, ms.
    pub(super) fn ms(&self, tokens: f64) -> f64 {
        if self.read_ms > 0.0 {
            self.read_ms * (1.0 - (1.0 - self.share).powf(tokens))
        } else {
            0.0
        }
    }
}

impl Roofline {
    /// Mean step, and so the time between two tokens, with `n >= 1` in service, ms.
    pub(super) fn step_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let (chunks, prompt) = prefill_steps(tokens);
        let met = chunks * (n - 1.0).max(0.0) / tokens.output;
        let share = met.min(1.0);
        let beside = self.compute_ms(n + (prompt - 1.0) * met.max(1.0));
        let attention = met * self.attention_ms(tokens) / chunks;
        self.memory_ms(tokens, n) + (1.0 - share) * self.compute_ms(n) + share * beside + attention
    }

    /// `S(n)`, ms.
    pub(super) fn service_ms(&self, tokens: Tokens, n: f64) -> f64 {
        self.prefill_ms(tokens, n) + (tokens.output - 1.0) * self.step_ms(tokens, n)
    }

    pub(super) fn latency(&self, tokens: Tokens, seen: Seen) -> Latency {
        let n = self.occupancy(tokens, seen.service_ms, seen.batch);
        Latency { itl_ms: self.step_ms(tokens, n), first_token_ms: self.first_token_ms(tokens, n) }
    }

    /// From the end of the wait to the first token, ms.
    fn first_token_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let busy = 1.0 - (1.0 - n).min(0.0).exp();
        self.overhead_ms
            + self.lag_steps * busy * self.step_ms(tokens, n)
            + self.prefill_ms(tokens, n)
    }

    /// The `n` in `[1, most]` with `S(n)` = `mean_service_ms`.
    fn occupancy(&self, tokens: Tokens, mean_service_ms: f64, most: f64) -> f64 {
        let excess = |n: f64| self.service_ms(tokens, n) - mean_service_ms;
        let (low, high) = ((1.0, excess(1.0)), (most, excess(most)));
        if low.1 >= 0.0 {
            1.0
        } else if high.1 <= 0.0 {
            most
        } else {
            narrow(Bracket { low, high }, 1e-13, excess)
        }
    }

    fn prefill_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let (chunks, prompt) = prefill_steps(tokens);
        let step = self.memory_ms(tokens, n) + self.compute_ms(n - 1.0 + prompt);
        chunks * step + self.attention_ms(tokens)
    }

    /// Attention within a prompt, all its chunks together, ms.
    fn attention_ms(&self, tokens: Tokens) -> f64 {
        self.delta2_ms * tokens.input * tokens.input
    }

    /// What a step reads, ms.
    fn memory_ms(&self, tokens: Tokens, n: f64) -> f64 {
        let context = tokens.input + tokens.output / 2.0;
        self.alpha_ms + (self.beta_ms + self.gamma_ms * context) * n
    }

    /// What `tokens` tokens add to a step: experts, and what is left to see of their computation, ms.
    pub(super) fn compute_ms(&self, tokens: f64) -> f64 {
        self.experts.ms(tokens) + self.delta_ms * (tokens - self.hidden_tokens).max(0.0)
    }
}

/// Steps that a prefill takes, and its tokens in each of them.
fn prefill_steps(tokens: Tokens) -> (f64, f64) {
    let prompt = tokens.input.max(1.0);
    let chunks = (prompt / TOKEN_BUDGET).ceil();
    (chunks, prompt / chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Roofline = Roofline {
        alpha_ms: 10.0,
        beta_ms: 0.1,
        gamma_ms: 0.001,
        delta_ms: 0.05,
        delta2_ms: 0.0,
        hidden_tokens: 100.0,
        overhead_ms: 5.0,
        lag_steps: 1.5,
        experts: Experts { read_ms: 0.0, share: 0.0 },
    };

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9 * expected, "{value}, not {expected}");
    }

    #[test]
    fn a_step_is_what_it_reads_and_the_computation_that_does_not_hide() {
        let tokens = Tokens { input: 400.0, output: 101.0 };
        let memory = 10.0 + (0.1 + 0.001 * 450.5) * 11.0;
        // A tenth of the steps holds one of the ten others' prompts: 11 - 1 + 400 tokens.
        let step = memory + 10.0 / 101.0 * 0.05 * 310.0;
        let prefill = memory + 0.05 * 310.0;
        near(MODEL.step_ms(tokens, 11.0), step);
        near(MODEL.service_ms(tokens, 11.0), prefill + 100.0 * step);
        let first = 5.0 + 1.5 * (1.0 - (-10_f64).exp()) * step + prefill;
        near(MODEL.first_token_ms(tokens, 11.0), first);
        near(MODEL.occupancy(tokens, prefill + 100.0 * step, 64.0), 11.0);
    }

    #[test]
    fn attention_within_prompts_costs_the_square_of_their_tokens() {
        let model = Roofline { delta2_ms: 1e-5, ..MODEL };
        for (input, chunks) in [(400.0, 1.0), (20_000.0, 3.0)] {
            let tokens = Tokens { input, output: 101.0 };
            let extra = 1e-5 * input * input;
            near(model.prefill_ms(tokens, 11.0), MODEL.prefill_ms(tokens, 11.0) + extra);
            // Ten others, each with one prompt in 101 tokens.
            let met = chunks * 10.0 / 101.0 * extra / chunks;
            near(model.step_ms(tokens, 11.0), MODEL.step_ms(tokens, 11.0) + met);
        }
    }

    #[test]
    fn a_long_prompt_takes_several_steps_and_short_answers_share_them() {
        let long = Tokens { input: 20_000.0, output: 2.0 };
        let memory = 10.0 + 0.1 + 0.001 * 20_001.0;
        near(MODEL.prefill_ms(long, 1.0), 3.0 * memory + 0.05 * (20_000.0 - 300.0));
        // Nine others, replaced every other token: each step holds 4.5 of their prompts.
        let short = Tokens { input: 50.0, output: 2.0 };
        let memory = 10.0 + (0.1 + 0.001 * 51.0) * 10.0;
        near(MODEL.step_ms(short, 10.0), memory + 0.05 * (10.0 + 49.0 * 4.5 - 100.0));
    }
}
