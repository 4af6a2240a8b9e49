//! Shortage against trying everything, on random tiny problems.

use isocost_formulations::Problem;
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::shortage::{Service, shortage};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Three servers of two priorities with two items each, on two scarce limits.
fn problems() -> impl Strategy<Value = Problem> {
    let item = (1_u32..=5, 1_u32..=9, 1_u32..=2);
    let server = ([item.clone(), item], 1_u32..=12, 1_u32..=2);
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
            let needs = |(group, s): (usize, &(_, u32, u32))| Needs {
                group,
                demand: f64::from(s.1),
                min_replicas: 0,
                max_replicas: None,
                min_types: 0,
                current: None,
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

/// (served of priority 1, of priority 2, less the cost): larger is better, in this order.
type Value = [f64; 3];

fn better(a: Value, b: Value) -> bool {
    let first = a.iter().zip(&b).find(|(x, y)| (*x - *y).abs() > 1e-7);
    first.is_some_and(|(x, y)| x > y)
}

fn brute_force(problem: &Problem, service: Service, s: usize, left: [f64; 2]) -> Value {
    if s == problem.servers.len() {
        return [0.0; 3];
    }
    let needs = &problem.servers[s];
    let mut best = brute_force(problem, service, s + 1, left);
    for (j, item) in problem.items(s).iter().enumerate() {
        let most = needs.replicas(item).expect("no upper limit");
        for n in (1..=most).filter(|n| service == Service::Partial || *n == most) {
            let mut rest = left;
            rest[j] -= item.uses[0].1 * n as f64;
            if rest[j] < 0.0 {
                continue;
            }
            let mut value = brute_force(problem, service, s + 1, rest);
            value[needs.priority as usize - 1] += (item.rate * n as f64).min(needs.demand);
            value[2] -= item.cost * n as f64;
            if better(value, best) {
                best = value;
            }
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_lexicographic_optimum(problem in problems()) {
        let left = [problem.limits[0].capacity, problem.limits[1].capacity];
        for service in [Service::Whole, Service::Partial] {
            let expected = brute_force(&problem, service, 0, left);
            for name in backends() {
                let backend = backend(name).expect("built");
                let choice = shortage(&problem, service, &*backend, &SolveOptions::default()).expect("solved");
                prop_assert_eq!(choice.status, Status::Optimal);
                let mut got = [0.0; 3];
                for (s, share) in choice.shares.iter().enumerate() {
                    let items = problem.items(s);
                    let rate: f64 = share.iter().map(|&(j, n)| items[j].rate * n as f64).sum();
                    let needs = &problem.servers[s];
                    got[needs.priority as usize - 1] += rate.min(needs.demand);
                    got[2] -= share.iter().map(|&(j, n)| items[j].cost * n as f64).sum::<f64>();
                }
                prop_assert!(!better(got, expected) && !better(expected, got), "{service:?} {name}: {got:?} {expected:?}");
            }
        }
    }
}
