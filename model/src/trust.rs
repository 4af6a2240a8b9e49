//! How far a plan's service parameters may be trusted, and what that means for its cost.
//!
//! A calibrated profile carries the ends of its confidence region: the service parameters at which
//! the measured latencies would be the shortest and the longest on average. [`at_end`] takes every
//! such profile to one end; planning the result anew says what the fleet would cost if the truth lay
//! there. All profiles move together, which is the worst that can happen and not the likely case.

use std::fmt;

use crate::queue::ServiceModel;
use crate::scenario::{Provenance, Scenario};

/// What a fit says about how far off a calibrated profile may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Mean error of the inter-token latency on the measured points, a share.
    pub itl_error: f64,
    /// Mean error of the time to first token on the measured points, a share.
    pub ttft_error: f64,
    /// Service times at the two ends of the confidence region, where they are given.
    pub region: Option<Region>,
}

/// The ends of a confidence region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Share of such regions that hold the truth.
    pub level: f64,
    /// Where latencies are shortest.
    pub optimistic: ServiceModel,
    /// Where latencies are longest.
    pub pessimistic: ServiceModel,
}

/// An end of the confidence regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Latencies are shortest.
    Optimistic,
    /// Latencies are longest.
    Pessimistic,
}

/// `scenario` with every calibrated profile at an end of its region; `None` where no profile has
/// one.
pub fn at_end(scenario: &Scenario, end: End) -> Option<Scenario> {
    let regions = |s: &Scenario| s.profiles.iter().any(|p| region(p.calibration).is_some());
    if !regions(scenario) {
        return None;
    }
    let mut scenario = scenario.clone();
    for profile in &mut scenario.profiles {
        if let Some(region) = region(profile.calibration) {
            profile.service = match end {
                End::Optimistic => region.optimistic,
                End::Pessimistic => region.pessimistic,
            };
        }
    }
    Some(scenario)
}

fn region(calibration: Option<Calibration>) -> Option<Region> {
    calibration.and_then(|c| c.region)
}

/// What a plan costs at the ends of the calibration's region, cents per hour; `None` where no plan
/// was found there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostRange {
    /// Least level of confidence of the regions, a share.
    pub level: f64,
    /// Where latencies are shortest.
    pub optimistic: Option<f64>,
    /// Where latencies are longest.
    pub pessimistic: Option<f64>,
}

impl CostRange {
    /// `41,280 to 44,720 over the calibration's 95% region`, with costs as `number` has them.
    pub fn words(&self, number: impl Fn(f64) -> String) -> String {
        let [low, high] = [self.optimistic, self.pessimistic]
            .map(|cost| cost.map_or("no plan".to_owned(), &number));
        let level = self.level * 100.0;
        format!("{low} to {high} over the calibration's {level:.0}% region")
    }
}

/// Where the service parameters of a scenario come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trust {
    /// Service profiles in all.
    pub profiles: usize,
    /// Those derived from data sheets.
    pub estimated: usize,
    /// Those fitted to measurements.
    pub calibrated: usize,
    /// Largest mean error of a profile that states one, a share: (ITL, TTFT).
    pub errors: Option<(f64, f64)>,
    /// Least level of confidence of the regions, where there are any.
    pub level: Option<f64>,
}

impl Trust {
    /// Counts the profiles of `scenario`.
    pub fn of(scenario: &Scenario) -> Self {
        let count = |of| scenario.profiles.iter().filter(|p| p.provenance == of).count();
        let calibrations = || scenario.profiles.iter().filter_map(|p| p.calibration);
        let errors = calibrations().map(|c| (c.itl_error, c.ttft_error));
        let levels = calibrations().filter_map(|c| c.region).map(|r| r.level);
        Self {
            profiles: scenario.profiles.len(),
            estimated: count(Provenance::Estimated),
            calibrated: count(Provenance::Calibrated),
            errors: errors.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1))),
            level: levels.reduce(f64::min),
        }
    }

    /// Whether the scenario says anything about where its service parameters come from.
    pub fn is_stated(&self) -> bool {
        self.estimated + self.calibrated > 0
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.profiles;
        if self.estimated > 0 {
            let estimated = self.estimated;
            write!(
                f,
                "estimated: {estimated} of {all} service profiles come from data sheets, not from \
                 measurements"
            )?;
            if let Some((itl, ttft)) = self.errors.filter(|_| self.calibrated == 0) {
                let (itl, ttft) = (itl * 100.0, ttft * 100.0);
                write!(
                    f,
                    "; such estimates are off by {itl:.0}% of ITL and {ttft:.0}% of TTFT on average"
                )?;
            }
        }
        if self.calibrated > 0 {
            let apart = if self.estimated > 0 { "; " } else { "" };
            write!(f, "{apart}calibrated: {} of {all} service profiles", self.calibrated)?;
            if let Some((itl, ttft)) = self.errors {
                let (itl, ttft) = (itl * 100.0, ttft * 100.0);
                write!(f, ", mean error at most {itl:.1}% of ITL and {ttft:.1}% of TTFT")?;
            }
        }
        Ok(())
    }
}
