//! On random tiny problems every formulation, by every backend, finds what trying everything finds.

use isocost_formulations::pattern::{self, Devices, Shape, Space};
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::{Problem, ProblemOptions, mixed, single};
use isocost_model::plan::{Choice, Status};
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Up to three servers with up to three items on up to two limits.
fn problems() -> impl Strategy<Value = Problem> {
    let item = (1_u32..=8, 1_u32..=12, 0_usize..2, 1_u32..=3);
    let server = (proptest::collection::vec(item, 1..=3), 1_u32..=24, 0_u64..=2, 0_u64..=3);
    (proptest::collection::vec(server, 1..=3), [0_u32..=12, 0..=12]).prop_map(
        |(servers, capacity)| {
            let limit =
                |k: usize| Limit { name: format!("type {k}"), capacity: f64::from(capacity[k]) };
            let groups =
                servers.iter().map(|s| s.0.iter().enumerate().map(item_of).collect()).collect();
            let needs = servers.iter().enumerate().map(|(group, s)| Needs {
                group,
                demand: f64::from(s.1) * 0.7,
                min_replicas: s.2,
                max_replicas: (s.3 > 0).then_some(s.2 + 2 * s.3),
                min_types: 0,
                current: None,
                priority: 1,
            });
            Problem { limits: vec![limit(0), limit(1)], groups, servers: needs.collect() }
        },
    )
}

fn item_of((j, &(rate, cost, k, cards)): (usize, &(u32, u32, usize, u32))) -> Item {
    Item {
        candidate: j,
        rate: f64::from(rate),
        cost: f64::from(cost) * 0.25,
        uses: vec![(k, f64::from(cards))],
        cards: u64::from(cards),
        accelerator: j,
        card_type: k,
    }
}

/// Every cover of a server with no more replicas of an item than could be of use.
fn covers(problem: &Problem, s: usize, shape: Shape) -> Vec<Vec<u64>> {
    let (needs, items) = (&problem.servers[s], problem.items(s));
    let most = |item: &Item| ((needs.demand / item.rate).ceil() as u64).max(needs.min_replicas);
    let mut all = vec![Vec::new()];
    for item in items {
        let longer = |mix: Vec<u64>| (0..=most(item)).map(move |n| [mix.as_slice(), &[n]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all.retain(|mix| {
        let rate: f64 = mix.iter().zip(items).map(|(n, i)| *n as f64 * i.rate).sum();
        let count: u64 = mix.iter().sum();
        let single = mix.iter().filter(|n| **n > 0).count() <= 1;
        rate >= needs.demand * (1.0 - 1e-9)
            && count >= needs.min_replicas
            && needs.max_replicas.is_none_or(|most| count <= most)
            && (shape == Shape::Mixed || single)
    });
    all
}

/// The least cost by trying everything.
fn brute_force(problem: &Problem, shape: Shape, s: usize, left: [f64; 2]) -> f64 {
    if s == problem.servers.len() {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for mix in covers(problem, s, shape) {
        let (mut cost, mut rest) = (0.0, left);
        for (n, item) in mix.iter().zip(problem.items(s)) {
            cost += item.cost * *n as f64;
            item.uses.iter().for_each(|&(k, amount)| rest[k] -= amount * *n as f64);
        }
        if rest.iter().all(|r| *r >= 0.0) {
            best = best.min(cost + brute_force(problem, shape, s + 1, rest));
        }
    }
    best
}

fn agrees(choice: &Choice, expected: f64, how: &str) -> Result<(), TestCaseError> {
    if expected.is_infinite() {
        prop_assert_eq!(choice.status, Status::Infeasible, "{}", how);
    } else {
        prop_assert_eq!(choice.status, Status::Optimal, "{}", how);
        prop_assert!(
            (choice.objective - expected).abs() < 1e-6,
            "{how}: {} not {expected}",
            choice.objective
        );
        prop_assert!(
            choice.bound <= expected + 1e-6,
            "{how}: bound {} is above {expected}",
            choice.bound
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn every_formulation_finds_the_optimum(problem in problems()) {
        let left = [problem.limits[0].capacity, problem.limits[1].capacity];
        let options = ProblemOptions::default();
        let solve = SolveOptions::default();
        for name in backends() {
            let backend = backend(name).expect("it was built");
            for shape in [Shape::Single, Shape::Mixed] {
                let expected = brute_force(&problem, shape, 0, left);
                let program = match shape {
                    Shape::Single => single(&problem, &options),
                    Shape::Mixed => mixed(&problem, &options),
                };
                let compact = program.solve(&problem, &*backend, &solve).expect("it solves");
                agrees(&compact, expected, &format!("{shape:?}, compact, {name}"))?;
                let space = Space::new(&problem, shape, &options);
                let choice = pattern::solve(&space, &*backend, &solve, &Devices::default()).expect("it solves");
                agrees(&choice, expected, &format!("{shape:?}, by patterns, {name}"))?;
            }
        }
    }
}
