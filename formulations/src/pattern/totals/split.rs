//! A server with too many patterns to list, apart by what its items take.
//!
//! Each item of it takes of one counted limit, or of none. Then for given counts `t`
//!
//! ```text
//! F(t) = min sum_k p_k + S(L - sum_k r_k)        over options (p_k, r_k) in O_k(t_k)
//! ```
//!
//! where `O_k(n)` are the mixes (price, rate) of the items of limit `k` that take `n` of it and that
//! no other beats, and `S` the least price of covering what is left with the other items. Where `n`
//! has one option alone, as where the price follows the cards, that is a look-up.
//!
//! A replica's price is at least `rho r_j` for the best `rho = min p_j / r_j` of all items; the rest
//! of it is waste. Mixes of more waste than `delta` leaves are of no use.

use super::counter::Counter;
use super::{Counted, SOFT};
use crate::pattern::column::Pattern;
use crate::pattern::space::Space;
use crate::problem::COVER_TOLERANCE;

/// Options for one count, options in all, and mixes of the other items, at most.
const OPTIONS: usize = 16;
const ALL_OPTIONS: usize = 200_000;
const MIXES: usize = 5_000;

/// What a server's patterns cost by what they count.
pub struct Split<'a> {
    space: &'a Space<'a>,
    server: usize,
    /// `L`, less what may be left.
    need: f64,
    /// Price of the cheapest pattern.
    least: f64,
    /// `O_k(n)`: indices into `steps`.
    options: Vec<Vec<Vec<usize>>>,
    steps: Vec<Step>,
    /// Mixes of the items that take of no counted limit, by rate.
    mixes: Vec<Mix>,
    /// Least price of the mixes from each on.
    cheapest: Vec<f64>,
}

/// An option, as one replica more than another.
struct Step {
    price: f64,
    rate: f64,
    item: u32,
    before: usize,
    waste: f64,
}

#[derive(Clone)]
struct Mix {
    price: f64,
    rate: f64,
    waste: f64,
    shares: Vec<(u32, u32)>,
    /// What it takes of the limits that are not counted but watched.
    soft: [f64; SOFT],
}

/// What one replica of an item is at the prices.
struct Replica {
    item: u32,
    price: f64,
    rate: f64,
    waste: f64,
}

impl<'a> Split<'a> {
    /// Takes server `s` apart; `None` where rules of its own forbid it, or there are too many options.
    pub fn new(
        space: &'a Space<'a>,
        s: usize,
        lambda: &[f64],
        least: f64,
        delta: f64,
        counted: &Counted,
    ) -> Option<Self> {
        let (needs, charges) = (space.needs(s), space.charges(s));
        let ruled = needs.min_replicas > 1 || needs.max_replicas.is_some() || needs.min_types > 1;
        if ruled || needs.demand <= 0.0 || space.is_transition() || charges.moves.is_some() {
            return None;
        }
        let prices = space.prices(s, &charges, lambda);
        let items = space.items(s);
        let rho = prices.iter().zip(items).map(|(p, i)| p / i.rate).fold(f64::INFINITY, f64::min);
        let need = needs.demand * (1.0 - COVER_TOLERANCE);
        let waste = delta + (least - rho * need).max(0.0);
        let mut split = Self {
            space,
            server: s,
            need,
            least,
            options: Vec::new(),
            steps: vec![Step { price: 0.0, rate: 0.0, item: 0, before: 0, waste: 0.0 }],
            mixes: Vec::new(),
            cheapest: Vec::new(),
        };
        let replica = |j: usize| Replica {
            item: j as u32,
            price: prices[j],
            rate: items[j].rate,
            waste: (prices[j] - rho * items[j].rate).max(0.0),
        };
        let mut others = Vec::new();
        let mut of_limit: Vec<Vec<(u64, Replica)>> =
            counted.counter.limits.iter().map(|_| Vec::new()).collect();
        for (j, item) in items.iter().enumerate() {
            let takes = |k: &usize| item.uses.iter().any(|u| u.0 == *k);
            let mut taken = (0..of_limit.len()).filter(|&i| takes(&counted.counter.limits[i]));
            match (taken.next(), taken.next()) {
                (None, _) => others.push(replica(j)),
                (Some(i), None) if !counted.soft.iter().any(takes) => {
                    let uses = space.weigh(s, &[(j as u32, 1)]).1;
                    // An item that takes more than there is has no place in a plan.
                    let Some(count) = counted.counter.count(&uses) else { continue };
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
        split.add_mixes(&others, waste, counted)?;
        Some(split)
    }

    /// `O_k(n)` for all `n`, item by item, so that each mix is met once.
    fn options_of(
        &mut self,
        replicas: &[(u64, Replica)],
        there: usize,
        waste: f64,
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
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let mut rate = f64::NEG_INFINITY;
        options.retain(|&o| {
            let better = self.steps[o].rate > rate;
            rate = rate.max(self.steps[o].rate);
            better
        });
    }

    /// The mixes of `replicas` of at most `waste` that no other beats.
    fn add_mixes(&mut self, replicas: &[Replica], waste: f64, counted: &Counted) -> Option<()> {
        let nothing =
            Mix { price: 0.0, rate: 0.0, waste: 0.0, shares: Vec::new(), soft: [0.0; SOFT] };
        let mut mixes = vec![nothing];
        for replica in replicas {
            let one = counted.soft_of(&self.space.weigh(self.server, &[(replica.item, 1)]).1);
            let mut more = Vec::new();
            for mix in &mixes {
                let mut mix = mix.clone();
                mix.shares.push((replica.item, 0));
                while mix.rate < self.need && mix.waste + replica.waste <= waste {
                    mix.price += replica.price;
                    mix.rate += replica.rate;
                    mix.waste += replica.waste;
                    mix.soft.iter_mut().zip(&one).for_each(|(sum, use_)| *sum += use_);
                    if let Some(last) = mix.shares.last_mut() {
                        last.1 += 1;
                    }
                    more.push(mix.clone());
                    if more.len() > 10 * MIXES {
                        return None;
                    }
                }
            }
            mixes.extend(more);
            mixes = unbeaten(mixes, counted);
            if mixes.len() > MIXES {
                return None;
            }
        }
        mixes.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let mut least = f64::INFINITY;
        self.cheapest = mixes
            .iter()
            .rev()
            .map(|mix| {
                least = least.min(mix.price);
                least
            })
            .collect();
        self.cheapest.reverse();
        self.mixes = mixes;
        Some(())
    }

    /// Every way to take exactly `count`: price, rate, and an option of each limit.
    fn ways(
        &self,
        counted: &Counter,
        count: u64,
    ) -> Vec<(f64, f64, [usize; super::counter::COUNTED])> {
        let mut ways = vec![(0.0, 0.0, [0; super::counter::COUNTED])];
        for (i, options) in self.options.iter().enumerate() {
            let of_limit = &options[counted.part(count, i) as usize];
            let more = |way: &(f64, f64, [usize; super::counter::COUNTED])| {
                let way = *way;
                of_limit.iter().map(move |&o| {
                    let mut chosen = way.2;
                    chosen[i] = o;
                    (way.0 + self.steps[o].price, way.1 + self.steps[o].rate, chosen)
                })
            };
            ways = ways.iter().flat_map(more).collect();
        }
        ways
    }

    /// Index of the first mix that covers what `rate` leaves.
    fn first_cover(&self, rate: f64) -> usize {
        self.mixes.partition_point(|mix| rate + mix.rate < self.need)
    }

    /// Price of the cheapest pattern, cents/h.
    pub fn least(&self) -> f64 {
        self.least
    }

    /// `F(t)`, as a reduced cost.
    pub fn reduced_cost(&self, counter: &Counter, count: u64) -> f64 {
        let price = |way: (f64, f64, _)| {
            self.cheapest.get(self.first_cover(way.1)).map_or(f64::INFINITY, |least| way.0 + least)
        };
        self.ways(counter, count).into_iter().map(price).fold(f64::INFINITY, f64::min) - self.least
    }

    /// The patterns that take exactly `count`, of a reduced cost of at most `delta`.
    pub fn list(&self, counter: &Counter, count: u64, delta: f64) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for (price, rate, options) in self.ways(counter, count) {
            for mix in &self.mixes[self.first_cover(rate)..] {
                if price + mix.price - self.least > delta {
                    continue;
                }
                let mut shares = mix.shares.clone();
                for mut at in options {
                    while at != 0 {
                        add(&mut shares, self.steps[at].item);
                        at = self.steps[at].before;
                    }
                }
                patterns.push(Pattern::new(self.space, self.server, shares));
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
fn unbeaten(mut mixes: Vec<Mix>, counted: &Counted) -> Vec<Mix> {
    let cost = |mix: &Mix| mix.price - counted.soft_worth(&mix.soft);
    mixes.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(b.rate.total_cmp(&a.rate)));
    let mut kept: Vec<Mix> = Vec::new();
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
