//! Zones: where a server may run, and what the way there takes of its limits.

use isocost_model::candidates::{Candidates, Reason, SizingOptions};
use isocost_model::input::load_text;
use isocost_model::queue::{
    Iteration, Linear, Objective, Objectives, Reading, ServiceModel, Station,
};
use isocost_model::scenario::Scenario;
use isocost_model::sharing::{Apart, Served, shared};

/// Two accelerators that differ in where they stand, and two servers of one model.
const SCENARIO: &str = r#"
acceleratorData: {accelerators: [
  {name: L4-eu, cost: 100, zone: eu, carbonIntensity: 50, power: {idle: 40, full: 80}},
  {name: L4-us, cost: 80, zone: us, carbonIntensity: 500, power: {idle: 40, full: 80}},
  {name: L4-lost, cost: 1, carbonIntensity: 1}]}
modelData: {models: [
  {name: m, acc: L4-eu, accCount: 1, maxBatchSize: 16, decodeParms: {alpha: 10, beta: 1}, prefillParms: {gamma: 20, delta: 0.1}},
  {name: m, acc: L4-us, accCount: 1, maxBatchSize: 16, decodeParms: {alpha: 10, beta: 1}, prefillParms: {gamma: 20, delta: 0.1}},
  {name: m, acc: L4-lost, accCount: 1, maxBatchSize: 16, decodeParms: {alpha: 10, beta: 1}, prefillParms: {gamma: 20, delta: 0.1}}]}
serviceClassData: {serviceClasses: [{name: C, priority: 1, modelTargets: [{model: m, slo-itl: 40, slo-ttft: 200}]}]}
serverData: {servers: [
  {name: near, class: C, model: m, share: g, zones: {EU: 10, us: 95}, currentAlloc: {load: {arrivalRate: 60, avgInTokens: 100, avgOutTokens: 50}}},
  {name: anywhere, class: C, model: m, share: g, currentAlloc: {load: {arrivalRate: 60, avgInTokens: 100, avgOutTokens: 50}}}]}
optimizerData: {optimizer: {unlimited: true}}
"#;

fn scenario(text: &str) -> Scenario {
    load_text("zones.yaml", text).expect("it is sound").scenario
}

#[test]
fn a_way_takes_its_time_off_the_limits() {
    let families = [
        ServiceModel::Linear(Linear {
            alpha_ms: 10.0,
            beta_ms: 0.5,
            gamma_ms: 20.0,
            delta_ms: 0.05,
        }),
        ServiceModel::Iteration(Iteration { alpha_ms: 12.0, beta_ms: 0.05, gamma_ms: 0.0005 }),
    ];
    for service in families {
        for reading in [Reading::Engine, Reading::Reference] {
            for percentile in [None, Some(95.0)] {
                let near = Station { reading, ..Station::new(service, 200.0, 100.0, None) };
                let far = Station { network_ms: 80.0, ..near };
                let limit = |limit_ms| Some(Objective { limit_ms, percentile });
                let rate = |station: &Station, ttft, e2e| {
                    let held = Objectives { ttft, e2e, ..Objectives::none() };
                    station.size(16, &held).expect("it serves").arrival_rate_per_s
                };
                for (limits, less) in [
                    ((limit(500.0), None), (limit(420.0), None)),
                    ((None, limit(6000.0)), (None, limit(5920.0))),
                ] {
                    let (far, near) = (rate(&far, limits.0, limits.1), rate(&near, less.0, less.1));
                    assert!(
                        (far / near - 1.0).abs() < 1e-3,
                        "{service:?} {reading:?} {far} {near}"
                    );
                }
                let at = |station: &Station| station.analyze(16, 1.0).expect("below capacity");
                let (a, b) = (at(&near), at(&far));
                assert!((b.ttft_ms - a.ttft_ms - 80.0).abs() < 1e-6);
                assert!((b.e2e_ms() - a.e2e_ms() - 80.0).abs() < 1e-6);
                assert_eq!((a.itl_ms, a.mean_wait_ms), (b.itl_ms, b.mean_wait_ms));
            }
        }
    }
}

#[test]
fn a_server_runs_in_the_zones_that_it_names() {
    let scenario = scenario(SCENARIO);
    assert_eq!(scenario.servers[0].network, [10.0, 95.0, 0.0]);
    assert!(scenario.servers[1].network.is_empty());
    let candidates = Candidates::build(&scenario, &SizingOptions::default());
    let rates: Vec<f64> = candidates.options(0).iter().map(|option| option.rate_per_s).collect();
    assert_eq!(rates.len(), 2);
    assert!(rates[0] > rates[1], "the farther is held to less: {rates:?}");
    assert_eq!(candidates.rejected(0)[0].reason, Reason::NotAllowed);
    assert_eq!(candidates.options(1).len(), 3);
    // Who is nearer to some zone than another cannot share with it.
    let both = vec![Served { members: vec![0, 1], division: None }];
    assert_eq!(shared(&scenario, &both).unwrap_err(), Apart::Zones);
}

#[test]
fn what_is_taken_away_at_times_is_credited_with_less() {
    let spot = SCENARIO.replacen("cost: 80", "cost: 80, availability: 0.8", 1);
    let [plain, spot] =
        [SCENARIO, &spot].map(|text| Candidates::build(&scenario(text), &SizingOptions::default()));
    let ratio = |a: usize| spot.options(1)[a].rate_per_s / plain.options(1)[a].rate_per_s;
    assert_eq!([ratio(0), ratio(2)], [1.0, 1.0]);
    assert!((ratio(1) - 0.8).abs() < 1e-12);
    assert_eq!(spot.options(1)[1].batch, plain.options(1)[1].batch);
}

#[test]
fn carbon_has_a_price() {
    let priced =
        scenario(&SCENARIO.replace("{unlimited: true}", "{unlimited: true, carbonPrice: 200}"));
    let plain = Candidates::build(&scenario(SCENARIO), &SizingOptions::default());
    let dear = Candidates::build(&priced, &SizingOptions::default());
    for (a, b) in plain.options(0).iter().zip(dear.options(0)) {
        let grams = priced.accelerators[a.accelerator].grams_per_kwh.expect("stated");
        let more = b.cost_cents_per_h - a.cost_cents_per_h;
        // 40 to 80 W, at 200 cents a kilogram.
        let (least, most) = (0.04 * grams / 1000.0 * 200.0, 0.08 * grams / 1000.0 * 200.0);
        assert!(more >= least - 1e-12 && more <= most + 1e-12, "{least} {more} {most}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    let cases = [
        ("zones: {EU: 10, us: 95}", "zones: {mars: 10}", "no accelerator stands in zone `mars`"),
        ("zones: {EU: 10, us: 95}", "zones: {eu: far}", "the way to zone `eu` is no number"),
        ("zones: {EU: 10, us: 95}", "zones: {eu: -1}", "the way to zone `eu` is no number"),
        ("zones: {EU: 10, us: 95}", "zones: [eu]", "expected an object, found a list"),
        ("zones: {EU: 10, us: 95}", "zones: {}", "it names no zone"),
        (
            "carbonIntensity: 1}]}",
            "memSize: 1}]}",
            "nobody says what the current of `L4-lost` brings",
        ),
    ];
    let priced = SCENARIO.replace("{unlimited: true}", "{unlimited: true, carbonPrice: 200}");
    for (from, to, told) in cases {
        let text = priced.replacen(from, to, 1);
        let error = load_text("zones.yaml", &text).expect_err(told).to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}
