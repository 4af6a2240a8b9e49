//! A prefill pool that feeds a decode pool, over the links between them.
//!
//! ```text
//! requests -> a replica of the prefill pool, to the first token
//!          -> its link: one KV cache at a time   -> the link of a replica of the decode pool, likewise
//!          -> that replica, whose cache holds the prompt then: it computes the last token of it, and decodes
//! ```
//!
//! Nothing goes back from the second pool to the first, so that one is simulated after the other. The first token
//! that a client sees is that of the decode pool.

use rayon::prelude::*;

use crate::random::{Purpose, stream};
use crate::replica::serve_on;
use crate::report::Report;
use crate::run::{Effort, Group, Stopped, Watch, dispatch, merged};
use crate::section::Section;
use crate::traffic::Request;

/// Replicas of a pool, and the link that each has to the other pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linked {
    /// The replicas.
    pub group: Group,
    /// What the KV cache of a prompt's token takes on the link, ms.
    pub kv_ms_per_token: f64,
}

/// What came of two pools.
#[derive(Debug, Clone)]
pub struct Pooled {
    /// Of each group of the prefill pool, by itself.
    pub prefill: Vec<Report>,
    /// Of each group of the decode pool, from when it has a prompt.
    pub decode: Vec<Report>,
    /// From the arrival of a request on.
    pub whole: Report,
}

/// Sends requests to a replica of the prefill pool and on to one of the decode pool, each at random, in proportion to
/// weights. The first `effort.warmup` of each replica's requests are not counted; the others form
/// `effort.replications` batches.
///
/// # Errors
/// [`Stopped`].
pub fn simulate_pools(
    [prefill, decode]: [&[Linked]; 2],
    requests: &[Request],
    effort: &Effort,
    unit: u32,
    watch: &Watch<'_>,
) -> Result<Pooled, Stopped> {
    let random = |pool: u32| stream(effort.seed, unit, pool, Purpose::Dispatch);
    let parts = dispatch(&groups(prefill), requests, &mut random(0));
    let (mut reports, mut sent) = (Vec::new(), Vec::new());
    for (linked, part) in prefill.iter().zip(parts) {
        let one = |requests: Vec<Request>| first_tokens(linked, &requests, effort, watch);
        let runs: Result<Vec<_>, Stopped> = part.into_par_iter().map(one).collect();
        let (sections, leaving): (Vec<_>, Vec<_>) = runs?.into_iter().unzip();
        reports.push(Report::new(merged(effort, sections)));
        sent.extend(leaving.into_iter().flatten());
    }
    sent.sort_by(|a, b| a.arrival_ms.total_cmp(&b.arrival_ms));
    let parts = dispatch(&groups(decode), &sent, &mut random(1));
    let (mut apart, mut whole) = (Vec::new(), Vec::new());
    for (linked, part) in decode.iter().zip(parts) {
        let one = |requests: Vec<Request>| answers(linked, &requests, effort, watch);
        let runs: Result<Vec<_>, Stopped> = part.into_par_iter().map(one).collect();
        let (own, all): (Vec<_>, Vec<_>) = runs?.into_iter().unzip();
        apart.push(Report::new(merged(effort, own)));
        whole.extend(all);
    }
    Ok(Pooled { prefill: reports, decode: apart, whole: Report::new(merged(effort, whole)) })
}

fn groups(pool: &[Linked]) -> Vec<Group> {
    pool.iter().map(|linked| linked.group).collect()
}

/// What a replica of the prefill pool makes of its requests, and those as they are sent.
fn first_tokens(
    linked: &Linked,
    requests: &[Request],
    effort: &Effort,
    watch: &Watch<'_>,
) -> Result<(Vec<Section>, Vec<Request>), Stopped> {
    let prompts = requests.iter().map(|request| Request { output_tokens: 1, ..*request });
    let window = effort.window_of(requests.len());
    let (sections, left) = serve_on(&linked.group.replica, prompts, window, watch)?;
    let ended = left.into_iter().map(|(index, after_ms)| {
        let request = requests[index as usize];
        Request { arrival_ms: request.arrival_ms + after_ms, before_ms: after_ms, ..request }
    });
    Ok((sections, over(linked, ended.collect())))
}

/// What a replica of the decode pool makes of its requests: from when it has their prompts, and from their arrival
/// before those were computed.
fn answers(
    linked: &Linked,
    requests: &[Request],
    effort: &Effort,
    watch: &Watch<'_>,
) -> Result<(Vec<Section>, Vec<Section>), Stopped> {
    let whole = over(linked, requests.to_vec());
    let own = whole.iter().map(|request| Request { before_ms: 0.0, ..*request }).collect();
    let serve = |requests: Vec<Request>| {
        let window = effort.window_of(requests.len());
        let cached = |request: Request| Request { cached_tokens: request.input_tokens, ..request };
        let replica = &linked.group.replica;
        serve_on(replica, requests.into_iter().map(cached), window, watch).map(|run| run.0)
    };
    Ok((serve(own)?, serve(whole)?))
}

/// Requests behind a link that takes one KV cache at a time, in their order.
fn over(linked: &Linked, mut requests: Vec<Request>) -> Vec<Request> {
    requests.sort_by(|a, b| a.arrival_ms.total_cmp(&b.arrival_ms));
    let mut free_ms = 0.0_f64;
    for request in &mut requests {
        let takes_ms = f64::from(request.input_tokens) * linked.kv_ms_per_token;
        let arrives_ms = request.arrival_ms.max(free_ms) + takes_ms;
        request.before_ms += arrives_ms - request.arrival_ms;
        request.arrival_ms = arrives_ms;
        free_ms = arrives_ms;
    }
    requests
}
