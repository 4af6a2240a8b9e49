//! A scenario that is sized, ready to be planned.

use std::time::Instant;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions, Sizings};
use isocost_model::export::{Export, Timing};
use isocost_model::plan::Plan;
use isocost_model::stress::Margin;

use crate::sharing::Shared;

/// A scenario with its candidates.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The scenario as it is stated.
    pub scenario: Scenario,
    /// Factors on its loads and service times that are planned for.
    pub margin: Margin,
    /// The scenario with the margin, where there is one.
    up: Option<Scenario>,
    /// The candidates that are planned with.
    pub candidates: Candidates,
    /// Seconds that sizing took.
    pub sizing_s: f64,
    /// What was decided of who shares replicas, where servers may.
    pub shared: Option<Shared>,
}

impl Fleet {
    pub(crate) fn new(
        scenario: Scenario,
        margin: Margin,
        sizing: &SizingOptions,
        known: &Sizings,
    ) -> Self {
        let start = Instant::now();
        let up = (!margin.is_none()).then(|| margin.apply(&scenario, sizing.reading));
        let candidates = Candidates::build_with(up.as_ref().unwrap_or(&scenario), sizing, known);
        let sizing_s = start.elapsed().as_secs_f64();
        Self { scenario, margin, up, candidates, sizing_s, shared: None }
    }

    /// The scenario that is planned: the stated one, with the margin where there is one.
    pub fn planned_for(&self) -> &Scenario {
        self.up.as_ref().unwrap_or(&self.scenario)
    }

    /// What exports take of a plan that took `solving_s` seconds.
    pub fn export<'a>(&'a self, plan: &'a Plan, solving_s: f64) -> Export<'a> {
        let timing = Timing { sizing_s: self.sizing_s, solving_s };
        Export { scenario: &self.scenario, candidates: &self.candidates, plan, timing }
    }
}
