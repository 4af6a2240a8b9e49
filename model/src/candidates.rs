//! The candidate table: what each accelerator would give each server.
//!
//! For a server `s` and an accelerator `j` the queueing model yields the rate `r` that one replica
//! is credited with, and the batch size at which it reaches it. The rate does not depend on the
//! server's load, so that it is sized once per key (service model, tokens, objectives, queue,
//! batch limit) and shared; servers that agree in all of that share a whole [`Group`] of
//! candidates. Sizing runs in parallel over the keys.

mod held;
mod replica;
mod sizings;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::disaggregation::{self, Role};
pub use crate::queue::{MAX_BATCH, Reading};
use crate::queue::{Shortfall, Sized};
use crate::scenario::{Load, Profile, Scenario, Server, StatedEngine};
use crate::sharing::held_to;
use held::kept;
pub use held::{demand_per_s, held, targets};
pub use replica::{assumed_kv_tokens, batch_limit, station};
pub(crate) use sizings::ReplicaKey;
pub(crate) use sizings::Search;
pub use sizings::Sizings;
use sizings::{Sizing, SizingKey};

/// How replicas are sized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizingOptions {
    /// What a replica is taken to do.
    pub reading: Reading,
    /// How engines are set where their profiles do not say.
    pub engine: StatedEngine,
    /// Requests that may wait where the server sets no limit; `None` is unbounded.
    pub max_queue: Option<u32>,
    /// Largest share of requests that a finite queue may turn away, in [0, 1]; 1 lifts the limit.
    pub max_loss: f64,
    /// How the batch size is chosen.
    pub batch: BatchChoice,
    /// Price of energy, cents per kWh, added to the cost of a replica at its sized rate.
    pub energy_cents_per_kwh: f64,
}

impl Default for SizingOptions {
    fn default() -> Self {
        Self {
            reading: Reading::Engine,
            engine: StatedEngine::default(),
            max_queue: None,
            max_loss: 0.001,
            batch: BatchChoice::Least { tolerance: 0.02 },
            energy_cents_per_kwh: 0.0,
        }
    }
}

impl SizingOptions {
    /// The reference optimizer's reading: no queue, any loss, the largest batch.
    pub fn reference() -> Self {
        Self {
            reading: Reading::Reference,
            engine: StatedEngine::default(),
            max_queue: Some(0),
            max_loss: 1.0,
            batch: BatchChoice::Max,
            energy_cents_per_kwh: 0.0,
        }
    }
}

/// How the batch size of a candidate is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchChoice {
    /// The least batch size whose rate is within `tolerance` (a share) of the best over all.
    Least {
        /// Share of the best rate that may be given up, in [0, 1).
        tolerance: f64,
    },
    /// The largest batch size, as the reference optimizer takes it.
    Max,
}

/// Every feasible choice of every server.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// Distinct lists of candidates; servers with the same needs share one.
    pub groups: Vec<Group>,
    /// One entry a server, in the order of [`Scenario::servers`].
    pub demands: Vec<Demand>,
    /// Distinct sizings that were made.
    pub keys: usize,
}

/// What a server needs, and which group it chooses from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Index into [`Candidates::groups`].
    pub group: usize,
    /// Requests per second to cover; 0 at zero load.
    pub rate_per_s: f64,
}

/// The candidates of servers with the same needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Feasible choices, in the order of [`Scenario::accelerators`].
    pub options: Vec<Candidate>,
    /// Accelerators that do not serve, with the reason.
    pub rejected: Vec<Rejected>,
}

/// One replica of a server on an accelerator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Index into [`Scenario::accelerators`].
    pub accelerator: usize,
    /// Index into [`Scenario::card_types`].
    pub card_type: usize,
    /// Batch size.
    pub batch: u32,
    /// Requests per second that a replica is credited with: its throughput, for the share of the time that it is there.
    pub rate_per_s: f64,
    /// Cards that a replica takes.
    pub cards: u64,
    /// Cost of a replica, cents per hour, energy and carbon dioxide included where they have a price.
    pub cost_cents_per_h: f64,
    /// Watts of a replica with every card at full load.
    pub full_watts: f64,
}

/// An accelerator that cannot serve a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Index into [`Scenario::accelerators`].
    pub accelerator: usize,
    /// Why.
    pub reason: Reason,
}

/// Why an accelerator cannot serve a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The model has no profile on the accelerator.
    NoProfile,
    /// The server's `allow`, `deny` or `keepAccelerator` rules it out.
    NotAllowed,
    /// An objective is not met even at the lowest rate.
    Objective(Shortfall),
    /// A pool cannot be planned on it, as the text says.
    Pool(&'static str),
    /// Simulation grants it no rate.
    Simulated,
    /// No node holds a replica.
    Node {
        /// Cards of the replica.
        cards: u64,
        /// Cards of the largest node.
        node: u32,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoProfile => write!(f, "the model has no profile on it"),
            Self::NotAllowed => write!(f, "the server may not use it"),
            Self::Objective(shortfall) => write!(f, "{shortfall}"),
            Self::Pool(why) => write!(f, "{why}"),
            Self::Simulated => write!(f, "no rate keeps the objectives in simulation"),
            Self::Node { cards, node } => {
                write!(
                    f,
                    "a replica takes {cards} cards, and no node, of {node} at most, holds that"
                )
            }
        }
    }
}

impl Candidates {
    /// Sizes every (server, accelerator) pair of `scenario`.
    pub fn build(scenario: &Scenario, options: &SizingOptions) -> Self {
        Self::build_with(scenario, options, &Sizings::default())
    }

    /// [`Candidates::build`] with what `known` holds already; what is sized anew is added to it.
    pub fn build_with(scenario: &Scenario, options: &SizingOptions, known: &Sizings) -> Self {
        let profiles = profile_table(scenario);
        let mut index: FxHashMap<GroupKey, usize> = FxHashMap::default();
        let mut members: Vec<usize> = Vec::new();
        let mut demands = Vec::with_capacity(scenario.servers.len());
        for (s, server) in scenario.servers.iter().enumerate() {
            let next = members.len();
            let group = *index.entry(GroupKey::new(server)).or_insert(next);
            if group == next {
                members.push(s);
            }
            demands.push(Demand {
                group,
                rate_per_s: demand_per_s(scenario, server, options.reading),
            });
        }
        let tasks: Vec<Vec<Task>> = members
            .iter()
            .map(|&s| group_tasks(scenario, &profiles, options, &scenario.servers[s]))
            .collect();
        let sizings = known.of(tasks.iter().flatten().filter_map(|task| match task {
            Task::Size { key, idle: false, .. } => Some(**key),
            _ => None,
        }));
        let keys = sizings.len();
        let groups = tasks
            .into_par_iter()
            .map(|tasks| assemble(scenario, options, tasks, &sizings))
            .collect();
        Self { groups, demands, keys }
    }

    /// Feasible choices of a server, by its index.
    pub fn options(&self, server: usize) -> &[Candidate] {
        &self.groups[self.demands[server].group].options
    }

    /// Accelerators that do not serve a server, with the reason.
    pub fn rejected(&self, server: usize) -> &[Rejected] {
        &self.groups[self.demands[server].group].rejected
    }

    /// Grants a replica of a group on an accelerator at most `rate_per_s`; at 0 it no longer serves.
    /// Returns what it was granted before, 0 where it does not serve.
    pub fn grant(&mut self, group: usize, accelerator: usize, rate_per_s: f64) -> f64 {
        let Group { options, rejected } = &mut self.groups[group];
        let found = options.iter().position(|option| option.accelerator == accelerator);
        let Some(at) = found else { return 0.0 };
        let before = options[at].rate_per_s;
        options[at].rate_per_s = before.min(rate_per_s);
        if rate_per_s <= 0.0 {
            options.remove(at);
            rejected.push(Rejected { accelerator, reason: Reason::Simulated });
        }
        before
    }

    /// Number of feasible (server, accelerator) pairs.
    pub fn pairs(&self) -> usize {
        (0..self.demands.len()).map(|s| self.options(s).len()).sum()
    }
}

/// Profile index by (model, accelerator).
fn profile_table(scenario: &Scenario) -> FxHashMap<(usize, usize), usize> {
    let pairs = scenario.profiles.iter().enumerate();
    pairs.map(|(i, p)| ((p.model, p.accelerator), i)).collect()
}

/// What decides a server's candidates, its load apart.
#[derive(PartialEq, Eq, Hash)]
struct GroupKey {
    model: usize,
    class: usize,
    idle: bool,
    tokens: [u64; 6],
    limits: (Option<u32>, Option<u32>),
    pinned: Option<usize>,
    allow: Vec<usize>,
    deny: Vec<usize>,
    network: Vec<u64>,
    /// What the members' requests are, where several share the replicas.
    requests: Vec<[u64; 3]>,
    /// What it does of another server's requests, and the tokens of their answers.
    pool: Option<(Role, u64)>,
}

impl GroupKey {
    fn new(server: &Server) -> Self {
        let load = &server.load;
        Self {
            model: server.model,
            class: server.class,
            idle: server.is_idle(),
            tokens: [
                load.input_tokens,
                load.output_tokens,
                load.arrival_scv,
                load.token_scv,
                load.input_scv,
                load.prefix_hit_share,
            ]
            .map(f64::to_bits),
            limits: (server.max_batch, server.max_queue),
            pinned: pinned(server),
            allow: server.allow.clone(),
            deny: server.deny.clone(),
            network: server.network.iter().map(|ms| ms.to_bits()).collect(),
            requests: requests(server),
            pool: server.pool.as_ref().map(|p| (p.role, p.whole.load.output_tokens.to_bits())),
        }
    }
}

/// Tokens and cache hits of those who share the replicas and send requests.
fn requests(server: &Server) -> Vec<[u64; 3]> {
    let sent = server.members.iter().map(|m| &m.load).filter(|load| load.rate_per_s() > 0.0);
    let of = |load: &Load| [load.input_tokens, load.output_tokens, load.prefix_hit_share];
    let mut requests: Vec<[u64; 3]> = sent.map(|load| of(load).map(f64::to_bits)).collect();
    requests.sort_unstable();
    requests.dedup();
    requests
}

/// The accelerator that a server has to keep.
fn pinned(server: &Server) -> Option<usize> {
    let current = server.current.as_ref().filter(|_| server.keep_accelerator);
    current.map(|current| current.accelerator)
}

/// One accelerator of a group: to be sized, or ruled out already.
enum Task {
    Size {
        profile: usize,
        /// Requests/s that its link to other replicas carries.
        most_per_s: f64,
        idle: bool,
        key: Box<SizingKey>,
    },
    Rejected(Rejected),
}

/// What is to be done for each accelerator of a group with this server's needs.
fn group_tasks(
    scenario: &Scenario,
    profiles: &FxHashMap<(usize, usize), usize>,
    options: &SizingOptions,
    server: &Server,
) -> Vec<Task> {
    let mut objectives = targets(scenario, server, options.reading);
    objectives.max_loss = options.max_loss;
    let task = |accelerator: usize| {
        if !allowed(server, accelerator) {
            return Task::Rejected(Rejected { accelerator, reason: Reason::NotAllowed });
        }
        let Some(&profile) = profiles.get(&(server.model, accelerator)) else {
            return Task::Rejected(Rejected { accelerator, reason: Reason::NoProfile });
        };
        let entry = &scenario.profiles[profile];
        if let Some(reason) = no_node(scenario, entry) {
            return Task::Rejected(Rejected { accelerator, reason });
        }
        let transfer = match disaggregation::transfer(scenario, server, entry, options) {
            Ok(transfer) => transfer,
            Err(why) => {
                let reason = Reason::Pool(why);
                return Task::Rejected(Rejected { accelerator, reason });
            }
        };
        let station = station(server, entry, options);
        let key = SizingKey {
            station,
            max_batch: batch_limit(server, entry, options),
            objectives: kept(held_to(server, &station, transfer, objectives), options.reading),
            batch: Search::of(server, entry, options),
        };
        let most_per_s = transfer.most_per_s;
        Task::Size { profile, most_per_s, idle: server.is_idle(), key: Box::new(key) }
    };
    (0..scenario.accelerators.len()).map(task).collect()
}

/// Why nodes do not hold a replica of `profile`, if they do not.
fn no_node(scenario: &Scenario, profile: &Profile) -> Option<Reason> {
    let accelerator = &scenario.accelerators[profile.accelerator];
    let (card_type, cards) = (accelerator.card_type, cards(scenario, profile));
    let whole = |t: usize| scenario.nodes[t].geometries.is_empty();
    let holds = scenario.fits_a_node(card_type, cards)
        || (profile.multi_node && scenario.nodes_of(card_type).any(whole));
    (!holds).then(|| Reason::Node { cards, node: scenario.largest_node(card_type) })
}

/// Cards that a replica of `profile` takes.
fn cards(scenario: &Scenario, profile: &Profile) -> u64 {
    let accelerator = &scenario.accelerators[profile.accelerator];
    u64::from(profile.units_per_replica) * u64::from(accelerator.multiplicity)
}

/// Whether the server's own rules (`allow`, `deny`, `keepAccelerator`) let it use the accelerator.
pub fn allowed(server: &Server, accelerator: usize) -> bool {
    pinned(server).is_none_or(|pin| pin == accelerator)
        && (server.allow.is_empty() || server.allow.contains(&accelerator))
        && !server.deny.contains(&accelerator)
}

/// Puts a group together from the shared sizings.
fn assemble(
    scenario: &Scenario,
    options: &SizingOptions,
    tasks: Vec<Task>,
    sizings: &FxHashMap<SizingKey, Sizing>,
) -> Group {
    let mut group = Group { options: Vec::new(), rejected: Vec::new() };
    for task in tasks {
        match task {
            Task::Rejected(rejected) => group.rejected.push(rejected),
            // No requests: any batch will do, and no rate is asked of the replicas.
            Task::Size { profile, idle: true, key, .. } => {
                let idle = Sized {
                    batch: key.station.batch_limit(key.max_batch),
                    arrival_rate_per_s: 0.0,
                    throughput_per_s: f64::INFINITY,
                };
                group.options.push(candidate(scenario, options, profile, &key, &idle));
            }
            Task::Size { profile, most_per_s, key, .. } => match &sizings[&key] {
                Ok(sized) => {
                    let held = Sized {
                        arrival_rate_per_s: sized.arrival_rate_per_s.min(most_per_s),
                        throughput_per_s: sized.throughput_per_s.min(most_per_s),
                        ..*sized
                    };
                    group.options.push(candidate(scenario, options, profile, &key, &held));
                }
                Err(shortfall) => group.rejected.push(Rejected {
                    accelerator: scenario.profiles[profile].accelerator,
                    reason: Reason::Objective(*shortfall),
                }),
            },
        }
    }
    group
}

fn candidate(
    scenario: &Scenario,
    options: &SizingOptions,
    profile: usize,
    key: &SizingKey,
    sized: &Sized,
) -> Candidate {
    let profile = &scenario.profiles[profile];
    let accelerator = &scenario.accelerators[profile.accelerator];
    // Cards in nodes that are paid as a whole cost nothing beside them.
    let by_node = scenario.is_paid_by_node(accelerator.card_type);
    let rent = if by_node { 0.0 } else { accelerator.cost_cents_per_h };
    let units = f64::from(profile.units_per_replica);
    let cents_per_kwh = options.energy_cents_per_kwh + accelerator.carbon_cents_per_kwh;
    let energy = if cents_per_kwh > 0.0 {
        let analysis = key.station.analyze(sized.batch, sized.arrival_rate_per_s);
        let utilisation = analysis.map_or(0.0, |a| a.utilisation);
        units * accelerator.power.watts(utilisation) / 1000.0 * cents_per_kwh
    } else {
        0.0
    };
    Candidate {
        accelerator: profile.accelerator,
        card_type: accelerator.card_type,
        batch: sized.batch,
        // Those that are there carry what those that are not leave to them.
        rate_per_s: sized.throughput_per_s * accelerator.availability,
        cards: cards(scenario, profile),
        cost_cents_per_h: units * rent + energy,
        full_watts: units * accelerator.power.full_w,
    }
}
