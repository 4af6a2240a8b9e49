//! Few servers and hardly enough cards: a dynamic program over what is taken of the scarcest limits.
//!
//! ```text
//! sets        H  limits that are counted: the up to three with the dearest units
//!             W  limits that are watched: the other scarce ones, priced at lambda on the way
//! states      t  what some servers take of H
//!
//! T_i(t)      least price, above that of the bound, at which the first i servers take exactly t
//! plan        V + T_n(C_H) is a bound; the plans within V + delta are found from the last server to
//!             the first, with T_i to say what the rest costs at least
//! ```
//!
//! The bound `V` of column generation is that of a plan with fractions of patterns. Where a unit of
//! a limit costs more than the gap, every plan of worth uses that limit up to the last card, and what
//! keeps the bound from the optimum is that whole patterns seldom add up so. Here they have to: only
//! the limits in `W` are still relaxed while the tables are made, and watched when plans are built.
//!
//! The tables hold every total that is within `delta` of the bound: few, where servers are few or few
//! limits are scarce. One server may have more patterns than can be listed; see [`split`]. Everything
//! is counted in the whole numbers of [`super::numbers`]. Where tables grow too large it gives up, and
//! says nothing that is not proven.

pub mod counter;
mod labels;
mod split;
pub mod table;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use self::counter::{COUNTED, Counter};
use self::labels::{Class, Found, Label};
use self::split::Split;
use self::table::{Table, tables};
use super::certificate::Node;
use super::column::Pattern;
use super::cover::search::Most;
use super::cover::{DEAR, Mix};
use super::exact::{Exact, Root};
use super::numbers::Prices;
use super::state::State;

/// Limits that are watched, at most.
const SOFT: usize = 6;
/// What is listed of one server, at most.
const LISTED: Most = Most { patterns: 20_000, nodes: 3_000_000 };
/// Patterns of all servers, at most.
const ALL: usize = 200_000;
/// First guess of the gap as a share of a server's mean cost, and by what it grows.
const FIRST: f64 = 0.01;
const GROWTH: f64 = 1.5;

/// The scarce limits with the dearest units, as many as can be counted.
pub fn scarcest(exact: &Exact<'_>, prices: &Prices) -> Vec<usize> {
    let countable = |k: &usize| Counter::new(&exact.numbers, &[*k]).is_some();
    let scarce = (0..prices.of.len()).filter(|&k| prices.of[k] > 0).filter(countable);
    let mut limits: Vec<usize> = scarce.collect();
    limits.sort_by_key(|&k| (std::cmp::Reverse(prices.of[k]), k));
    limits.truncate(COUNTED);
    limits
}

/// What is counted and what is watched.
struct Counted {
    counter: Counter,
    soft: Vec<usize>,
    prices: [i64; SOFT],
    capacity: [i64; SOFT],
}

impl Counted {
    /// `None` where the limits do not lend themselves to it.
    fn new(exact: &Exact<'_>, prices: &Prices, scarce: &[usize]) -> Option<Self> {
        let hard = scarcest(exact, prices);
        let soft: Vec<usize> = scarce.iter().copied().filter(|k| !hard.contains(k)).collect();
        if hard.is_empty() || soft.len() > SOFT {
            return None;
        }
        let of_soft =
            |values: &[i64]| std::array::from_fn(|i| soft.get(i).map_or(0, |&k: &usize| values[k]));
        Some(Self {
            counter: Counter::new(&exact.numbers, &hard)?,
            prices: of_soft(&prices.of),
            capacity: of_soft(&exact.numbers.capacity),
            soft,
        })
    }

    fn soft_of(&self, exact: &Exact<'_>, s: usize, shares: &[(u32, u32)]) -> [i64; SOFT] {
        let uses = |k: usize| exact.numbers.uses(exact.space, s, shares, k);
        std::array::from_fn(|i| self.soft.get(i).map_or(0, |&k| uses(k)))
    }

    fn soft_worth(&self, soft: &[i64; SOFT]) -> i128 {
        let worth = |(u, l): (&i64, &i64)| i128::from(*u) * i128::from(*l);
        soft.iter().zip(&self.prices).map(worth).sum()
    }

    fn is_within(&self, soft: &[i64; SOFT]) -> bool {
        soft.iter().zip(&self.capacity).all(|(u, c)| u <= c)
    }

    /// What a label costs, the watched limits free of charge.
    fn cost(&self, label: &Label) -> i128 {
        i128::from(label.reduced) - self.soft_worth(&label.soft)
    }

    /// The classes of a server's mixes, in the order of their reduced costs; of mixes that take the same
    /// the first.
    fn classes(&self, exact: &Exact<'_>, s: usize, list: &[Mix], least: i64) -> Vec<Class> {
        let class = |(pattern, (price, shares)): (usize, &Mix)| {
            let uses = |k: usize| exact.numbers.uses(exact.space, s, shares, k);
            let count = self.counter.count(uses)?;
            let soft = self.soft_of(exact, s, shares);
            // What is too dear to count with stays a number where it is added to others.
            let reduced = price.saturating_sub(least).min(DEAR);
            Some(Class { count, soft, reduced, pattern })
        };
        let mut classes: Vec<Class> = list.iter().enumerate().filter_map(class).collect();
        classes.sort_by_key(|class| (class.reduced, class.pattern));
        let mut known: FxHashSet<(u64, [i64; SOFT])> = FxHashSet::default();
        classes.retain(|class| known.insert((class.count, class.soft)));
        classes
    }
}

/// A server, the price of its cheapest pattern, and its patterns, unless they are too many.
struct Choices {
    server: usize,
    least: i64,
    list: Option<Vec<Mix>>,
}

impl State<'_> {
    /// The optimum, found within larger and larger guesses of the gap, or a better bound.
    pub(super) fn by_totals(&mut self, root: &Root) {
        let mean = root.value as f64 / root.least.len().max(1) as f64;
        // Sums of two gaps have to stay numbers.
        let mut guess = ((FIRST * mean.abs()) as i64).clamp(1, DEAR);
        while !self.is_proven() && !self.clock.is_over() && self.ablation.totals {
            // A cheaper plan is cheaper by a whole unit.
            let enough = self.enough(root);
            let delta = enough.map_or(guess, |enough| enough.min(guess)).max(0);
            if delta >= self.too_wide {
                break;
            }
            let Some(hint) = self.totals_within(root, delta, LISTED) else {
                self.too_wide = delta;
                break;
            };
            let wider = (guess as f64 * GROWTH).ceil() as i64;
            let hinted = hint.saturating_add(delta / 10);
            guess = if hinted as f64 <= GROWTH * wider as f64 { wider.max(hinted) } else { wider };
            if i128::from(guess) > root.value.abs().min(i128::from(DEAR)) {
                break;
            }
        }
    }

    /// The gap, in the unit of the prices, within which a cheaper plan has to be.
    fn enough(&self, root: &Root) -> Option<i64> {
        let below = i128::from(self.incumbent.as_ref()?.units - 1) << root.prices.shift;
        i64::try_from(below - root.value).ok()
    }

    /// Finds the cheapest plan of cost `V + delta` at most, or shows that there is none; `None` where
    /// it would take too much. The number is a gap at which there may be one.
    fn totals_within(&mut self, root: &Root, delta: i64, most: Most) -> Option<i64> {
        let mut scarce: Vec<usize> =
            (0..root.prices.of.len()).filter(|&k| root.prices.of[k] > 0).collect();
        loop {
            let exact = self.exact.clone();
            let search = Search::new(&exact, root, delta, &scarce, most)?;
            let tables = search.tables(&|| self.clock.is_over())?;
            let roots = search.roots(tables.last()?);
            let node = || Node::totals(&root.prices, &search.counted.counter.limits, &scarce);
            self.raise(root.after(roots.least.min(delta.saturating_add(1))), node);
            let least = roots.least;
            let Some(found) = search.plan(&tables, roots)? else {
                self.raise(root.after(delta.saturating_add(1)), node);
                return Some(least);
            };
            match self.overused(&found) {
                Some(k) if scarce.contains(&k) => return None,
                Some(k) => scarce.push(k),
                None => {
                    let cost = self.units(&found);
                    self.offer(found);
                    self.raise(cost.min(root.after(delta.saturating_add(1))), node);
                    return Some(least);
                }
            }
        }
    }
}
/// A search for the cheapest plan within `V + delta`.
struct Search<'a> {
    exact: &'a Exact<'a>,
    counted: Counted,
    prices: &'a Prices,
    delta: i64,
    /// Servers with their patterns, those with few first, the one with the most apart.
    listed: Vec<Choices>,
    classes: Vec<Vec<Class>>,
    /// The server with the most patterns: it needs no table.
    most: Choices,
    split: Option<Split<'a>>,
}

/// What the search for a plan begins with.
struct Roots {
    /// `T_n(C_H)`.
    least: i64,
    labels: Vec<Label>,
    /// The patterns of the server with the most that the labels begin with.
    patterns: Vec<Vec<(u32, u32)>>,
}

impl<'a> Search<'a> {
    fn new(
        exact: &'a Exact<'a>,
        root: &'a Root,
        delta: i64,
        scarce: &[usize],
        most: Most,
    ) -> Option<Self> {
        let prices = &root.prices;
        let counted = Counted::new(exact, prices, scarce)?;
        let choices = |(server, &least): (usize, &i64)| {
            let budget = least.saturating_add(delta);
            let list = exact.list(server, prices, &[], budget, most);
            let list = list.map(|list| unbeaten(exact, server, list, scarce));
            Choices { server, least, list }
        };
        let mut listed: Vec<Choices> = root.least.par_iter().enumerate().map(choices).collect();
        listed.sort_by_key(|c| c.list.as_ref().map_or(usize::MAX, Vec::len));
        let most = listed.pop()?;
        let all: usize = listed.iter().filter_map(|c| Some(c.list.as_ref()?.len())).sum();
        if listed.iter().any(|c| c.list.is_none()) || all > ALL + listed.len() {
            return None;
        }
        let split = match most.list {
            Some(_) => None,
            None => Some(Split::new(exact, most.server, prices, most.least, delta, &counted)?),
        };
        let classes =
            |c: &Choices| Some(counted.classes(exact, c.server, c.list.as_deref()?, c.least));
        let classes = listed.iter().filter_map(classes).collect();
        Some(Self { exact, prices, delta, classes, listed, most, split, counted })
    }

    fn tables(&self, is_over: &dyn Fn() -> bool) -> Option<Vec<Table>> {
        let counts = |classes: &Vec<Class>| {
            let mut least = Table::default();
            for class in classes {
                least.entry(class.count).or_insert(class.reduced);
            }
            let mut counts: Vec<(u64, i64)> = least.into_iter().collect();
            counts.sort_unstable_by_key(|count| (count.1, count.0));
            counts
        };
        let servers: Vec<Vec<(u64, i64)>> = self.classes.iter().map(counts).collect();
        tables(&self.counted.counter, self.prices, &servers, self.delta, is_over)
    }

    /// The labels of the server with the most patterns.
    fn roots(&self, table: &Table) -> Roots {
        let mut roots = Roots { least: DEAR, labels: Vec::new(), patterns: Vec::new() };
        let Some(split) = &self.split else {
            self.add(&mut roots, table, self.most.list.as_deref().unwrap_or_default());
            return roots;
        };
        let counter = &self.counted.counter;
        let mut rests: Vec<(u64, i64)> = table.iter().map(|(&left, &rest)| (left, rest)).collect();
        rests.sort_unstable_by_key(|rest| rest.0);
        for (left, rest) in rests {
            let Some(count) = counter.less(counter.capacity, left) else { continue };
            let least = split.reduced_cost(counter, count) + rest;
            roots.least = roots.least.min(least);
            if least <= self.delta {
                self.add(&mut roots, table, &split.list(counter, count, self.delta - rest));
            }
        }
        roots
    }

    fn add(&self, roots: &mut Roots, table: &Table, list: &[Mix]) {
        let counter = &self.counted.counter;
        for class in self.counted.classes(self.exact, self.most.server, list, self.most.least) {
            let Some(left) = counter.less(counter.capacity, class.count) else { continue };
            let Some(rest) = table.get(&left) else { continue };
            roots.least = roots.least.min(class.reduced + rest);
            if class.reduced + rest <= self.delta {
                let Class { soft, reduced, pattern, .. } = class;
                let from = (0, roots.patterns.len());
                roots.labels.push(Label { left, soft, reduced, from });
                roots.patterns.push(list[pattern].1.clone());
            }
        }
    }

    /// The cheapest plan; `None` inside where there is none within `delta`, outside where the search
    /// takes too much.
    fn plan(&self, tables: &[Table], roots: Roots) -> Option<Option<Vec<Pattern>>> {
        let Roots { labels, patterns, .. } = roots;
        let found = labels::cheapest(&self.counted, tables, &self.classes, labels, self.delta);
        let chosen = match found {
            Found::Plan(chosen) => chosen,
            Found::Nothing => return Some(None),
            Found::TooMany => return None,
        };
        let mut plan = vec![(self.most.server, patterns[chosen[0]].clone())];
        for (choices, &at) in self.listed.iter().rev().zip(&chosen[1..]) {
            plan.push((choices.server, choices.list.as_ref()?[at].1.clone()));
        }
        plan.sort_by_key(|placed| placed.0);
        let pattern = |(s, shares)| Pattern::new(self.exact.space, s, shares);
        Some(Some(plan.into_iter().map(pattern).collect()))
    }
}

/// Leaves the mixes that no other beats in cost and in every one of `limits`.
fn unbeaten(exact: &Exact<'_>, s: usize, list: Vec<Mix>, limits: &[usize]) -> Vec<Mix> {
    let (numbers, space) = (&exact.numbers, exact.space);
    let weighed = list.into_iter().map(|mix| {
        let uses: Vec<i64> = limits.iter().map(|&k| numbers.uses(space, s, &mix.1, k)).collect();
        (numbers.cost(space, s, &mix.1), uses, mix)
    });
    let mut weighed: Vec<(i64, Vec<i64>, Mix)> = weighed.collect();
    weighed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.2.1.cmp(&b.2.1)));
    let mut kept: Vec<(i64, Vec<i64>, Mix)> = Vec::new();
    for new in weighed {
        if !kept.iter().any(|k| k.1.iter().zip(&new.1).all(|(a, b)| a <= b)) {
            kept.push(new);
        }
    }
    kept.into_iter().map(|kept| kept.2).collect()
}
