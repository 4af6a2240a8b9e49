//! A plan made with a margin: the scenario with its loads and service times up by a factor, and the way back.

use super::replica::profile_of;
use crate::candidates::{Reading, SizingOptions, demand_per_s, station};
use crate::plan::Plan;
use crate::queue::Factors;
use crate::scenario::Scenario;

/// Factors on loads and service times that a plan is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// On every arrival rate, and on the tokens per second that are asked of a server in its place.
    pub load: f64,
    /// On every parameter of the service times.
    pub service: f64,
}

impl Default for Margin {
    fn default() -> Self {
        Self { load: 1.0, service: 1.0 }
    }
}

impl Margin {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.load == 1.0 && self.service == 1.0
    }

    /// The scenario to plan: `scenario` with its loads and service times up by the margin.
    pub fn apply(&self, scenario: &Scenario, reading: Reading) -> Scenario {
        let mut up = scenario.clone();
        for server in &mut up.servers {
            server.scale_load(self.load);
        }
        let targets = up.classes.iter_mut().flat_map(|class| class.targets.iter_mut().flatten());
        for target in targets.filter(|_| reading == Reading::Reference) {
            target.tokens_per_s.iter_mut().for_each(|rate| rate.per_s *= self.load);
        }
        for profile in &mut up.profiles {
            profile.service = profile.service.scaled(&Factors::of_times(self.service));
        }
        up
    }

    /// A plan of [`Margin::apply`]'s scenario as it runs under the loads and service times of
    /// `scenario` itself: the same replicas, each with its share of the stated load.
    pub fn relax(&self, scenario: &Scenario, sizing: &SizingOptions, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        for (server, placement) in scenario.servers.iter().zip(&mut plan.placements) {
            // A floor of tokens is no forecast: the margin is not on it.
            let stated_per_s = demand_per_s(scenario, server, sizing.reading);
            let share = if placement.demand_per_s > 0.0 {
                stated_per_s / placement.demand_per_s
            } else {
                1.0
            };
            placement.demand_per_s *= share;
            for part in &mut placement.parts {
                part.rate_per_s *= share;
                part.headroom = None;
                let profile = profile_of(scenario, server.model, part);
                part.predicted = profile.filter(|_| part.rate_per_s > 0.0).and_then(|profile| {
                    station(server, profile, sizing).analyze(part.batch, part.rate_per_s).ok()
                });
                let accelerator = &scenario.accelerators[part.accelerator];
                let units = part.cards as f64 / f64::from(accelerator.multiplicity);
                let utilisation = part.predicted.as_ref().map_or(0.0, |a| a.utilisation);
                part.watts = units * accelerator.power.watts(utilisation);
            }
        }
        plan
    }
}
