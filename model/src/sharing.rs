//! Servers that share replicas.
//!
//! Servers of one model that name the same group (`share`) may be served by the same replicas: tenants,
//! classes, LoRA adapters. What a replica then sees is a mixture of requests, member `i` with the share
//! `w_i = lambda_i / lambda` of them:
//!
//! ```text
//! lambda = sum_i lambda_i                       loads add
//! in     = sum_i w_i in_i                       and so do means, weighted
//! scv    = sum_i w_i in_i^2 (1 + scv_i) / in^2 - 1      the second moment of the mixture; answers likewise
//! hits   = sum_i w_i in_i hits_i / in           a share of tokens
//! ca^2   = sum_i w_i max(ca_i^2, 1)             streams side by side (Whitt, Bell System Tech. J. 62, 1983)
//! ```
//!
//! Many streams that are each more regular than Poisson are not so together: they count as Poisson. Of
//! the members' rules the strictest hold for all: the least limit at the highest percentile, the least of
//! the most and the most of the least replicas, accelerators that all may use, the highest priority. An
//! engine serves first come, first served: nobody is taken to overtake. The first token of a member whose prompts are longer than
//! the mixture's comes later than the mixture's mean by what its prompt takes longer: [`held_to`] takes
//! that off the limit.
//!
//! Whether sharing pays is for the planner to decide; a [`Decision`] says who shares.

use std::fmt;

use crate::candidates::allowed;
use crate::disaggregation::{Division, Transfer, pools};
use crate::queue::{ItlOver, Latency, Objective, Objectives, Reading, Station};
use crate::scenario::{CurrentAllocation, Load, Scenario, Server, ServiceClass};

/// How servers are served where that is not each on replicas of its own.
pub type Decision = Vec<Served>;

/// Servers, by index, that share replicas, or one that does not; and how limits are divided where their prompts and
/// answers are in pools of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Who.
    pub members: Vec<usize>,
    /// How limits are divided between pools; `None` where there are none.
    pub division: Option<Division>,
}

/// Why servers cannot share replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// One has an objective on a mean where another has it on a percentile, or percentiles over
    /// different things: neither is the stricter.
    Objectives,
    /// There is no accelerator that all may use.
    Accelerators,
    /// One needs more replicas than another may have.
    Replicas,
    /// Their users are not equally far from the zones.
    Zones,
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Objectives => {
                "a limit is on the mean for one and on a percentile for another, so that neither is the stricter"
            }
            Self::Accelerators => "there is no accelerator that all of them may use",
            Self::Replicas => "one needs more replicas than another may have",
            Self::Zones => "their users are not equally far from the zones",
        })
    }
}

/// Groups of servers that may share, by index: those of one model that name one group, two or more.
pub fn groups(scenario: &Scenario) -> Vec<Vec<usize>> {
    let mut groups: Vec<((&str, usize), Vec<usize>)> = Vec::new();
    for (s, server) in scenario.servers.iter().enumerate() {
        let Some(share) = &server.share else { continue };
        let key = (share.as_str(), server.model);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some((_, servers)) => servers.push(s),
            None => groups.push((key, vec![s])),
        }
    }
    groups.into_iter().map(|group| group.1).filter(|servers| servers.len() > 1).collect()
}

/// Puts every server that names no group into one with all others of its model.
pub fn share_by_model(scenario: &mut Scenario) {
    for server in &mut scenario.servers {
        server.share.get_or_insert_with(|| scenario.models[server.model].clone());
    }
}

/// The scenario in which servers are served as decided: those who share become one server in the place of
/// the first of them, and one whose prompts and answers are apart becomes two.
///
/// # Errors
/// Why servers of a list cannot share.
pub fn shared(scenario: &Scenario, decision: &Decision) -> Result<Scenario, Apart> {
    let mut shared = Scenario { servers: Vec::new(), ..scenario.clone() };
    for s in 0..scenario.servers.len() {
        let served = decision.iter().find(|served| served.members.contains(&s));
        if served.is_some_and(|served| served.members.iter().min() != Some(&s)) {
            continue;
        }
        let server = match served {
            Some(served) if served.members.len() > 1 => {
                together(scenario, &mut shared.classes, &served.members)?
            }
            _ => scenario.servers[s].clone(),
        };
        match served.and_then(|served| served.division) {
            Some(division) => {
                shared.servers.extend(pools(scenario, &mut shared.classes, &server, division));
            }
            // What is decided is not decided again.
            None => shared.servers.push(Server { share: None, disaggregate: false, ..server }),
        }
    }
    Ok(shared)
}

/// The server that stands for `servers` where they share replicas; a class for what they are held to
/// together is added to `classes` where none is there yet.
///
/// # Errors
/// Why they cannot share.
pub fn together(
    scenario: &Scenario,
    classes: &mut Vec<ServiceClass>,
    servers: &[usize],
) -> Result<Server, Apart> {
    let mut indices = servers.to_vec();
    indices.sort_unstable();
    let members: Vec<Server> = indices.iter().map(|&s| scenario.servers[s].clone()).collect();
    let first = &members[0];
    let allow = usable(scenario, &members)?;
    let min_replicas = members.iter().map(|m| m.min_replicas).max().unwrap_or(0);
    let max_replicas = members.iter().filter_map(|m| m.max_replicas).min();
    if max_replicas.is_some_and(|most| most < min_replicas) {
        return Err(Apart::Replicas);
    }
    if members.iter().any(|member| member.network != first.network) {
        return Err(Apart::Zones);
    }
    Ok(Server {
        name: name(scenario, &members),
        class: class(scenario, classes, &members)?,
        model: first.model,
        load: mixture(&members.iter().map(|m| m.load).collect::<Vec<_>>()),
        min_replicas,
        min_tokens_per_s: 0.0,
        max_replicas,
        max_batch: members.iter().filter_map(|m| m.max_batch).min(),
        max_queue: members.iter().filter_map(|m| m.max_queue).min(),
        keep_accelerator: false,
        allow,
        deny: Vec::new(),
        network: first.network.clone(),
        min_types: members.iter().map(|m| m.min_types).max().unwrap_or(0),
        current: current(&members),
        share: first.share.clone(),
        disaggregate: members.iter().all(|m| m.disaggregate),
        members,
        pool: None,
    })
}

/// Names that a shared server spells out.
const SPELT: usize = 3;

fn name(scenario: &Scenario, members: &[Server]) -> String {
    let names: Vec<&str> = members.iter().map(|m| m.name.as_str()).collect();
    let mut name = match names.len() {
        0..=SPELT => names.join(" + "),
        n => format!("{} + {} more", names[0], n - 1),
    };
    while scenario.servers.iter().any(|server| server.name == name) {
        name.push('\'');
    }
    name
}

/// Accelerators that all members may use; empty where none is ruled out.
fn usable(scenario: &Scenario, members: &[Server]) -> Result<Vec<usize>, Apart> {
    let all = 0..scenario.accelerators.len();
    let usable: Vec<usize> =
        all.clone().filter(|&a| members.iter().all(|member| allowed(member, a))).collect();
    match usable.len() {
        0 => Err(Apart::Accelerators),
        n if n == all.len() => Ok(Vec::new()),
        _ => Ok(usable),
    }
}

/// Where they run now: what they cost together, on the accelerator that all of them are on.
fn current(members: &[Server]) -> Option<CurrentAllocation> {
    let now: Vec<&CurrentAllocation> = members.iter().filter_map(|m| m.current.as_ref()).collect();
    let first = now.first()?.accelerator;
    let is_one = now.iter().all(|current| current.accelerator == first);
    Some(CurrentAllocation {
        accelerator: if is_one { first } else { CurrentAllocation::NOWHERE },
        replicas: now.iter().map(|current| current.replicas).fold(0, u32::saturating_add),
        cost_cents_per_h: now.iter().map(|current| current.cost_cents_per_h).sum(),
    })
}

/// The class that holds members to the strictest objectives of them all: one that is there, or a new one.
fn class(
    scenario: &Scenario,
    classes: &mut Vec<ServiceClass>,
    members: &[Server],
) -> Result<usize, Apart> {
    let model = members[0].model;
    let mut strictest = Objectives::none();
    for member in members {
        let target = scenario.classes[member.class].targets[model];
        let target = Reading::Engine.objectives(target.unwrap_or_else(Objectives::none));
        strictest = stricter(strictest, target)?;
    }
    let mut of: Vec<usize> = members.iter().map(|member| member.class).collect();
    of.sort_by_key(|&c| (scenario.classes[c].priority, c));
    of.dedup();
    let priority = scenario.classes[of[0]].priority;
    let weights = of.iter().map(|&c| scenario.classes[c].weight);
    let weight = weights.fold(f64::MIN_POSITIVE, f64::max);
    let stated = |class: &ServiceClass| {
        class.targets[model].map(|target| Reading::Engine.objectives(target)) == Some(strictest)
            && class.priority == priority
            && class.weight == weight
    };
    if let Some(&c) = of.iter().find(|&&c| stated(&scenario.classes[c])) {
        return Ok(c);
    }
    let names: Vec<&str> = of.iter().map(|&c| scenario.classes[c].name.as_str()).collect();
    let mut targets = vec![None; scenario.models.len()];
    targets[model] = Some(strictest);
    let class = ServiceClass { name: names.join(" + "), priority, weight, targets };
    let known = classes.iter().position(|other| *other == class);
    Ok(known.unwrap_or_else(|| {
        classes.push(class);
        classes.len() - 1
    }))
}

/// What keeps both.
fn stricter(a: Objectives, b: Objectives) -> Result<Objectives, Apart> {
    let [one, other] = [a, b].map(|o| o.itl.is_some_and(|itl| itl.percentile.is_some()));
    if one && other && a.itl_over != b.itl_over {
        return Err(Apart::Objectives);
    }
    Ok(Objectives {
        itl: both(a.itl, b.itl)?,
        itl_over: if one {
            a.itl_over
        } else if other {
            b.itl_over
        } else {
            ItlOver::default()
        },
        ttft: both(a.ttft, b.ttft)?,
        wait: both(a.wait, b.wait)?,
        e2e: both(a.e2e, b.e2e)?,
        ..a
    })
}

/// An objective that keeps both: the least limit, at the highest percentile.
fn both(a: Option<Objective>, b: Option<Objective>) -> Result<Option<Objective>, Apart> {
    let (Some(one), Some(other)) = (a, b) else { return Ok(a.or(b)) };
    let percentile = match (one.percentile, other.percentile) {
        (None, None) => None,
        (Some(p), Some(q)) => Some(p.max(q)),
        _ => return Err(Apart::Objectives),
    };
    Ok(Some(Objective { limit_ms: one.limit_ms.min(other.limit_ms), percentile }))
}

/// The load of requests that come together.
fn mixture(loads: &[Load]) -> Load {
    let rate: f64 = loads.iter().map(|load| load.arrival_rate_per_min).sum();
    if rate <= 0.0 {
        return loads[0];
    }
    let mean = |of: &dyn Fn(&Load) -> f64| {
        loads.iter().map(|load| load.arrival_rate_per_min / rate * of(load)).sum::<f64>()
    };
    let alike = |of: &dyn Fn(&Load) -> f64| {
        let mut sent = loads.iter().filter(|load| load.arrival_rate_per_min > 0.0);
        let first = sent.next().map(of);
        first.filter(|first| sent.all(|load| of(load) == *first))
    };
    // Of what is the same for all nothing is lost to rounding.
    let weighted = |of: &dyn Fn(&Load) -> f64| alike(of).unwrap_or_else(|| mean(of));
    let input_tokens = weighted(&|load| load.input_tokens);
    let output_tokens = weighted(&|load| load.output_tokens);
    let scv = |tokens: &dyn Fn(&Load) -> f64, scv: &dyn Fn(&Load) -> f64, of: f64| {
        if alike(tokens).is_some() {
            return weighted(scv);
        }
        let squares = mean(&|load| tokens(load).powi(2) * (1.0 + scv(load)));
        if of > 0.0 { (squares / (of * of) - 1.0).max(0.0) } else { 0.0 }
    };
    let hits = mean(&|load| load.input_tokens * load.prefix_hit_share);
    let hits = if input_tokens > 0.0 { (hits / input_tokens).clamp(0.0, 1.0) } else { 0.0 };
    Load {
        arrival_rate_per_min: rate,
        input_tokens,
        output_tokens,
        arrival_scv: weighted(&|load| load.arrival_scv.max(1.0)),
        token_scv: scv(&|load| load.output_tokens, &|load| load.token_scv, output_tokens),
        input_scv: scv(&|load| load.input_tokens, &|load| load.input_scv, input_tokens),
        prefix_hit_share: alike(&|load| load.prefix_hit_share).unwrap_or(hits),
    }
}

/// What a replica of shared servers, whose requests together are those of `station`, is held to so that
/// each member keeps `objectives`. The limit of the time to first token is less by what the longest
/// prompt takes longer, alone, than the mean of all; that of the time to the last token by the ratio of
/// what the longest request takes alone to what the mean of all does, as gaps grow alike.
///
/// A pool's replica is held to what sending or receiving KV cache leaves of its limits.
pub fn held_to(
    server: &Server,
    station: &Station,
    transfer: Transfer,
    objectives: Objectives,
) -> Objectives {
    let objectives = transfer.left_of(objectives);
    let sent = server.members.iter().map(|m| &m.load).filter(|load| load.rate_per_s() > 0.0);
    let of = |load: &Load| Station {
        input_tokens: load.input_tokens,
        output_tokens: load.output_tokens.max(1.0),
        prefix_hit_share: load.prefix_hit_share,
        ..*station
    };
    let alone_ms = |station: &Station| {
        let Latency { itl_ms, first_token_ms } = station.closed_loop(1);
        (first_token_ms, first_token_ms + (station.output_tokens - 1.0) * itl_ms)
    };
    if server.members.is_empty() || (objectives.ttft, objectives.e2e) == (None, None) {
        return objectives;
    }
    let (first_ms, last_ms) = alone_ms(station);
    let (mut more_ms, mut longer) = (0.0_f64, 1.0_f64);
    for load in sent {
        let (first, last) = alone_ms(&of(load));
        more_ms = more_ms.max(first - first_ms);
        longer = longer.max(last / last_ms);
    }
    if !more_ms.is_finite() || !longer.is_finite() {
        return objectives;
    }
    let less = |limit_ms: f64| (limit_ms - more_ms).max(limit_ms * 1e-9);
    let ttft = objectives.ttft.map(|o| Objective { limit_ms: less(o.limit_ms), ..o });
    let e2e = objectives.e2e.map(|o| Objective { limit_ms: o.limit_ms / longer, ..o });
    Objectives { ttft, e2e, ..objectives }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: f64, input: f64, output: f64) -> Load {
        Load {
            arrival_rate_per_min: rate,
            input_tokens: input,
            output_tokens: output,
            arrival_scv: 1.0,
            token_scv: 1.0,
            input_scv: 0.0,
            prefix_hit_share: 0.0,
        }
    }

    #[test]
    fn a_mixture_has_the_moments_of_its_parts() {
        let all = mixture(&[load(30.0, 100.0, 10.0), load(10.0, 900.0, 50.0)]);
        assert_eq!(all.arrival_rate_per_min, 40.0);
        assert_eq!((all.input_tokens, all.output_tokens), (300.0, 20.0));
        // E[in^2] = 0.75 * 100^2 + 0.25 * 900^2; E[out^2] = 0.75 * 2 * 10^2 + 0.25 * 2 * 50^2.
        assert!((all.input_scv - (210_000.0 / 90_000.0 - 1.0)).abs() < 1e-12, "{all:?}");
        assert!((all.token_scv - (1_400.0 / 400.0 - 1.0)).abs() < 1e-12, "{all:?}");
    }

    #[test]
    fn what_is_alike_stays_as_it_is() {
        let one = Load { prefix_hit_share: 0.3, input_scv: 0.7, ..load(0.1, 512.3, 77.7) };
        let all = mixture(&[one; 7]);
        assert!((all.arrival_rate_per_min - 0.7).abs() < 1e-12);
        assert_eq!(Load { arrival_rate_per_min: 0.1, ..all }, one);
        let idle = load(0.0, 9_000.0, 1.0);
        assert_eq!(mixture(&[idle, one]), Load { arrival_rate_per_min: 0.1, ..one });
    }

    #[test]
    fn the_strictest_of_two_keeps_both() {
        let of = |ttft| Objectives { ttft, ..Objectives::none() };
        let limit = |a, b| stricter(of(Some(a)), of(Some(b))).map(|o| o.ttft);
        let (mean, p95) = (Objective::mean, |ms| Objective::percentile(ms, 95.0));
        assert_eq!(limit(mean(200.0), mean(100.0)), Ok(Some(mean(100.0))));
        let p99 = Objective::percentile(900.0, 99.0);
        assert_eq!(limit(p95(300.0), p99), Ok(Some(Objective::percentile(300.0, 99.0))));
        assert_eq!(limit(p95(300.0), mean(900.0)), Err(Apart::Objectives));
        assert_eq!(stricter(of(None), of(Some(mean(5.0)))).map(|o| o.ttft), Ok(Some(mean(5.0))));
    }
}
