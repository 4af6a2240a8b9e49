//! Prefill and decode apart: a server's prompts computed in one pool of replicas, its answers written in another.
//!
//! ```text
//! arrival -> prefill pool: the prompt, up to its first token -> KV cache sent -> decode pool: the answer
//! ```
//!
//! A pool is a server like any other: requests of the prefill pool end with their first token, those of the
//! decode pool come with their whole prompt in the KV cache, of which it computes the last token alone. Each has
//! replicas, accelerators and batches of its own, and limits of its own that keep those of the whole together:
//!
//! ```text
//! mean           E[X + Y] = E[X] + E[Y]                             limits a T and (1 - a) T
//! percentile p   P(X + Y > T) <= P(X > (1 - a) T) + P(Y > a T)      of the share 1 - p that may miss, the
//!                                                                   decode pool gets a quarter
//! ```
//!
//! X is the time in the prefill pool, Y that in the decode pool up to the token in question. Gaps between tokens
//! are the decode pool's alone. The KV cache of a prompt is sent over the link of the replica that computed it
//! and received over that of the one which decodes: each side takes its time off its own limit. A link is kept at
//! most half busy, where a transfer that shares it fairly takes twice its own time in the mean.
//!
//! Whether it pays is for the planner to decide, and how limits are divided, out of [`Division::all`].

use crate::candidates::SizingOptions;
use crate::queue::{Objective, Objectives, Reading};
use crate::scenario::{Load, Profile, Scenario, Server, ServiceClass};

/// What a pool does of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Its prompt, and the first token.
    Prefill,
    /// Its answer.
    Decode,
}

impl Role {
    /// The word for it in names and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
        }
    }
}

/// A server's replicas that do one part of its requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Which part.
    pub role: Role,
    /// How limits are divided.
    pub division: Division,
    /// The server that is served so.
    pub whole: Box<Server>,
}

/// How the limits of a server are divided between its pools, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Division {
    /// What the decode pool gets of the limits up to the first token.
    pub first: u8,
    /// What the prefill pool gets of that up to the last token.
    pub last: u8,
}

/// Shares of a limit that are tried, in percent.
const SHARES: [u8; 3] = [10, 25, 50];
/// Of the share of requests that may miss a percentile, what the decode pool gets.
const MISSED: f64 = 0.25;
/// A link that is shared fairly and half busy takes so many times a transfer's own time.
const SHARED_LINK: f64 = 2.0;

impl Division {
    /// Those that differ for a server held to `objectives`.
    pub fn all(objectives: &Objectives) -> Vec<Self> {
        let tried = |is_limited: bool| if is_limited { &SHARES[..] } else { &SHARES[..1] };
        let first = tried(objectives.ttft.is_some() || objectives.wait.is_some());
        let last = tried(objectives.e2e.is_some());
        first.iter().flat_map(|&first| last.iter().map(move |&last| Self { first, last })).collect()
    }
}

/// Whether prefill and decode of the server may be apart: it asks for that, has requests with an answer beyond the
/// first token, and neither a queue that turns requests away, nor a place to stay at, nor zones.
pub fn may_be_apart(server: &Server) -> bool {
    server.disaggregate
        && server.load.rate_per_s() > 0.0
        && server.load.output_tokens > 1.0
        && server.max_queue.is_none()
        && !server.keep_accelerator
        && server.network.is_empty()
        && server.pool.is_none()
}

/// The prefill pool and the decode pool of a server; their classes are added to `classes` where they are not there yet.
pub fn pools(
    scenario: &Scenario,
    classes: &mut Vec<ServiceClass>,
    server: &Server,
    division: Division,
) -> [Server; 2] {
    [Role::Prefill, Role::Decode].map(|role| {
        let of = |member: &Server| Server { load: load(role, &member.load), ..member.clone() };
        Server {
            name: name(scenario, server, role),
            class: class(classes, server, role, division),
            load: load(role, &server.load),
            members: server.members.iter().map(of).collect(),
            current: None,
            share: None,
            disaggregate: false,
            pool: Some(Pool { role, division, whole: Box::new(server.clone()) }),
            ..server.clone()
        }
    })
}

fn name(scenario: &Scenario, server: &Server, role: Role) -> String {
    let mut name = format!("{} ({})", server.name, role.word());
    while scenario.servers.iter().any(|other| other.name == name) {
        name.push('\'');
    }
    name
}

/// What a pool sees of each request.
fn load(role: Role, whole: &Load) -> Load {
    match role {
        Role::Prefill => Load { output_tokens: 1.0, token_scv: 0.0, ..*whole },
        // What leaves replicas side by side is no smoother than Poisson.
        Role::Decode => {
            Load { prefix_hit_share: 1.0, arrival_scv: whole.arrival_scv.max(1.0), ..*whole }
        }
    }
}

/// The class that holds a pool to its part of the server's limits.
fn class(
    classes: &mut Vec<ServiceClass>,
    server: &Server,
    role: Role,
    division: Division,
) -> usize {
    let whole = &classes[server.class];
    let limits = whole.targets[server.model].unwrap_or_else(Objectives::none);
    let limits = part(Reading::Engine.objectives(limits), role, division);
    let mut targets = vec![None; whole.targets.len()];
    targets[server.model] = Some(limits);
    let Division { first, last } = division;
    let name = format!("{} {} {first}/{last}", whole.name, role.word());
    let class = ServiceClass { name, targets, ..whole.clone() };
    let known = classes.iter().position(|other| *other == class);
    known.unwrap_or_else(|| {
        classes.push(class);
        classes.len() - 1
    })
}

/// A pool's part of the limits of the whole.
fn part(whole: Objectives, role: Role, Division { first, last }: Division) -> Objectives {
    let [first, last] = [first, last].map(|percent| f64::from(percent) / 100.0);
    let (first, last) = match role {
        Role::Prefill => (1.0 - first, last),
        Role::Decode => (first, 1.0 - last),
    };
    let missed = match role {
        Role::Prefill => 1.0 - MISSED,
        Role::Decode => MISSED,
    };
    let of = |limit: Option<Objective>, share: f64| {
        limit.map(|limit| Objective {
            limit_ms: limit.limit_ms * share,
            percentile: limit.percentile.map(|p| 100.0 - missed * (100.0 - p)),
        })
    };
    Objectives {
        itl: whole.itl.filter(|_| role == Role::Decode),
        ttft: of(whole.ttft, first),
        wait: of(whole.wait, first),
        e2e: of(whole.e2e, last),
        ..whole
    }
}

/// What sending or receiving KV cache takes a replica of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transfer {
    /// The cache of a prompt over its own link, which others share, ms.
    pub time_ms: f64,
    /// Prompts that leave the link half free, requests/s.
    pub most_per_s: f64,
}

impl Transfer {
    /// No cache is sent.
    pub const NONE: Self = Self { time_ms: 0.0, most_per_s: f64::INFINITY };

    /// Of a replica of `server` on a profile: none where it is no pool, `None` where the scenario does not say what
    /// a token takes in the cache or how fast the link is.
    pub fn of(scenario: &Scenario, server: &Server, profile: &Profile) -> Option<Self> {
        if server.pool.is_none() {
            return Some(Self::NONE);
        }
        let alone_s = server.load.input_tokens * kv_ms_per_token(scenario, profile)? / 1000.0;
        Some(Self {
            time_ms: 1000.0 * SHARED_LINK * alone_s,
            most_per_s: 1.0 / (SHARED_LINK * alone_s),
        })
    }

    /// What is left of a pool's limits up to its tokens.
    pub fn left_of(self, objectives: Objectives) -> Objectives {
        let left = |limit: Option<Objective>| {
            limit.map(|o| Objective {
                limit_ms: (o.limit_ms - self.time_ms).max(o.limit_ms * 1e-9),
                ..o
            })
        };
        if self.time_ms == 0.0 {
            return objectives;
        }
        Objectives { ttft: left(objectives.ttft), e2e: left(objectives.e2e), ..objectives }
    }
}

/// What a replica of `server` sends or receives on a profile, where it may be planned there.
///
/// # Errors
/// Why it may not.
pub fn transfer(
    scenario: &Scenario,
    server: &Server,
    profile: &Profile,
    sizing: &SizingOptions,
) -> Result<Transfer, &'static str> {
    let transfer = Transfer::of(scenario, server, profile).ok_or(
        "what sending KV cache takes is not known: state `kvBytesPerToken` of the model and `kvLinkGBs` of the \
         accelerator",
    )?;
    let is_prefill = server.pool.as_ref().is_some_and(|pool| pool.role == Role::Prefill);
    let is_chunked = profile.engine.settings(sizing.engine).chunked_prefill;
    if is_prefill && !is_chunked && !profile.service.prompt_yields_token() {
        return Err(
            "without chunked prefill first tokens wait for all prompts there are, which is not modelled",
        );
    }
    Ok(transfer)
}

/// What the KV cache of a token takes on the link of a replica, ms, where the scenario says so.
pub fn kv_ms_per_token(scenario: &Scenario, profile: &Profile) -> Option<f64> {
    let link = scenario.accelerators[profile.accelerator].kv_link_gb_per_s?;
    Some(profile.kv_bytes_per_token? / (link * 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_pools_keep_that_of_the_whole() {
        let whole = Objectives {
            ttft: Some(Objective::percentile(1000.0, 95.0)),
            e2e: Some(Objective::mean(20_000.0)),
            itl: Some(Objective::mean(40.0)),
            ..Objectives::none()
        };
        assert_eq!(Division::all(&whole).len(), 9);
        assert_eq!(Division::all(&Objectives { e2e: None, ..whole }).len(), 3);
        for division in Division::all(&whole) {
            let [prefill, decode] =
                [Role::Prefill, Role::Decode].map(|role| part(whole, role, division));
            let sum = |of: fn(&Objectives) -> Option<Objective>| {
                [&prefill, &decode]
                    .map(|part| of(part).expect("it has one").limit_ms)
                    .iter()
                    .sum::<f64>()
            };
            assert!((sum(|o| o.ttft) - 1000.0).abs() < 1e-9);
            assert!((sum(|o| o.e2e) - 20_000.0).abs() < 1e-9);
            let missed = [&prefill, &decode]
                .map(|part| 100.0 - part.ttft.and_then(|o| o.percentile).expect("it has one"));
            assert!((missed[0] + missed[1] - 5.0).abs() < 1e-9, "{missed:?}");
            assert_eq!((prefill.itl, decode.itl), (None, whole.itl));
        }
    }
}
