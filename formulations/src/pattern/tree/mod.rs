//! Branch and price, where prices at the root and totals leave a gap.
//!
//! ```text
//! node    for some servers and items a_sj <= n_sj <= b_sj; at the root what each limit has room for
//! bound   V(l) over the patterns that keep them, l the multipliers of `master`
//! split   n_sj <= v or n_sj > v, where the master mixes patterns
//! ```
//!
//! The open node of the lowest bound is split next. Every leaf is closed by exact prices, or left open
//! with the bound that it has; what the master's floating point is good for is to find the prices. The
//! order of nodes and their number depend on the numbers alone, so that the same input ends with the same
//! tree. Where there is no plan to compare with, replicas are free of charge, and a leaf is closed where
//! the limits cannot be kept.
//!
//! Source: branch and price (Barnhart et al. 1998).

mod master;
mod point;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use self::master::Master;
use super::certificate::{Node, sides};
use super::exact::{Exact, Held, Root};
use super::numbers::Prices;
use super::state::{EXCLUDED, State};

/// Nodes, and servers priced in all of them, at most; fewer where a backend has said already that there
/// is no plan.
const NODES: usize = 20_000;
const PRICED: usize = 4_000_000;
const PRICED_IF_TOLD: usize = 400_000;
/// Servers that a node's program is stated for, at most.
const SERVERS: usize = 2_000;
/// Splits below each other, at most.
const DEPTH: usize = 400;
/// Rounds of pricing at the root and at a node.
const ROUNDS: (usize, usize) = (200, 30);

/// What servers are held to at a node.
type AllHeld = BTreeMap<usize, Vec<Held>>;

/// Server, item and most replicas on the one side of a split.
type Cut = (usize, u32, u64);

impl State<'_> {
    /// Proves the incumbent, finds a better plan, or shows that there is none, as far as it gets.
    pub(super) fn by_tree(&mut self, root: &Root) {
        let servers = self.space.problem.servers.len();
        while servers <= SERVERS && !self.is_proven() && !self.clock.is_over() {
            let before = self.incumbent.as_ref().map(|known| known.units);
            let mut tree = Tree::new(self, root);
            tree.grow(&root.prices);
            let (bound, node) = tree.proof(0);
            match before {
                Some(_) => self.raise(bound, || node),
                None if bound >= 1 && self.incumbent.is_none() => self.raise(EXCLUDED, || node),
                None => {}
            }
            // The first plan gives something to compare with.
            if before.is_some() || self.incumbent.is_none() {
                break;
            }
        }
    }
}

/// The tree as it grows.
struct Tree<'s, 'a> {
    state: &'s mut State<'a>,
    exact: Exact<'a>,
    master: Master<'a>,
    shift: u32,
    /// Whether replicas are free of charge.
    free: bool,
    nodes: Vec<Branch>,
    priced: usize,
}

/// A node.
struct Branch {
    depth: usize,
    held: AllHeld,
    bound: i64,
    prices: Prices,
    /// Where it may be split, the most promising first.
    cuts: Vec<Cut>,
    /// Where it is split, and the nodes of the two sides.
    split: Option<(Cut, [usize; 2])>,
}

impl<'s, 'a> Tree<'s, 'a> {
    fn new(state: &'s mut State<'a>, root: &Root) -> Self {
        let free = state.incumbent.is_none();
        let exact = if free { state.exact.free() } else { state.exact.clone() };
        let master = Master::new(&exact, free, root.prices.shift, state.backend);
        let shift = root.prices.shift;
        Self { state, exact, master, shift, free, nodes: Vec::new(), priced: 0 }
    }

    /// The bound that closes a node, in units of cost.
    fn goal(&self) -> i64 {
        if self.free { 1 } else { self.state.goal() }
    }

    fn is_over(&self) -> bool {
        let priced = if self.state.none_found { PRICED_IF_TOLD } else { PRICED };
        let found = self.free && self.state.incumbent.is_some();
        let worked = self.nodes.len() > NODES || self.priced > priced;
        worked || found || self.state.clock.is_over()
    }

    /// Splits the open node of the lowest bound until none is below the goal.
    fn grow(&mut self, start: &Prices) {
        let mut open = BinaryHeap::new();
        let servers = 0..self.exact.space.problem.servers.len();
        let room = servers.map(|s| (s, self.exact.room(s))).filter(|held| !held.1.is_empty());
        let root = self.branch(0, room.collect(), start, ROUNDS.0);
        open.push(Reverse((root.bound, 0)));
        self.nodes.push(root);
        while let Some(Reverse((bound, at))) = open.pop() {
            if bound >= self.goal() || self.is_over() {
                break;
            }
            if let Some(sides) = self.split(at) {
                open.extend(sides.map(|side| Reverse((self.nodes[side].bound, side))));
            }
        }
    }

    /// Splits a node where that raises the lower of the two bounds most, of a few places; returns the nodes
    /// of the two sides.
    fn split(&mut self, at: usize) -> Option<[usize; 2]> {
        let Branch { depth, cuts, .. } = &self.nodes[at];
        let (depth, cuts) = (depth + 1, cuts.clone());
        if depth > DEPTH {
            return None;
        }
        let mut best: Option<((i64, i64), Cut, [Branch; 2])> = None;
        for (server, item, most) in cuts {
            let (held, start) = (&self.nodes[at].held, self.nodes[at].prices.clone());
            let of_server = held.get(&server).map_or(&[][..], Vec::as_slice);
            let (fewer, more) = sides(of_server, item, most);
            let with = |bounds: Vec<Held>| {
                let mut held = held.clone();
                held.insert(server, bounds);
                held
            };
            let held = [fewer, more].map(with);
            let sides = held.map(|held| self.branch(depth, held, &start, ROUNDS.1));
            let (fewer, more) = (sides[0].bound, sides[1].bound);
            let score = (fewer.min(more), fewer.max(more));
            if best.as_ref().is_none_or(|best| score > best.0) {
                best = Some((score, (server, item, most), sides));
            }
            if score.0 >= self.goal() || self.is_over() {
                break;
            }
        }
        let (_, cut, sides) = best?;
        let sides = sides.map(|mut side| {
            side.bound = side.bound.max(self.nodes[at].bound);
            self.nodes.push(side);
            self.nodes.len() - 1
        });
        self.nodes[at].split = Some((cut, sides));
        Some(sides)
    }

    /// A node.
    fn branch(&mut self, depth: usize, held: AllHeld, start: &Prices, rounds: usize) -> Branch {
        match self.bounded(&held, start, rounds) {
            Some((bound, prices, cuts)) => Branch { depth, held, bound, prices, cuts, split: None },
            // A server has no pattern: any prices show it.
            None => {
                let prices = Prices { shift: self.shift, of: vec![0; start.of.len()] };
                let (bound, cuts) = (EXCLUDED - 1, Vec::new());
                Branch { depth, held, bound, prices, cuts, split: None }
            }
        }
    }

    /// The bound of node `at` and below, and what proves it.
    fn proof(&self, at: usize) -> (i64, Node) {
        let Branch { bound, prices, split, .. } = &self.nodes[at];
        let leaf = || match self.free {
            true => Node::Excluded(prices.clone()),
            false => Node::Prices(prices.clone()),
        };
        let Some(((server, item, most), [fewer, more])) = *split else {
            return (*bound, leaf());
        };
        let (fewer, more) = (self.proof(fewer), self.proof(more));
        let below = fewer.0.min(more.0);
        if below <= *bound {
            return (*bound, leaf());
        }
        let (fewer, more) = (Box::new(fewer.1), Box::new(more.1));
        (below, Node::Split { server, item, most, fewer, more })
    }
}
