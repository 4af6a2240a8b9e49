//! Stress against the checker, and margins against stress.

use std::path::Path;

use isocost_formulations::ProblemOptions;
use isocost_model::candidates::SizingOptions;
use isocost_model::check::{CheckOptions, Rule, check};
use isocost_model::input;
use isocost_model::plan::Plan;
use isocost_model::scenario::Scenario;
use isocost_model::stress::{Kept, Margin, Shift, stress};
use isocost_planner::{Formulation, Planner, Request};
use isocost_solver::default_backend;
use proptest::prelude::*;

fn scenario(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name);
    input::load(&path).expect("the scenario is sound").scenario
}

/// A plan for `scenario` with a margin, as it runs under the stated loads.
fn plan(scenario: &Scenario, sizing: &SizingOptions, margin: Margin, mixed: bool) -> Plan {
    let mut planner = Planner::new(default_backend().expect("one is built"));
    planner.sizing = *sizing;
    planner.request = Request {
        formulation: if mixed { Formulation::MIXED } else { Formulation::SINGLE },
        problem: ProblemOptions { unlimited: true, ..ProblemOptions::default() },
        margin,
        ..Request::default()
    };
    planner.plan(&planner.fleet(scenario.clone())).expect("it keeps the rules")
}

fn none() -> Margin {
    Margin { load: 1.0, service: 1.0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_stands_the_margin_that_it_was_made_with(
        load in 1.0_f64..1.5,
        service in 1.0_f64..1.15,
        queue in prop_oneof![Just(None), Just(Some(0)), Just(Some(20))],
        mixed in any::<bool>(),
    ) {
        let scenario = scenario("quickstart");
        let sizing =
            SizingOptions { max_queue: queue, max_loss: 0.05, ..SizingOptions::default() };
        let plan = plan(&scenario, &sizing, Margin { load, service }, mixed);
        prop_assume!(plan.has_plan());
        let both = load.min(service);
        for (shift, factor) in [(Shift::Load, load), (Shift::Service, service), (Shift::Both, both)] {
            let broken: Vec<_> = stress(&scenario, &sizing, &plan, factor)
                .into_iter()
                .filter(|h| h.breaks_within(shift, factor))
                .collect();
            prop_assert!(broken.is_empty(), "{shift:?} x {factor}: {broken:?}");
        }
    }
}

/// The plan put under `margin`, as the checker takes it.
fn objectives_broken(scenario: &Scenario, sizing: &SizingOptions, plan: &Plan, by: Margin) -> bool {
    let up = by.apply(scenario, sizing.reading);
    let back = Margin { load: 1.0 / by.load, service: 1.0 };
    let stressed = back.relax(&up, sizing, plan);
    let options = CheckOptions { unlimited: true, ..CheckOptions::default() };
    let violations = check(&up, sizing, &options, &stressed);
    violations.iter().any(|v| v.rule == Rule::Objective)
}

#[test]
fn the_checker_breaks_where_stress_says() {
    let (scenario, sizing) = (scenario("fleet-27"), SizingOptions::default());
    let plan = plan(&scenario, &sizing, none(), false);
    let headroom = stress(&scenario, &sizing, &plan, 1.5);
    for shift in [Shift::Load, Shift::Service, Shift::Both] {
        let margin = |f: f64| match shift {
            Shift::Load => Margin { load: f, service: 1.0 },
            Shift::Service => Margin { load: 1.0, service: f },
            _ => Margin { load: f, service: f },
        };
        let breaks = headroom.iter().filter(|h| h.kept != Kept::Stable);
        let first = breaks.filter_map(|h| h.at(shift)).fold(f64::INFINITY, f64::min);
        assert!(first > 1.0 && first < 1.5, "{shift:?}: {first}");
        let (below, above) = (margin(first * (1.0 - 1e-6)), margin(first * (1.0 + 1e-6)));
        assert!(!objectives_broken(&scenario, &sizing, &plan, below), "{shift:?}");
        assert!(objectives_broken(&scenario, &sizing, &plan, above), "{shift:?}");
    }
}

#[test]
fn both_break_no_later_than_either_and_capacity_no_later_than_stability() {
    let (scenario, sizing) = (scenario("fleet-27"), SizingOptions::default());
    let plan = plan(&scenario, &sizing, none(), true);
    let headroom = stress(&scenario, &sizing, &plan, 1.5);
    let at = |h: &isocost_model::stress::Headroom, shift| h.at(shift).unwrap_or(f64::INFINITY);
    for h in &headroom {
        let both = at(h, Shift::Both) * (1.0 - 1e-6);
        assert!(both <= at(h, Shift::Load).min(at(h, Shift::Service)), "{h:?}");
        assert!(at(h, Shift::Service) * (1.0 - 1e-6) <= at(h, Shift::Alpha), "{h:?}");
        assert!(h.at(Shift::Delta).is_none(), "no profile has a delta");
        if h.kept == Kept::Stable {
            let same = headroom.iter().find(|o| o.server == h.server && o.kept == Kept::Steady);
            let capacity = same.expect("each server has both");
            assert!(at(capacity, Shift::Both) <= at(h, Shift::Both));
        }
    }
}
