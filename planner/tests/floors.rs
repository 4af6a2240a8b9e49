//! A floor of tokens: capacity that is there whatever arrives.

use isocost_model::Scenario;
use isocost_model::input::load_text;
use isocost_model::plan::{Plan, Status};
use isocost_model::stress::Margin;
use isocost_planner::Planner;

const SCENARIO: &str = r#"
acceleratorData: {accelerators: [{name: L4, cost: 100}, {name: A100, cost: 350}]}
modelData: {models: [
  {name: m, acc: L4, accCount: 1, maxBatchSize: 16, decodeParms: {alpha: 10, beta: 1}, prefillParms: {gamma: 20, delta: 0.1}},
  {name: m, acc: A100, accCount: 1, maxBatchSize: 32, decodeParms: {alpha: 5, beta: 0.3}, prefillParms: {gamma: 8, delta: 0.02}}]}
serviceClassData: {serviceClasses: [{name: C, priority: 1, modelTargets: [{model: m, slo-itl: 40, slo-ttft: 400}]}]}
serverData: {servers: [
  {name: a, class: C, model: m, share: g, currentAlloc: {load: {arrivalRate: 60, avgInTokens: 100, avgOutTokens: 50}}},
  {name: b, class: C, model: m, share: g, currentAlloc: {load: {arrivalRate: 0, avgInTokens: 100, avgOutTokens: 50}}}]}
optimizerData: {optimizer: {unlimited: true}}
"#;

fn scenario(floors: [f64; 2], shares: bool) -> Scenario {
    let mut scenario = load_text("floors.yaml", SCENARIO).expect("it is sound").scenario;
    for (server, floor) in scenario.servers.iter_mut().zip(floors) {
        server.min_tokens_per_s = floor;
        server.share = server.share.take().filter(|_| shares);
    }
    scenario
}

fn planner() -> Planner {
    Planner::new(isocost_solver::backend("microlp").expect("it is built"))
}

fn planned(planner: &Planner, scenario: Scenario) -> (Scenario, Plan) {
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("it keeps every rule");
    assert_eq!(plan.status, Status::Optimal);
    (fleet.scenario, plan)
}

#[test]
fn a_floor_is_planned_for_like_the_load_that_it_comes_to() {
    let (_, plain) = planned(&planner(), scenario([0.0, 0.0], false));
    assert_eq!(plain.placements[1].replicas(), 0, "nothing is asked");
    for tokens in [10.0, 50.0, 400.0, 2000.0] {
        let (_, floor) = planned(&planner(), scenario([tokens, tokens], false));
        // 50 tokens an answer.
        let mut loaded = scenario([0.0, 0.0], false);
        for server in &mut loaded.servers {
            let load = &mut server.load.arrival_rate_per_min;
            *load = load.max(tokens / 50.0 * 60.0);
        }
        let (_, loaded) = planned(&planner(), loaded);
        assert_eq!(floor.total_cost, loaded.total_cost, "{tokens} tokens/s");
        for (a, b) in floor.placements.iter().zip(&loaded.placements) {
            assert!((a.demand_per_s - b.demand_per_s).abs() < 1e-12, "{tokens} tokens/s");
        }
    }
}

#[test]
fn those_who_share_replicas_each_keep_their_floor() {
    let (shared, plan) = planned(&planner(), scenario([500.0, 300.0], true));
    assert_eq!(shared.servers.len(), 1, "sharing pays");
    assert!((plan.placements[0].demand_per_s - 16.0).abs() < 1e-9, "{:?}", plan.placements[0]);
}

#[test]
fn a_margin_is_on_what_arrives_and_not_on_a_floor() {
    let mut planner = planner();
    planner.request.margin = Margin { load: 2.0, service: 1.0 };
    for shares in [false, true] {
        let (_, plan) = planned(&planner, scenario([100.0, 400.0], shares));
        let demand: f64 = plan.placements.iter().map(|p| p.demand_per_s).sum();
        assert!((demand - (2.0 + 8.0)).abs() < 1e-9, "{demand}");
    }
}
