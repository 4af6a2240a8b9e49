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

use std::sync::Arc;

use super::cycles::Cycles;
use super::level::Level;
use super::means::Means;
use super::waves::{Stirs, Waves};
use super::work::Work;
use crate::queue::occupancy::{Body, HUGE, Occupancy};
use crate::queue::service::Station;
use crate::queue::stop::pause;

/// A state that weighs so little against another is never met, nor are those above it.
const NEVER: f64 = 1e-20;

/// A station's levels, up to some batch size.
#[derive(Debug, Clone)]
pub(in crate::queue) struct Replica {
    pub(super) work: Work,
    levels: Arc<[Level]>,
    batch: usize,
    pub(super) idle: Idle,
}

/// What an arrival finds that finds nobody; times in ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    /// Time to its first token.
    pub first_ms: f64,
    /// The pass of its prompt, where the first token takes another, and what each prompt that comes in
    /// the meantime adds to that.
    pub own_ms: f64,
    pub more_ms: f64,
}

/// The queue while all places are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    /// What a state of it weighs against the one before, with completions at random.
    pub decay: f64,
    /// What completions that are not at random make of the wait.
    pub spread: f64,
}

impl Idle {
    fn new(work: &Work) -> Self {
        let outside_ms = work.station().outside_ms(0.0);
        let mut idle = Self { first_ms: outside_ms, own_ms: 0.0, more_ms: 0.0 };
        if work.has_prompt_pass() {
            idle.own_ms = work.alone_ms(1.0);
        }
        idle.first_ms += idle.own_ms;
        if work.decodes_first_token() {
            idle.first_ms += work.only_ms(1.0, 0.0);
            let room = work.room(1.0);
            idle.more_ms =
                (work.pass_ms(1.0, room.min(1.0), 1.0) - work.pass_ms(1.0, 0.0, 1.0)).max(0.0);
        }
        idle
    }
}

impl Replica {
    pub fn new(station: &Station, batch: u32) -> Self {
        let work = Work::new(station);
        let levels = (1..=batch).map(|n| Level::new(&work, f64::from(n))).collect();
        let idle = Idle::new(&work);
        Self { work, levels, batch: batch as usize, idle }
    }

    /// The same with fewer places.
    pub(super) fn with_batch(&self, batch: u32) -> Self {
        Self { batch: (batch as usize).clamp(1, self.levels.len()), ..self.clone() }
    }

    /// Levels up to the batch size.
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels[..self.batch]
    }

    /// The level with all places taken.
    pub(super) fn full(&self) -> &Level {
        &self.levels[self.batch - 1]
    }

    /// What it serves.
    pub(super) fn station(&self) -> &Station {
        self.work.station()
    }

    /// Batch size.
    pub fn batch(&self) -> u32 {
        self.batch as u32
    }

    /// `mu(N)`, requests/s.
    pub fn capacity_per_s(&self) -> f64 {
        1000.0 / self.full().gap_ms
    }

    /// The waves at a rate: those of the level at which as many requests end as arrive.
    pub(super) fn waves(&self, rate_per_ms: f64) -> Waves {
        let at = self.balance(rate_per_ms);
        let (low, part) = ((at as usize).min(self.batch), at.fract());
        let below = self.levels[..low].last().map_or(Stirs::NONE, |l| Stirs::new(&self.work, l));
        let above = self.levels[..self.batch].get(low).map_or(below, |l| Stirs::new(&self.work, l));
        Waves::new(&self.work, below.towards(&above, part))
    }

    /// Requests in service where as many end as arrive.
    pub(super) fn balance(&self, rate_per_ms: f64) -> f64 {
        let below = self.levels().partition_point(|level| rate_per_ms * level.gap_ms > 1.0);
        if below >= self.batch {
            return self.batch as f64;
        }
        // Between two levels, by the rates at which requests end; none do where nobody is.
        let ends = |n: usize| if n == 0 { 0.0 } else { 1.0 / self.levels[n - 1].gap_ms };
        let (low, high) = (ends(below), ends(below + 1));
        let part = if high > low { (rate_per_ms - low) / (high - low) } else { 1.0 };
        below as f64 + part.clamp(0.0, 1.0)
    }

    /// The means at a rate.
    pub(super) fn means(&self, rate_per_ms: f64) -> Means {
        pause();
        let mut sums = AllSums::new(self, rate_per_ms);
        let (below, full) = (&self.levels[..self.batch - 1], self.full());
        below.iter().for_each(|level| sums.push(level));
        sums.means(full)
    }

    /// The means of every batch size at a rate, up to this one, least first; none where the queue
    /// would grow.
    pub(super) fn every_batch(&self, rate_per_ms: f64) -> impl Iterator<Item = Option<Means>> {
        let mut sums = AllSums::new(self, rate_per_ms);
        let bounded = self.work.station().queue_limit.is_some();
        let alone = sums.cycles.at;
        self.levels().iter().zip(1..).map(move |(level, batch)| {
            let settles = bounded || rate_per_ms * level.gap_ms < 1.0;
            // Cycles of whole prompts with fewer places than as many end as come are cycles of their own.
            let means = settles.then(|| match batch < alone {
                true => self.with_batch(batch).means(rate_per_ms),
                false => sums.means(level),
            });
            sums.push(level);
            means
        })
    }

    /// Mean time between tokens, of the time that a request decodes.
    fn itl_ms(&self, full: &Level, decoding_ms: f64) -> f64 {
        let passes = self.work.decode_passes;
        if passes > 0.0 { decoding_ms / passes } else { full.pass_ms }
    }

    /// Probabilities of `n = 0..N` requests in the system, where all places are taken with `busy`; the rate is that
    /// at which as many come as do in the levels' own time.
    pub(super) fn probabilities(&self, rate_per_ms: f64, busy: f64, waves: &Waves) -> Vec<f64> {
        let below = &self.levels[..self.batch - 1];
        let (mut last, mut most, mut all) = (1.0, 1.0_f64, vec![1.0]);
        for level in below {
            last *= waves.tempered(rate_per_ms * level.gap_ms);
            all.push(last);
            if last > HUGE {
                all.iter_mut().for_each(|p| *p /= last);
                (last, most) = (1.0, 1.0);
            }
            most = most.max(last);
            if last < NEVER * most {
                break;
            }
        }
        let mass: f64 = all.iter().sum();
        all.iter_mut().for_each(|p| *p *= (1.0 - busy) / mass);
        all
    }

    /// Probabilities of states with free places as arrivals find them, which find all taken with `busy`.
    pub(super) fn seen(
        &self,
        mut probabilities: Vec<f64>,
        rate_per_ms: f64,
        busy: f64,
        waves: &Waves,
    ) -> Vec<f64> {
        if waves.sees != 0.0 {
            for (p, next) in probabilities.iter_mut().zip(self.levels()) {
                *p *= (rate_per_ms * next.gap_ms).powf(waves.sees);
            }
        }
        let mass: f64 = probabilities.iter().sum();
        let unit = if mass > 0.0 { (1.0 - busy) / mass } else { 0.0 };
        probabilities.iter_mut().for_each(|p| *p *= unit);
        probabilities
    }

    /// How the queue falls off where `rho` of the capacity is used.
    pub(super) fn tail(&self, full: &Level, rho: f64) -> Queue {
        let cs = self.completion_scv(full);
        let ca = self.station().arrival_scv;
        match self.station().queue_limit {
            None => {
                let decay = self.work.arrivals().decay(rho);
                Queue { decay, spread: (ca + cs) / (ca + 1.0) }
            }
            Some(_) => Queue { decay: rho, spread: (ca + cs) / 2.0 },
        }
    }

    /// Squared coefficient of variation of the time between two completions while all places are
    /// taken: a completion brings a prompt, whose share of the time varies as prompts do, and takes
    /// decode passes, whose number varies as answers do.
    pub(super) fn completion_scv(&self, full: &Level) -> f64 {
        let bare_ms = self.work.pass_ms(full.decoding, 0.0, 1.0);
        let decode = (bare_ms / full.pass_ms).clamp(0.0, 1.0);
        let Station { input_scv, token_scv, .. } = *self.work.station();
        decode * decode * token_scv + (1.0 - decode) * (1.0 - decode) * input_scv
    }
}

/// Sums over states `0, 1, ...` at one rate: as the chain has them, and with the waves' peakedness.
struct AllSums<'a> {
    replica: &'a Replica,
    rate_per_ms: f64,
    waves: Waves,
    cycles: Cycles,
    n: f64,
    even: Sums,
    peaked: Sums,
}

impl<'a> AllSums<'a> {
    fn new(replica: &'a Replica, rate_per_ms: f64) -> Self {
        let (waves, cycles) = (replica.waves(rate_per_ms), replica.cycles(rate_per_ms));
        let idle = &replica.idle;
        let nobody = Sums {
            body: Body::empty(),
            terms: [0.0, 0.0, idle.first_ms, idle.own_ms * idle.more_ms],
        };
        Self { replica, rate_per_ms, waves, cycles, n: 0.0, even: nobody, peaked: nobody }
    }

    /// Adds the next state, one with free places.
    fn push(&mut self, level: &Level) {
        self.n += 1.0;
        let ratio = self.rate_per_ms * level.gap_ms * self.cycles.stretch;
        let terms = self.terms(level, &self.waves, &self.cycles);
        self.even.push(ratio, self.n, terms);
        // Where nobody comes it is all the same.
        let is_met = self.peaked.body.last > NEVER * self.peaked.body.mass;
        self.peaked.push(if is_met { self.waves.tempered(ratio) } else { ratio }, self.n, terms);
    }

    /// What is averaged over the levels: decoding requests, rest of a pass, time to the first token,
    /// and what each request a ms adds to it.
    fn terms(&self, level: &Level, waves: &Waves, cycles: &Cycles) -> [f64; 4] {
        let of_level_ms = level.residual_ms(waves.dispersion * waves.finds);
        let residual_ms = (of_level_ms + cycles.residual_ms).max(0.0);
        let outside_ms = self.replica.work.station().outside_ms(2.0 * residual_ms);
        let mates_ms2 = level.more_ms * 2.0 * of_level_ms + level.next_ms2;
        let first_ms = level.first_ms + outside_ms + cycles.first_ms;
        [level.decoding, residual_ms, first_ms.max(0.0), mates_ms2 * waves.mates]
    }

    /// The means where the next state is that with all places taken.
    fn means(&self, full: &Level) -> Means {
        let Self { replica, rate_per_ms, .. } = *self;
        let station = replica.work.station();
        let (batch, rho) = (self.n + 1.0, rate_per_ms * full.gap_ms);
        let (terms, queue) = (self.terms(full, &Waves::NONE, &Cycles::NONE), station.queue_limit);
        let (even, [decoding, ..]) = self.even.close(rho, batch, rho, queue);
        let tail = replica.tail(full, rho);
        let (peaked, below) = self.peaked.close(self.waves.tempered(rho), batch, tail.decay, queue);
        let on_arrival = (peaked.busy * tail.decay / rho).min(1.0);
        let mix = |below: f64, full: f64, busy: f64| (1.0 - busy) * below + busy * full;
        let [_, residual_ms, first_ms, next_ms2] =
            [0, 1, 2, 3].map(|i| mix(below[i], terms[i], on_arrival));
        let served_per_ms = rate_per_ms * (1.0 - even.loss);
        let decoding = mix(decoding, terms[0], even.busy);
        Means {
            chain: Occupancy { in_service: even.in_service, rho, ..peaked },
            place_ms: peaked.waiting / served_per_ms * tail.spread,
            places_taken: on_arrival,
            residual_ms,
            itl_ms: replica.itl_ms(full, self.decoding(decoding) / served_per_ms),
            first_ms: first_ms + served_per_ms * next_ms2,
            stretch: self.cycles.stretch,
        }
    }
}

impl AllSums<'_> {
    /// Mean number that decodes: what a chain that varies has above the level at which as many
    /// requests end as arrive is in proportion to the variance of arrivals and completions.
    fn decoding(&self, of_chain: f64) -> f64 {
        let scv = self.replica.station().arrival_scv;
        if scv == 1.0 {
            return of_chain;
        }
        let at = self.replica.balance(self.rate_per_ms);
        let level = Level::new(&self.replica.work, at.max(1.0));
        let even = level.decoding * (at / at.max(1.0));
        (even + (of_chain - even) * (1.0 + scv) / 2.0).max(0.5 * even)
    }
}

/// Sums over the states with free places, before they are normalised.
#[derive(Debug, Clone, Copy)]
struct Sums {
    body: Body,
    terms: [f64; 4],
}

impl Sums {
    fn push(&mut self, ratio: f64, n: f64, terms: [f64; 4]) {
        self.body.push(ratio, n);
        for (sum, term) in self.terms.iter_mut().zip(terms) {
            *sum += self.body.last * term;
        }
        if self.body.mass > HUGE {
            let unit = 1.0 / self.body.mass;
            self.body = self.body.scaled(unit);
            self.terms = self.terms.map(|sum| sum * unit);
        }
    }

    /// Adds the states with all `batch` places taken, the first of which weighs `ratio` times the last;
    /// the means over those with free places.
    fn close(
        mut self,
        ratio: f64,
        batch: f64,
        rho: f64,
        queue_limit: Option<u32>,
    ) -> (Occupancy, [f64; 4]) {
        self.body.push(ratio, batch);
        let chain = Occupancy::close(self.body, batch, rho, queue_limit);
        let mass = self.body.mass - self.body.last;
        let unit = if mass > 0.0 { 1.0 / mass } else { 0.0 };
        (chain, self.terms.map(|sum| sum * unit))
    }
}
