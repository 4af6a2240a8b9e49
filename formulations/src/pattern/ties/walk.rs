//! The first of the optima, server by server.
//!
//! A label is what the servers so far were given: what that leaves of the scarce limits and takes of
//! the others, its cost and its cards. Labels are kept in the order of their patterns; one that
//! another with the same scarce rest and cost beats in the other limits, with no more cards or as many
//! and first, is left out. So is one that the servers to come cannot make an optimum of: tables of
//! [`super::super::totals`], from the last server to the first, say what they cost at least for the
//! rest to be used up.

use rustc_hash::FxHashMap;

use crate::pattern::column::Pattern;
use crate::pattern::totals::counter::Counter;
use crate::pattern::totals::table::{Table, tables};

/// Labels in all, at most.
const LABELS: usize = 80_000;

/// A pattern with what decides between optima.
pub struct Weighed<'a> {
    /// The pattern.
    pub pattern: &'a Pattern,
    /// Its reduced cost, cents/h.
    pub reduced: f64,
    /// Its cards.
    pub cards: u64,
}

/// What the optima keep.
pub struct Bounds<'a> {
    /// Counts the scarcest limits.
    pub counter: Counter,
    /// `C_k`.
    pub capacity: &'a [f64],
    /// `lambda_k`.
    pub lambda: &'a [f64],
    /// `U - V`, rounding included.
    pub delta: f64,
    /// `U`, rounding included.
    pub cost: f64,
}

#[derive(Clone)]
struct Label {
    left: u64,
    uses: Vec<f64>,
    reduced: f64,
    cost: f64,
    cards: u64,
    /// Index of the label before, and of the pattern that was added.
    from: (usize, usize),
}

impl Label {
    fn is_beaten_by(&self, other: &Self) -> bool {
        (other.cards, other.from) <= (self.cards, self.from)
            && other.uses.iter().zip(&self.uses).all(|(a, b)| a <= b)
    }

    /// What is left and what it costs, so that sums that differ by rounding alone are the same.
    fn key(&self) -> (u64, i64) {
        (self.left, (self.cost * 1e5).round() as i64)
    }
}

/// Index of each server's pattern in the first optimum; `None` inside where there is none, outside
/// where there are too many labels.
pub fn first(servers: &[Vec<Weighed<'_>>], bounds: &Bounds<'_>) -> Option<Option<Vec<usize>>> {
    let limits: Vec<usize> =
        (0..bounds.capacity.len()).filter(|&k| is_watched(servers, bounds, k)).collect();
    let tables = rests(servers, bounds)?;
    let nothing = Label {
        left: bounds.counter.capacity,
        uses: vec![0.0; limits.len()],
        reduced: 0.0,
        cost: 0.0,
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
fn rests(servers: &[Vec<Weighed<'_>>], bounds: &Bounds<'_>) -> Option<Vec<Table>> {
    let counts = |list: &Vec<Weighed<'_>>| {
        let count = |w: &Weighed<'_>| Some((bounds.counter.count(&w.pattern.uses)?, w.reduced));
        let mut counts: Vec<(u64, f64)> = list.iter().filter_map(count).collect();
        counts.sort_by(|a, b| a.1.total_cmp(&b.1));
        counts
    };
    let reversed: Vec<Vec<(u64, f64)>> = servers.iter().rev().map(counts).collect();
    tables(&bounds.counter, bounds.lambda, &reversed, bounds.delta, &|| false)
}

/// Whether limit `k`, which is not counted, can bind at all.
fn is_watched(servers: &[Vec<Weighed<'_>>], bounds: &Bounds<'_>, k: usize) -> bool {
    let most = |list: &Vec<Weighed<'_>>| list.iter().map(|w| w.pattern.uses[k]).fold(0.0, f64::max);
    let can_bind = servers.iter().map(most).sum::<f64>() > bounds.capacity[k];
    can_bind && !bounds.counter.limits.contains(&k)
}

/// The labels with one more server, in the order of their patterns.
fn extended(
    labels: &[Label],
    list: &[Weighed<'_>],
    table: &Table,
    limits: &[usize],
    bounds: &Bounds<'_>,
) -> Vec<Label> {
    let mut known: FxHashMap<(u64, i64), Vec<Label>> = FxHashMap::default();
    for (at, label) in labels.iter().enumerate() {
        for (p, weighed) in list.iter().enumerate() {
            let Some(count) = bounds.counter.count(&weighed.pattern.uses) else { continue };
            let Some(left) = bounds.counter.less(label.left, count) else { continue };
            let reduced = label.reduced + weighed.reduced;
            if table.get(&left).is_none_or(|rest| reduced + rest > bounds.delta) {
                continue;
            }
            let taken = limits.iter().map(|&k| weighed.pattern.uses[k]);
            let next = Label {
                left,
                uses: label.uses.iter().zip(taken).map(|(sum, taken)| sum + taken).collect(),
                reduced,
                cost: label.cost + weighed.pattern.cost,
                cards: label.cards + weighed.cards,
                from: (at, p),
            };
            let within = |(&k, used): (&usize, &f64)| *used <= bounds.capacity[k] * (1.0 + 1e-12);
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
