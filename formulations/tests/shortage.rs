//! Shortage against trying everything, on random tiny problems: with floors, ceilings, spread, servers
//! without load, and a limit on moves.

use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::shortage::{Effort, Policy, shortage};
use isocost_formulations::{Problem, ProblemOptions, greedy};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

const EFFORTS: [Effort; 4] =
    [Effort::Whole, Effort::Exhaustive, Effort::PriorityRoundRobin, Effort::RoundRobin];

fn policies(mixed: bool) -> impl Iterator<Item = Policy> {
    let each = EFFORTS.into_iter().flat_map(|effort| [(effort, false), (effort, true)]);
    each.map(move |(effort, delayed)| Policy { effort, delayed, mixed })
}

/// (Rate, cost, cards, card type) of an item.
type Drawn = (u32, u32, u32, usize);

/// A server's items, load, (fewest replicas, how many more at most), fewest card types, current
/// accelerator, priority and weight.
type Server = ([Drawn; 2], u32, (u64, Option<u64>), u32, Option<usize>, (u32, u32));

/// Three servers of two priorities with two items each, on two scarce limits; some without load.
fn problems() -> impl Strategy<Value = Problem> {
    let item = (1_u32..=5, 1_u32..=9, 1_u32..=2, 0_usize..2);
    let load = prop_oneof![1 => Just(0_u32), 4 => 1_u32..=12];
    let replicas = (0_u64..=2, proptest::option::of(0_u64..=3));
    let now = proptest::option::of(0_usize..2);
    let server = ([item.clone(), item], load, replicas, 0_u32..=2, now, (1_u32..=2, 1_u32..=3));
    let servers = [server.clone(), server.clone(), server];
    (servers, [0_u32..=4, 0..=4]).prop_map(|(servers, capacity)| {
        let limit = |c: &u32| Limit { name: format!("type {c}"), capacity: f64::from(*c) };
        Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: capacity.iter().map(limit).collect(),
            groups: servers.iter().map(items).collect(),
            servers: servers.iter().enumerate().map(needs).collect(),
        }
    })
}

fn items(server: &Server) -> Vec<Item> {
    let item = |(j, &(rate, cost, cards, on)): (usize, &Drawn)| Item {
        candidate: j,
        rate: if server.1 > 0 { f64::from(rate) } else { f64::INFINITY },
        cost: f64::from(cost),
        uses: vec![(on, f64::from(cards))],
        cards: u64::from(cards),
        accelerator: j,
        card_type: on,
    };
    server.0.iter().enumerate().map(item).collect()
}

fn needs((group, server): (usize, &Server)) -> Needs {
    let &(_, demand, (least, more), min_types, now, (priority, weight)) = server;
    Needs {
        group,
        demand: f64::from(demand),
        min_replicas: least,
        max_replicas: more.map(|more| least + more),
        min_types,
        current: now.map(|accelerator| (accelerator, 1.0)),
        priority,
        weight: f64::from(weight),
    }
}

/// Replicas of each item of each server.
type Choice = Vec<[u64; 2]>;

fn is_idle(needs: &Needs) -> bool {
    needs.demand == 0.0 && needs.min_replicas == 0
}

/// Most replicas on one item, and on both, that a server may have or could use.
fn most(problem: &Problem, s: usize, j: usize) -> (u64, u64) {
    let needs = &problem.servers[s];
    let cover = (needs.demand / problem.items(s)[j].rate).ceil() as u64;
    let all = match (is_idle(needs), needs.demand == 0.0) {
        (true, _) => 0,
        (_, true) => needs.min_replicas.max(needs.min_types.into()),
        _ => u64::MAX,
    };
    let all = all.min(needs.max_replicas.unwrap_or(u64::MAX));
    (cover.max(needs.min_replicas).max(1).min(all), all)
}

/// Whether its most replicas serve less than its load on either item.
fn is_capped(problem: &Problem, s: usize) -> bool {
    let needs = &problem.servers[s];
    let fastest = problem.items(s).iter().map(|item| item.rate).fold(0.0, f64::max);
    needs.demand > 0.0
        && needs.max_replicas.is_some_and(|most| most as f64 * fastest < needs.demand)
}

/// Every choice of whole replicas within the limits; `mixed` lets both items serve a server.
fn choices(problem: &Problem, mixed: bool, moves: Option<u64>) -> Vec<Choice> {
    let mut all: Vec<Choice> = vec![Vec::new()];
    for s in 0..problem.servers.len() {
        let ((first, both), (second, _)) = (most(problem, s, 0), most(problem, s, 1));
        let mut longer = Vec::new();
        for before in &all {
            for (a, b) in (0..=first).flat_map(|a| (0..=second).map(move |b| (a, b))) {
                let choice: Choice = before.iter().copied().chain([[a, b]]).collect();
                if (mixed || a == 0 || b == 0) && a + b <= both && fits(problem, &choice) {
                    longer.push(choice);
                }
            }
        }
        all = longer;
    }
    all.retain(|choice| moves.is_none_or(|most| moved(problem, choice) <= most));
    all
}

/// Servers with a replica off their current accelerator.
fn moved(problem: &Problem, choice: &Choice) -> u64 {
    let moves = |(s, n): &(usize, &[u64; 2])| {
        problem.servers[*s].current.is_some_and(|(now, _)| n[1 - now] > 0)
    };
    choice.iter().enumerate().filter(moves).count() as u64
}

fn fits(problem: &Problem, choice: &Choice) -> bool {
    let mut left = [problem.limits[0].capacity, problem.limits[1].capacity];
    for (s, n) in choice.iter().enumerate() {
        for (item, n) in problem.items(s).iter().zip(n) {
            let (k, cards) = item.uses[0];
            left[k] -= cards * *n as f64;
        }
    }
    left.iter().all(|left| *left >= 0.0)
}

/// Share of a server's load that is served.
fn share(problem: &Problem, choice: &Choice, s: usize) -> f64 {
    let demand = problem.servers[s].demand;
    let rates = problem.items(s).iter().zip(choice[s]).filter(|(_, n)| *n > 0);
    let rate: f64 = rates.map(|(item, n)| item.rate * n as f64).sum();
    if demand > 0.0 { (rate / demand).min(1.0) } else { 1.0 }
}

/// Card types in use by a server.
fn types(problem: &Problem, choice: &Choice, s: usize) -> u32 {
    let uses = |t: usize| {
        problem.items(s).iter().zip(choice[s]).any(|(item, n)| n > 0 && item.card_type == t)
    };
    u32::from(uses(0)) + u32::from(uses(1))
}

/// What a policy looks at, the first first; larger is better.
struct Value<'a> {
    problem: &'a Problem,
    choice: &'a Choice,
    stages: Vec<f64>,
}

impl Value<'_> {
    fn of(problem: &Problem, policy: Policy, choice: &Choice) -> Vec<f64> {
        let mut value = Value { problem, choice, stages: Vec::new() };
        for q in [1, 2] {
            value.promises(q);
            if policy.delayed || policy.effort == Effort::Whole {
                value.whole(q);
            }
            if policy.effort == Effort::Whole {
                value.capped(q);
            } else if !policy.delayed {
                value.best_effort(policy.effort, q);
            }
        }
        if policy.delayed {
            [1, 2].into_iter().for_each(|q| value.best_effort(policy.effort, q));
        }
        if policy.effort == Effort::RoundRobin {
            value.fair(vec![1, 2]);
        }
        value.cost();
        value.stages
    }

    /// Servers with load of some priorities.
    fn loaded(&self, priorities: &[u32]) -> Vec<usize> {
        let servers = self.problem.servers.iter().enumerate();
        let meant = servers.filter(|(_, n)| priorities.contains(&n.priority) && n.demand > 0.0);
        meant.map(|(s, _)| s).collect()
    }

    fn promises(&mut self, q: u32) {
        let (mut floor, mut spread) = (0, 0);
        for (s, needs) in self.problem.servers.iter().enumerate().filter(|(_, n)| n.priority == q) {
            floor += needs.min_replicas.min(self.choice[s].iter().sum());
            if needs.min_types > 1 && !is_idle(needs) {
                spread += needs.min_types.min(types(self.problem, self.choice, s));
            }
        }
        self.stages.extend([floor as f64, f64::from(spread)]);
    }

    fn load(&self, servers: Vec<usize>, of: impl Fn(f64) -> f64) -> f64 {
        let served =
            |s: usize| self.problem.servers[s].demand * of(share(self.problem, self.choice, s));
        servers.into_iter().map(served).sum()
    }

    fn whole(&mut self, q: u32) {
        let full = |share: f64| if share == 1.0 { 1.0 } else { 0.0 };
        self.stages.push(self.load(self.loaded(&[q]), full));
    }

    fn capped(&mut self, q: u32) {
        let mut servers = self.loaded(&[q]);
        servers.retain(|&s| is_capped(self.problem, s));
        self.stages.push(self.load(servers, |share| share));
    }

    fn best_effort(&mut self, effort: Effort, q: u32) {
        match effort {
            Effort::Exhaustive => {
                self.stages.push(self.load(self.loaded(&[q]), |share| share));
            }
            Effort::PriorityRoundRobin => self.fair(vec![q]),
            Effort::Whole | Effort::RoundRobin => {}
        }
    }

    fn fair(&mut self, priorities: Vec<u32>) {
        let servers = self.loaded(&priorities);
        let level = |s: usize| share(self.problem, self.choice, s) / self.problem.servers[s].weight;
        let mut shares: Vec<f64> = servers.into_iter().map(level).collect();
        shares.sort_by(f64::total_cmp);
        let sums = [1, 2, 4].into_iter().filter(|k| *k < shares.len()).chain([shares.len()]);
        self.stages.extend(sums.map(|k| shares[..k].iter().sum::<f64>()));
    }

    fn cost(&mut self) {
        let mut cost = 0.0;
        for (s, n) in self.choice.iter().enumerate() {
            cost += (0..2).map(|j| self.problem.items(s)[j].cost * n[j] as f64).sum::<f64>();
        }
        self.stages.push(-cost);
    }
}

fn better(a: &[f64], b: &[f64]) -> bool {
    let first = a.iter().zip(b).find(|(x, y)| (*x - *y).abs() > 1e-7);
    first.is_some_and(|(x, y)| x > y)
}

/// In full or the fewest replicas alone, where a server could be served in full.
fn is_allowed(problem: &Problem, policy: Policy, choice: &Choice) -> bool {
    policy.effort != Effort::Whole
        || (0..choice.len()).all(|s| {
            let fewest = choice[s].iter().sum::<u64>() <= problem.servers[s].min_replicas;
            fewest || share(problem, choice, s) == 1.0 || is_capped(problem, s)
        })
}

/// Replicas of each item of each server.
fn counts(shares: &[Vec<(usize, u64)>]) -> Choice {
    let mut counts = vec![[0; 2]; shares.len()];
    for (s, share) in shares.iter().enumerate() {
        share.iter().for_each(|&(j, n)| counts[s][j] += n);
    }
    counts
}

/// Problems drawn; more with `ISOCOST_CASES`.
fn cases() -> u32 {
    std::env::var("ISOCOST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn every_policy_is_its_lexicographic_optimum(
        problem in problems(),
        max_moves in proptest::option::of(0_u64..=2),
    ) {
        let options = ProblemOptions { max_moves, ..ProblemOptions::default() };
        for mixed in [false, true] {
            let all = choices(&problem, mixed, max_moves);
            for policy in policies(mixed) {
                let allowed = all.iter().filter(|choice| is_allowed(&problem, policy, choice));
                let values = allowed.map(|choice| Value::of(&problem, policy, choice));
                let best = values.reduce(|a, b| if better(&b, &a) { b } else { a }).expect("nothing fits");
                for name in backends() {
                    let backend = backend(name).expect("built");
                    let choice = shortage(&problem, &options, policy, &*backend, &SolveOptions::default()).expect("solved");
                    prop_assert_eq!(choice.status, Status::Optimal, "{:?} {}: {:?}", policy, name, choice);
                    let counts = counts(&choice.shares);
                    prop_assert!(all.contains(&counts), "{policy:?} {name}: {counts:?}");
                    prop_assert!(is_allowed(&problem, policy, &counts), "{policy:?} {name}: {counts:?}");
                    let got = Value::of(&problem, policy, &counts);
                    prop_assert!(!better(&got, &best) && !better(&best, &got), "{policy:?} {name}: {counts:?} {got:?} {best:?}");
                }
            }
        }
    }

    /// The baseline keeps the hard rules, and holds what fits of floors where nobody else asks.
    #[test]
    fn the_heuristic_keeps_limits_and_ceilings(
        problem in problems(),
        max_moves in proptest::option::of(0_u64..=2),
    ) {
        for policy in policies(false) {
            let options = ProblemOptions { max_moves, transition: true, unlimited: false };
            let found = greedy(&problem, Some(policy), &options);
            let counts = counts(&found.choice.shares);
            let moved = moved(&problem, &counts);
            prop_assert!(max_moves.is_none_or(|most| moved <= most), "{policy:?}: {counts:?}");
            prop_assert!(fits(&problem, &counts), "{policy:?}: {counts:?}");
            prop_assert!(is_allowed(&problem, policy, &counts), "{policy:?}: {counts:?}");
            for s in 0..counts.len() {
                let all = most(&problem, s, 0).1;
                prop_assert!(counts[s].iter().sum::<u64>() <= all, "{policy:?}: {counts:?}");
                prop_assert!(counts[s].contains(&0), "{policy:?}: {counts:?}");
            }
            let mut cost = Value { problem: &problem, choice: &counts, stages: Vec::new() };
            cost.cost();
            let change: f64 = problem.servers.iter().map(|n| n.current.map_or(0.0, |(_, old)| old)).sum();
            prop_assert!(found.choice.objective + change >= -cost.stages[0] - 1e-9);
        }
    }
}
