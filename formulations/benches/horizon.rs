//! Plans over time for data/fleet-27, sized before: the day's 24 periods and the week's 168 (fewer of
//! them distinct), with some reserved at 0.6 of the price on demand; and the root's bound alone, which
//! is what the search starts from. `cargo bench -p isocost-formulations --bench horizon`

use std::path::Path;
use std::time::Duration;

use divan::Bencher;
use isocost_formulations::horizon::{Horizon, Method, Sized, solve};
use isocost_formulations::pattern::Shape;
use isocost_model::candidates::SizingOptions;
use isocost_model::horizon::{Prices, Profile, Ratios};
use isocost_model::input;
use isocost_model::scenario::Scenario;
use isocost_solver::{SolveOptions, default_backend};

fn main() {
    divan::main();
}

fn inputs(profile: &str) -> (Scenario, Profile, Prices) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let scenario = input::load(&data.join("fleet-27")).expect("the scenario is sound").scenario;
    let path = data.join("profiles").join(profile);
    let profile = input::profile(&scenario, &path, None).expect("the profile is sound").0;
    let ratios = Ratios {
        reserved: Some(0.6),
        on_demand: true,
        spot: None,
        spot_share: 0.0,
        spot_availability: 1.0,
    };
    let prices = Prices::by_ratios(&scenario, &ratios);
    (scenario, profile, prices)
}

fn horizon(profile: &str) -> Horizon {
    let (scenario, profile, prices) = inputs(profile);
    let sized = Sized::new(&scenario, &profile, &SizingOptions::default());
    Horizon::new(&scenario, &profile, &prices, &sized, false)
}

#[divan::bench(args = ["fleet-27-day.csv", "fleet-27-week.csv"], sample_count = 10)]
fn sizing(bencher: Bencher, profile: &str) {
    let (scenario, profile, _) = inputs(profile);
    bencher.bench(|| Sized::new(&scenario, &profile, &SizingOptions::default()).periods.len());
}

/// To a gap of 1%: the root's bound and the first plan.
#[divan::bench(args = ["fleet-27-day.csv", "fleet-27-week.csv"], sample_count = 3)]
fn within_a_hundredth(bencher: Bencher, profile: &str) {
    let (horizon, backend) = (horizon(profile), default_backend().expect("one is built"));
    let options = SolveOptions { relative_gap: 0.01, ..SolveOptions::default() };
    bencher.bench(|| {
        let outcome = solve(&horizon, Shape::Single, &*backend, &options, Method::Search);
        let outcome = outcome.expect("it solves");
        assert!(outcome.cost - outcome.bound <= 0.01 * outcome.cost);
    });
}

/// To the end, by the search and, for comparison, by one program over all periods.
#[divan::bench(args = [Method::Search, Method::Together], sample_count = 1)]
fn day_to_the_end(bencher: Bencher, method: Method) {
    let (horizon, backend) =
        (horizon("fleet-27-day.csv"), default_backend().expect("one is built"));
    let time_limit = Some(Duration::from_secs(120));
    let options = SolveOptions { time_limit, ..SolveOptions::default() };
    bencher.bench(|| {
        let outcome = solve(&horizon, Shape::Single, &*backend, &options, method);
        let outcome = outcome.expect("it solves");
        (outcome.cost, outcome.bound)
    });
}
