//! Pricing: the cheapest pattern of a server at given prices of the limits.
//!
//! At prices `lambda` an item costs `p_j = c_j + sum_k lambda_k u_jk`, and the pricing problem of
//! a server is the covering knapsack of [`super::cover`]. Here prices are any numbers, rounded to whole
//! ones of a unit so small that it does not show: what is found guides a search. What proves a bound is
//! priced by [`super::exact`], from prices that are whole to begin with.

use crate::pattern::column::{Pattern, Shape};
use crate::pattern::cover::search::{self, Best};
use crate::pattern::cover::{Cover, DEAR};
use crate::pattern::space::Space;

pub use crate::pattern::cover::search::Most;

/// The cheapest pattern found and a lower bound on the price of any.
#[derive(Debug, Clone)]
pub struct Priced {
    /// The cheapest pattern found.
    pub pattern: Pattern,
    /// Its price.
    pub price: f64,
    /// No pattern is cheaper than this; equal to `price` unless the search was cut short.
    pub bound: f64,
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
    let scaled = Scaled::new(space, s, lambda, alone.as_ref().map(|p| p.price(lambda)));
    let known = alone.and_then(|p| Some((scaled.cover.price(&p.shares)?, p.shares.to_vec())));
    // Prices that differ by rounding alone are the same price.
    let same = known.as_ref().map_or(0, |known| known.0 >> 40);
    let Best { mix, bound } = search::cheapest(&scaled.cover, known, same);
    let (least, shares) = mix?;
    let pattern = Pattern::new(space, s, shares);
    let price = pattern.price(lambda);
    let complete = bound >= least - same;
    Some(Priced { pattern, price, bound: if complete { price } else { scaled.cents(bound) } })
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
    let scaled = Scaled::new(space, s, lambda, Some(budget));
    let shares = search::list(&scaled.cover, scaled.whole(budget).saturating_add(1), most)?;
    Some(shares.into_iter().map(|shares| Pattern::new(space, s, shares)).collect())
}

/// The patterns of server `s` on one item alone.
pub(super) fn alone<'a>(space: &'a Space<'_>, s: usize) -> impl Iterator<Item = Pattern> + 'a {
    let needs = space.needs(s);
    let items = if needs.min_types > 1 { &[] } else { space.items(s) };
    items.iter().enumerate().filter_map(move |(j, item)| {
        let n = needs.replicas(item).filter(|_| space.fits(item))?;
        Some(Pattern::new(space, s, vec![(j as u32, u32::try_from(n).ok()?)]))
    })
}

fn cheapest_alone(space: &Space<'_>, s: usize, lambda: &[f64]) -> Option<Pattern> {
    let priced = alone(space, s).map(|p| (p.price(lambda), p));
    priced.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, p)| p)
}

/// A server's knapsack at prices in whole numbers.
struct Scaled {
    cover: Cover,
    /// Units to a cent.
    factor: f64,
    /// What is charged in any case, cents/h; the knapsack leaves it out.
    base: f64,
}

impl Scaled {
    /// Prices up to `most`, or, where that is not known, up to that of any minimal mix, can be told.
    fn new(space: &Space<'_>, s: usize, lambda: &[f64], most: Option<f64>) -> Self {
        let (needs, items, charges) = (space.needs(s), space.items(s), space.charges(s));
        let prices = space.prices(s, &charges, lambda);
        let gone = if charges.now.is_none() { charges.give_up } else { 0.0 };
        let move_price = charges.moves.map_or(0.0, |k| lambda[k]);
        let most = most.filter(|most| most.is_finite()).map(|most| most - charges.base);
        let most = most.unwrap_or_else(|| {
            let of_item = |(price, item)| price * needs.replicas(item).unwrap_or(1 << 20) as f64;
            let mixes: f64 = prices.iter().zip(items).map(of_item).sum();
            mixes + charges.give_up + move_price
        });
        let exponent = most.abs().max(1e-9).log2().ceil();
        let factor = (57.0 - exponent).exp2();
        let whole = |price: &f64| (price * factor) as i64;
        let mut cover = Cover::new(needs, items, prices.iter().map(whole));
        for j in (0..items.len()).filter(|&j| !space.fits(&items[j])) {
            cover.exclude(j);
        }
        cover.base = whole(&gone);
        cover.now = charges.now;
        cover.give_up = if charges.now.is_none() { 0 } else { whole(&charges.give_up) };
        cover.move_price = whole(&move_price);
        Self { cover, factor, base: charges.base }
    }

    fn whole(&self, price: f64) -> i64 {
        (((price - self.base) * self.factor) as i64).min(DEAR)
    }

    fn cents(&self, price: i64) -> f64 {
        price as f64 / self.factor + self.base
    }
}
