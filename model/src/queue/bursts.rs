//! Bursts and variable lengths: what arrivals that are not Poisson and work that is not exponential
//! do to the wait.
//!
//! With the squared coefficients of variation `ca` of inter-arrival times and `cs` of output tokens,
//! `U` the share of `mu(N)` that is used and `B` the probability that all `N` places are taken, the
//! chain's wait is multiplied by
//!
//! ```text
//! (ca + cs)/2  *  (B / U)^((1 - ca)/(ca + cs))  *  k
//! k = exp(-2 (1 - U)(1 - ca)^2 / (3 U (ca + cs)))   ca <= 1
//! k = exp(-(1 - U)(ca - 1) / (ca + 4 cs))           ca > 1
//! ```
//!
//! * The first factor lengthens the queue of a replica that is full (Allen and Cunneen; exact in
//!   heavy traffic). It takes the probability of waiting to be that of the chain, which holds for
//!   Poisson arrivals alone.
//! * The second moves that probability. Below `N` a bursty stream spreads the number in service by
//!   the peakedness `z = 1 + (ca - 1)/(1 + cs)`: the diffusion's density is the chain's to the power
//!   `1/z` (Halfin and Whitt 1981, Whitt 2004, with the peakedness of exponential and of constant
//!   work), so that `B / U` becomes `(B / U)^(1/z)`, and `1/z - 1 = (1 - ca)/(ca + cs)`. At `N = 1`,
//!   where `B = U` whatever the variation, it is 1. The more places, the more it matters.
//! * The third is the correction of Krämer and Langenbach-Belz (1976) for one server. Below `ca = 1`
//!   it takes away from the probability of waiting, above from the wait of those who do.
//!
//! So the tail is `P(W > t) = odds P(W' > t / scale)`, where `W'` is the chain's wait, and
//! `odds scale` is the product above. Both 1 give the chain itself. The simulation's chapter of the
//! book states the error as measured.

use super::occupancy::Occupancy;
use super::service::Station;

/// What variation makes of a chain's wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bursts {
    /// Factor on the probability of waiting.
    pub odds: f64,
    /// Factor on the wait of those who wait.
    pub scale: f64,
}

impl Bursts {
    const NONE: Self = Self { odds: 1.0, scale: 1.0 };

    #[inline(always)]
    pub fn new(station: &Station, chain: &Occupancy) -> Self {
        Self::with(station.arrival_scv, station.token_scv, chain)
    }

    /// With squared coefficients of variation of inter-arrival times and of completions.
    #[inline(always)]
    pub fn with(ca: f64, cs: f64, chain: &Occupancy) -> Self {
        if (ca, cs) == (1.0, 1.0) { Self::NONE } else { Self::of(ca, cs, chain) }
    }

    /// Factor on the mean wait.
    pub fn mean(&self) -> f64 {
        self.odds * self.scale
    }

    #[inline(never)]
    fn of(ca: f64, cs: f64, chain: &Occupancy) -> Self {
        let sum = ca + cs;
        let used = (chain.rho * (1.0 - chain.loss)).min(1.0);
        if sum == 0.0 || chain.busy < f64::MIN_POSITIVE || used <= 0.0 {
            return Self { odds: 1.0, scale: sum / 2.0 };
        }
        let odds = (chain.busy / used).min(1.0).powf((1.0 - ca) / sum);
        let (free, less) = (1.0 - used, 1.0 - ca);
        if ca <= 1.0 {
            let k = (-2.0 * free * less * less / (3.0 * used * sum)).exp();
            return Self { odds: odds * k, scale: sum / 2.0 };
        }
        let k = (free * less / (ca + 4.0 * cs)).exp();
        Self { odds, scale: sum / 2.0 * k }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::occupancy::mean_gaps_ms;
    use crate::queue::{Linear, ServiceModel};

    const SERVICE: ServiceModel =
        ServiceModel::Linear(Linear { alpha_ms: 10.0, beta_ms: 0.1, gamma_ms: 0.0, delta_ms: 0.0 });

    fn bursts(batch: u32, load: f64, arrival_scv: f64, token_scv: f64) -> (Bursts, Occupancy) {
        let plain = Station::new(SERVICE, 0.0, 100.0, None);
        let station = Station { arrival_scv, token_scv, ..plain };
        let gaps_ms = mean_gaps_ms(&station, batch);
        let rate = load / gaps_ms[batch as usize - 1];
        let chain = Occupancy::new(&gaps_ms, rate, None);
        (Bursts::new(&station, &chain), chain)
    }

    #[test]
    fn poisson_arrivals_keep_the_chains_probability_of_waiting() {
        for cs in [0.0, 0.3, 2.0, 9.0] {
            let (bursts, _) = bursts(20, 0.8, 1.0, cs);
            assert_eq!((bursts.odds, bursts.scale), (1.0, (1.0 + cs) / 2.0));
        }
        assert_eq!(bursts(20, 0.8, 1.0, 1.0).0, Bursts::NONE);
    }

    #[test]
    fn one_server_is_kramers_and_langenbach_belzs() {
        let (load, ca, cs) = (0.7, 0.5, 0.8);
        let k = (-2.0_f64 * 0.3 * 0.25 / (3.0 * 0.7 * 1.3)).exp();
        assert!((bursts(1, load, ca, cs).0.mean() - 0.65 * k).abs() < 1e-12);
        let (ca, cs) = (3.0, 0.5);
        let k = (-0.3_f64 * 2.0 / 5.0).exp();
        assert!((bursts(1, load, ca, cs).0.mean() - 1.75 * k).abs() < 1e-12);
    }

    #[test]
    fn no_variation_is_no_wait_and_all_of_it_is_a_probability() {
        assert_eq!(bursts(8, 0.9, 0.0, 0.0).0.mean(), 0.0);
        for batch in [1, 7, 300] {
            for load in [1e-3, 0.5, 0.999] {
                for (ca, cs) in [(0.0, 1.0), (0.2, 0.0), (5.0, 0.0), (50.0, 3.0), (1e-9, 1e-9)] {
                    let (bursts, chain) = bursts(batch, load, ca, cs);
                    let waits = chain.busy * bursts.odds;
                    assert!((0.0..=1.0).contains(&waits), "{batch} {load} {ca} {cs}: {waits}");
                    assert!(bursts.mean().is_finite());
                }
            }
        }
    }
}
