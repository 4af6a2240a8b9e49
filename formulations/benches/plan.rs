//! Solving the reference scenario `large` (or data/fleet-27 where it is missing), sized before:
//! each formulation, and beside `mixed` by patterns the compact statement that an off-the-shelf
//! branch and bound gets. `cargo bench -p isocost-formulations`

use std::path::Path;

use divan::Bencher;
use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::{Problem, ProblemOptions, greedy, mixed, single};
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::input;
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, default_backend};

fn main() {
    divan::main();
}

fn problem() -> Problem {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    let scenario = input::load(&path).expect("the scenario is sound").scenario;
    // The flags of the reference figures.
    let sizing = SizingOptions::reference();
    let candidates = Candidates::build(&scenario, &sizing);
    Problem::new(&scenario, &candidates, &ProblemOptions::default())
}

#[divan::bench]
fn greedy_baseline(bencher: Bencher) {
    let problem = problem();
    bencher.bench(|| greedy(&problem, None, &ProblemOptions::default()).choice.objective);
}

#[divan::bench(sample_count = 20)]
fn single_direct(bencher: Bencher) {
    let (problem, backend) = (problem(), default_backend().expect("one is built"));
    bencher.bench(|| {
        let program = single(&problem, &ProblemOptions::default());
        let choice = program.solve(&problem, &*backend, &SolveOptions::default()).expect("solved");
        assert_eq!(choice.status, Status::Optimal);
    });
}

#[divan::bench(args = [Shape::Single, Shape::Mixed], sample_count = 10)]
fn by_patterns(bencher: Bencher, shape: Shape) {
    let (problem, backend) = (problem(), default_backend().expect("one is built"));
    bencher.bench(|| {
        let options = SolveOptions::default();
        let space = Space::new(&problem, shape, &ProblemOptions::default());
        let choice =
            pattern::solve(&space, &*backend, &options, &Ablation::default()).expect("solved");
        assert_eq!(choice.status, Status::Optimal);
    });
}

#[divan::bench(sample_count = 5)]
fn mixed_compact(bencher: Bencher) {
    let (problem, backend) = (problem(), default_backend().expect("one is built"));
    bencher.bench(|| {
        let program = mixed(&problem, &ProblemOptions::default());
        let choice = program.solve(&problem, &*backend, &SolveOptions::default()).expect("solved");
        assert_eq!(choice.status, Status::Optimal);
    });
}
