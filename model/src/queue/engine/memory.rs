//! The KV cache: how many requests it holds.
//!
//! A request in service holds its prompt from its first pass on and a token more with each pass, in
//! blocks of [`BLOCK`] tokens, half of the last of which is free on average. With the mean `m` and variance
//! `v` of what one holds at some moment the sum over `n` is close to normal, and
//!
//! ```text
//! n m + Z sqrt(n v) <= kvTokens
//! ```
//!
//! bounds the batch that the cache holds without preemption but for a rare moment. Age and rest of an
//! answer are what they are seen at a random moment: of memoryless answers as old as they are long, of
//! equal ones uniform.

use super::level::Stages;
use super::work::Work;

/// Tokens of a block (vLLM's default).
const BLOCK: f64 = 16.0;

/// Standard deviations of what is held that are kept free.
const Z: f64 = 2.0;

/// The largest batch up to `most` that the cache holds; 0 where it does not hold one request.
pub(super) fn batch_limit(work: &Work, most: u32) -> u32 {
    let Some(kv_tokens) = work.station().engine.kv_tokens else { return most };
    let room = (kv_tokens as f64 / BLOCK).floor() * BLOCK;
    let station = work.station();
    if station.input_tokens + station.output_tokens > room {
        return 0;
    }
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if needed(work, f64::from(middle)) <= room {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// Tokens that `n` requests take.
fn needed(work: &Work, n: f64) -> f64 {
    let station = work.station();
    let stages = Stages::new(work, n);
    let decoding = 1.0 - stages.prompts / n;
    let age = (work.context() - station.input_tokens).max(0.0);
    let mean = station.input_tokens + decoding * age + BLOCK / 2.0;
    let spread =
        (1.0 + 2.0 * station.token_scv.min(1.0)) / 3.0 + (station.token_scv - 1.0).max(0.0);
    let prompts = station.input_scv * station.input_tokens * station.input_tokens;
    let variance = decoding * age * age * (spread + 1.0 - decoding) + prompts;
    n * mean + Z * (n * variance).sqrt()
}
