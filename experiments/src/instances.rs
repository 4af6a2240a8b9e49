//! Fleets to measure on, made from a table of cards and models by a seed.
//!
//! ```text
//! fleet       9 models in 3 classes (27 servers) on 9 cards, each as 1x, 2x and 4x
//! copies K    K copies of each server; each copy's rate times exp(N(0, 0.7)); card counts times K
//! change      each server's rate times exp(N(0, 0.5))
//! supply      no card counts; the fleet's counts by a factor; or a factor of what the cheapest plan
//!             without counts uses of a type (of the fleet's count where it uses none)
//! ```
//!
//! Service times are a plain roofline (`profile`) over `experiments/data`, which stays as it is so that
//! figures measured at different times are of the same fleets: estimates, good for
//! comparing formulations, not for buying cards.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::input;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::families::Member;
use crate::random::Random;

const ACCELERATORS: &str = include_str!("../data/accelerators.csv");
const MODELS: &str = include_str!("../data/models.csv");

/// Cards of the fleet, with how many there are in all at K = 1.
const CARDS: [(&str, u64); 9] = [
    ("L4", 64),
    ("A10G", 48),
    ("L40S", 48),
    ("A100-40GB", 32),
    ("A100-80GB", 32),
    ("H100", 24),
    ("H200", 12),
    ("MI300X", 20),
    ("B200", 8),
];

/// Cards of an accelerator, and the share of their sum that tensor parallelism leaves.
const FORMS: [(u32, f64); 3] = [(1, 1.0), (2, 0.9), (4, 0.8)];

/// Service classes: name, priority, ITL and TTFT limits in ms, times the model's base rate, tokens in
/// and out.
const CLASSES: [(&str, u32, f64, f64, f64, u32, u32); 3] = [
    ("Premium", 1, 40.0, 500.0, 1.0, 1024, 256),
    ("Bronze", 2, 70.0, 1000.0, 2.0, 512, 384),
    ("Free", 3, 120.0, 2000.0, 4.0, 256, 512),
];

/// Base rate of each model, requests/min.
const RATES: [(&str, f64); 9] = [
    ("llama-3.1-8b", 600.0),
    ("llama-3.1-70b", 120.0),
    ("mistral-7b", 360.0),
    ("mixtral-8x7b", 180.0),
    ("qwen2.5-7b", 480.0),
    ("qwen2.5-32b", 160.0),
    ("gemma-2-9b", 240.0),
    ("granite-3.1-8b", 300.0),
    ("phi-4", 220.0),
];

/// Spread of the copies' rates, as the standard deviation of their logarithm.
const COPY_SPREAD: f64 = 0.7;
/// Spread of a load change.
const CHANGE_SPREAD: f64 = 0.5;

/// What is planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Instance {
    /// The catalogue's fleet, or copies of it.
    Fleet(Fleet),
    /// One of a hard family.
    Member(Member),
}

impl From<Fleet> for Instance {
    fn from(fleet: Fleet) -> Self {
        Self::Fleet(fleet)
    }
}

impl From<Member> for Instance {
    fn from(member: Member) -> Self {
        Self::Member(member)
    }
}

impl Instance {
    /// A name for tables.
    pub fn name(&self) -> String {
        match self {
            Self::Fleet(fleet) => fleet.name(),
            Self::Member(member) => member.family.name().to_owned(),
        }
    }

    /// Seed of everything drawn.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Fleet(fleet) => fleet.seed,
            Self::Member(member) => member.seed,
        }
    }

    /// Copies of the fleet.
    pub fn copies(&self) -> Option<u32> {
        match self {
            Self::Fleet(fleet) => Some(fleet.copies),
            Self::Member(_) => None,
        }
    }

    /// How many cards there are, in words and by which factor.
    pub fn supply(&self) -> (&'static str, Option<f64>) {
        match self {
            Self::Fleet(Fleet { supply: Supply::Unlimited, .. }) => ("unlimited", None),
            Self::Fleet(Fleet { supply: Supply::Fleet(factor), .. }) => ("fleet", Some(*factor)),
            Self::Fleet(Fleet { supply: Supply::OfUnlimited(share), .. }) => {
                ("of what unlimited uses", Some(*share))
            }
            Self::Member(_) => ("drawn", None),
        }
    }

    /// The scenario; a fleet's loads may be `changed`.
    pub fn scenario(&self, sizing: &SizingOptions, changed: bool) -> Scenario {
        match self {
            Self::Fleet(fleet) => fleet.scenario(sizing, changed),
            Self::Member(member) => member.scenario(sizing),
        }
    }
}

/// How a fleet is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Copies of each server; 0 is the fleet as it stands, with its 27 rates unchanged.
    pub copies: u32,
    /// Forms of each card that there are: 1 (1x) to 3 (1x, 2x, 4x).
    pub forms: usize,
    /// Times each server's rate.
    pub load: f64,
    /// How many cards there are.
    pub supply: Supply,
    /// Seed of everything drawn.
    pub seed: u64,
}

/// How many cards there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Supply {
    /// As many as wanted.
    Unlimited,
    /// The fleet's counts by a factor.
    Fleet(f64),
    /// This factor of the cards of each type that the cheapest plan without counts uses; of the
    /// fleet's count of a type that it does not use.
    OfUnlimited(f64),
}

impl Fleet {
    /// The fleet as it stands.
    pub fn plain(supply: Supply, seed: u64) -> Self {
        Self { copies: 0, forms: 3, load: 1.0, supply, seed }
    }

    /// A name for tables, such as `fleet x 10`.
    pub fn name(&self) -> String {
        match self.copies {
            0 => "fleet".to_owned(),
            k => format!("fleet x {k}"),
        }
    }

    /// The scenario. `changed` draws the load change.
    pub fn scenario(&self, sizing: &SizingOptions, changed: bool) -> Scenario {
        let mut scenario = base(self.forms);
        for server in &mut scenario.servers {
            server.load.arrival_rate_per_min *= self.load;
        }
        self.copy(&mut scenario);
        // What is there does not follow a change of the loads.
        self.supply(&mut scenario, sizing);
        if changed {
            let mut random = Random::new(self.seed ^ 0x00c0_ffee);
            for server in &mut scenario.servers {
                server.load.arrival_rate_per_min *= (CHANGE_SPREAD * random.normal()).exp();
            }
        }
        scenario
    }

    fn copy(&self, scenario: &mut Scenario) {
        if self.copies == 0 {
            return;
        }
        let mut random = Random::new(self.seed);
        let originals = std::mem::take(&mut scenario.servers);
        for k in 0..self.copies {
            for server in &originals {
                let mut copy = server.clone();
                copy.name = format!("{}#{k}", server.name);
                copy.load.arrival_rate_per_min *= (COPY_SPREAD * random.normal()).exp();
                scenario.servers.push(copy);
            }
        }
        for card in &mut scenario.card_types {
            card.count = card.count.map(|count| count * u64::from(self.copies));
        }
    }

    fn supply(&self, scenario: &mut Scenario, sizing: &SizingOptions) {
        let used = match self.supply {
            Supply::OfUnlimited(_) => cheapest_cards(scenario, sizing),
            _ => Vec::new(),
        };
        match self.supply {
            Supply::Unlimited => scenario.optimizer.unlimited = true,
            Supply::Fleet(factor) => {
                scenario.card_types.iter_mut().for_each(|card| card.scale(factor));
            }
            Supply::OfUnlimited(factor) => {
                for (card, used) in scenario.card_types.iter_mut().zip(used) {
                    card.count = if used > 0 { Some(used) } else { card.count };
                    card.scale(factor);
                }
            }
        }
    }
}

/// Cards of each type that all servers take when each runs on what is cheapest for it.
fn cheapest_cards(scenario: &Scenario, sizing: &SizingOptions) -> Vec<u64> {
    let candidates = Candidates::build(scenario, sizing);
    let mut used = vec![0; scenario.card_types.len()];
    for s in 0..scenario.servers.len() {
        let load = candidates.demands[s].rate_per_s;
        let alone = candidates.options(s).iter().map(|c| {
            let replicas = (load / c.rate_per_s).ceil();
            (replicas * c.cost_cents_per_h, c.card_type, replicas as u64 * c.cards)
        });
        if let Some((_, card, cards)) = alone.min_by(|a, b| a.0.total_cmp(&b.0)) {
            used[card] += cards;
        }
    }
    used
}

/// The fleet's 27 servers on its cards.
fn base(forms: usize) -> Scenario {
    let text = document(forms).to_string();
    // The catalogue is part of the program, and a test reads what is made of it.
    input::load_text("fleet", &text).expect("the fleet of the catalogue is sound").scenario
}

/// The fleet as a scenario file.
fn document(forms: usize) -> Value {
    let (cards, models) = (Catalogue::read(ACCELERATORS), Catalogue::read(MODELS));
    let forms = &FORMS[..forms.clamp(1, FORMS.len())];
    let units = || CARDS.iter().flat_map(|card| forms.iter().map(move |form| (card.0, *form)));
    let profiles = RATES.iter().flat_map(|(model, _)| {
        units().filter_map(|(card, form)| profile(&models, model, &cards, card, form))
    });
    let classes = CLASSES.iter().map(|(name, priority, itl, ttft, ..)| {
        let target =
            |(model, _): &(&str, f64)| json!({ "model": model, "slo-itl": itl, "slo-ttft": ttft });
        let targets: Vec<Value> = RATES.iter().map(target).collect();
        json!({ "name": name, "priority": priority, "modelTargets": targets })
    });
    let servers = CLASSES.iter().flat_map(|&(class, _, _, _, times, input, output)| {
        RATES.iter().map(move |(model, rate)| {
            let load = json!({
                "arrivalRate": rate * times, "avgInTokens": input, "avgOutTokens": output
            });
            json!({
                "name": format!("{class}-{model}"), "class": class, "model": model,
                "currentAlloc": { "load": load }
            })
        })
    });
    let counts = CARDS.iter().map(|(card, count)| json!({ "type": card, "count": count }));
    json!({
        "acceleratorData": { "accelerators": units().map(|(card, (n, _))| accelerator(&cards, card, n)).collect::<Vec<_>>() },
        "modelData": { "models": profiles.collect::<Vec<_>>() },
        "serviceClassData": { "serviceClasses": classes.collect::<Vec<_>>() },
        "serverData": { "servers": servers.collect::<Vec<_>>() },
        "capacityData": { "count": counts.collect::<Vec<_>>() },
    })
}

fn unit(card: &str, cards: u32) -> String {
    if cards == 1 { card.to_owned() } else { format!("{cards}x{card}") }
}

fn accelerator(catalogue: &Catalogue, card: &str, cards: u32) -> Value {
    let of = |column: &str| catalogue.number(card, column) * f64::from(cards);
    let (idle, full) = (of("idle_w_estimated"), of("tdp_w"));
    json!({
        "name": unit(card, cards), "type": card, "multiplicity": cards,
        "memSize": of("memory_gb"), "memBW": of("bandwidth_gb_per_s"),
        "power": { "idle": idle, "full": full, "midPower": idle + 0.75 * (full - idle), "midUtil": 0.6 },
        "cost": of("price_cents_per_h"),
    })
}

/// The roofline of a model on some cards; `None` where it does not fit.
fn profile(
    models: &Catalogue,
    model: &str,
    catalogue: &Catalogue,
    card: &str,
    (cards, efficiency): (u32, f64),
) -> Option<Value> {
    let scale = f64::from(cards) * efficiency;
    let bytes_per_ms = catalogue.number(card, "bandwidth_gb_per_s") * 1e6 * 0.75 * scale;
    let flops_per_ms = catalogue.number(card, "bf16_dense_tflops") * 1e9 * 0.45 * scale;
    let weights = models.number(model, "parameters_billion") * 1e9 * 2.0;
    let heads = models.number(model, "kv_heads") * models.number(model, "head_dim");
    let cache_per_token = 2.0 * models.number(model, "layers") * heads * 2.0;
    let memory = catalogue.number(card, "memory_gb") * 1e9 * f64::from(cards);
    let batch = ((memory * 0.9 - weights) / (cache_per_token * 1024.0)).floor().min(256.0);
    (batch >= 4.0).then(|| {
        json!({
            "name": model, "acc": unit(card, cards), "accCount": 1,
            "maxBatchSize": batch, "atTokens": 512,
            "perfParms": {
                "alpha": 2.0 + weights / bytes_per_ms,
                "beta": 2.0 * models.number(model, "active_billion") * 1e9 / flops_per_ms,
                "gamma": cache_per_token / bytes_per_ms,
            },
            "provenance": "estimated",
        })
    })
}

/// A CSV of the catalogue, whose first column is a name.
struct Catalogue {
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Catalogue {
    fn read(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        Self { header, rows: reader.records().flatten().collect() }
    }

    /// A number; 0 where the catalogue has none, which the reader of the scenario then refuses.
    fn number(&self, name: &str, column: &str) -> f64 {
        let column = self.header.iter().position(|c| c == column);
        let row = self.rows.iter().find(|row| row.get(0) == Some(name));
        let cell = row.and_then(|row| row.get(column?));
        cell.and_then(|cell| cell.parse().ok()).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(copies: u32, seed: u64) -> Scenario {
        let fleet = Fleet { copies, seed, ..Fleet::plain(Supply::Fleet(1.0), seed) };
        fleet.scenario(&SizingOptions::default(), false)
    }

    #[test]
    fn the_fleet_has_its_shape() {
        let scenario = fleet(0, 1);
        let counts = (scenario.models.len(), scenario.classes.len(), scenario.servers.len());
        assert_eq!(counts, (9, 3, 27));
        assert_eq!((scenario.card_types.len(), scenario.accelerators.len()), (9, 27));
        assert!(scenario.accelerators.iter().all(|a| a.cost_cents_per_h > 0.0));
        let candidates = Candidates::build(&scenario, &SizingOptions::default());
        assert!((0..27).all(|s| candidates.options(s).len() > 3));
    }

    #[test]
    fn seeds_decide_everything() {
        assert_eq!(fleet(3, 1), fleet(3, 1));
        assert_ne!(fleet(3, 1), fleet(3, 2));
        let (small, large) = (fleet(0, 1), fleet(3, 1));
        assert_eq!(large.servers.len(), 81);
        assert_eq!(large.card_types[0].count, small.card_types[0].count.map(|c| 3 * c));
    }

    #[test]
    fn supply_follows_what_the_cheapest_plan_uses() {
        let sizing = SizingOptions::default();
        let counts = |factor: f64| -> Vec<u64> {
            let scenario = Fleet::plain(Supply::OfUnlimited(factor), 1).scenario(&sizing, false);
            scenario.card_types.iter().filter_map(|card| card.count).collect()
        };
        let (half, whole) = (counts(0.5), counts(1.0));
        assert!(half.iter().zip(&whole).all(|(half, whole)| *half == whole / 2));
        // The cheapest plan without counts fits into what it uses itself.
        let plain = Fleet::plain(Supply::OfUnlimited(1.0), 1).scenario(&sizing, false);
        let used = cheapest_cards(&plain, &sizing);
        assert!(used.iter().zip(&whole).all(|(used, there)| used <= there));
        assert!(used.iter().any(|used| *used > 0));
    }
}
