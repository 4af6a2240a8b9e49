//! Nodes by trying every filling: what the cheapest cost that hold so many replicas of each size.

use std::cell::RefCell;
use std::collections::HashMap;

use super::case::{Accelerator, Case, NodeKind, Profile};

/// Replicas by (card type, cards), in the order of [`sizes`].
pub type Counts = Vec<u64>;

/// Sizes of replicas on cards that come in nodes, each once.
pub fn sizes(case: &Case) -> Vec<(usize, u64)> {
    let of = |p: &Profile| size(&case.accelerators[p.accelerator], p);
    let mut sizes: Vec<(usize, u64)> = case.models.iter().flatten().map(of).collect();
    sizes.retain(|size| case.nodes.iter().any(|kind| kind.cards_of(size.0) > 0));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Card type and cards of a replica.
pub fn size(unit: &Accelerator, profile: &Profile) -> (usize, u64) {
    (unit.card_type, unit.multiplicity * profile.units)
}

/// Whether cards of a type are paid by the node.
pub fn is_paid(case: &Case, card_type: usize) -> bool {
    case.nodes.iter().any(|kind| kind.cards_of(card_type) > 0 && kind.price.is_some())
}

/// Whether some number of nodes holds a replica.
pub fn holds_one(case: &Case, size: (usize, u64)) -> bool {
    let mut kinds = case.nodes.iter().filter(|kind| kind.cards_of(size.0) > 0).peekable();
    let spans = |kind: &NodeKind| case.multi_node && kind.cuts.is_empty();
    kinds.peek().is_none() || kinds.any(|kind| kind.holds(&[(size, 1)]) || spans(kind))
}

/// The cheapest nodes, worked out once for each number of replicas.
pub struct Bill<'a> {
    case: &'a Case,
    sizes: Vec<(usize, u64)>,
    known: RefCell<HashMap<(usize, u64, Counts), Option<u64>>>,
}

impl<'a> Bill<'a> {
    pub fn new(case: &'a Case) -> Self {
        Self { case, sizes: sizes(case), known: RefCell::default() }
    }

    /// Price of the cheapest nodes that hold `counts`; `None` where there are none.
    pub fn of(&self, counts: &[u64]) -> Option<u64> {
        self.from(0, self.there(0), counts.to_vec())
    }

    /// Nodes of a kind that there are; no plan needs one for each card of each replica and more.
    fn there(&self, kind: usize) -> u64 {
        let of = self.case.nodes.get(kind);
        of.map_or(0, |of| of.count.filter(|_| !self.case.unlimited).unwrap_or(1_000))
    }

    /// The same by kinds from `kind` on, of which `left` are left.
    fn from(&self, kind: usize, left: u64, open: Counts) -> Option<u64> {
        if open.iter().all(|n| *n == 0) {
            return Some(0);
        }
        let of = self.case.nodes.get(kind)?;
        let key = (kind, left, open);
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let mut best = self.from(kind + 1, self.there(kind + 1), key.2.clone());
        for (nodes, fill) in self.fills(of, &key.2) {
            if nodes <= left {
                let rest = key.2.iter().zip(&fill).map(|(n, held)| n - held).collect();
                let price = of.price.unwrap_or(0) * nodes;
                let with = self.from(kind, left - nodes, rest).map(|rest| rest + price);
                best = best.into_iter().chain(with).min();
            }
        }
        self.known.borrow_mut().insert(key, best);
        best
    }

    /// What nodes of a kind hold of `open`, with how many nodes.
    fn fills(&self, kind: &NodeKind, open: &[u64]) -> Vec<(u64, Counts)> {
        let mut fills = vec![Vec::new()];
        for &most in open {
            let longer = |fill: Counts| (0..=most).map(move |n| [&fill[..], &[n]].concat());
            fills = fills.into_iter().flat_map(longer).collect();
            fills.retain(|fill| {
                let held: Vec<_> = self.sizes.iter().copied().zip(fill.iter().copied()).collect();
                kind.holds(&held)
            });
        }
        fills.retain(|fill| fill.iter().any(|n| *n > 0));
        let mut all: Vec<(u64, Counts)> = fills.into_iter().map(|fill| (1, fill)).collect();
        for (at, &size) in self.sizes.iter().enumerate() {
            // A replica that some node holds is not spread over several.
            let alone = self.case.nodes.iter().any(|kind| kind.holds(&[(size, 1)]));
            let cards = kind.cards_of(size.0);
            if open[at] > 0 && self.case.multi_node && !alone && cards > 0 && kind.cuts.is_empty() {
                let mut fill = vec![0; self.sizes.len()];
                fill[at] = 1;
                all.push((size.1.div_ceil(cards), fill));
            }
        }
        all
    }
}
