//! Any text as a trace of requests.
#![no_main]

use isocost_simulation::trace_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match trace_text("trace.csv", text) {
        Ok(trace) => {
            assert!(trace.rate_per_s > 0.0 && trace.rate_per_s.is_finite(), "{trace:?}");
            assert!(trace.arrival_scv.is_finite() && trace.token_scv.is_finite(), "{trace:?}");
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
