//! The slow chain: how many requests are in service, and what follows on average.
//!
//! With `mu(n)` of a [`Level`] the number in the system is the birth-death chain of the front page,
//! and its sums are taken in one pass over the states, all batch sizes at once where they are
//! wanted. Over time `p(n)`, an arrival finds `n`; so that with the level's rest of a pass `r(n)`, time to
//! the first token `f(n)` and decoding requests `d(n)`
//!
//! ```text
//! wait = wait for a place + E[r(n)]
//! TTFT = wait + E[f(n)] + lambda E[m(n)]     m: prompts that arrive in the same pass
//! ITL  = E[d(n)] / (lambda D)                Little's law of the decode passes
//! ```

use super::level::Level;
use super::waves::Waves;
use super::work::Work;
use crate::queue::analysis::Analysis;
use crate::queue::bursts::Bursts;
use crate::queue::occupancy::{Body, HUGE, Occupancy};
use crate::queue::service::Station;

/// A station's levels, up to some batch size.
#[derive(Debug, Clone)]
pub(in crate::queue) struct Replica {
    pub(super) work: Work,
    pub(super) levels: Vec<Level>,
    /// What an arrival finds that finds nobody: time to its first token, ms.
    pub(super) idle_ms: f64,
}

/// What a rate brings on average; times in ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::queue) struct Means {
    pub chain: Occupancy,
    /// Wait for a place in the batch.
    pub place_ms: f64,
    /// Wait for the end of the pass under way.
    pub residual_ms: f64,
    /// Between two tokens.
    pub itl_ms: f64,
    /// From the end of the wait to the first token.
    pub first_ms: f64,
}

impl Replica {
    pub fn new(station: &Station, batch: u32) -> Self {
        let work = Work::new(station);
        let levels: Vec<Level> = (1..=batch).map(|n| Level::new(&work, f64::from(n))).collect();
        let mut idle_ms = work.station().service.outside_ms(0.0);
        if work.has_prompt_pass() {
            let chunks = work.chunks(work.room(0.0));
            idle_ms += work.pass_ms(0.0, 1.0, chunks)
                + (chunks - 1.0) * work.pass_ms(0.0, 0.0, 1.0).max(0.0);
        }
        if work.decodes_first_token() {
            idle_ms += work.pass_ms(1.0, 0.0, 1.0);
        }
        Self { work, levels, idle_ms }
    }

    /// `1 / mu(n)`, ms, for `n = 1, 2, ...`.
    pub fn gaps_ms(&self) -> Vec<f64> {
        self.levels.iter().map(|level| level.gap_ms).collect()
    }

    /// Largest batch size that there are levels for.
    pub fn batch(&self) -> u32 {
        self.levels.len() as u32
    }

    /// `mu(N)` of the largest, requests/s.
    pub fn capacity_per_s(&self) -> f64 {
        1000.0 / self.levels[self.levels.len() - 1].gap_ms
    }

    /// The waves at a rate: at the level at which as many requests end as arrive.
    pub fn waves(&self, rate_per_ms: f64) -> Waves {
        let below = self.levels.partition_point(|level| rate_per_ms * level.gap_ms > 1.0);
        Waves::new(&self.work, &self.levels[below.min(self.levels.len() - 1)])
    }

    /// Requests in service where as many end as arrive.
    pub fn balance(&self, rate_per_ms: f64) -> f64 {
        let below = self.levels.partition_point(|level| rate_per_ms * level.gap_ms > 1.0);
        // Between two levels, by the rates at which requests end; none do where nobody is.
        let ends = |n: usize| if n == 0 { 0.0 } else { 1.0 / self.levels[n - 1].gap_ms };
        if below >= self.levels.len() {
            return self.levels.len() as f64;
        }
        let (low, high) = (ends(below), ends(below + 1));
        let part = if high > low { (rate_per_ms - low) / (high - low) } else { 1.0 };
        below as f64 + part.clamp(0.0, 1.0)
    }

    /// The means of batch size `batch` at a rate.
    pub fn means(&self, batch: u32, rate_per_ms: f64) -> Means {
        let Some((full, below)) = self.levels[..batch as usize].split_last() else {
            return Means::NONE;
        };
        let waves = self.waves(rate_per_ms);
        let (mut even, mut peaked) = (Sums::new(self.idle_ms), Sums::new(self.idle_ms));
        let power = 1.0 / waves.peakedness;
        for (i, level) in below.iter().enumerate() {
            let (n, ratio) = ((i + 1) as f64, rate_per_ms * level.gap_ms);
            let terms = self.terms(level, waves.dispersion);
            even.push(ratio, n, terms);
            peaked.push(ratio.powf(power), n, terms);
        }
        let batch = f64::from(batch);
        let (chain, [decoding, ..]) = self.close(even, full, batch, rate_per_ms, 1.0);
        let (busy, terms) = self.close(peaked, full, batch, rate_per_ms, power);
        let [_, residual_ms, first_ms, next_ms2] = terms;
        let served_per_ms = rate_per_ms * (1.0 - chain.loss);
        let spread =
            Bursts::with(self.work.station().arrival_scv, self.completion_scv(full), &busy);
        Means {
            chain: Occupancy { in_service: chain.in_service, ..busy },
            place_ms: busy.waiting / served_per_ms * spread.mean(),
            residual_ms,
            itl_ms: self.itl_ms(full, decoding / served_per_ms),
            first_ms: first_ms + served_per_ms * next_ms2,
        }
    }

    /// What is averaged over the levels: decoding requests, rest of a pass, time to the first token,
    /// and what each request a ms adds to it.
    fn terms(&self, level: &Level, dispersion: f64) -> [f64; 4] {
        let residual_ms = level.residual_ms(dispersion);
        let outside_ms = self.work.station().service.outside_ms(2.0 * residual_ms);
        let mates_ms2 = level.more_ms * 2.0 * residual_ms + level.next_ms2;
        [level.decoding, residual_ms, level.first_ms + outside_ms, mates_ms2]
    }

    /// Adds the states with all places taken, `full`, to those with free places.
    fn close(
        &self,
        mut sums: Sums,
        full: &Level,
        batch: f64,
        rate_per_ms: f64,
        power: f64,
    ) -> (Occupancy, [f64; 4]) {
        let rho = rate_per_ms * full.gap_ms;
        sums.body.push(rho.powf(power), batch);
        let chain = Occupancy::close(sums.body, batch, rho, self.work.station().queue_limit);
        let free = 1.0 - chain.busy;
        let mass = sums.body.mass - sums.body.last;
        let unit = if mass > 0.0 { free / mass } else { 0.0 };
        let terms = self.terms(full, 1.0);
        let mut all = [0.0; 4];
        for (i, sum) in all.iter_mut().enumerate() {
            *sum = sums.free[i] * unit + terms[i] * chain.busy;
        }
        (chain, all)
    }

    /// Mean time between tokens, of the time that a request decodes.
    fn itl_ms(&self, full: &Level, decoding_ms: f64) -> f64 {
        let passes = self.work.decode_passes;
        if passes > 0.0 { decoding_ms / passes } else { full.pass_ms }
    }

    /// Probabilities of `n = 0..N` requests in the system, where all places are taken with `busy`.
    pub fn probabilities(&self, rate_per_ms: f64, busy: f64, peakedness: f64) -> Vec<f64> {
        let below = &self.levels[..self.levels.len() - 1];
        let (mut last, mut all) = (1.0, vec![1.0]);
        for level in below {
            last *= (rate_per_ms * level.gap_ms).powf(1.0 / peakedness);
            all.push(last);
            if last > HUGE {
                all.iter_mut().for_each(|p| *p /= last);
                last = 1.0;
            }
        }
        let mass: f64 = all.iter().sum();
        all.iter_mut().for_each(|p| *p *= (1.0 - busy) / mass);
        all
    }

    /// Squared coefficient of variation of the time between two completions while all places are
    /// taken: a completion brings a prompt, whose share of the time varies as prompts do, and takes
    /// decode passes, whose number varies as answers do.
    pub fn completion_scv(&self, full: &Level) -> f64 {
        let bare_ms = self.work.pass_ms(full.decoding, 0.0, 1.0);
        let decode = (bare_ms / full.pass_ms).clamp(0.0, 1.0);
        let Station { input_scv, token_scv, .. } = *self.work.station();
        decode * decode * token_scv + (1.0 - decode) * (1.0 - decode) * input_scv
    }
}

/// Sums over the states with free places, before they are normalised.
#[derive(Debug, Clone, Copy)]
struct Sums {
    body: Body,
    free: [f64; 4],
}

impl Sums {
    /// Nobody is in service.
    fn new(idle_ms: f64) -> Self {
        Self { body: Body::empty(), free: [0.0, 0.0, idle_ms, 0.0] }
    }

    fn push(&mut self, ratio: f64, n: f64, terms: [f64; 4]) {
        self.body.push(ratio, n);
        for (sum, term) in self.free.iter_mut().zip(terms) {
            *sum += self.body.last * term;
        }
        if self.body.mass > HUGE {
            let unit = 1.0 / self.body.mass;
            self.body = self.body.scaled(unit);
            self.free = self.free.map(|sum| sum * unit);
        }
    }
}

impl Means {
    /// Of a replica without places.
    const NONE: Self = Self {
        chain: Occupancy {
            in_service: 0.0,
            waiting: 0.0,
            busy: 1.0,
            loss: 0.0,
            last: 1.0,
            rho: 0.0,
        },
        place_ms: 0.0,
        residual_ms: 0.0,
        itl_ms: 0.0,
        first_ms: 0.0,
    };

    /// As an analysis states it.
    pub fn analysis(
        &self,
        station: &Station,
        batch: u32,
        rate_per_s: f64,
        capacity_per_s: f64,
    ) -> Analysis {
        let chain = self.chain;
        let throughput_per_s = rate_per_s * (1.0 - chain.loss);
        let served_per_ms = throughput_per_s / 1000.0;
        let mean_wait_ms = self.place_ms + self.residual_ms;
        // A request that waits for the end of a pass is not in service yet.
        let mean_in_service = (chain.in_service - served_per_ms * self.residual_ms).max(0.0);
        let mean_service_ms = mean_in_service / served_per_ms;
        Analysis {
            station: *station,
            batch,
            rate_per_s,
            throughput_per_s,
            capacity_per_s,
            loss_probability: chain.loss,
            mean_in_system: mean_in_service + served_per_ms * mean_wait_ms,
            mean_in_service,
            mean_wait_ms,
            mean_service_ms,
            mean_response_ms: mean_wait_ms + mean_service_ms,
            itl_ms: self.itl_ms,
            ttft_ms: mean_wait_ms + self.first_ms,
            utilisation: mean_in_service / f64::from(batch),
            first_token_ms: self.first_ms,
            chain,
        }
    }
}
