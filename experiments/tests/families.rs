//! Hard instances against what HiGHS and SCIP prove of their compact statement, with a gap of 0, one thread and no
//! limit (`isocost experiment run families --peer highs --peer scip`).

use std::time::Duration;

use isocost_experiments::families::{Family, Member};
use isocost_model::candidates::{Reading, SizingOptions};
use isocost_model::plan::Status;
use isocost_planner::{Formulation, Planner};
use isocost_solver::{SolveOptions, backend};

/// Family, seed, and the optimum by both peers, cents/h.
const PROVEN: [(Family, u64, f64); 8] = [
    (Family::ManyReplicas, 1, 1_619_842.66),
    (Family::ManyReplicas, 2, 204_404.57),
    (Family::ManyReplicas, 5, 350_123.42),
    (Family::Budgets, 1, 224_393.77),
    (Family::Budgets, 3, 415_578.78),
    (Family::ManyLimits, 1, 216_710.07),
    (Family::ManyLimits, 2, 209_571.07),
    (Family::Tight, 1, 32_284.0),
];

#[test]
fn what_others_close_is_closed_at_the_same_cost() {
    let Ok(backend) = backend("highs") else {
        eprintln!("skipped: this build has no HiGHS, which finds the first plans");
        return;
    };
    let mut planner = Planner::new(backend);
    planner.sizing = SizingOptions { reading: Reading::Reference, ..SizingOptions::default() };
    planner.request.formulation = Formulation::named("mixed").expect("it is one");
    let time_limit = Some(Duration::from_secs(120));
    planner.request.solve = SolveOptions { time_limit, ..SolveOptions::default() };
    for (family, seed, optimum) in PROVEN {
        let fleet = planner.fleet(Member { family, seed }.scenario(&planner.sizing));
        let plan = planner.plan(&fleet).expect("planned");
        let said =
            format!("{family:?} {seed}: {:?} {} >= {}", plan.status, plan.total_cost, plan.bound);
        assert_eq!(plan.status, Status::Optimal, "{said}");
        assert!((plan.total_cost - optimum).abs() <= 1e-6 * optimum, "{said}");
    }
}
