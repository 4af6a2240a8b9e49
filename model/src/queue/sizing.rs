//! Sizing: the largest rate at which a replica meets every objective.

use super::engine::{OneShotSizing, Sizing};
use super::objective::{Metric, Objectives, Shortfall};
use super::occupancy::{Occupancy, every_batch, mean_gaps_ms};
use super::reading::Reading;
use super::search::{Guess, Search};
use super::service::{MAX_BATCH, Station};

/// Ends of the range in which a rate is sought, as shares of `mu(1)` and of `mu(N)`.
pub(crate) const LOWEST: f64 = 0.001;
pub(crate) const HIGHEST: f64 = 0.999;

/// Share of the upper end that is used where tokens per second are asked of a server as a whole.
pub(crate) const TOKENS_RESERVE: f64 = 0.9;

/// The largest rate of a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sized {
    /// Batch size.
    pub batch: u32,
    /// Largest arrival rate at which every objective is met, requests/s.
    pub arrival_rate_per_s: f64,
    /// Rate served at it: what the replica is credited with, requests/s.
    pub throughput_per_s: f64,
}

impl Station {
    /// The largest rate in `[0.001 mu(1), 0.999 mu(batch)]` at which every objective is met; with
    /// tokens per second asked for, at most 0.9 of the upper end.
    ///
    /// # Errors
    /// The objective that is not met even at the lower end.
    pub fn size(&self, batch: u32, objectives: &Objectives) -> Result<Sized, Shortfall> {
        if let Some(sizing) = self.one_shot(batch, objectives) {
            return sizing.size();
        }
        if self.reading == Reading::Engine {
            return Sizing::new(self, batch.min(MAX_BATCH), objectives)?.size();
        }
        let gaps_ms = mean_gaps_ms(self, batch.clamp(1, MAX_BATCH));
        self.size_gaps(&gaps_ms, objectives)
    }

    /// [`Station::size`] for every batch size: entry `i` is that of batch size `i + 1`.
    ///
    /// The service rates are worked out once, and as neighbouring batch sizes have neighbouring
    /// rates, each search starts from the rate before.
    pub fn size_all(
        &self,
        max_batch: u32,
        objectives: &Objectives,
    ) -> Vec<Result<Sized, Shortfall>> {
        if let Some(sizing) = self.one_shot(max_batch, objectives) {
            return sizing.size_all();
        }
        if self.reading == Reading::Engine {
            return match Sizing::new(self, max_batch.min(MAX_BATCH), objectives) {
                Ok(sizing) => sizing.size_all(),
                Err(shortfall) => vec![Err(shortfall)],
            };
        }
        let gaps_ms = mean_gaps_ms(self, max_batch.clamp(1, MAX_BATCH));
        let mut curve = Curve::default();
        let size = |n| {
            let search = Search::new(self, &gaps_ms[..n], objectives)?;
            let sized = search.size(curve.next());
            match &sized {
                Ok((sized, slope)) => curve.push(sized.arrival_rate_per_s, *slope),
                Err(_) => curve = Curve::default(),
            }
            sized.map(|(sized, _)| sized)
        };
        (1..=gaps_ms.len()).map(size).collect()
    }

    /// The least batch size in `1..=max_batch` whose rate is within `tolerance` (a share) of the
    /// best over all, as [`best_batch`] finds it among [`Station::size_all`].
    ///
    /// Without a limit on the queue a replica is credited with its arrival rate, and which batch
    /// sizes reach a given rate is told by one pass over the states for all of them: one pass at
    /// the best rate finds out whether a batch size beats it, one at `1 - tolerance` of it finds
    /// the least that will do, and two or three searches are all that is left.
    ///
    /// # Errors
    /// Where no batch size meets the objectives, the shortfall that comes closest.
    pub fn size_best(
        &self,
        max_batch: u32,
        objectives: &Objectives,
        tolerance: f64,
    ) -> Result<Sized, Shortfall> {
        if let Some(sizing) = self.one_shot(max_batch, objectives) {
            return sizing.size_best(tolerance);
        }
        if self.reading == Reading::Engine {
            let sizing = Sizing::new(self, max_batch.min(MAX_BATCH), objectives)?;
            return sizing.size_best(tolerance);
        }
        let gaps_ms = mean_gaps_ms(self, max_batch.clamp(1, MAX_BATCH));
        let whole = self.size_gaps(&gaps_ms, objectives);
        let (Ok(mut best), None) = (whole, self.queue_limit) else {
            return best_batch(&self.size_all(max_batch, objectives), tolerance);
        };
        // Each turn finds a rate that is better by more than the root's tolerance, so that it ends.
        loop {
            let better = best.arrival_rate_per_s * (1.0 + 1e-9);
            let Some(n) = self.least_reaching(&gaps_ms, better, objectives) else { break };
            best = self.size_gaps_above(&gaps_ms[..n], objectives, better)?;
        }
        let enough = best.arrival_rate_per_s * (1.0 - tolerance);
        match self.least_reaching(&gaps_ms, enough, objectives) {
            Some(n) if n < best.batch as usize => {
                self.size_gaps_above(&gaps_ms[..n], objectives, enough)
            }
            _ => Ok(best),
        }
    }

    /// An engine whose answers are one token.
    fn one_shot<'a>(&'a self, batch: u32, objectives: &'a Objectives) -> Option<OneShotSizing<'a>> {
        let is_engine = self.reading == Reading::Engine;
        is_engine.then(|| OneShotSizing::new(self, batch.min(MAX_BATCH), objectives)).flatten()
    }

    /// The least batch size that meets the objectives at a rate, in one pass over the states.
    fn least_reaching(
        &self,
        gaps_ms: &[f64],
        rate_per_s: f64,
        objectives: &Objectives,
    ) -> Option<usize> {
        let chains = every_batch(gaps_ms, rate_per_s / 1000.0, self.queue_limit);
        let reaches = |(i, chain): (usize, Occupancy)| {
            let search = Search::new(self, &gaps_ms[..=i], objectives).ok()?;
            search.meets(&chain, rate_per_s).then_some(i + 1)
        };
        chains.enumerate().find_map(reaches)
    }

    fn size_gaps(&self, gaps_ms: &[f64], objectives: &Objectives) -> Result<Sized, Shortfall> {
        let search = Search::new(self, gaps_ms, objectives)?;
        search.size(None).map(|(sized, _)| sized)
    }

    /// The same where every objective is known to be met at `rate_per_s`.
    fn size_gaps_above(
        &self,
        gaps_ms: &[f64],
        objectives: &Objectives,
        rate_per_s: f64,
    ) -> Result<Sized, Shortfall> {
        let search = Search::new(self, gaps_ms, objectives)?.above(rate_per_s);
        search.size(Some(Guess { rate: rate_per_s, slope: None })).map(|(sized, _)| sized)
    }
}

/// The rates of the batch sizes before, latest first, and where they lead.
#[derive(Default)]
struct Curve {
    rates: [f64; 4],
    known: usize,
    slope: Option<f64>,
}

impl Curve {
    fn push(&mut self, rate: f64, slope: Option<f64>) {
        self.slope = slope;
        self.rates = [rate, self.rates[0], self.rates[1], self.rates[2]];
        self.known += 1;
    }

    /// The polynomial through the rates that are known, at the next batch size.
    fn next(&self) -> Option<Guess> {
        let [a, b, c, d] = self.rates;
        let rate = match self.known {
            0 => return None,
            1 => a,
            2 => 2.0 * a - b,
            3 => 3.0 * (a - b) + c,
            _ => 4.0 * (a + c) - 6.0 * b - d,
        };
        Some(Guess { rate, slope: self.slope })
    }
}

/// The least batch size whose rate is within `tolerance` (a share) of the best over all.
///
/// # Errors
/// Where no batch size meets the objectives, the shortfall that comes closest.
pub fn best_batch(
    sizings: &[Result<Sized, Shortfall>],
    tolerance: f64,
) -> Result<Sized, Shortfall> {
    let feasible = || sizings.iter().flatten();
    let best = feasible().map(|s| s.throughput_per_s).fold(0.0, f64::max);
    if let Some(sized) = feasible().find(|s| s.throughput_per_s >= best * (1.0 - tolerance)) {
        return Ok(*sized);
    }
    let none = Shortfall { metric: Metric::Rate, limit: 1.0, best: 0.0, percentile: None };
    let shortfalls = sizings.iter().filter_map(|s| s.as_ref().err());
    Err(*shortfalls.min_by(|a, b| a.excess().total_cmp(&b.excess())).unwrap_or(&none))
}
