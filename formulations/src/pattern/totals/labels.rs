//! The cheapest plan within the tables, server by server.
//!
//! A label is what the first few servers were given: what that leaves of the counted limits, what it
//! takes of the watched ones, and its cost. It is of use while its price and what the tables say the
//! rest costs at least come to `delta` at most; of labels that leave the same, one that another beats
//! in cost and in every watched limit is dropped.

use super::Counted;
use super::SOFT;
use super::table::Table;

/// Labels of one server, before the beaten ones are dropped, at most.
const LABELS: usize = 1_000_000;
/// Comparisons of labels in a search, at most: a second's.
const COMPARED: u64 = 400_000_000;

/// A class of patterns of one server.
#[derive(Debug, Clone)]
pub struct Class {
    /// What it takes of the counted limits.
    pub count: u64,
    /// What it takes of the watched limits.
    pub soft: [i64; SOFT],
    /// Its reduced cost.
    pub reduced: i64,
    /// Which of the server's patterns it is.
    pub pattern: usize,
}

/// What some servers were given.
#[derive(Debug, Clone)]
pub struct Label {
    /// What is left of the counted limits.
    pub left: u64,
    /// What is taken of the watched limits.
    pub soft: [i64; SOFT],
    /// Sum of reduced costs.
    pub reduced: i64,
    /// Index of the label before, and of the pattern that was added.
    pub from: (usize, usize),
}

/// What a search for a plan ends with.
pub enum Found {
    /// Index of the pattern of each server, the last one's first.
    Plan(Vec<usize>),
    /// No plan is within `delta`.
    Nothing,
    /// There are too many labels.
    TooMany,
}

/// The cheapest plan from `roots` on, labels of the servers that come after those of `servers`, which
/// are given their patterns from the last to the first; `tables[i]` is over the first `i` of them.
pub fn cheapest(
    counted: &Counted,
    tables: &[Table],
    servers: &[Vec<Class>],
    roots: Vec<Label>,
    delta: i64,
) -> Found {
    let mut work = COMPARED;
    let Some(roots) = unbeaten(counted, roots, &mut work) else { return Found::TooMany };
    let mut layers = vec![roots];
    for (classes, table) in servers.iter().zip(tables).rev() {
        let last = layers.last().expect("there is one from the start");
        let next = extended(counted, last, classes, table, delta);
        let Some(next) = next.and_then(|next| unbeaten(counted, next, &mut work)) else {
            return Found::TooMany;
        };
        layers.push(next);
    }
    let last = layers.last().expect("there is one from the start");
    let cost = |label: &Label| counted.cost(label) + i128::from(tables[0][&label.left]);
    let best = (0..last.len()).min_by(|&a, &b| cost(&last[a]).cmp(&cost(&last[b])));
    let Some(mut at) = best else { return Found::Nothing };
    let mut patterns = Vec::with_capacity(layers.len());
    for layer in layers.iter().rev() {
        let (before, pattern) = layer[at].from;
        patterns.push(pattern);
        at = before;
    }
    patterns.reverse();
    Found::Plan(patterns)
}

/// The labels with one more server.
fn extended(
    counted: &Counted,
    labels: &[Label],
    classes: &[Class],
    table: &Table,
    delta: i64,
) -> Option<Vec<Label>> {
    let mut next = Vec::new();
    for (from, label) in labels.iter().enumerate() {
        let within = classes.iter().take_while(|class| label.reduced + class.reduced <= delta);
        for class in within {
            let Some(left) = counted.counter.less(label.left, class.count) else { continue };
            let reduced = label.reduced + class.reduced;
            if table.get(&left).is_none_or(|rest| reduced + rest > delta) {
                continue;
            }
            let mut soft = label.soft;
            soft.iter_mut().zip(&class.soft).for_each(|(sum, taken)| *sum += taken);
            if counted.is_within(&soft) {
                next.push(Label { left, soft, reduced, from: (from, class.pattern) });
            }
        }
        if next.len() > LABELS {
            return None;
        }
    }
    Some(next)
}

/// Leaves the labels that no other beats; `None` where that takes more than `work` comparisons, from
/// which it takes what it does.
fn unbeaten(counted: &Counted, mut labels: Vec<Label>, work: &mut u64) -> Option<Vec<Label>> {
    labels.sort_by(|a, b| {
        a.left.cmp(&b.left).then(counted.cost(a).cmp(&counted.cost(b))).then(a.soft.cmp(&b.soft))
    });
    let mut kept: Vec<Label> = Vec::with_capacity(labels.len());
    let mut first = 0;
    for label in labels {
        if kept.get(first).is_some_and(|k| k.left != label.left) {
            first = kept.len();
        }
        let beats = |k: &Label| k.soft.iter().zip(&label.soft).all(|(a, b)| a <= b);
        let by = kept[first..].iter().position(beats);
        *work = work.checked_sub(by.unwrap_or(kept.len() - first) as u64)?;
        if by.is_none() {
            kept.push(label);
        }
    }
    Some(kept)
}
