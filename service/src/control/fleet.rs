//! The fleet as a planning problem: the static data, each server with the load that it is planned
//! for, and what it has now.
//!
//! ```text
//! StaticData, Observed, Memory -> Scenario -> Candidates -> Entry of each server
//! ```
//!
//! A server that the data has no place for (a class or a model that nobody defined, say) is left alone
//! with the reason; it does not keep the others from being planned.

use std::collections::BTreeSet;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reading, SizingOptions, Sizings, targets};
use isocost_model::input::{self, InputError};
use isocost_model::scenario::Server;

use super::data::StaticData;
use super::memory::{Memory, Stability};
use crate::actuate::{Ledger, Use};
use crate::cluster::LabelLoad;
use crate::collect::wire::{AllocationData, ServerSpec};
use crate::collect::{LeftAlone, Observation, Observed};

/// The fleet, ready to be decided on.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// Servers that can be planned.
    pub entries: Vec<Entry>,
    /// Deployments and servers that are left alone, with the reason.
    pub left_alone: Vec<LeftAlone>,
    /// Cards that there are, and those in use.
    pub ledger: Ledger,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was seen of it.
    pub observation: Observation,
    /// Load that it is planned for, without the headroom.
    pub load: LabelLoad,
    /// As the optimizer is told of it.
    pub spec: ServerSpec,
    /// Priority of its class, 1 the highest.
    pub priority: u32,
    /// Requests per second that its replicas have to cover, the headroom included.
    pub demand_per_s: f64,
    /// What a replica is worth where it runs; `None` where its objectives are out of reach there.
    pub here: Option<Here>,
    /// Why no accelerator serves it.
    pub hopeless: Option<String>,
    /// Cards that it has; `None` where its model has no profile on its accelerator.
    pub cards: Option<Use>,
    /// What it costs, cents per hour; 0 where that is not known.
    pub cost: f64,
    /// Cards and cents per hour of one replica by accelerator.
    pub footprints: Vec<Footprint>,
    /// An objective that the latencies which were measured break.
    pub broken: Option<String>,
}

/// What a replica is worth where a server runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Here {
    /// Requests per second.
    pub rate_per_s: f64,
    /// Batch size at which it reaches them.
    pub batch: u32,
}

/// What one replica of a server takes of an accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    /// The accelerator.
    pub accelerator: String,
    /// Cards.
    pub cards: Use,
    /// Cents per hour.
    pub cost: f64,
}

impl Entry {
    /// What one replica takes of an accelerator.
    pub fn footprint(&self, accelerator: Option<&str>) -> Option<&Footprint> {
        let accelerator = accelerator?;
        self.footprints.iter().find(|f| f.accelerator.eq_ignore_ascii_case(accelerator))
    }

    /// Cards of so many replicas.
    pub fn cards_of(&self, accelerator: Option<&str>, replicas: u32) -> Option<Use> {
        let cards = &self.footprint(accelerator)?.cards;
        let card_type = cards.card_type.clone();
        Some(Use { card_type, cards: cards.cards * u64::from(replicas) })
    }

    /// Share of the demand that the replicas cover where they are, in [0, 1].
    pub fn covered(&self) -> f64 {
        let Some(here) = self.here else { return 0.0 };
        if self.demand_per_s <= 0.0 {
            return 1.0;
        }
        let rate = here.rate_per_s * f64::from(self.observation.managed.replicas);
        (rate / self.demand_per_s).min(1.0)
    }

    /// Whether it has less than it needs.
    pub fn is_short(&self) -> bool {
        self.covered() < 1.0 - 1e-9
            || self.observation.managed.replicas < self.spec.min_num_replicas
    }

    /// The server held where it is: so many replicas there, whatever its load.
    pub fn pinned(&self) -> Option<ServerSpec> {
        let managed = &self.observation.managed;
        let accelerator = self.footprint(managed.accelerator.as_deref())?.accelerator.clone();
        let mut spec = self.spec.clone();
        spec.allow = vec![accelerator];
        spec.min_num_replicas = managed.replicas;
        spec.max_num_replicas = Some(managed.replicas);
        spec.current_alloc.load.arrival_rate = 0.0;
        Some(spec)
    }
}

/// Puts the fleet together.
///
/// # Errors
/// Static data that cannot be planned with, whatever the servers.
pub fn fleet(
    data: &StaticData,
    observed: &Observed,
    memory: &Memory,
    stability: &Stability,
    sizing: (&SizingOptions, &Sizings),
) -> Result<Fleet, InputError> {
    let mut left_alone = observed.left_alone.clone();
    let mut servers = once_each(&observed.servers, &mut left_alone);
    let mut loads: Vec<LabelLoad> =
        servers.iter().map(|o| memory.load(o, stability.band, observed.blind)).collect();
    let mut checked = BTreeSet::new();
    loop {
        if servers.is_empty() {
            return Ok(Fleet { left_alone, ..Fleet::default() });
        }
        let specs: Vec<ServerSpec> =
            servers.iter().zip(&loads).map(|(o, load)| spec(o, *load, stability)).collect();
        let text = data.system(&specs).to_string();
        let scenario = match input::load_text("the system", &text) {
            Ok(loaded) => loaded.scenario,
            Err(error) => {
                let before = servers.len();
                drop_bad(&error, &mut servers, &mut loads, &mut left_alone);
                if servers.len() == before {
                    return Err(error);
                }
                continue;
            }
        };
        // Latencies that break an objective end the dead band, upwards: what is seen counts.
        let broken: Vec<Option<String>> = (0..servers.len())
            .map(|s| broken(&scenario, &scenario.servers[s], sizing.0.reading, servers[s]))
            .collect();
        let mut raised = false;
        for (s, (load, seen)) in loads.iter_mut().zip(&servers).enumerate() {
            if broken[s].is_some() && checked.insert(seen.managed.uid.clone()) {
                let most = larger(*load, seen.load);
                raised |= most != *load;
                *load = most;
            }
        }
        if raised {
            continue;
        }
        let candidates = Candidates::build_with(&scenario, sizing.0, sizing.1);
        let ledger = ledger(&scenario);
        let mut fleet = Fleet { entries: Vec::new(), left_alone, ledger };
        for (s, (spec, broken)) in specs.into_iter().zip(broken).enumerate() {
            let seen = (servers[s].clone(), loads[s]);
            let entry = entry(&scenario, &candidates, s, spec, seen, broken);
            if let Some(cards) = &entry.cards {
                *fleet.ledger.used.entry(cards.card_type.clone()).or_default() += cards.cards;
            }
            fleet.entries.push(entry);
        }
        return Ok(fleet);
    }
}

/// Each server's name once; a second Deployment of the name is left alone.
fn once_each<'a>(
    servers: &'a [Observation],
    left_alone: &mut Vec<LeftAlone>,
) -> Vec<&'a Observation> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut kept = Vec::with_capacity(servers.len());
    for observation in servers {
        let managed = &observation.managed;
        if seen.insert(&managed.server) {
            kept.push(observation);
        } else {
            left_alone.push(LeftAlone {
                name: managed.key.to_string(),
                reason: format!(
                    "another Deployment is server `{}` too; give it an inferno.server.name of its own",
                    managed.server
                ),
            });
        }
    }
    kept
}

/// Leaves the servers alone that the problems name.
fn drop_bad(
    error: &InputError,
    servers: &mut Vec<&Observation>,
    loads: &mut Vec<LabelLoad>,
    left_alone: &mut Vec<LeftAlone>,
) {
    let mut kept = Vec::with_capacity(servers.len());
    let mut kept_loads = Vec::with_capacity(servers.len());
    for (observation, load) in servers.iter().zip(&*loads) {
        let name = &observation.managed.server;
        let own = format!("server `{name}`");
        let mine = |entity: &str| {
            entity.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
        };
        let found = error.problems.iter().filter(|p| mine(&p.entity));
        let reasons: Vec<String> =
            found.map(|p| format!("{}: {}; {}", p.entity, p.what, p.remedy)).collect();
        if reasons.is_empty() {
            kept.push(*observation);
            kept_loads.push(*load);
        } else {
            let name = observation.managed.key.to_string();
            left_alone.push(LeftAlone { name, reason: reasons.join("; ") });
        }
    }
    (*servers, *loads) = (kept, kept_loads);
}

fn spec(observation: &Observation, load: LabelLoad, stability: &Stability) -> ServerSpec {
    let managed = &observation.managed;
    let most = managed.max_replicas.unwrap_or(u32::MAX);
    let mut planned = load;
    planned.rpm *= 1.0 + stability.headroom;
    ServerSpec {
        name: managed.server.clone(),
        class: managed.class.clone(),
        model: managed.model.clone(),
        keep_accelerator: managed.keep_accelerator && managed.accelerator.is_some(),
        min_num_replicas: managed.min_replicas.unwrap_or(stability.min_replicas.min(most)),
        max_num_replicas: managed.max_replicas,
        allow: Vec::new(),
        current_alloc: AllocationData {
            accelerator: managed.accelerator.clone().unwrap_or_default(),
            num_replicas: managed.replicas,
            max_batch: managed.max_batch.unwrap_or(0),
            load: planned.into(),
            ..AllocationData::default()
        },
    }
}

fn entry(
    scenario: &Scenario,
    candidates: &Candidates,
    s: usize,
    mut spec: ServerSpec,
    (observation, load): (Observation, LabelLoad),
    broken: Option<String>,
) -> Entry {
    let server = &scenario.servers[s];
    let footprints = footprints(scenario, server);
    let demand_per_s = candidates.demands[s].rate_per_s;
    let options = candidates.options(s);
    let current = server.current.as_ref().map(|c| c.accelerator);
    let option = options.iter().find(|o| Some(o.accelerator) == current);
    let here = option.map(|o| Here { rate_per_s: o.rate_per_s, batch: o.batch });
    let hopeless = options.is_empty().then(|| {
        let rejected = candidates.rejected(s).iter();
        let reasons = rejected
            .map(|r| format!("{}: {}", scenario.accelerators[r.accelerator].name, r.reason));
        format!("no accelerator serves it ({})", reasons.collect::<Vec<_>>().join("; "))
    });
    let managed = &observation.managed;
    let on = managed.accelerator.as_deref();
    let footprint = footprints.iter().find(|f| on.is_some_and(|a| f.accelerator == a));
    let replicas = f64::from(managed.replicas);
    let cost = footprint.map_or(0.0, |f| f.cost * replicas);
    // A move is charged for what the load needs here, not for what happens to run here: so a plan that
    // was carried out is its own best successor (the charge then keeps the triangle inequality).
    spec.current_alloc.cost = match (here, footprint) {
        (Some(here), Some(footprint)) => {
            let needed = (demand_per_s / here.rate_per_s * (1.0 - 1e-9)).ceil();
            footprint.cost * needed.max(f64::from(spec.min_num_replicas))
        }
        _ => cost,
    };
    let mut entry = Entry {
        load,
        priority: scenario.classes[server.class].priority,
        demand_per_s,
        here,
        hopeless,
        cards: None,
        cost,
        footprints,
        broken,
        spec,
        observation,
    };
    let managed = &entry.observation.managed;
    entry.cards = entry.cards_of(managed.accelerator.as_deref(), managed.replicas);
    entry
}

fn footprints(scenario: &Scenario, server: &Server) -> Vec<Footprint> {
    let own = scenario.profiles.iter().filter(|p| p.model == server.model);
    let of = own.map(|profile| {
        let accelerator = &scenario.accelerators[profile.accelerator];
        let units = u64::from(profile.units_per_replica);
        Footprint {
            accelerator: accelerator.name.clone(),
            cards: Use {
                card_type: scenario.card_types[accelerator.card_type].name.clone(),
                cards: units * u64::from(accelerator.multiplicity),
            },
            cost: units as f64 * accelerator.cost_cents_per_h,
        }
    });
    of.collect()
}

fn ledger(scenario: &Scenario) -> Ledger {
    let mut ledger = Ledger::default();
    if !scenario.optimizer.unlimited {
        let limits = scenario.card_types.iter();
        let limits = limits.filter_map(|t| Some((t.name.clone(), t.available()?)));
        ledger.capacity = limits.collect();
    }
    ledger
}

/// The objective that measured latencies break, in words. A mean above the limit breaks an objective
/// on a percentile too.
fn broken(
    scenario: &Scenario,
    server: &Server,
    reading: Reading,
    seen: &Observation,
) -> Option<String> {
    let objectives = targets(scenario, server, reading);
    let measured = &seen.measured;
    let pairs = [
        ("time to the first token", measured.ttft_ms, objectives.ttft),
        ("time between tokens", measured.itl_ms, objectives.itl),
    ];
    pairs.into_iter().find_map(|(word, measured, objective)| {
        let (measured, limit) = (measured?, objective?.limit_ms);
        (measured > limit)
            .then(|| format!("the {word} is {measured:.0} ms, {limit} ms is asked for"))
    })
}

fn larger(a: LabelLoad, b: LabelLoad) -> LabelLoad {
    LabelLoad {
        rpm: a.rpm.max(b.rpm),
        in_tokens: a.in_tokens.max(b.in_tokens),
        out_tokens: a.out_tokens.max(b.out_tokens),
    }
}
