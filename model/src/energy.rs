//! Energy: what planned replicas draw, by the day and by the token.
//!
//! A part draws the watts of its accelerators' power curves at the planned utilisation (mean
//! requests in service over the batch size), idle replicas their idle watts.

use std::iter::Sum;

use crate::plan::{Part, Placement, Plan};
use crate::scenario::{Scenario, Server};

/// Watts drawn, and the output tokens that come of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Energy {
    /// Watts drawn.
    pub watts: f64,
    /// Output tokens per second.
    pub output_tokens_per_s: f64,
}

impl Energy {
    /// Of the replicas of one part of `server`.
    pub fn of_part(server: &Server, part: &Part) -> Self {
        let served = part.predicted.map_or(1.0, |a| 1.0 - a.loss_probability);
        let requests_per_s = part.rate_per_s * part.replicas as f64 * served;
        Self { watts: part.watts, output_tokens_per_s: requests_per_s * server.load.output_tokens }
    }

    /// Of all replicas of `server`.
    pub fn of_placement(server: &Server, placement: &Placement) -> Self {
        placement.parts.iter().map(|part| Self::of_part(server, part)).sum()
    }

    /// Of a whole plan.
    pub fn of_plan(scenario: &Scenario, plan: &Plan) -> Self {
        let placements = scenario.servers.iter().zip(&plan.placements);
        placements.map(|(server, placement)| Self::of_placement(server, placement)).sum()
    }

    /// Carbon dioxide of what a plan draws, kilograms in a day; `None` where nobody says what the current
    /// brings of an accelerator in use.
    pub fn carbon_kg_per_day(scenario: &Scenario, plan: &Plan) -> Option<f64> {
        let parts = plan.placements.iter().flat_map(|placement| &placement.parts);
        let grams = parts.map(|part| {
            let unit = &scenario.accelerators[part.accelerator];
            unit.grams_per_kwh.map(|_| unit.grams_per_h(part.watts))
        });
        Some(grams.sum::<Option<f64>>()? * 24.0 / 1000.0)
    }

    /// Kilowatt-hours in a day.
    pub fn kwh_per_day(&self) -> f64 {
        self.watts * 24.0 / 1000.0
    }

    /// Watt-hours for a million output tokens; `None` without tokens.
    pub fn wh_per_million_tokens(&self) -> Option<f64> {
        let tokens_per_h = self.output_tokens_per_s * 3600.0;
        (tokens_per_h > 0.0).then(|| self.watts / tokens_per_h * 1e6)
    }
}

impl Sum for Energy {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            watts: a.watts + b.watts,
            output_tokens_per_s: a.output_tokens_per_s + b.output_tokens_per_s,
        })
    }
}
