//! Nodes: machines in which cards come.
//!
//! A replica runs within one node, or, where its profile says so, on several whole ones. Of a card type that
//! comes in nodes a plan says which replicas share one, and such a plan is checked node by node.
//!
//! ```text
//! size       cards of a replica
//! fill       sizes of the replicas in one node: any whose sum it holds, or, where its cards are cut by fixed
//!            geometries (MIG), part of one of those
//! ```

use crate::scenario::Scenario;

/// A kind of node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeType {
    /// Name, e.g. `p5.48xlarge`.
    pub name: String,
    /// (index into [`Scenario::card_types`], cards in a node, at least 1).
    pub cards: Vec<(usize, u32)>,
    /// Price of a node, cents per hour; `None` where its cards are paid one by one.
    pub price_cents_per_h: Option<f64>,
    /// Nodes that exist; `None` without a limit.
    pub count: Option<u64>,
    /// Nodes of `count` to keep free.
    pub spare: u64,
    /// Where they stand, for reports.
    pub zone: Option<String>,
    /// Ways in which its cards may be cut, each the sizes of replicas that fit together; any that add up
    /// where there are none.
    pub geometries: Vec<Vec<u32>>,
}

/// The ways in which a card of seven slices may be cut: what its compute and its memory (eighths, of which
/// three slices take four) hold.
pub const MIG: [&[u32]; 12] = [
    &[7],
    &[4, 3],
    &[4, 2, 1],
    &[4, 1, 1, 1],
    &[3, 3],
    &[3, 2, 2],
    &[3, 2, 1, 1],
    &[3, 1, 1, 1, 1],
    &[2, 2, 2, 1],
    &[2, 2, 1, 1, 1],
    &[2, 1, 1, 1, 1, 1],
    &[1, 1, 1, 1, 1, 1, 1],
];

impl NodeType {
    /// Nodes that a plan may use; `None` without a limit.
    pub fn available(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.spare))
    }

    /// Cards of a type in a node; 0 where it has none.
    pub fn cards_of(&self, card_type: usize) -> u32 {
        self.cards.iter().filter(|c| c.0 == card_type).map(|c| c.1).sum()
    }

    /// Whether replicas of these sizes, (cards, how many), fit into one node together.
    pub fn holds(&self, card_type: usize, fill: &[(u64, u64)]) -> bool {
        let cards: u64 = fill.iter().map(|&(size, n)| size.saturating_mul(n)).sum();
        let within = |geometry: &Vec<u32>| {
            let cut = |size: u64| geometry.iter().filter(|&&g| u64::from(g) == size).count() as u64;
            fill.iter().all(|&(size, n)| n <= cut(size))
        };
        cards <= u64::from(self.cards_of(card_type))
            && (self.geometries.is_empty() || self.geometries.iter().any(within))
    }
}

impl Scenario {
    /// Kinds of node with cards of a type, by their indices.
    pub fn nodes_of(&self, card_type: usize) -> impl Iterator<Item = usize> + '_ {
        let with = move |node: &NodeType| node.cards_of(card_type) > 0;
        self.nodes.iter().enumerate().filter(move |(_, node)| with(node)).map(|(t, _)| t)
    }

    /// Whether cards of a type are paid by the node.
    pub fn is_paid_by_node(&self, card_type: usize) -> bool {
        self.nodes_of(card_type).any(|t| self.nodes[t].price_cents_per_h.is_some())
    }

    /// Whether one node holds a replica of so many cards of a type; cards that come in no nodes hold any.
    pub fn fits_a_node(&self, card_type: usize, cards: u64) -> bool {
        let mut nodes = self.nodes_of(card_type).peekable();
        nodes.peek().is_none() || nodes.any(|t| self.nodes[t].holds(card_type, &[(cards, 1)]))
    }

    /// Most cards of a type in one node.
    pub fn largest_node(&self, card_type: usize) -> u32 {
        self.nodes_of(card_type).map(|t| self.nodes[t].cards_of(card_type)).max().unwrap_or(0)
    }
}

/// Nodes of one kind that hold the same replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Index into [`Scenario::nodes`].
    pub node: usize,
    /// How many of them there are; where a replica spans several, how many times it does.
    pub times: u64,
    /// Nodes that hold these replicas together: 1, but where a replica spans several whole ones.
    pub span: u64,
    /// What they hold.
    pub holds: Vec<Held>,
}

/// Replicas of a server in a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Index into [`Scenario::servers`].
    pub server: usize,
    /// Index into [`Scenario::accelerators`].
    pub accelerator: usize,
    /// Replicas.
    pub replicas: u64,
    /// Cards that each takes.
    pub cards: u64,
}

impl Filled {
    /// Nodes in all.
    pub fn nodes(&self) -> u64 {
        self.times * self.span
    }

    /// What a replica of one of `holds` bears of the price of the nodes, a share by its cards, cents per hour.
    pub fn share(&self, scenario: &Scenario, held: &Held) -> f64 {
        let all: u64 = self.holds.iter().map(|held| held.cards * held.replicas).sum();
        let price = scenario.nodes[self.node].price_cents_per_h.unwrap_or(0.0);
        price * self.span as f64 * held.cards as f64 / all.max(1) as f64
    }
}

/// Nodes of one kind in a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeUse {
    /// Nodes that hold replicas.
    pub used: u64,
    /// Nodes that may; `None` without a limit.
    pub available: Option<u64>,
    /// Cards in the used ones that no replica takes.
    pub cards_left: u64,
    /// Price of the used ones, cents per hour.
    pub cost: f64,
}

/// What a plan uses of each kind of node, in the order of [`Scenario::nodes`].
pub fn uses(scenario: &Scenario, filled: &[Filled], unlimited: bool) -> Vec<NodeUse> {
    let of_kind = |(t, node): (usize, &NodeType)| {
        let filled = || filled.iter().filter(|filled| filled.node == t);
        let used: u64 = filled().map(Filled::nodes).sum();
        let cards: u64 = node.cards.iter().map(|c| u64::from(c.1)).sum();
        let taken =
            |f: &Filled| f.times * f.holds.iter().map(|h| h.cards * h.replicas).sum::<u64>();
        NodeUse {
            used,
            available: if unlimited { None } else { node.available() },
            cards_left: (used * cards).saturating_sub(filled().map(taken).sum()),
            cost: node.price_cents_per_h.unwrap_or(0.0) * used as f64,
        }
    };
    scenario.nodes.iter().enumerate().map(of_kind).collect()
}
