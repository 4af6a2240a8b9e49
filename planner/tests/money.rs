//! A budget of money: the most load by priority for it, against every mix of replicas that it pays for.

use std::path::Path;

use isocost_formulations::ProblemOptions;
use isocost_model::input;
use isocost_model::plan::Status;
use isocost_model::scenario::{Budget, Saturation, Scenario};
use isocost_planner::{Fleet, Formulation, Planner, Request, Shortage};
use isocost_solver::default_backend;
use proptest::prelude::*;

/// The servers of one model of the example fleet, with a budget.
fn fleet(budget: Budget) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27");
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    let models = scenario.models.clone();
    scenario.servers.retain(|server| models[server.model] == "phi-4");
    scenario.budgets = vec![budget];
    scenario
}

fn planner(mixed: bool) -> Planner {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.request = Request {
        formulation: if mixed { Formulation::MIXED } else { Formulation::SINGLE },
        problem: ProblemOptions { unlimited: true, ..ProblemOptions::default() },
        shortage: Shortage::By { saturation: Saturation::PriorityExhaustive, delayed: false },
        ..Request::default()
    };
    planner
}

/// Whether the first number that differs is the larger in `a`.
fn is_more(a: &[f64], b: &[f64]) -> bool {
    let differ = a.iter().zip(b).find(|(a, b)| (*a - *b).abs() > 1e-9 * a.abs().max(b.abs()));
    differ.is_some_and(|(a, b)| a > b)
}

/// Served requests/s, the highest priority first, and what is paid, below zero: the best that
/// `money`, cents/h, pays for with one accelerator a server.
fn best(fleet: &Fleet, money: f64) -> Vec<f64> {
    let priorities = priorities(&fleet.scenario);
    let mut all = vec![(vec![0.0; priorities.len()], 0.0)];
    for (s, server) in fleet.scenario.servers.iter().enumerate() {
        let demand = fleet.candidates.demands[s].rate_per_s;
        let class = fleet.scenario.classes[server.class].priority;
        let at = priorities.iter().position(|p| *p == class).expect("its own is listed");
        let mut choices = vec![(0.0, 0.0)];
        for option in fleet.candidates.options(s) {
            for n in 1..=(demand / option.rate_per_s).ceil() as u64 {
                let served = (option.rate_per_s * n as f64).min(demand);
                choices.push((served, option.cost_cents_per_h * n as f64));
            }
        }
        all = all
            .into_iter()
            .flat_map(|(served, cost)| {
                let choices = choices.clone().into_iter();
                choices.map(move |(more, paid)| {
                    let mut served = served.clone();
                    served[at] += more;
                    (served, cost + paid)
                })
            })
            .filter(|(_, cost)| *cost <= money)
            .collect();
    }
    let worth = |(served, cost): (Vec<f64>, f64)| [&served[..], &[-cost]].concat();
    let best = all.into_iter().map(worth).reduce(|a, b| if is_more(&b, &a) { b } else { a });
    best.expect("nothing at all can always be paid")
}

fn priorities(scenario: &Scenario) -> Vec<u32> {
    let of = |s: &isocost_model::scenario::Server| scenario.classes[s.class].priority;
    let mut priorities: Vec<u32> = scenario.servers.iter().map(of).collect();
    priorities.sort_unstable();
    priorities.dedup();
    priorities
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("MONEY").ok().and_then(|n| n.parse().ok()).unwrap_or(24)
    ))]

    #[test]
    fn no_other_mix_serves_more_for_the_money(
        factors in prop::collection::vec(0.1..8.0_f64, 3),
        money in 0.0..3_000.0_f64,
    ) {
        let limit = Budget { name: "m".to_owned(), cents_per_h: Some(money), ..Budget::default() };
        let mut scenario = fleet(limit);
        for (server, factor) in scenario.servers.iter_mut().zip(factors) {
            server.load.arrival_rate_per_min *= factor;
        }
        let planner = planner(false);
        let fleet = planner.fleet(scenario);
        let plan = planner.plan(&fleet).expect("it keeps the rules");
        prop_assert_eq!(plan.status, Status::Optimal);
        prop_assert!(plan.total_cost <= money * (1.0 + 1e-9));
        let priorities = priorities(&fleet.scenario);
        let mut worth = vec![0.0; priorities.len()];
        for (s, placement) in plan.placements.iter().enumerate() {
            let class = fleet.scenario.servers[s].class;
            let priority = fleet.scenario.classes[class].priority;
            let at = priorities.iter().position(|p| *p == priority).expect("it is listed");
            worth[at] += placement.served_share * fleet.candidates.demands[s].rate_per_s;
        }
        worth.push(-plan.total_cost);
        let best = best(&fleet, money);
        let is_close = worth.iter().zip(&best).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1e-3));
        prop_assert!(is_close, "{:?} for {money}, where {:?} is there", worth, best);
    }
}

#[test]
fn money_enough_for_all_changes_nothing() {
    for mixed in [false, true] {
        let planner = planner(mixed);
        let plan = |money: Option<f64>| {
            let limit = Budget { name: "m".to_owned(), cents_per_h: money, ..Budget::default() };
            planner.plan(&planner.fleet(fleet(limit))).expect("it keeps the rules")
        };
        let free = plan(None);
        let bought = plan(Some(free.total_cost));
        assert!(bought.serves_all() && bought.status == Status::Optimal);
        assert!((bought.total_cost - free.total_cost).abs() < 1e-9 * free.total_cost);
        assert!(!plan(Some(free.total_cost * 0.99)).serves_all());
    }
}

#[test]
fn carbon_keeps_its_limit_and_cleaner_current_is_chosen() {
    let mut scenario = fleet(Budget::default());
    let planner = planner(true);
    let plan = |scenario: &Scenario| {
        planner.plan(&planner.fleet(scenario.clone())).expect("it keeps the rules")
    };
    // The accelerators in use stand where the current is dirty, a dearer twin of each where it is clean.
    let used: Vec<usize> = plan(&scenario)
        .placements
        .iter()
        .flat_map(|placement| placement.parts.iter().map(|part| part.accelerator))
        .collect();
    scenario.accelerators.iter_mut().for_each(|unit| unit.grams_per_kwh = Some(600.0));
    for &a in &used {
        let mut twin = scenario.accelerators[a].clone();
        twin.name.push_str(" clean");
        twin.grams_per_kwh = Some(20.0);
        twin.cost_cents_per_h *= 1.2;
        scenario.accelerators.push(twin);
        let at = scenario.accelerators.len() - 1;
        let profiles = scenario.profiles.iter().filter(|profile| profile.accelerator == a);
        let twins =
            profiles.map(|p| isocost_model::scenario::Profile { accelerator: at, ..p.clone() });
        let twins: Vec<_> = twins.collect();
        scenario.profiles.extend(twins);
    }
    let dirty = plan(&scenario);
    scenario.budgets[0].grams_per_h = Some(0.0);
    let grams = |scenario: &Scenario| plan(scenario).budgets[0].used;
    scenario.budgets[0].grams_per_h = Some(f64::MAX);
    let most = grams(&scenario);
    assert!(most > 0.0, "the cards of the example say what they draw");
    scenario.budgets[0].grams_per_h = Some(most / 2.0);
    let clean = plan(&scenario);
    assert!(clean.serves_all() && clean.total_cost > dirty.total_cost);
    assert!(clean.budgets[0].used <= most / 2.0 * (1.0 + 1e-9));
}
