//! Any lines as the axes of a sweep.
#![no_main]

use isocost_experiments::sweep::Points;
use isocost_fuzz::setting;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let axes: Vec<String> = text.lines().map(str::to_owned).collect();
    match Points::grid(&axes, &setting()) {
        Ok(points) => assert!(points.values.iter().all(|values| values.len() == axes.len())),
        Err(error) => assert!(!error.0.is_empty()),
    }
});
