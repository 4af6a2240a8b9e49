//! Budgets that several types share: cards, watts, money and carbon.

use super::{CheckOptions, Found, ROUNDING, Rule};
use crate::plan::Plan;
use crate::scenario::{Budget, Scenario, Unit};

pub(super) fn check(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    for budget in &scenario.budgets {
        let used = used(scenario, budget, plan);
        for (unit, most) in budget.limits(options.unlimited) {
            let amount = used.of(unit);
            found.unless(amount <= most * (1.0 + ROUNDING), Rule::Budget, &budget.name, || {
                match unit {
                    Unit::Cards => format!("{amount} cards are in use"),
                    Unit::Watts => format!("{amount} W are drawn at full load"),
                    Unit::Cents => format!("{amount} cents/h are spent"),
                    Unit::Grams => format!("{amount} g CO2/h come of full load"),
                }
            });
        }
    }
}

/// What is taken of a budget's limits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    pub cards: u64,
    pub watts: f64,
    pub cents_per_h: f64,
    pub grams_per_h: f64,
}

impl Used {
    pub fn of(&self, unit: Unit) -> f64 {
        match unit {
            Unit::Cards => self.cards as f64,
            Unit::Watts => self.watts,
            Unit::Cents => self.cents_per_h,
            Unit::Grams => self.grams_per_h,
        }
    }

    /// Adds cards of an accelerator that cost so much.
    pub fn add(&mut self, scenario: &Scenario, accelerator: usize, cards: u64, cents_per_h: f64) {
        let Some(unit) = scenario.accelerators.get(accelerator) else { return };
        let watts = cards as f64 / f64::from(unit.multiplicity) * unit.power.full_w;
        self.cards += cards;
        self.watts += watts;
        self.cents_per_h += cents_per_h;
        self.grams_per_h += watts * unit.grams_per_kwh.unwrap_or(0.0) / 1000.0;
    }
}

/// What a plan takes of a budget.
pub(super) fn used(scenario: &Scenario, budget: &Budget, plan: &Plan) -> Used {
    let mut used = Used::default();
    for part in plan.placements.iter().flat_map(|p| &p.parts) {
        let Some(unit) = scenario.accelerators.get(part.accelerator) else { continue };
        if counts(budget, unit.card_type) {
            used.add(scenario, part.accelerator, part.cards, part.cost);
        }
    }
    used
}

/// Whether cards of a type count for a budget.
pub(super) fn counts(budget: &Budget, card_type: usize) -> bool {
    budget.card_types.is_empty() || budget.card_types.contains(&card_type)
}
