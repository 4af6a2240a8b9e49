//! Cards and costs of each part are those of its replicas, and the total is their sum.

use super::site::Site;
use super::{Found, ROUNDING, Rule, close};
use crate::plan::Plan;

/// `borne` gives what the replicas on an accelerator bear of the prices of nodes.
pub(super) fn check(site: &Site<'_>, borne: impl Fn(usize) -> Option<f64>, found: &mut Found) {
    for part in &site.placement.parts {
        let Some(profile) = site.profile(part) else { continue };
        let accelerator = &site.scenario.accelerators[part.accelerator];
        let units = u64::from(profile.units_per_replica) * part.replicas;
        let cards = units * u64::from(accelerator.multiplicity);
        found.unless(cards == part.cards, Rule::Cards, site.name(), || {
            format!("{} cards are planned for, {cards} are taken", part.cards)
        });
        let by_node = site.scenario.nodes.iter().any(|node| {
            node.price_cents_per_h.is_some()
                && node.cards.iter().any(|cards| cards.0 == accelerator.card_type)
        });
        let by_card = if by_node { 0.0 } else { units as f64 * accelerator.cost_cents_per_h };
        let rent = by_card + borne(part.accelerator).unwrap_or(0.0);
        // Energy and its carbon dioxide are added at the sized rate, between an idle and a full unit.
        let cents_per_kwh = site.sizing.energy_cents_per_kwh + accelerator.carbon_cents_per_kwh;
        let price = cents_per_kwh / 1000.0 * units as f64;
        let power = &accelerator.power;
        let watts = [power.idle_w, power.mid_w, power.full_w];
        let most = rent + price * watts.iter().copied().fold(0.0, f64::max);
        let rounding = ROUNDING * most.max(1.0);
        let right = part.cost >= rent - rounding && part.cost <= most + rounding;
        found.unless(right, Rule::Cost, site.name(), || {
            format!("{} cents/h are planned for, the rent is {rent}", part.cost)
        });
    }
}

pub(super) fn total(plan: &Plan, found: &mut Found) {
    let total: f64 = plan.placements.iter().flat_map(|p| &p.parts).map(|p| p.cost).sum();
    found.unless(close(total, plan.total_cost), Rule::Cost, "plan", || {
        format!("the total is {}, the parts sum to {total}", plan.total_cost)
    });
}
