//! Percentiles: the time to the first token, and the gaps between tokens.
//!
//! A request that arrives in a pass of length `t`, which has its `k` prompts and `n - k` decoding
//! requests, with probability proportional to `t` times that of the pass, waits for the rest of it,
//! uniform on `0..t`; `Poisson(lambda t)` others arrive in the same pass and share the next. So the time
//! to the first token is a mixture of uniform times, over the states that an arrival finds, the
//! passes there, and the others. What waits for a place, or for room in a pass, waits an exponential
//! time besides. A gap is a pass, weighted by the requests that decode in it.

use super::chain::Replica;
use super::counts::Counts;
use super::grid::Grid;
use super::level::{Level, Stages};
use super::prompts::{self, Passes};
use super::spread;
use super::waves::Waves;
use super::work::{EMPTY, Work};
use crate::queue::analysis::Analysis;
use crate::queue::stop::pause;

/// Ends of the parts of the states that one of them stands for.
const ENDS: [f64; 9] = [0.1, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 1.0];

/// Passes rarer than this are left out: all of them together are rarer than any percentile asked for.
const RARE: f64 = 1e-8;

/// Parts of a pass in which an arrival may fall.
const PARTS: f64 = 4.0;

/// Prompts that are worked off before one's own, and those that come after it in the same pass.
pub(super) struct Ahead {
    prompts: f64,
    /// One's own, in mean prompts.
    own: f64,
    behind: f64,
}

/// A pass that an arrival finds: its prompts, its time in ms, and the probability of a part of it.
struct Found {
    prompts: f64,
    t: f64,
    odds: f64,
}

impl Ahead {
    const NONE: Self = Self { prompts: 0.0, own: 1.0, behind: 0.0 };
}

/// The level at which as many requests end as arrive.
pub(super) struct Balance {
    n: f64,
    prompts: f64,
}

/// What percentiles are read off.
pub(in crate::queue) struct Tails {
    pub(super) replica: Replica,
    pub(super) rate_per_ms: f64,
    pub(super) waves: Waves,
    at: Balance,
    /// Probability that nobody is in service.
    pub(super) idle: f64,
    /// (requests in service, probability), all places taken apart.
    pub(super) states: Vec<(f64, f64)>,
    /// Probability that all places are taken, and those of the wait for one.
    pub(super) busy: f64,
    place_ms: f64,
}

impl Tails {
    pub fn new(analysis: &Analysis) -> Self {
        Self::of(Replica::new(&analysis.station, analysis.batch), analysis)
    }

    /// The same of a replica whose levels are known.
    pub fn of(replica: Replica, analysis: &Analysis) -> Self {
        let rate_per_ms = analysis.throughput_per_s / 1000.0;
        let (chain, full) = (analysis.chain, *replica.full());
        let waves = replica.waves(analysis.rate_per_s / 1000.0);
        let at = replica.balance(analysis.rate_per_s / 1000.0);
        let probabilities = replica.probabilities(analysis.rate_per_s / 1000.0, chain.busy, &waves);
        let scale = (analysis.station.arrival_scv + replica.completion_scv(&full)) / 2.0;
        let mean_ms = chain.waiting / rate_per_ms.max(f64::MIN_POSITIVE);
        Self {
            rate_per_ms,
            waves,
            at: Balance { n: at, prompts: Stages::new(&replica.work, at).ends },
            idle: probabilities.first().copied().unwrap_or(1.0),
            states: parts(&probabilities),
            busy: chain.busy,
            place_ms: if chain.busy > 0.0 { mean_ms / chain.busy * scale } else { 0.0 },
            replica,
        }
    }

    /// Wait for a place and for the end of the pass under way, ms.
    pub fn wait_ms(&self, percent: f64) -> f64 {
        self.arrival(percent, |_, _| 0.0)
    }

    /// Time to first token, ms.
    pub fn ttft_ms(&self, percent: f64) -> f64 {
        let work = &self.replica.work;
        self.arrival(percent, |met, ahead| met.first_token_ms(work, ahead, self.rate_per_ms))
    }

    /// The level of `n`, with the waves of the rate where places are free.
    pub(super) fn met(&self, n: f64) -> Met {
        let is_full = n >= f64::from(self.replica.batch());
        let dispersion = if is_full { 1.0 } else { self.waves.dispersion };
        Met::new(&self.replica.work, n, dispersion)
    }

    /// Mean number of prompts in the passes at a level.
    pub(super) fn prompts(&self, n: f64) -> f64 {
        let mean = self.at.prompts + (n - self.at.n) * self.waves.slope;
        mean.clamp(0.2 * n / (1.0 + self.replica.work.decode_passes), n)
    }

    /// Passes at a level, as (prompts, probability, ms).
    fn passes(&self, met: &Met) -> Passes {
        let work = &self.replica.work;
        if met.n >= f64::from(self.replica.batch()) {
            return met.counts().map(|(k, p)| (k, p, met.pass_ms(work, k))).collect();
        }
        // Where few prompts fit, more in service wait for room and do not make more come.
        let likely = self.at.prompts + 3.0 * (self.at.prompts * self.waves.dispersion).sqrt();
        let usual = self.prompts(met.n);
        let mean = if met.stages.room < likely { usual.min(self.at.prompts) } else { usual };
        prompts::passes(met, work, mean, &self.waves, self.rate_per_ms)
    }

    fn arrival(&self, percent: f64, after: impl Fn(&Met, &Ahead) -> f64) -> f64 {
        let full = f64::from(self.replica.batch());
        let top_ms = self.top_ms(percent);
        let mut all = Grid::new(top_ms);
        let idle_ms =
            if after(&Met::nobody(), &Ahead::NONE) > 0.0 { self.replica.idle_ms } else { 0.0 };
        all.add(idle_ms, 0.0, self.idle);
        all.settle();
        for &(n, share) in self.states.iter().chain(&[(full, self.busy)]) {
            let met = self.met(n);
            let mut grid = Grid::new(top_ms);
            self.arrive(&met, share, &mut grid, &after);
            grid.settle();
            if n == full && self.busy > 0.0 {
                grid.delay(1.0, self.place_ms);
            }
            all.merge(&grid);
        }
        all.quantile(percent / 100.0)
    }

    /// Puts what an arrival at a level meets on the grid, of probability `share`.
    fn arrive(&self, met: &Met, share: f64, grid: &mut Grid, after: &impl Fn(&Met, &Ahead) -> f64) {
        pause();
        let mut passes = self.passes(met);
        let scv = self.replica.station().input_scv;
        if scv > 0.0 {
            passes = met.spread(&self.replica.work, &passes, scv);
        }
        let mean_ms: f64 = passes.iter().map(|(_, p, t)| p * t).sum();
        for (prompts, odds, t) in passes {
            let found = Found { prompts, t, odds: share * odds * t / mean_ms / PARTS };
            if found.odds < RARE {
                continue;
            }
            for part in 0..PARTS as u32 {
                // The pass ends `rest` of its length after the arrival, less what is uniform in a part.
                let rest = (f64::from(part) + 0.5) / PARTS;
                self.arrive_with(met, &found, rest, grid, after);
            }
        }
    }

    /// The same in one part of a pass.
    fn arrive_with(
        &self,
        met: &Met,
        found: &Found,
        rest: f64,
        grid: &mut Grid,
        after: &impl Fn(&Met, &Ahead) -> f64,
    ) {
        let Found { prompts, t, odds } = *found;
        let is_full = met.n >= f64::from(self.replica.batch());
        let full = met.stages.ends * (met.n - 1.0) / met.n;
        let come = if is_full { full } else { self.rate_per_ms * t };
        let dispersion = self.replica.work.arrivals_dispersion(come);
        let left = (prompts - met.stages.room).max(0.0);
        let from = (rest - 0.5 / PARTS) * t;
        for (before, share) in Counts::new(come * (1.0 - rest), dispersion, 1e9).coarse() {
            for (behind, part) in Counts::new(come * rest, dispersion, 1e9).coarse() {
                let scv = self.replica.station().input_scv / (before + behind + 1.0);
                for (length, of_length) in spread::few_points(1.0, scv) {
                    let ahead = Ahead {
                        prompts: left + before * length,
                        own: length,
                        behind: behind * length,
                    };
                    let mass = odds * share * part * of_length;
                    grid.add(from + after(met, &ahead), t / PARTS, mass);
                }
            }
        }
    }

    /// A time that hardly any first token takes.
    fn top_ms(&self, percent: f64) -> f64 {
        // Waits for a place that are rarer than what is asked for need no room.
        let odds = self.busy / (0.3 * (1.0 - percent / 100.0)).max(1e-12);
        let full = f64::from(self.replica.batch());
        let last = self.states.last().map_or(full, |(n, _)| *n);
        let met = self.met(if odds > 1.0 { full } else { last });
        let rest_ms = met.level.residual_ms(met.dispersion);
        let outside = self.replica.station().service.outside_ms(2.0 * rest_ms);
        let passes = 4.0 * rest_ms + 3.0 * met.level.first_ms + 8.0 * met.backlog;
        passes + outside + self.replica.idle_ms + self.place_ms * odds.max(1.0).ln()
    }

    /// Gap between two tokens that `percent` of them do not exceed, ms.
    pub fn gap_ms(&self, percent: f64) -> f64 {
        let work = &self.replica.work;
        let full = f64::from(self.replica.batch());
        let mut gaps = Vec::new();
        for &(n, share) in self.states.iter().chain(&[(full, self.busy)]) {
            let met = self.met(n);
            let passes = self.passes(&met);
            let mean_ms: f64 = passes.iter().map(|(_, p, t)| p * t).sum();
            for (prompts, odds, _) in passes {
                let weight = share / mean_ms * odds * (n - prompts).max(0.0);
                let lengths = spread::points(1.0, work.station().input_scv / prompts.max(1.0));
                for (length, part) in lengths {
                    gaps.push((met.pass_ms(work, prompts * length), weight * part));
                }
            }
        }
        percentile(gaps, percent)
    }
}

/// The value that `percent` of the weight does not exceed.
pub(super) fn percentile(mut values: Vec<(f64, f64)>, percent: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut left = total * percent / 100.0;
    for (value, weight) in &values {
        left -= weight;
        if left <= 0.0 {
            return *value;
        }
    }
    values.last().map_or(0.0, |(value, _)| *value)
}

/// A level that an arrival finds.
pub(super) struct Met {
    pub n: f64,
    pub level: Level,
    pub stages: Stages,
    /// Of the counts of prompts, over that of a level.
    dispersion: f64,
    scale: f64,
    /// Mean pass, ms.
    pub mean_ms: f64,
    /// Mean time that a prompt waits for room in a pass, ms, and the probability that it does.
    backlog: f64,
}

impl Met {
    pub fn new(work: &Work, n: f64, dispersion: f64) -> Self {
        let (level, stages) = (Level::new(work, n), Stages::new(work, n));
        let scale = stages.counts(n, dispersion).scale(stages.room, stages.ends);
        let full_ms =
            work.pass_ms(stages.ends * work.decode_passes, stages.room.min(1e9), stages.chunks);
        let extra = (stages.prompt_passes - stages.chunks).max(0.0);
        let backlog = if extra > 0.0 { extra * full_ms } else { 0.0 };
        let mut met = Self { n, level, stages, dispersion, scale, mean_ms: 0.0, backlog };
        met.mean_ms = met.counts().map(|(k, odds)| odds * met.pass_ms(work, k)).sum();
        met
    }

    /// Nobody is in service.
    fn nobody() -> Self {
        let level = Level::NONE;
        let stages = Stages { room: 1.0, chunks: 1.0, ends: 0.0, prompt_passes: 0.0, prompts: 0.0 };
        Self { n: 0.0, level, stages, dispersion: 1.0, scale: 1.0, mean_ms: 0.0, backlog: 0.0 }
    }

    /// Requests at their prompts, with probabilities.
    pub fn counts(&self) -> Counts {
        self.stages.counts(self.n, self.dispersion)
    }

    /// A pass with so many of them, ms.
    pub fn pass_ms(&self, work: &Work, prompts: f64) -> f64 {
        let done = prompts.min(self.stages.room) * self.scale;
        work.pass_ms(self.n - prompts.min(self.n), done, self.stages.chunks)
    }

    /// Passes whose prompts differ in length.
    fn spread(&self, work: &Work, passes: &Passes, scv: f64) -> Passes {
        let mut all = Vec::new();
        for &(prompts, odds, t) in passes {
            if prompts <= 0.0 {
                all.push((prompts, odds, t));
                continue;
            }
            for (length, part) in spread::few_points(1.0, scv / prompts) {
                let done = (prompts * length).min(self.stages.room) * self.scale;
                let decoding = (self.n - prompts).max(0.0);
                let time = work.pass_ms(decoding, done, self.stages.chunks);
                all.push((prompts * length, odds * part, time));
            }
        }
        all
    }

    /// From the end of the pass under way to the first token, ms: full passes, and the one of its own,
    /// which holds what there is behind it as far as there is room.
    fn first_token_ms(&self, work: &Work, ahead: &Ahead, rate_per_ms: f64) -> f64 {
        let outside =
            work.station().service.outside_ms(2.0 * self.level.residual_ms(self.dispersion));
        if !work.has_prompt_pass() {
            return outside;
        }
        let decoding = self.stages.ends * work.decode_passes;
        let Stages { room, chunks, .. } = self.stages;
        let with = |prompts: f64| work.prompt_pass_ms(decoding, prompts, chunks);
        let room = room.max(1.0);
        let full_passes = ((ahead.prompts + ahead.own) / room).ceil() - 1.0;
        let full_ms = if full_passes > 0.0 {
            full_passes * work.pass_ms(decoding, room, chunks)
        } else {
            0.0
        };
        let mine =
            ahead.prompts + ahead.own - full_passes * if full_passes > 0.0 { room } else { 0.0 };
        let behind = ahead.behind + rate_per_ms * full_ms;
        let alone = (chunks - 1.0) * with(EMPTY);
        let mut ms = full_ms + alone + with((mine + behind).min(room));
        if work.decodes_first_token() {
            let came = rate_per_ms * with((mine + behind).min(room));
            ms += work.pass_ms(decoding + 1.0, came.min(room), chunks);
        }
        ms + outside
    }
}

/// States `1..N` in parts, each by its mean and probability.
fn parts(probabilities: &[f64]) -> Vec<(f64, f64)> {
    let total: f64 = probabilities.iter().skip(1).sum();
    let (mut parts, mut ends) = (Vec::new(), ENDS.iter().peekable());
    let (mut mass, mut weighted, mut before) = (0.0, 0.0, 0.0);
    for (n, p) in probabilities.iter().enumerate().skip(1) {
        mass += p;
        weighted += p * n as f64;
        let is_last = n + 1 == probabilities.len();
        if mass > 0.0 && (is_last || ends.peek().is_some_and(|end| before + mass >= **end * total))
        {
            parts.push((weighted / mass, mass));
            before += mass;
            while ends.next_if(|end| before >= **end * total).is_some() {}
            (mass, weighted) = (0.0, 0.0);
        }
    }
    parts
}
