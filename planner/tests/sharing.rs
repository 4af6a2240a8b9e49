//! Who shares replicas, against every partition of every group, each planned for on its own.

use std::path::Path;

use isocost_formulations::ProblemOptions;
use isocost_model::input;
use isocost_model::plan::{Plan, Status};
use isocost_model::scenario::Scenario;
use isocost_model::sharing::{Decision, Served, groups, share_by_model, shared};
use isocost_planner::{Formulation, Planner, Request};
use isocost_solver::default_backend;
use proptest::prelude::*;

/// The servers of two models of the example fleet, with a twin of one of them.
fn fleet() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27");
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    let models = scenario.models.clone();
    scenario.servers.retain(|s| ["phi-4", "qwen2.5-7b"].contains(&models[s.model].as_str()));
    let mut twin = scenario.servers[0].clone();
    twin.name = "twin".to_owned();
    scenario.servers.push(twin);
    scenario
}

fn planner(mixed: bool, unlimited: bool) -> Planner {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.request = Request {
        formulation: if mixed { Formulation::MIXED } else { Formulation::SINGLE },
        problem: ProblemOptions { unlimited, ..ProblemOptions::default() },
        ..Request::default()
    };
    planner
}

/// Every way to part `members`.
fn partitions(members: &[usize]) -> Vec<Decision> {
    let mut all = vec![Decision::new()];
    for &m in members {
        let with = |parts: Decision| {
            let join = (0..parts.len()).map(|i| {
                let mut parts = parts.clone();
                parts[i].members.push(m);
                parts
            });
            let alone = parts
                .iter()
                .cloned()
                .chain([Served { members: vec![m], division: None }])
                .collect();
            join.chain([alone]).collect::<Vec<Decision>>()
        };
        all = all.into_iter().flat_map(with).collect();
    }
    all
}

/// The least cost over every decision; `None` where none has a plan.
fn least(planner: &Planner, scenario: &Scenario) -> Option<f64> {
    let mut decisions = vec![Decision::new()];
    for group in groups(scenario) {
        let ways = partitions(&group);
        let with = |known: Decision| {
            ways.iter().map(|way| [&known[..], &way[..]].concat()).collect::<Vec<_>>()
        };
        decisions = decisions.into_iter().flat_map(with).collect();
    }
    let cost = |decision: Decision| {
        let fleet = planner.apart(shared(scenario, &decision).ok()?);
        let plan = planner.plan(&fleet).expect("it keeps the rules");
        plan.has_plan().then_some(plan.total_cost)
    };
    decisions.into_iter().filter_map(cost).min_by(f64::total_cmp)
}

fn decided(planner: &Planner, scenario: &Scenario) -> Plan {
    planner.plan(&planner.fleet(scenario.clone())).expect("it keeps the rules")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("SHARING").ok().and_then(|n| n.parse().ok()).unwrap_or(12)
    ))]

    #[test]
    fn no_partition_is_cheaper_than_the_plan(
        factors in prop::collection::vec(0.05..20.0_f64, 6),
        cards in prop::collection::vec(0..6_u64, 7),
        mixed in any::<bool>(),
        unlimited in any::<bool>(),
    ) {
        let mut scenario = fleet();
        for (server, factor) in scenario.servers.iter_mut().zip(factors) {
            server.load.arrival_rate_per_min *= factor;
        }
        scenario.card_types.iter_mut().zip(cards).for_each(|(card, n)| card.count = Some(n));
        share_by_model(&mut scenario);
        let planner = planner(mixed, unlimited);
        let plan = decided(&planner, &scenario);
        match least(&planner, &scenario) {
            Some(least) => {
                prop_assert_eq!(plan.status, Status::Optimal);
                prop_assert!((plan.total_cost - least).abs() < 1e-9 * least, "{} of {least}", plan.total_cost);
                let apart = plan.sharing.and_then(|sharing| sharing.apart);
                prop_assert!(apart.is_none_or(|apart| apart >= least - 1e-9 * least));
            }
            None => prop_assert_eq!(plan.status, Status::Infeasible),
        }
    }
}

#[test]
fn a_plan_says_who_shares_and_what_that_saves() {
    let mut scenario = fleet();
    let planner = planner(false, true);
    let apart = decided(&planner, &scenario);
    assert_eq!(apart.sharing, None);
    share_by_model(&mut scenario);
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("it keeps the rules");
    let sharing = plan.sharing.expect("some may share");
    assert_eq!((sharing.may, sharing.apart), (7, Some(apart.total_cost)));
    assert!(plan.total_cost < apart.total_cost);
    let rate = |scenario: &Scenario| -> f64 {
        scenario.servers.iter().map(|s| s.load.arrival_rate_per_min).sum()
    };
    let stated = &fleet.shared.as_ref().expect("decided").stated;
    assert!((rate(&fleet.scenario) - rate(stated)).abs() < 1e-9, "loads add");
}

#[test]
fn under_shortage_the_highest_priority_is_served_first() {
    let mut scenario = fleet();
    scenario.card_types.iter_mut().for_each(|card| card.count = Some(0));
    scenario.card_types.iter_mut().filter(|c| c.name == "H100").for_each(|c| c.count = Some(1));
    let mut planner = planner(false, false);
    planner.request.shortage = isocost_planner::Shortage::By {
        saturation: isocost_model::scenario::Saturation::PriorityExhaustive,
        delayed: false,
    };
    let served = |scenario: &Scenario| {
        let fleet = planner.fleet(scenario.clone());
        let plan = planner.plan(&fleet).expect("it keeps the rules");
        let placed = fleet.scenario.servers.iter().zip(&plan.placements);
        placed.map(|(s, p)| s.load.arrival_rate_per_min * p.served_share).sum::<f64>()
    };
    let apart = served(&scenario);
    share_by_model(&mut scenario);
    assert!(served(&scenario) >= apart);
}
