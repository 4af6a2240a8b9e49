//! On random tiny problems every formulation, by every backend, finds what trying everything finds:
//! with few cards, budgets over all types, fewest and most replicas, spread over types, allocations
//! that a move is charged for, and a limit on moves.

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::problem::{Item, Limit, MOVE_PENALTY, Needs};
use isocost_formulations::{Problem, ProblemOptions, mixed, single};
use isocost_model::plan::{Choice, Status};
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Card types; the first two exist in numbers, and a budget spans all.
const TYPES: usize = 3;

/// A server: (rate, quarters of a cent, type, cards) of each item, its load, and (fewest replicas,
/// how many more at most, types, current accelerator and half cents).
type Server = (Vec<(u32, u32, usize, u32)>, u32, (u64, u64, u32, Option<(usize, u32)>));

/// Up to three servers with up to three items, and what is asked of them.
fn cases() -> impl Strategy<Value = (Problem, ProblemOptions)> {
    let item = (1_u32..=8, 1_u32..=12, 0_usize..TYPES, 1_u32..=3);
    let rules = (0_u64..=2, 0_u64..=3, 0_u32..=3, proptest::option::of((0_usize..4, 1_u32..=40)));
    let server = (proptest::collection::vec(item, 1..=3), 0_u32..=24, rules);
    let options = (any::<bool>(), proptest::option::of(0_u64..=2));
    (proptest::collection::vec(server, 1..=3), [0_u32..=12, 0..=12, 0..=24], options).prop_map(
        |(servers, capacity, (transition, max_moves))| {
            let limit = |(k, c): (usize, &u32)| Limit {
                name: format!("limit {k}"),
                capacity: f64::from(*c),
            };
            let groups =
                servers.iter().map(|s| s.0.iter().enumerate().map(item_of).collect()).collect();
            let needs =
                |(group, (_, demand, (least, more, min_types, current))): (usize, &Server)| Needs {
                    group,
                    demand: f64::from(*demand) * 0.7,
                    min_replicas: *least,
                    max_replicas: (*more > 0).then_some(least + 2 * more),
                    min_types: *min_types,
                    current: current.map(|(a, cost)| (a, f64::from(cost) * 0.5)),
                    priority: 1,
                };
            let limits = capacity.iter().enumerate().map(limit).collect();
            let servers = servers.iter().enumerate().map(needs).collect();
            let options = ProblemOptions { unlimited: false, transition, max_moves };
            (Problem { limits, groups, servers }, options)
        },
    )
}

fn item_of((j, &(rate, cost, k, cards)): (usize, &(u32, u32, usize, u32))) -> Item {
    let of_type = (k < 2).then_some((k, f64::from(cards)));
    Item {
        candidate: j,
        rate: f64::from(rate),
        cost: f64::from(cost) * 0.25,
        uses: of_type.into_iter().chain([(2, f64::from(cards))]).collect(),
        cards: u64::from(cards),
        accelerator: j,
        card_type: k,
    }
}

/// Every mix that a server may have, with no more replicas of an item than could be of use.
fn mixes(problem: &Problem, s: usize, shape: Shape) -> Vec<Vec<u64>> {
    let (needs, items) = (&problem.servers[s], problem.items(s));
    if needs.demand == 0.0 && needs.min_replicas == 0 {
        return vec![vec![0; items.len()]];
    }
    let most = |item: &Item| ((needs.demand / item.rate).ceil() as u64).max(needs.min_replicas);
    let mut all = vec![Vec::new()];
    for item in items {
        let longer =
            |mix: Vec<u64>| (0..=most(item).max(1)).map(move |n| [mix.as_slice(), &[n]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all.retain(|mix| {
        let used = || mix.iter().zip(items).filter(|(n, _)| **n > 0);
        let rate: f64 = used().map(|(n, i)| *n as f64 * i.rate).sum();
        let count: u64 = mix.iter().sum();
        let on = |k: usize| used().any(|(_, item)| item.card_type == k);
        let types = (0..TYPES).filter(|&k| on(k)).count();
        rate >= needs.demand * (1.0 - 1e-9)
            && count >= needs.min_replicas
            && needs.max_replicas.is_none_or(|most| count <= most)
            && (needs.min_types <= 1 || types >= needs.min_types as usize)
            && (shape == Shape::Mixed || used().count() <= 1)
    });
    all
}

/// What a mix is charged, and whether it is a move.
fn value(problem: &Problem, options: &ProblemOptions, s: usize, mix: &[u64]) -> (f64, bool) {
    let used = || mix.iter().zip(problem.items(s)).filter(|(n, _)| **n > 0);
    let cost = |(n, item): (&u64, &Item)| *n as f64 * item.cost;
    let all: f64 = used().map(cost).sum();
    let Some((now, old)) = problem.servers[s].current else { return (all, false) };
    let off: f64 = used().filter(|(_, item)| item.accelerator != now).map(cost).sum();
    let moved = used().any(|(_, item)| item.accelerator != now);
    if !options.transition {
        return (all, moved);
    }
    let idle = problem.servers[s].demand == 0.0 && problem.servers[s].min_replicas == 0;
    let kept = idle || used().any(|(_, item)| item.accelerator == now);
    let given_up = if kept { 0.0 } else { MOVE_PENALTY * old };
    (all - old + MOVE_PENALTY * off + given_up, moved)
}

/// The least value by trying everything, given what is left of the limits and of the moves.
fn brute_force(case: &(Problem, ProblemOptions), shape: Shape, s: usize, left: [f64; 4]) -> f64 {
    let (problem, options) = case;
    if s == problem.servers.len() {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for mix in mixes(problem, s, shape) {
        let (value, moved) = value(problem, options, s, &mix);
        let mut rest = left;
        rest[3] -= f64::from(moved);
        for (n, item) in mix.iter().zip(problem.items(s)) {
            item.uses.iter().for_each(|&(k, amount)| rest[k] -= amount * *n as f64);
        }
        if rest.iter().all(|r| *r >= 0.0) {
            best = best.min(value + brute_force(case, shape, s + 1, rest));
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
            (choice.objective - expected).abs() < 1e-6 * (1.0 + expected.abs()),
            "{how}: {} not {expected}",
            choice.objective
        );
        prop_assert!(
            choice.bound <= expected + 1e-6 * (1.0 + expected.abs()),
            "{how}: bound {} is above {expected}",
            choice.bound
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn every_formulation_finds_the_optimum(case in cases()) {
        let (problem, options) = &case;
        let capacity = |k: usize| problem.limits[k].capacity;
        let moves = options.max_moves.map_or(f64::INFINITY, |most| most as f64);
        let left = [capacity(0), capacity(1), capacity(2), moves];
        let solve = SolveOptions::default();
        for name in backends() {
            let backend = backend(name).expect("it was built");
            for shape in [Shape::Single, Shape::Mixed] {
                let expected = brute_force(&case, shape, 0, left);
                let program = match shape {
                    Shape::Single => single(problem, options),
                    Shape::Mixed => mixed(problem, options),
                };
                let compact = program.solve(problem, &*backend, &solve).expect("it solves");
                agrees(&compact, expected, &format!("{shape:?}, compact, {name}"))?;
                let space = Space::new(problem, shape, options);
                for ablation in [Ablation::default(), bare()] {
                    let choice = pattern::solve(&space, &*backend, &solve, &ablation);
                    let how = format!("{shape:?}, by patterns, {name}, {ablation:?}");
                    agrees(&choice.expect("it solves"), expected, &how)?;
                }
            }
        }
    }
}

/// The pattern method without any of its means.
fn bare() -> Ablation {
    Ablation {
        prune: false,
        fixing: false,
        listing: false,
        cuts: false,
        totals: false,
        step: false,
        ties: false,
    }
}
