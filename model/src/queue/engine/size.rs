//! Sizing: the largest rate at which a replica of an engine keeps its objectives.
//!
//! As for the reference's chain, latencies rise with the rate and the rate sought is a root. One pass
//! over the levels tells the means of every batch size at a rate, so that the least batch size which
//! reaches a rate is found in one pass where objectives are on means; percentiles are looked at batch
//! size by batch size, the means first.

use super::chain::{Means, Replica};
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

/// The same where objectives are on percentiles, which are known less well.
const ROUGH: f64 = 1e-4;

/// Batch sizes at which percentiles are looked at first.
const LOOKS: usize = 4;

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
        // Cycles of whole prompts depend on the places that there are: no pass tells of fewer.
        let each = station.queue_limit.is_some() || !station.engine.chunked_prefill;
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

    /// The least batch size up to `most` that meets the objectives at a rate.
    fn least_reaching(&self, rate_per_s: f64, most: u32) -> Option<u32> {
        let every = self.replica.every_batch(rate_per_s / 1000.0);
        let likely = (1..=most).zip(every).filter(|(n, means)| {
            let capacity_per_s = 1000.0 / self.replica.levels()[*n as usize - 1].gap_ms;
            let within = rate_per_s <= self.most(capacity_per_s);
            within && means.as_ref().is_some_and(|means| self.excess_of_means(means) <= 0.0)
        });
        let mut likely = likely.map(|(n, _)| n);
        if self.means_only {
            return likely.next();
        }
        self.first_meeting(&likely.collect::<Vec<u32>>(), rate_per_s)
    }

    /// The first of `batches` that meets objectives on percentiles too. Each look costs as much as
    /// all means together: a few sizes are looked at, and the first that meets them is sought
    /// between its neighbours there. What is found meets them; a smaller one between may be missed.
    fn first_meeting(&self, batches: &[u32], rate_per_s: f64) -> Option<u32> {
        let meets = |at: usize| self.excess(batches[at], rate_per_s) <= 0.0;
        let looks = (1..=LOOKS).map(|k| (batches.len() * k).div_ceil(LOOKS).saturating_sub(1));
        let mut low = 0;
        for look in looks.take_while(|_| !batches.is_empty()) {
            if !meets(look) {
                low = look + 1;
                continue;
            }
            let mut high = look;
            while low < high {
                let middle = low + (high - low) / 2;
                if meets(middle) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return Some(batches[high]);
        }
        None
    }

    /// Upper end of the range, requests/s.
    fn most(&self, capacity_per_s: f64) -> f64 {
        let reserve = if self.objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 };
        capacity_per_s * HIGHEST * reserve
    }

    /// The largest rate of a batch size, where everything is known to hold at `known` (0: nothing is).
    fn size_at(&self, batch: u32, known: f64) -> Result<Sized, Shortfall> {
        let replica = self.replica.with_batch(batch);
        let lowest = LOWEST * 1000.0 / replica.levels()[0].gap_ms;
        let most = self.most(replica.capacity_per_s()).max(lowest);
        let least = known.max(lowest).min(most);
        let bottom = self.excess(batch, least);
        if bottom > 0.0 {
            return Err(self.shortfall(batch, least));
        }
        let top = self.excess(batch, most);
        let rate = if top <= 0.0 {
            most
        } else {
            let bracket = Bracket { low: (least, bottom), high: (most, top) };
            let tolerance = if self.means_only { TOLERANCE } else { ROUGH };
            narrow(bracket, tolerance, |rate| self.excess(batch, rate))
        };
        let loss = match self.replica.station().queue_limit {
            None => 0.0,
            Some(_) => replica.means(rate / 1000.0).chain.loss,
        };
        Ok(Sized { batch, arrival_rate_per_s: rate, throughput_per_s: rate * (1.0 - loss) })
    }

    /// How far the objectives are from being met, as far as the means tell: an objective on a
    /// percentile of a time is not met where the mean of it alone is far beyond.
    fn excess_of_means(&self, means: &Means) -> f64 {
        let (itl_ms, ttft_ms) = (means.itl_ms, means.ttft_ms());
        let e2e_ms = self.replica.station().e2e_ms(ttft_ms, itl_ms);
        let values = [itl_ms, ttft_ms, means.wait_ms(), e2e_ms];
        let Objectives { itl, ttft, wait, e2e, .. } = *self.objectives;
        let mut most = excess(means.chain.loss, self.objectives.max_loss);
        for (value, objective) in values.into_iter().zip([itl, ttft, wait, e2e]) {
            if let Some(Objective { limit_ms, percentile: None }) = objective {
                most = most.max(excess(value, limit_ms));
            }
        }
        most
    }

    /// How far the objectives are from being met.
    fn excess(&self, batch: u32, rate_per_s: f64) -> f64 {
        let replica = self.replica.with_batch(batch);
        let means = replica.means(rate_per_s / 1000.0);
        let most = self.excess_of_means(&means);
        if self.means_only {
            return most;
        }
        let values = self.percentiles(replica, rate_per_s);
        values.into_iter().map(|(_, o, value)| excess(value, o.limit_ms)).fold(most, f64::max)
    }

    /// Objectives on percentiles with their values, ms.
    fn percentiles(&self, replica: Replica, rate_per_s: f64) -> Vec<(Metric, Objective, f64)> {
        let analysis = replica.analysis(rate_per_s);
        let tails = Tails::of(replica, &analysis);
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
    fn shortfall(&self, batch: u32, rate_per_s: f64) -> Shortfall {
        let replica = self.replica.with_batch(batch);
        let analysis: Analysis = replica.analysis(rate_per_s);
        let mut all = self.percentiles(replica, rate_per_s);
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
