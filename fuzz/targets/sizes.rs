//! Any text as a CSV of the sizes of requests.
#![no_main]

use isocost_model::input::sizes_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match sizes_text("sizes.csv", text) {
        Ok((sizes, _)) => assert!(sizes.iter().all(|s| (0.0..=1.0).contains(&s.share))),
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
