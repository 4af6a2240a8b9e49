//! Plans over time whose cards come in nodes, against plans of single periods.

use isocost_formulations::horizon::{Asked, Sized, apart_from_nodes, solve_checked};
use isocost_formulations::pattern::Shape;
use isocost_model::Scenario;
use isocost_model::horizon::{HorizonPlan, Period, Prices, Profile, Ratios};
use isocost_model::input::load_text;
use isocost_model::plan::Status;
use isocost_planner::Planner;

const PRICE: f64 = 1000.0;

/// Three servers that run on 1, 2 or 4 cards of nodes of four, and on cards beside them.
fn scenario(sizes: [u32; 3]) -> Scenario {
    let profile = |units: u32| {
        let speed = f64::from(units);
        format!(
            r#"{{"name":"m{units}","acc":"H","accCount":{units},"maxBatchSize":1,"atTokens":1001,"decodeParms":{{"alpha":{},"beta":0}}}}"#,
            5.994 / speed
        )
    };
    let models = sizes.map(profile).join(",");
    let target = |units: u32| format!(r#"{{"model":"m{units}","slo-itl":1000}}"#);
    let targets = sizes.map(target).join(",");
    let server = |units: u32| {
        format!(
            r#"{{"name":"s{units}","class":"c","model":"m{units}","currentAlloc":{{"load":{{"arrivalRate":10,"avgInTokens":0,"avgOutTokens":1001}}}}}}"#
        )
    };
    let servers = sizes.map(server).join(",");
    let text = format!(
        r#"{{"acceleratorData":{{"accelerators":[{{"name":"H","cost":300,"power":{{"full":100}}}}]}},
        "modelData":{{"models":[{models}]}},
        "serviceClassData":{{"serviceClasses":[{{"name":"c","priority":1,"modelTargets":[{targets}]}}]}},
        "serverData":{{"servers":[{servers}]}},
        "capacityData":{{"nodes":[{{"name":"n4","cards":{{"H":4}},"price":{PRICE},"count":40}}]}}}}"#
    );
    load_text("nodes.json", &text).expect("it is sound").scenario
}

/// A profile with these rates a minute, by period and server.
fn profile(scenario: &Scenario, rates: &[[f64; 3]]) -> Profile {
    let period = |(h, rates): (usize, &[f64; 3])| {
        let mut loads: Vec<_> = scenario.servers.iter().map(|server| server.load).collect();
        for (load, rate) in loads.iter_mut().zip(rates) {
            load.arrival_rate_per_min = *rate;
        }
        let counts = scenario.card_types.iter().map(|card| card.count).collect();
        Period { name: h.to_string(), hours: 1.0 + h as f64, loads, counts }
    };
    Profile { periods: rates.iter().enumerate().map(period).collect() }
}

fn planner() -> Planner {
    Planner::new(isocost_solver::backend("microlp").expect("it is built"))
}

fn planned(scenario: &Scenario, profile: &Profile, reserved: Option<f64>) -> HorizonPlan {
    let planner = planner();
    let ratios =
        Ratios { reserved, on_demand: true, spot: None, spot_share: 0.0, spot_availability: 1.0 };
    let prices = Prices::by_ratios(scenario, &ratios);
    assert_eq!(prices.pools[0].name(scenario), "n4");
    let sized = Sized::new(scenario, profile, &planner.sizing);
    assert_eq!(apart_from_nodes(scenario, &sized), None);
    let asked = Asked {
        scenario,
        sizing: &planner.sizing,
        profile,
        prices: &prices,
        unlimited: false,
        shape: Shape::Single,
    };
    let plan = solve_checked(&asked, &sized, &*planner.backend, &planner.request.solve);
    plan.expect("it keeps every rule")
}

#[test]
fn nodes_over_time_are_those_of_each_period_and_reserved_where_that_pays() {
    let scenario = scenario([1, 2, 4]);
    let mut state = 7_u64;
    let mut rate = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A replica on one card serves 10 a minute.
        ((state >> 33) % 200) as f64
    };
    for case in 0..25 {
        let rates: Vec<[f64; 3]> = (0..3).map(|_| [rate(), rate(), rate()]).collect();
        let profile = profile(&scenario, &rates);
        // Nodes that each period takes by itself.
        let nodes: Vec<f64> = (0..3)
            .map(|h| {
                let planner = planner();
                let plan = planner.plan(&planner.fleet(profile.scenario(&scenario, h)));
                let plan = plan.expect("it keeps every rule");
                assert_eq!(plan.status, Status::Optimal, "case {case}");
                plan.total_cost / PRICE
            })
            .collect();
        let rented = planned(&scenario, &profile, None);
        let hours = |h: usize| profile.periods[h].hours;
        let expected: f64 = (0..3).map(|h| PRICE * nodes[h] * hours(h)).sum();
        assert_eq!(rented.status, Status::Optimal, "case {case}");
        assert!((rented.cost - expected).abs() < 1e-6 * expected.max(1.0), "case {case}");
        let most = nodes.iter().copied().fold(0.0, f64::max) as u64;
        let with = |reserved: u64| -> f64 {
            let held = reserved as f64;
            let rent = |h: usize| PRICE * (nodes[h] - held).max(0.0) * hours(h);
            0.6 * PRICE * held * 6.0 + (0..3).map(rent).sum::<f64>()
        };
        let best = (0..=most).map(with).fold(f64::INFINITY, f64::min);
        let plan = planned(&scenario, &profile, Some(0.6));
        assert_eq!(plan.status, Status::Optimal, "case {case}");
        assert!(
            (plan.cost - best).abs() < 1e-6 * best.max(1.0),
            "case {case}: {} {best}",
            plan.cost
        );
    }
}

#[test]
fn sizes_that_do_not_nest_are_told() {
    let scenario = scenario([1, 2, 3]);
    let profile = profile(&scenario, &[[10.0; 3]]);
    let sized = Sized::new(&scenario, &profile, &planner().sizing);
    let why = apart_from_nodes(&scenario, &sized).expect("3 is no divisor of 4");
    assert!(why.contains("n4") && why.contains("1, 2, 3, 4 cards"), "{why}");
}

#[test]
fn cards_that_a_period_counts_beyond_its_nodes_are_none() {
    let mut scenario = scenario([1, 2, 4]);
    scenario.nodes[0].count = Some(2);
    let planned_at = |rates: [f64; 3]| {
        let mut profile = profile(&scenario, &[rates]);
        profile.periods[0].counts = vec![Some(1000)];
        planned(&scenario, &profile, None).status
    };
    // Two nodes of four cards; a replica on one card serves 10 a minute.
    assert_eq!(planned_at([35.0, 15.0, 0.0]), Status::Optimal);
    assert_eq!(planned_at([85.0, 15.0, 0.0]), Status::Infeasible);
}
