//! Any text as the points of a sweep, each of which is a setting.
#![no_main]

use isocost_experiments::sweep::Points;
use isocost_fuzz::setting;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let base = setting();
    match Points::from_text("points.csv", text, &base) {
        Ok(points) => {
            for point in 0..points.values.len().min(4) {
                let setting = points.setting(point, &base);
                assert!(setting.scenario.servers.iter().all(|s| s.load.arrival_rate_per_min >= 0.0));
            }
        }
        Err(error) => assert!(!error.0.is_empty()),
    }
});
