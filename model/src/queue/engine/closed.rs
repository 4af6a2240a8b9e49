//! Closed loops: `n` clients that each send their next request when the last is answered.
//!
//! The next request is there as a pass ends, so that it waits for nothing, and all `n` are always in
//! service: what a prompt meets is a [`Level`](super::level::Level) of `n`, the prompts beside it those of the `n - 1` others.
//! Answers of one length end together where they began together: as many prompts as a pass has room
//! for start at once, decode in step and start at once again, for ever. Answers that vary lose step.
//! Between the two, `tokenScv` is taken for the share that has lost it.

use super::level::{Level, Stages, own_pass_ms};
use super::work::Work;
use crate::queue::service::{Latency, Station};

/// Latencies with `clients` in service all the time.
pub(in crate::queue) fn closed_loop(station: &Station, clients: u32) -> Latency {
    let work = Work::new(station);
    let n = f64::from(clients.max(1));
    let apart = apart(&work, n);
    let lost = station.token_scv.min(1.0);
    if lost >= 1.0 || !work.has_prompt_pass() {
        return apart;
    }
    let together = together(&work, n);
    Latency {
        itl_ms: lost * apart.itl_ms + (1.0 - lost) * together.itl_ms,
        first_token_ms: lost * apart.first_token_ms + (1.0 - lost) * together.first_token_ms,
    }
}

/// Prompts fall anywhere.
fn apart(work: &Work, n: f64) -> Latency {
    let level = Level::new(work, n);
    let outside_ms = work.station().outside_ms(0.0);
    // A prompt is in a pass with the share of the other requests that are at theirs.
    let stages = Stages::new(work, n);
    let mates = stages.ends / n * (n - 1.0);
    let with = |prompts: f64| work.pass_ms(level.decoding, prompts, stages.chunks);
    let beside = mates.min((stages.room - 1.0).max(0.0)) * (with(2.0) - with(1.0));
    let after = if work.decodes_first_token() { mates * (with(2.0) - with(1.0)) } else { 0.0 };
    Latency {
        itl_ms: level.decoding_pass_ms,
        first_token_ms: level.first_ms + beside + after + outside_ms,
    }
}

/// Prompts start in groups, each as large as a pass has room for.
fn together(work: &Work, n: f64) -> Latency {
    let decode = work.decode_passes;
    let room = work.room(0.0).max(1.0).floor();
    let groups = (n / room).ceil();
    let size = n / groups;
    let others = n - size;
    let chunks = work.chunks(work.room(others));
    let (bare, full) = (work.pass_ms(n, 0.0, 1.0), work.pass_ms(others, size, chunks));
    let prompt = if groups > 1.0 || work.station().engine.chunked_prefill {
        full
    } else {
        work.only_ms(0.0, size)
    };
    let first = prompt + if work.decodes_first_token() { bare } else { 0.0 };
    // A request decodes beside the prompts of the other groups once each.
    let met = (groups - 1.0).min(decode);
    let itl_ms = if decode > 0.0 { bare + met / decode * (full - bare) } else { full };
    let outside_ms = work.station().outside_ms(0.0);
    Latency {
        itl_ms,
        first_token_ms: first + (chunks - 1.0) * own_pass_ms(work, others, 1.0) + outside_ms,
    }
}
