//! Replicas on cards that come in nodes: each has its node, and none is over full; counted card by card.

use rustc_hash::FxHashMap;

use super::site::Site;
use super::{CheckOptions, Found, Rule};
use crate::nodes::{Filled, Held};
use crate::plan::Plan;
use crate::scenario::{NodeType, Scenario};

pub(super) fn check(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    placed(scenario, plan, found);
    let mut used = vec![0_u64; scenario.nodes.len()];
    for filled in &plan.nodes {
        let Some(node) = scenario.nodes.get(filled.node) else {
            found.unless(false, Rule::Node, "plan", || "a node of no kind that exists".to_owned());
            continue;
        };
        used[filled.node] += filled.times * filled.span;
        let why = match filled.span {
            1 => over_full(scenario, node, filled),
            _ => spans(scenario, node, filled),
        };
        found.unless(why.is_none(), Rule::Node, &node.name, || why.unwrap_or_default());
    }
    for (node, used) in scenario.nodes.iter().zip(used) {
        let there = node.count.map(|count| count.saturating_sub(node.spare));
        let within = options.unlimited || there.is_none_or(|most| used <= most);
        found.unless(within, Rule::Node, &node.name, || {
            format!("{used} are in use, {} may be", there.unwrap_or(0))
        });
    }
}

/// Every replica on cards that come in nodes is in one.
fn placed(scenario: &Scenario, plan: &Plan, found: &mut Found) {
    let mut open: FxHashMap<(usize, usize), i128> = FxHashMap::default();
    for (s, placement) in plan.placements.iter().enumerate() {
        for part in &placement.parts {
            let Some(accelerator) = scenario.accelerators.get(part.accelerator) else { continue };
            let with = |node: &NodeType| node.cards.iter().any(|c| c.0 == accelerator.card_type);
            if scenario.nodes.iter().any(with) {
                *open.entry((s, part.accelerator)).or_default() += i128::from(part.replicas);
            }
        }
    }
    for filled in &plan.nodes {
        for held in &filled.holds {
            let n = i128::from(held.replicas) * i128::from(filled.times);
            *open.entry((held.server, held.accelerator)).or_default() -= n;
        }
    }
    for ((server, accelerator), left) in open {
        let name = scenario.servers.get(server).map_or("plan", |server| &server.name);
        found.unless(left == 0, Rule::Node, name, || {
            let on = scenario.accelerators.get(accelerator).map_or("nothing", |a| &a.name);
            format!("{left} of its replicas on {on} have no node")
        });
    }
}

/// Cards of each replica in a node, by card type, derived anew; `None` for what is no replica.
fn cards(scenario: &Scenario, filled: &Filled) -> Option<Vec<(usize, u64, bool)>> {
    let mut cards = Vec::new();
    for held in &filled.holds {
        let server = scenario.servers.get(held.server)?;
        let runs = |p: &&crate::scenario::Profile| {
            p.model == server.model && p.accelerator == held.accelerator
        };
        let profile = scenario.profiles.iter().find(runs)?;
        let accelerator = &scenario.accelerators[held.accelerator];
        let each = u64::from(profile.units_per_replica) * u64::from(accelerator.multiplicity);
        if each != held.cards || held.replicas > 1 << 20 {
            return None;
        }
        for _ in 0..held.replicas {
            cards.push((accelerator.card_type, each, profile.multi_node));
        }
    }
    Some(cards)
}

/// Why one node does not hold what it is to hold.
fn over_full(scenario: &Scenario, node: &NodeType, filled: &Filled) -> Option<String> {
    let Some(replicas) = cards(scenario, filled) else {
        return Some("holds what is no replica".to_owned());
    };
    let mut left: Vec<(usize, i128)> =
        node.cards.iter().map(|&(t, cards)| (t, i128::from(cards))).collect();
    for &(card_type, cards, _) in &replicas {
        let place = left.iter_mut().find(|place| place.0 == card_type);
        let Some(place) = place else {
            return Some(format!("has no {}", scenario.card_types[card_type].name));
        };
        place.1 -= i128::from(cards);
        if place.1 < 0 {
            let name = &scenario.card_types[card_type].name;
            return Some(format!("lacks {} {name} for its replicas", -place.1));
        }
    }
    let cut = |geometry: &Vec<u32>| {
        let mut free: Vec<u64> = geometry.iter().map(|&size| u64::from(size)).collect();
        replicas.iter().all(|replica| {
            let at = free.iter().position(|&size| size == replica.1);
            at.is_some_and(|at| {
                free.swap_remove(at);
                true
            })
        })
    };
    let is_cut = node.geometries.is_empty() || node.geometries.iter().any(cut);
    (!is_cut).then(|| "cannot be cut for its replicas".to_owned())
}

/// Whether a node in use, or one that is not, has room for a replica more of a server on an accelerator.
pub(super) fn has_room(
    site: &Site<'_>,
    filled: &[Filled],
    unlimited: bool,
    accelerator: usize,
) -> bool {
    let (scenario, Some(profile)) = (site.scenario, site.profile_on(accelerator)) else {
        return false;
    };
    let Some(server) = scenario.servers.iter().position(|s| s.name == site.server.name) else {
        return false;
    };
    let unit = u64::from(scenario.accelerators[accelerator].multiplicity);
    let cards = u64::from(profile.units_per_replica) * unit;
    let one = Held { server, accelerator, replicas: 1, cards };
    let with = |filled: &Filled| {
        let mut with = filled.clone();
        with.holds.push(one);
        filled.span == 1 && over_full(scenario, &scenario.nodes[filled.node], &with).is_none()
    };
    let used = |node: usize| {
        filled.iter().filter(|f| f.node == node).map(|f| f.times * f.span).sum::<u64>()
    };
    let empty = |node: usize| {
        let kind = &scenario.nodes[node];
        let there = kind.count.map(|count| count.saturating_sub(kind.spare));
        let more = unlimited || there.is_none_or(|most| used(node) < most);
        more && with(&Filled { node, times: 1, span: 1, holds: Vec::new() })
    };
    filled.iter().any(with) || (0..scenario.nodes.len()).any(empty)
}

/// Why a replica may not span so many nodes.
fn spans(scenario: &Scenario, node: &NodeType, filled: &Filled) -> Option<String> {
    let replicas = cards(scenario, filled)?;
    let [(card_type, cards, may)] = replicas[..] else {
        return Some("several nodes hold one replica together, or none".to_owned());
    };
    let there = node.cards.iter().find(|c| c.0 == card_type).map_or(0, |c| u64::from(c.1));
    if !may || !node.geometries.is_empty() {
        return Some("a replica may not span nodes".to_owned());
    }
    (there * filled.span < cards)
        .then(|| format!("{} nodes hold fewer than {cards} cards", filled.span))
}

/// By (server, accelerator), cents/h.
pub(super) type Shares = FxHashMap<(usize, usize), f64>;

/// What the replicas of a server on an accelerator bear of the nodes' prices.
pub(super) fn shares(scenario: &Scenario, plan: &Plan) -> Shares {
    let mut shares = Shares::default();
    for filled in &plan.nodes {
        let price = scenario.nodes.get(filled.node).and_then(|node| node.price_cents_per_h);
        let all: f64 = filled.holds.iter().map(|h| (h.cards * h.replicas) as f64).sum();
        let bill = price.unwrap_or(0.0) * (filled.times * filled.span) as f64;
        for held in &filled.holds {
            let part = (held.cards * held.replicas) as f64 / all.max(1.0);
            *shares.entry((held.server, held.accelerator)).or_default() += bill * part;
        }
    }
    shares
}
