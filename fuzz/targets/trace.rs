//! Any text as a trace of requests, and its demand by the hour.
#![no_main]

use isocost_simulation::{Demand, Fold, trace_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match trace_text("trace.csv", text) {
        Ok(trace) => {
            assert!(trace.rate_per_s > 0.0 && trace.rate_per_s.is_finite(), "{trace:?}");
            assert!(trace.arrival_scv.is_finite() && trace.token_scv.is_finite(), "{trace:?}");
            for fold in [Fold::None, Fold::Day] {
                let Ok(demand) = Demand::new(&trace, 3600.0, fold) else { continue };
                for period in demand.periods {
                    assert!(period.arrival_rate_per_min.is_finite() && !period.name.is_empty());
                }
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
