//! An instance in the whole numbers of a proof's units.
//!
//! Costs and uses are rounded down to units, limits up where uses are not whole in them: every plan of
//! the instance is a plan of the rounded one, at no higher cost.

use crate::Refusal;
use crate::instance::{Instance, Item, Server};
use crate::text::{Prices, Proof};

/// An item, whole.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Index of the item.
    pub item: usize,
    /// Units of cost: where the server runs now, and elsewhere.
    pub cost: (i128, i128),
    /// Whether the cost is exactly that.
    pub is_whole: bool,
    /// By limit of the instance.
    pub uses: Vec<i128>,
    /// What it covers, in the server's own unit; at most what it needs.
    pub rate: i128,
    /// Card type.
    pub card_type: usize,
}

/// A server, whole.
#[derive(Debug, Clone)]
pub struct Site {
    /// What has to be covered.
    pub need: i128,
    /// Charged in any case, and where the accelerator is given up, in units of cost.
    pub base: i128,
    /// As above.
    pub give_up: i128,
    /// Whether those are exact.
    pub is_whole: bool,
    /// Its items.
    pub replicas: Vec<Replica>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// In the order of the instance.
    pub sites: Vec<Site>,
    /// By limit of the instance, in units.
    pub capacity: Vec<i128>,
    /// Index of the moves among the limits.
    pub moves: Option<usize>,
    /// For each limit of the instance its place in the proof.
    places: Vec<usize>,
}

impl Numbers {
    /// Those of `instance` in the units of `proof`.
    ///
    /// # Errors
    /// Limits that differ from the instance's, or numbers too large.
    pub fn new(instance: &Instance, proof: &Proof) -> Result<Self, Refusal> {
        if proof.limits.len() != instance.limits.len() {
            let text = format!("{} limits, not {}", proof.limits.len(), instance.limits.len());
            return Err(Refusal::Other(text));
        }
        let place = |(name, _): &(String, f64)| {
            let found = proof.limits.iter().position(|limit| limit.0 == *name);
            found.ok_or_else(|| Refusal::Other(format!("it has no limit `{name}`")))
        };
        let places: Vec<usize> = instance.limits.iter().map(place).collect::<Result<_, _>>()?;
        let amounts: Vec<(i128, i128)> = places.iter().map(|&at| proof.limits[at].1).collect();
        let moves = instance.asked.max_moves.map(|_| instance.limits.len() - 1);
        let mut capacity = Vec::new();
        for (k, (name, there)) in instance.limits.iter().enumerate() {
            let of_k = |item: &&Item| item.uses.iter().find(|u| u.0 == k).map(|u| u.1);
            let items = instance.servers.iter().flat_map(|server| &server.items);
            let mut whole = true;
            for amount in items.filter_map(|item| of_k(&item)) {
                whole &= units(amount, amounts[k])?.1;
            }
            // What is within 1e-12 of a limit keeps it.
            let (down, exact) = units(there * (1.0 + 1e-12), amounts[k])?;
            let up = if whole || exact { down } else { down + 1 };
            if down < 0 {
                return Err(Refusal::Other(format!("limit `{name}` is below 0")));
            }
            capacity.push(up);
        }
        let site = |server: &Server| site(server, instance, proof.unit, &amounts, moves);
        let sites = instance.servers.iter().map(site).collect::<Result<_, _>>()?;
        Ok(Self { sites, capacity, moves, places })
    }

    /// The prices of a leaf, by limit of the instance.
    pub fn of(&self, prices: &Prices) -> Vec<i128> {
        self.places.iter().map(|&at| prices.of[at]).collect()
    }

    /// Limits of the instance that a leaf names by their place in the proof.
    pub fn limits(&self, named: &[usize]) -> Vec<usize> {
        (0..self.places.len()).filter(|&k| named.contains(&self.places[k])).collect()
    }
}

fn site(
    server: &Server,
    instance: &Instance,
    unit: (i128, i128),
    amounts: &[(i128, i128)],
    moves: Option<usize>,
) -> Result<Site, Refusal> {
    let transition = instance.asked.transition;
    let scale = Scale::new(server.demand);
    let need = if server.demand > 0.0 { scale.need() } else { 0 };
    let mut replicas = Vec::new();
    for (item, of_item) in server.items.iter().enumerate() {
        let (there, exact) = cost(of_item.cost, 10, unit)?;
        let (elsewhere, as_exact) = cost(of_item.cost, if transition { 11 } else { 10 }, unit)?;
        let mut uses = vec![0; amounts.len()];
        for &(k, amount) in &of_item.uses {
            uses[k] = units(amount, amounts[k])?.0;
        }
        debug_assert!(moves.is_none_or(|k| uses[k] == 0));
        replicas.push(Replica {
            item,
            // Without a current accelerator nothing is a move to be charged.
            cost: (there, if server.current.is_some() { elsewhere } else { there }),
            is_whole: exact && as_exact,
            uses,
            rate: if need > 0 { scale.rate(of_item.rate).min(need) } else { 0 },
            card_type: of_item.card_type,
        });
    }
    let (mut base, mut give_up, mut is_whole) = (0, 0, true);
    if let Some((_, old)) = server.current.as_ref().filter(|_| transition) {
        let (down, exact) = cost(*old, 10, unit)?;
        base = -down - i128::from(!exact);
        let (tenth, as_exact) = cost(*old, 1, unit)?;
        give_up = if server.is_idle() { 0 } else { tenth };
        is_whole = exact && as_exact;
    }
    Ok(Site { need, base, give_up, is_whole, replicas })
}

/// Rates in powers of two of a load.
struct Scale {
    demand: f64,
    /// Bits below those of the load that still count.
    exponent: i32,
}

impl Scale {
    fn new(demand: f64) -> Self {
        Self { demand, exponent: if demand > 0.0 { split(demand).1 - 8 } else { 0 } }
    }

    /// The load less a billionth of it.
    fn need(&self) -> i128 {
        let load = self.rate(self.demand);
        load - load / 1_000_000_000
    }

    /// A rate, rounded up to the last bit that counts.
    fn rate(&self, rate: f64) -> i128 {
        if rate.is_nan() || rate <= 0.0 {
            return 0;
        }
        if rate >= self.demand {
            let (m, e) = split(self.demand);
            return m << (e - self.exponent);
        }
        let (m, e) = split(rate);
        match e - self.exponent {
            up @ 0.. => m << up,
            down @ -60..0 => (m >> -down) + i128::from(m & ((1 << -down) - 1) != 0),
            _ => 1,
        }
    }
}

/// A positive number as `m 2^e`, exactly.
fn split(x: f64) -> (i128, i32) {
    let (low, stored) = (x.to_bits() & ((1 << 52) - 1), ((x.to_bits() >> 52) & 0x7ff) as i32);
    if stored == 0 { (i128::from(low), -1074) } else { (i128::from(low | 1 << 52), stored - 1075) }
}

/// `x` in units of a fraction, rounded down, and whether that is exact.
fn units(x: f64, unit: (i128, i128)) -> Result<(i128, bool), Refusal> {
    if x == 0.0 {
        return Ok((0, true));
    }
    let large = || Refusal::Large(format!("{x}"));
    if !(x > 0.0 && x < 1e18) {
        return Err(large());
    }
    let (mut m, mut e) = split(x);
    let spare = m.trailing_zeros() as i32;
    (m, e) = (m >> spare, e + spare);
    let mut over = unit.0;
    let mut top = m.checked_mul(unit.1).ok_or_else(large)?;
    if e >= 0 {
        top = top
            .checked_mul(1_i128.checked_shl(e as u32).filter(|p| *p > 0).ok_or_else(large)?)
            .ok_or_else(large)?;
    } else {
        // Powers of two on both sides cancel.
        let both = (top.trailing_zeros() as i32).min(-e);
        top >>= both;
        let rest = (-e - both) as u32;
        if rest > 126 || over.leading_zeros() <= rest {
            return Ok((0, false));
        }
        over <<= rest;
    }
    Ok((top.div_euclid(over), top.rem_euclid(over) == 0))
}

/// So many tenths of a price in units of cost, rounded down, and whether that is exact.
fn cost(cents: f64, tenths: i128, unit: (i128, i128)) -> Result<(i128, bool), Refusal> {
    let hundredths = cents * 100.0;
    let whole = hundredths.round();
    if (hundredths - whole).abs() <= 1e-12 * whole && whole <= 1e13 {
        let large = || Refusal::Large(format!("{cents}"));
        let top = (whole as i128 * tenths).checked_mul(unit.1).ok_or_else(large)?;
        let over = unit.0.checked_mul(1000).ok_or_else(large)?;
        return Ok((top.div_euclid(over), top.rem_euclid(over) == 0));
    }
    let large = || Refusal::Large(format!("{cents}"));
    let finer =
        (unit.0.checked_mul(10).ok_or_else(large)?, unit.1.checked_mul(tenths).ok_or_else(large)?);
    units(cents, finer)
}
