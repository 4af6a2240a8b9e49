//! A load that wanders: a mean-reverting random walk, step by step,
//!
//! ```text
//! x' = x + theta (nominal - x) + alpha nominal N(0, 1)
//! ```
//!
//! kept within half and one and a half times the nominal value. Rate and token counts walk each on
//! their own. In the long run `x` has the mean `nominal` and the coefficient of variation
//! `alpha / sqrt(theta (2 - theta))`: a sixth at the usual 0.1 and 0.2.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::cluster::LabelLoad;

fn map2(load: LabelLoad, other: LabelLoad, mut of: impl FnMut(f64, f64) -> f64) -> LabelLoad {
    LabelLoad {
        rpm: of(load.rpm, other.rpm),
        in_tokens: of(load.in_tokens, other.in_tokens),
        out_tokens: of(load.out_tokens, other.out_tokens),
    }
}

/// How a load wanders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Walk {
    /// Standard deviation of a step, as a share of the nominal value.
    pub alpha: f64,
    /// Share of the way back to the nominal value that a step goes; 0 does not return, 1 is there at
    /// once.
    pub theta: f64,
    /// How unequally pods share a Deployment's load: 0 equally, 1 wholly at random.
    pub skew: f64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { alpha: 0.1, theta: 0.2, skew: 0.3 }
    }
}

/// How far a value may go from the nominal one, as multiples of that.
const BAND: [f64; 2] = [0.5, 1.5];

impl Walk {
    /// The load a step later.
    pub fn step(&self, current: LabelLoad, nominal: LabelLoad, rng: &mut impl Rng) -> LabelLoad {
        map2(current, nominal, |x, nominal| {
            let noise: f64 = rng.sample(StandardNormal);
            let next = x + self.theta * (nominal - x) + self.alpha * nominal * noise;
            next.clamp(BAND[0] * nominal, BAND[1] * nominal)
        })
    }

    /// What each of `pods` pods gets of a load: rates that sum to the load's, token counts that
    /// scatter by the skew around its.
    pub fn split(&self, load: LabelLoad, pods: usize, rng: &mut impl Rng) -> Vec<LabelLoad> {
        let weights: Vec<f64> =
            (0..pods).map(|_| 1.0 - self.skew + self.skew * rng.random::<f64>()).collect();
        let total: f64 = weights.iter().sum();
        let share = |w: f64| if total > 0.0 { w / total } else { 1.0 / pods as f64 };
        weights
            .into_iter()
            .map(|w| {
                let mut scatter = |x: f64| x * (1.0 + self.skew * rng.random_range(-0.5..=0.5));
                LabelLoad {
                    rpm: load.rpm * share(w),
                    in_tokens: scatter(load.in_tokens),
                    out_tokens: scatter(load.out_tokens).max(1.0),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    const NOMINAL: LabelLoad = LabelLoad { rpm: 60.0, in_tokens: 128.0, out_tokens: 1024.0 };

    #[test]
    fn in_the_long_run_it_has_the_nominal_mean_and_the_stated_variation() {
        let (walk, steps) = (Walk::default(), 200_000);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut load, mut sum, mut squares) = (NOMINAL, 0.0, 0.0);
        for _ in 0..steps {
            load = walk.step(load, NOMINAL, &mut rng);
            let x = load.rpm / NOMINAL.rpm;
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(steps);
        let deviation = (squares / f64::from(steps) - mean * mean).sqrt();
        assert!((mean - 1.0).abs() < 0.01, "mean {mean}");
        assert!((deviation - 1.0 / 6.0).abs() < 0.01, "deviation {deviation}");
    }

    proptest! {
        #[test]
        fn a_walk_stays_in_its_band_and_a_split_loses_nothing(
            alpha in 0.0..2.0_f64, theta in 0.0..=1.0_f64, skew in 0.0..=1.0_f64,
            seed: u64, pods in 1_usize..50,
        ) {
            let walk = Walk { alpha, theta, skew };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut load = NOMINAL;
            for _ in 0..50 {
                load = walk.step(load, NOMINAL, &mut rng);
                prop_assert!((30.0..=90.0).contains(&load.rpm));
                prop_assert!((512.0..=1536.0).contains(&load.out_tokens));
            }
            let shares = walk.split(load, pods, &mut rng);
            let total: f64 = shares.iter().map(|s| s.rpm).sum();
            prop_assert_eq!(shares.len(), pods);
            prop_assert!((total - load.rpm).abs() <= 1e-9 * load.rpm);
            prop_assert!(shares.iter().all(|s| s.rpm >= 0.0 && s.out_tokens >= 1.0));
        }
    }

    #[test]
    fn without_skew_pods_share_equally_and_without_noise_a_walk_returns() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let still = Walk { alpha: 0.0, theta: 0.5, skew: 0.0 };
        let far = LabelLoad { rpm: 40.0, ..NOMINAL };
        assert_eq!(still.step(far, NOMINAL, &mut rng), LabelLoad { rpm: 50.0, ..NOMINAL });
        let third = LabelLoad { rpm: 20.0, ..NOMINAL };
        assert_eq!(still.split(NOMINAL, 3, &mut rng), [third; 3]);
        assert_eq!(still.split(NOMINAL, 0, &mut rng), []);
    }
}
