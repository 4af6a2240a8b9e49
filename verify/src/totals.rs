//! A leaf by totals: every plan within the claim, by what it takes of the counted limits.
//!
//! ```text
//! delta    2^shift (bound - 1) - V     how far above V the price of a cheaper plan may be
//! R_i(t)   least reduced price of servers i.. with t left of the counted limits, what is never taken
//!          priced; entries above delta are left out
//! labels   from the first server on: what is left of the counted limits, what is taken of the watched
//!          ones, and the reduced price; those with label + R_i > delta are left out, and those that
//!          another with as much left beats in cost and in every watched limit
//! ```
//!
//! A label that is left after the last server, and costs less than the claim, refutes it.

use rustc_hash::FxHashMap;

use crate::Refusal;
use crate::leaf::{AllHeld, Check, Kind, effort, short};
use crate::price::{Priced, lower};
use crate::text::Prices;

/// Counted and watched limits, at most.
const COUNTED: usize = 3;
const WATCHED: usize = 6;
/// Entries of all tables, labels of a server, and states on the way to a server's uses, at most.
const ENTRIES: usize = 30_000_000;
const LABELS: usize = 4_000_000;
const STATES: usize = 4_000_000;

type Counts = [i128; COUNTED];
type Sums = [i128; WATCHED];
/// What a server can take, and the least reduced price at which it does.
type Uses = Vec<(Counts, Sums, i128)>;
/// A label: sums of the watched limits, reduced price.
type Label = (Sums, i128);

/// Checks that no plan costs less than `bound`.
pub fn check(
    check: &Check<'_>,
    line: usize,
    (prices, counted, watched): (&Prices, &[usize], &[usize]),
    held: &AllHeld,
    bound: i128,
) -> Result<(), Refusal> {
    let effort = |what: &str| effort(line, what);
    let counted = check.numbers.limits(counted);
    let watched: Vec<usize> =
        check.numbers.limits(watched).into_iter().filter(|k| !counted.contains(k)).collect();
    if counted.len() > COUNTED || watched.len() > WATCHED {
        return Err(effort("so many limits"));
    }
    let Some(value) = check.value(line, prices, held, Kind::Totals)? else { return Ok(()) };
    let delta = ((bound - 1) << prices.shift) - value;
    if delta < 0 {
        return Ok(());
    }
    let leaf = Leaf { check, prices, of: check.numbers.of(prices), counted, watched, delta };
    let uses: Option<Vec<Uses>> =
        (0..check.instance.servers.len()).map(|s| leaf.uses(s, held)).collect();
    let mut uses = uses.ok_or_else(|| effort("what servers can take"))?;
    // The one with the most needs no table.
    uses.sort_by_key(|uses| std::cmp::Reverse(uses.len()));
    let rests = leaf.rests(&uses).ok_or_else(|| effort("the totals"))?;
    match leaf.cheapest(&uses, &rests).ok_or_else(|| effort("the labels"))? {
        Some(cost) if cost < bound => Err(short(line, &cost.to_string(), &bound.to_string())),
        _ => Ok(()),
    }
}

struct Leaf<'a> {
    check: &'a Check<'a>,
    prices: &'a Prices,
    of: Vec<i128>,
    counted: Vec<usize>,
    watched: Vec<usize>,
    delta: i128,
}

impl Leaf<'_> {
    fn pick<const N: usize>(limits: &[usize], of: impl Fn(usize) -> i128) -> [i128; N] {
        std::array::from_fn(|i| limits.get(i).map_or(0, |&k| of(k)))
    }

    /// What server `s` can take within `delta`.
    fn uses(&self, s: usize, held: &AllHeld) -> Option<Uses> {
        let Check { instance, numbers, .. } = self.check;
        let at = (*numbers, &instance.servers[s], s);
        let priced = Priced::new(at, (&self.of, self.prices.shift, false), held.get(&s));
        let least = priced.least(instance.asked.single)??;
        let budget = least + self.delta;
        let mut best: FxHashMap<(Counts, Sums), i128> = FxHashMap::default();
        let mut meet = |price: i128, key: (Counts, Sums)| {
            let entry = best.entry(key).or_insert(price);
            *entry = (*entry).min(price);
        };
        let key = |mix: &[(usize, u64)]| {
            let taken = |k: usize| priced.taken(mix, k);
            (Self::pick(&self.counted, taken), Self::pick(&self.watched, taken))
        };
        if instance.servers[s].is_idle() {
            meet(least, key(&[]));
        } else if instance.asked.single {
            priced
                .alone()
                .filter(|m| m.0 <= budget)
                .for_each(|(price, mix)| meet(price, key(&mix)));
        } else if priced.is_plain() {
            self.covers(&priced, budget, &mut meet)?;
        } else {
            priced.all(budget, &mut |price, mix| meet(price, key(mix)))?;
        }
        let mut uses: Uses =
            best.into_iter().map(|((t, w), price)| (t, w, price - least)).collect();
        uses.sort_unstable_by_key(|u| (u.2, u.0, u.1));
        Some(uses)
    }

    /// Covers of a load, item by item: of states that take the same, those that another beats in price
    /// and in what it covers are left out.
    fn covers(
        &self,
        priced: &Priced<'_>,
        budget: i128,
        meet: &mut impl FnMut(i128, (Counts, Sums)),
    ) -> Option<()> {
        let need = priced.site.need;
        let mut states: FxHashMap<(Counts, Sums), Vec<(i128, i128)>> = FxHashMap::default();
        states.insert(([0; COUNTED], [0; WATCHED]), vec![(priced.base, 0)]);
        for &(each, rate, _, _, item) in &priced.items {
            let Some(replica) = priced.site.replicas.iter().find(|r| r.item == item) else {
                continue;
            };
            let one: Counts = Self::pick(&self.counted, |k| replica.uses[k]);
            let soft: Sums = Self::pick(&self.watched, |k| replica.uses[k]);
            let mut next: FxHashMap<(Counts, Sums), Vec<(i128, i128)>> = FxHashMap::default();
            let mut count = 0;
            for ((t, w), list) in states {
                for (mut price, mut covered) in list {
                    let (mut t, mut w) = (t, w);
                    loop {
                        // This item is the best of those to come for what it covers.
                        let rest = lower(need - covered, each, rate)?;
                        if price + rest > budget || !self.fits(&t, &w) {
                            break;
                        }
                        next.entry((t, w)).or_default().push((price, covered));
                        count += 1;
                        if rate == 0 {
                            break;
                        }
                        (price, covered) = (price + each, covered + rate);
                        t.iter_mut().zip(&one).for_each(|(sum, taken)| *sum += taken);
                        w.iter_mut().zip(&soft).for_each(|(sum, taken)| *sum += taken);
                        if covered >= need {
                            if price <= budget && self.fits(&t, &w) {
                                meet(price, (t, w));
                            }
                            break;
                        }
                    }
                }
            }
            if count > STATES {
                return None;
            }
            next.values_mut().for_each(leave_best);
            states = next;
        }
        Some(())
    }

    fn fits(&self, t: &Counts, w: &Sums) -> bool {
        let within = |limits: &[usize], sums: &[i128]| {
            limits.iter().zip(sums).all(|(&k, sum)| *sum <= self.check.numbers.capacity[k])
        };
        within(&self.counted, t) && within(&self.watched, w)
    }

    /// `R_i` for every server but the first, and after the last.
    fn rests(&self, uses: &[Uses]) -> Option<Vec<FxHashMap<Counts, i128>>> {
        let mut unused: FxHashMap<Counts, i128> = FxHashMap::default();
        unused.insert([0; COUNTED], 0);
        for (i, &k) in self.counted.iter().enumerate() {
            let mut more = FxHashMap::default();
            for (t, price) in &unused {
                let (mut t, mut price) = (*t, *price);
                while price <= self.delta && t[i] <= self.check.numbers.capacity[k] {
                    more.insert(t, price);
                    (t[i], price) = (t[i] + 1, price + self.of[k]);
                    if more.len() > ENTRIES {
                        return None;
                    }
                }
            }
            unused = more;
        }
        let mut rests = vec![unused];
        let mut entries = 0;
        for uses in uses.iter().skip(1).rev() {
            let mut next: FxHashMap<Counts, i128> = FxHashMap::default();
            for (left, rest) in rests.last()? {
                for (t, _, reduced) in uses.iter().take_while(|u| rest + u.2 <= self.delta) {
                    let left: Counts = std::array::from_fn(|i| left[i] + t[i]);
                    if self.fits(&left, &[0; WATCHED]) {
                        let entry = next.entry(left).or_insert(rest + reduced);
                        *entry = (*entry).min(rest + reduced);
                    }
                }
            }
            entries += next.len();
            if entries > ENTRIES {
                return None;
            }
            rests.push(next);
        }
        Some(rests)
    }

    /// The least cost of a plan within `delta`, in units, rounded up; `None` inside where there is none.
    fn cheapest(&self, uses: &[Uses], rests: &[FxHashMap<Counts, i128>]) -> Option<Option<i128>> {
        let there: Counts = Self::pick(&self.counted, |k| self.check.numbers.capacity[k]);
        let mut labels: FxHashMap<Counts, Vec<Label>> = FxHashMap::default();
        labels.insert(there, vec![([0; WATCHED], 0)]);
        for (uses, rest) in uses.iter().zip(rests.iter().rev()) {
            let mut next: FxHashMap<Counts, Vec<Label>> = FxHashMap::default();
            let mut count = 0;
            for (left, list) in &labels {
                for (sums, price) in list {
                    for (t, w, reduced) in uses.iter().take_while(|u| price + u.2 <= self.delta) {
                        let left: Counts = std::array::from_fn(|i| left[i] - t[i]);
                        let sums: Sums = std::array::from_fn(|i| sums[i] + w[i]);
                        let after = rest.get(&left).map(|rest| price + reduced + rest);
                        if after.is_some_and(|after| after <= self.delta)
                            && self.fits(&[0; COUNTED], &sums)
                        {
                            next.entry(left).or_default().push((sums, price + reduced));
                            count += 1;
                        }
                    }
                }
            }
            if count > LABELS {
                return None;
            }
            next.values_mut().for_each(|list| self.unbeaten(list));
            labels = next;
        }
        let value = ((self.check.proof.bound? - 1) << self.prices.shift) - self.delta;
        let least = labels.iter().flat_map(|(left, list)| {
            let unused: i128 = self.counted.iter().zip(left).map(|(&k, n)| self.of[k] * n).sum();
            list.iter().map(move |label| value + unused + self.free(label) + self.watched_worth())
        });
        let unit = 1_i128 << self.prices.shift;
        Some(least.min().map(|price| (price + unit - 1).div_euclid(unit)))
    }

    /// `sum l_k C_k` over the watched limits: `V` has taken it off, and what is taken of them is paid for.
    fn watched_worth(&self) -> i128 {
        self.watched.iter().map(|&k| self.of[k] * self.check.numbers.capacity[k]).sum()
    }

    /// A label's price, the watched limits free of charge.
    fn free(&self, (sums, price): &Label) -> i128 {
        price - self.watched.iter().zip(sums).map(|(&k, sum)| self.of[k] * sum).sum::<i128>()
    }

    fn unbeaten(&self, list: &mut Vec<Label>) {
        list.sort_unstable_by_key(|label| (self.free(label), label.0));
        let mut kept: Vec<Label> = Vec::new();
        for label in list.drain(..) {
            if !kept.iter().any(|k| k.0.iter().zip(&label.0).all(|(a, b)| a <= b)) {
                kept.push(label);
            }
        }
        *list = kept;
    }
}

/// Leaves the states that no other beats in price and in what is covered.
fn leave_best(states: &mut Vec<(i128, i128)>) {
    states.sort_unstable_by_key(|state| (state.0, -state.1));
    let mut most = -1;
    states.retain(|state| {
        let better = state.1 > most;
        most = most.max(state.1);
        better
    });
}
