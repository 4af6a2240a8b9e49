//! Any text as the JSON of requests by size; what was read is a question that can be put.
#![no_main]

use isocost_model::input::{Instead, buckets_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match buckets_text("buckets.json", text, Instead::default()) {
        Ok((question, _)) => {
            assert!(question.rate_per_s().is_finite() && !question.gpus.is_empty());
            for gpu in &question.gpus {
                assert_eq!(gpu.rates_per_s.len(), question.buckets.len());
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
