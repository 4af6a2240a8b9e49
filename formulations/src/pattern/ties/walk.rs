//! The first of the optima, server by server.
//!
//! A label is what the servers so far were given: what that leaves of the scarce limits and takes of
//! the others, its cost and its cards. Labels are kept in the order of their patterns; one that
//! another with the same scarce rest and cost beats in the other limits, with no more cards or as many
//! and first, is left out. So is one that the servers to come cannot make an optimum of: tables of
//! [`super::super::totals`], from the last server to the first, say what they cost at least for the
//! rest to be used up.

use rustc_hash::FxHashMap;

use crate::pattern::numbers::Prices;
use crate::pattern::totals::counter::Counter;
use crate::pattern::totals::table::{Table, tables};

/// Labels in all, at most.
const LABELS: usize = 80_000;

/// A pattern as what decides between optima.
pub struct Weighed {
    /// What it takes of each limit.
    pub uses: Vec<i64>,
    /// Its reduced cost, in the unit of the prices.
    pub reduced: i64,
    /// Its cost.
    pub cost: i64,
    /// Its cards.
    pub cards: u64,
}

/// What the optima keep.
pub struct Bounds<'a> {
    /// Counts the scarcest limits.
    pub counter: Counter,
    /// `C_k`.
    pub capacity: &'a [i64],
    /// Prices of the limits.
    pub prices: &'a Prices,
    /// `U - V`, in the unit of the prices.
    pub delta: i64,
    /// `U`.
    pub cost: i64,
}

#[derive(Clone)]
struct Label {
    left: u64,
    uses: Vec<i64>,
    reduced: i64,
    cost: i64,
    cards: u64,
    /// Index of the label before, and of the pattern that was added.
    from: (usize, usize),
}

impl Label {
    fn is_beaten_by(&self, other: &Self) -> bool {
        (other.cards, other.from) <= (self.cards, self.from)
            && other.uses.iter().zip(&self.uses).all(|(a, b)| a <= b)
    }

    /// What is left and what it costs.
    fn key(&self) -> (u64, i64) {
        (self.left, self.cost)
    }
}

/// Index of each server's pattern in the first optimum; `None` inside where there is none, outside
/// where there are too many labels.
pub fn first(servers: &[Vec<Weighed>], bounds: &Bounds<'_>) -> Option<Option<Vec<usize>>> {
    let limits: Vec<usize> =
        (0..bounds.capacity.len()).filter(|&k| is_watched(servers, bounds, k)).collect();
    let tables = rests(servers, bounds)?;
    let nothing = Label {
        left: bounds.counter.capacity,
        uses: vec![0; limits.len()],
        reduced: 0,
        cost: 0,
        cards: 0,
        from: (0, 0),
    };
    let mut layers = vec![vec![nothing]];
    let mut count = 0;
    for (list, table) in servers.iter().zip(tables.iter().rev().skip(1)) {
        let last = layers.last().expect("there is one from the start");
        let next = extended(last, list, table, &limits, bounds);
        // A server without a choice adds nothing to compare.
        count += if list.len() > 1 { next.len() } else { 0 };
        if count > LABELS {
            return None;
        }
        layers.push(next);
    }
    Some(back(&layers, bounds))
}

/// Tables over the last servers, none of them first.
fn rests(servers: &[Vec<Weighed>], bounds: &Bounds<'_>) -> Option<Vec<Table>> {
    let counts = |list: &Vec<Weighed>| {
        let count = |w: &Weighed| Some((bounds.counter.count(|k| w.uses[k])?, w.reduced));
        let mut counts: Vec<(u64, i64)> = list.iter().filter_map(count).collect();
        counts.sort_unstable_by_key(|count| (count.1, count.0));
        counts
    };
    let reversed: Vec<Vec<(u64, i64)>> = servers.iter().rev().map(counts).collect();
    tables(&bounds.counter, bounds.prices, &reversed, bounds.delta, &|| false)
}

/// Whether limit `k`, which is not counted, can bind at all.
fn is_watched(servers: &[Vec<Weighed>], bounds: &Bounds<'_>, k: usize) -> bool {
    let most = |list: &Vec<Weighed>| list.iter().map(|w| w.uses[k]).max().unwrap_or(0);
    let can_bind = servers.iter().map(most).sum::<i64>() > bounds.capacity[k];
    can_bind && !bounds.counter.limits.contains(&k)
}

/// The labels with one more server, in the order of their patterns.
fn extended(
    labels: &[Label],
    list: &[Weighed],
    table: &Table,
    limits: &[usize],
    bounds: &Bounds<'_>,
) -> Vec<Label> {
    let mut known: FxHashMap<(u64, i64), Vec<Label>> = FxHashMap::default();
    for (at, label) in labels.iter().enumerate() {
        for (p, weighed) in list.iter().enumerate() {
            let Some(count) = bounds.counter.count(|k| weighed.uses[k]) else { continue };
            let Some(left) = bounds.counter.less(label.left, count) else { continue };
            let reduced = label.reduced + weighed.reduced;
            if table.get(&left).is_none_or(|rest| reduced + rest > bounds.delta) {
                continue;
            }
            let taken = limits.iter().map(|&k| weighed.uses[k]);
            let next = Label {
                left,
                uses: label.uses.iter().zip(taken).map(|(sum, taken)| sum + taken).collect(),
                reduced,
                cost: label.cost + weighed.cost,
                cards: label.cards + weighed.cards,
                from: (at, p),
            };
            let within = |(&k, used): (&usize, &i64)| *used <= bounds.capacity[k];
            if !limits.iter().zip(&next.uses).all(within) {
                continue;
            }
            let alike = known.entry(next.key()).or_default();
            if !alike.iter().any(|other| next.is_beaten_by(other)) {
                alike.retain(|other| !other.is_beaten_by(&next));
                alike.push(next);
            }
        }
    }
    let mut next: Vec<Label> = known.into_values().flatten().collect();
    next.sort_unstable_by_key(|label| label.from);
    next
}

/// The patterns of the first label of the last layer.
fn back(layers: &[Vec<Label>], bounds: &Bounds<'_>) -> Option<Vec<usize>> {
    let (last, before) = layers.split_last()?;
    let optima = last.iter().filter(|label| label.cost <= bounds.cost);
    let mut label = optima.min_by_key(|label| (label.cards, label.from))?;
    let mut chosen = vec![label.from.1];
    for layer in before.iter().skip(1).rev() {
        label = &layer[label.from.0];
        chosen.push(label.from.1);
    }
    chosen.reverse();
    Some(chosen)
}
