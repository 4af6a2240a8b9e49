//! Who has prefill and decode apart, against every way to divide limits, each planned for on its own.

use std::path::Path;

use isocost_formulations::ProblemOptions;
use isocost_model::candidates::targets;
use isocost_model::check::{CheckOptions, Rule, check};
use isocost_model::disaggregation::{Division, Role, may_be_apart};
use isocost_model::input;
use isocost_model::plan::{Plan, Status};
use isocost_model::queue::{Objective, Reading};
use isocost_model::scenario::Scenario;
use isocost_model::sharing::{Decision, Served, shared};
use isocost_planner::{Fleet, Formulation, Planner, Request};
use isocost_solver::default_backend;
use proptest::prelude::*;

/// The example, in which everyone may have pools.
fn example() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/disaggregation.yaml");
    let mut scenario = input::load(&path).expect("the scenario is sound").scenario;
    scenario.servers.iter_mut().for_each(|server| server.disaggregate = true);
    scenario
}

fn planner(mixed: bool) -> Planner {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.request = Request {
        formulation: if mixed { Formulation::MIXED } else { Formulation::SINGLE },
        problem: ProblemOptions::default(),
        ..Request::default()
    };
    planner
}

fn planned(planner: &Planner, scenario: &Scenario) -> (Fleet, Plan) {
    let fleet = planner.fleet(scenario.clone());
    let plan = planner.plan(&fleet).expect("it keeps the rules");
    (fleet, plan)
}

/// The least cost over every decision; `None` where none has a plan.
fn least(planner: &Planner, scenario: &Scenario) -> Option<f64> {
    let mut decisions = vec![Decision::new()];
    for (s, server) in scenario.servers.iter().enumerate() {
        let all = match may_be_apart(server) {
            true => Division::all(&targets(scenario, server, Reading::Engine)),
            false => Vec::new(),
        };
        let of = |division| Served { members: vec![s], division: Some(division) };
        let with = |known: Decision| {
            let apart = all.iter().map(|&d| [&known[..], &[of(d)]].concat());
            apart.chain([known.clone()]).collect::<Vec<_>>()
        };
        decisions = decisions.into_iter().flat_map(with).collect();
    }
    let cost = |decision: Decision| {
        let fleet = planner.apart(shared(scenario, &decision).expect("nobody shares"));
        let plan = planner.plan(&fleet).expect("it keeps the rules");
        plan.has_plan().then_some(plan.total_cost)
    };
    decisions.into_iter().filter_map(cost).min_by(f64::total_cmp)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("DISAGGREGATION").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
    ))]

    #[test]
    fn no_decision_is_cheaper_than_the_plan(
        loads in prop::collection::vec((0.0..3.0_f64, 100.0..9_000.0_f64, 1.0..600.0_f64), 3),
        cards in prop::collection::vec(0..12_u64, 3),
        limits in (15.0..90.0_f64, 300.0..6_000.0_f64, prop::option::of(90.0..99.0_f64)),
        mixed in any::<bool>(),
    ) {
        let mut scenario = example();
        for (server, (factor, input, output)) in scenario.servers.iter_mut().zip(loads) {
            server.load.arrival_rate_per_min *= factor;
            (server.load.input_tokens, server.load.output_tokens) = (input, output);
        }
        scenario.card_types.iter_mut().zip(cards).for_each(|(card, n)| card.count = Some(n));
        let (itl, ttft, percentile) = limits;
        let target = scenario.classes[0].targets[0].as_mut().expect("it has one");
        target.itl = Some(Objective { limit_ms: itl, percentile });
        target.ttft = Some(Objective { limit_ms: ttft, percentile });
        let planner = planner(mixed);
        let (_, plan) = planned(&planner, &scenario);
        match least(&planner, &scenario) {
            Some(least) => {
                prop_assert_eq!(plan.status, Status::Optimal);
                prop_assert!((plan.total_cost - least).abs() < 1e-9 * least, "{} of {least}", plan.total_cost);
            }
            None => prop_assert_eq!(plan.status, Status::Infeasible),
        }
    }
}

#[test]
fn a_plan_says_whose_pools_are_apart_and_what_that_saves() {
    let mut scenario = example();
    let (_, apart) = planned(&planner(false), &scenario);
    let told = apart.sharing.expect("some may");
    assert_eq!((told.may_disaggregate, told.may), (3, 0));
    assert!(told.disaggregated > 0 && apart.total_cost < told.apart.expect("it has a plan"));
    scenario.servers.iter_mut().for_each(|server| server.disaggregate = false);
    let (_, whole) = planned(&planner(false), &scenario);
    assert_eq!((whole.sharing, Some(whole.total_cost)), (None, told.apart));
}

#[test]
fn what_nobody_can_send_is_not_sent() {
    let mut scenario = example();
    scenario.accelerators.iter_mut().for_each(|a| a.kv_link_gb_per_s = None);
    let (_, plan) = planned(&planner(false), &scenario);
    let told = plan.sharing.expect("some may");
    assert_eq!((told.may_disaggregate, told.disaggregated), (3, 0));
    // A link that is slow takes the limit of the time to first token.
    let mut scenario = example();
    scenario.accelerators.iter_mut().for_each(|a| a.kv_link_gb_per_s = Some(0.05));
    let (_, plan) = planned(&planner(false), &scenario);
    assert_eq!(plan.sharing.expect("some may").disaggregated, 0);
}

#[test]
fn pools_that_do_not_keep_the_whole_are_refused() {
    let planner = planner(false);
    let (fleet, plan) = planned(&planner, &example());
    let rules = |scenario: &Scenario| -> Vec<Rule> {
        let found = check(scenario, &planner.sizing, &CheckOptions::default(), &plan);
        found.into_iter().map(|violation| violation.rule).collect()
    };
    assert_eq!(rules(&fleet.scenario), []);
    let of = |scenario: &Scenario, role| {
        let is_one =
            |s: &isocost_model::scenario::Server| s.pool.as_ref().is_some_and(|p| p.role == role);
        scenario.servers.iter().position(is_one).expect("somebody has pools")
    };
    let [prefill, decode] = [Role::Prefill, Role::Decode].map(|role| of(&fleet.scenario, role));
    let changed = |change: &dyn Fn(&mut Scenario)| {
        let mut scenario = fleet.scenario.clone();
        change(&mut scenario);
        rules(&scenario)
    };
    let longer = |s: usize| {
        move |scenario: &mut Scenario| {
            let server = &scenario.servers[s];
            let target = scenario.classes[server.class].targets[server.model].as_mut();
            target.expect("it has one").ttft.as_mut().expect("it has one").limit_ms *= 1.01;
        }
    };
    assert!(changed(&longer(prefill)).contains(&Rule::Pool));
    assert!(changed(&longer(decode)).contains(&Rule::Pool));
    assert!(changed(&|s| s.servers[decode].load.arrival_rate_per_min *= 0.5).contains(&Rule::Pool));
    assert!(changed(&|s| s.servers[prefill].pool = None).contains(&Rule::Pool));
    assert!(
        changed(&|s| s.accelerators.iter_mut().for_each(|a| a.kv_link_gb_per_s = None))
            .contains(&Rule::Objective)
    );
}
