//! Stress against the checker, and margins against stress.

use std::path::Path;

use isocost_formulations::ProblemOptions;
use isocost_model::candidates::{Reading, SizingOptions};
use isocost_model::check::{CheckOptions, Rule, check};
use isocost_model::disaggregation::Division;
use isocost_model::input;
use isocost_model::plan::Plan;
use isocost_model::queue::{ItlOver, Objective, TokenRate};
use isocost_model::scenario::{Saturation, Scenario};
use isocost_model::sharing::{Decision, Served, share_by_model, shared};
use isocost_model::stress::{Kept, Margin, Shift, add_headroom, stress};
use isocost_planner::{Fleet, Formulation, Planner, Request, Shortage};
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

/// What a server asks for, drawn.
#[derive(Debug, Clone)]
struct Drawn {
    load: f64,
    tokens: (f64, f64),
    limits: (f64, f64),
    percentile: Option<f64>,
    tokens_per_s: Option<f64>,
    scv: f64,
    floor: f64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let factor = |most: f64| (0.0..1.0_f64).prop_map(move |x| most.powf(2.0 * x - 1.0));
    let percentile = prop_oneof![Just(None), (50.0..99.5_f64).prop_map(Some)];
    let tokens_per_s = prop_oneof![3 => Just(None), 1 => (1.0..15.0_f64).prop_map(Some)];
    let load = prop_oneof![1 => Just(0.0), 6 => factor(8.0)];
    let (tokens, limits) = ((factor(3.0), factor(3.0)), (1.0..4.0_f64, 1.0..4.0_f64));
    let floor = prop_oneof![3 => Just(0.0), 1 => factor(4.0)];
    (load, tokens, limits, percentile, tokens_per_s, 0.5..3.0_f64, floor).prop_map(
        |(load, tokens, limits, percentile, tokens_per_s, scv, floor)| Drawn {
            load,
            tokens,
            limits,
            percentile,
            tokens_per_s,
            scv,
            floor,
        },
    )
}

/// The example with what was drawn for each server and its target.
fn asked(name: &str, servers: &[Drawn], over_gaps: bool) -> Scenario {
    let mut scenario = scenario(name);
    for (server, drawn) in scenario.servers.iter_mut().zip(servers.iter().cycle()) {
        let load = &mut server.load;
        load.arrival_rate_per_min *= drawn.load;
        load.input_tokens = (load.input_tokens * drawn.tokens.0).round();
        load.output_tokens = (load.output_tokens * drawn.tokens.1).round().max(1.0);
        (load.arrival_scv, load.token_scv) = (drawn.scv, drawn.scv);
        if drawn.tokens_per_s.is_none() {
            server.min_tokens_per_s = drawn.floor * load.rate_per_s() * load.output_tokens;
        }
        let Some(target) = &mut scenario.classes[server.class].targets[server.model] else {
            continue;
        };
        let up = |o: Objective, by: f64| Objective {
            limit_ms: o.limit_ms * by,
            percentile: drawn.percentile.or(o.percentile),
        };
        target.itl = target.itl.map(|o| up(o, drawn.limits.0));
        target.ttft = target.ttft.map(|o| up(o, drawn.limits.1));
        target.itl_over = if over_gaps { ItlOver::Gaps } else { ItlOver::Requests };
        target.tokens_per_s =
            drawn.tokens_per_s.map(|per_s| TokenRate { per_s, percentile: drawn.percentile });
    }
    scenario
}

/// As finely as rates are held against it.
const FINE: f64 = 1e-6;
/// As finely as limits are: percentiles have teeth of which sizing keeps as much in hand.
const TEETH: f64 = 1e-3;

/// Holds the headroom of each part against the checker at it and a little above it; returns how many there were.
fn holds_up_to_its_headroom(planner: &Planner, fleet: &Fleet, plan: &mut Plan) -> usize {
    add_headroom(&fleet.scenario, &planner.sizing, plan);
    let options = CheckOptions { unlimited: true, partial: true, ..CheckOptions::default() };
    // Limits a little up (1) or down (-1).
    let broken = |s: usize, p: usize, factor: f64, direction: f64| {
        let mut scenario = fleet.scenario.clone();
        let targets = scenario.classes.iter_mut().flat_map(|c| c.targets.iter_mut().flatten());
        for target in targets {
            let toothed = target.latencies().any(|(_, objective)| objective.percentile.is_some());
            let floor = target.tokens_per_s.and_then(|rate| rate.percentile);
            let share = if toothed || floor.is_some() { TEETH } else { FINE };
            let by = 1.0 + direction * share;
            *target = target.relaxed(|_| by);
            target.tokens_per_s.iter_mut().for_each(|rate| rate.per_s /= by);
        }
        let mut at = plan.clone();
        let server = &fleet.scenario.servers[s];
        let arrives = match server.floor_per_s() > 0.0 {
            true => server.load.rate_per_s(),
            false => at.placements[s].demand_per_s,
        };
        let gets = at.placements[s].served_share * at.placements[s].demand_per_s;
        at.placements[s].parts[p].rate_per_s *= factor * arrives / gets;
        let name = &server.name;
        check(&scenario, &planner.sizing, &options, &at)
            .into_iter()
            .filter(|v| v.rule == Rule::Objective && v.place == *name)
            .map(|v| v.what)
            .collect::<Vec<_>>()
    };
    let mut parts = 0;
    for (s, placement) in plan.placements.iter().enumerate() {
        for (p, part) in placement.parts.iter().enumerate() {
            let Some(first) = part.headroom else {
                let arrives = fleet.scenario.servers[s].load.rate_per_s();
                assert_eq!(arrives, 0.0, "only who has no load breaks nothing");
                continue;
            };
            assert!(first.factor >= placement.served_share * (1.0 - 1e-9), "{first:?}");
            let at = broken(s, p, first.factor, 1.0);
            assert!(at.is_empty(), "{first:?}: {at:?}");
            let above = broken(s, p, first.factor * (1.0 + FINE), -1.0);
            let word = match first.kept {
                Kept::Loss => "loses",
                Kept::Link => "its link",
                Kept::Steady => "sustainable",
                kept => kept.word(),
            };
            assert!(above.iter().any(|what| what.contains(word)), "{first:?}: {above:?}");
            parts += 1;
        }
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_server_holds_up_to_its_headroom_and_no_further(
        servers in proptest::collection::vec(drawn(), 3),
        queue in prop_oneof![2 => Just(None), 1 => Just(Some(0)), 1 => Just(Some(20))],
        mixed in any::<bool>(),
        shares in any::<bool>(),
        reference in any::<bool>(),
        over_gaps in any::<bool>(),
        cards in prop_oneof![2 => Just(100), 1 => Just(1_u64)],
        availability in prop_oneof![2 => Just(1.0), 1 => 0.5..1.0_f64],
    ) {
        let mut scenario = asked("quickstart", &servers, over_gaps);
        scenario.card_types.iter_mut().for_each(|card| card.count = Some(cards));
        scenario.accelerators[0].availability = availability;
        if shares && !reference {
            share_by_model(&mut scenario);
        }
        let mut planner = Planner::new(default_backend().expect("one is built"));
        planner.sizing = match reference {
            true => SizingOptions { reading: Reading::Reference, ..SizingOptions::reference() },
            false => SizingOptions { max_queue: queue, max_loss: 0.05, ..SizingOptions::default() },
        };
        planner.request = Request {
            formulation: if mixed { Formulation::MIXED } else { Formulation::SINGLE },
            shortage: Shortage::By { saturation: Saturation::PriorityExhaustive, delayed: false },
            ..Request::default()
        };
        let fleet = planner.fleet(scenario);
        let mut plan = planner.plan(&fleet).expect("it keeps the rules");
        prop_assume!(plan.has_plan());
        holds_up_to_its_headroom(&planner, &fleet, &mut plan);
    }
}

/// Every server with pools of its own, whether or not that pays.
#[test]
fn pools_hold_up_to_their_headroom_whatever_ends_it() {
    let mut scenario = scenario("disaggregation.yaml");
    scenario.servers.iter_mut().for_each(|server| server.disaggregate = true);
    let targets = scenario.classes.iter_mut().flat_map(|c| c.targets.iter_mut().flatten());
    targets.filter_map(|t| t.ttft.as_mut()).for_each(|ttft| ttft.limit_ms *= 10.0);
    let division = Some(Division { first: 25, last: 10 });
    let decision = (0..scenario.servers.len()).map(|s| Served { members: vec![s], division });
    let decision: Decision = decision.collect();
    let mut ended = Vec::new();
    for link_gb_per_s in [0.5, 2.0, 25.0] {
        scenario.accelerators.iter_mut().for_each(|a| a.kv_link_gb_per_s = Some(link_gb_per_s));
        let mut planner = Planner::new(default_backend().expect("one is built"));
        planner.request.problem.unlimited = true;
        let fleet = planner.apart(shared(&scenario, &decision).expect("they may"));
        let mut plan = planner.plan(&fleet).expect("it keeps the rules");
        assert!(holds_up_to_its_headroom(&planner, &fleet, &mut plan) > 0, "{link_gb_per_s}");
        let parts = plan.placements.iter().flat_map(|placement| &placement.parts);
        ended.extend(parts.filter_map(|part| part.headroom).map(|first| first.kept));
    }
    assert!(ended.contains(&Kept::Link) && ended.contains(&Kept::Ttft), "{ended:?}");
}

#[test]
fn a_plan_with_a_margin_has_it_as_headroom() {
    let scenario = scenario("quickstart");
    let sizing = SizingOptions::default();
    let mut plan = plan(&scenario, &sizing, Margin { load: 1.3, service: 1.05 }, true);
    add_headroom(&scenario, &sizing, &mut plan);
    for placement in &plan.placements {
        let first = placement.headroom().expect("all have loads");
        assert!(first.factor >= 1.3, "{first:?}");
    }
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
    let mut plan = plan(&scenario, &sizing, none(), false);
    add_headroom(&scenario, &sizing, &mut plan);
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
    for (s, placement) in plan.placements.iter().enumerate() {
        let limits = headroom.iter().filter(|h| h.server == s && h.kept != Kept::Stable);
        let first = limits.filter_map(|h| Some((h.at(Shift::Load)?, h.kept)));
        let first = first.min_by(|a, b| a.0.total_cmp(&b.0)).expect("something breaks");
        let told = placement.headroom().expect("it has load");
        assert!((told.factor / first.0 - 1.0).abs() < 1e-6, "{told:?} {first:?}");
        assert_eq!(told.kept, first.1);
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
