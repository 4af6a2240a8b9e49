//! Status, placements, bound and objective agree.

use super::{CheckOptions, Found, ROUNDING, Rule, close};
use crate::plan::{OPTIMAL_GAP, Plan, Status, relative_gap};
use crate::scenario::Scenario;

/// Every server has its placement, and replicas are placed by a plan alone.
pub(super) fn complete(scenario: &Scenario, plan: &Plan, found: &mut Found) {
    let (servers, placements) = (scenario.servers.len(), plan.placements.len());
    found.unless(servers == placements, Rule::Complete, "plan", || {
        format!("{placements} placements for {servers} servers")
    });
    let placed = plan.placements.iter().any(|p| !p.parts.is_empty());
    found.unless(plan.has_plan() || !placed, Rule::Complete, "plan", || {
        format!("a plan that is {} places replicas", plan.status.word())
    });
}

pub(super) fn check(plan: &Plan, options: &CheckOptions, found: &mut Found) {
    if !plan.has_plan() {
        return;
    }
    let (objective, total) = (plan.objective, plan.total_cost);
    // A change's value is a difference of costs, and as exact as they are.
    bounded("plan", objective, plan.bound, objective.abs().max(total), found);
    closed("plan", plan.status, objective, plan.bound, found);
    let agree = options.transition || close(objective, total);
    found.unless(agree, Rule::Proof, "plan", || {
        format!("the objective {objective} is not the cost {total}")
    });
}

/// No bound is above what was reached, but for the rounding of sums of the size of `scale`.
pub(super) fn bounded(place: &str, objective: f64, bound: f64, scale: f64, found: &mut Found) {
    found.unless(bound <= objective + ROUNDING * scale, Rule::Proof, place, || {
        format!("the bound {bound} is above the objective {objective}")
    });
}

/// What is called optimal has a closed gap.
pub(super) fn closed(place: &str, status: Status, objective: f64, bound: f64, found: &mut Found) {
    let gap = relative_gap(objective, bound);
    found.unless(status != Status::Optimal || gap <= OPTIMAL_GAP, Rule::Proof, place, || {
        format!("called optimal at a gap of {gap:e}")
    });
}
