//! Horizons whose answer is known from elsewhere, on the example scenarios.

use std::path::Path;

use isocost_formulations::horizon::{Asked, Sized, solve_checked};
use isocost_formulations::pattern::Shape;
use isocost_model::candidates::SizingOptions;
use isocost_model::check::horizon::check_horizon;
use isocost_model::horizon::{HorizonPlan, Period, Prices, Profile, Ratios};
use isocost_model::input;
use isocost_model::plan::Status;
use isocost_model::scenario::Scenario;
use isocost_planner::{Formulation, Planner};
use isocost_solver::{SolveOptions, backend, backends, default_backend};

fn scenario(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name);
    input::load(&path).expect("the scenario is sound").scenario
}

/// A period of `hours` with every load times `factor`.
fn period(scenario: &Scenario, name: &str, hours: f64, factor: f64) -> Period {
    let load = |s: &isocost_model::scenario::Server| {
        let mut load = s.load;
        load.arrival_rate_per_min *= factor;
        load
    };
    Period {
        name: name.to_owned(),
        hours,
        loads: scenario.servers.iter().map(load).collect(),
        counts: scenario.card_types.iter().map(|c| c.count).collect(),
    }
}

fn ratios(reserved: Option<f64>, on_demand: bool, spot: Option<f64>, spot_share: f64) -> Ratios {
    Ratios { reserved, on_demand, spot, spot_share, spot_availability: 1.0 }
}

fn solved(
    scenario: &Scenario,
    profile: &Profile,
    ratios: &Ratios,
    shape: Shape,
    by: &str,
) -> HorizonPlan {
    let sizing = SizingOptions::default();
    let prices = Prices::by_ratios(scenario, ratios);
    let sized = Sized::new(scenario, profile, &sizing);
    let asked =
        Asked { scenario, sizing: &sizing, profile, prices: &prices, unlimited: false, shape };
    let backend = backend(by).expect("it was built");
    solve_checked(&asked, &sized, &*backend, &SolveOptions::default()).expect("it keeps the rules")
}

fn planned_cost(scenario: &Scenario, formulation: Formulation) -> f64 {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.request.formulation = formulation;
    planner.plan(&planner.fleet(scenario.clone())).expect("it keeps the rules").total_cost
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(1.0)
}

#[test]
fn one_period_on_demand_is_the_plan() {
    let scenario = scenario("fleet-27");
    let profile = Profile { periods: vec![period(&scenario, "all", 1.0, 1.0)] };
    let highs = backends().contains(&"highs");
    // microlp takes minutes over a whole fleet: it gets the small one.
    let small = self::scenario("quickstart");
    let small_profile = Profile { periods: vec![period(&small, "all", 1.0, 1.0)] };
    for (shape, formulation) in
        [(Shape::Single, Formulation::SINGLE), (Shape::Mixed, Formulation::MIXED)]
    {
        let list = ratios(None, true, None, 0.0);
        for name in backends() {
            let plan = solved(&small, &small_profile, &list, shape, name);
            assert_eq!(plan.status, Status::Optimal, "{name}");
            assert!(close(plan.cost, planned_cost(&small, formulation)), "{name}: {}", plan.cost);
        }
        if highs {
            let plan = solved(&scenario, &profile, &list, shape, "highs");
            assert_eq!(plan.status, Status::Optimal);
            assert!(close(plan.cost, planned_cost(&scenario, formulation)), "{}", plan.cost);
        }
    }
}

#[test]
fn equal_periods_are_one_and_reserved_for_all_hours() {
    let scenario = scenario("quickstart");
    let periods = (0..5).map(|h| period(&scenario, &h.to_string(), 2.0, 1.0)).collect();
    let profile = Profile { periods };
    let plan = solved(
        &scenario,
        &profile,
        &ratios(Some(0.6), true, None, 0.0),
        Shape::Single,
        backends()[0],
    );
    let hourly = planned_cost(&scenario, Formulation::SINGLE);
    assert_eq!(plan.status, Status::Optimal);
    assert!(close(plan.cost, 0.6 * hourly * 10.0), "{} not 0.6 x {hourly} x 10", plan.cost);
    assert!(plan.periods.iter().all(|p| p.rented.iter().all(|r| r.on_demand == 0)));
    assert!(
        plan.notes.iter().any(|n| n.contains("5 periods, 1 of them distinct")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_night_without_load_rents_nothing() {
    let scenario = scenario("quickstart");
    let profile = Profile {
        periods: vec![period(&scenario, "day", 1.0, 1.0), period(&scenario, "night", 9.0, 0.0)],
    };
    // A tenth of the time in use: reserving at 0.6 does not pay.
    let plan = solved(
        &scenario,
        &profile,
        &ratios(Some(0.6), true, None, 0.0),
        Shape::Single,
        backends()[0],
    );
    assert_eq!(plan.status, Status::Optimal);
    assert!(plan.reserved.iter().all(|r| *r == 0), "{:?}", plan.reserved);
    let night = &plan.periods[1];
    let least: u64 = scenario.servers.iter().map(|s| u64::from(s.min_replicas)).sum();
    assert_eq!(night.plan.placements.iter().map(|p| p.replicas()).sum::<u64>(), least);
}

#[test]
fn a_spot_cap_of_nothing_is_no_spot() {
    let scenario = scenario("quickstart");
    let profile = Profile {
        periods: vec![period(&scenario, "day", 14.0, 1.0), period(&scenario, "night", 10.0, 0.2)],
    };
    let cost = |spot, share| {
        let ratios = ratios(Some(0.6), true, spot, share);
        solved(&scenario, &profile, &ratios, Shape::Mixed, backends()[0]).cost
    };
    let without = cost(None, 0.0);
    assert!(close(cost(Some(0.3), 0.0), without));
    assert!(cost(Some(0.3), 1.0) < without);
}

#[test]
fn only_the_period_that_does_not_fit_is_named() {
    let scenario = scenario("quickstart");
    let periods = [("low", 0.5), ("flood", 50.0), ("mean", 1.0)];
    let periods = periods.map(|(name, factor)| period(&scenario, name, 1.0, factor)).to_vec();
    let profile = Profile { periods };
    for name in backends() {
        for ratios in [ratios(Some(0.6), true, None, 0.0), ratios(Some(1.0), false, None, 0.0)] {
            let plan = solved(&scenario, &profile, &ratios, Shape::Single, name);
            assert_eq!(plan.status, Status::Infeasible, "{name}");
            let named: Vec<_> = plan.notes.iter().filter(|n| n.contains("infeasible")).collect();
            assert!(named.len() == 1 && named[0].contains("`flood`"), "{:?}", plan.notes);
        }
    }
}

#[test]
fn a_purchase_serves_every_scenario_and_rents_nothing() {
    let scenario = scenario("quickstart");
    let periods = [("peak", 2.0, 1.0), ("mean", 14.0, 0.5), ("night", 8.0, 0.15)];
    let periods = periods.map(|(name, hours, factor)| period(&scenario, name, hours, factor));
    let profile = Profile { periods: periods.to_vec() };
    // Loads only fall, so that the fleet of the peak serves all three.
    let peak = planned_cost(&scenario, Formulation::SINGLE);
    for name in backends() {
        let plan =
            solved(&scenario, &profile, &ratios(Some(1.0), false, None, 0.0), Shape::Single, name);
        assert_eq!(plan.status, Status::Optimal);
        assert!(plan.periods.iter().flat_map(|p| &p.rented).all(|r| r.on_demand + r.spot == 0));
        assert!(close(plan.cost, peak * 24.0), "{name}: {} not {peak} x 24", plan.cost);
    }
}

#[test]
fn the_checker_sees_what_is_changed() {
    let scenario = scenario("quickstart");
    let sizing = SizingOptions::default();
    let profile = Profile {
        periods: vec![period(&scenario, "day", 14.0, 1.5), period(&scenario, "night", 10.0, 0.2)],
    };
    let ratios = ratios(Some(0.6), true, Some(0.4), 0.3);
    let prices = Prices::by_ratios(&scenario, &ratios);
    let plan = solved(&scenario, &profile, &ratios, Shape::Single, backends()[0]);
    let breaks = |plan: &HorizonPlan| {
        check_horizon(&scenario, &sizing, &profile, &prices, false, plan).len()
    };
    assert_eq!(breaks(&plan), 0);
    let used = plan.periods[0].rented.iter().position(|r| r.used > 0).expect("cards are in use");
    let changes: [fn(&mut HorizonPlan, usize); 6] = [
        |p, _| p.cost *= 0.99,
        |p, _| p.bound = p.cost * 1.01,
        |p, r| p.periods[0].rented[r].used -= 1,
        |p, r| p.reserved[r] += 1,
        |p, r| {
            p.reserved[r] = 0;
            p.periods[0].rented[r].on_demand = 0;
            p.periods[0].rented[r].spot = 0;
        },
        |p, _| p.periods[1].plan.placements[0].parts.clear(),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut changed = plan.clone();
        change(&mut changed, used);
        assert!(breaks(&changed) > 0, "change {i} goes unseen");
    }
}
