//! A level: passes while `n` requests are in service.
//!
//! Counted in passes, a request is served for `F + D` of them, and all `n` go on together: a node
//! that shares its passes equally, whose stages of service are then independent of the speed of the
//! passes (Baskett, Chandy, Muntz and Palacios, JACM 22, 1975). With `n` in service each is at its
//! prompt with the same probability `F / (F + D)`,
//!
//! ```text
//! k ~ Binomial(n, F / (F + D))      requests at their prompts, n - k decode
//! X = n / (F + D)                   requests that end, a pass
//! t = E[pass(n - k, k)]             mean pass, ms
//! mu(n) = X / t
//! ```
//!
//! None of it depends on the arrival rate. The passes of a prompt, `F`, follow from the room for
//! `kappa` prompts in a pass: with the load `u = X / kappa` of the room a prompt finds on average
//! `(1 + cv^2) u / (2 kappa (1 - u))` passes of others' prompts before it (Pollaczek and Khinchine;
//! `cv^2` is that of the prompts), so that `n = X (F + D)` is a quadratic in `u`.

use super::counts::Counts;
use super::work::{EMPTY, Work};
use crate::queue::stop::pause;

/// Passes while so many requests are in service; times in ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// `1 / mu(n)`.
    pub gap_ms: f64,
    /// Mean pass.
    pub pass_ms: f64,
    /// Requests that end a pass.
    pub ends: f64,
    /// The same without prompts, and what each request more that decodes adds to it.
    pub bare_ms: f64,
    pub slope_ms: f64,
    /// Variance of a pass over twice its mean: what passes that differ add to the rest of the one
    /// that an arrival finds under way.
    pub uneven_ms: f64,
    /// Mean number that decodes, over time.
    pub decoding: f64,
    /// Mean pass that a token takes.
    pub decoding_pass_ms: f64,
    /// From the end of the pass under way to the first token, without prompts that arrived in it.
    pub first_ms: f64,
    /// What each such prompt adds to it.
    pub more_ms: f64,
    /// What each request a ms adds to it besides.
    pub next_ms2: f64,
}

/// The stages of `n` requests in service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stages {
    /// Prompts that a pass has room for.
    pub room: f64,
    /// Passes of a prompt that is alone.
    pub chunks: f64,
    /// Requests that end a pass, `X`.
    pub ends: f64,
    /// Mean passes of a prompt, `F`.
    pub prompt_passes: f64,
    /// Mean number at their prompts.
    pub prompts: f64,
}

impl Stages {
    pub fn new(work: &Work, n: f64) -> Self {
        let decode = work.decode_passes;
        if !work.has_prompt_pass() {
            let ends = n / decode;
            return Self {
                room: f64::INFINITY,
                chunks: 1.0,
                ends,
                prompt_passes: 0.0,
                prompts: 0.0,
            };
        }
        if !work.is_chunked() {
            // Its prompt and its first decode pass are in the same cycle.
            let prompt_passes = if decode < 1.0 { 1.0 } else { 0.0 };
            let ends = n / (decode + prompt_passes);
            let (room, prompts) = (work.room(0.0), ends);
            return Self { room, chunks: 1.0, ends, prompt_passes, prompts };
        }
        let room = work.room(n * decode / (1.0 + decode));
        let chunks = work.chunks(room);
        let alone = chunks + decode;
        // A prompt waits for those of the others alone.
        let spread = (1.0 + work.station().input_scv) / 2.0 * (n - 1.0) / n;
        let ends = if room > 1e6 * n {
            n / alone
        } else {
            let b = room * alone + n;
            room * 2.0 * n / (b + (b * b + 4.0 * n * (spread - room * alone)).max(0.0).sqrt())
        };
        let prompt_passes = (n / ends - decode).max(chunks);
        Self { room, chunks, ends, prompt_passes, prompts: (n - ends * decode).max(0.0) }
    }

    /// Requests at their prompts of `n`, of `dispersion` times the binomial count's variance.
    pub fn counts(&self, n: f64, dispersion: f64) -> Counts {
        Counts::new(self.prompts, (1.0 - self.prompts / n) * dispersion, n)
    }
}

impl Level {
    /// Mean rest of the pass under way, where counts of prompts have `dispersion` times the variance
    /// of those of a level.
    pub fn residual_ms(&self, dispersion: f64) -> f64 {
        self.pass_ms / 2.0 + dispersion * self.uneven_ms
    }

    pub fn new(work: &Work, n: f64) -> Self {
        pause();
        let stages = Stages::new(work, n);
        let [mean, square, decoded] = moments(work, n, &stages);
        let Stages { room, chunks, ends, prompt_passes, .. } = stages;
        let decoding = ends * work.decode_passes;
        let bare_ms = work.pass_ms(decoding, 0.0, 1.0);
        let mut level = Self {
            gap_ms: mean / ends,
            pass_ms: mean,
            ends,
            bare_ms,
            slope_ms: work.pass_ms(decoding + 1.0, 0.0, 1.0) - bare_ms,
            uneven_ms: ((square - mean * mean) / (2.0 * mean)).max(0.0),
            decoding: decoded / mean,
            decoding_pass_ms: if decoding > 0.0 { decoded / decoding } else { mean },
            first_ms: 0.0,
            more_ms: 0.0,
            next_ms2: 0.0,
        };
        if !work.has_prompt_pass() {
            return level;
        }
        let with = |prompts: f64| work.pass_ms(decoding, prompts, chunks);
        let more = with(2.0) - with(1.0);
        let own = own_pass_ms(work, decoding, chunks);
        let backlog = (prompt_passes - chunks) * with(room.min(1e9));
        let backlog = if work.is_chunked() { backlog } else { 0.0 };
        level.first_ms = own + if backlog > 0.0 { backlog } else { 0.0 };
        // Prompts that differ make passes differ, by their number times the variance of one.
        level.uneven_ms += work.station().input_scv * more * more * ends / (2.0 * mean);
        level.more_ms = more * (room - 1.0).clamp(0.0, 1.0);
        if work.decodes_first_token() {
            level.first_ms += with(0.0) + work.pass_ms(1.0, 0.0, 1.0) - work.pass_ms(0.0, 0.0, 1.0);
            level.next_ms2 = more * own;
        }
        level
    }
}

/// The passes of a prompt of one's own beside `decoding` requests, ms.
pub(super) fn own_pass_ms(work: &Work, decoding: f64, chunks: f64) -> f64 {
    if !work.station().engine.chunked_prefill {
        return work.only_ms(0.0, 1.0);
    }
    let base = work.pass_ms(decoding, EMPTY, 1.0);
    work.pass_ms(decoding, 1.0, chunks) + (chunks - 1.0) * base
}

/// `E[t]`, `E[t^2]` and `E[d t]` of a pass `t` in which `d` requests decode.
fn moments(work: &Work, n: f64, stages: &Stages) -> [f64; 3] {
    let counts = stages.counts(n, 1.0);
    let scale = if work.is_chunked() { counts.scale(stages.room, stages.ends) } else { 1.0 };
    let mut sums = [0.0; 3];
    for (prompts, share) in counts {
        let (t, decoded) = if work.is_chunked() {
            let decoding = n - prompts;
            let t = work.pass_ms(decoding, prompts.min(stages.room) * scale, stages.chunks);
            (t, decoding * t)
        } else {
            // Those whose prompts are done decode with the others.
            let t = work.cycle_ms(n, prompts);
            (t, n * t)
        };
        sums[0] += share * t;
        sums[1] += share * t * t;
        sums[2] += share * decoded;
    }
    sums
}
