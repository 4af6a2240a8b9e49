//! Depth-first search over the items in the order of price for rate.
//!
//! What is left of the load costs at least the best ratio among the items still to come. The same
//! search, with a budget instead of an incumbent, lists every minimal mix up to a price.

use super::{Cover, Entry, Mix, at_ratio};

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Mixes, at most.
    pub patterns: usize,
    /// Nodes, at most.
    pub nodes: u64,
}

/// Nodes after which a search gives up and returns what it has proven.
const NODES: u64 = 200_000;

impl Most {
    /// So many mixes, and no long search for them.
    pub fn patterns(patterns: usize) -> Self {
        Self { patterns, nodes: NODES }
    }
}

/// What a search for the cheapest mix found.
#[derive(Debug, Clone)]
pub struct Best {
    /// The cheapest mix that was met.
    pub mix: Option<Mix>,
    /// No mix is cheaper than this.
    pub bound: i64,
}

/// The cheapest mix of `cover`, starting from a known one. Of a mix that is not cheaper by more than
/// `same` it may be told as well that it costs as much.
pub fn cheapest(cover: &Cover, known: Option<Mix>, same: i64) -> Best {
    let mut search = Search::new(cover);
    (search.best, search.same) = (known, same);
    let root = search.root();
    let complete = search.improve(root);
    let price = search.best.as_ref().map_or(i64::MAX, |best| best.0);
    let bound = if complete { price.saturating_sub(same) } else { search.bound(&root).min(price) };
    Best { mix: search.best, bound }
}

/// Every minimal mix of price at most `budget`; `None` if there are more than `most`, or if the search
/// for them is too long. Mixes that stay feasible without one of their replicas, at no higher charge,
/// are left out: the smaller one is cheaper and takes no more.
pub fn list(cover: &Cover, budget: i64, most: Most) -> Option<Vec<Vec<(u32, u32)>>> {
    let mut search = Search::new(cover);
    (search.budget, search.most) = (budget, most);
    let root = search.root();
    search.collect(root).then_some(search.found)
}

/// The search on its way.
struct Search<'a> {
    cover: &'a Cover,
    entries: Vec<Entry>,
    /// The entry of the best price for rate from each depth on, and that ratio rounded down.
    ratio: Vec<(i64, i64, f64)>,
    /// `min p_j` over the entries from each depth on.
    least: Vec<i64>,
    /// Depth from which on no entry has to be taken.
    forced: usize,
    nodes: u64,
    chosen: Vec<(u32, u32)>,
    best: Option<Mix>,
    same: i64,
    budget: i64,
    most: Most,
    found: Vec<Vec<(u32, u32)>>,
}

/// A node: the load left, what was chosen so far, and what that costs.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
    left: i64,
    replicas: u64,
    price: i64,
    /// Card types in use.
    types: u64,
    /// Whether the type of the entry before is in use.
    type_is_open: bool,
    /// Whether a replica is off the current accelerator.
    moved: bool,
}

impl<'a> Search<'a> {
    fn new(cover: &'a Cover) -> Self {
        let mut entries = cover.entries.clone();
        // The current accelerator stays: giving it up is charged where its turn comes.
        entries.retain(|e| e.most > 0 || cover.now == Some(e.item));
        entries.sort_by(|a, b| by_ratio(a, b).then(a.item.cmp(&b.item)));
        if cover.min_types > 1 {
            by_type(&mut entries);
        }
        if cover.give_up > 0 {
            now_first(&mut entries, cover.now);
        }
        let mut ratio = vec![(1, 0, f64::INFINITY); entries.len() + 1];
        let mut least = vec![super::DEAR; entries.len() + 1];
        let mut best: Option<&Entry> = None;
        for (d, entry) in entries.iter().enumerate().rev() {
            if best.is_none_or(|best| by_ratio(entry, best).is_lt()) {
                best = Some(entry);
            }
            ratio[d] = best.map_or(ratio[d], |e| (e.price, e.rate, rounded_down(e)));
            least[d] = least[d + 1].min(entry.price);
        }
        let forced = entries.iter().rposition(|e| e.least > 0).map_or(0, |last| last + 1);
        Self {
            cover,
            entries,
            ratio,
            least,
            forced,
            nodes: 0,
            chosen: Vec::new(),
            best: None,
            same: 0,
            budget: i64::MAX,
            most: Most::patterns(usize::MAX),
            found: Vec::new(),
        }
    }

    fn root(&self) -> Node {
        let Cover { need, base, .. } = *self.cover;
        Node {
            depth: 0,
            left: need,
            replicas: 0,
            price: base,
            types: 0,
            type_is_open: false,
            moved: false,
        }
    }

    /// Replicas that are missing whatever the load.
    fn missing(&self, node: &Node) -> u64 {
        let replicas = self.cover.min_replicas.saturating_sub(node.replicas);
        replicas.max(self.cover.min_types.saturating_sub(node.types))
    }

    /// What the replicas that are missing cost at least.
    fn count(&self, node: &Node) -> i64 {
        match self.missing(node) {
            0 => 0,
            missing => self.least[node.depth].saturating_mul(missing as i64),
        }
    }

    /// No completion of `node` is cheaper.
    fn bound(&self, node: &Node) -> i64 {
        let (price, rate, _) = self.ratio[node.depth];
        node.price.saturating_add(at_ratio(node.left, price, rate).max(self.count(node)))
    }

    /// Whether no completion of `node` costs less than `threshold`. The exact quotient is formed only
    /// where the rounded one is too close to tell.
    fn reaches(&self, node: &Node, threshold: i64) -> bool {
        let room = threshold.saturating_sub(node.price);
        if room <= 0 || self.count(node) >= room {
            return true;
        }
        if node.left <= 0 {
            return false;
        }
        let rough = node.left as f64 * self.ratio[node.depth].2;
        let room = room as f64;
        rough >= room || (rough * (1.0 + 1e-13) + 1.0 >= room && self.bound(node) >= threshold)
    }

    fn is_done(&self, node: &Node) -> bool {
        node.left <= 0 && node.depth >= self.forced && self.missing(node) == 0
    }

    /// Whether the entry is the accelerator that is charged for if it is given up.
    fn is_worth_keeping(&self, entry: &Entry) -> bool {
        self.cover.give_up > 0 && self.cover.now == Some(entry.item)
    }

    /// Most replicas of an entry that a minimal completion of `node` has.
    fn most_of(&self, node: &Node) -> u64 {
        let entry = &self.entries[node.depth];
        let cover = match node.left > 0 && entry.rate > 0 {
            true => ((node.left - 1) / entry.rate + 1) as u64,
            false => 0,
        };
        let missing = self.cover.min_replicas.saturating_sub(node.replicas);
        let spread = u64::from(node.types < self.cover.min_types);
        let kept = u64::from(self.is_worth_keeping(entry));
        let most = cover.max(missing).max(spread).max(kept).max(entry.least);
        let room = self.cover.max_replicas.saturating_sub(node.replicas);
        most.min(room).min(entry.most).min(u64::from(u32::MAX))
    }

    fn child(&self, node: &Node, n: u64) -> Node {
        let entry = &self.entries[node.depth];
        let before = node.depth.checked_sub(1).map(|d| self.entries[d].card_type);
        let was_open = node.type_is_open && before == Some(entry.card_type);
        let moves = n > 0 && self.cover.now != Some(entry.item) && !node.moved;
        let mut price = node.price.saturating_add(entry.price.saturating_mul(n as i64));
        if moves {
            price = price.saturating_add(self.cover.move_price);
        }
        if n == 0 && self.is_worth_keeping(entry) {
            price = price.saturating_add(self.cover.give_up);
        }
        Node {
            depth: node.depth + 1,
            left: node.left.saturating_sub(entry.rate.saturating_mul(n as i64)),
            replicas: node.replicas + n,
            price,
            types: node.types + u64::from(n > 0 && !was_open),
            type_is_open: was_open || n > 0,
            moved: node.moved || moves,
        }
    }

    fn improve(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > self.most.nodes {
            return false;
        }
        let incumbent = self.best.as_ref().map_or(super::DEAR, |best| best.0);
        if self.is_done(&node) && !self.has_kept_to_decide(&node) {
            if node.price < incumbent {
                self.best = Some((node.price, self.chosen.clone()));
            }
            return true;
        }
        if node.depth == self.entries.len() || self.reaches(&node, incumbent - self.same) {
            return true;
        }
        let mut complete = true;
        for n in (self.entries[node.depth].least..=self.most_of(&node)).rev() {
            complete &= self.descend(&node, n, Self::improve);
        }
        complete
    }

    fn collect(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > self.most.nodes {
            return false;
        }
        if self.is_done(&node) && !self.has_kept_to_decide(&node) {
            if node.price <= self.budget && self.is_minimal(&node) {
                self.found.push(self.chosen.clone());
            }
            return self.found.len() <= self.most.patterns;
        }
        let above = self.budget.saturating_add(1);
        if node.depth == self.entries.len() || self.reaches(&node, above) {
            return true;
        }
        let least = self.entries[node.depth].least;
        (least..=self.most_of(&node)).all(|n| self.descend(&node, n, Self::collect))
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
        if node.replicas <= self.cover.min_replicas {
            return true;
        }
        let spare = -node.left;
        let replicas = |e: &Entry| self.chosen.iter().find(|c| c.0 == e.item).map_or(0, |c| c.1);
        let entries = &self.entries[..node.depth];
        let of_type =
            |t: usize| -> u32 { entries.iter().filter(|e| e.card_type == t).map(replicas).sum() };
        entries.iter().filter(|e| replicas(e) > 0).all(|e| {
            let last_of_type = node.types <= self.cover.min_types && of_type(e.card_type) == 1;
            let keeps = self.is_worth_keeping(e) && replicas(e) == 1;
            let forced = u64::from(replicas(e)) <= e.least;
            e.rate > spare || last_of_type || keeps || forced
        })
    }
}

/// The order of price for rate, exactly; what covers nothing comes last.
fn by_ratio(a: &Entry, b: &Entry) -> std::cmp::Ordering {
    let product = |p: &Entry, r: &Entry| i128::from(p.price) * i128::from(r.rate);
    (a.rate == 0).cmp(&(b.rate == 0)).then(product(a, b).cmp(&product(b, a)))
}

/// Price for rate, no more than it is.
fn rounded_down(entry: &Entry) -> f64 {
    match entry.rate {
        0 => f64::INFINITY,
        rate => entry.price as f64 / rate as f64 * (1.0 - 1e-14),
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
fn now_first(entries: &mut [Entry], now: Option<u32>) {
    let now = entries.iter().find(|e| now == Some(e.item)).map(|e| (e.item, e.card_type));
    if let Some((item, card_type)) = now {
        entries.sort_by_key(|e| (e.item != item, e.card_type != card_type));
    }
}
