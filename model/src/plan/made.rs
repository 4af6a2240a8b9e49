//! How a plan is made of a choice: each server's load spread over its replicas, what they will see, what they take of cards,
//! nodes and budgets.

use super::{BudgetUse, Choice, Part, Placement, Plan, Usage};
use crate::candidates::{Candidates, SizingOptions, station};
use crate::nodes::Filled;
use crate::scenario::{Budget, CardType, Scenario, Unit};

impl Plan {
    /// Spreads each server's load over the replicas chosen for it, in proportion to their rates,
    /// and predicts what each of them will see. `unlimited` drops the card counts.
    pub fn new(
        scenario: &Scenario,
        candidates: &Candidates,
        sizing: &SizingOptions,
        unlimited: bool,
        choice: Choice,
    ) -> Self {
        let mut placements: Vec<Placement> = (0..scenario.servers.len())
            .map(|s| {
                let shares = choice.shares.get(s).map_or(&[][..], Vec::as_slice);
                place(scenario, candidates, sizing, s, shares)
            })
            .collect();
        bear(scenario, &choice.nodes, &mut placements);
        let usage = usage(scenario, &placements, unlimited);
        let budgets = budgets(scenario, &placements, unlimited);
        // A sum of nothing, or the value of a change of nothing, may be -0.
        let total_cost = placements.iter().map(Placement::cost).sum::<f64>() + 0.0;
        Self {
            status: choice.status,
            placements,
            nodes: choice.nodes,
            usage,
            is_unlimited: unlimited,
            budgets,
            total_cost,
            objective: choice.objective + 0.0,
            bound: choice.bound + 0.0,
            approach: choice.approach,
            backend: choice.backend,
            notes: choice.notes,
            cost_range: None,
            sharing: None,
        }
    }
}

fn place(
    scenario: &Scenario,
    candidates: &Candidates,
    sizing: &SizingOptions,
    s: usize,
    shares: &[(usize, u64)],
) -> Placement {
    let server = &scenario.servers[s];
    let demand_per_s = candidates.demands[s].rate_per_s;
    let options = candidates.options(s);
    let shares = || shares.iter().filter(|&&(_, replicas)| replicas > 0);
    // A sum of nothing would be -0.
    let credited = shares().fold(0.0, |sum, &(o, n)| sum + options[o].rate_per_s * n as f64);
    let served_share = if demand_per_s > 0.0 { (credited / demand_per_s).min(1.0) } else { 1.0 };
    let parts = shares().map(|&(o, replicas)| {
        let option = &options[o];
        let load = demand_per_s * served_share;
        let rate_per_s = if load > 0.0 { load * option.rate_per_s / credited } else { 0.0 };
        let profile = scenario
            .profiles
            .iter()
            .find(|p| p.model == server.model && p.accelerator == option.accelerator);
        let predicted = profile.filter(|_| rate_per_s > 0.0).and_then(|profile| {
            station(server, profile, sizing).analyze(option.batch, rate_per_s).ok()
        });
        let units = profile.map_or(1.0, |p| f64::from(p.units_per_replica)) * replicas as f64;
        let utilisation = predicted.as_ref().map_or(0.0, |a| a.utilisation);
        Part {
            accelerator: option.accelerator,
            batch: option.batch,
            replicas,
            cards: option.cards * replicas,
            cost: option.cost_cents_per_h * replicas as f64,
            credited_rate_per_s: option.rate_per_s,
            rate_per_s,
            predicted,
            watts: units * scenario.accelerators[option.accelerator].power.watts(utilisation),
            headroom: None,
        }
    });
    Placement { parts: parts.collect(), demand_per_s, served_share }
}

/// Shares the prices of nodes out among the replicas that they hold.
fn bear(scenario: &Scenario, nodes: &[Filled], placements: &mut [Placement]) {
    for filled in nodes {
        for held in &filled.holds {
            let share = filled.share(scenario, held) * (held.replicas * filled.times) as f64;
            let parts = placements.get_mut(held.server).map(|placement| &mut placement.parts);
            let part = parts.and_then(|parts| {
                parts.iter_mut().find(|part| part.accelerator == held.accelerator)
            });
            if let Some(part) = part {
                part.cost += share;
            }
        }
    }
}

fn usage(scenario: &Scenario, placements: &[Placement], unlimited: bool) -> Vec<Usage> {
    let empty = |card: &CardType| Usage {
        cards: 0,
        available: if unlimited { None } else { card.available() },
        cost: 0.0,
    };
    let mut usage: Vec<Usage> = scenario.card_types.iter().map(empty).collect();
    for part in placements.iter().flat_map(|p| &p.parts) {
        let entry = &mut usage[scenario.accelerators[part.accelerator].card_type];
        entry.cards += part.cards;
        entry.cost += part.cost;
    }
    usage
}

fn budgets(scenario: &Scenario, placements: &[Placement], unlimited: bool) -> Vec<BudgetUse> {
    let mut uses = Vec::new();
    for (index, budget) in scenario.budgets.iter().enumerate() {
        for (unit, limit) in budget.limits(unlimited) {
            let parts = placements.iter().flat_map(|placement| &placement.parts);
            let used = parts.map(|part| taken(scenario, budget, unit, part)).sum::<f64>() + 0.0;
            uses.push(BudgetUse { budget: index, unit, used, limit });
        }
    }
    uses
}

/// What a part takes of a budget.
fn taken(scenario: &Scenario, budget: &Budget, unit: Unit, part: &Part) -> f64 {
    let accelerator = &scenario.accelerators[part.accelerator];
    if !budget.counts(accelerator.card_type) {
        return 0.0;
    }
    let watts = part.cards as f64 / f64::from(accelerator.multiplicity) * accelerator.power.full_w;
    match unit {
        Unit::Cards => part.cards as f64,
        Unit::Watts => watts,
        Unit::Cents => part.cost,
        Unit::Grams => accelerator.grams_per_h(watts),
    }
}
