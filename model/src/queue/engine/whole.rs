//! Prompts in one piece: passes where prefill is not chunked.
//!
//! Prompts go first: between two decode passes of `d` requests there are as many prompt passes as it takes
//! until none is left, each with those that came in the pass before it, as far as there is room for them:
//!
//! ```text
//! k' = (k - room)+ + Poisson(lambda t(k))     t(0): a decode pass, t(k): a pass of k prompts
//! cycle(d) = sum of p(k) t(k) / p(0)          from one decode pass to the next
//! ```
//!
//! A request is served for `D` cycles, its prompt in the first of them, so that `d = lambda D cycle(d)` where as many
//! end as come. The prompts in a cycle are those of a busy period: about a generalised Poisson count
//! (Consul and Jain, Technometrics 15, 1973), of mean `theta / (1 - eta)` and variance `theta / (1 - eta)^3` with
//! `theta` that come in a decode pass and `eta` in that of a prompt.
//!
//! With all places taken prompts wait for places, and a cycle holds those of the requests that ended.

use super::counts::Counts;
use super::prompts::Passes;
use super::work::Work;
use crate::queue::stop::pause;

/// Counts that are told apart.
const MOST: usize = 64;

/// Iterations at most, and the change at which they end.
const TURNS: u32 = 200;
const SETTLED: f64 = 1e-4;

/// Prompts in a cycle beyond which none are looked at, and the odds that may be left out.
const LONGEST: u32 = 400;
const REST: f64 = 1e-6;

/// Parts of what is left that are told apart at least.
const FEW: f64 = 8.0;

/// Passes while so many requests decode under a rate.
pub(super) struct Cycle<'a> {
    work: &'a Work,
    rate_per_ms: f64,
    /// Prompts that a pass has room for.
    room: f64,
    /// Time of a pass of `k` prompts, of the decode pass for 0, ms.
    times: Vec<f64>,
    /// Probability of such a pass.
    shares: Vec<f64>,
}

/// What an arrival meets on average, ms.
pub(super) struct Meets {
    pub residual_ms: f64,
    /// From the end of the pass under way to the first token.
    pub first_ms: f64,
}

impl<'a> Cycle<'a> {
    pub fn new(work: &'a Work, decoding: f64, rate_per_ms: f64) -> Self {
        pause();
        let room = work.room(0.0).max(1.0);
        let most = MOST.min(decoding.ceil().max(4.0) as usize);
        let mut times: Vec<f64> =
            (0..=most).map(|k| work.only_ms(0.0, (k as f64).min(room))).collect();
        times[0] = work.only_ms(decoding, 0.0);
        let mut cycle = Self { work, rate_per_ms, room, times, shares: Vec::new() };
        cycle.shares = cycle.visits();
        let total: f64 = cycle.shares.iter().sum();
        cycle.shares.iter_mut().for_each(|p| *p /= total);
        cycle
    }

    /// Passes of each kind from one decode pass until the next.
    fn visits(&self) -> Vec<f64> {
        let rows: Vec<Vec<(usize, f64)>> = (0..self.times.len()).map(|k| self.after(k)).collect();
        let mut visits = vec![0.0; rows.len()];
        let mut now = visits.clone();
        (visits[0], now[0]) = (1.0, 1.0);
        for _ in 0..TURNS {
            let mut later = vec![0.0; rows.len()];
            for (share, row) in now.iter().zip(&rows).filter(|(p, _)| **p > 1e-9) {
                row.iter().for_each(|(to, odds)| later[*to] += share * odds);
            }
            later[0] = 0.0;
            visits.iter_mut().zip(&later).for_each(|(sum, p)| *sum += p);
            now = later;
            if now.iter().sum::<f64>() < SETTLED {
                break;
            }
        }
        visits
    }

    /// Where a pass of `k` prompts leads, with probabilities.
    fn after(&self, k: usize) -> Vec<(usize, f64)> {
        let most = self.times.len() - 1;
        let left = (k as f64 - self.room).max(0.0) as usize;
        let come = self.rate_per_ms * self.times[k];
        let counts = Counts::new(come, self.work.arrivals().dispersion(come), 1e9).coarse();
        let total: f64 = counts.map(|(_, odds)| odds).sum();
        let row =
            counts.map(|(more, odds)| ((left + more.round() as usize).min(most), odds / total));
        row.collect()
    }

    /// Mean time from one decode pass to the next, ms.
    pub fn mean_ms(&self) -> f64 {
        let all: f64 = self.shares.iter().zip(&self.times).map(|(p, t)| p * t).sum();
        all / self.shares[0].max(1e-6)
    }

    /// Passes as (prompts, probability, ms).
    pub fn passes(&self) -> Passes {
        let all = self.shares.iter().zip(&self.times).enumerate();
        all.map(|(k, (p, t))| (k as f64, *p, *t)).collect()
    }

    /// What an arrival meets on average.
    pub fn meets(&self) -> Meets {
        let (work, decodes) = (self.work, self.work.decodes_first_token());
        // What comes while a prompt is worked off is worked off before any decodes.
        let (prompts, one_ms) = (self.prompts(), self.work.whole_ms(1.0));
        let total: f64 = self.shares.iter().zip(&self.times).map(|(p, t)| p * t).sum();
        let mut meets = Meets { residual_ms: 0.0, first_ms: 0.0 };
        for (k, (share, t)) in self.shares.iter().zip(&self.times).enumerate() {
            let odds = share * t / total;
            let left = (k as f64 - self.room).max(0.0);
            let own_ms = work.whole_ms(1.0 + left + self.rate_per_ms * t);
            meets.residual_ms += odds * t / 2.0;
            meets.first_ms += odds * own_ms;
            if decodes {
                let more = prompts.since(self.rate_per_ms, own_ms);
                meets.first_ms += odds * (more.mean_ms(one_ms) + self.times[0]);
            }
        }
        meets
    }

    /// Gaps between two tokens, as (ms, probability).
    pub fn gaps(&self) -> Vec<(f64, f64)> {
        let prompts = self.prompts();
        let decode_ms = self.times[0];
        prompts.times(self.work).map(|(ms, odds)| (decode_ms + ms, odds)).collect()
    }

    /// Prompts in a cycle.
    pub fn prompts(&self) -> Prompts {
        let theta = self.rate_per_ms * self.times[0];
        let mean = self.rate_per_ms * self.mean_ms();
        let passes = (1.0 / self.shares[0].max(1e-6) - 1.0).max(1e-9);
        let eta = (1.0 - theta / mean.max(f64::MIN_POSITIVE)).clamp(0.0, 0.97);
        Prompts { theta, eta, together: (mean / passes).max(1.0) }
    }
}

/// The count of prompts in a cycle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompts {
    /// Prompts that come in a decode pass.
    theta: f64,
    /// Prompts that each of them brings while it is worked off.
    eta: f64,
    /// Prompts in a pass that has any.
    together: f64,
}

impl Prompts {
    /// The same where prompts come in a time other than that of a decode pass.
    pub fn since(self, rate_per_ms: f64, ms: f64) -> Self {
        Self { theta: rate_per_ms * ms, ..self }
    }

    /// Times of their passes, as (ms, probability).
    pub fn times(self, work: &Work) -> impl Iterator<Item = (f64, f64)> {
        self.counts(REST).map(move |(k, odds)| (self.ms(work, k), odds))
    }

    /// The same where counts are one that are a [`FEW`]th of those that are as large, or of the probability `rest` together.
    pub fn few_times(self, work: &Work, rest: f64) -> impl Iterator<Item = (f64, f64)> {
        let (mut sum, mut odds, mut left) = (0.0, 0.0, 1.0);
        self.counts(rest.max(REST)).filter_map(move |(k, p)| {
            (sum, odds) = (sum + p * k, odds + p);
            // Those that follow are all rarer than what is told apart, but for the last.
            if odds < left / FEW && odds < left - REST / 2.0 {
                return None;
            }
            let item = (self.ms(work, sum / odds.max(f64::MIN_POSITIVE)), odds);
            left -= odds;
            (sum, odds) = (0.0, 0.0);
            Some(item)
        })
    }

    /// Time of the passes of `k` of them, ms.
    fn ms(self, work: &Work, k: f64) -> f64 {
        let passes = (k / self.together).max(1.0);
        if k > 0.0 { passes * work.whole_ms(k / passes) } else { 0.0 }
    }

    /// The counts with their probabilities, least first.
    fn counts(self, rest: f64) -> impl Iterator<Item = (f64, f64)> {
        let Self { theta, eta, .. } = self;
        let (mut left, mut log_factorial) = (1.0, 0.0);
        (0..=LONGEST).map_while(move |at| {
            if left <= 0.0 {
                return None;
            }
            let k = f64::from(at);
            log_factorial += k.max(1.0).ln();
            let rate = theta + k * eta;
            let odds = if at == 0 {
                (-theta).exp()
            } else {
                (theta.ln() + (k - 1.0) * rate.ln() - rate - log_factorial).exp()
            };
            // The last stands for all that follow: no probability is lost.
            let is_last = left - odds < rest || at == LONGEST;
            let item = (k, if is_last { left } else { odds });
            left -= item.1;
            Some(item)
        })
    }

    /// Mean.
    pub fn mean(self) -> f64 {
        self.theta / (1.0 - self.eta)
    }

    /// Mean time of their passes where one takes `one_ms`, ms.
    fn mean_ms(self, one_ms: f64) -> f64 {
        self.mean() / self.together * one_ms
    }

    /// Variance over mean.
    pub fn dispersion(self) -> f64 {
        1.0 / (1.0 - self.eta).powi(2)
    }

    /// Prompts that one's own brings, until none is left.
    pub fn brought(self) -> f64 {
        self.eta / (1.0 - self.eta)
    }
}
