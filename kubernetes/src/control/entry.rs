//! A server of the fleet as it is decided on: its load, what a replica is worth and takes on each accelerator, and
//! why it is held or gets less than it needs.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidate, Candidates};
use isocost_model::scenario::Server;

use super::bound;
use super::memory::Stability;
use super::witness::Believed;
use crate::actuate::Use;
use crate::cluster::LabelLoad;
use crate::collect::Observation;

/// A server.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was seen of it.
    pub observation: Observation,
    /// Load that it is planned for, without the headroom.
    pub load: LabelLoad,
    /// As the planner is told of it.
    pub server: Server,
    /// Priority of its class, 1 the highest.
    pub priority: u32,
    /// Requests per second that its replicas have to cover, the headroom included; no more than its most
    /// replicas can.
    pub demand_per_s: f64,
    /// What a replica is worth where it runs; `None` where its objectives are out of reach there.
    pub here: Option<Here>,
    /// Why it is held as it is: no accelerator serves it, or nobody knows how many cards there are.
    pub held: Option<String>,
    /// Why it gets less than its load needs.
    pub capped: Option<String>,
    /// Cards that it has; `None` where its model has no profile on its accelerator.
    pub cards: Option<Use>,
    /// What it costs, cents per hour; 0 where that is not known.
    pub cost: f64,
    /// Cards and cents per hour of one replica by accelerator.
    pub footprints: Vec<Footprint>,
    /// An objective that the latencies which were measured break.
    pub broken: Option<String>,
    /// Whether that load was measured, now or before.
    pub measured: bool,
    /// Why a load that fell is not believed.
    pub doubt: Option<String>,
    /// Whether its load is no more than a guess, and is not to be remembered as what it was planned for.
    pub unsure: bool,
    /// Whether it has had no load for long enough to lose its last replica.
    pub idle: bool,
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
    /// Its index in the scenario.
    pub index: usize,
    /// Cards.
    pub cards: Use,
    /// Cents per hour.
    pub cost: f64,
    /// Requests per second that it is worth; `None` where its objectives are out of reach.
    pub rate_per_s: Option<f64>,
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

    /// Share of the demand that its replicas cover where they are, in [0, 1].
    pub fn covered(&self) -> f64 {
        self.covered_by(self.observation.managed.replicas)
    }

    /// Share of the demand that so many replicas would cover there.
    pub fn covered_by(&self, replicas: u32) -> f64 {
        let Some(here) = self.here else { return 0.0 };
        if self.demand_per_s <= 0.0 {
            return 1.0;
        }
        (here.rate_per_s * f64::from(replicas) / self.demand_per_s).min(1.0)
    }

    /// Replicas that are ready, of those that are asked for.
    pub fn ready(&self) -> u32 {
        self.observation.managed.ready.min(self.observation.managed.replicas)
    }

    /// Whether it has less than it needs.
    pub fn is_short(&self) -> bool {
        self.covered() < 1.0 - 1e-9 || self.observation.managed.replicas < self.server.min_replicas
    }

    /// Holds it as it is, whatever the plan.
    pub fn hold(&mut self, reason: &str) {
        self.held.get_or_insert_with(|| reason.to_owned());
    }

    /// The server held where it is: so many replicas there, whatever its load.
    pub fn pinned(&self) -> Option<Server> {
        let managed = &self.observation.managed;
        let allow = vec![self.footprint(managed.accelerator.as_deref())?.index];
        let (min_replicas, max_replicas) = (managed.replicas, Some(managed.replicas));
        let mut server = Server { allow, min_replicas, max_replicas, ..self.server.clone() };
        server.load.arrival_rate_per_min = 0.0;
        Some(server)
    }
}

/// A Deployment that has a place in the data.
pub struct Seen<'a> {
    /// What was seen of it.
    pub observation: &'a Observation,
    /// What is believed of its load.
    pub believed: Believed,
    /// An objective that the latencies which were measured break.
    pub broken: Option<String>,
    /// Whether it may lose its last replica.
    pub idle: bool,
}

/// The entry of a server, the `s`th of the scenario.
pub fn entry(
    scenario: &Scenario,
    candidates: &Candidates,
    s: usize,
    seen: Seen<'_>,
    stability: &Stability,
) -> Entry {
    let Seen { observation, believed, broken, idle } = seen;
    let mut server = scenario.servers[s].clone();
    let managed = &observation.managed;
    let options = candidates.options(s);
    let footprints = footprints(scenario, &server, options);
    let on = server.current.as_ref().map(|c| c.accelerator);
    let option = options.iter().find(|o| Some(o.accelerator) == on);
    let here = option.map(|o| Here { rate_per_s: o.rate_per_s, batch: o.batch });
    let held = options.is_empty().then(|| {
        let rejected = candidates.rejected(s).iter();
        let reasons = rejected
            .map(|r| format!("{}: {}", scenario.accelerators[r.accelerator].name, r.reason));
        format!("no accelerator serves it ({})", reasons.collect::<Vec<_>>().join("; "))
    });
    let best_per_s = options.iter().map(|o| o.rate_per_s).fold(0.0, f64::max);
    let mut demand_per_s = candidates.demands[s].rate_per_s;
    let capped = cap(&mut server, best_per_s, &mut demand_per_s);
    let needed = if best_per_s > 0.0 { (demand_per_s / best_per_s).floor() } else { 0.0 };
    let too_many = bound::too_many(managed.replicas, needed, stability);
    let unsure = believed.stays || too_many.is_some();
    let held = held.or(too_many);
    let footprint = footprints.iter().find(|f| Some(f.index) == on);
    let cost = footprint.map_or(0.0, |f| f.cost * f64::from(managed.replicas));
    // A move is charged for what the load needs here, not for what happens to run here: so a plan that
    // was carried out is its own best successor (the charge then keeps the triangle inequality).
    if let Some(current) = &mut server.current {
        current.cost_cents_per_h = match (here, footprint) {
            (Some(here), Some(footprint)) => {
                let needed = (demand_per_s / here.rate_per_s * (1.0 - 1e-9)).ceil();
                footprint.cost * needed.max(f64::from(server.min_replicas))
            }
            _ => cost,
        };
    }
    let mut entry = Entry {
        load: believed.load,
        measured: believed.measured,
        doubt: believed.doubt,
        unsure,
        idle,
        priority: scenario.classes[server.class].priority,
        demand_per_s,
        here,
        held,
        capped,
        cards: None,
        cost,
        footprints,
        broken,
        server,
        observation: observation.clone(),
    };
    entry.cards = entry.cards_of(managed.accelerator.as_deref(), managed.replicas);
    entry
}

/// Plans a server for no more than its most replicas can serve, on the accelerator on which a replica serves
/// most; says so where that is less than its load needs. A demand that is not the arrival rate's stays.
fn cap(server: &mut Server, best_per_s: f64, demand_per_s: &mut f64) -> Option<String> {
    let most = server.max_replicas?;
    let most_per_s = f64::from(most) * best_per_s;
    let by_rate = *demand_per_s == server.load.rate_per_s();
    if !by_rate || best_per_s <= 0.0 || *demand_per_s <= most_per_s {
        return None;
    }
    let needed = (*demand_per_s / best_per_s).ceil();
    let asked = server.load.arrival_rate_per_min;
    // A hair less, so that no rounding on the way asks for one more.
    *demand_per_s = most_per_s * (1.0 - 1e-9);
    server.load.arrival_rate_per_min = *demand_per_s * 60.0;
    Some(format!(
        "its load of {asked:.1} requests/min, the headroom included, needs {needed} replicas where one serves most, \
         and it may have {most}: it is planned for {most}; raise inferno.server.maxreplicas to serve the rest"
    ))
}

fn footprints(scenario: &Scenario, server: &Server, options: &[Candidate]) -> Vec<Footprint> {
    let own = scenario.profiles.iter().filter(|p| p.model == server.model);
    let of = own.map(|profile| {
        let accelerator = &scenario.accelerators[profile.accelerator];
        let units = u64::from(profile.units_per_replica);
        Footprint {
            accelerator: accelerator.name.clone(),
            index: profile.accelerator,
            cards: Use {
                card_type: scenario.card_types[accelerator.card_type].name.clone(),
                cards: units * u64::from(accelerator.multiplicity),
            },
            cost: units as f64 * accelerator.cost_cents_per_h,
            rate_per_s: options
                .iter()
                .find(|o| o.accelerator == profile.accelerator)
                .map(|o| o.rate_per_s),
        }
    });
    of.collect()
}
