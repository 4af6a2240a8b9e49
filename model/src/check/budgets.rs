//! Budgets of cards and watts that several types share.

use super::{CheckOptions, Found, ROUNDING, Rule};
use crate::plan::Plan;
use crate::scenario::{Budget, Scenario};

pub(super) fn check(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    for budget in scenario.budgets.iter().filter(|_| !options.unlimited) {
        let (cards, watts) = used(scenario, budget, plan);
        found.unless(budget.cards.is_none_or(|m| cards <= m), Rule::Budget, &budget.name, || {
            format!("{cards} cards are in use")
        });
        let within = budget.watts.is_none_or(|m| watts <= m * (1.0 + ROUNDING));
        found.unless(within, Rule::Budget, &budget.name, || {
            format!("{watts} W are drawn at full load")
        });
    }
}

/// Cards and watts that count for a budget.
pub(super) fn used(scenario: &Scenario, budget: &Budget, plan: &Plan) -> (u64, f64) {
    let (mut cards, mut watts) = (0, 0.0);
    for part in plan.placements.iter().flat_map(|p| &p.parts) {
        let Some(unit) = scenario.accelerators.get(part.accelerator) else { continue };
        if counts(budget, unit.card_type) {
            cards += part.cards;
            watts += part.cards as f64 / f64::from(unit.multiplicity) * unit.power.full_w;
        }
    }
    (cards, watts)
}

/// Whether cards of a type count for a budget.
pub(super) fn counts(budget: &Budget, card_type: usize) -> bool {
    budget.card_types.is_empty() || budget.card_types.contains(&card_type)
}
