//! A sample as weighted counts in narrow classes, with its exact sum.

/// Mantissa bits that tell classes apart: a class is at most 1/1024 of its values wide.
const BITS: u32 = 10;

/// A sample of values of at least 0: exact count, sum and largest value, percentiles to 0.05%.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// Values that are exactly 0.
    zeros: u64,
    /// Class of `counts[0]`.
    first: u64,
    counts: Vec<u64>,
    total: u64,
    sum: f64,
    largest: f64,
}

impl Histogram {
    /// Adds `weight` times the value.
    pub fn add(&mut self, value: f64, weight: u64) {
        if weight == 0 {
            return;
        }
        self.total += weight;
        self.sum += value * weight as f64;
        self.largest = self.largest.max(value);
        if value < f64::MIN_POSITIVE {
            self.zeros += weight;
            return;
        }
        let class = value.to_bits() >> (f64::MANTISSA_DIGITS - 1 - BITS);
        self.reach(class, class);
        self.counts[(class - self.first) as usize] += weight;
    }

    /// Makes room for the classes `from..=to`.
    fn reach(&mut self, from: u64, to: u64) {
        if self.counts.is_empty() {
            self.first = from;
        }
        if from < self.first {
            let missing = (self.first - from) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = from;
        }
        let length = (to - self.first) as usize + 1;
        if self.counts.len() < length {
            self.counts.resize(length, 0);
        }
    }

    /// Adds another sample.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.total += other.total;
        self.sum += other.sum;
        self.largest = self.largest.max(other.largest);
        if other.counts.is_empty() {
            return;
        }
        self.reach(other.first, other.first + other.counts.len() as u64 - 1);
        let offset = (other.first - self.first) as usize;
        for (mine, theirs) in self.counts[offset..].iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Largest value.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// Mean, or `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.total > 0).then(|| self.sum / self.total as f64)
    }

    /// How many values are at most `value`, those of its own class among them.
    pub fn at_most(&self, value: f64) -> u64 {
        if value < 0.0 {
            return 0;
        }
        let class = value.to_bits() >> (f64::MANTISSA_DIGITS - 1 - BITS);
        let classes = (class + 1).saturating_sub(self.first).min(self.counts.len() as u64);
        self.zeros + self.counts[..classes as usize].iter().sum::<u64>()
    }

    /// The least value that `percent` of the values do not exceed, or `None` without values.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let rank = (percent / 100.0 * self.total as f64).ceil().max(1.0) as u64;
        let mut below = self.zeros;
        if rank <= below {
            return Some(0.0);
        }
        for (class, count) in (self.first..).zip(&self.counts) {
            if rank <= below + count {
                let edge = |class: u64| f64::from_bits(class << (f64::MANTISSA_DIGITS - 1 - BITS));
                let (low, high) = (edge(class), edge(class + 1).min(self.largest));
                let within = ((rank - below) as f64 - 0.5) / *count as f64;
                return Some(low + (high - low).max(0.0) * within);
            }
            below += count;
        }
        Some(self.largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(
            values in prop::collection::vec(prop_oneof![Just(0.0), 1e-3..1e6_f64], 1..200),
            percent in 1.0..99.9_f64, split in 0_usize..200,
        ) {
            let (mut one, mut other) = (Histogram::default(), Histogram::default());
            for (i, v) in values.iter().enumerate() {
                if i < split { one.add(*v, 1) } else { other.add(*v, 1) }
            }
            one.merge(&other);
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
            let (got, exact) = (one.percentile(percent).expect("values"), sorted[rank - 1]);
            prop_assert!((got - exact).abs() <= exact / 1024.0, "{got}, not {exact}");
            prop_assert_eq!(one.count(), values.len() as u64);
            let below = |x: f64| values.iter().filter(|v| **v <= x).count() as u64;
            let near = [exact / 1.001, exact, exact * 1.001].map(below);
            prop_assert!((near[1]..=near[2]).contains(&one.at_most(exact)), "{near:?}");
            prop_assert!((one.sum() - values.iter().sum::<f64>()).abs() <= 1e-9 * one.sum());
        }
    }

    #[test]
    fn an_empty_sample_has_no_moments() {
        let empty = Histogram::default();
        assert_eq!((empty.mean(), empty.percentile(99.0)), (None, None));
    }
}
