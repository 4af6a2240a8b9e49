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

mod dive;
mod master;
mod point;
mod pool;
mod worth;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use self::master::Master;
use self::point::Point;
use self::pool::{Pool, Sides};
use self::worth::{Place, Worth, score};
use super::certificate::{Node, sides};
use super::exact::{Exact, Held, Root};
use super::numbers::Prices;
use super::state::{EXCLUDED, State};

/// Servers priced in all nodes, at most; fewer where a backend has said already that there
/// is no plan.
const PRICED: usize = 4_000_000;
const PRICED_IF_TOLD: usize = 400_000;
/// Servers that a node's program is stated for, at most.
const SERVERS: usize = 2_000;
/// Places where a node is split on trial, at most.
const TRIALS: usize = 8;
/// Share of the gap at the root that all servers' least prices may be told below what they are: one in so many.
const SAME: i64 = 100;
/// Splits below each other, at most.
const DEPTH: usize = 400;
/// Rounds of pricing at the root and at a node.
const ROUNDS: (usize, usize) = (200, 30);

/// What servers are held to at a node.
type AllHeld = BTreeMap<usize, Vec<Held>>;

/// Server, item and most replicas on the one side of a split.
type Cut = (usize, u32, u64);

impl State<'_> {
    /// A plan by a dive from the root.
    pub(super) fn by_dive(&mut self, root: &Root) {
        let mut tree = Tree::new(self, root, false, usize::MAX);
        tree.dive(&tree.room(), &root.prices);
    }

    /// Proves the incumbent, finds a better plan, or shows that there is none, as far as `nodes` get.
    pub(super) fn by_tree(&mut self, root: &Root, nodes: usize) {
        if self.space.problem.servers.len() > SERVERS || self.clock.is_over() {
            return;
        }
        if self.incumbent.is_none() {
            let mut tree = Tree::new(self, root, true, nodes);
            tree.grow(&root.prices);
            let (bound, node) = tree.proof(0);
            if bound >= 1 && self.incumbent.is_none() {
                self.raise(EXCLUDED, || node);
            }
        }
        if self.incumbent.is_some() && !self.is_proven() {
            let mut tree = Tree::new(self, root, false, nodes);
            tree.grow(&root.prices);
            let (bound, node) = tree.proof(0);
            self.raise(bound, || node);
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
    /// How many there may be.
    most: usize,
    priced: usize,
    worth: Worth,
    /// What a server's least price may be told below what it is: little beside the gap.
    same: i64,
    /// A slack with which there are too many patterns to list.
    too_wide: i64,
}

/// A node.
struct Branch {
    depth: usize,
    held: AllHeld,
    bound: i64,
    prices: Prices,
    /// Where it may be split.
    places: Vec<Place>,
    /// What it chooses from, where that is listed.
    pool: Option<Arc<Pool>>,
    /// Where it is split, and the nodes of the two sides.
    split: Option<(Cut, [usize; 2])>,
    /// Whether what is below it chooses from less, by its prices.
    narrows: bool,
}

impl<'s, 'a> Tree<'s, 'a> {
    fn new(state: &'s mut State<'a>, root: &Root, free: bool, most: usize) -> Self {
        let exact = if free { state.exact.free() } else { state.exact.clone() };
        let master = Master::new(&exact, free, root.prices.shift, state.backend);
        let shift = root.prices.shift;
        let too_wide = i64::MAX;
        Self {
            state,
            exact,
            master,
            shift,
            free,
            nodes: Vec::new(),
            most,
            priced: 0,
            worth: Worth::default(),
            same: 0,
            too_wide,
        }
    }

    /// What the limits alone hold servers to.
    fn room(&self) -> AllHeld {
        let servers = 0..self.exact.space.problem.servers.len();
        servers.map(|s| (s, self.exact.room(s))).filter(|held| !held.1.is_empty()).collect()
    }

    /// The bound that closes a node, in units of cost.
    fn goal(&self) -> i64 {
        if self.free { 1 } else { self.state.goal() }
    }

    /// The cost, in units, that plans worth looking for are below.
    fn ceiling(&self) -> i64 {
        self.state.incumbent.as_ref().map_or(EXCLUDED - 1, |known| known.units)
    }

    fn is_over(&self) -> bool {
        let priced = if self.state.none_found { PRICED_IF_TOLD } else { PRICED };
        let found = self.free && self.state.incumbent.is_some();
        let worked = self.nodes.len() > self.most || self.priced > priced;
        worked || found || self.state.clock.is_over()
    }

    /// Splits the open node of the lowest bound until none is below the goal.
    fn grow(&mut self, start: &Prices) {
        let mut open = BinaryHeap::new();
        let root = self.branch(0, self.room(), start, ROUNDS.0, None);
        if !self.free {
            let gap = self.goal().saturating_sub(root.bound).clamp(0, 1 << 40);
            let servers = self.exact.space.problem.servers.len().max(1) as i64;
            self.same = (gap << self.shift.min(20)) / (SAME * servers);
        }
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

    /// Splits a node where that raises the bounds of both sides most, on trial at the places that promise it;
    /// returns the nodes of the two sides.
    fn split(&mut self, at: usize) -> Option<[usize; 2]> {
        let Branch { depth, bound, places, .. } = &self.nodes[at];
        let (depth, bound, mut places) = (depth + 1, *bound, places.clone());
        if depth > DEPTH {
            return None;
        }
        let pool = self.narrow(at);
        let expected = |place: &Place| self.worth.expected(place);
        places.sort_by(|a, b| expected(b).total_cmp(&expected(a)));
        let mut best: Option<(f64, Cut, [Branch; 2])> = None;
        for place in places.iter().take(TRIALS) {
            let sides = self.sides(at, place.cut, pool.as_ref());
            let gains = [0, 1].map(|i| (sides[i].bound.min(self.goal()) - bound).max(0) as f64);
            self.worth.learn(place, gains);
            let closed = sides.iter().all(|side| side.bound >= self.goal());
            if best.as_ref().is_none_or(|best| score(gains) > best.0) {
                best = Some((score(gains), place.cut, sides));
            }
            if closed || self.is_over() {
                break;
            }
        }
        let (_, cut, sides) = best?;
        let sides = sides.map(|mut side| {
            side.bound = side.bound.max(bound);
            self.nodes.push(side);
            self.nodes.len() - 1
        });
        self.nodes[at].split = Some((cut, sides));
        self.nodes[at].narrows = pool.is_some();
        Some(sides)
    }

    /// The nodes of fewer and of more.
    fn sides(
        &mut self,
        at: usize,
        (server, item, most): Cut,
        pool: Option<&Arc<Pool>>,
    ) -> [Branch; 2] {
        let Branch { depth, held, prices, .. } = &self.nodes[at];
        let (depth, held, prices) = (depth + 1, held.clone(), prices.clone());
        let of_server = held.get(&server).map_or(&[][..], Vec::as_slice);
        let (fewer, more) = sides(of_server, item, most);
        [fewer, more].map(|bounds: Vec<Held>| {
            let mut held = held.clone();
            held.insert(server, bounds);
            self.branch(depth, held, &prices, ROUNDS.1, pool)
        })
    }

    /// What the sides of a node choose from, where that can be listed.
    fn narrow(&mut self, at: usize) -> Option<Arc<Pool>> {
        let (held, prices) = (self.nodes[at].held.clone(), self.nodes[at].prices.clone());
        let pool = self.nodes[at].pool.clone();
        let point = self.point(&held, &prices, pool.as_deref()).filter(|_| !self.free)?;
        let (sides, goal) = (Sides(&held), self.ceiling());
        if let Some(pool) = pool {
            return Some(Arc::new(pool.within(&sides, &point, goal)));
        }
        let slack = point.slack(goal);
        // Much less than was too wide before.
        if slack > self.too_wide / 4 * 3 {
            return None;
        }
        let pool = Pool::list(&self.exact, &sides, &point, goal);
        if pool.is_none() {
            self.too_wide = slack;
        }
        pool.map(Arc::new)
    }

    /// A node.
    fn branch(
        &mut self,
        depth: usize,
        held: AllHeld,
        start: &Prices,
        rounds: usize,
        pool: Option<&Arc<Pool>>,
    ) -> Branch {
        let most = pool.map_or(EXCLUDED - 1, |pool| pool.goal);
        let (bound, prices, places) =
            match self.bounded(&held, start, rounds, pool.map(Arc::as_ref)) {
                Some(node) => {
                    let places = self.places(&node, &held);
                    (node.bound, node.prices, places)
                }
                // A server has no pattern: any prices show it.
                None => {
                    (most, Prices { shift: self.shift, of: vec![0; start.of.len()] }, Vec::new())
                }
            };
        let (bound, pool) = (bound.min(most), pool.cloned());
        Branch { depth, held, bound, prices, places, pool, split: None, narrows: false }
    }

    /// The bound of node `at` and below, and what proves it.
    fn proof(&self, at: usize) -> (i64, Node) {
        let Branch { bound, prices, split, narrows, .. } = &self.nodes[at];
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
        let split = Node::Split { server, item, most, fewer, more };
        match narrows {
            true => (below, Node::Within(prices.clone(), Box::new(split))),
            false => (below, split),
        }
    }
}
