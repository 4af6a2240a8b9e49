//! The patterns that a cheaper plan may still use, listed: below a node they are looked at one by one.
//!
//! ```text
//! p is in no plan below the goal    if price_p - min_q price_q > 2^shift (goal - 1) - V
//! p is in none that is needed       if another takes no more of any limit and costs no more
//! ```
//!
//! What is left out makes the bounds below higher than prices alone do. They hold up to the goal: above it
//! nothing was proven of what was left out.
//!
//! Source: column enumeration (Baldacci, Christofides and Mingozzi 2008).

use std::sync::Arc;

use super::Point;
use crate::pattern::cover::search::Most;
use crate::pattern::exact::{Exact, Held, Least};
use crate::pattern::numbers::Prices;

/// Patterns of a server that are listed, before the beaten ones are dropped; nodes of the search for them.
const LISTED: Most = Most { patterns: 6_000, nodes: 200_000 };
/// Patterns of all servers that are kept, at most.
const KEPT: usize = 60_000;

/// A pattern in whole numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// (index of item, replicas), by index.
    pub mix: Vec<(u32, u32)>,
    cost: i64,
    /// (limit, units), where it takes any.
    uses: Vec<(usize, i64)>,
}

impl Row {
    fn price(&self, prices: &Prices) -> i64 {
        let taken = self.uses.iter().map(|&(k, u)| i128::from(prices.of[k]) * i128::from(u));
        let price = (i128::from(self.cost) << prices.shift) + taken.sum::<i128>();
        i64::try_from(price).unwrap_or(i64::MAX)
    }

    /// Whether it takes no more of any limit.
    fn takes_no_more(&self, other: &Self) -> bool {
        let of_other = |k: usize| other.uses.iter().find(|u| u.0 == k).map_or(0, |u| u.1);
        self.uses.iter().all(|&(k, taken)| taken <= of_other(k))
    }
}

/// What is left to choose from.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    /// By server.
    rows: Vec<Arc<[Arc<Row>]>>,
    /// Plans from this cost on, in units, were not looked at.
    pub goal: i64,
}

impl Pool {
    /// Lists what a plan below `goal` may use that keeps `held`; `None` where that is too much.
    pub fn list(exact: &Exact<'_>, held: &Sides<'_>, point: &Point, goal: i64) -> Option<Self> {
        let (slack, mut count) = (point.slack(goal), 0);
        let mut rows = Vec::with_capacity(point.least.len());
        for (s, least) in point.least.iter().enumerate() {
            let budget = least.bound.saturating_add(slack);
            let listed = exact.list(s, &point.prices, held.of(s), budget, LISTED)?;
            let row = |(_, mut mix): (i64, Vec<(u32, u32)>)| {
                mix.sort_unstable();
                let cost = exact.numbers.cost(exact.space, s, &mix);
                let limits = 0..exact.numbers.capacity.len();
                let uses = limits.map(|k| (k, exact.numbers.uses(exact.space, s, &mix, k)));
                Row { cost, uses: uses.filter(|u| u.1 != 0).collect(), mix }
            };
            let kept = unbeaten(listed.into_iter().map(row).collect());
            count += kept.len();
            if count > KEPT {
                return None;
            }
            rows.push(kept.into_iter().map(Arc::new).collect());
        }
        Some(Self { rows, goal })
    }

    /// What is left of it at a node below.
    pub fn within(&self, held: &Sides<'_>, point: &Point, goal: i64) -> Self {
        let (slack, goal) = (point.slack(goal), goal.min(self.goal));
        let of_server = |(s, rows): (usize, &Arc<[Arc<Row>]>)| {
            let most = point.least[s].bound.saturating_add(slack);
            let stays =
                |row: &&Arc<Row>| row.price(&point.prices) <= most && keeps(&row.mix, held.of(s));
            match rows.iter().all(|row| stays(&row)) {
                true => rows.clone(),
                false => rows.iter().filter(stays).cloned().collect(),
            }
        };
        Self { rows: self.rows.iter().enumerate().map(of_server).collect(), goal }
    }

    /// Those of a server.
    pub fn of(&self, s: usize) -> &[Arc<Row>] {
        &self.rows[s]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.iter().map(|rows| rows.len()).sum()
    }

    /// The cheapest pattern of a server that keeps `held`; `None` where there is none.
    pub fn least(&self, s: usize, prices: &Prices, held: &[Held]) -> Option<Least> {
        let rows = self.rows[s].iter().filter(|row| keeps(&row.mix, held));
        let (price, row) = rows.map(|row| (row.price(prices), row)).min_by_key(|of| of.0)?;
        Some(Least { bound: price, mix: Some((price, row.mix.clone())) })
    }
}

/// What servers are held to at a node.
pub(super) struct Sides<'a>(pub &'a super::AllHeld);

impl<'a> Sides<'a> {
    pub fn of(&self, s: usize) -> &'a [Held] {
        self.0.get(&s).map_or(&[], Vec::as_slice)
    }
}

/// Whether a mix keeps what its server is held to.
pub(super) fn keeps(mix: &[(u32, u32)], held: &[Held]) -> bool {
    held.iter().all(|held| {
        let n = mix.iter().find(|share| share.0 == held.item).map_or(0, |share| u64::from(share.1));
        held.least <= n && n <= held.most
    })
}

/// Those that no other beats; of several that come to the same, the first by its mix.
fn unbeaten(mut rows: Vec<Row>) -> Vec<Row> {
    let taken = |row: &Row| row.uses.iter().map(|u| i128::from(u.1)).sum::<i128>();
    rows.sort_by_cached_key(|row| (row.cost, taken(row), row.mix.clone()));
    let mut kept: Vec<Row> = Vec::new();
    for row in rows {
        if !kept.iter().any(|known| known.takes_no_more(&row)) {
            kept.push(row);
        }
    }
    kept
}
