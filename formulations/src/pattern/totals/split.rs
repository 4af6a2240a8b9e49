//! A server with too many patterns to list, apart by what its items take.
//!
//! Each item of it takes of one counted limit, or of none. Then for given counts `t`
//!
//! ```text
//! F(t) = min sum_k p_k + p_a + S(L - sum_k r_k - r_a)      over (p_k, r_k) in O_k(t_k), a in A
//! ```
//!
//! where `O_k(n)` are the mixes (price, rate) of the items of limit `k` that take `n` of it and that
//! no other beats, `A` the mixes of the items that take of a watched limit, and `S` the least price of
//! covering what is left with the other items. Where the price follows the cards, `O_k(n)` is one.
//!
//! A replica's price is at least `rho r_j` for the best `rho = min p_j / r_j` of all items; the rest
//! of it is waste. Mixes of more waste than `delta` leaves are of no use.

use super::counter::{COUNTED, Counter};
use super::{Counted, SOFT};
use crate::pattern::cover::{DEAR, Mix, at_ratio};
use crate::pattern::exact::Exact;
use crate::pattern::numbers::Prices;

/// Options for one count, options in all, and mixes of items, at most.
const OPTIONS: usize = 16;
const ALL_OPTIONS: usize = 200_000;
const MIXES: usize = 10_000;

/// What a server's patterns cost by what they count.
pub struct Split<'a> {
    exact: &'a Exact<'a>,
    server: usize,
    /// `L`, less what may be left.
    need: i64,
    /// Price of the cheapest pattern.
    least: i64,
    /// `O_k(n)`: indices into `steps`.
    options: Vec<Vec<Vec<usize>>>,
    steps: Vec<Step>,
    /// `A`.
    watched: Vec<Piece>,
    /// `S`, as mixes by rate and by price.
    free: Vec<Piece>,
}

/// An option, as one replica more than another.
struct Step {
    price: i64,
    rate: i64,
    item: u32,
    before: usize,
    waste: i64,
}

#[derive(Clone)]
struct Piece {
    price: i64,
    rate: i64,
    waste: i64,
    shares: Vec<(u32, u32)>,
    /// What it takes of the limits that are not counted but watched.
    soft: [i64; SOFT],
}

/// An option of each counted limit.
#[derive(Clone, Copy)]
struct Way {
    price: i64,
    rate: i64,
    options: [usize; COUNTED],
}

/// What one replica of an item is at the prices.
struct Replica {
    item: u32,
    price: i64,
    rate: i64,
    waste: i64,
}

impl<'a> Split<'a> {
    /// Takes server `s` apart; `None` where rules of its own forbid it, or there are too many options.
    pub fn new(
        exact: &'a Exact<'a>,
        s: usize,
        prices: &Prices,
        least: i64,
        delta: i64,
        counted: &Counted,
    ) -> Option<Self> {
        let cover = exact.numbers.cover(exact.space, s, prices);
        if !cover.is_plain() || exact.space.charges(s).moves.is_some() || cover.base != 0 {
            return None;
        }
        let entries = &cover.entries;
        let product =
            |a: usize, b: usize| i128::from(entries[a].price) * i128::from(entries[b].rate);
        let useful = (0..entries.len()).filter(|&j| entries[j].rate > 0 && entries[j].most > 0);
        let best = useful.min_by(|&a, &b| product(a, b).cmp(&product(b, a)))?;
        let rho = |rate: i64| at_ratio(rate, entries[best].price, entries[best].rate);
        let waste = delta + (least - rho(cover.need) + 1).max(0);
        let mut split = Self {
            exact,
            server: s,
            need: cover.need,
            least,
            options: Vec::new(),
            steps: vec![Step { price: 0, rate: 0, item: 0, before: 0, waste: 0 }],
            watched: Vec::new(),
            free: Vec::new(),
        };
        let replica = |j: usize| Replica {
            item: j as u32,
            price: entries[j].price,
            rate: entries[j].rate,
            waste: (entries[j].price - rho(entries[j].rate)).max(0),
        };
        let items = exact.space.items(s);
        let (mut watched, mut free) = (Vec::new(), Vec::new());
        let mut of_limit: Vec<Vec<(u64, Replica)>> =
            counted.counter.limits.iter().map(|_| Vec::new()).collect();
        for (j, item) in items.iter().enumerate().filter(|&(j, _)| entries[j].most > 0) {
            let takes = |k: &usize| item.uses.iter().any(|u| u.0 == *k);
            let mut taken = (0..of_limit.len()).filter(|&i| takes(&counted.counter.limits[i]));
            let is_watched = counted.soft.iter().any(takes);
            match (taken.next(), taken.next()) {
                (None, _) if is_watched => watched.push(replica(j)),
                (None, _) => free.push(replica(j)),
                (Some(i), None) if !is_watched => {
                    let one = [(j as u32, 1)];
                    let uses = |k: usize| exact.numbers.uses(exact.space, s, &one, k);
                    // An item that takes more than there is has no place in a plan.
                    let Some(count) = counted.counter.count(uses) else { continue };
                    of_limit[i].push((counted.counter.part(count, i), replica(j)));
                }
                _ => return None,
            }
        }
        for (i, replicas) in of_limit.iter().enumerate() {
            let there = counted.counter.part(counted.counter.capacity, i) as usize;
            let options = split.options_of(replicas, there, waste)?;
            split.options.push(options);
        }
        split.watched = split.mixes(&watched, waste, counted)?;
        split.free = split.mixes(&free, waste, counted)?;
        split.free.sort_by_key(|item| item.rate);
        Some(split)
    }

    /// `O_k(n)` for all `n`, item by item, so that each mix is met once.
    fn options_of(
        &mut self,
        replicas: &[(u64, Replica)],
        there: usize,
        waste: i64,
    ) -> Option<Vec<Vec<usize>>> {
        let mut options: Vec<Vec<usize>> = vec![Vec::new(); there + 1];
        options[0].push(0);
        for (units, replica) in replicas {
            for n in *units as usize..=there {
                for at in 0..options[n - *units as usize].len() {
                    let before = options[n - *units as usize][at];
                    let known = &self.steps[before];
                    let step = Step {
                        price: known.price + replica.price,
                        rate: known.rate + replica.rate,
                        item: replica.item,
                        before,
                        waste: known.waste + replica.waste,
                    };
                    if known.rate < self.need && step.waste <= waste {
                        self.steps.push(step);
                        options[n].push(self.steps.len() - 1);
                    }
                }
                self.leave_best(&mut options[n]);
                if options[n].len() > OPTIONS || self.steps.len() > ALL_OPTIONS {
                    return None;
                }
            }
        }
        Some(options)
    }

    /// Leaves the options that no other beats in price and rate.
    fn leave_best(&self, options: &mut Vec<usize>) {
        let key = |&o: &usize| (self.steps[o].price, -self.steps[o].rate);
        options.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.cmp(&b.1))
        });
        let mut rate = i64::MIN;
        options.retain(|&o| {
            let better = self.steps[o].rate > rate;
            rate = rate.max(self.steps[o].rate);
            better
        });
    }

    /// The mixes of `replicas` of at most `waste` that no other beats.
    fn mixes(&self, replicas: &[Replica], waste: i64, counted: &Counted) -> Option<Vec<Piece>> {
        let nothing = Piece { price: 0, rate: 0, waste: 0, shares: Vec::new(), soft: [0; SOFT] };
        let mut mixes = vec![nothing];
        for replica in replicas {
            let one = counted.soft_of(self.exact, self.server, &[(replica.item, 1)]);
            let mut more = Vec::new();
            for mix in &mixes {
                let mut mix = mix.clone();
                mix.shares.push((replica.item, 0));
                while mix.rate < self.need && mix.waste + replica.waste <= waste {
                    mix.price += replica.price;
                    mix.rate += replica.rate;
                    mix.waste += replica.waste;
                    mix.soft.iter_mut().zip(&one).for_each(|(sum, taken)| *sum += taken);
                    if !counted.is_within(&mix.soft) || more.len() > MIXES {
                        break;
                    }
                    if let Some(last) = mix.shares.last_mut() {
                        last.1 += 1;
                    }
                    more.push(mix.clone());
                }
            }
            mixes.extend(more);
            if mixes.len() > MIXES {
                return None;
            }
            mixes = unbeaten(mixes, counted);
        }
        Some(mixes)
    }

    /// Every way to take exactly `count` of the counted limits.
    fn ways(&self, counter: &Counter, count: u64) -> Vec<Way> {
        let mut ways = vec![Way { price: 0, rate: 0, options: [0; COUNTED] }];
        for (i, options) in self.options.iter().enumerate() {
            let with = |mut way: Way, o: usize| {
                way.price += self.steps[o].price;
                way.rate += self.steps[o].rate;
                way.options[i] = o;
                way
            };
            let of_limit = &options[counter.part(count, i) as usize];
            ways =
                ways.iter().flat_map(|&way| of_limit.iter().map(move |&o| with(way, o))).collect();
        }
        ways
    }

    /// The cheapest mix of `free` that covers what `rate` leaves.
    fn rest(&self, rate: i64) -> Option<&Piece> {
        self.free.get(self.free.partition_point(|mix| rate + mix.rate < self.need))
    }

    /// `F(t)`, as a reduced cost.
    pub fn reduced_cost(&self, counter: &Counter, count: u64) -> i64 {
        let ways = self.ways(counter, count).into_iter();
        let price = |(way, mix): (Way, &Piece)| {
            let rest = self.rest(way.rate + mix.rate).map_or(DEAR, |rest| rest.price);
            way.price + mix.price + rest
        };
        let all = ways.flat_map(|way| self.watched.iter().map(move |mix| (way, mix)));
        all.map(price).fold(DEAR, i64::min) - self.least
    }

    /// The patterns that take exactly `count`, of a reduced cost of at most `delta`; of those that
    /// take the same, the cheapest.
    pub fn list(&self, counter: &Counter, count: u64, delta: i64) -> Vec<Mix> {
        let mut patterns = Vec::new();
        for way in self.ways(counter, count) {
            for mix in &self.watched {
                let Some(rest) = self.rest(way.rate + mix.rate) else { continue };
                if way.price + mix.price + rest.price - self.least > delta {
                    continue;
                }
                let mut shares = [&mix.shares[..], &rest.shares].concat();
                for mut at in way.options {
                    while at != 0 {
                        add(&mut shares, self.steps[at].item);
                        at = self.steps[at].before;
                    }
                }
                patterns.push((way.price + mix.price + rest.price, shares));
            }
        }
        patterns
    }
}

fn add(shares: &mut Vec<(u32, u32)>, item: u32) {
    match shares.iter_mut().find(|share| share.0 == item) {
        Some(share) => share.1 += 1,
        None => shares.push((item, 1)),
    }
}

/// Leaves the mixes that no other beats in cost, rate and every watched limit.
fn unbeaten(mut mixes: Vec<Piece>, counted: &Counted) -> Vec<Piece> {
    let cost = |mix: &Piece| i128::from(mix.price) - counted.soft_worth(&mix.soft);
    mixes.sort_by(|a, b| cost(a).cmp(&cost(b)).then(b.rate.cmp(&a.rate)));
    let mut kept: Vec<Piece> = Vec::new();
    for mix in mixes {
        let beaten = kept
            .iter()
            .any(|k| k.rate >= mix.rate && k.soft.iter().zip(&mix.soft).all(|(a, b)| a <= b));
        if !beaten {
            kept.push(mix);
        }
    }
    kept
}
