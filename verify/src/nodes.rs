//! Nodes, as a proof counts them: faces as limits, and a server for what is bought of each kind.
//!
//! ```text
//! face      sum_u w_u a_u <= sum_t y_t f_t(w),  f_t(w) the most that replicas in a node weigh: true of every
//!           plan that fits y nodes, whatever the weights
//! bought    y_t of N_t nodes; each of the others takes f_t(w) of every face
//! ```
//!
//! A proof states a face by the name of its limit, `CARD nodes SIZE:WEIGHT,...`, or `CARD nodes whole` for nodes
//! as a whole. What it takes is worked out here anew. A plan's nodes are looked at one by one.

use std::borrow::Cow;

use isocost_model::compare::SavedPlan;
use rustc_hash::FxHashMap;

use crate::Refusal;
use crate::instance::{Instance, Item, Server};
use crate::text::Proof;

/// A kind of node.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// (index of card type, cards in a node).
    pub cards: Vec<(usize, u64)>,
    /// Cents/h, where it is paid as a whole.
    pub price: Option<f64>,
    /// Limits on money, by index, that the price counts for.
    pub spends: Vec<usize>,
    /// Nodes that there are; `None` without a limit.
    pub there: Option<u64>,
    /// Ways in which its cards are cut; any that add up where there are none.
    pub cuts: Vec<Vec<u64>>,
}

/// Whole weights by size; none count whole nodes.
type Weights = Vec<(u64, u64)>;

/// More nodes than anybody buys.
const MANY: u64 = 1_000_000_000;
/// Cards of a node that are counted one by one, at most.
const CARDS: u64 = 1 << 20;

impl Kind {
    fn cards_of(&self, card_type: usize) -> u64 {
        self.cards.iter().find(|c| c.0 == card_type).map_or(0, |c| c.1)
    }

    /// Whether one node holds replicas of these sizes together.
    fn holds(&self, card_type: usize, sizes: &[u64]) -> bool {
        let cut = |cut: &Vec<u64>| {
            let mut free = cut.clone();
            sizes.iter().all(|size| {
                let at = free.iter().position(|part| part == size);
                at.map(|at| free.swap_remove(at)).is_some()
            })
        };
        let sum = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
        sum <= self.cards_of(card_type) && (self.cuts.is_empty() || self.cuts.iter().any(cut))
    }

    /// `f_t(w)`.
    fn most(&self, card_type: usize, weights: &Weights) -> u64 {
        if weights.is_empty() {
            return 1;
        }
        let of = |size: u64| weights.iter().find(|w| w.0 == size).map_or(0, |w| w.1);
        if !self.cuts.is_empty() {
            return self.cuts.iter().map(|cut| cut.iter().map(|&g| of(g)).sum()).max().unwrap_or(0);
        }
        let cards = self.cards_of(card_type).min(CARDS) as usize;
        let mut best = vec![0_u64; cards + 1];
        for room in 1..=cards {
            best[room] = best[room - 1];
            for &(size, weight) in weights.iter().filter(|w| w.0 as usize <= room) {
                best[room] = best[room].max(best[room - size as usize] + weight);
            }
        }
        best[cards]
    }
}

impl Instance {
    /// With the faces that `proof` names, and what is bought.
    pub(crate) fn with_nodes(&self, proof: &Proof) -> Result<Cow<'_, Self>, Refusal> {
        if self.kinds.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        let mut with = self.clone();
        let moves = self.asked.max_moves.and_then(|_| with.limits.pop());
        let there: Vec<u64> = self.kinds.iter().map(|kind| self.there(kind)).collect();
        let mut left: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.kinds.len()];
        for (name, _) in &proof.limits {
            if self.limits.iter().any(|limit| limit.0 == *name) {
                continue;
            }
            let Some((card_type, weights)) = self.face(name) else { continue };
            let k = with.limits.len();
            let each: Vec<u64> =
                self.kinds.iter().map(|kind| self.takes(kind, card_type, &weights)).collect();
            let all = each.iter().zip(&there).map(|(takes, there)| takes.saturating_mul(*there));
            with.limits.push((name.clone(), all.fold(0, u64::saturating_add) as f64));
            for (left, takes) in left.iter_mut().zip(&each).filter(|taken| *taken.1 > 0) {
                left.push((k, *takes as f64));
            }
            for item in with.servers.iter_mut().flat_map(|server| &mut server.items) {
                let weight = self.weight(item, card_type, &weights);
                item.uses.extend((weight > 0).then_some((k, weight as f64)));
            }
        }
        for ((kind, there), left) in self.kinds.iter().zip(there).zip(left) {
            let Some(price) = kind.price else { continue };
            let bundles = bundles(there, self.asked.single).into_iter().enumerate();
            with.servers.extend(bundles.map(|(i, bundle)| {
                let times = if self.asked.single { bundle } else { 1 };
                let name = format!("nodes {} {i}", kind.name);
                purchase(name, bundle / times, price * times as f64, (times, &left), &kind.spends)
            }));
        }
        with.limits.extend(moves);
        Ok(Cow::Owned(with))
    }

    /// Nodes of a kind, or as many as are of any use: one for each card of each replica that may be.
    fn there(&self, kind: &Kind) -> u64 {
        if let Some(there) = kind.there {
            return there.min(MANY);
        }
        let useful = |server: &Server| {
            let items = server.items.iter().filter(|item| kind.cards_of(item.card_type) > 0);
            let most = |item: &Item| {
                let cover = match server.demand > 0.0 {
                    true => (server.demand * (1.0 - 1e-9) / item.rate).ceil().max(1.0) as u64,
                    false => 0,
                };
                let alone = cover.max(server.min_replicas).max(1);
                let most = server.max_replicas.map_or(alone, |most| alone.min(most));
                most.saturating_add(2).saturating_mul(item.cards)
            };
            items.map(most).fold(0, u64::saturating_add)
        };
        self.servers.iter().map(useful).fold(0, u64::saturating_add).min(MANY)
    }

    /// Card type and weights of a face, by its name.
    fn face(&self, name: &str) -> Option<(usize, Weights)> {
        let (card, words) = name.rsplit_once(" nodes ")?;
        let card_type = self.card_types.iter().position(|name| name == card)?;
        if words == "whole" {
            return Some((card_type, Vec::new()));
        }
        let weight = |word: &str| {
            let (size, weight) = word.split_once(':')?;
            let weight: (u64, u64) = (size.parse().ok()?, weight.parse().ok()?);
            (weight.0 > 0 && weight.1 > 0 && weight.1 < 1 << 20).then_some(weight)
        };
        let weights: Weights = words.split(',').map(weight).collect::<Option<_>>()?;
        let twice = |w: &(u64, u64)| weights.iter().filter(|v| v.0 == w.0).count() > 1;
        (!weights.iter().any(twice)).then_some((card_type, weights))
    }

    fn takes(&self, kind: &Kind, card_type: usize, weights: &Weights) -> u64 {
        if kind.cards_of(card_type) > 0 { kind.most(card_type, weights) } else { 0 }
    }

    /// What a replica takes of a face on a card type: its weight, or all that the nodes hold that it spans.
    fn weight(&self, item: &Item, card_type: usize, weights: &Weights) -> u64 {
        let kinds = || self.kinds.iter().filter(|kind| kind.cards_of(item.card_type) > 0);
        if kinds().any(|kind| kind.holds(item.card_type, &[item.cards])) {
            let own = item.card_type == card_type;
            return weights.iter().find(|w| own && w.0 == item.cards).map_or(0, |w| w.1);
        }
        let spanned = kinds().filter(|kind| kind.cuts.is_empty()).map(|kind| {
            let nodes = item.cards.div_ceil(kind.cards_of(item.card_type));
            nodes * self.takes(kind, card_type, weights)
        });
        spanned.min().unwrap_or(0)
    }

    /// What `plan` buys, by the names of the servers that stand for it: replicas bought and left.
    pub(crate) fn purchases(
        &self,
        plan: &SavedPlan,
    ) -> Result<FxHashMap<String, Vec<(usize, u64)>>, Refusal> {
        let mut bought = FxHashMap::default();
        for kind in &self.kinds {
            let filled = plan.nodes.iter().filter(|filled| filled.node == kind.name);
            let mut used: u64 = filled.map(|f| f.times.saturating_mul(f.span)).sum();
            let there = self.there(kind);
            if used > there {
                let text = format!("it uses {used} of {there} nodes `{}`", kind.name);
                return Err(Refusal::Plan(text));
            }
            let mut bundles: Vec<(usize, u64)> =
                bundles(there, self.asked.single).into_iter().enumerate().collect();
            bundles.sort_by_key(|bundle| std::cmp::Reverse(bundle.1));
            for (i, bundle) in bundles {
                let name = format!("nodes {} {i}", kind.name);
                let mix = if !self.asked.single {
                    vec![(0, used), (1, there - used)]
                } else if bundle <= used {
                    used -= bundle;
                    vec![(0, 1)]
                } else {
                    vec![(1, 1)]
                };
                bought.insert(name, mix.into_iter().filter(|share| share.1 > 0).collect());
            }
        }
        Ok(bought)
    }

    /// Every replica of `plan` on cards that come in nodes is in one, and none is over full.
    pub(crate) fn is_placed(&self, plan: &SavedPlan) -> Result<(), Refusal> {
        let refuse = |text: String| Err(Refusal::Plan(text));
        let mut open: FxHashMap<(&str, &str), i128> = FxHashMap::default();
        for server in &plan.servers {
            for part in &server.parts {
                *open.entry((&server.name, &part.accelerator)).or_default() +=
                    i128::from(part.replicas);
            }
        }
        for filled in &plan.nodes {
            let Some(kind) = self.kinds.iter().find(|kind| kind.name == filled.node) else {
                return refuse(format!("there is no node `{}`", filled.node));
            };
            let mut by_type: FxHashMap<usize, Vec<u64>> = FxHashMap::default();
            for held in &filled.holds {
                let n = i128::from(held.replicas) * i128::from(filled.times);
                *open.entry((&held.server, &held.accelerator)).or_default() -= n;
                let Some(item) = self.item(&held.server, &held.accelerator) else {
                    return refuse(format!(
                        "`{}` cannot serve `{}`",
                        held.accelerator, held.server
                    ));
                };
                if held.replicas > CARDS {
                    return refuse(format!("{} replicas in a node", held.replicas));
                }
                let sizes = by_type.entry(item.card_type).or_default();
                sizes.extend(std::iter::repeat_n(item.cards, held.replicas as usize));
            }
            let fits = match filled.span {
                1 => by_type.iter().all(|(&t, sizes)| kind.holds(t, sizes)),
                span => {
                    by_type.len() == 1
                        && by_type.iter().all(|(&t, sizes)| {
                            sizes.len() == 1
                                && kind.cuts.is_empty()
                                && kind.cards_of(t).saturating_mul(span) >= sizes[0]
                        })
                }
            };
            if !fits {
                return refuse(format!("a node `{}` does not hold what it is to hold", kind.name));
            }
        }
        for ((server, accelerator), left) in open {
            let in_nodes = self.item(server, accelerator).is_some_and(|item| {
                self.kinds.iter().any(|kind| kind.cards_of(item.card_type) > 0)
            });
            if in_nodes && left != 0 {
                return refuse(format!(
                    "{left} replicas of `{server}` on `{accelerator}` have no node"
                ));
            }
        }
        Ok(())
    }

    fn item(&self, server: &str, accelerator: &str) -> Option<&Item> {
        let server = self.servers.iter().find(|s| s.name == server)?;
        server.items.iter().find(|item| item.name == accelerator)
    }
}

/// Nodes that are decided upon together: all of them, each for itself, or bundles of powers of two.
fn bundles(there: u64, single: bool) -> Vec<u64> {
    if !single {
        return if there > 0 { vec![there] } else { Vec::new() };
    }
    let (mut bundles, mut rest, mut next) = (Vec::new(), there, 1_u64);
    while rest > 0 {
        bundles.push(next.min(rest));
        rest -= next.min(rest);
        next *= 2;
    }
    bundles
}

/// So many replicas, each bought for `price`, or left, as `times` nodes together.
fn purchase(
    name: String,
    replicas: u64,
    price: f64,
    (times, left): (u64, &[(usize, f64)]),
    spends: &[usize],
) -> Server {
    let item = |name: &str, cost: f64, uses: Vec<(usize, f64)>| Item {
        name: name.to_owned(),
        rate: f64::INFINITY,
        cost,
        uses,
        cards: 0,
        card_type: usize::MAX,
    };
    let spent = spends.iter().map(|&k| (k, price)).filter(|u| u.1 > 0.0).collect();
    let uses = left.iter().map(|&(k, takes)| (k, takes * times as f64)).collect();
    Server {
        name,
        demand: 0.0,
        min_replicas: replicas,
        max_replicas: Some(replicas),
        min_types: 0,
        current: None,
        items: vec![item("bought", price, spent), item("left", 0.0, uses)],
    }
}
