//! Percentiles: the time to the first token, and the gaps between tokens.
//!
//! A request that arrives in a pass of length `t`, which has its `k` prompts and `n - k` decoding
//! requests, with probability proportional to `t` times that of the pass, waits for the rest of it,
//! uniform on `0..t`; `Poisson(lambda t)` others arrive in the same pass and share the next. So the time
//! to the first token is a mixture of uniform times, over the states that an arrival finds, the
//! passes there, and the others. What waits for a place, or for room in a pass, waits an exponential
//! time besides. A gap is a pass, weighted by the requests that decode in it.

use std::cell::OnceCell;

use super::arrival::Until;
use super::chain::Replica;
use super::grid::Grid;
use super::level::{Level, Stages};
use super::met::Met;
use super::prompts::{self, Passes};
use super::times::{Mixture, Parts, Within};
use super::waves::Waves;
use super::whole::Cycle;
use crate::queue::analysis::Analysis;

/// Ends of the parts of the states that one of them stands for.
const ENDS: [f64; 9] = [0.1, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 1.0];

/// The level at which as many requests end as arrive.
pub(super) struct Balance {
    n: f64,
    prompts: f64,
}

/// What percentiles are read off: the states as arrivals find them.
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
    /// Share of the capacity that is used, at most 1.
    pub(super) utilised: f64,
    /// Share of those in service who are at their prompts, where all places are taken.
    pub(super) full_share: f64,
    all_met: OnceCell<Vec<(Met, Passes, f64)>>,
}

impl Tails {
    pub fn new(analysis: &Analysis) -> Self {
        let replica = Replica::new(&analysis.station, analysis.batch);
        let stretch = replica.cycles(analysis.rate_per_s / 1000.0).stretch;
        Self::of(replica, analysis, stretch)
    }

    /// The same of a replica whose levels are known, and how much longer its cycles are than those.
    pub(super) fn of(replica: Replica, analysis: &Analysis, stretch: f64) -> Self {
        let rate_per_ms = analysis.throughput_per_s / 1000.0;
        let (chain, full) = (analysis.chain, *replica.full());
        let waves = replica.waves(analysis.rate_per_s / 1000.0);
        let at = replica.balance(analysis.rate_per_s / 1000.0);
        let probabilities =
            replica.probabilities(analysis.rate_per_s / 1000.0 * stretch, chain.busy, &waves);
        let tail = replica.tail(&full, chain.rho);
        let busy =
            if chain.rho > 0.0 { (chain.busy * tail.decay / chain.rho).min(1.0) } else { 0.0 };
        let batch = f64::from(replica.batch());
        let probabilities = replica.seen(probabilities, rate_per_ms, busy, &waves);
        let mean_ms = chain.waiting / rate_per_ms.max(f64::MIN_POSITIVE);
        Self {
            rate_per_ms,
            waves,
            at: Balance { n: at, prompts: Stages::new(&replica.work, at).ends },
            idle: probabilities.first().copied().unwrap_or(1.0),
            states: parts(&probabilities),
            busy,
            utilised: chain.rho.min(1.0),
            full_share: Stages::new(&replica.work, batch).prompts / batch,
            place_ms: if busy > 0.0 { mean_ms / busy * tail.spread } else { 0.0 },
            all_met: OnceCell::new(),
            replica,
        }
    }

    /// Wait for a place and for the end of the pass under way, ms.
    pub fn wait_ms(&self, percent: f64) -> f64 {
        self.time_ms(percent, Until::Service)
    }

    /// Time to first token, ms.
    pub fn ttft_ms(&self, percent: f64) -> f64 {
        self.time_ms(percent, Until::FirstToken)
    }

    /// The level of `n`, with the waves of the rate where places are free.
    pub(super) fn met(&self, n: f64) -> Met {
        let is_full = n >= f64::from(self.replica.batch());
        let dispersion = if is_full { 1.0 } else { self.waves.dispersion };
        let work = &self.replica.work;
        let mut met = Met::new(work, n, dispersion);
        if !is_full && self.has_cycles() {
            met.cycle = Some(self.cycle(n).prompts());
        }
        met
    }

    /// Whether decoding waits for whole prompts.
    pub(super) fn has_cycles(&self) -> bool {
        let work = &self.replica.work;
        !work.is_chunked() && work.has_prompt_pass() && work.decode_passes >= 1.0
    }

    /// Passes of whole prompts where places are free.
    pub(super) fn cycle(&self, n: f64) -> Cycle<'_> {
        Cycle::new(&self.replica.work, n, self.rate_per_ms)
    }

    /// Mean number of prompts in the passes at a level.
    pub(super) fn prompts(&self, n: f64) -> f64 {
        let mean = self.at.prompts + (n - self.at.n) * self.waves.slope;
        mean.clamp(0.2 * n / (1.0 + self.replica.work.decode_passes), n)
    }

    /// Mean number of prompts in each of the passes that follow a moment at which one finds so many others in service.
    pub(super) fn prompts_to_come(&self, others: f64) -> f64 {
        let mean = self.at.prompts + (others - self.at.n) * self.waves.slope / 2.0;
        mean.max(0.4 * self.at.prompts)
    }

    /// Passes at a level, as (prompts, probability, ms).
    pub(super) fn passes(&self, met: &Met) -> Passes {
        let work = &self.replica.work;
        if met.n >= f64::from(self.replica.batch()) {
            return met.counts().map(|(k, p)| (k, p, met.pass_ms(work, k))).collect();
        }
        if self.has_cycles() {
            return self.cycle(met.n).passes();
        }
        // Where few prompts fit, more in service wait for room and do not make more come.
        let likely = self.at.prompts + 3.0 * (self.at.prompts * self.waves.dispersion).sqrt();
        let usual = self.prompts(met.n);
        let mean = if met.stages.room < likely { usual.min(self.at.prompts) } else { usual };
        prompts::passes(met, work, mean, &self.waves, self.rate_per_ms)
    }

    fn time_ms(&self, percent: f64, until: Until) -> f64 {
        let mut parts = Parts::default();
        self.arrival(until, &mut parts);
        parts.quantile(percent / 100.0)
    }

    /// Share of the requests that wait or get their first token within a limit.
    pub(super) fn within(&self, limit_ms: f64, until: Until) -> f64 {
        let mut within = Within::limit(limit_ms);
        self.arrival(until, &mut within);
        within.share
    }

    /// What is met on the way to the end of the wait or to the first token.
    fn arrival(&self, until: Until, into: &mut impl Mixture) {
        self.arrive_idle(until, into);
        let full = f64::from(self.replica.batch());
        for (met, passes, share) in self.all_met() {
            if met.n >= full {
                into.wait(self.place_ms);
            }
            self.arrive(met, passes, *share, until, into);
        }
    }

    /// The levels that arrivals find, with their passes and probabilities; that with all places taken last.
    pub(super) fn all_met(&self) -> &[(Met, Passes, f64)] {
        self.all_met.get_or_init(|| {
            let full = (f64::from(self.replica.batch()), self.busy);
            let found = self.states.iter().chain((self.busy > 0.0).then_some(&full));
            let met = |(n, share): &(f64, f64)| {
                let met = self.met(*n);
                let passes = self.passes(&met);
                (met, passes, *share)
            };
            found.map(met).collect()
        })
    }

    /// Times of arrivals on grids up to `top_ms`, for each state that they find: (requests in service, 0 where
    /// nobody is; probability; the times).
    pub(super) fn arrivals(
        &self,
        top_ms: f64,
        until: Until,
    ) -> impl Iterator<Item = (f64, f64, Grid)> {
        let idle = [(None, self.idle)].into_iter();
        let met = self.all_met().iter().map(|(met, passes, share)| (Some((met, passes)), *share));
        idle.chain(met).map(move |(met, share)| {
            let mut grid = Grid::new(top_ms);
            match met {
                None => self.arrive_idle(until, &mut grid),
                Some((met, passes)) => self.arrive(met, passes, share, until, &mut grid),
            }
            grid.settle();
            let n = met.map_or(0.0, |(met, _)| met.n);
            if n >= f64::from(self.replica.batch()) {
                grid.delay(1.0, self.place_ms);
            }
            (n, share, grid)
        })
    }

    /// A time that hardly any first token takes.
    pub(super) fn top_ms(&self, percent: f64) -> f64 {
        // Waits for a place that are rarer than what is asked for need no room.
        let odds = self.busy / (0.3 * (1.0 - percent / 100.0)).max(1e-12);
        let full = f64::from(self.replica.batch());
        let last = self.states.last().map_or(full, |(n, _)| *n);
        let met = self.met(if odds > 1.0 { full } else { last });
        let level = Level::new(&self.replica.work, met.n);
        let rest_ms = level.residual_ms(met.dispersion);
        let outside = self.replica.station().outside_ms(2.0 * rest_ms);
        let passes = 4.0 * rest_ms + 3.0 * level.first_ms + 8.0 * met.backlog_ms;
        passes + outside + 2.0 * self.replica.idle.first_ms + self.place_ms * odds.max(1.0).ln()
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

/// States `1..N` in parts that end at [`ENDS`], each by its mean and probability. A state in which one ends is in both,
/// so that parts change with the states little by little; parts within one state are one.
fn parts(probabilities: &[f64]) -> Vec<(f64, f64)> {
    let total: f64 = probabilities.iter().skip(1).sum();
    let mut parts: Vec<(f64, f64)> = Vec::new();
    let (mut ends, mut before, mut weighted, mut mass) = (ENDS.iter(), 0.0, 0.0, 0.0);
    let mut end = ends.next();
    for (n, p) in probabilities.iter().enumerate().skip(1) {
        let (n, mut left) = (n as f64, *p);
        while let Some(until) = end.map(|end| end * total - before).filter(|until| *until <= left) {
            let mean = (weighted + until * n) / (mass + until).max(f64::MIN_POSITIVE);
            match parts.last_mut().filter(|(last, _)| *last == n && mass == 0.0) {
                Some((_, last)) => *last += until,
                None if mass + until > 0.0 => parts.push((mean, mass + until)),
                None => {}
            }
            (before, left) = (before + until, left - until);
            (weighted, mass) = (0.0, 0.0);
            end = ends.next();
        }
        if end.is_some() {
            (before, weighted, mass) = (before + left, weighted + left * n, mass + left);
        }
    }
    if mass > 0.0 {
        parts.push((weighted / mass, mass));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_mass_and_mean() {
        let binomial = [0.1, 0.05, 0.2, 0.3, 0.2, 0.1, 0.04, 0.01];
        for states in [&binomial[..], &[0.5, 0.5], &[1.0], &[0.3, 0.0, 0.0, 0.7], &[0.0, 1e-300]] {
            let parts = parts(states);
            let mass: f64 = states.iter().skip(1).sum();
            let mean: f64 = states.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            assert!((parts.iter().map(|(_, p)| p).sum::<f64>() - mass).abs() < 1e-12, "{parts:?}");
            let got: f64 = parts.iter().map(|(n, p)| n * p).sum();
            assert!((got - mean).abs() < 1e-12, "{parts:?}");
            assert!(parts.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{parts:?}");
        }
        assert_eq!(parts(&[0.3, 0.0, 0.0, 0.7]).len(), 1);
    }
}
