//! Shortage against trying everything, on random tiny problems.

use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::shortage::{Effort, Policy, shortage};
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Three servers of two priorities with two items each, on two scarce limits.
fn problems() -> impl Strategy<Value = Problem> {
    let item = (1_u32..=5, 1_u32..=9, 1_u32..=2);
    let now = proptest::option::of(0_usize..2);
    let server = ([item.clone(), item], 1_u32..=12, 1_u32..=2, now);
    ([server.clone(), server.clone(), server], [0_u32..=4, 0..=4]).prop_map(
        |(servers, capacity)| {
            let limit = |c: &u32| Limit { name: format!("type {c}"), capacity: f64::from(*c) };
            let item = |(j, &(rate, cost, cards)): (usize, &(u32, u32, u32))| Item {
                candidate: j,
                rate: f64::from(rate),
                cost: f64::from(cost),
                uses: vec![(j, f64::from(cards))],
                cards: u64::from(cards),
                accelerator: j,
                card_type: j,
            };
            let needs = |(group, s): (usize, &(_, u32, u32, Option<usize>))| Needs {
                group,
                demand: f64::from(s.1),
                min_replicas: 0,
                max_replicas: None,
                min_types: 0,
                current: s.3.map(|accelerator| (accelerator, 1.0)),
                priority: s.2,
            };
            Problem {
                limits: capacity.iter().map(limit).collect(),
                groups: servers
                    .iter()
                    .map(|s| s.0.iter().enumerate().map(item).collect())
                    .collect(),
                servers: servers.iter().enumerate().map(needs).collect(),
            }
        },
    )
}

/// Every choice of whole replicas within the limits, as replicas of each item of each server;
/// `mixed` lets both items serve a server.
fn choices(problem: &Problem, mixed: bool, moves: Option<u64>) -> Vec<Vec<[u64; 2]>> {
    let mut all: Vec<Vec<[u64; 2]>> = vec![Vec::new()];
    for s in 0..problem.servers.len() {
        let most = |j: usize| problem.servers[s].replicas(&problem.items(s)[j]).expect("no limit");
        let pairs = (0..=most(0)).flat_map(|a| (0..=most(1)).map(move |b| [a, b]));
        let pairs: Vec<[u64; 2]> = pairs.filter(|[a, b]| mixed || *a == 0 || *b == 0).collect();
        let longer = all.iter().flat_map(|before| {
            let with = |pair: &[u64; 2]| before.iter().copied().chain([*pair]).collect::<Vec<_>>();
            pairs.iter().map(with).collect::<Vec<_>>()
        });
        all = longer.filter(|choice| fits(problem, choice)).collect();
    }
    all.retain(|choice| moves.is_none_or(|most| moved(problem, choice) <= most));
    all
}

/// Servers with a replica off their current accelerator.
fn moved(problem: &Problem, choice: &[[u64; 2]]) -> u64 {
    let moves = |(s, n): &(usize, &[u64; 2])| {
        problem.servers[*s].current.is_some_and(|(now, _)| n[1 - now] > 0)
    };
    choice.iter().enumerate().filter(moves).count() as u64
}

fn fits(problem: &Problem, choice: &[[u64; 2]]) -> bool {
    (0..2).all(|j| {
        let used =
            choice.iter().enumerate().map(|(s, n)| problem.items(s)[j].uses[0].1 * n[j] as f64);
        used.sum::<f64>() <= problem.limits[j].capacity
    })
}

/// What a policy looks at, the first first; larger is better.
fn value(problem: &Problem, policy: Policy, choice: &[[u64; 2]]) -> Vec<f64> {
    let served: Vec<f64> = choice
        .iter()
        .enumerate()
        .map(|(s, n)| {
            let rate: f64 = (0..2).map(|j| problem.items(s)[j].rate * n[j] as f64).sum();
            (rate / problem.servers[s].demand).min(1.0)
        })
        .collect();
    let of = |q: Option<u32>| -> Vec<usize> {
        let all = 0..problem.servers.len();
        all.filter(|&s| q.is_none_or(|q| problem.servers[s].priority == q)).collect()
    };
    let load = |servers: Vec<usize>, share: &dyn Fn(usize) -> f64| -> f64 {
        servers.into_iter().map(|s| problem.servers[s].demand * share(s)).sum()
    };
    let full = |s: usize| if served[s] == 1.0 { 1.0 } else { 0.0 };
    let fair = |servers: Vec<usize>| -> Vec<f64> {
        let mut shares: Vec<f64> = servers.iter().map(|&s| served[s]).collect();
        shares.sort_by(f64::total_cmp);
        let sums = [1, 2, 4].into_iter().filter(|k| *k < shares.len()).chain([shares.len()]);
        sums.map(|k| shares[..k].iter().sum()).collect()
    };
    let whole = || [1, 2].map(|q| load(of(Some(q)), &full)).to_vec();
    let mut values =
        if policy.delayed || policy.effort == Effort::Whole { whole() } else { vec![] };
    match policy.effort {
        Effort::Whole => {}
        Effort::Exhaustive => {
            values.extend([1, 2].map(|q| load(of(Some(q)), &|s| served[s])));
        }
        Effort::PriorityRoundRobin => {
            [1, 2].into_iter().for_each(|q| values.extend(fair(of(Some(q)))))
        }
        Effort::RoundRobin => values.extend(fair(of(None))),
    }
    let costs = choice
        .iter()
        .enumerate()
        .map(|(s, n)| (0..2).map(|j| problem.items(s)[j].cost * n[j] as f64).sum::<f64>());
    values.push(-costs.sum::<f64>());
    values
}

fn better(a: &[f64], b: &[f64]) -> bool {
    let first = a.iter().zip(b).find(|(x, y)| (*x - *y).abs() > 1e-7);
    first.is_some_and(|(x, y)| x > y)
}

/// Serving in full or not at all rules part service out.
fn allowed(problem: &Problem, policy: Policy, choice: &[[u64; 2]]) -> bool {
    let full = |(s, n): (usize, &[u64; 2])| {
        let rate: f64 = (0..2).map(|j| problem.items(s)[j].rate * n[j] as f64).sum();
        *n == [0, 0] || rate >= problem.servers[s].demand
    };
    policy.effort != Effort::Whole || choice.iter().enumerate().all(full)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_policy_is_its_lexicographic_optimum(
        problem in problems(),
        max_moves in proptest::option::of(0_u64..=2),
    ) {
        let options = ProblemOptions { max_moves, ..ProblemOptions::default() };
        let efforts =
            [Effort::Whole, Effort::Exhaustive, Effort::PriorityRoundRobin, Effort::RoundRobin];
        for mixed in [false, true] {
            let all = choices(&problem, mixed, max_moves);
            for (effort, delayed) in efforts.iter().flat_map(|e| [(*e, false), (*e, true)]) {
                let policy = Policy { effort, delayed, mixed };
                let values = all.iter().filter(|c| allowed(&problem, policy, c)).map(|c| value(&problem, policy, c));
                let best = values.reduce(|a, b| if better(&b, &a) { b } else { a }).expect("none at all fits");
                for name in backends() {
                    let backend = backend(name).expect("built");
                    let choice = shortage(&problem, &options, policy, &*backend, &SolveOptions::default()).expect("solved");
                    prop_assert_eq!(choice.status, Status::Optimal, "{:?} {}: {:?}", policy, name, choice);
                    let mut counts = vec![[0; 2]; problem.servers.len()];
                    for (s, share) in choice.shares.iter().enumerate() {
                        share.iter().for_each(|&(j, n)| counts[s][j] += n);
                    }
                    prop_assert!(fits(&problem, &counts), "{policy:?} {name}");
                    let got = value(&problem, policy, &counts);
                    prop_assert!(!better(&got, &best) && !better(&best, &got), "{policy:?} {name}: {got:?} {best:?}");
                }
            }
        }
    }
}
