//! Counting what is taken of a few limits in one number.

use crate::pattern::space::Space;

/// Bits of a limit's count; the highest is kept free, to see a count that ran over.
const BITS: u32 = 21;
/// Limits that are counted, at most.
pub const COUNTED: usize = 3;

/// Counts of a few limits `k`, in the largest unit that every use is a multiple of.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Indices of the limits.
    pub limits: Vec<usize>,
    units: Vec<u64>,
    /// All there is.
    pub capacity: u64,
    guard: u64,
}

impl Counter {
    /// Counts `limits`; `None` where some are not used in whole numbers, or there is too much of them.
    pub fn new(space: &Space<'_>, capacity: &[f64], limits: &[usize]) -> Option<Self> {
        let mut counter =
            Self { limits: limits.to_vec(), units: Vec::new(), capacity: 0, guard: 0 };
        for (i, &k) in limits.iter().enumerate() {
            let unit = unit(space, k)?;
            let there = (capacity[k] * (1.0 + 1e-12)).max(0.0) as u64 / unit;
            if i >= COUNTED || there >= 1 << (BITS - 2) {
                return None;
            }
            counter.units.push(unit);
            counter.capacity |= there << (BITS * i as u32);
            counter.guard |= 1 << (BITS * i as u32 + BITS - 1);
        }
        Some(counter)
    }

    /// What `uses` of all limits count; `None` where it is more than there is.
    pub fn count(&self, uses: &[f64]) -> Option<u64> {
        let mut count = 0;
        for (i, (&k, unit)) in self.limits.iter().zip(&self.units).enumerate() {
            let units = (uses[k].round() as u64) / unit;
            if units > self.part(self.capacity, i) {
                return None;
            }
            count |= units << (BITS * i as u32);
        }
        Some(count)
    }

    /// `all - part`, where that leaves no count below 0.
    pub fn less(&self, all: u64, part: u64) -> Option<u64> {
        let left = (all | self.guard) - part;
        (left & self.guard == self.guard).then_some(left ^ self.guard)
    }

    /// The count of the `i`th limit.
    pub fn part(&self, count: u64, i: usize) -> u64 {
        (count >> (BITS * i as u32)) & ((1 << BITS) - 1)
    }

    /// One unit of the `i`th limit.
    pub fn one(&self, i: usize) -> u64 {
        1 << (BITS * i as u32)
    }

    /// What a unit of the `i`th limit is worth at prices `lambda`, cents/h.
    pub fn worth(&self, i: usize, lambda: &[f64]) -> f64 {
        lambda[self.limits[i]] * self.units[i] as f64
    }
}

/// The largest whole number that every use of limit `k` is a multiple of.
fn unit(space: &Space<'_>, k: usize) -> Option<u64> {
    if k == space.problem.limits.len() {
        return Some(1);
    }
    let uses = space.problem.groups.iter().flatten().flat_map(|item| &item.uses);
    let mut unit = 0;
    for &(_, amount) in uses.filter(|u| u.0 == k) {
        if (amount - amount.round()).abs() > 1e-9 || amount > 1e9 {
            return None;
        }
        unit = gcd(unit, amount.round() as u64);
    }
    (unit > 0).then_some(unit)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
