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
    if likely > MOST as f64
        || ((waves.share < 0.02 || work.station().arrival_scv != 1.0) && met.stages.room > likely)
    {
        return Counts::new(mean, free, met.n).map(|(k, p)| timed(k, p)).collect();
    }
    let most = (met.n as usize).min(MOST);
    let times: Vec<f64> = (0..=most).map(|k| met.pass_ms(work, k as f64)).collect();
    let fresh: Vec<f64> = times.iter().map(|t| rate_per_ms * (t - times[0])).collect();
    let shares = stationary(mean, free, met.stages.room.max(1.0), &fresh);
    shares.iter().enumerate().map(|(k, p)| (k as f64, *p, times[k])).collect()
}

fn stationary(mean: f64, free: f64, room: f64, fresh: &[f64]) -> Vec<f64> {
    let most = fresh.len() - 1;
    let mut shares = vec![0.0; most + 1];
    for (k, p) in Counts::new(mean, free, most as f64) {
        shares[(k.round() as usize).min(most)] += p;
    }
    let mut before = f64::NAN;
    for _ in 0..TURNS {
        let branched: f64 = shares.iter().zip(fresh).map(|(p, f)| p * f).sum();
        // What comes is on average what is worked off.
        let fixed = (mean.min(0.98 * room) - branched).max(0.02 * mean);
        shares = next(&shares, room, fixed, fresh);
        let now: f64 = shares.iter().enumerate().map(|(k, p)| p * k as f64).sum();
        if (now - before).abs() < SETTLED * now {
            break;
        }
        before = now;
    }
    shares
}

/// The distribution a pass later.
fn next(shares: &[f64], room: f64, fixed: f64, fresh: &[f64]) -> Vec<f64> {
    let most = shares.len() - 1;
    let mut later = vec![0.0; most + 1];
    for (k, share) in shares.iter().enumerate().filter(|(_, share)| **share > 1e-9) {
        let left = (k as f64 - room).max(0.0);
        let (whole, part) = (left.floor(), left - left.floor());
        let mut odds = (-(fixed + fresh[k])).exp() * share;
        let mut rest = *share;
        for more in 0..=most {
            let at = whole as usize + more;
            if at >= most {
                break;
            }
            later[at] += odds * (1.0 - part);
            later[at + 1] += odds * part;
            rest -= odds;
            odds *= (fixed + fresh[k]) / (more + 1) as f64;
            if rest < 1e-9 {
                break;
            }
        }
        later[most] += rest.max(0.0);
    }
    later
}
