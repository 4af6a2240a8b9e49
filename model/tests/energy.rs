//! Energy against a calculation by hand.

use isocost_model::candidates::{Candidates, Reading, SizingOptions};
use isocost_model::energy::Energy;
use isocost_model::export::{Export, Timing, plan_csv, plan_json};
use isocost_model::input::load_text;
use isocost_model::plan::{Approach, Choice, Method, Plan, Shape, Status};

/// One request at a time, 100 ms of prefill and 9 steps of 100 ms: a second. Two replicas share 60
/// requests a minute, so that each is busy half of the time; a replica takes two accelerators.
/// The curve goes from 50 W (idle) to 150 W at 0.4 and to 450 W (full): at 0.5 it is at
/// 150 + 300 * 0.1 / 0.6 = 200 W. Two replicas of two accelerators draw 800 W; the second server is
/// idle on one replica, 2 * 50 W.
const SCENARIO: &str = r#"{
  "acceleratorData": { "accelerators": [
    { "name": "A", "type": "A", "multiplicity": 1, "memSize": 80, "memBW": 2000, "cost": 100,
      "power": { "idle": 50, "full": 450, "midPower": 150, "midUtil": 0.4 } } ] },
  "modelData": { "models": [
    { "name": "m", "acc": "A", "accCount": 2, "maxBatchSize": 1, "atTokens": 10,
      "decodeParms": { "alpha": 100, "beta": 0 }, "prefillParms": { "gamma": 100, "delta": 0 } } ] },
  "serviceClassData": { "serviceClasses": [
    { "name": "c", "priority": 1, "modelTargets": [ { "model": "m", "slo-itl": 200 } ] } ] },
  "serverData": { "servers": [
    { "name": "busy", "class": "c", "model": "m", "minNumReplicas": 2, "currentAlloc": {
      "load": { "arrivalRate": 60, "avgInTokens": 5, "avgOutTokens": 10 } } },
    { "name": "idle", "class": "c", "model": "m", "minNumReplicas": 1, "currentAlloc": {
      "load": { "arrivalRate": 0, "avgInTokens": 5, "avgOutTokens": 10 } } } ] }
}"#;

#[test]
fn watts_by_day_and_by_token_are_those_by_hand() {
    let scenario = load_text("energy.json", SCENARIO).expect("sound").scenario;
    let sizing = SizingOptions { reading: Reading::Reference, ..SizingOptions::default() };
    let candidates = Candidates::build(&scenario, &sizing);
    let choice = Choice {
        status: Status::Feasible,
        shares: vec![vec![(0, 2)], vec![(0, 1)]],
        objective: 600.0,
        bound: f64::NEG_INFINITY,
        approach: Approach::new(Shape::Mixed, Method::Given),
        backend: String::new(),
        notes: Vec::new(),
        nodes: Vec::new(),
    };
    let plan = Plan::new(&scenario, &candidates, &sizing, true, choice);
    let near =
        |got: f64, by_hand: f64| assert!((got - by_hand).abs() < 1e-9, "{got}, not {by_hand}");
    let busy = Energy::of_placement(&scenario.servers[0], &plan.placements[0]);
    near(busy.watts, 800.0);
    near(busy.kwh_per_day(), 19.2);
    // 10 tokens a second, 36,000 an hour: 800 Wh for them.
    near(busy.wh_per_million_tokens().expect("tokens"), 800.0 / 0.036);
    let idle = Energy::of_placement(&scenario.servers[1], &plan.placements[1]);
    assert_eq!((idle.watts, idle.wh_per_million_tokens()), (100.0, None));
    let all = Energy::of_plan(&scenario, &plan);
    near(all.kwh_per_day(), 21.6);
    near(all.wh_per_million_tokens().expect("tokens"), 900.0 / 0.036);

    let timing = Timing::default();
    let export = Export { scenario: &scenario, candidates: &candidates, plan: &plan, timing };
    let json: serde_json::Value = serde_json::from_str(&plan_json(&export)).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    near(number(&json["energyKwhPerDay"]), 21.6);
    near(number(&json["whPerMillionTokens"]), 900.0 / 0.036);
    let server = &json["allocations"]["busy"];
    for entry in [server, &server["parts"][0]] {
        near(number(&entry["watts"]), 800.0);
        near(number(&entry["energyKwhPerDay"]), 19.2);
        near(number(&entry["whPerMillionTokens"]), 800.0 / 0.036);
    }
    assert!(json["allocations"]["idle"]["whPerMillionTokens"].is_null());

    let csv = plan_csv(&export);
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name).expect("a column");
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    let cell = |row: usize, name: &str| rows[row][at(name)].to_owned();
    near(cell(0, "energy_kwh_per_day").parse().expect("a number"), 19.2);
    near(cell(0, "wh_per_million_tokens").parse().expect("a number"), 800.0 / 0.036);
    assert_eq!(
        (cell(1, "energy_kwh_per_day").as_str(), cell(1, "wh_per_million_tokens").as_str()),
        ("2.4", "")
    );
}
