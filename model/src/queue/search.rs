//! The search for the largest rate at which a replica of one batch size meets its objectives.
//!
//! How far the objectives are from being met rises with the rate, so that the rate sought is a
//! root. From afar it is bracketed and the bracket narrowed, a pass over the states a step. Next to
//! a guess, as a neighbouring batch size gives it, one pass is enough in most cases: it tells the
//! chain at the rates near by as well ([`Near`]), and the root is sought among them.

use super::analysis::Analysis;
use super::near::Near;
use super::objective::{Metric, Objectives, Shortfall, Worst};
use super::occupancy::Occupancy;
use super::root::{Bracket, narrow};
use super::service::Station;
use super::sizing::Sized;

/// Ends of the range in which the rate is sought, as shares of `mu(1)` and of `mu(N)`.
const LOWEST: f64 = 0.001;
const HIGHEST: f64 = 0.999;

/// Share of the upper end that is used where tokens per second are asked for.
const TOKENS_RESERVE: f64 = 0.9;

/// Relative width at which the rate is known well enough.
const TOLERANCE: f64 = 1e-12;

/// Relative width at which a guess is good enough to start from.
const GUESS_TOLERANCE: f64 = 1e-3;

/// Passes that may follow a guess before the root is bracketed from afar.
const MAX_PASSES: usize = 6;

/// The range in which the rate is sought, requests/s.
pub(super) fn range(gaps_ms: &[f64], objectives: &Objectives) -> (f64, f64) {
    let least = LOWEST * 1000.0 / gaps_ms[0];
    let reserve = if objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 };
    let most = 1000.0 / gaps_ms[gaps_ms.len() - 1] * HIGHEST * reserve;
    (least, most.max(least))
}

/// One batch size and what it has to keep.
pub(super) struct Search<'a> {
    station: &'a Station,
    /// `1 / mu(n)` up to the batch size.
    gaps_ms: &'a [f64],
    objectives: &'a Objectives,
    /// Lower end of the range, requests/s.
    least: f64,
    /// Upper end of the range, requests/s.
    most: f64,
}

impl<'a> Search<'a> {
    /// # Errors
    /// Service times that give no finite rate.
    pub fn new(
        station: &'a Station,
        gaps_ms: &'a [f64],
        objectives: &'a Objectives,
    ) -> Result<Self, Shortfall> {
        let (least, most) = range(gaps_ms, objectives);
        if !(least > 0.0 && least.is_finite() && most.is_finite()) {
            let (limit, best) = (f64::INFINITY, f64::NAN);
            return Err(Shortfall { metric: Metric::Rate, limit, best, percentile: None });
        }
        Ok(Self { station, gaps_ms, objectives, least, most })
    }

    /// Seeks no rate below one at which every objective is known to be met.
    pub fn above(mut self, rate: f64) -> Self {
        self.least = rate.min(self.most);
        self
    }

    /// The largest rate, next to `guess` if it is there.
    ///
    /// # Errors
    /// The objective that is not met even at the lower end.
    pub fn size(&self, guess: Option<f64>) -> Result<Sized, Shortfall> {
        let rate = match guess.and_then(|guess| self.from_near(guess)) {
            Some(rate) => rate,
            None => self.from_afar()?,
        };
        let throughput_per_s = match self.station.queue_limit {
            None => rate,
            Some(_) => self.read(self.pass(rate), rate).throughput_per_s,
        };
        let batch = self.gaps_ms.len() as u32;
        Ok(Sized { batch, arrival_rate_per_s: rate, throughput_per_s })
    }

    fn from_afar(&self) -> Result<f64, Shortfall> {
        let excess = |rate: f64| self.worst(self.pass(rate), rate).value;
        let bottom = self.worst(self.pass(self.least), self.least);
        if bottom.value > 0.0 {
            return Err(bottom.shortfall);
        }
        let top = excess(self.most);
        if top <= 0.0 {
            return Ok(self.most);
        }
        let bracket = Bracket { low: (self.least, bottom.value), high: (self.most, top) };
        let guess = narrow(bracket, GUESS_TOLERANCE, excess);
        Ok(self.from_near(guess).unwrap_or_else(|| narrow(bracket, TOLERANCE, excess)))
    }

    /// Newton's method, each step of which is exact within the reach of its pass; `None` where it
    /// leads out of what is known to hold the root.
    fn from_near(&self, guess: f64) -> Option<f64> {
        let (mut low, mut high) = (self.least, f64::INFINITY);
        let mut rate = guess;
        for _ in 0..MAX_PASSES {
            rate = rate.min(self.most);
            if !(low <= rate && rate <= high) {
                return None;
            }
            let near = Near::new(self.gaps_ms, rate / 1000.0, self.station.queue_limit);
            let excess = |rate: f64| self.worst(near.at(rate / 1000.0), rate).value;
            let below = self.least.max(rate * (1.0 - near.reach()));
            let above = self.most.min(rate * (1.0 + near.reach()));
            let bracket = Bracket { low: (below, excess(below)), high: (above, excess(above)) };
            if bracket.high.1 <= 0.0 {
                if above == self.most {
                    return Some(above);
                }
                low = above;
            } else if bracket.low.1 > 0.0 {
                high = below;
            } else {
                return Some(narrow(bracket, TOLERANCE, excess));
            }
            rate = bracket.secant();
        }
        None
    }

    fn pass(&self, rate: f64) -> Occupancy {
        Occupancy::new(self.gaps_ms, rate / 1000.0, self.station.queue_limit)
    }

    fn worst(&self, chain: Occupancy, rate: f64) -> Worst {
        self.objectives.worst(&self.read(chain, rate))
    }

    fn read(&self, chain: Occupancy, rate: f64) -> Analysis {
        self.station.read(chain, self.gaps_ms, rate)
    }
}
