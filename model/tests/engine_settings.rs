//! How engines are set, from the scenario's fields to stations: what is stated, what the run states, what is
//! assumed.

use isocost_model::candidates::{
    Candidates, Reading, SizingOptions, assumed_kv_tokens, batch_limit, station,
};
use isocost_model::check::{CheckOptions, Rule, check};
use isocost_model::plan::{Approach, Choice, Method, Plan, Shape, Status};
use isocost_model::queue::{EngineSettings, ItlOver};
use isocost_model::scenario::StatedEngine;
use isocost_model::{Scenario, input};

const STATED: &str = "
acceleratorData:
  accelerators: [{name: A, cost: 10}]
modelData:
  models:
    - {name: m, acc: A, maxBatchSize: 8, atTokens: 100, PROFILE
       perfParms: {alpha: 10, beta: 0.1, gamma: 0.001}}
serviceClassData:
  serviceClasses:
    - {name: C, modelTargets: [{model: m, slo-itl: 60, slo-ttft: 3000, TARGET percentile: 95}]}
serverData:
  servers:
    - {name: s, class: C, model: m, SERVER
       currentAlloc: {load: {arrivalRate: 30, LOAD avgInTokens: 400, avgOutTokens: 50}}}
";

fn text(profile: &str, target: &str, server: &str, load: &str) -> String {
    let filled = STATED.replace("PROFILE", profile).replace("TARGET", target);
    filled.replace("SERVER", server).replace("LOAD", load)
}

fn scenario(profile: &str, target: &str, server: &str, load: &str) -> Scenario {
    let loaded = input::load_text("x.yaml", &text(profile, target, server, load));
    let loaded = loaded.unwrap_or_else(|e| panic!("it is sound: {e}"));
    assert_eq!(loaded.warnings, []);
    loaded.scenario
}

fn engine(scenario: &Scenario, sizing: &SizingOptions) -> EngineSettings {
    station(&scenario.servers[0], &scenario.profiles[0], sizing).engine
}

#[test]
fn what_a_profile_and_a_load_state_is_what_a_replica_is() {
    let profile = "maxBatchedTokens: 2048, kvTokens: 9000, chunkedPrefill: false,";
    let load = "inputScv: 0.5, prefixHitShare: 0.25,";
    let scenario = scenario(profile, "itl-over: gaps,", "", load);
    let run = StatedEngine { token_budget: Some(4096), kv_tokens: Some(1), chunked_prefill: None };
    let sizing = SizingOptions { engine: run, ..SizingOptions::default() };
    let replica = station(&scenario.servers[0], &scenario.profiles[0], &sizing);
    let stated =
        EngineSettings { token_budget: 2048, kv_tokens: Some(9000), chunked_prefill: false };
    assert_eq!(replica.engine, stated);
    assert_eq!((replica.input_scv, replica.prefix_hit_share), (0.5, 0.25));
    let target = scenario.classes[0].targets[0].expect("a target");
    assert_eq!(target.itl_over, ItlOver::Gaps);
    // The reference's percentiles are over tokens, whatever is stated.
    let requests = self::scenario("", "itl-over: Requests,", "", "");
    let target = requests.classes[0].targets[0].expect("a target");
    assert_eq!(Reading::Engine.objectives(target).itl_over, ItlOver::Requests);
    assert_eq!(Reading::Reference.objectives(target).itl_over, ItlOver::Gaps);
}

#[test]
fn what_nobody_states_is_the_runs_or_assumed_and_rules_nothing_out() {
    let plain = scenario("", "", "", "");
    let default = SizingOptions::default();
    // 2 x 8 x 100 tokens.
    assert_eq!(engine(&plain, &default).kv_tokens, Some(1600));
    let run = StatedEngine { token_budget: Some(512), kv_tokens: Some(5000), ..Default::default() };
    let stated = engine(&plain, &SizingOptions { engine: run, ..default });
    assert_eq!((stated.token_budget, stated.kv_tokens), (512, Some(5000)));
    // The reference's reading knows no cache; a server that states its batch is taken at its word.
    assert_eq!(engine(&plain, &SizingOptions::reference()).kv_tokens, None);
    let own = scenario("", "", "maxBatchSize: 64,", "");
    assert_eq!(engine(&own, &default).kv_tokens, None);
    // A request larger than all that was measured runs alone.
    let mut long = plain;
    long.servers[0].load.input_tokens = 4000.0;
    assert_eq!(assumed_kv_tokens(&long.servers[0], &long.profiles[0]), Some(4064));
    let candidates = Candidates::build(&long, &default);
    assert_eq!(candidates.options(0).first().map(|o| o.batch), Some(1), "{candidates:?}");
}

#[test]
fn no_batch_is_larger_than_a_pass_or_than_the_cache() {
    let sizing = SizingOptions::default();
    let few = scenario("maxBatchedTokens: 12,", "", "", "");
    assert_eq!(batch_limit(&few.servers[0], &few.profiles[0], &sizing), 12);
    let reference = SizingOptions::reference();
    assert_eq!(batch_limit(&few.servers[0], &few.profiles[0], &reference), 16);
    let small = scenario("kvTokens: 2000,", "", "", "");
    let replica = station(&small.servers[0], &small.profiles[0], &sizing);
    // Four requests of 450 tokens at most, and less as they vary.
    let limit = replica.batch_limit(16);
    assert!((2..=4).contains(&limit), "{limit}");
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    for (profile, load, words) in [
        ("maxBatchedTokens: 0,", "", "maxBatchedTokens: 0 is out of range; expected 1 to"),
        ("kvTokens: 5,", "", "kvTokens: 5 is out of range; expected 16 to"),
        ("kvTokens: 20.5,", "", "not a whole number; round it"),
        ("chunkedPrefill: 1,", "", "chunkedPrefill: expected true or false"),
        ("", "prefixHitShare: 1.5,", "prefixHitShare: 1.5 is out of range; expected 0 to 1"),
        ("", "inputScv: -1,", "inputScv: -1 is out of range; expected 0 to"),
    ] {
        let error = input::load_text("x.yaml", &text(profile, "", "", load)).expect_err(words);
        assert!(error.to_string().contains(words), "`{words}` is not in: {error}");
    }
    let error = input::load_text("x.yaml", &text("", "itl-over: tokens,", "", ""));
    let error = error.expect_err("it is no word for it").to_string();
    assert!(error.contains("expected one of requests, gaps"), "{error}");
}

#[test]
fn a_csv_of_loads_may_state_prompts_and_need_not() {
    let csv = "server,arrival_rate_per_min,input_tokens,output_tokens,input_scv,prefix_hit_share\n\
               s,10,,,0.5,0.75\n";
    let loaded = input::with_loads_text(scenario("", "", "", ""), "l.csv", csv).expect("sound");
    let load = loaded.scenario.servers[0].load;
    assert_eq!((load.input_scv, load.prefix_hit_share, load.input_tokens), (0.5, 0.75, 400.0));
    let csv =
        "server,arrival_rate_per_min,input_tokens,output_tokens,prefix_hit_share\ns,10,,,1.5\n";
    let error = input::with_loads_text(scenario("", "", "", ""), "l.csv", csv).expect_err("1.5");
    assert!(error.to_string().contains("expected a number from 0 to 1"), "{error}");
}

/// One replica on the only accelerator.
fn plan(scenario: &Scenario) -> Plan {
    let sizing = SizingOptions::default();
    let candidates = Candidates::build(scenario, &sizing);
    let choice = Choice {
        status: Status::Feasible,
        shares: vec![vec![(0, 1)]],
        objective: 10.0,
        bound: 0.0,
        approach: Approach::new(Shape::Single, Method::Given),
        backend: "none".to_owned(),
        notes: Vec::new(),
        nodes: Vec::new(),
    };
    Plan::new(scenario, &candidates, &sizing, false, choice)
}

fn found(scenario: &Scenario, plan: &Plan) -> Vec<Rule> {
    let found = check(scenario, &SizingOptions::default(), &CheckOptions::default(), plan);
    found.into_iter().map(|v| v.rule).collect()
}

#[test]
fn the_checker_finds_what_an_engine_that_is_set_otherwise_does_not_keep() {
    let mut scenario = scenario("kvTokens: 20000,", "", "", "");
    scenario.servers[0].load.arrival_rate_per_min = 120.0;
    let plan = plan(&scenario);
    assert_eq!(found(&scenario, &plan), []);
    let mut other = scenario.clone();
    other.profiles[0].engine.kv_tokens = Some(460);
    assert!(found(&other, &plan).contains(&Rule::Objective), "one request at a time is too slow");
    let mut other = scenario.clone();
    other.profiles[0].engine.token_budget = Some(1);
    assert!(found(&other, &plan).contains(&Rule::Batch));
    let mut other = scenario;
    other.servers[0].load.input_scv = 400.0;
    assert!(found(&other, &plan).contains(&Rule::Objective), "prompts that vary so wait");
}
