//! Plans under shortage, on files whose answers are known and beside the plan that serves all.

use std::path::{Path, PathBuf};

use isocost_formulations::ProblemOptions;
use isocost_model::Scenario;
use isocost_model::input;
use isocost_model::plan::{Placement, Plan, Status};
use isocost_model::scenario::{Saturation, ServiceClass};
use isocost_planner::{Formulation, Planner, Request, Shortage};
use isocost_solver::default_backend;

const SATURATIONS: [Saturation; 4] = [
    Saturation::None,
    Saturation::PriorityExhaustive,
    Saturation::PriorityRoundRobin,
    Saturation::RoundRobin,
];

/// Every policy, in both shapes.
fn policies() -> Vec<(Formulation, Shortage)> {
    let mut all = Vec::new();
    for formulation in [Formulation::SINGLE, Formulation::MIXED] {
        for saturation in SATURATIONS {
            for delayed in [false, true] {
                all.push((formulation, Shortage::By { saturation, delayed }));
            }
        }
    }
    all
}

/// A file with a known answer, or `None` where it is missing.
fn field(name: &str) -> Option<Scenario> {
    let path = root().join("../shared/reference/field").join(name);
    if !path.exists() {
        println!("skipped: {} is missing", path.display());
        return None;
    }
    Some(input::load(&path).expect("the file is sound").scenario)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A checked plan under a policy.
fn plan(scenario: &Scenario, policy: (Formulation, Shortage), problem: ProblemOptions) -> Plan {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    let (formulation, shortage) = policy;
    planner.request = Request { formulation, problem, shortage, ..Request::default() };
    planner.plan(&planner.fleet(scenario.clone())).expect("it keeps the rules")
}

/// Replicas, and requests/min served, of each server.
fn served(plan: &Plan) -> Vec<(u64, f64)> {
    let of_server = |p: &Placement| {
        (p.replicas(), (60.0 * p.demand_per_s * p.served_share * 1e6).round() / 1e6)
    };
    plan.placements.iter().map(of_server).collect()
}

#[test]
fn a_load_above_the_ceiling_gets_all_that_it_may_have() {
    for policy in policies() {
        if let Some(scenario) = field("36-wva-max10.json") {
            let plan = plan(&scenario, policy, ProblemOptions::default());
            assert_eq!(plan.status, Status::Optimal, "{policy:?}");
            assert_eq!(served(&plan), [(10, 100.0), (3, 25.0)], "{policy:?}");
            let note = "`spike` needs 11, 10 allowed";
            assert!(plan.notes.iter().any(|n| n.contains(note)), "{:?}", plan.notes);
        }
        if let Some(scenario) = field("34a-max2-partial.json") {
            let plan = plan(&scenario, policy, ProblemOptions::default());
            assert_eq!((plan.status, served(&plan)), (Status::Optimal, vec![(2, 20.0)]));
        }
    }
}

#[test]
fn a_mix_beside_a_ceiling_is_no_false_proof() {
    let Some(scenario) = field("35-mix-max.json") else { return };
    let saturation = Saturation::PriorityExhaustive;
    let policy = (Formulation::MIXED, Shortage::By { saturation, delayed: false });
    let plan = plan(&scenario, policy, ProblemOptions::default());
    let all: f64 = served(&plan).iter().map(|served| served.1).sum();
    assert_eq!((plan.status, (all * 1e3).round() / 1e3), (Status::Optimal, 38.0));
}

#[test]
fn who_has_no_load_holds_its_fewest_replicas() {
    let Some(mut scenario) = field("34g-idle-free.json") else { return };
    for policy in policies() {
        let plan = plan(&scenario, policy, ProblemOptions::default());
        assert_eq!(plan.placements[0].replicas(), 2, "{policy:?}");
        assert!(plan.notes.iter().all(|n| !n.contains("minNumReplicas")), "{:?}", plan.notes);
    }
    // One card for two: the floor is held as far as it goes, and the plan says what is missing.
    let type_b = scenario.card_types.iter().position(|t| t.name == "B").expect("it is there");
    scenario.card_types[type_b].count = Some(1);
    for policy in policies() {
        let plan = plan(&scenario, policy, ProblemOptions::default());
        assert_eq!(plan.placements[0].replicas(), 1, "{policy:?}");
        let note = "fewest replicas not held (minNumReplicas): `idle` 1 of 2";
        assert!(plan.notes.iter().any(|n| n == note), "{:?}", plan.notes);
    }
}

/// One server needs ten times what it may have; every other one gets what it would get anyway, with
/// the change's value as the objective or without.
#[test]
fn one_load_above_its_ceiling_changes_nothing_for_the_others() {
    let scenario = input::load(&root().join("data/quickstart")).expect("it is sound").scenario;
    for transition in [false, true] {
        let options = ProblemOptions { transition, ..ProblemOptions::default() };
        for policy in policies() {
            let before = plan(&scenario, policy, options);
            assert!(before.serves_all());
            for s in 0..scenario.servers.len() {
                let mut above = scenario.clone();
                above.servers[s].load.arrival_rate_per_min *= 10.0;
                above.servers[s].max_replicas = u32::try_from(before.placements[s].replicas()).ok();
                let after = plan(&above, policy, options);
                assert_eq!(after.status, Status::Optimal, "{policy:?}");
                for (other, placement) in after.placements.iter().enumerate() {
                    let parts = |p: &Placement| {
                        let parts = p.parts.iter().map(|p| (p.accelerator, p.batch, p.replicas));
                        parts.collect::<Vec<_>>()
                    };
                    let was = &before.placements[other];
                    if other == s {
                        assert_eq!(placement.replicas(), was.replicas(), "{policy:?}");
                        assert!(placement.served_share > 0.09, "{policy:?}");
                    } else {
                        assert_eq!(parts(placement), parts(was), "{policy:?}, {s} above");
                    }
                }
            }
        }
    }
}

#[test]
fn a_class_of_twice_the_weight_gets_twice_the_share() {
    let path = root().join("data/quickstart");
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    scenario.servers.truncate(1);
    let mut twin = scenario.servers[0].clone();
    let heavy = scenario.classes[twin.class].clone();
    scenario.classes.push(ServiceClass { name: "Heavy".to_owned(), weight: 2.0, ..heavy });
    twin.name = "twin".to_owned();
    twin.class = scenario.classes.len() - 1;
    scenario.servers.push(twin);
    // Far more than six cards serve.
    scenario.servers.iter_mut().for_each(|server| server.load.arrival_rate_per_min = 10_000.0);
    for card in &mut scenario.card_types {
        card.count = Some(if card.name == "L40S" { 6 } else { 0 });
        card.spare = 0;
    }
    for saturation in [Saturation::PriorityRoundRobin, Saturation::RoundRobin] {
        let policy = (Formulation::SINGLE, Shortage::By { saturation, delayed: false });
        let plan = plan(&scenario, policy, ProblemOptions::default());
        let replicas: Vec<u64> = plan.placements.iter().map(Placement::replicas).collect();
        assert_eq!(replicas, [2, 4], "{saturation:?}: {:?}", plan.notes);
    }
}
