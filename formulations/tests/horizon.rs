//! On random tiny horizons the formulation, by every backend, finds what trying everything finds.

use isocost_formulations::Problem;
use isocost_formulations::horizon::{Horizon, Method, Outcome, PoolTerms, Span, SpotTerms, solve};
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_model::plan::Status;
use isocost_solver::{SolveOptions, backend, backends};
use proptest::prelude::*;

/// Two pools, two servers of up to three items, up to three periods.
#[derive(Debug, Clone)]
struct Tiny {
    /// (cards, pool, rate, energy) by server and item.
    items: Vec<Vec<(u32, usize, u32, u32)>>,
    /// (fewest, most) replicas and fewest card types of each server.
    rules: [(u32, Option<u32>, u32); 2],
    /// (hours, load of each server, cards of each type), by period.
    periods: Vec<(u32, [u32; 2], [u32; 2])>,
    prices: [Price; 2],
}

/// (reserved, on demand, (spot, most)) of a pool, cents/h.
type Price = (Option<u32>, Option<u32>, Option<(u32, u64)>);

fn tiny() -> impl Strategy<Value = Tiny> {
    let item = (1_u32..=2, 0_usize..2, 1_u32..=6, 0_u32..=2);
    let period = (1_u32..=3, [0_u32..=12, 0_u32..=12], [1_u32..=6, 1_u32..=6]);
    let rule = (0_u32..=2, proptest::option::weighted(0.3, 2_u32..=6), 0_u32..=2);
    let price = (
        proptest::option::weighted(0.8, 1_u32..=8),
        proptest::option::weighted(0.8, 4_u32..=12),
        proptest::option::weighted(0.5, (1_u32..=6, 0_u64..=3)),
    );
    (
        proptest::collection::vec(proptest::collection::vec(item, 1..=3), 2),
        proptest::collection::vec(period, 1..=3),
        [price.clone(), price],
        [rule.clone(), rule],
    )
        .prop_map(|(items, periods, prices, rules)| Tiny { items, rules, periods, prices })
}

fn horizon(tiny: &Tiny) -> Horizon {
    let hours: u32 = tiny.periods.iter().map(|p| p.0).sum();
    let item = |(j, &(cards, r, rate, energy)): (usize, &(u32, usize, u32, u32))| Item {
        candidate: j,
        rate: f64::from(rate),
        cost: f64::from(energy) * 0.25,
        uses: vec![(r, f64::from(cards))],
        cards: u64::from(cards),
        accelerator: j,
        card_type: r,
    };
    let span = |(h, (hours, loads, cards)): (usize, &(u32, [u32; 2], [u32; 2]))| Span {
        name: format!("{h}"),
        hours: f64::from(*hours),
        problem: Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: (0..2)
                .map(|r| Limit { name: format!("pool {r}"), capacity: f64::INFINITY })
                .collect(),
            groups: tiny.items.iter().map(|g| g.iter().enumerate().map(item).collect()).collect(),
            servers: (0..2)
                .map(|s| Needs {
                    group: s,
                    demand: f64::from(loads[s]) * 0.7,
                    min_replicas: u64::from(tiny.rules[s].0),
                    max_replicas: tiny.rules[s].1.map(u64::from),
                    min_types: tiny.rules[s].2,
                    current: None,
                    priority: 1,
                    weight: 1.0,
                })
                .collect(),
        },
        cards: cards.iter().map(|c| f64::from(*c)).collect(),
    };
    let pool = |(r, price): (usize, &Price)| PoolTerms {
        name: format!("pool {r}"),
        reserve: price.0.map(|p| f64::from(p * hours)),
        most: match price.0 {
            Some(_) => u64::from(tiny.periods.iter().map(|p| p.2[r]).min().unwrap_or(0)),
            None => 0,
        },
        on_demand: price.1.map(f64::from),
        spot: price.2.map(|(price, most)| SpotTerms { price: f64::from(price), most }),
        cards: 1,
        card_type: r,
    };
    Horizon {
        pools: tiny.prices.iter().enumerate().map(pool).collect(),
        periods: tiny.periods.iter().enumerate().map(span).collect(),
        of_period: (0..tiny.periods.len()).collect(),
    }
}

/// Every use of the two pools, with its energy, that covers server `s`.
fn covers(tiny: &Tiny, s: usize, load: u32, shape: Shape) -> Vec<([u32; 2], f64)> {
    let (least, ceiling, types) = tiny.rules[s];
    let demand = f64::from(load) * 0.7;
    let items = &tiny.items[s];
    let mut mixes = vec![Vec::new()];
    for item in items {
        let most = ((demand / f64::from(item.2)).ceil() as u32).max(least).max(1);
        mixes = mixes
            .into_iter()
            .flat_map(|mix: Vec<u32>| (0..=most).map(move |n| [mix.as_slice(), &[n]].concat()))
            .collect();
    }
    let covering = mixes.into_iter().filter(|mix| {
        let rate: f64 = mix.iter().zip(items).map(|(n, i)| f64::from(n * i.2)).sum();
        let single = mix.iter().filter(|n| **n > 0).count() <= 1;
        let on = |r: usize| mix.iter().zip(items).any(|(n, item)| *n > 0 && item.1 == r);
        let (replicas, spread) = (mix.iter().sum::<u32>(), u32::from(on(0)) + u32::from(on(1)));
        let is_idle = load == 0 && least == 0;
        rate >= demand * (1.0 - 1e-9)
            && replicas >= least
            && ceiling.is_none_or(|most| replicas <= most)
            && (types <= 1 || spread >= types || is_idle)
            && (shape == Shape::Mixed || single)
    });
    covering
        .map(|mix| {
            let (mut uses, mut energy) = ([0; 2], 0.0);
            for (n, &(cards, r, _, e)) in mix.iter().zip(items) {
                uses[r] += n * cards;
                energy += f64::from(n * e) * 0.25;
            }
            (uses, energy)
        })
        .collect()
}

/// The least cost by trying every reservation and every mix.
fn brute_force(tiny: &Tiny, shape: Shape) -> f64 {
    let hours: u32 = tiny.periods.iter().map(|p| p.0).sum();
    let most = |r: usize| match tiny.prices[r].0 {
        Some(_) => tiny.periods.iter().map(|p| p.2[r]).min().unwrap_or(0),
        None => 0,
    };
    let mut best = f64::INFINITY;
    for a in 0..=most(0) {
        for b in 0..=most(1) {
            let reserved = [a, b];
            let price = |r: usize| tiny.prices[r].0.unwrap_or(0) * reserved[r] * hours;
            let mut cost = f64::from(price(0) + price(1));
            for period in &tiny.periods {
                cost += f64::from(period.0) * cheapest(tiny, shape, period, reserved);
            }
            best = best.min(cost);
        }
    }
    best
}

fn cheapest(
    tiny: &Tiny,
    shape: Shape,
    period: &(u32, [u32; 2], [u32; 2]),
    reserved: [u32; 2],
) -> f64 {
    let mut best = f64::INFINITY;
    for (u, e) in covers(tiny, 0, period.1[0], shape) {
        for (v, f) in covers(tiny, 1, period.1[1], shape) {
            let rent: f64 = (0..2)
                .map(|r| {
                    rent(
                        tiny,
                        r,
                        (u[r] + v[r]).saturating_sub(reserved[r]),
                        period.2[r] - reserved[r],
                    )
                })
                .sum();
            best = best.min(e + f + rent);
        }
    }
    best
}

/// The cheapest way to rent `need` cards of pool `r` where `left` may be held.
fn rent(tiny: &Tiny, r: usize, need: u32, left: u32) -> f64 {
    let (_, on_demand, spot) = tiny.prices[r];
    let most = spot.map_or(0, |s| s.1.min(u64::from(need)) as u32);
    let splits = (0..=most).filter_map(|s| {
        let d = need - s;
        let price = f64::from(s) * f64::from(spot.map_or(0, |s| s.0));
        if need > left || (d > 0 && on_demand.is_none()) {
            return None;
        }
        Some(price + f64::from(d) * f64::from(on_demand.unwrap_or(0)))
    });
    splits.fold(f64::INFINITY, f64::min)
}

fn agrees(outcome: &Outcome, expected: f64, how: &str) -> Result<(), TestCaseError> {
    if expected.is_infinite() {
        prop_assert_eq!(outcome.status, Status::Infeasible, "{}", how);
        return Ok(());
    }
    prop_assert_eq!(outcome.status, Status::Optimal, "{}: {:?} not {}", how, outcome, expected);
    prop_assert!((outcome.cost - expected).abs() < 1e-6, "{how}: {} not {expected}", outcome.cost);
    prop_assert!(outcome.bound <= expected + 1e-6, "{how}: bound {}", outcome.bound);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn every_backend_finds_the_optimum(tiny in tiny()) {
        let horizon = horizon(&tiny);
        for shape in [Shape::Single, Shape::Mixed] {
            let expected = brute_force(&tiny, shape);
            for name in backends() {
                let backend = backend(name).expect("it was built");
                for method in [Method::Together, Method::Search] {
                    let options = SolveOptions::default();
                    let outcome =
                        solve(&horizon, shape, &*backend, &options, method).expect("it solves");
                    agrees(&outcome, expected, &format!("{shape:?}, {method:?}, {name}"))?;
                }
            }
        }
    }
}
