//! On random problems with few cards, totals find and prove what the compact statement does.

use isocost_solver::{Deadline, SolveOptions, default_backend};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::pattern::dual::{self, Part};
use crate::pattern::{Ablation, Shape, Space};
use crate::problem::{Item, Limit, Needs};
use crate::{Problem, ProblemOptions, mixed};

const TYPES: usize = 5;

/// Servers of two to five items: (rate, quarters of a cent, type, cards), and their loads; how many
/// cards there are of each type; whether a budget spans the last two types.
fn cases() -> impl Strategy<Value = Problem> {
    let item = (2_u32..=9, 4_u32..=40, 0_usize..TYPES, 1_u32..=3);
    let server = (proptest::collection::vec(item, 2..=5), 5_u32..=40);
    let capacity = proptest::collection::vec(1_u32..=9, TYPES + 1);
    (proptest::collection::vec(server, 2..=4), capacity, any::<bool>()).prop_map(
        |(servers, capacity, budget)| {
            let item = |(j, &(rate, cost, k, cards)): (usize, &(u32, u32, usize, u32))| {
                let spans = budget && k + 2 >= TYPES;
                let uses = [k].into_iter().chain(spans.then_some(TYPES));
                Item {
                    candidate: j,
                    rate: f64::from(rate),
                    cost: f64::from(cost) * 0.25,
                    uses: uses.map(|k| (k, f64::from(cards))).collect(),
                    cards: u64::from(cards),
                    accelerator: j,
                    card_type: k,
                }
            };
            let needs = |(group, (_, load)): (usize, &(Vec<_>, u32))| Needs {
                group,
                demand: f64::from(*load) * 0.9,
                min_replicas: 1,
                max_replicas: None,
                min_types: 1,
                current: None,
                priority: 1,
                weight: 1.0,
            };
            let limit =
                |c: &u32| Limit { name: "a type".to_owned(), capacity: f64::from(*c) * 1.5 };
            Problem {
                pools: Vec::new(),
                sold: Vec::new(),
                limits: capacity.iter().map(limit).collect(),
                groups: servers
                    .iter()
                    .map(|(items, _)| items.iter().enumerate().map(item).collect())
                    .collect(),
                servers: servers.iter().enumerate().map(needs).collect(),
            }
        },
    )
}

/// So many patterns that just one server has more, if any has.
fn all_but_one(exact: &Exact<'_>, root: &Root, delta: i64) -> Most {
    let of_server = |(s, least): (usize, &i64)| {
        let list = exact.list(s, &root.prices, &[], least + delta, LISTED);
        list.map_or(usize::MAX, |list| list.len())
    };
    let mut lengths: Vec<usize> = root.least.iter().enumerate().map(of_server).collect();
    lengths.sort_unstable();
    Most { patterns: lengths[lengths.len() - 2], ..LISTED }
}

#[test]
fn totals_prove_what_the_compact_statement_does() {
    let mut runner = TestRunner::deterministic();
    let (mut whole, mut apart, mut short) = (0, 0, 0);
    let backend = default_backend().expect("one is built");
    for _ in 0..1_000 {
        let problem = cases().new_tree(&mut runner).expect("a case").current();
        let options = ProblemOptions::default();
        let space = Space::new(&problem, Shape::Mixed, &options);
        let part = Part {
            servers: (0..problem.servers.len()).collect(),
            capacity: space.capacity.clone(),
        };
        let clock = Deadline::new(&SolveOptions::default());
        let dual = dual::bound(&space, &part, &*backend, &clock).expect("solved");
        let Some(dual) = dual.filter(|dual| dual.feasible) else { continue };
        let program = mixed(&problem, &options).solve(&problem, &*backend, &clock.options);
        let optimum = program.expect("solved").objective;
        let state = || {
            let mut state = State::new(&space, &*backend, &clock, Ablation::default());
            let root = state.root(&dual.lambda).expect("every server has a pattern");
            (state, root)
        };
        let (known, root) = state();
        let numbers = &known.exact.numbers;
        let units = |cents: f64| (numbers.at_most(cents) << root.prices.shift).max(0);
        let gap = optimum - numbers.cents(root.after(0) as f64);
        let wide = units(if gap.is_finite() { 2.0 * gap + 3.0 } else { 20.0 });
        let after = |delta: i64| numbers.cents(root.after(delta) as f64);
        for (most, proven) in
            [(LISTED, &mut whole), (all_but_one(&known.exact, &root, wide), &mut apart)]
        {
            let (mut state, root) = state();
            if state.totals_within(&root, wide, most).is_none() {
                continue;
            }
            let expected = optimum.min(after(wide + 1));
            assert_eq!(state.bound(), expected);
            assert!(state.cost() == optimum || gap.is_infinite());
            *proven += 1;
        }
        let half = units(gap.min(10.0) / 2.0);
        let (mut state, root) = state();
        if gap > 0.01 && state.totals_within(&root, half, LISTED).is_some() {
            assert!(state.bound() >= after(half));
            assert!(state.bound() <= optimum);
            short += 1;
        }
    }
    let counted = (whole, apart, short);
    assert!(whole > 100 && apart > 50 && short > 50, "{counted:?} are too few to tell");
}
