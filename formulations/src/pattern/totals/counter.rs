//! Counting what is taken of a few limits in one number.

use crate::pattern::numbers::{Numbers, Prices};

/// Bits of a limit's count; the highest is kept free, to see a count that ran over.
const BITS: u32 = 21;
/// Limits that are counted, at most.
pub const COUNTED: usize = 3;

/// Counts of a few limits `k`, in their units.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Indices of the limits.
    pub limits: Vec<usize>,
    /// All there is.
    pub capacity: u64,
    guard: u64,
}

impl Counter {
    /// Counts `limits`; `None` where there is too much of them.
    pub fn new(numbers: &Numbers, limits: &[usize]) -> Option<Self> {
        let mut counter = Self { limits: limits.to_vec(), capacity: 0, guard: 0 };
        for (i, &k) in limits.iter().enumerate() {
            let there = u64::try_from(numbers.capacity[k]).ok()?;
            if i >= COUNTED || there >= 1 << (BITS - 2) {
                return None;
            }
            counter.capacity |= there << (BITS * i as u32);
            counter.guard |= 1 << (BITS * i as u32 + BITS - 1);
        }
        Some(counter)
    }

    /// The count of what is taken of each limit `k`, `uses(k)`; `None` where it is more than there is.
    pub fn count(&self, uses: impl Fn(usize) -> i64) -> Option<u64> {
        let mut count = 0;
        for (i, &k) in self.limits.iter().enumerate() {
            let units = u64::try_from(uses(k)).ok()?;
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

    /// What a unit of the `i`th limit is worth.
    pub fn worth(&self, i: usize, prices: &Prices) -> i64 {
        prices.of[self.limits[i]]
    }
}
