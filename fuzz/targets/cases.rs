//! Any text as a CSV of cases: read, analysed, and never a latency below 0.
#![no_main]

use isocost_model::input::cases::cases_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match cases_text("cases.csv", text) {
        Ok((cases, _)) => {
            for case in cases {
                let a = case.analysis;
                assert!(a.itl_ms >= 0.0 && a.ttft_ms >= 0.0 && a.mean_wait_ms >= 0.0, "{a:?}");
                assert!((0.0..=1.0).contains(&a.loss_probability), "{a:?}");
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
