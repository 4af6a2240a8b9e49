//! Of several optima every backend takes the same: the one with the fewest cards, then the first.

use std::cmp::Reverse;

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::plan::{Choice, Status};
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Servers of up to four items of (rate, cents, type, cards), few numbers so that many plans cost the
/// same; their loads; and how many cards there are of each of two types.
fn cases(
    servers: std::ops::RangeInclusive<usize>,
    cards: std::ops::RangeInclusive<u32>,
) -> impl Strategy<Value = Problem> {
    let item = (1_u32..=2, 1_u32..=3, 0_usize..3, 1_u32..=2);
    let server = (proptest::collection::vec(item, 1..=4), 1_u32..=4);
    (proptest::collection::vec(server, servers), [cards.clone(), cards]).prop_map(
        |(servers, capacity)| {
            let item = |(j, &(rate, cost, k, cards)): (usize, &(u32, u32, usize, u32))| Item {
                candidate: j,
                rate: f64::from(rate),
                cost: f64::from(cost) * f64::from(rate),
                uses: (k < 2).then_some((k, f64::from(cards))).into_iter().collect(),
                cards: u64::from(cards),
                accelerator: j,
                card_type: k,
            };
            let needs = |(group, (_, load)): (usize, &(Vec<_>, u32))| Needs {
                group,
                demand: f64::from(*load),
                min_replicas: 1,
                max_replicas: None,
                min_types: 1,
                current: None,
                priority: 1,
                weight: 1.0,
            };
            let items = |s: &(Vec<(u32, u32, usize, u32)>, u32)| {
                s.0.iter().enumerate().map(item).collect::<Vec<_>>()
            };
            Problem {
                pools: Vec::new(),
                sold: Vec::new(),
                limits: capacity
                    .iter()
                    .map(|&c| Limit { name: "a type".to_owned(), capacity: f64::from(c) })
                    .collect(),
                groups: servers.iter().map(items).collect(),
                servers: servers.iter().enumerate().map(needs).collect(),
            }
        },
    )
}

/// A plan's cost, its cards, and its shares in the order in which plans are preferred.
type Rank = (u64, u64, Vec<Vec<(usize, Reverse<u64>)>>);

/// The first of all plans, by trying everything; `single` on one item a server.
fn first(problem: &Problem, single: bool, s: usize, left: [f64; 2]) -> Option<Rank> {
    if s == problem.servers.len() {
        return Some((0, 0, Vec::new()));
    }
    let (needs, items) = (&problem.servers[s], problem.items(s));
    let mut mixes = vec![Vec::new()];
    for item in items {
        let most = (needs.demand / item.rate).ceil() as u64;
        let longer = |mix: Vec<u64>| (0..=most).map(move |n| [mix.as_slice(), &[n]].concat());
        mixes = mixes.into_iter().flat_map(longer).collect();
    }
    let mut best: Option<Rank> = None;
    for mix in mixes {
        let used = || mix.iter().zip(items).enumerate().filter(|(_, (n, _))| **n > 0);
        let rate: f64 = used().map(|(_, (n, item))| *n as f64 * item.rate).sum();
        if rate < needs.demand || (single && used().count() > 1) {
            continue;
        }
        let mut rest = left;
        for (_, (n, item)) in used() {
            item.uses.iter().for_each(|&(k, amount)| rest[k] -= amount * *n as f64);
        }
        let Some(after) =
            rest.iter().all(|r| *r >= 0.0).then(|| first(problem, single, s + 1, rest)).flatten()
        else {
            continue;
        };
        let cost: f64 = used().map(|(_, (n, item))| *n as f64 * item.cost).sum();
        let cards: u64 = used().map(|(_, (n, item))| n * item.cards).sum();
        let shares: Vec<_> = used().map(|(j, (n, _))| (j, Reverse(*n))).collect();
        let rank = (after.0 + cost as u64, after.1 + cards, [vec![shares], after.2].concat());
        if best.as_ref().is_none_or(|best| rank < *best) {
            best = Some(rank);
        }
    }
    best
}

fn solve(problem: &Problem, shape: Shape, name: &str) -> Choice {
    let space = Space::new(problem, shape, &ProblemOptions::default());
    let backend = backend(name).expect("built");
    let (options, ablation) = (SolveOptions::default(), Ablation::default());
    pattern::solve(&space, &*backend, &options, &ablation).expect("solved")
}

fn sorted(choice: &Choice) -> Vec<Vec<(usize, u64)>> {
    let sorted = |shares: &Vec<(usize, u64)>| {
        let mut shares = shares.clone();
        shares.sort_unstable();
        shares
    };
    choice.shares.iter().map(sorted).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_first_of_all_optima_is_taken(problem in cases(1..=3, 0..=6)) {
        let capacity = [problem.limits[0].capacity, problem.limits[1].capacity];
        for shape in [Shape::Single, Shape::Mixed] {
            let expected = first(&problem, shape == Shape::Single, 0, capacity);
            for name in backends() {
                let choice = solve(&problem, shape, name);
                let Some((cost, _, shares)) = &expected else {
                    prop_assert_eq!(choice.status, Status::Infeasible);
                    continue;
                };
                prop_assert!((choice.objective - *cost as f64).abs() < 1e-6);
                let shares: Vec<Vec<(usize, u64)>> = shares
                    .iter()
                    .map(|s| s.iter().map(|&(j, Reverse(n))| (j, n)).collect())
                    .collect();
                prop_assert_eq!(sorted(&choice), shares, "{} {:?} {:?}", name, shape, &choice.notes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn backends_agree_on_cost_and_plan_of_larger_fleets(problem in cases(6..=14, 4..=30)) {
        for shape in [Shape::Single, Shape::Mixed] {
            let choices: Vec<Choice> =
                backends().into_iter().map(|name| solve(&problem, shape, name)).collect();
            for other in &choices[1..] {
                prop_assert_eq!(choices[0].status, other.status);
                if other.status == Status::Optimal {
                    prop_assert!((choices[0].objective - other.objective).abs() < 1e-6);
                    let left = |choice: &Choice| choice.notes.iter().any(|n| n.starts_with("ties"));
                    if !left(&choices[0]) && !left(other) {
                        prop_assert_eq!(sorted(&choices[0]), sorted(other));
                    }
                }
            }
        }
    }
}
