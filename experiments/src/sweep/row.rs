//! The row of a point: what a plan comes to, as cells of a table.

use isocost_model::Scenario;
use isocost_model::plan::{Plan, Status};

/// Names of the cells that follow the axes; then `cards_TYPE` for each card type.
pub const RESULTS: [&str; 8] = [
    "status",
    "cost_cents_per_h",
    "objective_cents_per_h",
    "bound_cents_per_h",
    "gap",
    "served_share",
    "replicas",
    "formulation",
];

/// Names of the timings of a point.
pub const TIMINGS: [&str; 3] = ["sizing_s", "solving_s", "total_s"];

/// Names of all cells after the axes.
pub fn columns(scenario: &Scenario) -> impl Iterator<Item = String> {
    let cards = scenario.card_types.iter().map(|card| format!("cards_{}", card.name));
    RESULTS.iter().map(|name| (*name).to_owned()).chain(cards)
}

/// The cells of a plan, in the order of [`columns`].
pub fn cells(plan: &Plan) -> Vec<String> {
    let finite = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
    let planned = |text: String| if plan.has_plan() { text } else { String::new() };
    let replicas: u64 = plan.placements.iter().map(|p| p.replicas()).sum();
    let bound = if plan.status == Status::Infeasible { f64::INFINITY } else { plan.bound };
    let mut cells = vec![
        plan.status.word().to_owned(),
        planned(finite(plan.total_cost)),
        planned(finite(plan.objective)),
        finite(bound),
        planned(finite(plan.gap())),
        planned(served_share(plan).to_string()),
        planned(replicas.to_string()),
        plan.approach.to_string(),
    ];
    cells.extend(plan.usage.iter().map(|u| planned(u.cards.to_string())));
    cells
}

/// Share of all requests that are served within their objectives, in [0, 1].
pub fn served_share(plan: &Plan) -> f64 {
    let wanted: f64 = plan.placements.iter().map(|p| p.demand_per_s).sum();
    // Exactly 1 where every server is: sums of shares may be a rounding off.
    if wanted <= 0.0 || plan.placements.iter().all(|p| p.served_share >= 1.0) {
        return 1.0;
    }
    plan.placements.iter().map(|p| p.demand_per_s * p.served_share).sum::<f64>() / wanted
}
