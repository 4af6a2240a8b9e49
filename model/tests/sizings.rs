//! Shared sizings: the same candidates as without, and nothing sized twice.

use std::path::Path;

use isocost_model::Scenario;
use isocost_model::candidates::{BatchChoice, Candidates, SizingOptions, Sizings};
use isocost_model::input;

fn scenario() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart.yaml");
    input::load(&path).expect("the example is sound").scenario
}

fn same(scenario: &Scenario, options: &SizingOptions, known: &Sizings) {
    let shared = Candidates::build_with(scenario, options, known);
    assert_eq!(shared, Candidates::build(scenario, options));
}

#[test]
fn loads_prices_and_card_counts_need_no_sizing() {
    let (mut scenario, options, known) = (scenario(), SizingOptions::default(), Sizings::default());
    same(&scenario, &options, &known);
    let made = known.len();
    scenario.servers.iter_mut().for_each(|s| s.load.arrival_rate_per_min *= 1.7);
    scenario.accelerators.iter_mut().for_each(|a| a.cost_cents_per_h *= 0.3);
    scenario.card_types.iter_mut().for_each(|c| c.count = Some(1));
    same(&scenario, &options, &known);
    assert_eq!(known.len(), made);
}

#[test]
fn objectives_tokens_tolerance_and_idle_servers_are_told_apart() {
    let (mut scenario, known) = (scenario(), Sizings::default());
    same(&scenario, &SizingOptions::default(), &known);
    for tolerance in [0.0, 0.1] {
        let batch = BatchChoice::Least { tolerance };
        same(&scenario, &SizingOptions { batch, ..SizingOptions::default() }, &known);
    }
    let max = SizingOptions { batch: BatchChoice::Max, ..SizingOptions::default() };
    same(&scenario, &max, &known);
    scenario.servers[0].load.output_tokens *= 2.0;
    scenario.servers[1].load.arrival_rate_per_min = 0.0;
    same(&scenario, &max, &known);
    let targets = scenario.classes.iter_mut().flat_map(|c| c.targets.iter_mut().flatten());
    targets.filter_map(|t| t.itl.as_mut()).for_each(|o| o.limit_ms *= 1.5);
    let before = known.len();
    same(&scenario, &max, &known);
    assert!(known.len() > before);
}
