//! Objectives, and what is said where one cannot be met.

use std::fmt;

/// Share of a percentile by which it may be larger at a smaller rate.
const UNEVEN: f64 = 1e-3;

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

/// What a percentile of ITL is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ItlOver {
    /// Requests, each by the mean of its own gaps (TPOT): what most benchmarks report.
    #[default]
    Requests,
    /// Gaps between tokens, so that a long answer counts for more than a short one.
    Gaps,
}

/// A rate of tokens that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenRate {
    /// Tokens per second.
    pub per_s: f64,
    /// Percentile of ITL that it is held against, in (0, 100); `None` is the mean.
    pub percentile: Option<f64>,
}

/// What one replica has to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objectives {
    /// Inter-token latency.
    pub itl: Option<Objective>,
    /// What a percentile of it is over; the reference's reading knows gaps alone.
    pub itl_over: ItlOver,
    /// Time to first token.
    pub ttft: Option<Objective>,
    /// Wait before service.
    pub wait: Option<Objective>,
    /// From the arrival of a request to its last token.
    pub e2e: Option<Objective>,
    /// Tokens per second that the server as a whole has to produce; a replica then keeps a tenth
    /// of its rate in reserve. [`Objectives::per_request`] reads it as a floor of each request.
    pub tokens_per_s: Option<TokenRate>,
    /// Largest share of requests that a finite queue may turn away, in [0, 1]; 1 lifts the limit.
    pub max_loss: f64,
}

impl Objectives {
    /// No objective at all.
    pub fn none() -> Self {
        Self {
            itl: None,
            itl_over: ItlOver::Requests,
            ttft: None,
            wait: None,
            e2e: None,
            tokens_per_s: None,
            max_loss: 1.0,
        }
    }

    /// What a rate has to keep so that smaller ones keep these too: percentiles are read off mixtures of a few points,
    /// and may be a little larger where the rate is less.
    pub fn at_any_lower_rate(self) -> Self {
        let within = |objective: Option<Objective>| {
            objective.map(|o| match o.percentile {
                Some(_) => Objective { limit_ms: o.limit_ms * (1.0 - UNEVEN), ..o },
                None => o,
            })
        };
        let Self { itl, ttft, wait, e2e, .. } = self;
        let [itl, ttft, wait, e2e] = [itl, ttft, wait, e2e].map(within);
        Self { itl, ttft, wait, e2e, ..self }
    }

    /// The same with tokens per second as a floor of what each request gets while it decodes, which
    /// is a limit of ITL: the tighter of the two limits holds.
    pub fn per_request(self) -> Self {
        let Some(rate) = self.tokens_per_s else { return self };
        let floor = Objective { limit_ms: 1000.0 / rate.per_s, percentile: rate.percentile };
        let itl = self.itl.filter(|itl| itl.limit_ms <= floor.limit_ms).unwrap_or(floor);
        Self { itl: Some(itl), tokens_per_s: None, ..self }
    }

    /// The latencies that are limited.
    pub fn latencies(&self) -> impl Iterator<Item = (Metric, Objective)> + use<> {
        let all = [
            (Metric::Itl, self.itl),
            (Metric::Ttft, self.ttft),
            (Metric::Wait, self.wait),
            (Metric::E2e, self.e2e),
        ];
        all.into_iter().filter_map(|(metric, objective)| Some((metric, objective?)))
    }

    /// The same with each limit of a latency times its factor; infinite ones are dropped.
    pub fn relaxed(self, factor: impl Fn(Metric) -> f64) -> Self {
        let limit = |metric, objective: Option<Objective>| {
            let (objective, factor) = (objective?, factor(metric));
            let limit_ms = objective.limit_ms * factor;
            factor.is_finite().then_some(Objective { limit_ms, ..objective })
        };
        Self {
            itl: limit(Metric::Itl, self.itl),
            ttft: limit(Metric::Ttft, self.ttft),
            wait: limit(Metric::Wait, self.wait),
            e2e: limit(Metric::E2e, self.e2e),
            ..self
        }
    }
}

/// An objective met to this share is met: a latency that does not depend on the rate may equal it.
const ROUNDING: f64 = 1e-12;

/// A quantity that an objective limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// Inter-token latency, ms.
    Itl,
    /// Time to first token, ms.
    Ttft,
    /// Wait before service, ms.
    Wait,
    /// From the arrival of a request to its last token, ms.
    E2e,
    /// Share of requests turned away.
    Loss,
    /// A request takes no time, or for ever, so that there is no service rate.
    Rate,
}

impl Metric {
    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Itl => "ITL",
            Self::Ttft => "TTFT",
            Self::Wait => "wait",
            Self::E2e => "E2E",
            Self::Loss => "loss",
            Self::Rate => "rate",
        }
    }
}

/// An objective that is not met even at the lowest rate.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
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
        if self.metric == Metric::Rate { f64::INFINITY } else { self.best / self.limit }
    }
}

/// How far a value is above its limit: `(value - limit) / (value + limit)`, at most 0 if it is met.
/// It lies in [-1, 1], bounded where the wait is not, and rises with the value.
#[inline]
pub(crate) fn excess(value: f64, limit: f64) -> f64 {
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
            Metric::Itl | Metric::Ttft | Metric::Wait | Metric::E2e => {
                let word = self.metric.word();
                write!(f, "{which}{word} is at best {best:.1} ms, objective {limit} ms")
            }
            Metric::Loss => {
                write!(f, "at least {best:.2e} of the requests are lost, limit {limit}")
            }
            Metric::Rate if !best.is_finite() => {
                write!(f, "a request takes for ever by its service times: give smaller parameters")
            }
            Metric::Rate => write!(
                f,
                "a request of so many tokens takes no time by its service times: give them a prefill \
                 (gamma of prefillParms), or the load its prompts (avgInTokens) or longer answers \
                 (avgOutTokens)"
            ),
        }
    }
}
