//! Sizing: the largest rate at which a replica of an engine keeps its objectives.
//!
//! As for the reference's chain, latencies rise with the rate and the rate sought is a root. One pass
//! over the levels tells the means of every batch size at a rate, so that the least batch size which
//! reaches a rate is found in one pass where objectives are on means. Where they are on percentiles see `ladder.rs`.

use super::arrival::Until;
use super::chain::Replica;
use super::ladder::Ladder;
use super::means::Means;
use super::memory;
use super::tails::Tails;
use super::work::Work;
use crate::queue::analysis::Analysis;
use crate::queue::objective::{ItlOver, Metric, Objective, Objectives, Shortfall, excess};
use crate::queue::root::{Bracket, narrow};
use crate::queue::service::Station;
use crate::queue::sizing::{HIGHEST, LOWEST, Sized, TOKENS_RESERVE, best_batch};

/// Relative width at which a rate is known well enough.
const TOLERANCE: f64 = 1e-7;

/// What a replica of an engine has to keep.
pub(in crate::queue) struct Sizing<'a> {
    replica: Replica,
    objectives: &'a Objectives,
    /// Whether all objectives are on means.
    means_only: bool,
}

impl<'a> Sizing<'a> {
    /// Of batch sizes up to `batch`, or as many as the KV cache holds.
    ///
    /// # Errors
    /// Requests that take no time or for ever, or that the KV cache does not hold.
    pub fn new(
        station: &Station,
        batch: u32,
        objectives: &'a Objectives,
    ) -> Result<Self, Shortfall> {
        let none = |best| Shortfall { metric: Metric::Rate, limit: 1.0, best, percentile: None };
        let batch = memory::batch_limit(&Work::new(station), batch.max(1));
        if batch == 0 {
            return Err(none(f64::INFINITY));
        }
        let replica = Replica::new(station, batch);
        let sound = |gap: f64| gap > 0.0 && gap.is_finite();
        let gaps = replica.levels().iter().map(|level| level.gap_ms);
        if let Some(gap) = gaps.into_iter().find(|gap| !sound(*gap)) {
            return Err(none(gap));
        }
        let means_only = objectives.latencies().all(|(_, o)| o.percentile.is_none());
        Ok(Self { replica, objectives, means_only })
    }

    /// The largest rate of the largest batch size.
    ///
    /// # Errors
    /// The objective that is not met even at the lowest rate.
    pub fn size(&self) -> Result<Sized, Shortfall> {
        self.size_at(self.replica.batch(), 0.0)
    }

    /// Every batch size: entry `i` is that of `i + 1`.
    pub fn size_all(&self) -> Vec<Result<Sized, Shortfall>> {
        (1..=self.replica.batch()).map(|n| self.size_at(n, 0.0)).collect()
    }

    /// The least batch size whose rate is within `tolerance` of the best over all.
    ///
    /// # Errors
    /// Where no batch size meets the objectives, the shortfall that comes closest.
    pub fn size_best(&self, tolerance: f64) -> Result<Sized, Shortfall> {
        let station = self.replica.station();
        let is_bounded = station.queue_limit.is_some();
        if !is_bounded && !self.means_only {
            return Ladder::new(self).size_best(tolerance);
        }
        // What whole prompts do jumps where their cycle does: what fails at a better rate may hold a better one yet.
        let each = is_bounded || !station.engine.chunked_prefill;
        let (Ok(mut best), false) = (self.size(), each) else {
            return best_batch(&self.size_all(), tolerance);
        };
        // Each turn finds a rate that is better by more than the root's tolerance, so that it ends.
        loop {
            let better = best.arrival_rate_per_s * (1.0 + 1e-3);
            let Some(n) = self.least_reaching(better, self.replica.batch()) else { break };
            best = self.size_at(n, better)?;
        }
        let enough = best.arrival_rate_per_s * (1.0 - tolerance);
        match self.least_reaching(enough, best.batch.saturating_sub(1)) {
            Some(n) => self.size_at(n, enough),
            None => Ok(best),
        }
    }

    /// The least batch size up to `most` that meets objectives on means at a rate.
    fn least_reaching(&self, rate_per_s: f64, most: u32) -> Option<u32> {
        self.likely(rate_per_s, 0.0).map(|(batch, _)| batch).find(|batch| *batch <= most)
    }

    /// Batch sizes that meet the objectives at a rate as far as the means tell, least first, and whether a place is
    /// waited for with at most that probability.
    pub(super) fn likely(&self, rate_per_s: f64, never: f64) -> impl Iterator<Item = (u32, bool)> {
        let every = (1..).zip(self.replica.every_batch(rate_per_s / 1000.0));
        every.filter_map(move |(batch, means)| {
            let means = means.filter(|_| rate_per_s <= self.most_of(batch))?;
            (self.excess_of_means(&means) <= 0.0).then_some((batch, means.places_taken <= never))
        })
    }

    /// Upper end of the range of a batch size, requests/s.
    pub(super) fn most_of(&self, batch: u32) -> f64 {
        self.most(1000.0 / self.replica.levels()[batch as usize - 1].gap_ms)
    }

    /// Lower end of the range, requests/s.
    pub(super) fn lowest_per_s(&self) -> f64 {
        LOWEST * 1000.0 / self.replica.levels()[0].gap_ms
    }

    /// Largest batch size.
    pub(super) fn batch(&self) -> u32 {
        self.replica.batch()
    }

    /// Upper end of the range, requests/s.
    fn most(&self, capacity_per_s: f64) -> f64 {
        let reserve = if self.objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 };
        capacity_per_s * HIGHEST * reserve
    }

    /// The largest rate of a batch size, where everything is known to hold at `known` (0: nothing is).
    fn size_at(&self, batch: u32, known: f64) -> Result<Sized, Shortfall> {
        if !self.means_only {
            return Ladder::new(self).size_at(batch);
        }
        let lowest = self.lowest_per_s();
        let most = self.most_of(batch).max(lowest);
        let least = known.max(lowest).min(most);
        let bottom = self.excess(batch, least);
        if bottom > 0.0 {
            return Err(self.shortfall(batch, least));
        }
        let top = self.excess(batch, most);
        if top <= 0.0 {
            return Ok(self.sized(batch, most));
        }
        let bracket = Bracket { low: (least, bottom), high: (most, top) };
        Ok(self.sized(batch, narrow(bracket, TOLERANCE, |rate| self.excess(batch, rate))))
    }

    /// What a batch size serves at a rate.
    pub(super) fn sized(&self, batch: u32, arrival_rate_per_s: f64) -> Sized {
        let loss = match self.replica.station().queue_limit {
            None => 0.0,
            Some(_) => {
                let replica = self.replica.with_batch(batch);
                replica.means(arrival_rate_per_s / 1000.0).chain.loss
            }
        };
        Sized { batch, arrival_rate_per_s, throughput_per_s: arrival_rate_per_s * (1.0 - loss) }
    }

    /// How far the objectives are from being met, as far as the means tell: an objective on a
    /// percentile of a time is not met where the wait for a place alone exceeds it.
    fn excess_of_means(&self, means: &Means) -> f64 {
        let (itl_ms, ttft_ms) = (means.itl_ms, means.ttft_ms());
        let e2e_ms = self.replica.station().e2e_ms(ttft_ms, itl_ms);
        let values = [itl_ms, ttft_ms, means.wait_ms(), e2e_ms];
        let Objectives { itl, ttft, wait, e2e, .. } = *self.objectives;
        let mut most = excess(means.chain.loss, self.objectives.max_loss);
        let waits = [false, true, true, true];
        for ((value, waits), objective) in values.into_iter().zip(waits).zip([itl, ttft, wait, e2e])
        {
            let Some(Objective { limit_ms, percentile }) = objective else { continue };
            let value = match percentile {
                None => value,
                Some(percent) if waits => means.place_percentile_ms(percent),
                Some(_) => continue,
            };
            most = most.max(excess(value, limit_ms));
        }
        most
    }

    /// How far the objectives are from being met.
    pub(super) fn excess(&self, batch: u32, rate_per_s: f64) -> f64 {
        let replica = self.replica.with_batch(batch);
        let means = replica.means(rate_per_s / 1000.0);
        let mut most = self.excess_of_means(&means);
        // Percentiles of what has no steady state, or too slow a one, say no more.
        if self.means_only || most > 0.0 {
            return most;
        }
        let analysis = replica.analysis_of(&means, rate_per_s);
        let tails = Tails::of(replica, &analysis, means.stretch);
        // One that is missed is enough.
        for (metric, Objective { limit_ms, percentile }) in self.objectives.latencies() {
            let Some(percent) = percentile.filter(|_| most <= 0.0) else { continue };
            // What share is within a limit is a sum, percentiles are not.
            let within = match (metric, self.objectives.itl_over) {
                (Metric::Itl, ItlOver::Requests) => {
                    most = most.max(excess(tails.tpot_ms(percent), limit_ms));
                    continue;
                }
                (Metric::E2e, _) => {
                    most = most.max(excess(tails.e2e_ms(percent), limit_ms));
                    continue;
                }
                (Metric::Itl, ItlOver::Gaps) => tails.gaps_within(limit_ms),
                (Metric::Wait, _) => tails.within(limit_ms, Until::Service),
                _ => tails.within(limit_ms, Until::FirstToken),
            };
            most = most.max(excess_of_share(1.0 - within, 1.0 - percent / 100.0));
        }
        most
    }

    /// Objectives on percentiles with their values, ms.
    fn percentiles(
        &self,
        replica: Replica,
        means: &Means,
        rate_per_s: f64,
    ) -> Vec<(Metric, Objective, f64)> {
        let analysis = replica.analysis_of(means, rate_per_s);
        let tails = Tails::of(replica, &analysis, means.stretch);
        let limited = self.objectives.latencies().filter_map(|(metric, objective)| {
            let percent = objective.percentile?;
            let value = match metric {
                Metric::Itl if self.objectives.itl_over == ItlOver::Gaps => tails.gap_ms(percent),
                Metric::Itl => tails.tpot_ms(percent),
                Metric::Ttft => tails.ttft_ms(percent),
                Metric::E2e => tails.e2e_ms(percent),
                _ => tails.wait_ms(percent),
            };
            Some((metric, objective, value))
        });
        limited.collect()
    }

    /// The objective that is furthest from being met.
    pub(super) fn shortfall(&self, batch: u32, rate_per_s: f64) -> Shortfall {
        let replica = self.replica.with_batch(batch);
        let means = replica.means(rate_per_s / 1000.0);
        let analysis: Analysis = replica.analysis_of(&means, rate_per_s);
        let mut all = self.percentiles(replica, &means, rate_per_s);
        for (metric, objective) in self.objectives.latencies() {
            if objective.percentile.is_none() {
                all.push((metric, objective, analysis.value(metric, None)));
            }
        }
        let loss = Objective::mean(self.objectives.max_loss);
        all.push((Metric::Loss, loss, analysis.loss_probability));
        let far = |(_, o, value): &(Metric, Objective, f64)| excess(*value, o.limit_ms);
        let worst = all.iter().copied().max_by(|a, b| far(a).total_cmp(&far(b)));
        let (metric, objective, best) = worst.unwrap_or((Metric::Loss, loss, 0.0));
        let Objective { limit_ms, percentile } = objective;
        Shortfall { metric, limit: limit_ms, best, percentile }
    }
}

/// How far a share beyond a limit is above what may be. Shares fall off by powers of ten: their fourth roots are closer to
/// straight in the rate.
fn excess_of_share(beyond: f64, most: f64) -> f64 {
    excess(beyond.max(0.0).sqrt().sqrt(), most.sqrt().sqrt())
}
