//! Objectives, and what is said where one cannot be met.

use std::fmt;

/// A latency objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// Limit, ms.
    pub limit_ms: f64,
    /// Percentile that the limit holds for, in (0, 100); `None` is the mean.
    pub percentile: Option<f64>,
}

impl Objective {
    /// An objective on the mean.
    pub fn mean(limit_ms: f64) -> Self {
        Self { limit_ms, percentile: None }
    }

    /// An objective on a percentile, in (0, 100).
    pub fn percentile(limit_ms: f64, percentile: f64) -> Self {
        Self { limit_ms, percentile: Some(percentile) }
    }
}

/// What one replica has to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objectives {
    /// Inter-token latency.
    pub itl: Option<Objective>,
    /// Time to first token.
    pub ttft: Option<Objective>,
    /// Tokens per second that the server as a whole has to produce; a replica then keeps a tenth
    /// of its rate in reserve.
    pub tokens_per_s: Option<f64>,
    /// Largest share of requests that a finite queue may turn away, in [0, 1]; 1 lifts the limit.
    pub max_loss: f64,
}

impl Objectives {
    /// No objective at all.
    pub fn none() -> Self {
        Self { itl: None, ttft: None, tokens_per_s: None, max_loss: 1.0 }
    }
}

/// An objective met to this share is met: a latency that does not depend on the rate may equal it.
const ROUNDING: f64 = 1e-12;

/// A quantity that an objective limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Inter-token latency, ms.
    Itl,
    /// Time to first token, ms.
    Ttft,
    /// Share of requests turned away.
    Loss,
    /// The service model itself gives no finite service rate.
    Rate,
}

/// An objective that is not met even at the lowest rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortfall {
    /// Which quantity.
    pub metric: Metric,
    /// Its limit, ms or share.
    pub limit: f64,
    /// Best value that the replica reaches, ms or share.
    pub best: f64,
    /// Percentile that the objective names.
    pub percentile: Option<f64>,
}

impl Shortfall {
    /// How far off it is: best over limit.
    pub fn excess(&self) -> f64 {
        self.best / self.limit
    }
}

/// How far a value is above its limit: `(value - limit) / (value + limit)`, at most 0 if it is met.
/// It lies in [-1, 1], bounded where the wait is not, and rises with the value.
#[inline]
pub(super) fn excess(value: f64, limit: f64) -> f64 {
    let excess = (value - limit) / (value + limit);
    match value <= limit * (1.0 + ROUNDING) {
        true => excess.min(0.0),
        false if value.is_finite() => excess,
        false => 1.0,
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.percentile {
            Some(percentile) => format!("P{percentile} "),
            None => String::new(),
        };
        let (limit, best) = (self.limit, self.best);
        match self.metric {
            Metric::Itl => write!(f, "{which}ITL is at best {best:.1} ms, objective {limit} ms"),
            Metric::Ttft => write!(f, "{which}TTFT is at best {best:.1} ms, objective {limit} ms"),
            Metric::Loss => {
                write!(f, "at least {best:.2e} of the requests are lost, limit {limit}")
            }
            Metric::Rate => write!(f, "its service times give no finite rate"),
        }
    }
}
