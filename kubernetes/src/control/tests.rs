//! Laws of deciding, without a cluster: a world of servers whose allocations are what was decided.

mod bounds;
mod faults;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isocost_model::Scenario;
use isocost_model::candidates::{SizingOptions, Sizings};
use isocost_model::input::{self, InputError};
use isocost_model::scenario::Saturation;
use proptest::prelude::*;
use serde_json::Value;

use super::decide::{Decision, decide};
use super::fleet::{Fleet, fleet};
use super::memory::{Memory, Stability};
use super::optimizer::{Optimizer, planner_options};
use super::witness::Sight;
use super::{DataError, StaticData};
use crate::actuate::Kind;
use crate::cluster::{Cards, Key, LabelLoad, Managed};
use crate::collect::{Measured, Observation, Observed, Source};
use isocost_serve::planning::Planner;

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27")
}

struct World {
    data: StaticData,
    observed: Observed,
    memory: Memory,
    stability: Stability,
    sizings: Sizings,
    optimizer: Optimizer,
    runtime: tokio::runtime::Runtime,
    cooling: BTreeSet<usize>,
    now: Instant,
}

impl World {
    fn sight(&self) -> Sight<'_> {
        let Self { observed, memory, stability, now, .. } = self;
        Sight { observed, memory, stability, now: *now }
    }

    /// The servers of the example fleet, with nothing allocated yet.
    fn new(take: usize, cards: Option<u64>) -> Self {
        let mut data = StaticData::read(&example()).unwrap();
        if let Some(cards) = cards {
            let types = ["L4", "A10G", "L40S", "A100-80GB", "H100", "H200", "MI300X"];
            data = data.with_counted(&types.map(|t| (t.to_owned(), cards)).into());
        }
        let text = std::fs::read_to_string(example().join("server-data.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let servers = file["servers"].as_array().unwrap().iter().take(take);
        let backend = isocost_solver::default_backend().unwrap();
        let options = planner_options(SizingOptions::default(), 1e-6);
        let planner = Planner::new(options, backend, &mut Default::default());
        Self {
            data,
            observed: Observed {
                servers: servers.map(observation).collect(),
                ..Observed::default()
            },
            memory: Memory::default(),
            stability: Stability::default(),
            sizings: Sizings::default(),
            optimizer: Optimizer::Local(Arc::new(planner), Duration::from_secs(5)),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            cooling: BTreeSet::new(),
            now: Instant::now(),
        }
    }

    /// Decides and carries it out.
    fn cycle(&mut self) -> (Fleet, Decision) {
        let sizing = (&SizingOptions::default(), &self.sizings);
        self.memory.see(&self.observed.servers, Duration::ZERO, self.now);
        let sight = self.sight();
        let fleet = fleet(&self.data, sight, sizing);
        let mut solve = |scenario| {
            self.optimizer.solve(scenario, &self.data, Duration::ZERO, self.runtime.handle())
        };
        let decision = decide(&fleet, &self.cooling, &self.stability, &mut solve).unwrap();
        for entry in fleet.entries.iter().filter(|entry| !entry.unsure) {
            self.memory.plan(&entry.observation, entry.load);
        }
        for change in &decision.changes {
            let server = self.server(&change.server);
            server.managed.replicas = change.to.replicas;
            server.managed.accelerator.clone_from(&change.to.accelerator);
            server.managed.max_batch = change.to.max_batch;
        }
        (fleet, decision)
    }

    /// All replicas are ready on some accelerators, and none on the others.
    fn ready(&mut self, on: impl Fn(&str) -> bool) {
        for Observation { managed, .. } in &mut self.observed.servers {
            let ready = managed.accelerator.as_deref().is_some_and(&on);
            managed.ready = if ready { managed.replicas } else { 0 };
        }
    }

    fn server(&mut self, name: &str) -> &mut Observation {
        self.observed.servers.iter_mut().find(|s| s.managed.server == name).unwrap()
    }
}

fn observation(spec: &Value) -> Observation {
    let text = |key: &str| spec[key].as_str().unwrap().to_owned();
    let load = &spec["currentAlloc"]["load"];
    let amount = |key: &str| load[key].as_f64().unwrap();
    Observation {
        managed: Managed {
            key: Key { namespace: "infer".to_owned(), name: text("name") },
            uid: text("name"),
            server: text("name"),
            model: text("model"),
            class: text("class"),
            replicas: 1,
            ready: 1,
            ..Managed::default()
        },
        load: LabelLoad {
            rpm: amount("arrivalRate"),
            in_tokens: amount("avgInTokens"),
            out_tokens: amount("avgOutTokens"),
        },
        source: Source::Measured,
        measured: Measured::default(),
    }
}

fn changed(decision: &Decision) -> Vec<&str> {
    decision.changes.iter().map(|c| c.server.as_str()).collect()
}

/// Loads around nominal ones, each within a share of it.
fn wander(nominal: &[LabelLoad], world: &mut World, factors: &[[f64; 3]]) {
    for ((server, nominal), f) in world.observed.servers.iter_mut().zip(nominal).zip(factors) {
        server.load = LabelLoad {
            rpm: nominal.rpm * f[0],
            in_tokens: nominal.in_tokens * f[1],
            out_tokens: nominal.out_tokens * f[2],
        };
    }
}

const SERVERS: usize = 9;

fn factors() -> impl Strategy<Value = Vec<[f64; 3]>> {
    let factor = || 0.9..=1.1;
    let one = (factor(), factor(), factor()).prop_map(|(a, b, c)| [a, b, c]);
    prop::collection::vec(one, SERVERS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_load_that_wanders_moves_nothing_and_a_step_does(
        rates in prop::collection::vec(1.0..80.0f64, SERVERS),
        walk in prop::collection::vec(factors(), 6),
        stepped in 0..SERVERS,
        up in any::<bool>(),
        scarce in any::<bool>(),
    ) {
        // Plenty, or hardly more than what is needed.
        let mut world = World::new(SERVERS, Some(if scarce { 400 } else { 100_000 }));
        for (server, rate) in world.observed.servers.iter_mut().zip(&rates) {
            server.load.rpm *= rate;
        }
        let nominal: Vec<LabelLoad> = world.observed.servers.iter().map(|s| s.load).collect();
        let (_, first) = world.cycle();
        prop_assert!(!first.changes.is_empty());
        for factors in &walk {
            wander(&nominal, &mut world, factors);
            let (_, decision) = world.cycle();
            prop_assert_eq!(changed(&decision), Vec::<&str>::new(), "{:?}", decision);
        }
        // A step asks for another number of replicas where there are five or more of them.
        let many = (0..SERVERS).cycle().skip(stepped).take(SERVERS);
        let many = many.into_iter().find(|&s| world.observed.servers[s].managed.replicas >= 5);
        if let Some(s) = many.filter(|_| first.status == "optimal" || first.status == "feasible") {
            wander(&nominal, &mut world, &[[1.0; 3]; SERVERS]);
            world.observed.servers[s].load.rpm *= if up { 1.3 } else { 0.7 };
            let name = world.observed.servers[s].managed.server.clone();
            let (_, decision) = world.cycle();
            prop_assert!(
                changed(&decision).contains(&name.as_str()) || decision.status == "infeasible",
                "{name}: {decision:?}"
            );
        }
    }
}

#[test]
fn the_example_fleet_comes_to_rest_on_its_own_cards() {
    let mut world = World::new(27, None);
    let (fleet, first) = world.cycle();
    assert_eq!(fleet.entries.len(), 27);
    assert_eq!(changed(&first).len(), 27, "{:?}", first.notes);
    assert!(first.status == "optimal" || first.status == "feasible", "{first:?}");
    let (_, second) = world.cycle();
    assert_eq!(changed(&second), Vec::<&str>::new());
    assert!((second.cost_before - first.cost_after).abs() < 1e-6);
}

#[test]
fn cards_that_are_freed_are_freed_first() {
    let mut world = World::new(9, None);
    world.cycle();
    for (i, server) in world.observed.servers.iter_mut().enumerate() {
        server.load.rpm *= if i % 2 == 0 { 3.0 } else { 0.2 };
    }
    let (_, decision) = world.cycle();
    let kinds: Vec<Kind> =
        decision.changes.iter().map(super::super::actuate::Change::kind).collect();
    assert!(kinds.is_sorted() && kinds.len() > 2, "{kinds:?}");
}

#[test]
fn a_server_nobody_knows_is_left_alone_and_the_others_are_planned() {
    let mut world = World::new(6, None);
    world.observed.servers[1].managed.model = "llama-3.1-80b".to_owned();
    world.observed.servers[2].managed.class = "Golden".to_owned();
    world.observed.servers[3].managed.server = world.observed.servers[0].managed.server.clone();
    world.observed.servers[4].managed.accelerator = Some("H1000".to_owned());
    let (fleet, decision) = world.cycle();
    assert_eq!(fleet.entries.len(), 1);
    assert_eq!(fleet.left_alone.len(), 5, "neither of two of one name is taken for it");
    let reasons: String = fleet.left_alone.iter().map(|l| l.reason.as_str()).collect();
    assert!(reasons.contains("did you mean `llama-3.1-"), "{reasons}");
    assert_eq!(decision.changes.len(), 1);
}

#[test]
fn a_server_out_of_reach_is_held_with_the_reason() {
    let mut world = World::new(3, None);
    world.cycle();
    let before = world.observed.servers[0].managed.clone();
    // A prompt that takes longer than the time to the first token on any accelerator.
    world.observed.servers[0].load.in_tokens = 500_000.0;
    world.observed.servers[1].load.rpm *= 4.0;
    let (_, decision) = world.cycle();
    assert_eq!(world.observed.servers[0].managed, before);
    assert!(
        decision.held.iter().any(|h| h.reason.contains("no accelerator serves it")),
        "{decision:?}"
    );
    assert!(changed(&decision).contains(&world.observed.servers[1].managed.server.as_str()));
}

#[test]
fn too_few_cards_get_the_best_partial_plan_and_the_rest_goes_on() {
    let mut world = World::new(9, Some(1));
    for server in &mut world.observed.servers {
        server.load.rpm *= 20.0;
    }
    let (_, first) = world.cycle();
    assert_eq!(first.status, "infeasible");
    assert!(!first.changes.is_empty() && !first.notes.is_empty(), "{first:?}");
    let (_, second) = world.cycle();
    assert_eq!(changed(&second), Vec::<&str>::new(), "nothing better is found, nothing moves");
    // Cards come back: all are served.
    world.data = world.data.with_counted(&Cards::from([("H100".to_owned(), 10_000)]));
    let (_, third) = world.cycle();
    assert!(third.status != "infeasible" && !third.changes.is_empty(), "{third:?}");
}

#[test]
fn one_server_that_may_not_have_enough_does_not_freeze_the_others() {
    let mut world = World::new(4, Some(10_000));
    world.observed.servers[0].managed.max_replicas = Some(1);
    world.observed.servers[0].load.rpm *= 1_000.0;
    world.cycle();
    world.observed.servers[1].load.rpm *= 50.0;
    let (_, up) = world.cycle();
    let name = world.observed.servers[1].managed.server.clone();
    assert!(changed(&up).contains(&name.as_str()), "{up:?}");
    world.observed.servers[1].load.rpm /= 50.0;
    let (_, down) = world.cycle();
    assert!(changed(&down).contains(&name.as_str()), "{down:?}");
}

#[test]
fn a_server_that_cools_down_waits_with_savings_and_not_with_needs() {
    let mut world = World::new(4, Some(10_000));
    world.observed.servers[0].load.rpm *= 50.0;
    world.cycle();
    world.cooling = (0..4).collect();
    world.observed.servers[0].load.rpm /= 10.0;
    assert!(world.cycle().1.changes.is_empty());
    world.observed.servers[0].load.rpm *= 30.0;
    assert_eq!(world.cycle().1.changes.len(), 1);
    world.observed.servers[0].load.rpm /= 30.0;
    world.cooling.clear();
    assert_eq!(world.cycle().1.changes.len(), 1);
}

#[test]
fn cards_that_went_away_are_given_up() {
    let mut world = World::new(9, None);
    let (_, first) = world.cycle();
    let on = |world: &World| -> Vec<String> {
        world.observed.servers.iter().filter_map(|s| s.managed.accelerator.clone()).collect()
    };
    let used = on(&world);
    assert!(used.iter().any(|a| a == "L4" || a == "L40S"), "{first:?}");
    let mut cards: Cards = ["A100-80GB", "H100"].map(|t| (t.to_owned(), 100)).into();
    cards.insert("L4".to_owned(), 0);
    world.data = world.data.with_counted(&cards);
    // Their pods went with them.
    world.ready(|on| on.contains("A100") || on.contains("H100"));
    world.cooling = (0..9).collect();
    let (_, decision) = world.cycle();
    let now = on(&world);
    assert!(now.iter().all(|a| a.contains("A100") || a.contains("H100")), "{now:?} {decision:?}");
}

#[test]
fn measured_latencies_that_break_an_objective_raise_the_planned_load() {
    let mut world = World::new(2, Some(10_000));
    world.observed.servers[0].load.rpm *= 40.0;
    world.cycle();
    let planned = world.observed.servers[0].load.rpm;
    world.observed.servers[0].load.rpm *= 1.09;
    let (fleet, _) = world.cycle();
    assert_eq!(fleet.entries[0].load.rpm, planned, "within the band");
    world.observed.servers[0].measured.ttft_ms = Some(100_000.0);
    let (fleet, decision) = world.cycle();
    assert!(fleet.entries[0].load.rpm > planned);
    assert!(fleet.entries[0].broken.is_some());
    assert!(!decision.changes.is_empty() || !decision.held.is_empty(), "{decision:?}");
}

#[test]
fn static_data_is_read_with_every_problem_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("model-data.json"), "{").unwrap();
    let error = StaticData::read(dir.path()).unwrap_err();
    let DataError::Input(InputError { problems }) = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 3, "{error}");
    assert!(error.to_string().contains("INFERNO_DATA_PATH"));
}

#[test]
fn static_data_in_yaml_is_the_same_here_and_for_an_optimizer_elsewhere() {
    let json = StaticData::read(&example()).unwrap().with_sections().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for stem in ["accelerator-data", "model-data", "serviceclass-data", "capacity-data"] {
        let text = std::fs::read_to_string(example().join(format!("{stem}.json"))).unwrap();
        // JSON is YAML, but for its name; a comment is YAML alone.
        let file = dir.path().join(format!("{stem}.yaml"));
        std::fs::write(file, format!("# {stem}\n{text}")).unwrap();
    }
    let yaml = StaticData::read(dir.path()).unwrap().with_sections().unwrap();
    assert_eq!(yaml.scenario.profiles, json.scenario.profiles);
    assert_eq!(yaml.scenario.card_types, json.scenario.card_types);
    let servers = input::load(&example()).unwrap().scenario.servers;
    let scenario = Scenario { servers, ..yaml.scenario.clone() };
    let read = |data: &StaticData| {
        let body = data.sections.as_ref().unwrap().system(&scenario);
        input::load_text("body", &body.to_string()).unwrap().scenario
    };
    assert_eq!(read(&yaml), read(&json));
}

#[test]
fn an_optimizer_elsewhere_is_sent_what_the_one_here_is() {
    let mut world = World::new(5, None);
    world.observed.servers[1].managed.max_replicas = Some(90);
    world.cycle();
    let data = StaticData::read(&example()).unwrap().with_sections().unwrap();
    let data = data.with_counted(&Cards::from([("h100".to_owned(), 3)]));
    assert!(!data.scenario.optimizer.heterogeneous);
    assert_eq!(data.scenario.optimizer.saturation, Saturation::PriorityExhaustive);
    let sizing = (&SizingOptions::default(), &world.sizings);
    let fleet = fleet(&data, world.sight(), sizing);
    let servers: Vec<_> = fleet.entries.iter().filter_map(super::entry::Entry::pinned).collect();
    assert_eq!(servers.len(), 5);
    for servers in [servers, fleet.entries.iter().map(|e| e.server.clone()).collect()] {
        let scenario = Scenario { servers, ..fleet.scenario.clone() };
        let body = data.sections.as_ref().unwrap().system(&scenario);
        let read = input::load_text("body", &body.to_string()).unwrap();
        assert_eq!(read.scenario, scenario);
    }
}
