//! Any bytes as the measurements of an experiment, each of which sums them up.
#![no_main]

use isocost_experiments::data::Data;
use isocost_experiments::experiment::experiments;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(data) = Data::read(bytes) else { return };
    for experiment in experiments() {
        experiment.summary(&data, &data);
    }
});
