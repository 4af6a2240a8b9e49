//! The chain state by state: how likely it is that so many requests are in the system.
//!
//! The states are walked from the likeliest one, whose probability is known, as those far from it
//! may be less likely than any number that an `f64` holds. None is stored.

use super::analysis::Analysis;

/// Below this share of the likeliest state a state is taken for impossible.
const NEGLIGIBLE: f64 = 1e-290;

impl Analysis {
    /// `(n, p(n))` for `n = 0, 1, ...` requests in the system: up to `N` those in service, beyond
    /// them `N` in service and the rest waiting. It ends with the queue; an unbounded one goes on
    /// for ever, so that a caller takes as much of it as is asked for.
    ///
    /// ```
    /// use isocost_model::queue::{Iteration, Linear, ServiceModel, Station};
    ///
    /// let service =
    ///     ServiceModel::Linear(Linear { alpha_ms: 10.0, beta_ms: 0.1, gamma_ms: 1.0, delta_ms: 0.0 });
    /// let analysis = Station::new(service, 100.0, 50.0, Some(20)).analyze(8, 10.0).unwrap();
    /// assert_eq!(analysis.states().count(), 8 + 20 + 1);
    /// let total: f64 = analysis.states().map(|(_, p)| p).sum();
    /// assert!((total - 1.0).abs() < 1e-12);
    /// ```
    pub fn states(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        let waiting = self.station.queue_limit.unwrap_or(u32::MAX - self.batch);
        let rho = self.chain.rho;
        let tail = (1..=waiting).scan(self.chain.last, move |p, k| {
            *p *= rho;
            Some((self.batch + k, *p))
        });
        self.places_free().chain([(self.batch, self.chain.last)]).chain(tail)
    }

    /// Probabilities that `n = 0..=N` requests are in service; the last holds every state with all
    /// places taken, however many wait. They add up to 1.
    pub fn in_service_probabilities(&self) -> Vec<f64> {
        self.places_free().map(|(_, p)| p).chain([self.chain.busy]).collect()
    }

    /// `(n, p(n))` for `n = 0..N`.
    pub(super) fn places_free(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        let (top, most) = self.likeliest();
        let (mut first, mut share) = (top, 1.0);
        while first > 0 && share > NEGLIGIBLE {
            share /= self.ratio(first);
            first -= 1;
        }
        let rising = (first..self.batch).scan(share * most, move |p, n| {
            match n {
                n if n == first => (),
                // Starting anew here keeps what was lost far below from mattering.
                n if n == top => *p = most,
                n => *p *= self.ratio(n),
            }
            Some((n, *p))
        });
        (0..first).map(|n| (n, 0.0)).chain(rising)
    }

    /// The likeliest of the states `0..=N`, and its probability.
    fn likeliest(&self) -> (u32, f64) {
        let (mut top, mut share) = (0, 1.0);
        for n in 1..=self.batch {
            share *= self.ratio(n);
            if share > 1.0 {
                (top, share) = (n, 1.0);
            }
        }
        if top == self.batch {
            return (top, self.chain.last);
        }
        let below = (1..=top).rev().scan(1.0, |share, n| {
            *share /= self.ratio(n);
            Some(*share)
        });
        let above = (top + 1..self.batch).scan(1.0, |share, n| {
            *share *= self.ratio(n);
            Some(*share)
        });
        (top, (1.0 - self.chain.busy) / (1.0 + below.sum::<f64>() + above.sum::<f64>()))
    }

    /// `lambda / mu(n)`: what state `n` weighs against the one below.
    fn ratio(&self, n: u32) -> f64 {
        self.rate_per_s / self.station.service_rate_per_s(n)
    }
}

#[cfg(test)]
mod tests {
    use crate::queue::{Iteration, ServiceModel, Station};

    #[test]
    fn states_add_up_to_the_mean_in_service() {
        let service = ServiceModel::Iteration(Iteration {
            alpha_ms: 20.58,
            beta_ms: 0.041,
            gamma_ms: 1.28e-3,
        });
        for (queue, batch, share) in [
            (None, 1, 0.5),
            (None, 48, 0.9),
            (Some(10), 64, 3.0),
            (None, 900, 1e-4),
            (Some(0), 900, 40.0),
        ] {
            let station = Station::new(service, 128.0, 1024.0, queue);
            let rate = station.service_rate_per_s(batch) * share;
            let analysis = station.analyze(batch, rate).expect("a steady state");
            let states = analysis.in_service_probabilities();
            assert_eq!(states.len(), batch as usize + 1);
            let total: f64 = states.iter().sum();
            let mean: f64 = states.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}");
            let off = (mean - analysis.mean_in_service).abs();
            assert!(off < 1e-9 * analysis.mean_in_service, "{mean} {}", analysis.mean_in_service);
        }
    }
}
