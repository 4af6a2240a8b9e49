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
//! It is for few servers: the tables hold every total that is within `delta` of the bound. One server
//! may have more patterns than can be listed; see [`split`]. Where tables grow too large it gives up,
//! and says nothing that is not proven.

pub(super) mod counter;
mod labels;
mod split;
pub(super) mod table;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use self::counter::{COUNTED, Counter};
use self::labels::{Class, Found, Label};
use self::split::Split;
use self::table::{Table, tables};
use super::column::Pattern;
use super::core::Offer;
use super::dual::{Dual, Part};
use super::pricing::{self, Most};
use super::space::Space;
use super::state::State;

/// Limits that are watched, at most.
const SOFT: usize = 6;
/// Servers, at most.
const SERVERS: usize = 64;
/// What is listed of one server, at most.
const LISTED: Most = Most { patterns: 20_000, nodes: 3_000_000 };
/// First guess of the gap as a share of a server's mean cost, and by what it grows.
const FIRST: f64 = 0.01;
const GROWTH: f64 = 1.5;

/// The scarce limits with the dearest units, as many as can be counted.
pub(super) fn scarcest(space: &Space<'_>, part: &Part, dual: &Dual) -> Vec<usize> {
    let counter = |k: usize| Counter::new(space, &part.capacity, &[k]);
    let scarce = (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 1e-9);
    let mut worth: Vec<(f64, usize)> =
        scarce.filter_map(|k| Some((counter(k)?.worth(0, &dual.lambda), k))).collect();
    worth.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    worth.into_iter().take(COUNTED).map(|w| w.1).collect()
}

/// What is counted and what is watched.
struct Counted {
    counter: Counter,
    soft: Vec<usize>,
    lambda: [f64; SOFT],
    capacity: [f64; SOFT],
}

impl Counted {
    /// `None` where the limits do not lend themselves to it.
    fn new(space: &Space<'_>, part: &Part, dual: &Dual, scarce: &[usize]) -> Option<Self> {
        let hard = scarcest(space, part, dual);
        let soft: Vec<usize> = scarce.iter().copied().filter(|k| !hard.contains(k)).collect();
        if hard.is_empty() || soft.len() > SOFT {
            return None;
        }
        let of_soft = |values: &[f64]| {
            std::array::from_fn(|i| soft.get(i).map_or(0.0, |&k: &usize| values[k]))
        };
        Some(Self {
            counter: Counter::new(space, &part.capacity, &hard)?,
            lambda: of_soft(&dual.lambda),
            capacity: of_soft(&part.capacity),
            soft,
        })
    }

    fn soft_of(&self, uses: &[f64]) -> [f64; SOFT] {
        std::array::from_fn(|i| self.soft.get(i).map_or(0.0, |&k| uses[k]))
    }

    fn soft_worth(&self, soft: &[f64; SOFT]) -> f64 {
        soft.iter().zip(&self.lambda).map(|(u, l)| u * l).sum()
    }

    fn is_within(&self, soft: &[f64; SOFT]) -> bool {
        soft.iter().zip(&self.capacity).all(|(u, c)| *u <= c * (1.0 + 1e-12))
    }

    /// What a label costs, the watched limits free of charge.
    fn cost(&self, label: &Label) -> f64 {
        label.reduced - self.soft_worth(&label.soft)
    }

    /// The classes of a list, in the order of their reduced costs.
    fn classes(&self, list: &[Pattern], lambda: &[f64], least: f64) -> Vec<Class> {
        let class = |(pattern, p): (usize, &Pattern)| {
            Some(Class {
                count: self.counter.count(&p.uses)?,
                soft: self.soft_of(&p.uses),
                reduced: (p.price(lambda) - least).max(0.0),
                pattern,
            })
        };
        let mut classes: Vec<Class> = list.iter().enumerate().filter_map(class).collect();
        classes.sort_by(|a, b| a.reduced.total_cmp(&b.reduced).then(a.pattern.cmp(&b.pattern)));
        classes
    }
}

/// A server, the price of its cheapest pattern, and its patterns, unless they are too many.
struct Choices {
    server: usize,
    least: f64,
    list: Option<Vec<Pattern>>,
}

impl State<'_> {
    /// Whether totals are worth trying: servers are few, and a core would carry the replicas of some.
    pub(super) fn suits_totals(&self, offers: &[Offer]) -> bool {
        let is_open = |offer: &Offer| matches!(offer, Offer::Open { .. });
        self.devices.totals && offers.len() <= SERVERS && offers.iter().any(is_open)
    }

    /// The optimum, found within larger and larger guesses of the gap, or a better bound.
    pub(super) fn by_totals(&mut self, part: &Part, dual: &Dual) {
        let mean = dual.bound.abs() / part.servers.len().max(1) as f64;
        let mut guess = (FIRST * mean).max((self.bound - dual.bound) * GROWTH);
        while !self.is_proven() && !self.clock.is_over() && guess <= dual.bound.abs() {
            // A cheaper plan is cheaper by a whole step.
            let enough = self.cost() - self.step() - dual.bound;
            let delta = guess.min(enough).max(0.0);
            if delta >= self.too_wide {
                break;
            }
            let Some(hint) = self.totals_within(part, dual, delta, LISTED) else {
                self.too_wide = delta;
                break;
            };
            if enough <= delta {
                self.bound = self.bound.max(self.cost());
            }
            self.report();
            guess *= GROWTH;
            if hint <= GROWTH * guess {
                guess = guess.max(hint + 0.1 * delta);
            }
        }
    }

    /// Finds the cheapest plan of cost `V + delta` at most, or shows that there is none; `None` where
    /// it would take too much. The number is a gap at which there may be one.
    fn totals_within(&mut self, part: &Part, dual: &Dual, delta: f64, most: Most) -> Option<f64> {
        let mut scarce: Vec<usize> =
            (0..dual.lambda.len()).filter(|&k| dual.lambda[k] > 0.0).collect();
        loop {
            let search = Search::new(self, part, dual, delta, &scarce, most)?;
            let tables = search.tables(&|| self.clock.is_over())?;
            let roots = search.roots(tables.last()?);
            self.bound = self.bound.max((dual.bound + roots.least.min(delta)).min(self.cost()));
            self.report();
            let least = roots.least;
            let Some(found) = search.plan(&tables, roots)? else {
                self.bound = self.bound.max((dual.bound + delta).min(self.cost()));
                return Some(least);
            };
            match self.overused(&found) {
                Some(k) if scarce.contains(&k) => return None,
                Some(k) => scarce.push(k),
                None => {
                    let cost: f64 = found.iter().map(|p| p.cost).sum();
                    self.offer(found);
                    self.bound = self.bound.max(cost.min(dual.bound + delta).min(self.cost()));
                    return Some(least);
                }
            }
        }
    }
}

/// A search for the cheapest plan within `V + delta`.
struct Search<'a> {
    counted: Counted,
    lambda: &'a [f64],
    /// Rounding included.
    delta: f64,
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
    least: f64,
    labels: Vec<Label>,
    /// The patterns of the server with the most that the labels begin with.
    patterns: Vec<Pattern>,
}

impl<'a> Search<'a> {
    fn new(
        state: &State<'a>,
        part: &Part,
        dual: &'a Dual,
        delta: f64,
        scarce: &[usize],
        listed: Most,
    ) -> Option<Self> {
        let (space, lambda) = (state.space, &dual.lambda[..]);
        let counted = Counted::new(space, part, dual, scarce)?;
        let delta = delta + 1e-9 * dual.bound.abs().max(1.0);
        let choices = |&server: &usize| {
            let least = pricing::cheapest(space, server, lambda)?.bound;
            let list = pricing::list(space, server, lambda, least + delta, listed);
            let list = list.map(|list| state.prune(list, scarce));
            Some(Choices { server, least, list })
        };
        let all: Option<Vec<Choices>> = part.servers.par_iter().map(choices).collect();
        let mut listed = all?;
        listed.sort_by_key(|c| c.list.as_ref().map_or(usize::MAX, Vec::len));
        let most = listed.pop()?;
        if listed.iter().any(|c| c.list.is_none()) {
            return None;
        }
        let split = match most.list {
            Some(_) => None,
            None => Some(Split::new(space, most.server, lambda, most.least, delta, &counted)?),
        };
        let classes = |c: &Choices| Some(counted.classes(c.list.as_deref()?, lambda, c.least));
        let classes = listed.iter().filter_map(classes).collect();
        Some(Self { lambda, delta, classes, listed, most, split, counted })
    }

    fn tables(&self, is_over: &dyn Fn() -> bool) -> Option<Vec<Table>> {
        let counts = |classes: &Vec<Class>| {
            let mut least = Table::default();
            for class in classes {
                least.entry(class.count).or_insert(class.reduced);
            }
            let mut counts: Vec<(u64, f64)> = least.into_iter().collect();
            counts.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            counts
        };
        let servers: Vec<Vec<(u64, f64)>> = self.classes.iter().map(counts).collect();
        tables(&self.counted.counter, self.lambda, &servers, self.delta, is_over)
    }

    /// The labels of the server with the most patterns.
    fn roots(&self, table: &Table) -> Roots {
        let mut roots = Roots { least: f64::INFINITY, labels: Vec::new(), patterns: Vec::new() };
        let (counter, lambda) = (&self.counted.counter, self.lambda);
        let add = |roots: &mut Roots, list: &[Pattern]| {
            for class in self.counted.classes(list, lambda, self.most.least) {
                let Some(left) = counter.less(counter.capacity, class.count) else { continue };
                let Some(rest) = table.get(&left) else { continue };
                roots.least = roots.least.min(class.reduced + rest);
                if class.reduced + rest <= self.delta {
                    let Class { soft, reduced, pattern, .. } = class;
                    let from = (0, roots.patterns.len());
                    roots.labels.push(Label { left, soft, reduced, from });
                    roots.patterns.push(list[pattern].clone());
                }
            }
        };
        let Some(split) = &self.split else {
            add(&mut roots, self.most.list.as_deref().unwrap_or_default());
            return roots;
        };
        let mut rests: Vec<(u64, f64)> = table.iter().map(|(&left, &rest)| (left, rest)).collect();
        rests.sort_unstable_by_key(|rest| rest.0);
        for (left, rest) in rests {
            let Some(count) = counter.less(counter.capacity, left) else { continue };
            let least = split.reduced_cost(counter, count) + rest;
            roots.least = roots.least.min(least);
            if least <= self.delta {
                add(&mut roots, &split.list(counter, count, self.delta - rest));
            }
        }
        roots
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
            plan.push((choices.server, choices.list.as_ref()?[at].clone()));
        }
        plan.sort_by_key(|placed| placed.0);
        Some(Some(plan.into_iter().map(|placed| placed.1).collect()))
    }
}
