//! Servers whose rates nearly follow prices: thousands of mixes cost nearly the same, and a bound that is
//! rounded anywhere is soon above the optimum.
//!
//! The witness is a table over prices, in whole numbers: rates are the fractions that they are as f64,
//! times a power of two, and a mix covers a load `L` if `10^9 sum r_j n_j >= (10^9 - 1) L`.

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::problem::{Item, Needs};
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Cases of each backend; `NEAR_TIES=1000` runs more of them.
const CASES: usize = 150;

/// A server: prices of its items and what their rates are off by, in parts of `spread`; its load.
type Server = (Vec<(u32, i32)>, u32);

fn servers() -> impl Strategy<Value = (Vec<Server>, i32)> {
    let item = prop_oneof![(20_u32..300, -1000_i32..=1000), (300_u32..3000, -1000_i32..=1000),];
    let server = (proptest::collection::vec(item, 2..=16), 1_000_u32..=20_000);
    (proptest::collection::vec(server, 2..=6), 2_i32..=6)
}

fn problem((servers, digits): &(Vec<Server>, i32)) -> Problem {
    let item = |(j, &(price, off)): (usize, &(u32, i32))| Item {
        candidate: j,
        rate: f64::from(price) * 0.0137 * (1.0 + f64::from(off) * 1e-3 * 0.1_f64.powi(*digits)),
        cost: f64::from(price),
        uses: Vec::new(),
        cards: 1,
        accelerator: j,
        card_type: j,
    };
    let needs = |(group, (_, load)): (usize, &Server)| Needs {
        group,
        demand: f64::from(*load) * 0.0137,
        min_replicas: 1,
        max_replicas: None,
        min_types: 1,
        current: None,
        priority: 1,
        weight: 1.0,
    };
    Problem {
        pools: Vec::new(),
        sold: Vec::new(),
        limits: Vec::new(),
        groups: servers.iter().map(|s| s.0.iter().enumerate().map(item).collect()).collect(),
        servers: servers.iter().enumerate().map(needs).collect(),
    }
}

/// `x 2^80`, exactly: every number here is between 2^-27 and 2^40.
fn whole(x: f64) -> i128 {
    let (bits, e) = (x.to_bits(), ((x.to_bits() >> 52) & 0x7ff) as i32 - 1075);
    i128::from((bits & ((1 << 52) - 1)) | 1 << 52) << (80 + e)
}

/// The least cost of a server.
fn least(needs: &Needs, items: &[Item]) -> u64 {
    let need = whole(needs.demand) / 1_000_000_000 * 999_999_999
        + whole(needs.demand) % 1_000_000_000 * 999_999_999 / 1_000_000_000;
    let items: Vec<(usize, i128)> =
        items.iter().map(|i| (i.cost as usize, whole(i.rate))).collect();
    let mut covered = vec![0_i128];
    while covered.last().is_some_and(|most| *most < need) {
        let cost = covered.len();
        let with =
            |&(price, rate): &(usize, i128)| Some(covered.get(cost.checked_sub(price)?)? + rate);
        covered.push(items.iter().filter_map(with).max().unwrap_or(0));
    }
    covered.len() as u64 - 1
}

#[test]
fn what_is_called_optimal_is() {
    let cases = std::env::var("NEAR_TIES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    for name in backends() {
        let (backend, mut runner) =
            (backend(name).expect("it was built"), TestRunner::deterministic());
        for case in 0..cases {
            let problem = problem(&servers().new_tree(&mut runner).expect("a case").current());
            let expected: u64 = problem
                .servers
                .iter()
                .map(|needs| least(needs, &problem.groups[needs.group]))
                .sum();
            let options = ProblemOptions { unlimited: true, ..ProblemOptions::default() };
            let space = Space::new(&problem, Shape::Mixed, &options);
            let choice =
                pattern::solve(&space, &*backend, &SolveOptions::default(), &Ablation::default());
            let choice = choice.expect("solved");
            assert_eq!(choice.status, Status::Optimal, "{name}, case {case}");
            assert_eq!(choice.objective, expected as f64, "{name}, case {case}: {problem:?}");
            assert_eq!(choice.bound, expected as f64, "{name}, case {case}");
        }
    }
}
