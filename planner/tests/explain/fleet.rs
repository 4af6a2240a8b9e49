//! Tiny fleets, and every plan that they have.

use isocost_formulations::Problem;
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_model::Scenario;
use isocost_model::scenario::{Accelerator, CardType, Optimizer, PowerCurve};
use isocost_model::spend::Currency;
use proptest::prelude::*;

/// A tiny fleet: three accelerators, the first two on one card type, and up to three servers.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub scenario: Scenario,
    pub problem: Problem,
}

const TYPES: [usize; 3] = [0, 0, 1];
const MULTIPLICITY: [u32; 3] = [1, 2, 1];

pub fn fleets() -> impl Strategy<Value = Fleet> {
    let rates = [0_u32..=8, 0..=8, 0..=8];
    let server = (rates, 1_u32..=20, 0_u64..=2, 1_u32..=3);
    let prices = [1_u32..=12, 1..=20, 1..=16];
    (proptest::collection::vec(server, 1..=3), prices, [0_u32..=8, 0..=6])
        .prop_map(|(servers, prices, capacity)| fleet(&servers, prices, capacity))
}

fn fleet(servers: &[([u32; 3], u32, u64, u32)], prices: [u32; 3], capacity: [u32; 2]) -> Fleet {
    let price = |a: usize| f64::from(prices[a]) * 0.5;
    let item = |(j, (a, rate)): (usize, (usize, u32))| {
        let cards = u64::from(MULTIPLICITY[a]);
        Item {
            candidate: j,
            rate: f64::from(rate),
            cost: price(a),
            uses: vec![(TYPES[a], cards as f64)],
            cards,
            accelerator: a,
            card_type: TYPES[a],
        }
    };
    let groups = servers.iter().map(|(rates, ..)| {
        let runs = (0..3).map(|a| (a, rates[a])).filter(|(_, rate)| *rate > 0);
        runs.enumerate().map(item).collect()
    });
    let needs =
        servers.iter().enumerate().map(|(group, &(_, demand, min_replicas, priority))| Needs {
            group,
            demand: f64::from(demand) * 0.7,
            min_replicas,
            max_replicas: None,
            min_types: 0,
            current: None,
            priority,
            weight: 1.0,
        });
    let limit = |t: usize| Limit { name: format!("type {t}"), capacity: f64::from(capacity[t]) };
    let accelerator = |a: usize| Accelerator {
        grams_per_kwh: None,
        carbon_cents_per_kwh: 0.0,
        zone: None,
        availability: 1.0,
        kv_link_gb_per_s: None,
        name: format!("accelerator {a}"),
        card_type: TYPES[a],
        multiplicity: MULTIPLICITY[a],
        memory_gb: 1.0,
        bandwidth_gb_per_s: 1.0,
        power: PowerCurve::default(),
        cost_cents_per_h: price(a),
    };
    let card = |t: usize| CardType {
        name: format!("type {t}"),
        count: Some(u64::from(capacity[t])),
        spare: 0,
    };
    Fleet {
        problem: Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: vec![limit(0), limit(1)],
            groups: groups.collect(),
            servers: needs.collect(),
        },
        scenario: Scenario {
            card_types: vec![card(0), card(1)],
            accelerators: (0..3).map(accelerator).collect(),
            models: Vec::new(),
            profiles: Vec::new(),
            classes: Vec::new(),
            servers: Vec::new(),
            nodes: Vec::new(),
            budgets: Vec::new(),
            optimizer: Optimizer::default(),
            currency: Currency::default(),
        },
    }
}

/// A plan of some servers: what it costs, the cards of each type, and replicas by accelerator.
#[derive(Debug, Clone)]
pub struct Full {
    pub cost: f64,
    pub cards: [f64; 2],
    pub mixes: Vec<[u64; 3]>,
}

/// Every plan of `servers` (a set) that wastes no whole replica, whatever cards there are.
pub fn plans(problem: &Problem, shape: Shape, servers: &[usize]) -> Vec<Full> {
    let mut all =
        vec![Full { cost: 0.0, cards: [0.0; 2], mixes: vec![[0; 3]; problem.servers.len()] }];
    for &s in servers {
        let covers = covers(problem, shape, s);
        let with = |plan: Full| {
            covers.iter().map(move |mix| {
                let mut plan = plan.clone();
                plan.mixes[s] = *mix;
                for item in problem.items(s) {
                    let n = mix[item.accelerator] as f64;
                    plan.cost += item.cost * n;
                    plan.cards[item.card_type] += item.cards as f64 * n;
                }
                plan
            })
        };
        all = all.into_iter().flat_map(with).collect();
    }
    all
}

/// Covers of a server that stay none without any one of their replicas.
fn covers(problem: &Problem, shape: Shape, s: usize) -> Vec<[u64; 3]> {
    let (needs, items) = (&problem.servers[s], problem.items(s));
    let is_cover = |mix: &[u64; 3]| {
        let rate: f64 = items.iter().map(|i| i.rate * mix[i.accelerator] as f64).sum();
        rate >= needs.demand * (1.0 - 1e-9) && mix.iter().sum::<u64>() >= needs.min_replicas
    };
    let mut all = vec![[0; 3]];
    for item in items {
        let most = ((needs.demand / item.rate).ceil() as u64).max(needs.min_replicas);
        let longer = |mix: [u64; 3]| {
            (0..=most).map(move |n| {
                let mut longer = mix;
                longer[item.accelerator] = n;
                longer
            })
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all.retain(|mix| {
        let single = mix.iter().filter(|n| **n > 0).count() <= 1;
        let minimal = (0..3).filter(|&a| mix[a] > 0).all(|a| {
            let mut less = *mix;
            less[a] -= 1;
            !is_cover(&less)
        });
        is_cover(mix) && minimal && (shape == Shape::Mixed || single)
    });
    all
}

pub fn cheapest<'a>(plans: impl IntoIterator<Item = &'a Full>, capacity: [f64; 2]) -> f64 {
    let fits = |p: &&Full| (0..2).all(|t| p.cards[t] <= capacity[t]);
    plans.into_iter().filter(fits).map(|p| p.cost).fold(f64::INFINITY, f64::min)
}
