//! The search over who shares replicas against every decision, planned for one by one.

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::sharing::{Block, Search, Unit};
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, default_backend};
use proptest::prelude::*;

/// A fleet: for each unit its members' loads, and rates of a replica of each of two items for each set
/// of members.
#[derive(Debug, Clone)]
struct Fleet {
    units: Vec<(Vec<u32>, Vec<[u32; 2]>)>,
    prices: [u32; 2],
    cards: [u32; 2],
    mixed: bool,
}

fn fleet() -> impl Strategy<Value = Fleet> {
    let unit = prop::collection::vec(1..9_u32, 1..4).prop_flat_map(|loads| {
        let sets = (1 << loads.len()) - 1;
        (Just(loads), prop::collection::vec([0..9_u32, 1..9_u32], sets))
    });
    let units = prop::collection::vec(unit, 1..4);
    (units, [1..6_u32, 1..6_u32], [0..9_u32, 0..12_u32], any::<bool>())
        .prop_map(|(units, prices, cards, mixed)| Fleet { units, prices, cards, mixed })
}

impl Fleet {
    fn shape(&self) -> Shape {
        if self.mixed { Shape::Mixed } else { Shape::Single }
    }

    /// A server for each set of members of each unit, and the units.
    fn problem(&self) -> (Problem, Vec<Unit>) {
        let mut problem = Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: (0..2)
                .map(|k| Limit { name: format!("{k}"), capacity: f64::from(self.cards[k]) })
                .collect(),
            groups: Vec::new(),
            servers: Vec::new(),
        };
        let mut units = Vec::new();
        for (loads, rates) in &self.units {
            let mut blocks = Vec::new();
            for (set, rates) in (1_usize..).zip(rates) {
                let items = (0..2).filter(|&j| rates[j] > 0);
                let item = |(i, j): (usize, usize)| Item {
                    candidate: i,
                    rate: f64::from(rates[j]),
                    cost: f64::from(self.prices[j]),
                    uses: vec![(j, 1.0)],
                    cards: 1,
                    accelerator: j,
                    card_type: j,
                };
                problem.groups.push(items.enumerate().map(item).collect());
                let members = (0..loads.len()).filter(|m| set >> m & 1 == 1);
                problem.servers.push(Needs {
                    group: problem.groups.len() - 1,
                    demand: members.map(|m| f64::from(loads[m])).sum(),
                    min_replicas: 0,
                    max_replicas: None,
                    min_types: 0,
                    current: None,
                    priority: 1,
                    weight: 1.0,
                });
                let takes = (0..loads.len()).map(|m| (set >> m & 1) as u32).collect();
                blocks.push(Block { servers: vec![problem.servers.len() - 1], takes });
            }
            units.push(Unit { members: vec![1; loads.len()], blocks });
        }
        (problem, units)
    }
}

/// Every way to put `members` into sets.
fn partitions(members: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for m in 0..members {
        all = all
            .into_iter()
            .flat_map(|sets| {
                let join = (0..sets.len()).map(|i| {
                    let mut with = sets.clone();
                    with[i] |= 1 << m;
                    with
                });
                let alone = sets.iter().copied().chain([1 << m]).collect();
                join.chain([alone]).collect::<Vec<_>>()
            })
            .collect();
    }
    all
}

/// The least cost over every decision.
fn brute(fleet: &Fleet, problem: &Problem) -> Option<f64> {
    let mut decisions: Vec<Vec<usize>> = vec![Vec::new()];
    let mut first = 0;
    for (loads, rates) in &fleet.units {
        let ways = partitions(loads.len());
        let mut next = Vec::new();
        for decision in &decisions {
            for way in &ways {
                let servers = way.iter().map(|set| first + set - 1);
                next.push(decision.iter().copied().chain(servers).collect());
            }
        }
        (decisions, first) = (next, first + rates.len());
    }
    let backend = default_backend().expect("one is built");
    let options = ProblemOptions::default();
    let cost = |servers: Vec<usize>| {
        let servers = servers.into_iter().map(|s| problem.servers[s].clone()).collect();
        let problem = Problem { servers, ..problem.clone() };
        let space = Space::new(&problem, fleet.shape(), &options);
        let solved =
            pattern::solve(&space, &*backend, &SolveOptions::default(), &Ablation::default());
        let choice = solved.expect("solved");
        (choice.status == Status::Optimal).then_some(choice.objective)
    };
    decisions.into_iter().filter_map(cost).min_by(f64::total_cmp)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("SHARING").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
    ))]

    #[test]
    fn no_decision_is_cheaper_than_what_is_found(fleet in fleet()) {
        let (problem, units) = fleet.problem();
        let options = ProblemOptions::default();
        let search = Search {
            problem: &problem,
            units: &units,
            shape: fleet.shape(),
            options: &options,
            ablation: &Ablation::default(),
        };
        // Member m alone is the set of it alone.
        let alone: Vec<Vec<usize>> = units
            .iter()
            .map(|unit| (0..unit.members.len()).map(|m| (1 << m) - 1).collect())
            .collect();
        let backend = default_backend().expect("one is built");
        let found = search.run(&alone, &*backend, &SolveOptions::default()).expect("solved");
        let least = brute(&fleet, &problem);
        match (least, &found.best) {
            (None, None) => {}
            (Some(least), Some((_, cost))) => {
                prop_assert!((cost - least).abs() < 1e-9, "{cost} found, {least} is there");
                prop_assert!(found.bound <= least + 1e-9);
                prop_assert!(found.bound >= least - 1e-9, "{} proven of {least}", found.bound);
            }
            (least, found) => prop_assert!(false, "{found:?} found, {least:?} is there"),
        }
    }
}
