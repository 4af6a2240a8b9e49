//! The least price of a server's mixes, and all of them up to a price.

use rustc_hash::FxHashMap;

use crate::instance::Server;
use crate::whole::{Numbers, Replica, Site};

/// Least and most replicas of the items that a server is held to.
pub type Held = FxHashMap<usize, (u64, u64)>;

/// What costs as much counts as no more: a product with a rate is still a whole number.
const DEAR: i128 = 1 << 62;
/// Nodes of a search, at most, and entries of a table.
const NODES: u64 = 20_000_000;
const ENTRIES: i128 = 1 << 22;

/// A server at prices.
pub struct Priced<'a> {
    pub server: &'a Server,
    pub site: &'a Site,
    /// By item: (price, rate, least, most), and its index; in the order of price for rate.
    pub items: Vec<(i128, i128, u64, u64, usize)>,
    now: Option<usize>,
    /// Index of the moves among the limits, where this server can make one.
    pub moves: Option<usize>,
    /// Charged before the first replica.
    pub base: i128,
    give_up: i128,
    move_price: i128,
}

impl<'a> Priced<'a> {
    /// `server`, the `s`th, at prices of the limits in `2^-shift` units; with `free`, replicas cost nothing.
    pub fn new(
        (numbers, server, s): (&'a Numbers, &'a Server, usize),
        (of, shift, free): (&[i128], u32, bool),
        held: Option<&Held>,
    ) -> Self {
        let (site, now) = (&numbers.sites[s], server.now());
        let moves = numbers.moves.filter(|_| server.current.is_some());
        let weight = |units: i128| if free { 0 } else { units << shift };
        let item = |replica: &Replica| {
            let cost = if now == Some(replica.item) { replica.cost.0 } else { replica.cost.1 };
            let taken: i128 = replica.uses.iter().zip(of).map(|(u, l)| u * l).sum();
            let (least, most) =
                held.and_then(|held| held.get(&replica.item)).copied().unwrap_or((0, u64::MAX));
            // What takes more than there is has no place in a plan.
            let most = if room(numbers, replica) == 0 { 0 } else { most };
            ((weight(cost) + taken).min(DEAR), replica.rate, least, most, replica.item)
        };
        let mut items: Vec<_> = site.replicas.iter().map(item).collect();
        items.retain(|item| item.2 > 0 || item.3 > 0);
        // Cheap for what they cover first; what covers nothing last.
        items.sort_by(|a, b| {
            (a.1 == 0)
                .cmp(&(b.1 == 0))
                .then_with(|| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.4.cmp(&b.4)))
        });
        Self {
            server,
            site,
            items,
            now,
            moves,
            base: weight(site.base),
            give_up: weight(site.give_up),
            move_price: moves.map_or(0, |k| of[k]),
        }
    }

    /// The same with no more replicas of an item than each limit alone has room for.
    pub fn within_room(mut self, numbers: &Numbers) -> Self {
        for item in &mut self.items {
            let replica = self.site.replicas.iter().find(|replica| replica.item == item.4);
            let room = replica.map_or(u64::MAX, |replica| room(numbers, replica));
            let alone =
                if item.1 > 0 { (self.site.need.max(1) - 1) / item.1 + 1 } else { i128::MAX };
            // More than cover the load alone are of no use anyway.
            if i128::from(room) < alone.max(i128::from(self.server.min_replicas)) {
                item.3 = item.3.min(room);
            }
        }
        self
    }

    /// Whether covering the load is all that is asked.
    pub fn is_plain(&self) -> bool {
        let server = self.server;
        let ruled =
            server.min_replicas > 1 || server.max_replicas.is_some() || server.min_types > 1;
        let free = |item: &(i128, i128, u64, u64, usize)| item.2 == 0 && item.3 == u64::MAX;
        let charged = self.give_up != 0 || self.moves.is_some();
        self.site.need > 0 && !ruled && !charged && self.items.iter().all(free)
    }

    /// The price of a mix, (index of item, replicas); `None` where it is none of the server's.
    pub fn price(&self, mix: &[(usize, u64)]) -> Option<i128> {
        let count =
            |item: usize| mix.iter().filter(|share| share.0 == item).map(|s| s.1).sum::<u64>();
        let (mut price, mut covered, mut replicas) = (self.base, 0_i128, 0_u64);
        let mut types = Vec::new();
        for &(each, rate, least, most, item) in &self.items {
            let n = count(item);
            if n < least || n > most {
                return None;
            }
            if n > 0 {
                price += each * i128::from(n);
                covered += rate * i128::from(n);
                replicas += n;
                types.push(self.server.items[item].card_type);
            }
        }
        types.sort_unstable();
        types.dedup();
        let idle = self.server.is_idle();
        let kept = self.now.is_some_and(|now| count(now) > 0);
        let off = mix.iter().any(|&(item, n)| n > 0 && self.now != Some(item));
        price += if kept || idle { 0 } else { self.give_up };
        price += if off { self.move_price } else { 0 };
        let enough = covered >= self.site.need
            && replicas >= self.server.min_replicas
            && self.server.max_replicas.is_none_or(|most| replicas <= most)
            && (idle || self.server.min_types <= 1 || types.len() as u64 >= self.server.min_types);
        enough.then_some(price)
    }

    /// What a mix takes of limit `k`.
    pub fn taken(&self, mix: &[(usize, u64)], k: usize) -> i128 {
        if self.moves == Some(k) {
            return i128::from(mix.iter().any(|share| self.now != Some(share.0)));
        }
        let of = |&(item, n): &(usize, u64)| {
            let replica = self.site.replicas.iter().find(|r| r.item == item);
            replica.map_or(0, |replica| replica.uses[k] * i128::from(n))
        };
        mix.iter().map(of).sum()
    }

    /// The mixes on one item alone, with as few replicas as will do.
    pub fn alone(&self) -> impl Iterator<Item = (i128, Vec<(usize, u64)>)> + '_ {
        self.items.iter().filter_map(|&(_, rate, _, _, item)| {
            let cover = match self.site.need {
                0 => 0,
                need if rate > 0 => u64::try_from((need - 1) / rate + 1).ok()?,
                _ => return None,
            };
            let mix = vec![(item, cover.max(self.server.min_replicas))];
            Some((self.price(&mix)?, mix))
        })
    }

    /// No mix costs less; `None` inside where there is none, outside where that takes too long to tell.
    pub fn least(&self, single: bool) -> Option<Option<i128>> {
        if self.server.is_idle() {
            return Some(self.price(&[]));
        }
        let alone = self.alone().map(|mix| mix.0).min();
        if single {
            return Some(alone);
        }
        let table = self.table(alone);
        if table.is_some() {
            return Some(table);
        }
        let mut search =
            Walk { priced: self, nodes: 0, budget: alone, below: true, each: &mut |_, _| {} };
        search.run().then_some(search.budget)
    }

    /// Meets every mix of at most `budget` that could not do without one of its replicas, and some that
    /// could; `None` where that takes too long.
    pub fn all(&self, budget: i128, each: Each<'_>) -> Option<()> {
        let mut walk = Walk { priced: self, nodes: 0, budget: Some(budget), below: false, each };
        walk.run().then_some(())
    }

    /// The least price by what prices cover at most, where prices are few and nothing else is asked.
    fn table(&self, alone: Option<i128>) -> Option<i128> {
        let most = alone? - self.base;
        let items: Vec<(i128, i128)> =
            self.items.iter().filter(|i| i.1 > 0).map(|i| (i.0, i.1)).collect();
        let divisor = items.iter().fold(0, |g, item| gcd(g, item.0));
        if !self.is_plain() || items.iter().any(|item| item.0 <= 0) || most / divisor > ENTRIES / 64
        {
            return None;
        }
        let mut covered = vec![0_i128];
        while covered.last().is_some_and(|c| *c < self.site.need) {
            let at = covered.len();
            let with = |&(price, rate): &(i128, i128)| {
                Some(covered.get(at.checked_sub((price / divisor) as usize)?)? + rate)
            };
            let best = items.iter().filter_map(with).max().unwrap_or(0);
            covered.push(best.max(*covered.last()?));
        }
        Some(self.base + (covered.len() as i128 - 1) * divisor)
    }
}

/// Hears of a mix: its price, and (index of item, replicas).
pub type Each<'e> = &'e mut dyn FnMut(i128, &[(usize, u64)]);

/// A walk through the mixes, dear ones left out.
struct Walk<'p, 'a, 'f> {
    priced: &'p Priced<'a>,
    nodes: u64,
    budget: Option<i128>,
    /// Whether only what is cheaper than the last one counts.
    below: bool,
    each: Each<'f>,
}

impl Walk<'_, '_, '_> {
    fn run(&mut self) -> bool {
        self.step(0, self.priced.base, self.priced.site.need, &mut Vec::new())
    }

    fn step(&mut self, depth: usize, price: i128, left: i128, mix: &mut Vec<(usize, u64)>) -> bool {
        self.nodes += 1;
        if self.nodes > NODES {
            return false;
        }
        let server = self.priced.server;
        let items = &self.priced.items[depth..];
        let replicas: u64 = mix.iter().map(|share| share.1).sum();
        let types = |mix: &[(usize, u64)]| {
            let mut types: Vec<usize> = mix.iter().map(|s| server.items[s.0].card_type).collect();
            types.sort_unstable();
            types.dedup();
            types.len() as u64
        };
        let missing = server.min_replicas.saturating_sub(replicas);
        let spread =
            if server.min_types > 1 { server.min_types.saturating_sub(types(mix)) } else { 0 };
        let covered = left <= 0 && missing == 0 && spread == 0;
        if covered
            && let Some(full) = self.priced.price(mix)
            && self.budget.is_none_or(|most| full < most || (!self.below && full == most))
        {
            if self.below {
                self.budget = Some(full);
            }
            (self.each)(full, mix);
        }
        let Some(&(each, rate, least, most, item)) = items.first() else { return true };
        let forced = items.iter().any(|item| item.2 > 0);
        let keeps = self.priced.give_up > 0 && items.iter().any(|i| self.priced.now == Some(i.4));
        if covered && !forced && !keeps {
            return true;
        }
        if let Some(budget) = self.budget {
            // The first item left is the best for what it covers: the rest costs at least its ratio.
            let cover = if left > 0 { lower(left, each, rate) } else { Some(0) };
            let cheapest = items.iter().map(|i| i.0).min().unwrap_or(0);
            let count = cheapest.saturating_mul(i128::from(missing.max(spread)));
            let Some(cover) = cover else { return true };
            let bound = price + cover.max(count);
            if bound > budget || (self.below && bound >= budget) {
                return true;
            }
        }
        let cover = if left > 0 && rate > 0 { ((left - 1) / rate + 1) as u64 } else { 0 };
        let room = server.max_replicas.map_or(u64::MAX, |most| most.saturating_sub(replicas));
        let keep = u64::from(self.priced.now == Some(item) && self.priced.give_up > 0);
        let top =
            cover.max(missing).max(u64::from(spread > 0)).max(keep).max(least).min(most).min(room);
        for n in (least..=top).rev() {
            if n > 0 {
                mix.push((item, n));
            }
            let n_wide = i128::from(n);
            let go_on = self.step(depth + 1, price + each * n_wide, left - rate * n_wide, mix);
            if n > 0 {
                mix.pop();
            }
            if !go_on {
                return false;
            }
        }
        true
    }
}

/// Replicas that each limit alone has room for.
fn room(numbers: &Numbers, replica: &Replica) -> u64 {
    let taken = replica.uses.iter().zip(&numbers.capacity).filter(|(u, _)| **u > 0);
    let room = taken.map(|(u, c)| (*c).max(0) / u).min();
    room.map_or(u64::MAX, |room| u64::try_from(room).unwrap_or(u64::MAX))
}

/// What covering `left` costs at least by an item; `None` where it covers nothing.
pub fn lower(left: i128, price: i128, rate: i128) -> Option<i128> {
    (rate > 0).then(|| left * price / rate)
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
