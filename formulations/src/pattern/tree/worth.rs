//! What splits have brought so far, and may bring: pseudocosts.
//!
//! ```text
//! gain of a side    what its bound is above the node's
//! expected          f p w on the side of fewer replicas, (1 - f) p w on that of more
//! ```
//!
//! with `f` the fraction of the mean, `p` the price of a replica, and `w` the mean gain for a unit of the two
//! so far, of that server and item, or of all where they were not split yet. It orders the trials.
//!
//! Source: pseudocosts (Achterberg, Koch and Martin 2005).

use std::collections::BTreeMap;

use super::Cut;

/// A place where a node may be split.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub cut: Cut,
    /// Of the mean number of replicas.
    pub fraction: f64,
    /// Of a replica, in the unit of the prices.
    pub price: f64,
}

/// Gains for a unit of fraction and price, on the sides of fewer and of more: their sum.
#[derive(Debug, Clone, Copy, Default)]
struct Gains {
    sum: [f64; 2],
    count: u32,
}

/// What is known of splits.
#[derive(Debug, Default)]
pub(super) struct Worth {
    of: BTreeMap<(usize, u32), Gains>,
    all: Gains,
}

impl Place {
    fn sides(&self) -> [f64; 2] {
        [self.fraction * self.price, (1.0 - self.fraction) * self.price]
    }
}

impl Worth {
    /// Takes the gains of a split.
    pub fn learn(&mut self, place: &Place, gains: [f64; 2]) {
        let own = self.of.entry((place.cut.0, place.cut.1)).or_default();
        for known in [own, &mut self.all] {
            for ((sum, gain), unit) in known.sum.iter_mut().zip(gains).zip(place.sides()) {
                *sum += gain.max(0.0) / unit;
            }
            known.count += 1;
        }
    }

    /// What splitting there is expected to bring: the product of both sides' gains.
    pub fn expected(&self, place: &Place) -> f64 {
        let own = self.of.get(&(place.cut.0, place.cut.1)).filter(|own| own.count > 0);
        let known = own.unwrap_or(&self.all);
        let mean = |side: usize| match known.count {
            0 => 1.0,
            count => known.sum[side] / f64::from(count),
        };
        let [fewer, more] = place.sides();
        score([fewer * mean(0), more * mean(1)])
    }
}

/// How good a split is: both sides count.
pub(super) fn score(gains: [f64; 2]) -> f64 {
    gains[0].max(1e-3) * gains[1].max(1e-3)
}
