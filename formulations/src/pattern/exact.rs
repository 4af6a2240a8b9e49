//! Exact pricing: the cheapest pattern of a server at whole prices, and what its items may be held to.

use rayon::prelude::*;

use super::column::Shape;
use super::cover::search::{self, Best, Most};
use super::cover::{Cover, Mix, table};
use super::numbers::{Numbers, Prices};
use super::space::Space;

/// What a server's replicas of an item are held to, at a node of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Index of the item.
    pub item: u32,
    /// Fewest replicas.
    pub least: u64,
    /// Most replicas.
    pub most: u64,
}

/// The least price of a server.
#[derive(Debug, Clone)]
pub struct Least {
    /// No pattern is cheaper, in the unit of the prices.
    pub bound: i64,
    /// The cheapest pattern that was met, if any was: its price, and (index of item, replicas).
    pub mix: Option<Mix>,
}

/// A space and its whole numbers.
#[derive(Debug, Clone)]
pub struct Exact<'a> {
    /// The patterns.
    pub space: &'a Space<'a>,
    /// Their numbers.
    pub numbers: Numbers,
}

impl<'a> Exact<'a> {
    /// That of `space`.
    pub fn new(space: &'a Space<'a>) -> Self {
        Self { space, numbers: Numbers::new(space) }
    }

    /// The same with replicas free of charge.
    pub fn free(&self) -> Self {
        Self { space: self.space, numbers: self.numbers.free() }
    }

    /// The least price of server `s`; `None` where it has no pattern.
    pub fn least(&self, s: usize, prices: &Prices, held: &[Held]) -> Option<Least> {
        self.least_but(s, prices, held, 0)
    }

    /// The same, told at most `same` below what it is.
    pub fn least_but(&self, s: usize, prices: &Prices, held: &[Held], same: i64) -> Option<Least> {
        let cover = self.cover(s, prices, held);
        if self.space.needs(s).is_idle() {
            return Some(Least { bound: cover.base, mix: Some((cover.base, Vec::new())) });
        }
        let known = self.alone(s, &cover).min_by_key(|mix| mix.0);
        if self.space.shape == Shape::Single {
            return known.map(|mix| Least { bound: mix.0, mix: Some(mix) });
        }
        let Best { mix, bound } = search::cheapest(&cover, known, same);
        let known = mix.as_ref().map_or(i64::MAX, |mix| mix.0);
        if bound < known.saturating_sub(same)
            && let Some(mix) = table::cheapest(&cover, known)
        {
            return Some(Least { bound: mix.0, mix: Some(mix) });
        }
        (bound < i64::MAX).then_some(Least { bound, mix })
    }

    /// What the limits alone hold the replicas of server `s` to, where that is fewer than it could use.
    pub fn room(&self, s: usize) -> Vec<Held> {
        let (needs, items) = (self.space.needs(s), self.space.items(s));
        let room = |j: usize| self.numbers.room(needs.group, j);
        let held = |j: usize| Held { item: j as u32, least: 0, most: room(j) };
        (0..items.len()).filter(|&j| room(j) < needs.most(&items[j])).map(held).collect()
    }

    /// Every minimal mix of server `s` of a price of at most `budget`, with its price; `None` where they
    /// are more than `most`, or take too long to find.
    pub fn list(
        &self,
        s: usize,
        prices: &Prices,
        held: &[Held],
        budget: i64,
        most: Most,
    ) -> Option<Vec<Mix>> {
        let cover = self.cover(s, prices, held);
        if self.space.needs(s).is_idle() {
            return Some(vec![(cover.base, Vec::new())]);
        }
        if self.space.shape == Shape::Single {
            return Some(self.alone(s, &cover).filter(|mix| mix.0 <= budget).collect());
        }
        let listed = search::list(&cover, budget, most)?;
        let priced = |shares: Vec<(u32, u32)>| Some((cover.price(&shares)?, shares));
        Some(listed.into_iter().filter_map(priced).collect())
    }

    /// The mixes of server `s` on one item alone.
    fn alone<'b>(&'b self, s: usize, cover: &'b Cover) -> impl Iterator<Item = Mix> + 'b {
        let needs = self.space.needs(s);
        self.space.items(s).iter().enumerate().filter_map(move |(j, item)| {
            let n = u32::try_from(needs.replicas(item)?).ok()?;
            let shares = vec![(j as u32, n)];
            Some((cover.price(&shares)?, shares))
        })
    }

    fn cover(&self, s: usize, prices: &Prices, held: &[Held]) -> Cover {
        let mut cover = self.numbers.cover(self.space, s, prices);
        for held in held {
            let entry = &mut cover.entries[held.item as usize];
            (entry.least, entry.most) = (held.least, entry.most.min(held.most));
        }
        cover
    }

    /// `V` and its parts at `lambda`, cents for a unit of what each limit counts; `None` where a server
    /// has no pattern.
    pub fn root(&self, lambda: &[f64]) -> Option<Root> {
        let servers = 0..self.space.problem.servers.len();
        let most = servers.clone().map(|s| self.numbers.most(self.space, s)).max().unwrap_or(0);
        let prices = self.numbers.prices(lambda, self.numbers.shift(most));
        let least = |s: usize| self.least(s, &prices, &[]);
        let priced: Vec<Least> = servers.into_par_iter().map(least).collect::<Option<_>>()?;
        let least: Vec<i64> = priced.iter().map(|l| l.bound).collect();
        let value = least.iter().map(|l| i128::from(*l)).sum::<i128>() - self.there(&prices);
        let mixes = priced.into_iter().map(|l| Some(l.mix?.1)).collect();
        Some(Root { prices, value, least, mixes })
    }

    /// `sum_k l_k C_k`.
    pub fn there(&self, prices: &Prices) -> i128 {
        let worth = |(l, c): (&i64, &i64)| i128::from(*l) * i128::from(*c);
        prices.of.iter().zip(&self.numbers.capacity).map(worth).sum()
    }
}

/// A Lagrangian bound and what it is made of.
#[derive(Debug, Clone)]
pub struct Root {
    /// Its prices.
    pub prices: Prices,
    /// `V`, in their unit.
    pub value: i128,
    /// What each server's patterns cost at least, in the same.
    pub least: Vec<i64>,
    /// The cheapest patterns, where one was met for every server.
    pub mixes: Option<Vec<Vec<(u32, u32)>>>,
}

impl Root {
    /// No plan whose price is `delta` or more above the bound costs less than this, in units of cost.
    pub fn after(&self, delta: i64) -> i64 {
        whole(self.value + i128::from(delta), self.prices.shift)
    }
}

/// `value` in units of `2^shift`, rounded up.
pub fn whole(value: i128, shift: u32) -> i64 {
    let units = (value + (1 << shift) - 1) >> shift;
    i64::try_from(units).unwrap_or(if units < 0 { i64::MIN + 1 } else { i64::MAX - 1 })
}
