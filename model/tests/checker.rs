//! The checker lets a right plan pass and rejects each kind of tampered one, by the right rule.

use std::path::PathBuf;

use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::check::{CheckOptions, Rule, check};
use isocost_model::plan::{Approach, Choice, Method, Plan, Shape, Status};
use isocost_model::scenario::{Budget, CurrentAllocation};
use isocost_model::{Scenario, input};

fn quickstart() -> Scenario {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart");
    let mut scenario = input::load(&path).expect("the example is sound").scenario;
    scenario.servers[0].min_replicas = 2;
    scenario.servers[0].max_replicas = Some(6);
    scenario
}

/// Each server on the candidate that is cheapest for it alone.
fn right_plan(scenario: &Scenario) -> Plan {
    let sizing = SizingOptions::default();
    let candidates = Candidates::build(scenario, &sizing);
    let mut objective = 0.0;
    let mut shares = Vec::new();
    for (s, server) in scenario.servers.iter().enumerate() {
        let alone = candidates.options(s).iter().enumerate().map(|(o, c)| {
            let n = ((candidates.demands[s].rate_per_s / c.rate_per_s).ceil() as u64)
                .max(u64::from(server.min_replicas));
            (o, n, c.cost_cents_per_h * n as f64)
        });
        let (o, n, cost) = alone.min_by(|a, b| a.2.total_cmp(&b.2)).expect("a candidate");
        objective += cost;
        shares.push(vec![(o, n)]);
    }
    let choice = Choice {
        status: Status::Feasible,
        shares,
        objective,
        bound: 0.0,
        approach: Approach::new(Shape::Mixed, Method::Given),
        backend: "none".to_owned(),
        notes: Vec::new(),
    };
    Plan::new(scenario, &candidates, &sizing, false, choice)
}

fn rules(scenario: &Scenario, plan: &Plan) -> Vec<Rule> {
    let found = check(scenario, &SizingOptions::default(), &CheckOptions::default(), plan);
    found.into_iter().map(|v| v.rule).collect()
}

#[test]
fn a_right_plan_passes() {
    let scenario = quickstart();
    assert_eq!(rules(&scenario, &right_plan(&scenario)), []);
}

/// Falsifies a plan.
type Tamper = fn(&mut Plan);

/// Narrows a scenario, given the accelerator that the first server uses.
type Change = fn(&mut Scenario, usize);

#[test]
fn tampered_plans_are_rejected_by_the_right_rule() {
    let scenario = quickstart();
    let tampered: [(Rule, Tamper); 18] = [
        (Rule::Complete, |p| drop(p.placements.pop())),
        (Rule::Complete, |p| p.status = Status::Infeasible),
        (Rule::Accelerator, |p| p.placements[0].parts[0].accelerator = 99),
        // The 32-billion model has no profile on the small card.
        (Rule::Accelerator, |p| p.placements[1].parts[0].accelerator = 0),
        (Rule::Batch, |p| p.placements[0].parts[0].batch = 0),
        (Rule::Batch, |p| p.placements[0].parts[0].batch = 100_000),
        (Rule::Replicas, |p| p.placements[0].parts[0].replicas = 1),
        (Rule::Replicas, |p| p.placements[0].parts[0].replicas = 7),
        (Rule::Cover, |p| p.placements[1].parts[0].credited_rate_per_s *= 0.1),
        (Rule::Cover, |p| p.placements[1].served_share = 0.5),
        (Rule::Cover, |p| p.placements[1].demand_per_s *= 0.5),
        (Rule::Split, |p| p.placements[1].parts[0].rate_per_s *= 0.5),
        (Rule::Objective, |p| p.placements[1].parts[0].rate_per_s *= 50.0),
        (Rule::Cards, |p| p.placements[1].parts[0].cards += 1),
        (Rule::Cards, |p| p.usage[0].cards += 1),
        (Rule::Cost, |p| p.placements[1].parts[0].cost -= 1.0),
        (Rule::Cost, |p| p.total_cost -= 1.0),
        (Rule::Proof, |p| p.status = Status::Optimal),
    ];
    for (i, (rule, tamper)) in tampered.into_iter().enumerate() {
        let mut plan = right_plan(&scenario);
        tamper(&mut plan);
        let found = rules(&scenario, &plan);
        assert!(found.contains(&rule), "tampering {i} found {found:?}, not {rule:?}");
    }
}

/// Every server runs now where the plan puts it.
fn runs_as_planned(scenario: &mut Scenario, plan: &Plan) {
    for (server, placement) in scenario.servers.iter_mut().zip(&plan.placements) {
        let part = &placement.parts[0];
        let (accelerator, cost_cents_per_h) = (part.accelerator, part.cost);
        let replicas = u32::try_from(part.replicas).expect("a few");
        server.current = Some(CurrentAllocation { accelerator, replicas, cost_cents_per_h });
    }
}

#[test]
fn moves_and_the_value_of_a_change_are_checked() {
    let mut scenario = quickstart();
    let plan = right_plan(&scenario);
    runs_as_planned(&mut scenario, &plan);
    let found = |scenario: &Scenario, plan: &Plan, options: &CheckOptions| -> Vec<Rule> {
        let found = check(scenario, &SizingOptions::default(), options, plan);
        found.into_iter().map(|v| v.rule).collect()
    };
    let still = CheckOptions { max_moves: Some(0), ..CheckOptions::default() };
    let change = CheckOptions { transition: true, ..CheckOptions::default() };
    assert_eq!(found(&scenario, &plan, &still), []);
    let unchanged = Plan { objective: 0.0, bound: -1.0, ..plan.clone() };
    assert_eq!(found(&scenario, &unchanged, &change), []);
    // The first server runs elsewhere now, at 100 cents: it moves, at a tenth of both costs.
    let current = scenario.servers[0].current.as_mut().expect("set above");
    (current.accelerator, current.cost_cents_per_h) = (current.accelerator + 1, 100.0);
    assert_eq!(found(&scenario, &plan, &still), [Rule::Moves]);
    assert_eq!(found(&scenario, &unchanged, &change), [Rule::Proof]);
    let cost = plan.placements[0].parts[0].cost;
    let moved = Plan { objective: cost - 100.0 + 0.1 * (cost + 100.0), ..unchanged };
    let moved = Plan { bound: moved.objective - 1.0, ..moved };
    assert_eq!(found(&scenario, &moved, &change), []);
}

#[test]
fn a_bound_may_be_above_a_change_of_nothing_by_the_rounding_of_the_costs_alone() {
    let mut scenario = quickstart();
    let plan = right_plan(&scenario);
    runs_as_planned(&mut scenario, &plan);
    let options = CheckOptions { transition: true, ..CheckOptions::default() };
    let broken = |bound: f64| {
        let plan = Plan { objective: 0.0, bound, ..plan.clone() };
        check(&scenario, &SizingOptions::default(), &options, &plan)
    };
    assert_eq!(broken(plan.total_cost * 1e-12), vec![]);
    assert!(broken(plan.total_cost * 1e-3).iter().any(|v| v.rule == Rule::Proof));
}

#[test]
fn limits_of_the_scenario_are_kept() {
    let plan = right_plan(&quickstart());
    let used = plan.placements[0].parts[0].accelerator;
    let changes: [(Rule, Change); 8] = [
        (Rule::Capacity, |s, a| s.card_types[s.accelerators[a].card_type].count = Some(0)),
        (Rule::Capacity, |s, a| s.card_types[s.accelerators[a].card_type].spare = 1_000),
        (Rule::Accelerator, |s, a| s.servers[0].deny = vec![a]),
        (Rule::Accelerator, |s, a| s.servers[0].allow = vec![a + 1]),
        (Rule::Accelerator, |s, a| {
            s.servers[0].keep_accelerator = true;
            let (replicas, cost_cents_per_h) = (1, 1.0);
            s.servers[0].current =
                Some(CurrentAllocation { accelerator: a + 1, replicas, cost_cents_per_h });
        }),
        (Rule::Spread, |s, _| s.servers[0].min_types = 2),
        (Rule::Budget, |s, _| {
            let name = "all".to_owned();
            s.budgets.push(Budget { name, card_types: Vec::new(), cards: Some(1), watts: None });
        }),
        (Rule::Budget, |s, _| {
            let name = "all".to_owned();
            s.budgets.push(Budget { name, card_types: Vec::new(), cards: None, watts: Some(1.0) });
        }),
    ];
    for (rule, change) in changes {
        let mut scenario = quickstart();
        change(&mut scenario, used);
        let found = rules(&scenario, &plan);
        assert!(found.contains(&rule), "found {found:?}, not {rule:?}");
    }
}
