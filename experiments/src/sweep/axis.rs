//! Axes: what a sweep changes in a scenario, by name.
//!
//! ```text
//! load[:SERVER|CLASS|MODEL]     factor of the arrival rates
//! input-tokens, output-tokens, each also :SERVER|CLASS|MODEL    mean tokens of prompts, of answers
//! capacity[:TYPE]               factor of the card counts, rounded down
//! cards:TYPE                    card count
//! price[:ACCELERATOR]           factor of the prices
//! card-price:TYPE               factor of the prices of every accelerator of a card type
//! itl[:CLASS] ttft[:CLASS] tps[:CLASS]    factor of the objectives
//! percentile[:CLASS], itl-percentile[:CLASS], ttft-percentile[:CLASS]    percentile, or `mean`
//! batch                         `best` or `max`
//! batch-tolerance               share of the best rate that may be given up
//! energy-price                  cents per kWh
//! formulation                   auto, single, mixed, compact, greedy
//! ```

use isocost_model::Scenario;
use isocost_model::candidates::BatchChoice;
use isocost_model::input::known_names;
use isocost_model::queue::Objectives;

use super::Setting;
use super::problem::AxisError;
use super::value::{Domain, Value};

/// What an axis changes; indices point into the scenario.
#[derive(Debug, Clone, PartialEq)]
pub enum Lever {
    /// Arrival rates of some servers.
    Load(Vec<usize>),
    /// Mean tokens of the prompts of some servers.
    InputTokens(Vec<usize>),
    /// Mean tokens of the answers of some servers.
    OutputTokens(Vec<usize>),
    /// Counts of some card types, by a factor.
    Capacity(Vec<usize>),
    /// The count of a card type.
    Cards(usize),
    /// Prices of some accelerators.
    Price(Vec<usize>),
    /// A limit in the objectives of some classes.
    Limit(Limit, Vec<usize>),
    /// The percentile of (ITL, TTFT) objectives of some classes.
    Percentile([bool; 2], Vec<usize>),
    /// How the batch size is chosen.
    Batch,
    /// The share of the best rate that may be given up.
    BatchTolerance,
    /// The price of energy.
    EnergyPrice,
    /// How the problem is stated.
    Formulation,
}

/// An objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Inter-token latency.
    Itl,
    /// Time to first token.
    Ttft,
    /// Tokens per second.
    Tps,
}

/// An axis of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// As it was named, e.g. `capacity:A100`.
    pub name: String,
    /// What it changes.
    pub lever: Lever,
    /// What values it takes.
    pub domain: Domain,
}

/// Names of the axes.
pub const AXES: [&str; 17] = [
    "load",
    "input-tokens",
    "output-tokens",
    "capacity",
    "cards",
    "price",
    "card-price",
    "itl",
    "ttft",
    "tps",
    "percentile",
    "itl-percentile",
    "ttft-percentile",
    "batch",
    "batch-tolerance",
    "energy-price",
    "formulation",
];

impl Axis {
    /// Reads the name of an axis and finds what it changes.
    ///
    /// # Errors
    /// An unknown name, or an axis that changes nothing.
    pub fn new(text: &str, base: &Setting) -> Result<Self, AxisError> {
        let (axis, name) = match text.split_once(':') {
            Some((axis, name)) => (axis.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        let axis = axis.to_ascii_lowercase();
        let (lever, domain) = lever(&axis, name, &base.scenario)?;
        let name = name.map_or(axis.clone(), |name| format!("{axis}:{name}"));
        match no_effect(&lever, base) {
            Some(why) => Err(AxisError::NoEffect { axis: name, why }),
            None => Ok(Self { name, lever, domain }),
        }
    }

    /// Whether it is one of the servers' loads.
    pub fn is_load(&self) -> bool {
        matches!(self.lever, Lever::Load(_))
    }

    /// Whether it is a factor of an objective.
    pub fn is_objective(&self) -> bool {
        matches!(self.lever, Lever::Limit(..))
    }

    /// Changes `setting` to `value`.
    pub fn apply(&self, value: Value, setting: &mut Setting) {
        let scenario = &mut setting.scenario;
        let number = value.number().unwrap_or(1.0);
        match &self.lever {
            Lever::Load(servers) => {
                servers.iter().for_each(|&s| {
                    scenario.servers[s].load.arrival_rate_per_min *= number;
                });
            }
            Lever::InputTokens(servers) => {
                servers.iter().for_each(|&s| scenario.servers[s].load.input_tokens = number);
            }
            Lever::OutputTokens(servers) => {
                servers.iter().for_each(|&s| scenario.servers[s].load.output_tokens = number);
            }
            Lever::Capacity(types) => {
                types.iter().for_each(|&t| scenario.card_types[t].scale(number));
            }
            Lever::Cards(card) => scenario.card_types[*card].count = Some(number as u64),
            Lever::Price(accelerators) => accelerators.iter().for_each(|&a| {
                scenario.accelerators[a].cost_cents_per_h *= number;
            }),
            Lever::Limit(limit, classes) => objectives(scenario, classes, |o| match limit {
                Limit::Itl => o.itl.iter_mut().for_each(|o| o.limit_ms *= number),
                Limit::Ttft => o.ttft.iter_mut().for_each(|o| o.limit_ms *= number),
                Limit::Tps => o.tokens_per_s.iter_mut().for_each(|tps| tps.per_s *= number),
            }),
            Lever::Percentile([itl, ttft], classes) => objectives(scenario, classes, |o| {
                if *itl {
                    o.itl.iter_mut().for_each(|o| o.percentile = value.number());
                    o.tokens_per_s.iter_mut().for_each(|o| o.percentile = value.number());
                }
                o.ttft.iter_mut().filter(|_| *ttft).for_each(|o| o.percentile = value.number());
                o.wait
                    .iter_mut()
                    .filter(|_| *itl && *ttft)
                    .for_each(|o| o.percentile = value.number());
            }),
            Lever::Batch => {
                let tolerance = setting.batch_tolerance;
                setting.sizing.batch = match value {
                    Value::Largest(true) => BatchChoice::Max,
                    _ => BatchChoice::Least { tolerance },
                };
            }
            Lever::BatchTolerance => {
                setting.batch_tolerance = number;
                if let BatchChoice::Least { tolerance } = &mut setting.sizing.batch {
                    *tolerance = number;
                }
            }
            Lever::EnergyPrice => setting.sizing.energy_cents_per_kwh = number,
            Lever::Formulation => {
                if let Value::Formulation(chosen) = value {
                    setting.request.formulation = chosen;
                }
            }
        }
    }
}

fn lever(
    axis: &str,
    name: Option<&str>,
    scenario: &Scenario,
) -> Result<(Lever, Domain), AxisError> {
    let classes = || some(name, "class", scenario.classes.iter().map(|c| c.name.as_str()));
    let types = || some(name, "card type", scenario.card_types.iter().map(|c| c.name.as_str()));
    let needed = |kind: &'static str| match name {
        Some(_) => Ok(()),
        None => Err(AxisError::NeedsName { axis: axis.to_owned(), kind }),
    };
    let nameless = |lever: Lever| match name {
        None => Ok(lever),
        Some(name) => Err(AxisError::NoName { axis: axis.to_owned(), name: name.to_owned() }),
    };
    Ok(match axis {
        "load" => (Lever::Load(servers(name, scenario)?), Domain::Factor),
        "input-tokens" => (Lever::InputTokens(servers(name, scenario)?), Domain::Tokens),
        "output-tokens" => (Lever::OutputTokens(servers(name, scenario)?), Domain::Tokens),
        "capacity" => (Lever::Capacity(types()?), Domain::Factor),
        "cards" => {
            needed("card type")?;
            (Lever::Cards(types()?[0]), Domain::Count)
        }
        "price" => {
            let names = scenario.accelerators.iter().map(|a| a.name.as_str());
            (Lever::Price(some(name, "accelerator", names)?), Domain::Factor)
        }
        "card-price" => {
            needed("card type")?;
            let card = types()?[0];
            let of_card = |a: &usize| scenario.accelerators[*a].card_type == card;
            let accelerators = (0..scenario.accelerators.len()).filter(of_card).collect();
            (Lever::Price(accelerators), Domain::Factor)
        }
        "itl" => (Lever::Limit(Limit::Itl, classes()?), Domain::PositiveFactor),
        "ttft" => (Lever::Limit(Limit::Ttft, classes()?), Domain::PositiveFactor),
        "tps" => (Lever::Limit(Limit::Tps, classes()?), Domain::PositiveFactor),
        "percentile" => (Lever::Percentile([true, true], classes()?), Domain::Percentile),
        "itl-percentile" => (Lever::Percentile([true, false], classes()?), Domain::Percentile),
        "ttft-percentile" => (Lever::Percentile([false, true], classes()?), Domain::Percentile),
        "batch" => (nameless(Lever::Batch)?, Domain::Batch),
        "batch-tolerance" => (nameless(Lever::BatchTolerance)?, Domain::Share),
        "energy-price" => (nameless(Lever::EnergyPrice)?, Domain::Amount),
        "formulation" => (nameless(Lever::Formulation)?, Domain::Formulation),
        _ => {
            let known = known_names(axis, AXES.into_iter());
            return Err(AxisError::Axis { axis: axis.to_owned(), known });
        }
    })
}

/// Indices of all entities, or of the one called `name`.
fn some<'a>(
    name: Option<&str>,
    kind: &'static str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<usize>, AxisError> {
    let Some(name) = name else { return Ok((0..names.count()).collect()) };
    match names.clone().position(|n| n.eq_ignore_ascii_case(name)) {
        Some(index) => Ok(vec![index]),
        None => {
            let known = known_names(name, names);
            Err(AxisError::Name { kind, name: name.to_owned(), known })
        }
    }
}

/// All servers, one of them, or those of a class or model.
fn servers(name: Option<&str>, scenario: &Scenario) -> Result<Vec<usize>, AxisError> {
    let Some(name) = name else { return Ok((0..scenario.servers.len()).collect()) };
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    if let Some(s) = scenario.servers.iter().position(|s| is(&s.name)) {
        return Ok(vec![s]);
    }
    let class = scenario.classes.iter().position(|c| is(&c.name));
    let model = scenario.models.iter().position(|m| is(m));
    let of_it = |s: &usize| match class {
        Some(class) => scenario.servers[*s].class == class,
        None => Some(scenario.servers[*s].model) == model,
    };
    let servers: Vec<usize> = (0..scenario.servers.len()).filter(of_it).collect();
    if !servers.is_empty() {
        return Ok(servers);
    }
    let classes = scenario.classes.iter().map(|c| c.name.as_str());
    let models = scenario.models.iter().map(String::as_str);
    let names = scenario.servers.iter().map(|s| s.name.as_str());
    let known = known_names(name, classes.chain(models).chain(names));
    Err(AxisError::Name { kind: "server, class or model", name: name.to_owned(), known })
}

/// Changes the objectives of some classes.
fn objectives(scenario: &mut Scenario, classes: &[usize], change: impl Fn(&mut Objectives)) {
    for &class in classes {
        scenario.classes[class].targets.iter_mut().flatten().for_each(&change);
    }
}

/// Why a lever changes nothing, if so.
fn no_effect(lever: &Lever, base: &Setting) -> Option<&'static str> {
    let scenario = &base.scenario;
    let none_has = |classes: &[usize], has: &dyn Fn(&Objectives) -> bool| {
        !classes.iter().any(|&c| scenario.classes[c].targets.iter().flatten().any(has))
    };
    match lever {
        Lever::Capacity(_) | Lever::Cards(_) if base.request.problem.unlimited => Some(
            "the run ignores card counts; leave out --unlimited, or `unlimited` in the scenario",
        ),
        Lever::Capacity(types) if types.iter().all(|&t| scenario.card_types[t].count.is_none()) => {
            Some("the scenario states no count; give one in capacity-data, or vary cards:TYPE")
        }
        Lever::Limit(limit, classes) => {
            let has = |o: &Objectives| match limit {
                Limit::Itl => o.itl.is_some(),
                Limit::Ttft => o.ttft.is_some(),
                Limit::Tps => o.tokens_per_s.is_some(),
            };
            none_has(classes, &has).then_some("no target sets this objective; add it to the class")
        }
        Lever::Percentile([itl, ttft], classes) => {
            let has = |o: &Objectives| (*itl && o.itl.is_some()) || (*ttft && o.ttft.is_some());
            none_has(classes, &has).then_some("no target sets this objective; add it to the class")
        }
        _ => None,
    }
}
