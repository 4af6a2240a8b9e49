//! The specification: what a plan may be, and which is the best, by trying every one.
//!
//! **A plan** gives each server a *mix*: so many replicas on each accelerator that its model runs on.
//!
//! 1. A mix *serves* the sum of its replicas' rates, up to the server's load; it serves *in full* if
//!    all but a billionth of the load is served.
//! 2. A server has at most `most` replicas. Unless the shape is mixed, all are on one accelerator.
//! 3. All replicas together take no more of any limit (cards of a type, budgets of cards or watts)
//!    than there is; a replica takes `units` accelerators, of `multiplicity` cards and `watts` each.
//! 4. Replicas on cards that come in nodes are each in one, together with others as far as its cards, and
//!    the ways to cut them, allow; one that no node holds is, where that is allowed, on as many whole nodes of
//!    a kind as hold its cards. No more nodes are used than there are.
//! 5. A server *moves* if it runs somewhere now and has a replica on another accelerator; no more
//!    servers move than may.
//!
//! **Where it is possible** to give every server a mix that serves in full, has at least `least`
//! replicas, and is on at least `types` card types, the best plan is the cheapest of those. A server
//! without load that no replica is asked for gets none, whatever else it asks for.
//!
//! A mix costs the price of its accelerators, or nothing of its own where those come in nodes with a price: a
//! plan costs the cheapest nodes that hold it beside its mixes. With *transition* its change's value counts instead:
//! what it costs less what runs now costs, and a tenth of the price of every replica off the current
//! accelerator, and, if no replica stays there, a tenth of what runs now costs (a server that needs
//! nothing gives nothing up). Without anything that runs now it is the cost.
//!
//! **Else there is shortage**: the policy's stages in turn, each as much as can be without less in
//! one before it, and in the end as cheap as can be (the cost; the change's value does not count).
//! For a priority `q`, 1 being the first:
//!
//! | stage | what is as large as can be, summed over the servers of `q` |
//! |---|---|
//! | floor(q) | replicas, each server's up to its `least` |
//! | types(q) | card types in use, each server's up to its `types`, of those that ask for more than one and need something |
//! | whole(q) | load of those served in full |
//! | capped(q) | load served of those that are capped |
//! | most(q) | load served |
//! | fair(S, k) | for servers S, not of one priority: the k smallest shares of a load served |
//!
//! A server is *capped* if `most` of its fastest replicas do not serve it in full. A fair stage looks
//! at servers with a load and an accelerator: k = 1, 2, 4, ... and last all of them.
//!
//! | policy | stages |
//! |---|---|
//! | None | for each q: floor, types, whole, capped |
//! | PriorityExhaustive | for each q: floor, types, most |
//! | PriorityRoundRobin | for each q: floor, types, fair(those of q, k) for each k |
//! | RoundRobin | for each q: floor, types; then fair(all, k) for each k |
//!
//! Where best effort is *delayed*, for each q: floor, types, whole; then for each q the policy's other
//! stages. By None a server with a load that is neither served in full nor capped has no more than
//! `least` replicas.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::case::Case;
use super::nodes::{self, Bill};

/// Replicas of each server on each profile of its model.
pub type Plan = Vec<Vec<u64>>;

/// Ways that are kept at most: beyond it the case is too large to be tried in full.
const MOST_WAYS: usize = 40_000;
/// Two sums of shares are the same if they differ by no more.
const SAME: f64 = 1e-9;

/// A mix of a server, or mixes of several servers together.
#[derive(Debug, Clone, PartialEq)]
struct Way {
    /// What it takes of every limit, and of the moves where they are limited.
    takes: Vec<u64>,
    /// What the rules see of each server.
    seen: Vec<Seen>,
    /// What is to be small, in tenths of what prices are counted in.
    value: i64,
}

/// What the rules see of a server's mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Seen {
    /// Replicas, up to the server's least.
    kept: u64,
    /// Card types in use, up to those asked for.
    types: u64,
    /// Load served, in tenths.
    served: u64,
    /// Whether it has no more replicas than its least.
    few: bool,
}

/// A case too large to be tried in full.
#[derive(Debug)]
pub struct TooLarge;

/// The value of the cheapest plan that keeps every promise, in tenths of what prices are counted in;
/// `None` if there is none.
pub fn cheapest(case: &Case) -> Result<Option<i64>, TooLarge> {
    let of_server = |s: usize| -> Vec<Way> {
        let mixes = mixes(case, s).into_iter().filter(|n| keeps_promises(case, s, n));
        mixes.map(|n| Way { seen: Vec::new(), ..way(case, s, &n, value(case, s, &n)) }).collect()
    };
    let ways = together(case, of_server)?;
    Ok(housed(case, ways).map(|way| way.value).min())
}

/// What the best plan under shortage reaches in each stage, the cost last and negative.
pub fn best_under_shortage(case: &Case) -> Result<Vec<f64>, TooLarge> {
    let of_server = |s: usize| -> Vec<Way> {
        let ways = mixes(case, s).into_iter().map(|n| way(case, s, &n, 10 * cost(case, s, &n)));
        ways.filter(|way| is_allowed(case, s, &way.seen[0])).collect()
    };
    let stages = stages(case);
    let ways = together(case, of_server)?;
    let reached = housed(case, ways).map(|way| reached(case, &stages, &way));
    Ok(reached.reduce(|a, b| if is_better(&b, &a) { b } else { a }).expect("nothing is a way"))
}

/// The value of a plan that keeps every promise.
pub fn value_of(case: &Case, plan: &Plan) -> Result<i64, String> {
    is_within(case, plan)?;
    for (s, n) in plan.iter().enumerate() {
        if !keeps_promises(case, s, n) {
            return Err(format!("server {s} is promised more than {n:?}"));
        }
    }
    let bill = bill(case, plan).unwrap_or(0) as i64;
    Ok(10 * bill + plan.iter().enumerate().map(|(s, n)| value(case, s, n)).sum::<i64>())
}

/// What a plan costs.
pub fn cost_of(case: &Case, plan: &Plan) -> i64 {
    let bill = bill(case, plan).unwrap_or(0) as i64;
    bill + plan.iter().enumerate().map(|(s, n)| cost(case, s, n)).sum::<i64>()
}

/// Price of the cheapest nodes for a plan; `None` where none hold it.
fn bill(case: &Case, plan: &Plan) -> Option<u64> {
    let mut counts = vec![0; nodes::sizes(case).len()];
    for (s, n) in plan.iter().enumerate() {
        counts.iter_mut().zip(counts_of(case, s, n)).for_each(|(sum, n)| *sum += n);
    }
    Bill::new(case).of(&counts)
}

/// Replicas of a mix in nodes, by size.
fn counts_of(case: &Case, s: usize, mix: &[u64]) -> Vec<u64> {
    let profiles = || mix.iter().zip(&case.models[case.servers[s].model]);
    let of_size = |size: &(usize, u64)| {
        let of = |p: &super::case::Profile| nodes::size(&case.accelerators[p.accelerator], p);
        profiles().filter(|(_, p)| of(p) == *size).map(|(n, _)| n).sum()
    };
    nodes::sizes(case).iter().map(of_size).collect()
}

/// The ways that nodes hold, with what those cost.
fn housed(case: &Case, ways: Vec<Way>) -> impl Iterator<Item = Way> {
    let (bill, sizes) = (Bill::new(case), nodes::sizes(case).len());
    ways.into_iter().filter_map(move |way| {
        let counts = &way.takes[way.takes.len() - sizes..];
        let price = bill.of(counts)? as i64;
        Some(Way { value: way.value + 10 * price, ..way })
    })
}

/// What a plan under shortage reaches in each stage.
pub fn reached_by(case: &Case, plan: &Plan) -> Result<Vec<f64>, String> {
    is_within(case, plan)?;
    let ways = plan.iter().enumerate().map(|(s, n)| way(case, s, n, 10 * cost(case, s, n)));
    let (mut value, mut seen) = (10 * bill(case, plan).unwrap_or(0) as i64, Vec::new());
    for (s, way) in ways.enumerate() {
        if !is_allowed(case, s, &way.seen[0]) {
            return Err(format!("server {s} is served in part: {:?}", plan[s]));
        }
        value += way.value;
        seen.extend(way.seen);
    }
    Ok(reached(case, &stages(case), &Way { takes: Vec::new(), seen, value }))
}

/// Whether the first stage in which two plans differ is larger in `a`.
pub fn is_better(a: &[f64], b: &[f64]) -> bool {
    let differs = |(x, y): &(&f64, &f64)| (*x - *y).abs() > SAME * x.abs().max(1.0);
    a.iter().zip(b).find(differs).is_some_and(|(x, y)| x > y)
}

/// Names of the stages, for reports.
pub fn stage_names(case: &Case) -> Vec<String> {
    let names = stages(case).into_iter().map(|stage| format!("{stage:?}"));
    names.chain(["Cost".to_owned()]).collect()
}

/// Rules 2 to 5.
fn is_within(case: &Case, plan: &Plan) -> Result<(), String> {
    if plan.len() != case.servers.len() {
        return Err(format!("{} servers are planned of {}", plan.len(), case.servers.len()));
    }
    let mut left = there(case);
    for (s, n) in plan.iter().enumerate() {
        let count: u64 = n.iter().sum();
        if case.servers[s].most.is_some_and(|most| count > most) {
            return Err(format!("server {s} has more replicas than it may: {n:?}"));
        }
        if !case.mixed && n.iter().filter(|n| **n > 0).count() > 1 {
            return Err(format!("server {s} is on several accelerators: {n:?}"));
        }
        for (k, taken) in takes(case, s, n).into_iter().enumerate() {
            let Some(rest) = left[k].checked_sub(taken) else {
                return Err(format!("limit {k} is overdrawn"));
            };
            left[k] = rest;
        }
    }
    if bill(case, plan).is_none() {
        return Err("no nodes hold it".to_owned());
    }
    Ok(())
}

/// Every mix of a server that keeps rules 2, 3 and 5 where it is alone. More replicas on an accelerator
/// than serve the load there, or than are asked for, or than one, are never of use: one less keeps
/// whatever they keep.
fn mixes(case: &Case, s: usize) -> Vec<Vec<u64>> {
    let server = &case.servers[s];
    let there = there(case);
    let mut all = vec![Vec::new()];
    for profile in &case.models[server.model] {
        let enough = server.load.div_ceil(10 * profile.rate).max(server.least).max(1);
        let longer = |mix: Vec<u64>| (0..=enough).map(move |n| [mix.as_slice(), &[n]].concat());
        all = all.into_iter().flat_map(longer).collect();
        all.retain(|mix| {
            let fits = takes(case, s, mix).iter().zip(&there).all(|(taken, there)| taken <= there);
            let one = case.mixed || mix.iter().filter(|n| **n > 0).count() <= 1;
            fits && one && server.most.is_none_or(|most| mix.iter().sum::<u64>() <= most)
        });
    }
    all
}

/// Every way to give each server one of its own within the limits. Of ways that take the same of
/// every limit, and in which the rules see the same, only the cheapest is kept.
fn together(case: &Case, of_server: impl Fn(usize) -> Vec<Way>) -> Result<Vec<Way>, TooLarge> {
    let there = there(case);
    let mut all = vec![Way { takes: vec![0; there.len()], seen: Vec::new(), value: 0 }];
    for s in 0..case.servers.len() {
        let own = cheapest_of_equals(of_server(s).into_iter())?;
        let joined = all.iter().flat_map(|before| own.iter().map(|way| join(before, way)));
        let fits = |way: &Way| way.takes.iter().zip(&there).all(|(taken, there)| taken <= there);
        all = cheapest_of_equals(joined.filter(fits))?;
    }
    Ok(all)
}

fn join(before: &Way, way: &Way) -> Way {
    Way {
        takes: before.takes.iter().zip(&way.takes).map(|(a, b)| a + b).collect(),
        seen: [before.seen.as_slice(), &way.seen].concat(),
        value: before.value + way.value,
    }
}

fn cheapest_of_equals(ways: impl Iterator<Item = Way>) -> Result<Vec<Way>, TooLarge> {
    let mut kept: HashMap<(Vec<u64>, Vec<Seen>), i64> = HashMap::new();
    for way in ways {
        match kept.entry((way.takes, way.seen)) {
            Entry::Occupied(mut known) => *known.get_mut() = way.value.min(*known.get()),
            Entry::Vacant(free) => drop(free.insert(way.value)),
        }
        if kept.len() > MOST_WAYS {
            return Err(TooLarge);
        }
    }
    Ok(kept.into_iter().map(|((takes, seen), value)| Way { takes, seen, value }).collect())
}

/// What there is of every limit, of the moves where they are limited, and of replicas in nodes, by size.
fn there(case: &Case) -> Vec<u64> {
    let in_nodes = nodes::sizes(case).into_iter().map(|_| u64::MAX);
    case.limits().iter().map(|limit| limit.there).chain(case.max_moves).chain(in_nodes).collect()
}

/// What a mix of server `s` takes of every limit, and of the moves where they are limited. The mix
/// may name the first profiles alone.
fn takes(case: &Case, s: usize, mix: &[u64]) -> Vec<u64> {
    let server = &case.servers[s];
    let used = || mix.iter().zip(&case.models[server.model]).filter(|(n, _)| **n > 0);
    let of_limit = |limit: &super::case::Counted| -> u64 {
        used().map(|(n, p)| n * p.units * limit.of(&case.accelerators[p.accelerator])).sum()
    };
    let moves = server.now.is_some_and(|(now, _)| used().any(|(_, p)| p.accelerator != now));
    let moved = case.max_moves.map(|_| u64::from(moves));
    let in_nodes = counts_of(case, s, mix);
    case.limits().iter().map(of_limit).chain(moved).chain(in_nodes).collect()
}

fn way(case: &Case, s: usize, mix: &[u64], value: i64) -> Way {
    let server = &case.servers[s];
    let count: u64 = mix.iter().sum();
    let seen = Seen {
        kept: count.min(server.least),
        types: if server.types > 1 { types(case, s, mix).min(server.types) } else { 0 },
        served: served(case, s, mix),
        few: count <= server.least,
    };
    Way { takes: takes(case, s, mix), seen: vec![seen], value }
}

/// Load that a mix serves, in tenths: the whole load if all but a billionth of it.
fn served(case: &Case, s: usize, mix: &[u64]) -> u64 {
    let server = &case.servers[s];
    let profiles = &case.models[server.model];
    let served: u64 = mix.iter().zip(profiles).map(|(n, p)| 10 * n * p.rate).sum();
    let missing = server.load.saturating_sub(served);
    if missing.saturating_mul(1_000_000_000) <= server.load { server.load } else { served }
}

/// Card types that a mix is on.
fn types(case: &Case, s: usize, mix: &[u64]) -> u64 {
    let profiles = mix.iter().zip(&case.models[case.servers[s].model]);
    let used = profiles.filter(|(n, _)| **n > 0);
    let mut types: Vec<usize> =
        used.map(|(_, p)| case.accelerators[p.accelerator].card_type).collect();
    types.sort_unstable();
    types.dedup();
    types.len() as u64
}

fn needs_nothing(case: &Case, s: usize) -> bool {
    case.servers[s].load == 0 && case.servers[s].least == 0
}

/// Whether a mix is all that the server is promised.
fn keeps_promises(case: &Case, s: usize, mix: &[u64]) -> bool {
    let (server, count) = (&case.servers[s], mix.iter().sum::<u64>());
    if needs_nothing(case, s) {
        return count == 0;
    }
    let spread = server.types <= 1 || types(case, s, mix) >= server.types;
    served(case, s, mix) == server.load && count >= server.least && spread
}

/// Price of a mix.
fn cost(case: &Case, s: usize, mix: &[u64]) -> i64 {
    mix.iter().enumerate().map(|(j, n)| price(case, s, j, *n)).sum()
}

/// Price of `n` replicas on profile `j`.
fn price(case: &Case, s: usize, j: usize, n: u64) -> i64 {
    let profile = &case.models[case.servers[s].model][j];
    let unit = &case.accelerators[profile.accelerator];
    let price = if nodes::is_paid(case, unit.card_type) { 0 } else { unit.price };
    (n * profile.units * price) as i64
}

/// What a mix is charged, in tenths.
fn value(case: &Case, s: usize, mix: &[u64]) -> i64 {
    let server = &case.servers[s];
    let Some((now, old)) = server.now.filter(|_| case.transition) else {
        return 10 * cost(case, s, mix);
    };
    let profiles = case.models[server.model].iter().enumerate();
    let elsewhere = profiles.filter(|(_, p)| p.accelerator != now).map(|(j, _)| j);
    let moved: i64 = elsewhere.map(|j| price(case, s, j, mix[j])).sum();
    let profiles = case.models[server.model].iter().zip(mix);
    let stays =
        needs_nothing(case, s) || profiles.into_iter().any(|(p, n)| p.accelerator == now && *n > 0);
    let given_up = if stays { 0 } else { old as i64 };
    10 * (cost(case, s, mix) - old as i64) + moved + given_up
}

/// A stage; the cost comes after all of them.
#[derive(Debug, Clone)]
enum Stage {
    Floor(u32),
    Types(u32),
    Whole(u32),
    Capped(u32),
    Most(u32),
    Fair(Vec<usize>, usize),
}

/// The stages of the case's policy, in turn.
fn stages(case: &Case) -> Vec<Stage> {
    let mut priorities: Vec<u32> = case.servers.iter().map(|s| s.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let (policy, delayed) = case.policy;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for &q in &priorities {
        first.extend([Stage::Floor(q), Stage::Types(q)]);
        if delayed || policy == 0 {
            first.push(Stage::Whole(q));
        }
        let own = match policy {
            0 => vec![Stage::Capped(q)],
            1 => vec![Stage::Most(q)],
            2 => fair(case, |of| of == q),
            _ => Vec::new(),
        };
        if delayed && policy != 0 { last.extend(own) } else { first.extend(own) }
    }
    if policy == 3 {
        last = fair(case, |_| true);
    }
    first.extend(last);
    first
}

/// fair(S, k) over the servers of some priorities, for each k.
fn fair(case: &Case, of: impl Fn(u32) -> bool) -> Vec<Stage> {
    let badly_off = |&s: &usize| {
        let server = &case.servers[s];
        of(server.priority) && server.load > 0 && !case.models[server.model].is_empty()
    };
    let servers: Vec<usize> = (0..case.servers.len()).filter(badly_off).collect();
    let all = servers.len();
    let mut counts: Vec<usize> = [1, 2, 4].into_iter().filter(|k| *k < all).collect();
    counts.extend((all > 0).then_some(all));
    counts.into_iter().map(|k| Stage::Fair(servers.clone(), k)).collect()
}

/// Whether as many replicas as the server may have do not serve it in full, be they the fastest.
fn is_capped(case: &Case, s: usize) -> bool {
    let server = &case.servers[s];
    let fastest = case.models[server.model].iter().map(|p| p.rate).max();
    let alone = |most: u64| fastest.is_some_and(|rate| 10 * most * rate < server.load);
    server.load > 0 && server.most.is_some_and(alone)
}

/// By None, in full or not at all.
fn is_allowed(case: &Case, s: usize, seen: &Seen) -> bool {
    let load = case.servers[s].load;
    case.policy.0 != 0 || load == 0 || seen.few || seen.served == load || is_capped(case, s)
}

/// What a way reaches in each stage, the cost last and negative.
fn reached(case: &Case, stages: &[Stage], way: &Way) -> Vec<f64> {
    let of = |stage: &Stage| -> f64 {
        let sum = |q: u32, part: &dyn Fn(usize) -> u64| -> f64 {
            let servers = (0..case.servers.len()).filter(|s| case.servers[*s].priority == q);
            servers.map(part).sum::<u64>() as f64
        };
        match stage {
            Stage::Floor(q) => sum(*q, &|s| way.seen[s].kept),
            Stage::Types(q) => sum(*q, &|s| {
                let asks = case.servers[s].types > 1 && !needs_nothing(case, s);
                if asks { way.seen[s].types } else { 0 }
            }),
            Stage::Whole(q) => sum(*q, &|s| {
                let (served, load) = (way.seen[s].served, case.servers[s].load);
                if served == load { load } else { 0 }
            }),
            Stage::Capped(q) => {
                sum(*q, &|s| if is_capped(case, s) { way.seen[s].served } else { 0 })
            }
            Stage::Most(q) => sum(*q, &|s| way.seen[s].served),
            Stage::Fair(servers, k) => {
                let share = |s: &usize| way.seen[*s].served as f64 / case.servers[*s].load as f64;
                let mut shares: Vec<f64> = servers.iter().map(share).collect();
                shares.sort_by(f64::total_cmp);
                shares[..*k].iter().sum()
            }
        }
    };
    stages.iter().map(of).chain([-way.value as f64]).collect()
}
