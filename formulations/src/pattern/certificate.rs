//! What proves a bound, as a tree that anybody can check.

use super::exact::Held;
use super::numbers::Prices;

/// A proven bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// No plan costs less, in units of cost; `None` where there is no plan at all.
    pub bound: Option<i64>,
    /// What proves it.
    pub root: Node,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The Lagrangian bound at these prices.
    Prices(Prices),
    /// The dynamic program over what is taken of the `counted` limits, while the `watched` ones are kept.
    Totals {
        /// Prices of the limits.
        prices: Prices,
        /// Limits whose totals are counted.
        counted: Vec<usize>,
        /// Limits whose sums are watched.
        watched: Vec<usize>,
    },
    /// At these prices, and with replicas free of charge, what servers take is worth more than there is.
    Excluded(Prices),
    /// Either server `s` has at most so many replicas of an item, or more.
    Split {
        /// The server.
        server: usize,
        /// Index of the item.
        item: u32,
        /// Most replicas in the first case; at least one more in the second.
        most: u64,
        /// Proof in the first case.
        fewer: Box<Node>,
        /// Proof in the second.
        more: Box<Node>,
    },
}

impl Node {
    /// The bound at `prices`.
    pub fn prices(prices: &Prices) -> Self {
        Self::Prices(prices.clone())
    }

    /// Totals of `counted` at `prices`, keeping the rest of `scarce`.
    pub fn totals(prices: &Prices, counted: &[usize], scarce: &[usize]) -> Self {
        let watched = scarce.iter().copied().filter(|k| !counted.contains(k)).collect();
        Self::Totals { prices: prices.clone(), counted: counted.to_vec(), watched }
    }

    /// Nodes of the tree.
    pub fn count(&self) -> usize {
        match self {
            Self::Split { fewer, more, .. } => 1 + fewer.count() + more.count(),
            _ => 1,
        }
    }
}

/// The two sides of a split of what a server's replicas are held to.
pub fn sides(held: &[Held], item: u32, most: u64) -> (Vec<Held>, Vec<Held>) {
    let known = held.iter().find(|h| h.item == item).copied();
    let known = known.unwrap_or(Held { item, least: 0, most: u64::MAX });
    let with = |new: Held| {
        let others = held.iter().copied().filter(|h| h.item != item);
        others.chain([new]).collect()
    };
    (with(Held { most, ..known }), with(Held { least: most + 1, ..known }))
}
