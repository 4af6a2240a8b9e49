//! **nodes**: what machines hold, as limits on replicas and as purchases.
//!
//! ```text
//! sets        t in T   kinds of node with b_t cards of a type, of which there are N_t
//!             u in U   sizes of replicas on them, in cards
//!             P_t      fills: replicas p_u by size that one node holds together
//! data        a_u      replicas of size u in a plan,  y_t  nodes that it has
//!             f_t(w)   max over p in P_t of sum_u w_u p_u, for whole weights w >= 0
//!
//! a fits y    a <= sum of fills, at most y_t of them in P_t
//! a face      sum_u w_u a_u <= sum_t y_t f_t(w)               for every w: each is a limit
//! purchases   y_t = N_t - (nodes left in the shop), and a node that is left takes f_t(w) of every face
//! ```
//!
//! A limit is all that the other formulations know of couplings, so that with the faces as limits nodes ask
//! nothing new of them. A node that is bought or left is a server of its own, with two items: bought, which
//! costs the node's price, and left, which is free and takes what the node would have held; its floor and
//! ceiling are `N_t` replicas.
//!
//! Faces of small weights (`faces`) are stated at once. The plan that is found is [placed](place()); where
//! it does not fit, the dual of the placement's relaxation is the weights of a face that it breaks, and where
//! it would fit in fractions of nodes alone, one of its sizes has to have a replica fewer, or some kind a
//! node more: it is branched on that. Where all sizes divide each other and the node, there is no face but
//! the number of cards, and nodes cost nothing.
//!
//! Sources: Gilmore and Gomory (1961); dual feasible functions (Fekete and Schepers 2001).

mod bin;
mod faces;
mod fill;
mod place;
mod search;

pub use self::bin::{Bin, Pool, Weights};
pub use self::place::{Misfit, place};
pub use self::search::{Search, first_placed, placed, refill};

use isocost_model::Scenario;
use isocost_model::nodes::{Filled, NodeType};
use isocost_model::plan::{Choice, Shape};
use isocost_model::scenario::{Budget, Unit};

use crate::problem::{Item, Limit, Needs, Problem};
use crate::server_rows::most_used;

/// Nodes of a kind that are paid as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// Index into the scenario's nodes.
    pub node: usize,
    /// Cents/h of one.
    pub price: f64,
    /// `N_t`, or as many as are of any use.
    pub most: u64,
    /// (index of limit, what a node that is left takes of it).
    pub takes: Vec<(usize, f64)>,
    /// Limits on money, by index, that its price counts for.
    pub spends: Vec<usize>,
}

/// More nodes of a kind than anybody buys.
const MANY: u64 = 1_000_000_000;

/// Adds to `problem`, made from `scenario`, the pools of its nodes, their faces and what is sold.
pub(crate) fn state(scenario: &Scenario, unlimited: bool, problem: &mut Problem) {
    let there = |node: &NodeType| {
        let useful = node.cards.iter().map(|c| useful(problem, c.0)).fold(0, u64::saturating_add);
        node.available().filter(|_| !unlimited).unwrap_or(useful).min(MANY)
    };
    let there: Vec<u64> = scenario.nodes.iter().map(there).collect();
    for card_type in 0..scenario.card_types.len() {
        if scenario.nodes_of(card_type).next().is_some() {
            problem.pools.push(Pool::new(scenario, problem, card_type, |t| there[t]));
        }
    }
    for (node, of) in scenario.nodes.iter().enumerate() {
        let spends = money(scenario, unlimited, problem, of);
        let sold = |price| Sold { node, price, most: there[node], takes: Vec::new(), spends };
        problem.sold.extend(of.price_cents_per_h.map(sold));
    }
    for pool in 0..problem.pools.len() {
        for weights in faces::of(&problem.pools[pool]) {
            problem.add_face(pool, &weights);
        }
    }
}

/// Limits on money that count cards of a node.
fn money(scenario: &Scenario, unlimited: bool, problem: &Problem, node: &NodeType) -> Vec<usize> {
    let counts = |budget: &&Budget| node.cards.iter().any(|c| budget.counts(c.0));
    let of_budget = |budget: &Budget| {
        let units = budget.limits(unlimited).filter(|limit| limit.0 == Unit::Cents);
        let name = |unit: Unit| format!("{} ({})", budget.name, unit.word());
        units.map(|limit| name(limit.0)).collect::<Vec<_>>()
    };
    let names: Vec<String> = scenario.budgets.iter().filter(counts).flat_map(of_budget).collect();
    let is_one = |k: &usize| names.contains(&problem.limits[*k].name);
    (0..problem.limits.len()).filter(is_one).collect()
}

/// Replicas on cards of a type, or nodes that one spans, that are of any use.
fn useful(problem: &Problem, card_type: usize) -> u64 {
    let of_server = |(s, needs): (usize, &Needs)| {
        let items = problem.items(s).iter().filter(|item| item.card_type == card_type);
        // A replica spans no more nodes than it has cards; one more a type is spread over it.
        let most = |item: &Item| needs.most(item).saturating_add(2).saturating_mul(item.cards);
        items.map(most).fold(0, u64::saturating_add)
    };
    problem.servers.iter().enumerate().map(of_server).fold(0, u64::saturating_add)
}

impl Problem {
    /// Adds the face of `weights` on the replicas in a pool as a limit, unless no plan can break it;
    /// whether it was added.
    pub fn add_face(&mut self, pool: usize, weights: &Weights) -> bool {
        let of = &self.pools[pool];
        let name = of.face_name(weights);
        let capacity: u64 =
            of.bins.iter().map(|bin| bin.there.saturating_mul(bin.most(weights))).sum();
        if self.limits.iter().any(|limit| limit.name == name) || of.is_counted(weights, self) {
            return false;
        }
        let k = self.limits.len();
        let (card_type, bins) = (of.card_type, of.bins.clone());
        let weight = |item: &Item| match item.card_type == card_type {
            true => of.weight(weights, item.cards),
            // What spans whole nodes takes their other cards as well.
            false => self.pools.iter().map(|pool| pool.spans_into(of, weights, item)).sum(),
        };
        let weights_of: Vec<u64> = self.groups.iter().flatten().map(weight).collect();
        self.limits.push(Limit { name, capacity: capacity as f64 });
        for (item, weight) in self.groups.iter_mut().flatten().zip(weights_of) {
            item.uses.extend((weight > 0).then_some((k, weight as f64)));
        }
        let is_sold = bins.iter().any(|bin| self.sold.iter().any(|sold| sold.node == bin.node));
        if !is_sold && most_used(self, k) <= capacity as f64 {
            self.drop_last_limit();
            return false;
        }
        for sold in &mut self.sold {
            let bin = bins.iter().find(|bin| bin.node == sold.node);
            let taken = bin.map(|bin| bin.most(weights)).filter(|taken| *taken > 0);
            sold.takes.extend(taken.map(|taken| (k, taken as f64)));
        }
        true
    }

    /// Adds a limit on what `takes` says of items, and of each kind of node that is left.
    pub(crate) fn add_limit(
        &mut self,
        limit: Limit,
        takes: impl Fn(&Item) -> f64,
        left: impl Fn(&Sold) -> f64,
    ) {
        let k = self.limits.len();
        self.limits.push(limit);
        for item in self.groups.iter_mut().flatten() {
            let taken = takes(item);
            item.uses.extend((taken > 0.0).then_some((k, taken)));
        }
        for sold in &mut self.sold {
            let taken = left(sold);
            sold.takes.extend((taken > 0.0).then_some((k, taken)));
        }
    }

    fn drop_last_limit(&mut self) {
        self.limits.pop();
        let k = self.limits.len();
        self.groups.iter_mut().flatten().for_each(|item| item.uses.retain(|u| u.0 != k));
    }

    /// The problem with a server for what is sold, each of the nodes of a kind bought or left; for plans on one
    /// item a server, one for each power of two of them.
    pub fn with_purchases(&self, shape: Shape) -> Self {
        let mut with = self.clone();
        for sold in &self.sold {
            for bundle in bundles(sold.most, shape) {
                let times = if shape == Shape::Mixed { 1 } else { bundle };
                with.groups.push(vec![bought(sold, times), left(sold, times)]);
                let replicas = bundle / times;
                with.servers.push(Needs {
                    group: with.groups.len() - 1,
                    demand: 0.0,
                    min_replicas: replicas,
                    max_replicas: Some(replicas),
                    min_types: 0,
                    current: None,
                    priority: 1,
                    weight: 1.0,
                });
            }
        }
        with
    }

    /// Takes what was bought out of a choice for [`Problem::with_purchases`]: nodes that hold nothing yet.
    pub fn without_purchases(&self, shape: Shape, choice: &mut Choice) {
        if choice.shares.len() <= self.servers.len() {
            return;
        }
        let mut purchases = choice.shares.split_off(self.servers.len()).into_iter();
        for sold in &self.sold {
            let mut times = 0;
            for bundle in bundles(sold.most, shape) {
                let each = if shape == Shape::Mixed { 1 } else { bundle };
                let share = purchases.next().unwrap_or_default();
                times += share.iter().filter(|s| s.0 == BOUGHT).map(|s| s.1 * each).sum::<u64>();
            }
            choice.nodes.push(Filled { node: sold.node, times, span: 1, holds: Vec::new() });
        }
    }
}

impl Problem {
    /// What the purchase at a place after the servers, and one of its items, are called.
    pub(crate) fn purchase_name(
        &self,
        scenario: &Scenario,
        shape: Shape,
        place: usize,
        item: u32,
    ) -> (String, String) {
        let of_kind = |sold: &Sold| {
            let bundles = bundles(sold.most, shape).into_iter().enumerate();
            let name = scenario.nodes[sold.node].name.clone();
            bundles.map(move |(i, _)| format!("nodes {name} {i}")).collect::<Vec<_>>()
        };
        let name = self.sold.iter().flat_map(of_kind).nth(place).unwrap_or_default();
        let word = if item as usize == BOUGHT { "bought" } else { "left" };
        (name, word.to_owned())
    }
}

/// Candidates of a node that is sold.
const BOUGHT: usize = 0;
const LEFT: usize = 1;

/// Nodes that are decided upon together: all of them, each for itself, or bundles of powers of two.
fn bundles(most: u64, shape: Shape) -> Vec<u64> {
    if shape == Shape::Mixed {
        return if most > 0 { vec![most] } else { Vec::new() };
    }
    let (mut bundles, mut rest, mut power) = (Vec::new(), most, 1);
    while rest > 0 {
        let bundle = power.min(rest);
        bundles.push(bundle);
        rest -= bundle;
        power *= 2;
    }
    bundles
}

fn bought(sold: &Sold, times: u64) -> Item {
    Item {
        candidate: BOUGHT,
        rate: f64::INFINITY,
        cost: sold.price * times as f64,
        uses: sold
            .spends
            .iter()
            .map(|&k| (k, sold.price * times as f64))
            .filter(|u| u.1 > 0.0)
            .collect(),
        cards: 0,
        accelerator: usize::MAX - 1,
        card_type: usize::MAX,
    }
}

fn left(sold: &Sold, times: u64) -> Item {
    Item {
        candidate: LEFT,
        cost: 0.0,
        uses: sold.takes.iter().map(|&(k, taken)| (k, taken * times as f64)).collect(),
        accelerator: usize::MAX - 2,
        ..bought(sold, times)
    }
}
