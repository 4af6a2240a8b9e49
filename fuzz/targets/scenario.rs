//! Any text as a scenario, JSON and YAML: a scenario or problems, never a panic, and what was read is sound.
#![no_main]

use isocost_model::input::load_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["scenario.json", "scenario.yaml"] {
        match load_text(name, text) {
            Ok(loaded) => {
                for server in &loaded.scenario.servers {
                    assert!(server.load.arrival_rate_per_min.is_finite());
                    let class = &loaded.scenario.classes[server.class];
                    assert!(class.targets[server.model].is_some());
                }
            }
            Err(error) => assert!(!error.problems.is_empty() && !error.to_string().is_empty()),
        }
    }
});
