//! Pricing: the cheapest pattern of a server at given prices of the limits.
//!
//! At prices `lambda` an item costs `p_j = c_j + sum_k lambda_k u_jk`, and the pricing problem of
//! a server is a covering knapsack,
//!
//! ```text
//! minimise    sum_j p_j n_j + f [n_now = 0] + lambda_m [some n_j > 0, j off now]
//! subject to  sum_j r_j n_j >= L,  m <= sum_j n_j <= M,  n on at least T card types,  n_j in Z, >= 0
//! ```
//!
//! where the last two terms of the objective are what a move is charged. It is solved by depth-first
//! branch and bound over the items in the order of `p_j / r_j`: what is left of the load costs at
//! least the best ratio among the items still to come. The same search, with a budget instead of an
//! incumbent, lists every minimal pattern up to a price ([`list`]).

use crate::pattern::column::{Pattern, Shape};
use crate::pattern::space::{Charges, Space};
use crate::problem::COVER_TOLERANCE;

/// The cheapest pattern found and a proven lower bound on the price of any.
#[derive(Debug, Clone)]
pub struct Priced {
    /// The cheapest pattern found.
    pub pattern: Pattern,
    /// Its price.
    pub price: f64,
    /// No pattern is cheaper than this; equal to `price` unless the search was cut short.
    pub bound: f64,
}

/// Nodes after which a search gives up and returns what it has proven.
const NODES: u64 = 200_000;

/// How far a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Patterns, at most.
    pub patterns: usize,
    /// Nodes of the search for them, at most.
    pub nodes: u64,
}

impl Most {
    /// So many patterns, and no long search for them.
    pub fn patterns(patterns: usize) -> Self {
        Self { patterns, nodes: NODES }
    }
}

/// The cheapest pattern of server `s` at prices `lambda`; `None` where it has none at all.
pub fn cheapest(space: &Space<'_>, s: usize, lambda: &[f64]) -> Option<Priced> {
    if space.needs(s).is_idle() {
        let pattern = Pattern::new(space, s, Vec::new());
        return Some(Priced { price: pattern.cost, bound: pattern.cost, pattern });
    }
    let alone = cheapest_alone(space, s, lambda);
    if space.shape == Shape::Single {
        let pattern = alone?;
        let price = pattern.price(lambda);
        return Some(Priced { pattern, price, bound: price });
    }
    let mut search = Search::new(space, s, lambda);
    let (best, complete) = search.best(alone.map(|p| (p.price(lambda), p.shares.to_vec())));
    let (price, shares) = best?;
    let bound = if complete { price } else { search.root_bound().min(price) };
    Some(Priced { pattern: Pattern::new(space, s, shares), price, bound })
}

/// Every pattern of server `s` whose price is at most `budget`, or `None` if there are more than
/// `most`, or if the search for them is too long. Patterns that stay feasible without one of their
/// replicas, at no higher charge, are left out: the smaller one is cheaper and takes no more.
pub fn list(
    space: &Space<'_>,
    s: usize,
    lambda: &[f64],
    budget: f64,
    most: Most,
) -> Option<Vec<Pattern>> {
    if space.needs(s).is_idle() {
        return cheapest(space, s, lambda).map(|priced| vec![priced.pattern]);
    }
    if space.shape == Shape::Single {
        let within = |p: &Pattern| p.price(lambda) <= budget;
        return Some(alone(space, s).filter(within).collect());
    }
    let shares = Search::new(space, s, lambda).all(budget, most)?;
    Some(shares.into_iter().map(|shares| Pattern::new(space, s, shares)).collect())
}

/// The patterns of server `s` on one item alone.
fn alone<'a>(space: &'a Space<'_>, s: usize) -> impl Iterator<Item = Pattern> + 'a {
    let needs = space.needs(s);
    let items = if needs.min_types > 1 { &[] } else { space.items(s) };
    items.iter().enumerate().filter_map(move |(j, item)| {
        let n = u32::try_from(needs.replicas(item)?).ok()?;
        Some(Pattern::new(space, s, vec![(j as u32, n)]))
    })
}

fn cheapest_alone(space: &Space<'_>, s: usize, lambda: &[f64]) -> Option<Pattern> {
    let priced = alone(space, s).map(|p| (p.price(lambda), p));
    priced.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, p)| p)
}

/// An item at the prices of the search.
struct Entry {
    item: u32,
    price: f64,
    rate: f64,
    card_type: usize,
}

/// Depth-first search over the items in the order of price for rate.
struct Search {
    entries: Vec<Entry>,
    /// `min p_j / r_j` over the entries from each on.
    ratio: Vec<f64>,
    /// `min p_j` over the entries from each on.
    least: Vec<f64>,
    demand: f64,
    slack: f64,
    min_replicas: u64,
    max_replicas: u64,
    min_types: u64,
    charges: Charges,
    /// `lambda_m`: price of a move.
    move_price: f64,
    nodes: u64,
    most_nodes: u64,
    chosen: Vec<(u32, u32)>,
    best: Option<Cover>,
    found: Vec<Vec<(u32, u32)>>,
    most: usize,
}

/// A cover: its price, and (index of item, replicas).
type Cover = (f64, Vec<(u32, u32)>);

/// A node: the load left, what was chosen so far, and what that costs.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
    left: f64,
    replicas: u64,
    price: f64,
    /// Card types in use.
    types: u64,
    /// Whether the type of the entry before is in use.
    type_is_open: bool,
    /// Whether a replica is off the current accelerator.
    moved: bool,
}

impl Search {
    fn new(space: &Space<'_>, s: usize, lambda: &[f64]) -> Self {
        let (needs, items, charges) = (space.needs(s), space.items(s), space.charges(s));
        let prices = space.prices(s, &charges, lambda);
        let entry = |(j, price): (usize, f64)| Entry {
            item: j as u32,
            price,
            rate: if items[j].rate.is_finite() { items[j].rate } else { 0.0 },
            card_type: items[j].card_type,
        };
        let mut entries: Vec<Entry> = prices.into_iter().enumerate().map(entry).collect();
        entries.sort_by(|a, b| {
            (a.price / a.rate).total_cmp(&(b.price / b.rate)).then(a.item.cmp(&b.item))
        });
        let min_types = u64::from(needs.min_types);
        if min_types > 1 {
            by_type(&mut entries);
        }
        if charges.give_up > 0.0 {
            now_first(&mut entries, &charges);
        }
        let from_each = |value: &dyn Fn(&Entry) -> f64| {
            let mut least = vec![f64::INFINITY; entries.len() + 1];
            for (i, entry) in entries.iter().enumerate().rev() {
                least[i] = least[i + 1].min(value(entry));
            }
            least
        };
        let ratio = from_each(&|e| e.price / e.rate);
        let least = from_each(&|e| e.price);
        Self {
            entries,
            ratio,
            least,
            demand: needs.demand,
            slack: needs.demand * COVER_TOLERANCE,
            min_replicas: needs.min_replicas,
            max_replicas: needs.max_replicas.unwrap_or(u64::MAX),
            min_types,
            charges,
            move_price: charges.moves.map_or(0.0, |k| lambda[k]),
            nodes: 0,
            most_nodes: NODES,
            chosen: Vec::new(),
            best: None,
            found: Vec::new(),
            most: usize::MAX,
        }
    }

    fn root(&self) -> Node {
        let gone = if self.charges.now.is_none() { self.charges.give_up } else { 0.0 };
        Node {
            depth: 0,
            left: self.demand,
            replicas: 0,
            price: self.charges.base + gone,
            types: 0,
            type_is_open: false,
            moved: false,
        }
    }

    fn root_bound(&self) -> f64 {
        self.bound(&self.root())
    }

    /// Replicas that are missing whatever the load.
    fn missing(&self, node: &Node) -> u64 {
        let replicas = self.min_replicas.saturating_sub(node.replicas);
        replicas.max(self.min_types.saturating_sub(node.types))
    }

    /// No completion of `node` is cheaper.
    fn bound(&self, node: &Node) -> f64 {
        let missing = self.missing(node) as f64;
        let cover = if node.left > self.slack { node.left * self.ratio[node.depth] } else { 0.0 };
        let count = if missing > 0.0 { missing * self.least[node.depth] } else { 0.0 };
        node.price + cover.max(count)
    }

    fn is_done(&self, node: &Node) -> bool {
        node.left <= self.slack && self.missing(node) == 0
    }

    /// Whether the entry is the accelerator that is charged for if it is given up.
    fn is_worth_keeping(&self, entry: &Entry) -> bool {
        self.charges.give_up > 0.0 && self.charges.now == Some(entry.item)
    }

    /// Most replicas of an entry that a minimal completion of `node` has.
    fn most_of(&self, node: &Node) -> u64 {
        let entry = &self.entries[node.depth];
        let cover = if node.left > self.slack && entry.rate > 0.0 {
            ((node.left - self.slack) / entry.rate).ceil() as u64
        } else {
            0
        };
        let missing = self.min_replicas.saturating_sub(node.replicas);
        let spread = u64::from(node.types < self.min_types);
        let kept = u64::from(self.is_worth_keeping(entry));
        let most = cover.max(missing).max(spread).max(kept);
        most.min(self.max_replicas.saturating_sub(node.replicas))
    }

    fn child(&self, node: &Node, n: u64) -> Node {
        let entry = &self.entries[node.depth];
        let before = node.depth.checked_sub(1).map(|d| self.entries[d].card_type);
        let was_open = node.type_is_open && before == Some(entry.card_type);
        let moves = n > 0 && self.charges.now != Some(entry.item) && !node.moved;
        let mut price = node.price + entry.price * n as f64;
        if moves {
            price += self.move_price;
        }
        if n == 0 && self.is_worth_keeping(entry) {
            price += self.charges.give_up;
        }
        Node {
            depth: node.depth + 1,
            left: node.left - entry.rate * n as f64,
            replicas: node.replicas + n,
            price,
            types: node.types + u64::from(n > 0 && !was_open),
            type_is_open: was_open || n > 0,
            moved: node.moved || moves,
        }
    }

    /// The cheapest cover, starting from a known one, and whether the search was complete.
    fn best(&mut self, start: Option<Cover>) -> (Option<Cover>, bool) {
        self.best = start;
        let complete = self.improve(self.root());
        (self.best.take(), complete)
    }

    fn improve(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > self.most_nodes {
            return false;
        }
        let incumbent = self.best.as_ref().map_or(f64::INFINITY, |b| b.0);
        if self.is_done(&node) && !self.has_kept_to_decide(&node) {
            if node.price < incumbent {
                self.best = Some((node.price, self.chosen.clone()));
            }
            return true;
        }
        // Prices that differ by rounding alone are the same price.
        let enough = incumbent - 1e-12 * incumbent.abs();
        if node.depth == self.entries.len() || self.bound(&node) >= enough {
            return true;
        }
        let most = self.most_of(&node);
        let mut complete = true;
        for n in (0..=most).rev() {
            complete &= self.descend(&node, n, Self::improve);
        }
        complete
    }

    /// Every minimal cover of price at most `budget`; `None` beyond `most` of them.
    fn all(&mut self, budget: f64, most: Most) -> Option<Vec<Vec<(u32, u32)>>> {
        (self.most, self.most_nodes) = (most.patterns, most.nodes);
        self.best = Some((budget, Vec::new()));
        self.collect(self.root()).then(|| std::mem::take(&mut self.found))
    }

    fn collect(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > self.most_nodes {
            return false;
        }
        let budget = self.best.as_ref().map_or(0.0, |b| b.0);
        if self.is_done(&node) && !self.has_kept_to_decide(&node) {
            if node.price <= budget && self.is_minimal(&node) {
                self.found.push(self.chosen.clone());
            }
            return self.found.len() <= self.most;
        }
        if node.depth == self.entries.len() || self.bound(&node) > budget {
            return true;
        }
        (0..=self.most_of(&node)).all(|n| self.descend(&node, n, Self::collect))
    }

    /// Whether a covered root still has to choose if it keeps its accelerator, which comes first.
    fn has_kept_to_decide(&self, node: &Node) -> bool {
        node.depth == 0 && self.entries.first().is_some_and(|e| self.is_worth_keeping(e))
    }

    fn descend(&mut self, node: &Node, n: u64, visit: fn(&mut Self, Node) -> bool) -> bool {
        if n > 0 {
            self.chosen.push((self.entries[node.depth].item, n as u32));
        }
        let go_on = visit(self, self.child(node, n));
        if n > 0 {
            self.chosen.pop();
        }
        go_on
    }

    /// Whether no replica can be taken away without a charge.
    fn is_minimal(&self, node: &Node) -> bool {
        if node.replicas <= self.min_replicas {
            return true;
        }
        let spare = self.slack - node.left;
        let replicas = |e: &Entry| self.chosen.iter().find(|c| c.0 == e.item).map_or(0, |c| c.1);
        let entries = &self.entries[..node.depth];
        let of_type =
            |t: usize| -> u32 { entries.iter().filter(|e| e.card_type == t).map(replicas).sum() };
        entries.iter().filter(|e| replicas(e) > 0).all(|e| {
            let last_of_type = node.types <= self.min_types && of_type(e.card_type) == 1;
            let keeps = self.is_worth_keeping(e) && replicas(e) == 1;
            e.rate > spare || last_of_type || keeps
        })
    }
}

/// Entries of one card type beside each other, the type with the best ratio first.
fn by_type(entries: &mut [Entry]) {
    let mut order: Vec<usize> = Vec::new();
    for entry in entries.iter() {
        if !order.contains(&entry.card_type) {
            order.push(entry.card_type);
        }
    }
    entries.sort_by_key(|e| order.iter().position(|&t| t == e.card_type));
}

/// The current accelerator first, and the entries of its type beside it.
fn now_first(entries: &mut [Entry], charges: &Charges) {
    let now = entries.iter().find(|e| charges.now == Some(e.item)).map(|e| (e.item, e.card_type));
    if let Some((item, card_type)) = now {
        entries.sort_by_key(|e| (e.item != item, e.card_type != card_type));
    }
}
