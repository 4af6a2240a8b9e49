//! The validated scenario: what the planner is asked, with every name resolved to an index.
//!
//! A [`Scenario`] comes from [`crate::input`] alone. Once it exists there are no unknown names, no
//! NaN and no negative quantity in it, so that later stages index and never check again.

use crate::disaggregation::Pool;
pub use crate::nodes::NodeType;
use crate::queue::{EngineSettings, Objectives, ServiceModel};
use crate::spend::Currency;
use crate::trust::Calibration;

/// Everything a plan depends on. Indices in one list point into the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Kinds of card whose number is limited, e.g. `A100`.
    pub card_types: Vec<CardType>,
    /// Accelerators: one or several cards of one type, rented as a unit.
    pub accelerators: Vec<Accelerator>,
    /// Names of the models.
    pub models: Vec<String>,
    /// How each model runs on each accelerator; at most one entry a pair.
    pub profiles: Vec<Profile>,
    /// Service classes.
    pub classes: Vec<ServiceClass>,
    /// Servers: what has to be placed.
    pub servers: Vec<Server>,
    /// Machines in which cards come, where the scenario says so.
    pub nodes: Vec<NodeType>,
    /// Limits on cards or power that several card types share.
    pub budgets: Vec<Budget>,
    /// What the scenario asks of the optimizer.
    pub optimizer: Optimizer,
    /// What costs are shown in.
    pub currency: Currency,
}

/// A kind of card and how many exist.
#[derive(Debug, Clone, PartialEq)]
pub struct CardType {
    /// Name, e.g. `A100`.
    pub name: String,
    /// Cards that exist; `None` where the scenario sets no limit.
    pub count: Option<u64>,
    /// Cards of `count` to keep free (N + k).
    pub spare: u64,
}

impl CardType {
    /// Cards that a plan may use; `None` without a limit.
    pub fn available(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.spare))
    }

    /// Multiplies the count, if there is one, by `factor`, rounded down; a product that is whole but
    /// for its rounding (100 times 0.29) stays whole.
    pub fn scale(&mut self, factor: f64) {
        self.count = self.count.map(|count| (count as f64 * factor * (1.0 + 1e-12)) as u64);
    }
}

/// One or several cards of a type, rented as a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// Name, e.g. `2xA100`.
    pub name: String,
    /// Index into [`Scenario::card_types`].
    pub card_type: usize,
    /// Cards in the unit, at least 1.
    pub multiplicity: u32,
    /// Memory of the unit, GB.
    pub memory_gb: f64,
    /// Memory bandwidth of the unit, GB/s.
    pub bandwidth_gb_per_s: f64,
    /// Power curve of the unit.
    pub power: PowerCurve,
    /// Price of the unit, cents per hour.
    pub cost_cents_per_h: f64,
    /// Share of the time that a replica on it is there, in (0, 1]: below 1 where it is taken away at times.
    pub availability: f64,
    /// Where it stands, where somebody says.
    pub zone: Option<String>,
    /// Carbon dioxide of the current where it stands, grams a kWh; `None` where nobody says.
    pub grams_per_kwh: Option<f64>,
    /// Price of the carbon dioxide of its current, cents a kWh; 0 where it has none.
    pub carbon_cents_per_kwh: f64,
    /// GB/s at which a replica on it sends or receives KV cache; `None` where nobody says.
    pub kv_link_gb_per_s: Option<f64>,
}

impl Accelerator {
    /// Grams of carbon dioxide an hour of so many watts; none where nobody says what the current brings.
    pub fn grams_per_h(&self, watts: f64) -> f64 {
        watts / 1000.0 * self.grams_per_kwh.unwrap_or(0.0)
    }
}

/// Watts against utilisation: straight from idle to mid, and straight from mid to full.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PowerCurve {
    /// Watts at utilisation 0.
    pub idle_w: f64,
    /// Watts at utilisation `mid_utilisation`.
    pub mid_w: f64,
    /// Watts at utilisation 1.
    pub full_w: f64,
    /// The utilisation, in (0, 1), at which `mid_w` is drawn; 0 makes one straight line.
    pub mid_utilisation: f64,
}

impl PowerCurve {
    /// Watts drawn at `utilisation`, kept in [0, 1].
    pub fn watts(&self, utilisation: f64) -> f64 {
        let u = utilisation.clamp(0.0, 1.0);
        let mid = self.mid_utilisation;
        if mid <= 0.0 || mid >= 1.0 {
            self.idle_w + (self.full_w - self.idle_w) * u
        } else if u <= mid {
            self.idle_w + (self.mid_w - self.idle_w) * u / mid
        } else {
            self.mid_w + (self.full_w - self.mid_w) * (u - mid) / (1.0 - mid)
        }
    }
}

/// How a model runs on an accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Index into [`Scenario::models`].
    pub model: usize,
    /// Index into [`Scenario::accelerators`].
    pub accelerator: usize,
    /// Accelerators that one replica takes, at least 1.
    pub units_per_replica: u32,
    /// Whether a replica that no node holds may take several whole ones.
    pub multi_node: bool,
    /// Largest batch, at `at_tokens` tokens a request where they are stated.
    pub max_batch: u32,
    /// Tokens a request at which `max_batch` was measured; where nobody says it holds at all lengths.
    pub at_tokens: Option<u32>,
    /// Bytes that a token takes in the KV cache; `None` where nobody says.
    pub kv_bytes_per_token: Option<f64>,
    /// How weights are stored, where the scenario says: `bf16`, `fp8`, ...
    pub precision: Option<&'static str>,
    /// Service times.
    pub service: ServiceModel,
    /// How the engine is set, as far as the scenario says.
    pub engine: StatedEngine,
    /// Where the service times come from.
    pub provenance: Provenance,
    /// How far off a calibrated profile may be, where it says so.
    pub calibration: Option<Calibration>,
}

impl Profile {
    /// Largest batch where a profile states none.
    pub const CEILING: u32 = 256;
}

/// How an engine is set, as far as somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatedEngine {
    /// Tokens that a pass works off at most.
    pub token_budget: Option<u32>,
    /// Tokens that the KV cache holds.
    pub kv_tokens: Option<u64>,
    /// Whether prompts may be cut into chunks.
    pub chunked_prefill: Option<bool>,
}

impl StatedEngine {
    /// The settings, with what `or` says where nothing is stated, and an engine's own defaults where that
    /// says nothing either: a KV cache of which nobody speaks never runs out.
    pub fn settings(self, or: Self) -> EngineSettings {
        let default = EngineSettings::default();
        let chunked = self.chunked_prefill.or(or.chunked_prefill);
        EngineSettings {
            token_budget: self.token_budget.or(or.token_budget).unwrap_or(default.token_budget),
            kv_tokens: self.kv_tokens.or(or.kv_tokens),
            chunked_prefill: chunked.unwrap_or(default.chunked_prefill),
        }
    }
}

/// Where a profile's service times come from: it decides how far a plan may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provenance {
    /// The scenario does not say.
    #[default]
    Unstated,
    /// Derived from data sheets, not measured.
    Estimated,
    /// Fitted to measurements.
    Calibrated,
}

/// A service class and its objectives for each model.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceClass {
    /// Name, e.g. `Premium`.
    pub name: String,
    /// 1 (highest) to 100.
    pub priority: u32,
    /// What its servers' shares of their load are held against where shortage is shared fairly: above 0.
    pub weight: f64,
    /// Objectives by model index; `None` where the class names no target for the model.
    /// `max_loss` is the run's limit and not set here (1).
    pub targets: Vec<Option<Objectives>>,
}

/// A class-and-model pair with its load: what has to be placed.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Name, unique.
    pub name: String,
    /// Index into [`Scenario::classes`].
    pub class: usize,
    /// Index into [`Scenario::models`]; the class has a target for it.
    pub model: usize,
    /// Requests to serve.
    pub load: Load,
    /// Fewest replicas, also at zero load.
    pub min_replicas: u32,
    /// Output tokens a second that its replicas are able to write at least, whatever arrives; 0 asks for nothing.
    pub min_tokens_per_s: f64,
    /// Most replicas.
    pub max_replicas: Option<u32>,
    /// Batch limit that replaces the profile's.
    pub max_batch: Option<u32>,
    /// Requests that may wait; `None` where the server sets no limit of its own.
    pub max_queue: Option<u32>,
    /// Keep the accelerator of the current allocation.
    pub keep_accelerator: bool,
    /// Accelerators it may use; all of them when empty.
    pub allow: Vec<usize>,
    /// Accelerators it may not use.
    pub deny: Vec<usize>,
    /// Time on the way between its users and each accelerator, by index, ms; empty where nobody says.
    pub network: Vec<f64>,
    /// Fewest card types its replicas are spread over (resilience); 0 and 1 ask for nothing.
    pub min_types: u32,
    /// Where it runs now.
    pub current: Option<CurrentAllocation>,
    /// Servers of the same model that name the same group here may share replicas with it.
    pub share: Option<String>,
    /// Servers whose replicas these are, where several share them; none where it stands alone.
    pub members: Vec<Server>,
    /// Whether its prompts may be computed on other replicas than those that write its answers.
    pub disaggregate: bool,
    /// What its replicas do, where they do one part of another server's requests.
    pub pool: Option<Pool>,
}

impl Server {
    /// The server whose requests these are: itself, or the one that it is a pool of.
    pub fn whole(&self) -> &Self {
        self.pool.as_ref().map_or(self, |pool| &pool.whole)
    }

    /// Requests a second that its replicas are able to serve at least, whatever arrives: what its floor of tokens comes
    /// to, or those of all who share them.
    pub fn floor_per_s(&self) -> f64 {
        let whole = self.whole();
        match whole.members.is_empty() {
            true => whole.min_tokens_per_s / whole.load.output_tokens.max(1.0),
            false => whole.members.iter().map(Self::floor_per_s).sum(),
        }
    }

    /// Multiplies its arrival rate, and those of all who share its replicas.
    pub fn scale_load(&mut self, by: f64) {
        self.load.arrival_rate_per_min *= by;
        self.members.iter_mut().for_each(|member| member.scale_load(by));
        if let Some(pool) = &mut self.pool {
            pool.whole.scale_load(by);
        }
    }

    /// Whether nothing is asked of its replicas.
    pub fn is_idle(&self) -> bool {
        self.load.rate_per_s() == 0.0 && self.floor_per_s() == 0.0
    }

    /// Time on the way between its users and an accelerator, there and back, ms.
    pub fn network_ms(&self, accelerator: usize) -> f64 {
        self.network.get(accelerator).copied().unwrap_or(0.0)
    }
}

/// An arrival rate, requests per minute, as it is planned for: what is next to nothing is none.
pub fn rate_or_none(per_min: f64) -> f64 {
    if (0.0..Load::LEAST_PER_MIN).contains(&per_min) { 0.0 } else { per_min }
}

/// Requests that arrive at a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests per minute.
    pub arrival_rate_per_min: f64,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Mean tokens of an answer.
    pub output_tokens: f64,
    /// Squared coefficient of variation of inter-arrival times; 1 is Poisson.
    pub arrival_scv: f64,
    /// Squared coefficient of variation of output tokens; 1 is the model's own.
    pub token_scv: f64,
    /// Squared coefficient of variation of prompt tokens; 0 where all prompts are alike.
    pub input_scv: f64,
    /// Share of a prompt's tokens that the prefix cache holds, in [0, 1].
    pub prefix_hit_share: f64,
}

impl Load {
    /// Fewer requests per minute than this, one in two thousand years, are none: a number as small
    /// as that says nothing, and ratios to it lose their digits.
    pub const LEAST_PER_MIN: f64 = 1e-9;

    /// Requests per second, 0 where there are none to speak of.
    pub fn rate_per_s(&self) -> f64 {
        rate_or_none(self.arrival_rate_per_min).max(0.0) / 60.0
    }
}

/// Where a server runs now.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentAllocation {
    /// Index into [`Scenario::accelerators`], or [`CurrentAllocation::NOWHERE`].
    pub accelerator: usize,
    /// Replicas.
    pub replicas: u32,
    /// Cost, cents per hour.
    pub cost_cents_per_h: f64,
}

impl CurrentAllocation {
    /// The accelerator of who runs on none of the scenario's: whatever is placed is a move.
    pub const NOWHERE: usize = usize::MAX;
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Cards.
    Cards,
    /// Watts.
    Watts,
    /// Cents per hour.
    #[serde(rename = "cents/h")]
    Cents,
    /// Grams of carbon dioxide per hour.
    #[serde(rename = "g CO2/h")]
    Grams,
}

impl Unit {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Watts => "watts",
            Self::Cents => "cents/h",
            Self::Grams => "g CO2/h",
        }
    }

    /// Whether it is of what there is, which no longer binds where there is any number of cards; money and
    /// carbon bind even so.
    pub fn is_of_cards(self) -> bool {
        matches!(self, Self::Cards | Self::Watts)
    }
}

/// A limit that several card types share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    /// Name for reports.
    pub name: String,
    /// Indices into [`Scenario::card_types`] that count; all of them when empty.
    pub card_types: Vec<usize>,
    /// Most cards in all.
    pub cards: Option<u64>,
    /// Most watts in all, each card counted at full load.
    pub watts: Option<f64>,
    /// Most that replicas cost in all, cents per hour.
    pub cents_per_h: Option<f64>,
    /// Most carbon dioxide in all, grams per hour, each card counted at full load.
    pub grams_per_h: Option<f64>,
}

impl Budget {
    /// Whether cards of a type, by its index, count.
    pub fn counts(&self, card_type: usize) -> bool {
        self.card_types.is_empty() || self.card_types.contains(&card_type)
    }

    /// What it limits, cards first; where there is any number of cards only what binds even so.
    pub fn limits(&self, unlimited: bool) -> impl Iterator<Item = (Unit, f64)> + use<> {
        let all = [
            (Unit::Cards, self.cards.map(|cards| cards as f64)),
            (Unit::Watts, self.watts),
            (Unit::Cents, self.cents_per_h),
            (Unit::Grams, self.grams_per_h),
        ];
        let binds = move |unit: Unit| !unlimited || !unit.is_of_cards();
        all.into_iter().filter_map(|(unit, most)| Some((unit, most?))).filter(move |l| binds(l.0))
    }
}

/// What the scenario asks of the optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Optimizer {
    /// Ignore how many cards exist.
    pub unlimited: bool,
    /// Several accelerators may serve one server.
    pub heterogeneous: bool,
    /// What to do when not all can be served.
    pub saturation: Saturation,
    /// Best effort only after every class had its turn.
    pub delayed_best_effort: bool,
}

/// What to do with servers that cannot be served in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Saturation {
    /// Nothing: they get no replica.
    #[default]
    None,
    /// All that is left, one server after the other within a priority.
    PriorityExhaustive,
    /// One replica at a time in turn within a priority.
    PriorityRoundRobin,
    /// One replica at a time in turn over all.
    RoundRobin,
}
