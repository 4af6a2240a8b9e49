//! What a simulation says: estimates with confidence intervals, read off its sections.

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
    /// Between two tokens of a request.
    Itl,
    /// From arrival to the last token.
    Response,
}

/// Largest growth of the queue, as a share of the arrivals, that counts as steady.
const STEADY: f64 = 0.02;

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

    /// Share of arrivals turned away.
    pub fn loss(&self) -> Option<Estimate> {
        self.estimate(|s| (s.arrived > 0).then(|| s.lost as f64 / s.arrived as f64))
    }

    /// Mean number of requests in service.
    pub fn in_service(&self) -> Option<Estimate> {
        self.estimate(|s| (s.time_ms > 0.0).then(|| s.in_service_ms / s.time_ms))
    }

    /// Mean number of requests in service and waiting.
    pub fn in_system(&self) -> Option<Estimate> {
        self.estimate(|s| (s.time_ms > 0.0).then(|| s.in_system_ms / s.time_ms))
    }

    /// Whether the queue kept within bounds: one that grows with the length of the run has no
    /// steady state to estimate.
    pub fn is_steady(&self) -> bool {
        let growth = self.estimate(|s| (s.arrived > 0).then(|| s.growth as f64 / s.arrived as f64));
        growth.is_none_or(|g| g.value - g.half_width <= STEADY)
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
        Latency::Response => &section.response_ms,
    }
}
