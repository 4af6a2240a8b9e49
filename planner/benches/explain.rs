//! A whole explanation, of a plan and of a fleet that has none.

use std::path::Path;

use divan::Bencher;
use isocost_model::candidates::SizingOptions;
use isocost_model::input;
use isocost_planner::Planner;
use isocost_planner::explain::Effort;
use isocost_solver::default_backend;

fn main() {
    divan::main();
}

/// The reference fleet, else the example, with this share of its cards.
#[divan::bench(args = [0.75, 0.5], sample_count = 3)]
fn explanation(bencher: Bencher, share: f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    for card in &mut scenario.card_types {
        card.count = card.count.map(|count| (count as f64 * share) as u64);
    }
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.sizing = SizingOptions::reference();
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("solved");
    bencher.bench(|| planner.explain(&fleet, &plan, Effort::default()).expect("explained").solves);
}
