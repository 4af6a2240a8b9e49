//! The checker lets a right plan pass and rejects each kind of tampered one, by the right rule.

use std::path::PathBuf;

use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::check::{CheckOptions, Rule, Sharing, check};
use isocost_model::plan::{Approach, Choice, Method, Plan, Shape, Status};
use isocost_model::scenario::{Budget, CurrentAllocation};
use isocost_model::{Scenario, input};

fn quickstart() -> Scenario {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart");
    let mut scenario = input::load(&path).expect("the example is sound").scenario;
    scenario.servers[0].min_replicas = 2;
    scenario.servers[0].max_replicas = Some(6);
    scenario
}

/// Each server on the candidate that is cheapest for it alone.
fn right_plan(scenario: &Scenario) -> Plan {
    let sizing = SizingOptions::default();
    let candidates = Candidates::build(scenario, &sizing);
    let mut objective = 0.0;
    let mut shares = Vec::new();
    for (s, server) in scenario.servers.iter().enumerate() {
        let alone = candidates.options(s).iter().enumerate().map(|(o, c)| {
            let n = ((candidates.demands[s].rate_per_s / c.rate_per_s).ceil() as u64)
                .max(u64::from(server.min_replicas));
            (o, n, c.cost_cents_per_h * n as f64)
        });
        let (o, n, cost) = alone.min_by(|a, b| a.2.total_cmp(&b.2)).expect("a candidate");
        objective += cost;
        shares.push(vec![(o, n)]);
    }
    let choice = Choice {
        status: Status::Feasible,
        shares,
        objective,
        bound: 0.0,
        approach: Approach::new(Shape::Mixed, Method::Given),
        backend: "none".to_owned(),
        notes: Vec::new(),
        nodes: Vec::new(),
    };
    Plan::new(scenario, &candidates, &sizing, false, choice)
}

fn rules(scenario: &Scenario, plan: &Plan) -> Vec<Rule> {
    let found = check(scenario, &SizingOptions::default(), &CheckOptions::default(), plan);
    found.into_iter().map(|v| v.rule).collect()
}

#[test]
fn a_right_plan_passes() {
    let scenario = quickstart();
    assert_eq!(rules(&scenario, &right_plan(&scenario)), []);
}

/// Falsifies a plan.
type Tamper = fn(&mut Plan);

/// Narrows a scenario, given the accelerator that the first server uses.
type Change = fn(&mut Scenario, usize);

#[test]
fn tampered_plans_are_rejected_by_the_right_rule() {
    let scenario = quickstart();
    let tampered: [(Rule, Tamper); 18] = [
        (Rule::Complete, |p| drop(p.placements.pop())),
        (Rule::Complete, |p| p.status = Status::Infeasible),
        (Rule::Accelerator, |p| p.placements[0].parts[0].accelerator = 99),
        // The 32-billion model has no profile on the small card.
        (Rule::Accelerator, |p| p.placements[1].parts[0].accelerator = 0),
        (Rule::Batch, |p| p.placements[0].parts[0].batch = 0),
        (Rule::Batch, |p| p.placements[0].parts[0].batch = 100_000),
        (Rule::Replicas, |p| p.placements[0].parts[0].replicas = 1),
        (Rule::Replicas, |p| p.placements[0].parts[0].replicas = 7),
        (Rule::Cover, |p| p.placements[1].parts[0].credited_rate_per_s *= 0.1),
        (Rule::Cover, |p| p.placements[1].served_share = 0.5),
        (Rule::Cover, |p| p.placements[1].demand_per_s *= 0.5),
        (Rule::Split, |p| p.placements[1].parts[0].rate_per_s *= 0.5),
        (Rule::Objective, |p| p.placements[1].parts[0].rate_per_s *= 50.0),
        (Rule::Cards, |p| p.placements[1].parts[0].cards += 1),
        (Rule::Cards, |p| p.usage[0].cards += 1),
        (Rule::Cost, |p| p.placements[1].parts[0].cost -= 1.0),
        (Rule::Cost, |p| p.total_cost -= 1.0),
        (Rule::Proof, |p| p.status = Status::Optimal),
    ];
    for (i, (rule, tamper)) in tampered.into_iter().enumerate() {
        let mut plan = right_plan(&scenario);
        tamper(&mut plan);
        let found = rules(&scenario, &plan);
        assert!(found.contains(&rule), "tampering {i} found {found:?}, not {rule:?}");
    }
}

/// Every server runs now where the plan puts it.
fn runs_as_planned(scenario: &mut Scenario, plan: &Plan) {
    for (server, placement) in scenario.servers.iter_mut().zip(&plan.placements) {
        let part = &placement.parts[0];
        let (accelerator, cost_cents_per_h) = (part.accelerator, part.cost);
        let replicas = u32::try_from(part.replicas).expect("a few");
        server.current = Some(CurrentAllocation { accelerator, replicas, cost_cents_per_h });
    }
}

#[test]
fn moves_and_the_value_of_a_change_are_checked() {
    let mut scenario = quickstart();
    let plan = right_plan(&scenario);
    runs_as_planned(&mut scenario, &plan);
    let found = |scenario: &Scenario, plan: &Plan, options: &CheckOptions| -> Vec<Rule> {
        let found = check(scenario, &SizingOptions::default(), options, plan);
        found.into_iter().map(|v| v.rule).collect()
    };
    let still = CheckOptions { max_moves: Some(0), ..CheckOptions::default() };
    let change = CheckOptions { transition: true, ..CheckOptions::default() };
    assert_eq!(found(&scenario, &plan, &still), []);
    let unchanged = Plan { objective: 0.0, bound: -1.0, ..plan.clone() };
    assert_eq!(found(&scenario, &unchanged, &change), []);
    // The first server runs elsewhere now, at 100 cents: it moves, at a tenth of both costs.
    let current = scenario.servers[0].current.as_mut().expect("set above");
    (current.accelerator, current.cost_cents_per_h) = (current.accelerator + 1, 100.0);
    assert_eq!(found(&scenario, &plan, &still), [Rule::Moves]);
    assert_eq!(found(&scenario, &unchanged, &change), [Rule::Proof]);
    let cost = plan.placements[0].parts[0].cost;
    let moved = Plan { objective: cost - 100.0 + 0.1 * (cost + 100.0), ..unchanged };
    let moved = Plan { bound: moved.objective - 1.0, ..moved };
    assert_eq!(found(&scenario, &moved, &change), []);
}

#[test]
fn a_bound_may_be_above_a_change_of_nothing_by_the_rounding_of_the_costs_alone() {
    let mut scenario = quickstart();
    let plan = right_plan(&scenario);
    runs_as_planned(&mut scenario, &plan);
    let options = CheckOptions { transition: true, ..CheckOptions::default() };
    let broken = |bound: f64| {
        let plan = Plan { objective: 0.0, bound, ..plan.clone() };
        check(&scenario, &SizingOptions::default(), &options, &plan)
    };
    assert_eq!(broken(plan.total_cost * 1e-12), vec![]);
    assert!(broken(plan.total_cost * 1e-3).iter().any(|v| v.rule == Rule::Proof));
}

#[test]
fn limits_of_the_scenario_are_kept() {
    let plan = right_plan(&quickstart());
    let used = plan.placements[0].parts[0].accelerator;
    let changes: [(Rule, Change); 11] = [
        (Rule::Objective, |s, a| s.accelerators[a].availability = 0.02),
        (Rule::Objective, |s, _| s.servers[0].network = vec![1e5; s.accelerators.len()]),
        (Rule::Cover, |s, _| s.servers[0].min_tokens_per_s = 1e6),
        (Rule::Capacity, |s, a| s.card_types[s.accelerators[a].card_type].count = Some(0)),
        (Rule::Capacity, |s, a| s.card_types[s.accelerators[a].card_type].spare = 1_000),
        (Rule::Accelerator, |s, a| s.servers[0].deny = vec![a]),
        (Rule::Accelerator, |s, a| s.servers[0].allow = vec![a + 1]),
        (Rule::Accelerator, |s, a| {
            s.servers[0].keep_accelerator = true;
            let (replicas, cost_cents_per_h) = (1, 1.0);
            s.servers[0].current =
                Some(CurrentAllocation { accelerator: a + 1, replicas, cost_cents_per_h });
        }),
        (Rule::Spread, |s, _| s.servers[0].min_types = 2),
        (Rule::Budget, |s, _| {
            let name = "all".to_owned();
            s.budgets.push(Budget { name, cards: Some(1), ..Budget::default() });
        }),
        (Rule::Budget, |s, _| {
            let name = "all".to_owned();
            s.budgets.push(Budget { name, watts: Some(1.0), ..Budget::default() });
        }),
    ];
    for (rule, change) in changes {
        let mut scenario = quickstart();
        change(&mut scenario, used);
        let found = rules(&scenario, &plan);
        assert!(found.contains(&rule), "found {found:?}, not {rule:?}");
    }
}

/// Two servers that need about four replicas each, on two types of card.
const PAIR: &str = "
acceleratorData:
  accelerators: [{name: A, cost: 10}, {name: B, cost: 20}]
modelData:
  models:
    - {name: m, acc: A, maxBatchSize: 8, atTokens: 100, perfParms: {alpha: 10, beta: 0.1, gamma: 0.001}}
    - {name: m, acc: B, maxBatchSize: 8, atTokens: 100, perfParms: {alpha: 10, beta: 0.1, gamma: 0.001}}
serviceClassData:
  serviceClasses: [{name: Free, modelTargets: [{model: m, slo-itl: 40}]}]
serverData:
  servers:
    - {name: a, model: m, currentAlloc: {load: {arrivalRate: 1000, avgInTokens: 10, avgOutTokens: 100}}}
    - {name: b, model: m, currentAlloc: {load: {arrivalRate: 1000, avgInTokens: 10, avgOutTokens: 100}}}
capacityData: {count: [{type: A, count: 5}, {type: B, count: 0}]}
";

/// What a plan of the pair under shortage breaks, with that many replicas by server and accelerator.
struct Short {
    scenario: Scenario,
    options: CheckOptions,
    replicas: [[u64; 2]; 2],
    status: Status,
}

impl Short {
    fn new(replicas: [[u64; 2]; 2]) -> Self {
        let mut scenario = input::load_text("pair.yaml", PAIR).expect("it is sound").scenario;
        let rate = Candidates::build(&scenario, &SizingOptions::default()).options(0)[0].rate_per_s;
        scenario.servers.iter_mut().for_each(|s| s.load.arrival_rate_per_min = 3.9 * rate * 60.0);
        let policy = Some(Sharing { whole: false, mixed: false });
        let options = CheckOptions { partial: true, policy, ..CheckOptions::default() };
        Self { scenario, options, replicas, status: Status::Optimal }
    }

    fn with(mut self, change: impl Fn(&mut Scenario, &mut CheckOptions)) -> Self {
        change(&mut self.scenario, &mut self.options);
        self
    }

    fn found(&self) -> Vec<String> {
        let (scenario, sizing) = (&self.scenario, SizingOptions::default());
        let candidates = Candidates::build(scenario, &sizing);
        let of_server = |n: &[u64; 2]| (0..2).zip(*n).filter(|(_, n)| *n > 0).collect();
        let shares: Vec<Vec<(usize, u64)>> = self.replicas.iter().map(of_server).collect();
        let cost = self.replicas.iter().map(|n| 10.0 * n[0] as f64 + 20.0 * n[1] as f64).sum();
        let choice = Choice {
            status: self.status,
            shares,
            objective: cost,
            bound: cost,
            approach: Approach::new(Shape::Mixed, Method::Given),
            backend: "none".to_owned(),
            notes: Vec::new(),
            nodes: Vec::new(),
        };
        let plan = Plan::new(scenario, &candidates, &sizing, self.options.unlimited, choice);
        let found = check(scenario, &sizing, &self.options, &plan);
        found.iter().map(ToString::to_string).collect()
    }

    fn passes(&self) {
        assert_eq!(self.found(), Vec::<String>::new());
    }

    fn fails(&self, words: &str) {
        let found = self.found();
        let of_b = |v: &String| v.starts_with("Shortage: b: ") && v.contains(words);
        assert!(found.len() == 1 && found.iter().all(of_b), "{found:?}, not {words}");
    }
}

#[test]
fn under_shortage_no_server_goes_without_what_is_left() {
    const MORE: &str = "a replica more on";
    Short::new([[4, 0], [1, 0]]).passes();
    Short::new([[4, 0], [0, 0]]).fails("a replica more on A");
    let stopped = Short { status: Status::Feasible, ..Short::new([[4, 0], [0, 0]]) };
    stopped.passes();
    // A ceiling that forbids full service is no reason for nothing, and one that is reached is.
    let capped = |n, most| Short::new(n).with(move |s, _| s.servers[1].max_replicas = Some(most));
    capped([[2, 0], [2, 0]], 2).with(|s, _| s.servers[0].max_replicas = Some(2)).passes();
    capped([[4, 0], [0, 0]], 2).fails(MORE);
    capped([[4, 0], [0, 0]], 0).passes();
    // Cards, budgets and moves that are used up, and servers that may not stand there.
    let budget = |cards| {
        let name = "all".to_owned();
        Budget { name, cards: Some(cards), ..Budget::default() }
    };
    Short::new([[4, 0], [0, 0]]).with(move |s, _| s.budgets.push(budget(4))).passes();
    Short::new([[4, 0], [0, 0]]).with(move |s, _| s.budgets.push(budget(5))).fails(MORE);
    Short::new([[4, 0], [0, 0]]).with(|s, _| s.servers[1].deny = vec![0]).passes();
    let on_b = |s: &mut Scenario, most, options: &mut CheckOptions| {
        let current = CurrentAllocation { accelerator: 1, replicas: 1, cost_cents_per_h: 20.0 };
        s.servers[1].current = Some(current);
        options.max_moves = Some(most);
    };
    Short::new([[4, 0], [0, 0]]).with(|s, o| on_b(s, 0, o)).passes();
    Short::new([[4, 0], [0, 0]]).with(|s, o| on_b(s, 1, o)).fails(MORE);
    // On one accelerator each, a card of the other type is of no use; on several it is.
    let two_types = || Short::new([[4, 0], [1, 0]]).with(|s, _| s.card_types[1].count = Some(1));
    two_types().passes();
    two_types()
        .with(|_, o| o.policy = Some(Sharing { whole: false, mixed: true }))
        .fails("a replica more on B");
    Short::new([[4, 0], [1, 0]]).with(|_, o| o.unlimited = true).fails("a replica more on A");
}

#[test]
fn where_service_is_in_full_or_not_at_all_only_full_service_counts() {
    let whole = |n, cards| {
        Short::new(n).with(move |s, o| {
            s.card_types[0].count = Some(cards);
            o.policy = Some(Sharing { whole: true, mixed: false });
        })
    };
    whole([[4, 0], [0, 0]], 7).passes();
    whole([[4, 0], [0, 0]], 8).fails("4 replicas on A serve it in full, and fit");
    // Its floor is in the way of nothing: the four stand in place of the two.
    let floor = |s: &mut Scenario| s.servers[1].min_replicas = 2;
    whole([[4, 0], [2, 0]], 7).with(move |s, _| floor(s)).passes();
    whole([[4, 0], [2, 0]], 8).with(move |s, _| floor(s)).fails("serve it in full");
    let ceiling = |s: &mut Scenario| s.servers[1].max_replicas = Some(2);
    whole([[4, 0], [0, 0]], 5).with(move |s, _| ceiling(s)).passes();
    whole([[4, 0], [0, 0]], 6)
        .with(move |s, _| ceiling(s))
        .fails("the 2 replicas that it may have");
}

#[test]
fn a_floor_is_left_open_for_want_of_cards_alone() {
    let floor = |n, cards| {
        Short::new(n).with(move |s, _| {
            s.servers[1].load.arrival_rate_per_min = 0.0;
            s.servers[1].min_replicas = 2;
            s.card_types[0].count = Some(cards);
        })
    };
    floor([[4, 0], [2, 0]], 6).passes();
    floor([[4, 0], [1, 0]], 5).passes();
    floor([[4, 0], [1, 0]], 6)
        .fails("has 1 of the 2 replicas of its floor, and one more fits on A");
    floor([[4, 0], [0, 0]], 5).fails("has 0 of the 2 replicas");
    floor([[4, 0], [0, 0]], 5)
        .with(|_, o| o.policy = Some(Sharing { whole: true, mixed: false }))
        .fails("has 0 of the 2 replicas");
}
