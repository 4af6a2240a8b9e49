//! Requests by size: against every assignment of slices, between backends and statements, and laws.

use isocost_formulations::buckets::{Formulation, solve};
use isocost_model::buckets::{Bucket, Buckets, Gpu, SliceFactor, Spread, check};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

const STATEMENTS: [Formulation; 3] =
    [Formulation::Staged, Formulation::Merged, Formulation::Slices];

/// `gpus`: cost, rates by bucket, and how many there are.
fn question(rates: &[f64], gpus: &[(f64, Vec<f64>, Option<u64>)], slices: SliceFactor) -> Buckets {
    let bucket = |(b, &rate_per_s): (usize, &f64)| Bucket {
        input: b.to_string(),
        output: "1".to_owned(),
        rate_per_s,
    };
    let gpu = |(g, gpu): (usize, &(f64, Vec<f64>, Option<u64>))| Gpu {
        name: format!("g{g}"),
        cost_per_h: gpu.0,
        rates_per_s: gpu.1.clone(),
    };
    let mut question = Buckets {
        buckets: rates.iter().enumerate().map(bucket).collect(),
        gpus: gpus.iter().enumerate().map(gpu).collect(),
        limits: Vec::new(),
        slices,
        currency: "$".to_owned(),
        provenance: String::new(),
    };
    for (g, gpu) in gpus.iter().enumerate() {
        if let Some(most) = gpu.2 {
            question.cap(g, most);
        }
    }
    question
}

/// Solved and checked.
fn spread(question: &Buckets, formulation: Formulation, by: &str) -> Spread {
    let backend = backend(by).expect("it is built");
    let spread =
        solve(question, formulation, &*backend, &SolveOptions::default()).expect("it is solved");
    if spread.has_plan() {
        assert_eq!(check(question, &spread), [], "{formulation:?} by {by}");
    } else {
        assert!(!spread.notes.is_empty(), "a reason");
    }
    spread
}

/// The least cost over every assignment of every slice to a GPU type.
fn brute_force(question: &Buckets, k: u32) -> Option<f64> {
    let slices: Vec<usize> = question.asked().flat_map(|b| (0..k).map(move |_| b)).collect();
    let gpus = question.gpus.len();
    let mut best: Option<f64> = None;
    for code in 0..gpus.pow(slices.len() as u32) {
        let (mut code, mut loads) = (code, vec![0.0; gpus]);
        for &b in &slices {
            let g = code % gpus;
            code /= gpus;
            let rate = question.gpus[g].rates_per_s[b];
            loads[g] += match rate > 0.0 {
                true => question.buckets[b].rate_per_s / f64::from(k) / rate,
                false => f64::INFINITY,
            };
        }
        if loads.iter().any(|load| load.is_infinite()) {
            continue;
        }
        let counts: Vec<u64> = loads.iter().map(|load| (load - 1e-6).ceil() as u64).collect();
        let within = question.limits.iter().all(|l| counts[l.units[0].0] <= l.most);
        let cost: f64 =
            counts.iter().zip(&question.gpus).map(|(&n, gpu)| n as f64 * gpu.cost_per_h).sum();
        if within && best.is_none_or(|best| cost < best) {
            best = Some(cost);
        }
    }
    best
}

type Case = (Vec<f64>, Vec<(f64, Vec<f64>, Option<u64>)>, u32);

fn cases() -> impl Strategy<Value = Case> {
    (1..=3_usize, 1..=3_usize, 1..=3_u32).prop_flat_map(|(buckets, gpus, k)| {
        let tenths = |most: u32| (1..=most).prop_map(|x| f64::from(x) / 10.0);
        let rate = prop_oneof![1 => Just(0.0), 6 => tenths(80)];
        let served = prop_oneof![1 => Just(0.0), 6 => tenths(40)];
        let cap = prop_oneof![2 => Just(None), 1 => (0..6_u64).prop_map(Some)];
        let gpu = (tenths(60), prop::collection::vec(served, buckets), cap);
        (prop::collection::vec(rate, buckets), prop::collection::vec(gpu, gpus), Just(k))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn merged_slices_cost_what_the_best_assignment_of_slices_costs((rates, gpus, k) in cases()) {
        let question = question(&rates, &gpus, SliceFactor::Whole(k));
        let best = brute_force(&question, k);
        for by in backends() {
            for formulation in STATEMENTS {
                let spread = spread(&question, formulation, by);
                match best {
                    Some(best) => {
                        prop_assert_eq!(spread.status, Status::Optimal);
                        let off = (spread.cost_per_h - best).abs();
                        prop_assert!(off <= 1e-6 * best.max(1.0), "{} is not {best}", spread.cost_per_h);
                    }
                    None => prop_assert_eq!(spread.status, Status::Infeasible),
                }
            }
        }
    }

    #[test]
    fn finer_slices_never_cost_more((rates, gpus, k) in cases()) {
        for by in backends() {
            let cost = |slices| {
                let question = question(&rates, &gpus, slices);
                spread(&question, Formulation::Staged, by).cost_per_h
            };
            let costs =
                [SliceFactor::Whole(k), SliceFactor::Whole(4 * k), SliceFactor::Infinite].map(cost);
            let falls = costs.windows(2).all(|c| c[1] <= c[0] * (1.0 + 1e-6) || c[0] == c[1]);
            prop_assert!(falls, "{costs:?} by {by}");
        }
    }
}

#[test]
fn one_bucket_on_one_gpu_takes_its_load_rounded_up() {
    for (rate, count) in [(0.0, 0), (0.5, 1), (2.0, 1), (2.1, 2), (7.0, 4)] {
        let question = question(&[rate], &[(3.0, vec![2.0], None)], SliceFactor::Whole(4));
        for by in backends() {
            let spread = spread(&question, Formulation::Staged, by);
            assert_eq!((spread.status, &spread.counts[..]), (Status::Optimal, &[count][..]));
            assert_eq!(spread.cost_per_h, 3.0 * count as f64);
        }
    }
}

#[test]
fn a_bucket_that_no_gpu_serves_is_named() {
    let gpus = [(1.0, vec![2.0, 0.0], None), (2.0, vec![3.0, 1.0], Some(0))];
    let question = question(&[1.0, 1.0], &gpus, SliceFactor::Whole(2));
    let spread = spread(&question, Formulation::Staged, backends()[0]);
    assert_eq!(spread.status, Status::Infeasible);
    assert!(spread.notes[0].contains("input 1, output 1: g1 would"), "{:?}", spread.notes);
}

#[test]
fn limits_that_are_too_low_say_what_they_allow() {
    let gpus = [(1.0, vec![2.0], Some(3))];
    let question = question(&[8.0], &gpus, SliceFactor::Whole(2));
    for by in backends() {
        let spread = spread(&question, Formulation::Staged, by);
        assert_eq!(spread.status, Status::Infeasible);
        assert!(
            spread.notes[0].contains("75.0% of the rate, 6.000 of 8.000"),
            "{:?}",
            spread.notes
        );
    }
}

#[test]
fn slices_that_are_too_coarse_are_said_to_be() {
    // One GPU of each type serves half the rate: 2 slices fit, 3 or 1 do not.
    let gpus = [(1.0, vec![2.0], Some(1)), (1.5, vec![2.0], Some(1))];
    for (k, status) in [(1, Status::Infeasible), (2, Status::Optimal), (3, Status::Infeasible)] {
        let question = question(&[4.0], &gpus, SliceFactor::Whole(k));
        for by in backends() {
            let spread = spread(&question, Formulation::Staged, by);
            assert_eq!(spread.status, status, "{k} slices by {by}");
            let said = spread.notes.iter().any(|n| n.contains("--slice-factor"));
            assert_eq!(said, status == Status::Infeasible, "{:?}", spread.notes);
        }
    }
}

#[test]
fn a_load_next_to_nothing_still_takes_a_gpu() {
    let gpus = [(1.0, vec![2.0], None), (0.5, vec![1.0], None)];
    let question = question(&[1e-9], &gpus, SliceFactor::Whole(4));
    for by in backends() {
        for formulation in STATEMENTS {
            let spread = spread(&question, formulation, by);
            assert_eq!((spread.status, &spread.counts[..]), (Status::Optimal, &[0, 1][..]));
        }
    }
}
