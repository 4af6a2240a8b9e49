//! The search for the largest rate at which a replica of one batch size meets its objectives.
//!
//! How far the objectives are from being met rises with the rate, so that the rate sought is a
//! root. From afar it is bracketed and the bracket narrowed, a pass over the states a step. Next to
//! a guess, as a neighbouring batch size gives it, one pass is enough in most cases: it tells the
//! chain at the rates near by as well ([`Near`]), and the root is sought among them.

use super::near::Near;
use super::objective::{Metric, Objectives, Shortfall, excess};
use super::occupancy::Occupancy;
use super::root::{Bracket, narrow};
use super::service::Station;
use super::sizing::{HIGHEST, LOWEST, Sized, TOKENS_RESERVE};

/// Relative width at which the rate is known well enough.
const TOLERANCE: f64 = 2e-12;

/// Relative width at which a guess is good enough to start from.
const GUESS_TOLERANCE: f64 = 1e-2;

/// Passes that may follow a guess before the root is bracketed from afar.
const MAX_PASSES: usize = 6;

/// Steps of the secant within one pass before the root is bracketed there.
const MAX_SECANTS: usize = 4;

/// What objectives limit, in the order in which a search keeps it.
const LIMITED: [Metric; 5] = [Metric::Itl, Metric::Ttft, Metric::Wait, Metric::E2e, Metric::Loss];

/// Place of loss among them.
const LOSS: usize = LIMITED.len() - 1;

/// The range in which the rate is sought, requests/s.
fn range(gaps_ms: &[f64], objectives: &Objectives) -> (f64, f64) {
    let least = LOWEST * 1000.0 / gaps_ms[0];
    let reserve = if objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 };
    let most = 1000.0 / gaps_ms[gaps_ms.len() - 1] * HIGHEST * reserve;
    (least, most.max(least))
}

/// Where the root is thought to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    /// Requests/s.
    pub rate: f64,
    /// How fast the excess rises with the rate there, s.
    pub slope: Option<f64>,
}

/// The root, and how fast the excess rises there where that is known: a guess for the next search.
#[derive(Debug, Clone, Copy)]
struct Found {
    rate: f64,
    slope: Option<f64>,
}

/// One batch size and what it has to keep.
pub(super) struct Search<'a> {
    station: &'a Station,
    /// `1 / mu(n)` up to the batch size.
    gaps_ms: &'a [f64],
    objectives: &'a Objectives,
    /// Limits of [`LIMITED`], ms, and of loss; 1 where nothing is asked.
    limits: [f64; LIMITED.len()],
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
            let (limit, best) = (f64::INFINITY, gaps_ms[0]);
            return Err(Shortfall { metric: Metric::Rate, limit, best, percentile: None });
        }
        let latencies = [objectives.itl, objectives.ttft, objectives.wait, objectives.e2e];
        let [itl, ttft, wait, e2e] = latencies.map(|o| o.map_or(1.0, |o| o.limit_ms));
        let limits = [itl, ttft, wait, e2e, objectives.max_loss];
        Ok(Self { station, gaps_ms, objectives, limits, least, most })
    }

    /// Seeks no rate below one at which every objective is known to be met.
    pub fn above(mut self, rate: f64) -> Self {
        self.least = rate.min(self.most);
        self
    }

    /// Whether every objective is met at a rate, with the chain that it brings.
    pub fn meets(&self, chain: &Occupancy, rate: f64) -> bool {
        rate <= self.most && self.excess(chain, rate) <= 0.0
    }

    /// The largest rate, next to `guess` if it is there, and the slope for the guess after it.
    ///
    /// # Errors
    /// The objective that is not met even at the lower end.
    pub fn size(&self, guess: Option<Guess>) -> Result<(Sized, Option<f64>), Shortfall> {
        let Found { rate, slope } = match guess.and_then(|guess| self.near(guess)) {
            Some(found) => found,
            None => self.afar()?,
        };
        let throughput_per_s = match self.station.queue_limit {
            None => rate,
            Some(_) => rate * (1.0 - self.pass(rate).loss),
        };
        let batch = self.gaps_ms.len() as u32;
        Ok((Sized { batch, arrival_rate_per_s: rate, throughput_per_s }, slope))
    }

    /// Brackets the root between the ends of the range.
    fn afar(&self) -> Result<Found, Shortfall> {
        let excess = |rate: f64| self.excess(&self.pass(rate), rate);
        let bottom = excess(self.least);
        if bottom > 0.0 {
            return Err(self.shortfall(&self.pass(self.least), self.least));
        }
        let top = excess(self.most);
        if top <= 0.0 {
            return Ok(Found { rate: self.most, slope: None });
        }
        let bracket = Bracket { low: (self.least, bottom), high: (self.most, top) };
        let guess = narrow(bracket, GUESS_TOLERANCE, excess);
        Ok(self
            .near(Guess { rate: guess, slope: None })
            .unwrap_or_else(|| Found { rate: narrow(bracket, TOLERANCE, excess), slope: None }))
    }

    /// Steps along the slope, a pass each, until the root is within reach of one; `None` where they
    /// lead out of what is known to hold the root.
    fn near(&self, guess: Guess) -> Option<Found> {
        let (mut low, mut high) = (self.least, f64::INFINITY);
        let Guess { mut rate, mut slope } = guess;
        let mut before: Option<(f64, f64)> = None;
        for _ in 0..MAX_PASSES {
            rate = rate.min(self.most);
            if !(low <= rate && rate <= high) {
                return None;
            }
            let near = Near::new(self.gaps_ms, rate / 1000.0, self.station.queue_limit);
            let excess = |rate: f64| self.excess_near(&near, rate);
            let value = excess(rate);
            if value > 0.0 {
                high = rate;
            } else if rate == self.most {
                return Some(Found { rate, slope });
            } else {
                low = rate;
            }
            let reach = rate * near.reach();
            let other = before.replace((rate, value)).filter(|other| other.0 != rate);
            let steepness = match (other, slope) {
                (Some(other), _) => (value - other.1) / (rate - other.0),
                (None, Some(slope)) => slope,
                (None, None) => (value - excess(rate - reach)) / reach,
            };
            let next = (rate - value / steepness).min(self.most);
            if (next - rate).abs() <= reach {
                let ends = (self.least.max(rate - reach), self.most.min(rate + reach));
                if let Some(found) = settle((rate, value), next, ends, excess) {
                    return Some(found);
                }
            }
            (rate, slope) = (next, None);
        }
        None
    }

    fn excess_near(&self, near: &Near, rate: f64) -> f64 {
        self.excess(&near.at(rate / 1000.0), rate)
    }

    fn pass(&self, rate: f64) -> Occupancy {
        Occupancy::new(self.gaps_ms, rate / 1000.0, self.station.queue_limit)
    }

    /// How far the objectives are from being met: that of the one that is furthest.
    #[inline(always)]
    fn excess(&self, chain: &Occupancy, rate: f64) -> f64 {
        let values = self.values(chain, rate);
        let mut most = excess(values[0], self.limits[0]).max(excess(values[1], self.limits[1]));
        // A division that is not asked for costs as much as one that is.
        if self.objectives.wait.is_some() {
            most = most.max(excess(values[2], self.limits[2]));
        }
        if self.objectives.e2e.is_some() {
            most = most.max(excess(values[3], self.limits[3]));
        }
        if self.station.queue_limit.is_some() {
            most = most.max(excess(values[LOSS], self.limits[LOSS]));
        }
        most
    }

    /// What the chain makes of [`LIMITED`], 0 where nothing is asked.
    #[inline(always)]
    fn values(&self, chain: &Occupancy, rate: f64) -> [f64; LIMITED.len()] {
        let Objectives { itl, ttft, wait, e2e, .. } = self.objectives;
        let means = self.station.means(chain, self.gaps_ms.len() as u32, rate);
        let mut values = [0.0, 0.0, 0.0, 0.0, chain.loss];
        for (i, objective, mean) in [
            (0, itl, means.latency.itl_ms),
            (1, ttft, means.wait_ms + means.latency.first_token_ms),
            (2, wait, means.wait_ms),
            (3, e2e, means.wait_ms + means.service_ms + self.station.network_ms),
        ] {
            values[i] = match objective {
                None => 0.0,
                Some(o) if o.percentile.is_none() => mean,
                Some(o) => {
                    self.station.read(*chain, self.gaps_ms, rate).value(LIMITED[i], o.percentile)
                }
            };
        }
        values
    }

    /// The objective that is furthest from being met.
    fn shortfall(&self, chain: &Occupancy, rate: f64) -> Shortfall {
        let values = self.values(chain, rate);
        let far = |i: &usize| excess(values[*i], self.limits[*i]);
        let worst = (0..LIMITED.len()).max_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0);
        let mut asked = self.objectives.latencies();
        let objective = asked.find(|(metric, _)| *metric == LIMITED[worst]);
        Shortfall {
            metric: LIMITED[worst],
            limit: self.limits[worst],
            best: values[worst],
            percentile: objective.and_then(|(_, o)| o.percentile),
        }
    }
}

/// The root between `ends`, by steps of the secant through the last two points; `None` if it is not
/// there.
fn settle(
    mut from: (f64, f64),
    next: f64,
    ends: (f64, f64),
    excess: impl Fn(f64) -> f64,
) -> Option<Found> {
    let mut to = (next, excess(next));
    for _ in 0..MAX_SECANTS {
        let slope = (to.1 - from.1) / (to.0 - from.0);
        // A little below, as the objective has to be met.
        let rate = (to.0 - to.1 / slope) * (1.0 - TOLERANCE / 4.0);
        if !(ends.0 <= rate && rate <= ends.1) {
            break;
        }
        let value = excess(rate);
        if value <= 0.0 && -value <= slope * rate * TOLERANCE {
            return Some(Found { rate, slope: Some(slope) });
        }
        (from, to) = (to, (rate, value));
    }
    let bracket = Bracket { low: (ends.0, excess(ends.0)), high: (ends.1, excess(ends.1)) };
    (bracket.low.1 <= 0.0 && bracket.high.1 > 0.0)
        .then(|| Found { rate: narrow(bracket, TOLERANCE, excess), slope: None })
}
