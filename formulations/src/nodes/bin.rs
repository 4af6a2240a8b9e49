//! Pools of nodes with cards of one type, and what one node holds.

use isocost_model::Scenario;

use super::fill;
use crate::problem::{Item, Problem};

/// Whole weights by size, sizes rising: (cards of a replica, weight).
pub type Weights = Vec<(u64, u64)>;

/// Kinds of node with cards of a type, and the replicas that may be put in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Index of the card type.
    pub card_type: usize,
    /// Its name.
    pub name: String,
    /// Kinds of node.
    pub bins: Vec<Bin>,
    /// Sizes of replicas that one node holds, rising.
    pub sizes: Vec<u64>,
    /// Sizes of replicas that span several whole nodes, rising.
    pub spanning: Vec<u64>,
}

/// A kind of node, as far as the cards of one type go.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// Index into the scenario's nodes.
    pub node: usize,
    /// `b_t`.
    pub cards: u64,
    /// `N_t`, or as many as are of any use.
    pub there: u64,
    /// How its cards may be cut; any that add up where there are none.
    pub geometries: Vec<Vec<u32>>,
}

impl Pool {
    /// Of the nodes with cards of a type; `there` says how many there are of a kind.
    pub fn new(
        scenario: &Scenario,
        problem: &Problem,
        card_type: usize,
        there: impl Fn(usize) -> u64,
    ) -> Self {
        let bins = scenario.nodes_of(card_type).map(|t| Bin {
            node: t,
            cards: u64::from(scenario.nodes[t].cards_of(card_type)),
            there: there(t),
            geometries: scenario.nodes[t].geometries.clone(),
        });
        let items = problem.groups.iter().flatten().filter(|item| item.card_type == card_type);
        let mut all: Vec<u64> = items.map(|item| item.cards).collect();
        all.sort_unstable();
        all.dedup();
        let fits = |size: &u64| scenario.fits_a_node(card_type, *size);
        let (sizes, spanning) = all.into_iter().partition(fits);
        let name = scenario.card_types[card_type].name.clone();
        Self { card_type, name, bins: bins.collect(), sizes, spanning }
    }

    /// What the face of `weights` is called: `H100 nodes 3:1,5:2`; that of none counts whole nodes.
    pub fn face_name(&self, weights: &Weights) -> String {
        if weights.is_empty() {
            return format!("{} nodes whole", self.name);
        }
        let words: Vec<String> = weights.iter().map(|(size, w)| format!("{size}:{w}")).collect();
        format!("{} nodes {}", self.name, words.join(","))
    }

    /// What a replica of so many cards takes of the face of `weights`: one that spans nodes all that they hold.
    pub fn weight(&self, weights: &Weights, cards: u64) -> u64 {
        if self.spanning.contains(&cards) {
            let whole = |bin: &Bin| Some(bin.span(cards)? * bin.most(weights));
            return self.bins.iter().filter_map(whole).min().unwrap_or(0);
        }
        weights.iter().find(|w| w.0 == cards).map_or(0, |w| w.1)
    }

    /// What a replica in this pool that spans whole nodes takes of the face of `weights` on another pool of the same
    /// nodes: at least what the kind that holds least there would have held.
    pub fn spans_into(&self, other: &Self, weights: &Weights, item: &Item) -> u64 {
        if item.card_type != self.card_type || !self.spanning.contains(&item.cards) {
            return 0;
        }
        let held = |bin: &Bin| {
            let there = other.bins.iter().find(|there| there.node == bin.node);
            Some(bin.span(item.cards)? * there.map_or(0, |there| there.most(weights)))
        };
        self.bins.iter().filter_map(held).min().unwrap_or(0)
    }

    /// Whether the face of `weights` says nothing that a limit on the number of cards does not say already.
    pub fn is_counted(&self, weights: &Weights, problem: &Problem) -> bool {
        let sold = |bin: &Bin| problem.sold.iter().any(|sold| sold.node == bin.node);
        let cards: u64 = self.bins.iter().map(|bin| bin.there.saturating_mul(bin.cards)).sum();
        let counts = |limit: &crate::problem::Limit| {
            limit.name == self.name && limit.capacity <= cards as f64
        };
        let Some(&(size, weight)) = weights.last() else { return false };
        let alike = |&(u, w): &(u64, u64)| w * size == weight * u;
        let full = |bin: &Bin| bin.most(weights) * size == weight * bin.cards;
        let all = weights.len() == self.sizes.len() && weights.iter().all(alike);
        let spans = |&cards: &u64| self.bins.iter().all(|bin| cards.is_multiple_of(bin.cards));
        all && self.bins.iter().all(full)
            && self.spanning.iter().all(spans)
            && !self.bins.iter().any(sold)
            && problem.limits.iter().any(counts)
    }
}

impl Bin {
    /// `f_t(w)`: the most that replicas in one node weigh; without weights, 1 for the node.
    pub fn most(&self, weights: &Weights) -> u64 {
        if weights.is_empty() {
            return 1;
        }
        if self.geometries.is_empty() {
            return fill::heaviest(self.cards, weights);
        }
        let weight =
            |size: &u32| weights.iter().find(|w| w.0 == u64::from(*size)).map_or(0, |w| w.1);
        let all = self.geometries.iter().map(|cut| cut.iter().map(weight).sum());
        all.max().unwrap_or(0)
    }

    /// Nodes that a replica of so many cards takes as a whole; `None` where it may not.
    pub fn span(&self, cards: u64) -> Option<u64> {
        self.geometries.is_empty().then(|| cards.div_ceil(self.cards))
    }
}
