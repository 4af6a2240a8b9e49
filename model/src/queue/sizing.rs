//! Sizing: the largest rate at which a replica meets every objective.

use super::analysis::Analysis;
use super::objective::{Metric, Objective, Objectives, Shortfall};
use super::occupancy::{Occupancy, every_batch, mean_gaps_ms};
use super::root::{Bracket, narrow};
use super::service::{MAX_BATCH, Station};

/// Ends of the range in which the rate is sought, as shares of `mu(1)` and of `mu(N)`.
const LOWEST: f64 = 0.001;
const HIGHEST: f64 = 0.999;

/// Share of the upper end that is used where tokens per second are asked for.
const TOKENS_RESERVE: f64 = 0.9;

/// Relative width at which the rate is known well enough.
const TOLERANCE: f64 = 1e-12;

/// An objective met to this share is met: a latency that does not depend on the rate may equal it.
const ROUNDING: f64 = 1e-12;

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
        let gaps_ms = mean_gaps_ms(self, batch.clamp(1, MAX_BATCH));
        self.size_gaps(&gaps_ms, objectives, None)
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
        let gaps_ms = mean_gaps_ms(self, max_batch.clamp(1, MAX_BATCH));
        let mut guess = None;
        (1..=gaps_ms.len())
            .map(|n| {
                let sized = self.size_gaps(&gaps_ms[..n], objectives, guess);
                guess = sized.as_ref().ok().map(|s| s.arrival_rate_per_s);
                sized
            })
            .collect()
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
        let gaps_ms = mean_gaps_ms(self, max_batch.clamp(1, MAX_BATCH));
        let whole = self.size_gaps(&gaps_ms, objectives, None);
        let (Ok(mut best), None) = (whole, self.queue_limit) else {
            return best_batch(&self.size_all(max_batch, objectives), tolerance);
        };
        // Each turn finds a better rate by more than the root's tolerance, so that it ends.
        while let Some(n) =
            self.least_reaching(&gaps_ms, best.arrival_rate_per_s * (1.0 + 1e-9), objectives)
        {
            let guess = Some(best.arrival_rate_per_s);
            best = self.size_gaps(&gaps_ms[..n], objectives, guess)?;
        }
        let enough = best.arrival_rate_per_s * (1.0 - tolerance);
        match self.least_reaching(&gaps_ms, enough, objectives) {
            Some(n) if n < best.batch as usize => {
                self.size_gaps(&gaps_ms[..n], objectives, Some(enough))
            }
            _ => Ok(best),
        }
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
            let gaps_ms = &gaps_ms[..=i];
            let (_, most) = range(gaps_ms, objectives);
            (rate_per_s <= most
                && worst(&self.read(chain, gaps_ms, rate_per_s), objectives).value <= 0.0)
                .then_some(i + 1)
        };
        chains.enumerate().find_map(reaches)
    }

    fn size_gaps(
        &self,
        gaps_ms: &[f64],
        objectives: &Objectives,
        guess: Option<f64>,
    ) -> Result<Sized, Shortfall> {
        let (least, most) = range(gaps_ms, objectives);
        if !(least > 0.0 && least.is_finite() && most.is_finite()) {
            let (limit, best) = (f64::INFINITY, f64::NAN);
            return Err(Shortfall { metric: Metric::Rate, limit, best, percentile: None });
        }
        let analyze = |rate: f64| self.analyze_gaps(gaps_ms, rate);
        let rate = self.largest_rate(least, most, objectives, guess, analyze)?;
        Ok(Sized {
            batch: gaps_ms.len() as u32,
            arrival_rate_per_s: rate,
            throughput_per_s: analyze(rate).throughput_per_s,
        })
    }

    /// Brackets the rate, next to `guess` where that helps, and narrows the bracket.
    fn largest_rate(
        &self,
        least: f64,
        most: f64,
        objectives: &Objectives,
        guess: Option<f64>,
        analyze: impl Fn(f64) -> Analysis,
    ) -> Result<f64, Shortfall> {
        let excess = |rate: f64| worst(&analyze(rate), objectives);
        let top = excess(most);
        if top.value <= 0.0 {
            return Ok(most);
        }
        let mut bracket = Bracket { low: (least, -1.0), high: (most, top.value) };
        let mut known_low = false;
        for near in guess.iter().flat_map(|g| [g * (1.0 - 1e-7), g * (1.0 + 1e-7), g * 1.02]) {
            if near <= bracket.low.0 || near >= bracket.high.0 {
                continue;
            }
            let value = excess(near).value;
            if value > 0.0 {
                bracket.high = (near, value);
                break;
            }
            bracket.low = (near, value);
            known_low = true;
        }
        if !known_low {
            let bottom = excess(least);
            if bottom.value > 0.0 {
                return Err(bottom.shortfall);
            }
            bracket.low.1 = bottom.value;
        }
        Ok(narrow(bracket, TOLERANCE, |rate| excess(rate).value))
    }
}

/// The range in which the rate is sought, requests/s.
fn range(gaps_ms: &[f64], objectives: &Objectives) -> (f64, f64) {
    let least = LOWEST * 1000.0 / gaps_ms[0];
    let reserve = if objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 };
    let most = 1000.0 / gaps_ms[gaps_ms.len() - 1] * HIGHEST * reserve;
    (least, most.max(least))
}

/// The objective that is furthest from being met.
struct Worst {
    /// `(value - limit) / (value + limit)`, in [-1, 1]: bounded where the wait is not, and rising
    /// with the rate. At most 0 if every objective is met.
    value: f64,
    shortfall: Shortfall,
}

fn worst(analysis: &Analysis, objectives: &Objectives) -> Worst {
    let latency = |metric, objective: Option<Objective>, value: &dyn Fn(Option<f64>) -> f64| {
        objective.map(|o| Shortfall {
            metric,
            limit: o.limit_ms,
            best: value(o.percentile),
            percentile: o.percentile,
        })
    };
    let itl = |p: Option<f64>| p.map_or(analysis.itl_ms, |p| analysis.itl_percentile_ms(p));
    let ttft = |p: Option<f64>| p.map_or(analysis.ttft_ms, |p| analysis.ttft_percentile_ms(p));
    let loss =
        analysis.station.queue_limit.filter(|_| objectives.max_loss < 1.0).map(|_| Shortfall {
            metric: Metric::Loss,
            limit: objectives.max_loss,
            best: analysis.loss_probability,
            percentile: None,
        });
    let each = [
        latency(Metric::Itl, objectives.itl, &itl),
        latency(Metric::Ttft, objectives.ttft, &ttft),
        loss,
    ];
    let none = Shortfall { metric: Metric::Rate, limit: 1.0, best: 0.0, percentile: None };
    each.into_iter().flatten().fold(Worst { value: -1.0, shortfall: none }, |worst, shortfall| {
        let value = excess(&shortfall);
        if value > worst.value { Worst { value, shortfall } } else { worst }
    })
}

fn excess(s: &Shortfall) -> f64 {
    if s.best <= s.limit * (1.0 + ROUNDING) {
        ((s.best - s.limit) / (s.best + s.limit)).min(0.0)
    } else if s.best.is_finite() {
        (s.best - s.limit) / (s.best + s.limit)
    } else {
        1.0
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
    let none = Shortfall { metric: Metric::Rate, limit: 1.0, best: f64::NAN, percentile: None };
    let shortfalls = sizings.iter().filter_map(|s| s.as_ref().err());
    Err(*shortfalls.min_by(|a, b| a.excess().total_cmp(&b.excess())).unwrap_or(&none))
}
