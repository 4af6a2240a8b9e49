//! Sizing of replicas whose answers are one token.

use super::OneShot;
use super::backlog::Backlog;
use crate::queue::engine::level::Level;
use crate::queue::objective::{Metric, Objective, Objectives, Shortfall, excess};
use crate::queue::root::{Bracket, narrow};
use crate::queue::service::Station;
use crate::queue::sizing::{HIGHEST, LOWEST, Sized, best_batch};

/// Relative width at which a rate is known well enough.
const TOLERANCE: f64 = 1e-4;
/// Batch sizes up to which each is tried, and the ratio of those beyond.
const EACH: u32 = 2;
const BEYOND: f64 = 2.0;

/// A replica and its objectives.
pub(in crate::queue) struct OneShotSizing<'a> {
    station: &'a Station,
    batch: u32,
    /// Places beyond which more are never taken, at most the batch size.
    most: u32,
    objectives: &'a Objectives,
}

impl<'a> OneShotSizing<'a> {
    /// `None` where answers are longer.
    pub fn new(station: &'a Station, batch: u32, objectives: &'a Objectives) -> Option<Self> {
        let queue = OneShot::new(station, batch.max(1))?;
        Some(Self { station, batch: queue.batch, most: queue.most_places(), objectives })
    }

    /// The largest rate of the largest batch size.
    ///
    /// # Errors
    /// The objective that is not met even at the lowest rate.
    pub fn size(&self) -> Result<Sized, Shortfall> {
        self.size_at(self.batch)
    }

    /// Every batch size: entry `i` is that of `i + 1`. Places beyond what a pass has room for change nothing.
    pub fn size_all(&self) -> Vec<Result<Sized, Shortfall>> {
        let last = self.most;
        let mut sized: Vec<_> = (1..=last).map(|n| self.size_at(n)).collect();
        let of_last = sized[last as usize - 1];
        let more =
            (last + 1..=self.batch).map(|batch| of_last.map(|sized| Sized { batch, ..sized }));
        sized.extend(more);
        sized
    }

    /// Of the batch sizes that are tried the least whose rate is within `tolerance` of the best.
    ///
    /// # Errors
    /// Where none meets the objectives, the shortfall that comes closest.
    pub fn size_best(&self, tolerance: f64) -> Result<Sized, Shortfall> {
        let (mut tried, last) = (Vec::new(), self.most);
        let mut next = 1;
        while next < last {
            tried.push(self.size_at(next));
            next = if next < EACH { next + 1 } else { (f64::from(next) * BEYOND) as u32 };
        }
        tried.push(self.size_at(last));
        best_batch(&tried, tolerance)
    }

    fn size_at(&self, batch: u32) -> Result<Sized, Shortfall> {
        let none = |best| Shortfall { metric: Metric::Rate, limit: 1.0, best, percentile: None };
        let queue = OneShot::new(self.station, batch).ok_or(none(0.0))?;
        let capacity_per_s = queue.capacity_per_s();
        if !(capacity_per_s > 0.0 && capacity_per_s.is_finite()) {
            return Err(none(f64::INFINITY));
        }
        let alone = Level::new(&queue.work, 1.0).gap_ms;
        let most = HIGHEST * capacity_per_s;
        let least = (LOWEST * 1000.0 / alone).min(most);
        let excess_of = |(_, o, value): &(Metric, Objective, f64)| excess(*value, o.limit_ms);
        let worst = |rate: f64| {
            let values = self.values(&queue, rate);
            values.into_iter().max_by(|a, b| excess_of(a).total_cmp(&excess_of(b)))
        };
        let excess_at = |rate: f64| worst(rate).map_or(-1.0, |worst| excess_of(&worst));
        let (bottom, top) = (excess_at(least), excess_at(most));
        if bottom > 0.0 {
            let (metric, o, best) = worst(least).ok_or(none(0.0))?;
            return Err(Shortfall { metric, limit: o.limit_ms, best, percentile: o.percentile });
        }
        let rate = if top <= 0.0 {
            most
        } else {
            narrow(Bracket { low: (least, bottom), high: (most, top) }, TOLERANCE, excess_at)
        };
        Ok(Sized { batch: queue.batch, arrival_rate_per_s: rate, throughput_per_s: rate })
    }

    /// Objectives up to the one token with their values, ms.
    fn values(&self, queue: &OneShot, rate_per_s: f64) -> Vec<(Metric, Objective, f64)> {
        let found = Backlog::new(queue, rate_per_s);
        let of = |(metric, objective): (Metric, Objective)| {
            let is_wait = match metric {
                Metric::Ttft | Metric::E2e => false,
                Metric::Wait => true,
                _ => return None,
            };
            let times = found.time(is_wait);
            let value = match objective.percentile {
                None => times.mean(),
                Some(percent) => times.percentile(percent),
            };
            Some((metric, objective, value))
        };
        self.objectives.latencies().filter_map(of).collect()
    }
}
