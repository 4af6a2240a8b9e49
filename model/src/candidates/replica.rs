//! A replica of a server on a profile: its station, its limits, its KV cache.
//!
//! **A cache of which nobody speaks.** A profile says how many requests run at a time, `maxBatchSize` of
//! `atTokens` output tokens each, and nothing of their prompts. It is read as a benchmark with prompts as long
//! as answers, so that the cache holds
//!
//! ```text
//! 2 maxBatchSize atTokens      tokens, and one request of the server at least
//! ```
//!
//! A number that is missing thus rules nothing out: a request that is larger than all that runs alone. A
//! server with a `maxBatchSize` of its own says how many of its requests run at a time: then nothing is assumed.

use super::{Reading, SizingOptions};
use crate::queue::{EngineSettings, MAX_BATCH, Station};
use crate::scenario::{Profile, Server};

/// The queueing station of one replica of `server` on a profile.
pub fn station(server: &Server, profile: &Profile, options: &SizingOptions) -> Station {
    let load = &server.load;
    Station {
        service: profile.service,
        input_tokens: load.input_tokens,
        output_tokens: load.output_tokens.max(1.0),
        queue_limit: server.max_queue.or(options.max_queue),
        arrival_scv: load.arrival_scv,
        token_scv: load.token_scv,
        reading: options.reading,
        engine: engine(server, profile, options),
        input_scv: load.input_scv,
        prefix_hit_share: load.prefix_hit_share,
        network_ms: server.network_ms(profile.accelerator),
    }
}

/// How the engine of a replica is set: as the profile states it, else the run, else by default; the KV
/// cache of a replica that is read as an engine as it is assumed where neither states it.
fn engine(server: &Server, profile: &Profile, options: &SizingOptions) -> EngineSettings {
    let stated = profile.engine.settings(options.engine);
    let assumed = || assumed_kv_tokens(server, profile);
    let assumed = if options.reading == Reading::Engine { assumed() } else { None };
    EngineSettings { kv_tokens: stated.kv_tokens.or(assumed), ..stated }
}

/// Tokens of a block of the KV cache: one request takes whole blocks.
const BLOCK: u64 = 16;

/// Tokens that the KV cache of a replica is taken to hold where nobody says; `None` where the server
/// itself says how many of its requests run at a time, or the profile does whatever their tokens.
pub fn assumed_kv_tokens(server: &Server, profile: &Profile) -> Option<u64> {
    if server.max_batch.is_some() {
        return None;
    }
    let measured = 2 * u64::from(profile.max_batch) * u64::from(profile.at_tokens?);
    let load = &server.whole().load;
    let request = load.input_tokens + load.output_tokens.max(1.0);
    Some(measured.max((request.ceil() as u64).div_ceil(BLOCK) * BLOCK))
}

/// Largest batch of a server on a profile: its own override, else
/// `max(1, floor(maxBatchSize * atTokens / avgOutTokens))`, `maxBatchSize` where no `atTokens` are
/// given; of an engine no more than the tokens of a
/// pass, of which a request that decodes takes one.
pub fn batch_limit(server: &Server, profile: &Profile, options: &SizingOptions) -> u32 {
    let stated = server.max_batch.unwrap_or_else(|| {
        let Some(at_tokens) = profile.at_tokens else { return profile.max_batch };
        let tokens = f64::from(profile.max_batch) * f64::from(at_tokens);
        let out = server.whole().load.output_tokens.max(1.0);
        ((tokens / out).floor() as u32).clamp(1, MAX_BATCH)
    });
    match options.reading {
        Reading::Engine => stated.min(engine(server, profile, options).token_budget),
        Reading::Reference => stated,
    }
}
