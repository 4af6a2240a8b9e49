//! The engine's reading of a replica: what continuous batching does.
//!
//! Two time scales. Fast, the passes: with `n` in service a pass holds `k` prompts and `n - k` requests that
//! decode, `k` binomial (`level.rs`), under a token budget, and in waves (`waves.rs`, `prompts.rs`). Slow,
//! the number in service: the birth-death chain with
//!
//! ```text
//! mu(n) = X(n) / t(n)      requests that end a pass, over its mean time
//! ```
//!
//! (`chain.rs`), from which the means follow as sums, and the largest rate as a root (`size.rs`, `ladder.rs`).
//! Percentiles are read off mixtures of passes (`arrival.rs`, `tails.rs`, `gaps.rs`, `tpot.rs`, `e2e.rs`). How arrivals come that are not
//! Poisson is told by `arrivals.rs`, what prompts in one piece do by `whole.rs`, `cycles.rs` and `busy.rs`. The KV cache bounds the batch
//! (`memory.rs`); closed loops are a level of their own (`closed.rs`), and answers of one token a queue of prompts (`oneshot.rs`). What requests ask of passes
//! stands in `work.rs`.

mod arrival;
mod arrivals;
mod busy;
mod chain;
mod closed;
mod counts;
mod cycles;
mod e2e;
mod gaps;
mod grid;
mod ladder;
mod level;
mod means;
mod memory;
mod met;
mod oneshot;
mod prompts;
mod settings;
mod size;
mod spread;
mod tails;
mod times;
mod tpot;
mod waves;
mod whole;
mod work;

pub(super) use chain::Replica;
pub(super) use closed::closed_loop;
pub(super) use oneshot::{OneShot, OneShotSizing};
pub use settings::EngineSettings;
pub(super) use size::Sizing;
pub(super) use tails::Tails;

use level::Level;
use work::Work;

use super::service::Station;

/// The largest batch up to `batch` that the KV cache holds, at least 1.
pub(super) fn batch_limit(station: &Station, batch: u32) -> u32 {
    memory::batch_limit(&Work::new(station), batch).max(1)
}

/// Mean time of a request in service, with `n` in service all the time, ms.
pub(super) fn service_ms(station: &Station, n: f64) -> f64 {
    n * Level::new(&Work::new(station), n.max(1.0)).gap_ms
}

/// Mean pass with `n` in service, ms.
pub(super) fn pass_ms(station: &Station, n: f64) -> f64 {
    Level::new(&Work::new(station), n.max(1.0)).pass_ms
}
