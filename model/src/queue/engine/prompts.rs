//! How many requests are at their prompts, pass by pass, where places are free.
//!
//! A pass with `k` of them works off `min(k, kappa)` and brings `Poisson(nu + lambda (t(k) - t(0)))` more:
//!
//! ```text
//! k' = (k - kappa)+ + Poisson(nu + lambda (t(k) - t(0)))
//! ```
//!
//! whose stationary distribution is found by iteration from the negative binomial one that it has
//! without a budget. `nu` is what gives the mean that is asked for: with `n` in service that mean is
//! `E k + (n - E n) Cov(k, n) / Var n`.

use super::arrivals::Arrivals;
use super::counts::Counts;
use super::met::Met;
use super::waves::Waves;
use super::work::Work;

/// Counts that are told apart; where more are likely they are read at points.
const MOST: usize = 40;

/// Iterations at most, and the change of the mean at which they end.
const TURNS: u32 = 60;
const SETTLED: f64 = 1e-3;

/// Probabilities of counts of prompts, with pass times, ms.
pub(super) type Passes = Vec<(f64, f64, f64)>;

/// (count, probability, time) of passes with the mean count `mean`, under waves of the share `share`.
pub(super) fn passes(met: &Met, work: &Work, mean: f64, waves: &Waves, rate_per_ms: f64) -> Passes {
    let timed = |k: f64, p: f64| (k, p, met.pass_ms(work, k));
    let free = waves.dispersion;
    let likely = mean + 6.0 * (mean * free).sqrt() + 4.0;
    if likely > MOST as f64 || (waves.share < 0.02 && met.stages.room > likely) {
        return Counts::new(mean, free, met.n).map(|(k, p)| timed(k, p)).collect();
    }
    let most = (met.n as usize).min(MOST);
    let times: Vec<f64> = (0..=most).map(|k| met.pass_ms(work, k as f64)).collect();
    let fresh: Vec<f64> = times.iter().map(|t| rate_per_ms * (t - times[0])).collect();
    let start = Counts::new(mean, free, met.n);
    let flow =
        Flow { mean, room: met.stages.room.max(1.0), fresh: &fresh, arrivals: work.arrivals() };
    let shares = flow.stationary(start);
    shares.iter().enumerate().map(|(k, p)| (k as f64, *p, times[k])).collect()
}

/// Prompts that come and are worked off.
struct Flow<'a> {
    /// Mean that come in a pass.
    mean: f64,
    /// Prompts that a pass has room for.
    room: f64,
    /// Prompts that come in a pass of so many, beyond those that come in one of none.
    fresh: &'a [f64],
    arrivals: Arrivals,
}

impl Flow<'_> {
    /// Where the counts settle that begin as `start`.
    fn stationary(&self, start: Counts) -> Vec<f64> {
        let most = self.fresh.len() - 1;
        let mut shares = vec![0.0; most + 1];
        for (k, p) in start {
            shares[(k.round() as usize).min(most)] += p;
        }
        let mut before = f64::NAN;
        for _ in 0..TURNS {
            let branched: f64 = shares.iter().zip(self.fresh).map(|(p, f)| p * f).sum();
            // What comes is on average what is worked off.
            let fixed = (self.mean.min(0.98 * self.room) - branched).max(0.02 * self.mean);
            shares = self.next(&shares, fixed);
            let now: f64 = shares.iter().enumerate().map(|(k, p)| p * k as f64).sum();
            if (now - before).abs() < SETTLED * now {
                break;
            }
            before = now;
        }
        shares
    }

    /// The distribution a pass later.
    fn next(&self, shares: &[f64], fixed: f64) -> Vec<f64> {
        let most = shares.len() - 1;
        let mut later = vec![0.0; most + 1];
        for (k, share) in shares.iter().enumerate().filter(|(_, share)| **share > 1e-9) {
            let left = (k as f64 - self.room).max(0.0);
            let (whole, part) = (left.floor() as usize, left.fract());
            let come = fixed + self.fresh[k];
            let mut rest = *share;
            for (more, odds) in Counts::new(come, self.arrivals.dispersion(come), 1e9) {
                let at = whole + more.round() as usize;
                let odds = odds * share;
                if at >= most {
                    break;
                }
                later[at] += odds * (1.0 - part);
                later[at + 1] += odds * part;
                rest -= odds;
            }
            later[most] += rest.max(0.0);
        }
        later
    }
}
