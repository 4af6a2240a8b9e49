//! Any bytes as a CSV of loads for the quickstart scenario.
#![no_main]

use std::sync::LazyLock;

use isocost_fuzz::as_file;
use isocost_model::Scenario;
use isocost_model::input::{load_text, with_loads};
use libfuzzer_sys::fuzz_target;

static SCENARIO: LazyLock<Scenario> = LazyLock::new(|| {
    load_text("quickstart.yaml", include_str!("../../data/quickstart.yaml")).expect("sound").scenario
});

fuzz_target!(|bytes: &[u8]| {
    match as_file(bytes, |path| with_loads(SCENARIO.clone(), path)) {
        Ok(loaded) => {
            for server in &loaded.scenario.servers {
                assert!(server.load.arrival_rate_per_min >= 0.0 && server.load.arrival_rate_per_min.is_finite());
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
