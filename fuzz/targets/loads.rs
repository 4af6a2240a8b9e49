//! Any text as a CSV of loads for the quickstart scenario.
#![no_main]

use isocost_fuzz::QUICKSTART;
use isocost_model::input::with_loads_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match with_loads_text(QUICKSTART.clone(), "loads.csv", text) {
        Ok(loaded) => {
            for server in &loaded.scenario.servers {
                assert!(server.load.arrival_rate_per_min >= 0.0 && server.load.arrival_rate_per_min.is_finite());
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
