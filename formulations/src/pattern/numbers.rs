//! The space's numbers, whole: what a proof counts in.
//!
//! ```text
//! c_j   cost of a replica      in units of `unit` cents, the greatest that all charges are multiples of
//! u_jk  what it takes of k     in units of k, the greatest that all uses of k are multiples of
//! l_k   price of a unit of k   in 2^-shift of a unit of cost
//!
//! V(l) = sum_s min_p (2^shift c_p + sum_k l_k u_pk) - sum_k l_k C_k       a lower bound on 2^shift U
//! ```
//!
//! Every sum here is one of whole numbers. Charges that are not hundredths of a cent are rounded down to
//! a small power of two of one, and so are uses that are not whole, with limits rounded up: what is
//! proven of these numbers holds of the true ones.
//!
//! Source: safe dual bounds (Neumaier and Shcherbina 2004), with nothing left to round.

use super::certificate::Fraction;
use super::column::Shape;
use super::cover::{Cover, DEAR};
use super::space::Space;
use crate::problem::Item;

/// Whole numbers of a space.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Cents in a unit of cost, as a fraction: `unit.0 / unit.1`.
    unit: (f64, f64),
    /// Whether costs are what they are, and not rounded down.
    pub is_exact: bool,
    groups: Vec<Vec<Whole>>,
    /// By server: what is charged in any case, and where the accelerator is given up.
    charges: Vec<(i64, i64)>,
    /// `C_k`.
    pub capacity: Vec<i64>,
    /// Cards, watts or moves in a unit of each limit.
    amount: Vec<f64>,
}

/// A replica's whole numbers.
#[derive(Debug, Clone)]
struct Whole {
    /// Cost where the server runs now, and elsewhere.
    cost: (i64, i64),
    uses: Vec<(usize, i64)>,
}

/// Prices of the limits: whole numbers of `2^-shift` units of cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// Bits after the point.
    pub shift: u32,
    /// `l_k`.
    pub of: Vec<i64>,
}

impl Prices {
    /// The same to each other, the highest of at most so many bits.
    pub fn within(&self, bits: u32) -> Self {
        let most = self.of.iter().copied().max().unwrap_or(0);
        let over = (i64::BITS - most.leading_zeros()).saturating_sub(bits);
        Self { shift: self.shift, of: self.of.iter().map(|l| l >> over).collect() }
    }
}

/// Bits of the largest number of units that is counted.
const BITS: i32 = 44;

impl Numbers {
    /// Those of `space`.
    pub fn new(space: &Space<'_>) -> Self {
        let problem = space.problem;
        let (parts, grain) = match space.grain() {
            0 => (0.0, 0),
            grain => (1000.0, grain),
        };
        let is_exact = grain > 0;
        let unit = if is_exact { (grain as f64, parts) } else { (1.0, fine(space)) };
        let whole = |cents: f64, tenths: i64| match is_exact {
            // In thousandths of a cent all of it is whole; see `Space::grain`.
            true => (cents * 100.0).round() as i64 * tenths / grain as i64,
            false => (cents * (tenths as f64 / 10.0) * unit.1 * (1.0 - 1e-15)).floor() as i64,
        };
        let moved = if space.is_transition() { 11 } else { 10 };
        let limits = space.capacity.len();
        let counted: Vec<(f64, bool)> = (0..limits).map(|k| amount(space, k)).collect();
        let most = |(&capacity, &(amount, whole)): (&f64, &(f64, bool))| {
            let units = capacity * (1.0 + 1e-12) / amount;
            if whole { units.floor() as i64 } else { units.ceil() as i64 }
        };
        let amount: Vec<f64> = counted.iter().map(|counted| counted.0).collect();
        let of_item = |item: &Item| Whole {
            cost: (whole(item.cost, 10), whole(item.cost, moved)),
            uses: item.uses.iter().map(|&(k, u)| (k, (u / amount[k]).floor() as i64)).collect(),
        };
        let of_server = |needs: &crate::problem::Needs| match needs.current {
            Some((_, old)) if space.is_transition() => {
                let give_up = if needs.is_idle() { 0 } else { whole(old, 1) };
                (-whole(old, 10) - i64::from(!is_exact), give_up)
            }
            _ => (0, 0),
        };
        Self {
            unit,
            is_exact,
            groups: problem.groups.iter().map(|g| g.iter().map(of_item).collect()).collect(),
            charges: problem.servers.iter().map(of_server).collect(),
            capacity: space.capacity.iter().zip(&counted).map(most).collect(),
            amount,
        }
    }

    /// The same with replicas free of charge: what is left is how much of the limits they take.
    pub fn free(&self) -> Self {
        let mut free = self.clone();
        free.groups.iter_mut().flatten().for_each(|whole| whole.cost = (0, 0));
        free.charges.fill((0, 0));
        free
    }

    /// Whole units that are at most so many cents.
    pub fn at_most(&self, cents: f64) -> i64 {
        self.units_of(cents).floor() as i64
    }

    /// Cents of so many units of cost.
    pub fn cents(&self, units: f64) -> f64 {
        units * self.unit.0 / self.unit.1
    }

    /// Units of cost that so many cents are.
    pub fn units_of(&self, cents: f64) -> f64 {
        cents / self.unit.0 * self.unit.1
    }

    /// What a replica of an item comes to at `prices`, and at least 1, in their unit.
    pub fn price(&self, space: &Space<'_>, s: usize, item: u32, prices: &Prices) -> f64 {
        let whole = &self.groups[space.needs(s).group][item as usize];
        let taken = whole.uses.iter().map(|&(k, u)| prices.of[k] as f64 * u as f64);
        (whole.cost.1 as f64 * f64::from(prices.shift).exp2() + taken.sum::<f64>()).max(1.0)
    }

    /// Replicas of item `j` of a group that each limit alone has room for.
    pub fn room(&self, group: usize, j: usize) -> u64 {
        let taken = self.groups[group][j].uses.iter().filter(|u| u.1 > 0);
        let fits = taken.map(|&(k, u)| (self.capacity[k].max(0) / u) as u64);
        fits.min().unwrap_or(u64::MAX)
    }

    /// Cents in a unit of cost, and what is in a unit of each limit, as fractions.
    pub fn units(&self) -> (Fraction, Vec<Fraction>) {
        let (top, under) = (fraction(self.unit.0), fraction(self.unit.1));
        let amounts = self.amount.iter().map(|amount| fraction(*amount));
        ((top.0 * under.1, top.1 * under.0), amounts.collect())
    }

    /// `lambda`, cents for a unit of what each limit counts, as whole numbers.
    pub fn prices(&self, lambda: &[f64], shift: u32) -> Prices {
        let scale = f64::from(shift).exp2() * self.unit.1 / self.unit.0;
        let of = lambda.iter().zip(&self.amount).map(|(l, a)| (l * a * scale).round() as i64);
        Prices { shift, of: of.map(|l| l.clamp(0, DEAR)).collect() }
    }

    /// What server `s` may come to, whatever the sign of its parts, by the replicas of one of its items; those that
    /// are too dear to count with left out.
    pub fn most(&self, space: &Space<'_>, s: usize) -> i64 {
        let needs = space.needs(s);
        let (base, give_up) = self.charges[s];
        let cost = |(item, whole): (&Item, &Whole)| {
            // What cannot serve it alone may stand beside others, one of it at least.
            let mixes = space.shape == Shape::Mixed && !needs.is_idle();
            let together = mixes.then(|| [needs.useful(item), 1]);
            let alone = needs.replicas(item).map(|n| [n, n]);
            let counts = together.or(alone)?.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
            let each = whole.cost.0.max(whole.cost.1);
            let costs = counts.into_iter().filter_map(|n| n.checked_mul(each));
            costs.filter(|cost| *cost < DEAR >> 8).max()
        };
        let items = space.items(s).iter().zip(&self.groups[needs.group]);
        items.filter_map(cost).max().unwrap_or(0) + base.abs() + give_up
    }

    /// Cost of the mix `shares` of server `s`.
    pub fn cost(&self, space: &Space<'_>, s: usize, shares: &[(u32, u32)]) -> i64 {
        let now = space.charges(s).now;
        let moves = space.needs(s).current.is_some();
        let (base, give_up) = self.charges[s];
        let items = &self.groups[space.needs(s).group];
        let kept = shares.iter().any(|share| now == Some(share.0));
        let cost = |&(j, n): &(u32, u32)| {
            let (there, elsewhere) = items[j as usize].cost;
            i64::from(n).saturating_mul(if moves && now != Some(j) { elsewhere } else { there })
        };
        let charged = base + if kept { 0 } else { give_up };
        shares.iter().map(cost).fold(charged, i64::saturating_add).min(DEAR)
    }

    /// What the mix `shares` of server `s` takes of limit `k`.
    pub fn uses(&self, space: &Space<'_>, s: usize, shares: &[(u32, u32)], k: usize) -> i64 {
        let charges = space.charges(s);
        if charges.moves == Some(k) {
            return i64::from(shares.iter().any(|share| charges.now != Some(share.0)));
        }
        let items = &self.groups[space.needs(s).group];
        let of_item = |&(j, n): &(u32, u32)| {
            let taken = items[j as usize].uses.iter().filter(|u| u.0 == k).map(|u| u.1);
            taken.sum::<i64>().saturating_mul(i64::from(n))
        };
        shares.iter().map(of_item).fold(0, i64::saturating_add)
    }

    /// The knapsack of server `s` at `prices`, in their unit. What takes more than there is has no place in it.
    pub fn cover(&self, space: &Space<'_>, s: usize, prices: &Prices) -> Cover {
        let (needs, items, charges) = (space.needs(s), space.items(s), space.charges(s));
        let price = |(j, whole): (usize, &Whole)| {
            let moves = needs.current.is_some() && charges.now != Some(j as u32);
            let cost = if moves { whole.cost.1 } else { whole.cost.0 };
            let taken = |&(k, u): &(usize, i64)| i128::from(prices.of[k]) * i128::from(u);
            let price =
                (i128::from(cost) << prices.shift) + whole.uses.iter().map(taken).sum::<i128>();
            i64::try_from(price).unwrap_or(DEAR)
        };
        let whole = self.groups[needs.group].iter().enumerate();
        let mut cover = Cover::new(needs, items, whole.map(price));
        for j in (0..items.len()).filter(|&j| self.room(needs.group, j) == 0) {
            cover.exclude(j);
        }
        let (base, give_up) = self.charges[s];
        let gone = if charges.now.is_none() { give_up } else { 0 };
        cover.base = (base + gone) << prices.shift;
        cover.now = charges.now;
        cover.give_up = (give_up - gone) << prices.shift;
        cover.move_price = charges.moves.map_or(0, |k| prices.of[k]);
        cover
    }

    /// The most bits after the point with which the prices of servers stay countable.
    pub fn shift(&self, most_cost: i64) -> u32 {
        let bits = 64 - most_cost.max(1).leading_zeros() as i32;
        // Prices that keep a limit at any cost are dearer than servers by a thousand times.
        (48 - bits).clamp(0, 24) as u32
    }
}

/// Units to a cent where costs share no grain: a power of two that leaves [`BITS`] for the sum of what
/// servers cost.
fn fine(space: &Space<'_>) -> f64 {
    let of_server = |s: usize| {
        let needs = space.needs(s);
        // What is not needed, or cannot serve it alone, is counted all the same.
        let of_item = |item: &Item| needs.useful(item) as f64 * item.cost * 1.1;
        let dearest = space.items(s).iter().map(of_item).fold(0.0, f64::max);
        dearest + needs.current.map_or(0.0, |(_, old)| old)
    };
    let all: f64 = (0..space.problem.servers.len()).map(of_server).sum();
    (f64::from(BITS) - all.max(1e-9).log2().ceil()).exp2()
}

/// What limit `k` counts in one unit, and whether all uses are multiples of it: the greatest whole
/// number that they are multiples of, or a small power of two.
fn amount(space: &Space<'_>, k: usize) -> (f64, bool) {
    if k == space.problem.limits.len() {
        return (1.0, true);
    }
    let uses = space.problem.groups.iter().flatten().flat_map(|item| &item.uses);
    let uses = uses.filter(|u| u.0 == k).map(|u| u.1);
    if uses.clone().all(|amount| amount == amount.round() && amount < 1e15) {
        return (uses.fold(0, |unit, amount| gcd(unit, amount as u64)).max(1) as f64, true);
    }
    let most = uses.fold(space.capacity[k].abs(), f64::max);
    ((most.max(1e-9).log2().ceil() - f64::from(BITS)).exp2(), false)
}

/// A whole number or a power of two as a fraction; powers beyond 2^90 are none that anybody counts in.
fn fraction(x: f64) -> Fraction {
    if x >= 1.0 { (x as i128, 1) } else { (1, (1.0 / x) as i128) }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
