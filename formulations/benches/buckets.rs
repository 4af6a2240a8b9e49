//! Requests by size: the three statements of one question, by slice factor, next to each other.
//! `cargo bench -p isocost-formulations --bench buckets`

use std::path::Path;
use std::time::Duration;

use divan::Bencher;
use isocost_formulations::buckets::{Formulation, solve};
use isocost_model::buckets::{Buckets, SliceFactor};
use isocost_model::input::{Instead, buckets};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, default_backend};

fn main() {
    divan::main();
}

/// The example at a rate at which all four GPU types have a part, each nearly full.
fn question(slices: u32) -> Buckets {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/buckets/llama-8b.json");
    let slices = (slices > 0).then_some(SliceFactor::Whole(slices));
    let slices = slices.unwrap_or(SliceFactor::Infinite);
    let instead = Instead { rate_per_s: Some(7.0), slices: Some(slices) };
    buckets(&path, instead).expect("the example is sound").0
}

fn bench(bencher: Bencher, slices: u32, formulation: Formulation) {
    let (question, backend) = (question(slices), default_backend().expect("one is built"));
    let limit = Some(Duration::from_secs(60));
    let options = SolveOptions { time_limit: limit, ..SolveOptions::default() };
    bencher.bench(|| {
        let spread = solve(&question, formulation, &*backend, &options).expect("solved");
        assert_eq!(spread.status, Status::Optimal);
    });
}

/// 0 slices: any split.
#[divan::bench(args = [0, 1, 4, 16, 64, 1024])]
fn staged(bencher: Bencher, slices: u32) {
    bench(bencher, slices, Formulation::Staged);
}

#[divan::bench(args = [1, 4, 16, 64, 1024], sample_count = 10)]
fn merged(bencher: Bencher, slices: u32) {
    bench(bencher, slices, Formulation::Merged);
}

#[divan::bench(args = [1, 4, 16], sample_count = 3)]
fn slice_by_slice(bencher: Bencher, slices: u32) {
    bench(bencher, slices, Formulation::Slices);
}
