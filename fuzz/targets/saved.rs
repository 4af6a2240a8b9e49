//! Any text as a saved plan.
#![no_main]

use isocost_model::input::plan_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match plan_text("plan.json", text) {
        Ok(plan) => assert!(plan.cost >= 0.0 && plan.cost.is_finite()),
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
