//! Instances of the families, each from its seed.
//!
//! ```text
//! rate     a replica takes one request at a time, and a token of it 60,000 / rate ms: no queueing hides
//!          what the numbers of the program are
//! planted  every server is given a mix that covers its load; a limit is what the mixes take of it, times
//!          a slack: there is a plan, and not much room for another
//! ```

use std::ops::RangeInclusive;

use isocost_model::Scenario;
use isocost_model::candidates::SizingOptions;
use isocost_model::input;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::instances::{Fleet, Supply};
use crate::random::Random;

/// What makes instances hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Rates proportional to prices but for 1e-2 to 1e-6: thousands of mixes cost nearly the same.
    NearTies,
    /// Loads of 20 to 500 replicas over up to 8 accelerators.
    ManyReplicas,
    /// Budgets of cards and of watts across types beside the types' counts.
    Budgets,
    /// 6 to 20 types of card, each with hardly enough.
    ManyLimits,
    /// The catalogue's fleet at 1.1 to 2 times its load, with just enough cards.
    Tight,
    /// 270 servers of the catalogue's fleet with a quarter of the cards that they ask for: the most is served by priority.
    Shortage,
}

impl Family {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 6] = [
        Self::NearTies,
        Self::ManyReplicas,
        Self::Budgets,
        Self::ManyLimits,
        Self::Tight,
        Self::Shortage,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::NearTies => "near-ties",
            Self::ManyReplicas => "many-replicas",
            Self::Budgets => "budgets",
            Self::ManyLimits => "many-limits",
            Self::Tight => "tight",
            Self::Shortage => "shortage",
        }
    }
}

/// One instance of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The family.
    pub family: Family,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Member {
    /// The scenario.
    pub fn scenario(&self, sizing: &SizingOptions) -> Scenario {
        let mut random =
            Random::new(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(self.family as u64));
        let document = match self.family {
            Family::Tight => return tight(&mut random, self.seed, sizing),
            Family::Shortage => {
                let fleet =
                    Fleet { copies: 10, ..Fleet::plain(Supply::OfUnlimited(0.25), self.seed) };
                return fleet.scenario(sizing, false);
            }
            Family::NearTies => near_ties(&mut random),
            Family::ManyReplicas => many_replicas(&mut random),
            Family::Budgets => budgets(&mut random),
            Family::ManyLimits => many_limits(&mut random),
        };
        // A test reads some of every family.
        let loaded = input::load_text(self.family.name(), &document.to_string());
        loaded.expect("what is drawn is sound").scenario
    }
}

fn tight(random: &mut Random, seed: u64, sizing: &SizingOptions) -> Scenario {
    let factor = 1.1 + 0.9 * random.uniform();
    let share = 0.36 + 0.1 * random.uniform();
    Fleet { load: factor, ..Fleet::plain(Supply::OfUnlimited(share), seed) }.scenario(sizing, false)
}

/// An accelerator: cards of a type, price, and power.
struct Unit {
    card: usize,
    cards: u64,
    cents: f64,
    watts: f64,
}

/// A server: the rate of a replica on each accelerator that takes it, and its load, requests/min.
struct Need {
    rates: Vec<(usize, f64)>,
    load: f64,
}

fn near_ties(random: &mut Random) -> Value {
    let digits = random.whole(2..=6) as i32;
    let (mut units, mut needs) = (Vec::new(), Vec::new());
    for _ in 0..random.whole(2..=6) {
        let mut rates = Vec::new();
        for _ in 0..random.whole(2..=16) {
            let range = if random.uniform() < 0.5 { 20..=300 } else { 300..=3000 };
            let cents = random.whole(range) as f64;
            let off = 10_f64.powi(-digits) * (2.0 * random.uniform() - 1.0);
            rates.push((units.len(), cents * 0.0137 * (1.0 + off)));
            units.push(Unit { card: units.len(), cards: 1, cents, watts: 700.0 });
        }
        let load = random.whole(1_000..=20_000) as f64 * 0.0137;
        needs.push(Need { rates, load });
    }
    document(&units, &needs, &Limits { unlimited: true, ..Limits::default() })
}

fn many_replicas(random: &mut Random) -> Value {
    let units = units(random, 8);
    let servers = random.whole(3..=10);
    let needs: Vec<Need> = (0..servers).map(|_| need(random, &units, 2..=8, 20..=500)).collect();
    let planted = planted(random, &needs);
    document(&units, &needs, &Limits::counts(&units, &planted, 1.0 + 0.1 * random.uniform()))
}

fn budgets(random: &mut Random) -> Value {
    let units = units(random, 12);
    let needs: Vec<Need> = (0..32).map(|_| need(random, &units, 3..=10, 2..=40)).collect();
    let planted = planted(random, &needs);
    let mut limits = Limits::counts(&units, &planted, 1.1 + 0.4 * random.uniform());
    let types: Vec<usize> = (0..limits.counts.len()).filter(|_| random.uniform() < 0.5).collect();
    let slack = 1.0 + 0.05 * random.uniform();
    let taken = |of: &dyn Fn(&Unit) -> f64| -> f64 {
        planted.iter().map(|&(a, n)| n as f64 * of(&units[a])).sum::<f64>() * slack
    };
    let cards = |unit: &Unit| if types.contains(&unit.card) { unit.cards as f64 } else { 0.0 };
    limits.budgets = Some((taken(&cards), taken(&|unit| unit.watts)));
    limits.types = types;
    document(&units, &needs, &limits)
}

fn many_limits(random: &mut Random) -> Value {
    let types = random.whole(6..=20);
    let units = units(random, types);
    let servers = random.whole(10..=40);
    let needs: Vec<Need> = (0..servers).map(|_| need(random, &units, 3..=12, 2..=20)).collect();
    let planted = planted(random, &needs);
    document(&units, &needs, &Limits::counts(&units, &planted, 1.0 + 0.05 * random.uniform()))
}

/// Accelerators over `types` types of card, half as many again as types: of 1, 2, 4 or 8 cards, prices
/// from 40 cents/h to 40 dollars/h.
fn units(random: &mut Random, types: u64) -> Vec<Unit> {
    let unit = |a: u64| {
        let card = if a < types { a } else { random.whole(0..=types - 1) };
        let cards = 1 << if a < types { 0 } else { random.whole(1..=3) };
        let cents = (40.0 * 100_f64.powf(random.uniform()) * 100.0).round() / 100.0;
        Unit {
            card: card as usize,
            cards,
            cents,
            watts: cards as f64 * (70.0 + 630.0 * random.uniform()),
        }
    };
    (0..types + types / 2).map(unit).collect()
}

/// A server on some of the accelerators, whose load is so many replicas of one of them.
fn need(
    random: &mut Random,
    units: &[Unit],
    options: RangeInclusive<u64>,
    replicas: RangeInclusive<u64>,
) -> Need {
    let mut rates: Vec<(usize, f64)> = Vec::new();
    let options = random.whole(options).min(units.len() as u64) as usize;
    while rates.len() < options {
        let a = random.whole(0..=units.len() as u64 - 1) as usize;
        if rates.iter().all(|rate| rate.0 != a) {
            // Better accelerators cost more, not quite in proportion.
            rates.push((a, units[a].cents.powf(0.9) * (0.35 * random.normal()).exp()));
        }
    }
    let load = rates[0].1 * (random.whole(replicas) as f64 - random.uniform());
    Need { rates, load }
}

/// A mix for each server that covers its load: accelerators and replicas.
fn planted(random: &mut Random, needs: &[Need]) -> Vec<(usize, u64)> {
    let mut planted = Vec::new();
    for need in needs {
        let mut left = need.load;
        while left > 0.0 {
            let (a, rate) = need.rates[random.whole(0..=need.rates.len() as u64 - 1) as usize];
            let replicas = random.whole(1..=(left / rate * USED).ceil() as u64);
            planted.push((a, replicas));
            left -= replicas as f64 * rate / USED;
        }
    }
    planted
}

/// A mix that is planted has so many times the replicas that its load asks of stations used to the last
/// request.
const USED: f64 = 1.05;

/// What there is.
#[derive(Default)]
struct Limits {
    unlimited: bool,
    /// Cards of each type.
    counts: Vec<u64>,
    /// A budget of cards of the `types`, and one of watts.
    budgets: Option<(f64, f64)>,
    types: Vec<usize>,
}

impl Limits {
    /// As many cards of each type as the planted mixes take, times a slack.
    fn counts(units: &[Unit], planted: &[(usize, u64)], slack: f64) -> Self {
        let mut counts = vec![0_u64; units.iter().map(|unit| unit.card + 1).max().unwrap_or(0)];
        for &(a, replicas) in planted {
            counts[units[a].card] += replicas * units[a].cards;
        }
        counts.iter_mut().for_each(|count| *count = (*count as f64 * slack).ceil() as u64);
        Self { counts, ..Self::default() }
    }
}

fn document(units: &[Unit], needs: &[Need], limits: &Limits) -> Value {
    let accelerator = |(a, unit): (usize, &Unit)| {
        json!({
            "name": format!("a{a}"), "type": format!("t{}", unit.card), "multiplicity": unit.cards,
            "cost": unit.cents, "memSize": 80, "memBW": 1000,
            "power": { "idle": 10, "full": unit.watts, "midPower": 60, "midUtil": 0.6 },
        })
    };
    let profile = |(s, &(a, rate)): (usize, &(usize, f64))| {
        json!({
            "name": format!("m{s}"), "acc": format!("a{a}"), "accCount": 1, "maxBatchSize": 1, "atTokens": 2,
            "decodeParms": { "alpha": 60_000.0 / rate, "beta": 0 },
        })
    };
    let server = |(s, need): (usize, &Need)| {
        json!({
            "name": format!("s{s}"), "model": format!("m{s}"), "class": "C",
            "currentAlloc": {
                "load": { "arrivalRate": need.load, "avgInTokens": 0, "avgOutTokens": 2 }
            },
        })
    };
    let targets: Vec<Value> =
        (0..needs.len()).map(|s| json!({ "model": format!("m{s}") })).collect();
    let profiles =
        needs.iter().enumerate().flat_map(|(s, n)| n.rates.iter().map(move |rate| (s, rate)));
    let count = |(t, count): (usize, &u64)| json!({ "type": format!("t{t}"), "count": count });
    json!({
        "acceleratorData": {
            "accelerators": units.iter().enumerate().map(accelerator).collect::<Vec<_>>()
        },
        "modelData": { "models": profiles.map(profile).collect::<Vec<_>>() },
        "serviceClassData": { "serviceClasses": [{ "name": "C", "priority": 1, "modelTargets": targets }] },
        "serverData": { "servers": needs.iter().enumerate().map(server).collect::<Vec<_>>() },
        "optimizerData": { "optimizer": optimizer(limits) },
        "capacityData": { "count": limits.counts.iter().enumerate().map(count).collect::<Vec<_>>() },
    })
}

fn optimizer(limits: &Limits) -> Value {
    let mut optimizer = json!({ "unlimited": limits.unlimited, "heterogeneous": true });
    if let Some((cards, watts)) = limits.budgets {
        let mut budgets = vec![json!({ "name": "power", "watts": watts.ceil() })];
        if !limits.types.is_empty() {
            let types: Vec<String> = limits.types.iter().map(|t| format!("t{t}")).collect();
            let cards = cards.ceil() as u64;
            budgets.push(json!({ "name": "purchase", "types": types, "cards": cards }));
        }
        optimizer["budgets"] = budgets.into();
    }
    optimizer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_read_and_follows_its_seed() {
        let sizing = SizingOptions::default();
        for family in Family::ALL {
            let scenario = |seed| Member { family, seed }.scenario(&sizing);
            assert_eq!(scenario(1), scenario(1), "{family:?}");
            assert_ne!(scenario(1), scenario(2), "{family:?}");
            (3..20).for_each(|seed| assert!(!scenario(seed).servers.is_empty()));
        }
    }
}
