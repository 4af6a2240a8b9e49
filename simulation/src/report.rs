//! What a simulation says: estimates with confidence intervals, read off its sections.

use isocost_model::queue::{ItlOver, Objective, Objectives};

use crate::estimate::Estimate;
use crate::histogram::Histogram;
use crate::section::Section;

/// A latency that is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// From arrival to the start of service.
    Wait,
    /// From arrival to the first token.
    Ttft,
    /// Between two tokens of a request, one value a token.
    Itl,
    /// Between the tokens of a request on average (TPOT), one value a request.
    Tpot,
    /// From arrival to the last token.
    Response,
}

impl Latency {
    /// What an objective of ITL limits: a mean, or a percentile over gaps, is that of gaps; a percentile
    /// over requests that of their means.
    pub fn of_itl(objectives: &Objectives) -> Self {
        let percentile = objectives.itl.and_then(|itl| itl.percentile);
        match (percentile, objectives.itl_over) {
            (Some(_), ItlOver::Requests) => Self::Tpot,
            _ => Self::Itl,
        }
    }
}

/// A simulation's sections, pooled and one by one.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pooled: Section,
    sections: Vec<Section>,
}

impl Report {
    pub(crate) fn new(sections: Vec<Section>) -> Self {
        let mut pooled = Section::default();
        sections.iter().for_each(|s| pooled.merge(s));
        Self { pooled, sections }
    }

    /// All observations together.
    pub fn pooled(&self) -> &Section {
        &self.pooled
    }

    /// The sections: replications, or batches of a trace.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Mean of a latency, ms; `None` where nothing was observed (an ITL of answers of one token).
    pub fn mean_ms(&self, latency: Latency) -> Option<Estimate> {
        self.estimate(|s| sample(s, latency).mean())
    }

    /// Percentile of a latency, ms.
    pub fn percentile_ms(&self, latency: Latency, percent: f64) -> Option<Estimate> {
        self.estimate(|s| sample(s, latency).percentile(percent))
    }

    /// The mean, or a percentile where one is named, ms.
    pub fn latency_ms(&self, latency: Latency, percentile: Option<f64>) -> Option<Estimate> {
        match percentile {
            None => self.mean_ms(latency),
            Some(percent) => self.percentile_ms(latency, percent),
        }
    }

    /// How much of what an objective allows is used, which keeps it up to 1: the mean over its
    /// limit, or the share of the values beyond the limit over that which the percentile allows. A
    /// percentile may jump where the share moves by little, as where a pass holds one prompt more:
    /// the share's interval knows of it, the percentile's own need not.
    pub fn used(&self, latency: Latency, objective: Objective) -> Option<Estimate> {
        let Objective { limit_ms, percentile } = objective;
        let Some(percent) = percentile else {
            return self.estimate(|s| Some(sample(s, latency).mean()? / limit_ms));
        };
        let allowed = 1.0 - percent / 100.0;
        self.estimate(|s| {
            let values = sample(s, latency);
            let beyond = values.count() - values.at_most(limit_ms);
            (values.count() > 0).then(|| beyond as f64 / values.count() as f64 / allowed)
        })
    }

    /// Share of arrivals turned away.
    pub fn loss(&self) -> Option<Estimate> {
        self.estimate(|s| (s.arrived > 0).then(|| s.lost as f64 / s.arrived as f64))
    }

    /// Requests/s that were not turned away, while those counted arrived.
    pub fn throughput_per_s(&self) -> Option<Estimate> {
        let taken = |s: &Section| 1000.0 * (s.arrived - s.lost) as f64 / s.time_ms;
        self.estimate(|s| (s.time_ms > 0.0).then(|| taken(s)))
    }

    /// Mean number of requests in service.
    pub fn in_service(&self) -> Option<Estimate> {
        self.estimate(|s| (s.time_ms > 0.0).then(|| s.in_service_ms / s.time_ms))
    }

    /// Mean number of requests in service and waiting.
    pub fn in_system(&self) -> Option<Estimate> {
        self.estimate(|s| (s.time_ms > 0.0).then(|| s.in_system_ms / s.time_ms))
    }

    /// Whether the queue keeps within bounds: one that grows with the length of the run has no
    /// steady state to estimate.
    pub fn is_steady(&self) -> bool {
        !self.pooled.drift.is_growth()
    }

    fn estimate(&self, of: impl Fn(&Section) -> Option<f64>) -> Option<Estimate> {
        let each: Vec<f64> = self.sections.iter().filter_map(&of).collect();
        Some(Estimate::new(of(&self.pooled)?, &each))
    }
}

fn sample(section: &Section, latency: Latency) -> &Histogram {
    match latency {
        Latency::Wait => &section.wait_ms,
        Latency::Ttft => &section.ttft_ms,
        Latency::Itl => &section.itl_ms,
        Latency::Tpot => &section.tpot_ms,
        Latency::Response => &section.response_ms,
    }
}
