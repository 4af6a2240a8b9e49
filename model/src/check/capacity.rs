//! Cards in use by type, counted anew, against what exists and what the plan says.

use super::{CheckOptions, Found, Rule};
use crate::plan::Plan;
use crate::scenario::Scenario;

pub(super) fn check(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    for (t, (card, used)) in scenario.card_types.iter().zip(used(scenario, plan)).enumerate() {
        let counted = plan.usage.get(t).is_some_and(|u| u.cards == used);
        found.unless(counted, Rule::Cards, &card.name, || format!("{used} cards are in use"));
        let there = card.count.map(|c| c.saturating_sub(card.spare));
        let within = options.unlimited || there.is_none_or(|most| used <= most);
        found.unless(within, Rule::Capacity, &card.name, || {
            format!("{used} cards are in use, {} exist", there.unwrap_or(0))
        });
    }
}

/// Cards in use of each type.
pub(super) fn used(scenario: &Scenario, plan: &Plan) -> Vec<u64> {
    let mut cards = vec![0_u64; scenario.card_types.len()];
    for part in plan.placements.iter().flat_map(|p| &p.parts) {
        if let Some(accelerator) = scenario.accelerators.get(part.accelerator) {
            cards[accelerator.card_type] += part.cards;
        }
    }
    cards
}
