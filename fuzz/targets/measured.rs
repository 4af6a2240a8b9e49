//! Any text as measured points: our CSV, and the files of benchmark tools.
#![no_main]

use isocost_calibration::read::load_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["bench", "bench.yaml"] {
        match load_text(name, text) {
            Ok(measured) => {
                for point in measured.points {
                    assert!(point.rate_per_s > 0.0 && point.rate_per_s.is_finite());
                    assert!(point.output_tokens >= 1.0 && !point.sweep.is_empty());
                }
            }
            Err(error) => assert!(!error.problems.is_empty()),
        }
    }
});
