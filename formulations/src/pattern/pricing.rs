//! Pricing: the cheapest pattern of a server at given prices of the limits.
//!
//! At prices `lambda` an item costs `p_j = c_j + sum_k lambda_k u_jk`, and the pricing problem of
//! a server is a covering knapsack,
//!
//! ```text
//! minimise    sum_j p_j n_j
//! subject to  sum_j r_j n_j >= L,  m <= sum_j n_j <= M,  n_j in Z, >= 0
//! ```
//!
//! solved by depth-first branch and bound over the items in the order of `p_j / r_j`: what is left
//! of the load costs at least the best ratio among the items still to come. The same search, with
//! a budget instead of an incumbent, lists every minimal pattern up to a price ([`list`]).

use crate::pattern::column::{Pattern, Shape};
use crate::problem::{COVER_TOLERANCE, Item, Needs, Problem};

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

/// The cheapest pattern of server `s` at prices `lambda`; `None` where it has none at all.
pub fn cheapest(problem: &Problem, shape: Shape, s: usize, lambda: &[f64]) -> Option<Priced> {
    let needs = &problem.servers[s];
    let items = problem.items(s);
    if needs.is_idle() {
        let pattern = Pattern::new(problem, s, Vec::new(), -needs.current.map_or(0.0, |c| c.1));
        return Some(Priced { price: pattern.cost, bound: pattern.cost, pattern });
    }
    let alone = cheapest_alone(needs, items, lambda);
    if shape == Shape::Single {
        let (j, n, price) = alone?;
        let pattern = one_item(problem, s, j, n);
        return Some(Priced { pattern, price, bound: price });
    }
    let mut search = Search::new(needs, items, lambda);
    let start = alone.map(|(j, n, price)| (price, vec![(j as u32, n as u32)]));
    let (best, complete) = search.best(start);
    let (price, shares) = best?;
    let bound = if complete { price } else { search.root_bound().min(price) };
    Some(Priced { pattern: mix(problem, s, shares), price, bound })
}

/// Every pattern of server `s` whose price is at most `budget`, or `None` if there are more than
/// `most`. Patterns that stay feasible without one of their replicas are left out: the smaller one
/// is cheaper and takes no more of any limit.
pub fn list(
    problem: &Problem,
    shape: Shape,
    s: usize,
    lambda: &[f64],
    budget: f64,
    most: usize,
) -> Option<Vec<Pattern>> {
    let needs = &problem.servers[s];
    let items = problem.items(s);
    if needs.is_idle() {
        return cheapest(problem, shape, s, lambda).map(|priced| vec![priced.pattern]);
    }
    if shape == Shape::Single {
        let each = items.iter().enumerate().filter_map(|(j, item)| {
            let n = needs.replicas(item)?;
            (price_alone(needs, item, n, lambda) <= budget).then(|| one_item(problem, s, j, n))
        });
        return Some(each.collect());
    }
    let mut search = Search::new(needs, items, lambda);
    let shares = search.all(budget, most)?;
    Some(shares.into_iter().map(|shares| mix(problem, s, shares)).collect())
}

/// The pattern of `n` replicas of item `j`.
fn one_item(problem: &Problem, s: usize, j: usize, n: u64) -> Pattern {
    let item = &problem.items(s)[j];
    let cost = problem.servers[s].change_value(item.accelerator, item.cost * n as f64);
    Pattern::new(problem, s, vec![(j as u32, n as u32)], cost)
}

fn mix(problem: &Problem, s: usize, mut shares: Vec<(u32, u32)>) -> Pattern {
    shares.sort_unstable();
    let items = problem.items(s);
    let cost = shares.iter().map(|&(j, n)| items[j as usize].cost * f64::from(n)).sum();
    Pattern::new(problem, s, shares, cost)
}

fn price_alone(needs: &Needs, item: &Item, n: u64, lambda: &[f64]) -> f64 {
    let uses: f64 = item.uses.iter().map(|&(k, amount)| amount * lambda[k]).sum();
    needs.change_value(item.accelerator, item.cost * n as f64) + uses * n as f64
}

fn cheapest_alone(needs: &Needs, items: &[Item], lambda: &[f64]) -> Option<(usize, u64, f64)> {
    let each = items.iter().enumerate().filter_map(|(j, item)| {
        let n = needs.replicas(item)?;
        Some((j, n, price_alone(needs, item, n, lambda)))
    });
    each.min_by(|a, b| a.2.total_cmp(&b.2))
}

/// An item at the prices of the search.
struct Entry {
    item: u32,
    price: f64,
    rate: f64,
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
    nodes: u64,
    chosen: Vec<(u32, u32)>,
    best: Option<Cover>,
    found: Vec<Vec<(u32, u32)>>,
    most: usize,
}

/// A cover: its price, and (index of item, replicas).
type Cover = (f64, Vec<(u32, u32)>);

/// A node: the load left, the replicas so far, and what they cost.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
    left: f64,
    replicas: u64,
    price: f64,
}

impl Search {
    fn new(needs: &Needs, items: &[Item], lambda: &[f64]) -> Self {
        let entry = |(j, item): (usize, &Item)| Entry {
            item: j as u32,
            price: item.cost + item.uses.iter().map(|&(k, a)| a * lambda[k]).sum::<f64>(),
            rate: if item.rate.is_finite() { item.rate } else { 0.0 },
        };
        let mut entries: Vec<Entry> = items.iter().enumerate().map(entry).collect();
        entries.sort_by(|a, b| {
            (a.price / a.rate).total_cmp(&(b.price / b.rate)).then(a.item.cmp(&b.item))
        });
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
            nodes: 0,
            chosen: Vec::new(),
            best: None,
            found: Vec::new(),
            most: usize::MAX,
        }
    }

    fn root(&self) -> Node {
        Node { depth: 0, left: self.demand, replicas: 0, price: 0.0 }
    }

    fn root_bound(&self) -> f64 {
        self.bound(&self.root())
    }

    /// No completion of `node` is cheaper.
    fn bound(&self, node: &Node) -> f64 {
        let missing = self.min_replicas.saturating_sub(node.replicas) as f64;
        let cover = if node.left > self.slack { node.left * self.ratio[node.depth] } else { 0.0 };
        let count = if missing > 0.0 { missing * self.least[node.depth] } else { 0.0 };
        node.price + cover.max(count)
    }

    fn is_done(&self, node: &Node) -> bool {
        node.left <= self.slack && node.replicas >= self.min_replicas
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
        cover.max(missing).min(self.max_replicas.saturating_sub(node.replicas))
    }

    fn child(&self, node: &Node, n: u64) -> Node {
        let entry = &self.entries[node.depth];
        Node {
            depth: node.depth + 1,
            left: node.left - entry.rate * n as f64,
            replicas: node.replicas + n,
            price: node.price + entry.price * n as f64,
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
        if self.nodes > NODES {
            return false;
        }
        let incumbent = self.best.as_ref().map_or(f64::INFINITY, |b| b.0);
        if self.is_done(&node) {
            if node.price < incumbent {
                self.best = Some((node.price, self.chosen.clone()));
            }
            return true;
        }
        // Prices that differ by rounding alone are the same price.
        if node.depth == self.entries.len() || self.bound(&node) >= incumbent * (1.0 - 1e-12) {
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
    fn all(&mut self, budget: f64, most: usize) -> Option<Vec<Vec<(u32, u32)>>> {
        self.most = most;
        self.best = Some((budget, Vec::new()));
        self.collect(self.root()).then(|| std::mem::take(&mut self.found))
    }

    fn collect(&mut self, node: Node) -> bool {
        let budget = self.best.as_ref().map_or(0.0, |b| b.0);
        if self.is_done(&node) {
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

    /// Whether no replica can be taken away.
    fn is_minimal(&self, node: &Node) -> bool {
        if node.replicas <= self.min_replicas {
            return true;
        }
        let spare = self.slack - node.left;
        self.entries[..node.depth]
            .iter()
            .filter(|e| self.chosen.iter().any(|c| c.0 == e.item))
            .all(|e| e.rate > spare)
    }
}
