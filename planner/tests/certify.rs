//! Certified plans: what simulation refutes is corrected, what holds is left alone.

use std::path::Path;

use isocost_model::Scenario;
use isocost_model::candidates::{Reading, SizingOptions};
use isocost_model::input;
use isocost_planner::Planner;
use isocost_planner::certify::{Certified, CertifyError};
use isocost_simulation::{Effort, Search};
use isocost_solver::{Interrupt, default_backend};

/// The example fleet with one server alone.
fn alone(server: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27");
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    scenario.servers.retain(|s| s.name == server);
    assert_eq!(scenario.servers.len(), 1);
    scenario
}

fn search(seed: u64) -> Search {
    let effort = Effort { requests: 2_000, seed, ..Effort::default() };
    Search { effort, ..Search::default() }
}

fn planner(reading: Reading) -> Planner {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.sizing = SizingOptions { reading, ..SizingOptions::default() };
    planner
}

fn certify(planner: &Planner, scenario: Scenario, search: &Search) -> Certified {
    planner.certify(planner.fleet(scenario), search, &|_, _, _| {}).expect("nobody stops it")
}

#[test]
fn a_plan_that_simulation_refutes_is_corrected_and_then_holds_under_other_seeds() {
    // Planned by a rate close to the end of what the chain grants, which knows no passes.
    let chain = planner(Reading::Reference);
    let mut scenario = alone("free-qwen2.5-7b");
    scenario.servers[0].load.arrival_rate_per_min = 608.0;
    for card in scenario.card_types.iter_mut().filter(|card| card.name != "L4") {
        card.count = Some(0);
    }
    let certified = certify(&chain, scenario.clone(), &search(1));
    let Certified { plan, fleet, corrections, uncorrected_cost, .. } = certified;
    assert!(!corrections.is_empty(), "the chain alone does not hold");
    assert!(plan.has_plan() && plan.total_cost > uncorrected_cost.expect("a plan"));
    for correction in &corrections {
        assert!(correction.found.rate_per_s < correction.model_rate_per_s);
    }
    // The same fleet, its rates corrected, holds as it is with other random numbers.
    let again = chain.certify(fleet, &search(2), &|_, _, _| {}).expect("nobody stops it");
    assert_eq!(again.rounds, 1, "{:?}", again.corrections);
    assert_eq!(again.plan.total_cost, plan.total_cost);
    // What the model of an engine grants holds as it is, and costs no more.
    let engine = certify(&planner(Reading::Engine), scenario, &search(1));
    assert_eq!(engine.corrections.len(), 0, "{:?}", engine.corrections);
    assert!(engine.plan.total_cost <= plan.total_cost);
}

#[test]
fn the_same_seed_gives_the_same_plan_and_an_interrupt_ends_it() {
    let scenario = alone("premium-gemma-2-9b");
    let alike = || certify(&planner(Reading::Engine), scenario.clone(), &search(1));
    let (a, b) = (alike(), alike());
    assert_eq!(a.plan.placements, b.plan.placements);
    assert_eq!(a.requests, b.requests);
    let mut planner = planner(Reading::Engine);
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("a plan");
    assert!(plan.has_plan());
    planner.request.solve.interrupt = Interrupt::default();
    let interrupt = planner.request.solve.interrupt.clone();
    let stopped = planner.certify(fleet, &search(1), &|_, _, _| interrupt.raise());
    assert_eq!(stopped.map(|c| c.rounds), Err(CertifyError::Stopped));
}
