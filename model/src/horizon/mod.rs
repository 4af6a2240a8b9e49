//! Demand over time: loads by period, what cards cost reserved, on demand and on spot, and the plan
//! for all of it.
//!
//! A [`Profile`] cuts the horizon (a day, a week, or a few scenarios of demand) into [`Period`]s, each
//! with its hours and loads. Cards come from [`Pool`]s: a pool is what is reserved and rented as one
//! kind, a card type, a single accelerator, or a node where cards are paid by it. Reserved cards are paid for all hours, whether in use or
//! not; cards on demand and on spot only in the periods that they are rented for.

mod export;
mod plan;

pub use export::Export;
pub use plan::{HorizonPlan, PeriodPlan, Rented};

use crate::scenario::{Load, Scenario};

/// Loads over the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Periods, in the order of time.
    pub periods: Vec<Period>,
}

/// A span of time over which loads do not change.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// Name, unique, e.g. `14` or `peak`.
    pub name: String,
    /// Hours that it lasts within the horizon, above 0.
    pub hours: f64,
    /// Load of each server, in the order of [`Scenario::servers`].
    pub loads: Vec<Load>,
    /// Cards of each type that exist then, in the order of [`Scenario::card_types`]; `None` without
    /// a limit.
    pub counts: Vec<Option<u64>>,
}

impl Profile {
    /// Hours of all periods.
    pub fn hours(&self) -> f64 {
        self.periods.iter().map(|p| p.hours).sum()
    }

    /// The scenario with the loads and the cards of period `h`.
    pub fn scenario(&self, scenario: &Scenario, h: usize) -> Scenario {
        let mut at = scenario.clone();
        for (server, load) in at.servers.iter_mut().zip(&self.periods[h].loads) {
            server.load = *load;
        }
        for (card, count) in at.card_types.iter_mut().zip(&self.periods[h].counts) {
            card.count = *count;
        }
        at
    }

    /// One period as long as all of them, each server at the largest of its loads (by tokens a
    /// second, input and output) and each type at the fewest of its cards: what planning for the peak
    /// plans for.
    pub fn peak(&self) -> Self {
        let size = |l: &Load| l.arrival_rate_per_min * (l.input_tokens + l.output_tokens);
        let servers = self.periods.first().map_or(0, |p| p.loads.len());
        let largest = |s: usize| {
            let loads = self.periods.iter().map(move |p| p.loads[s]);
            loads.max_by(|a, b| size(a).total_cmp(&size(b)))
        };
        let loads = (0..servers).filter_map(largest).collect();
        let types = self.periods.first().map_or(0, |p| p.counts.len());
        let fewest = |t: usize| self.periods.iter().filter_map(|p| p.counts[t]).min();
        let counts = (0..types).map(fewest).collect();
        let (name, hours) = ("peak".to_owned(), self.hours());
        Self { periods: vec![Period { name, hours, loads, counts }] }
    }
}

/// What cards cost, by pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// Pools; every accelerator belongs to exactly one.
    pub pools: Vec<Pool>,
}

/// What is reserved and rented as one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// What one unit of it is.
    pub unit: Unit,
    /// Price of a reserved unit, cents per hour of the horizon; `None` where none can be reserved.
    pub reserved: Option<f64>,
    /// Price of a unit on demand, cents per hour; `None` where none can be rented.
    pub on_demand: Option<f64>,
    /// Spot units, where there are any.
    pub spot: Option<Spot>,
}

/// What one unit of a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A card of a type: index into [`Scenario::card_types`].
    Card(usize),
    /// An accelerator: index into [`Scenario::accelerators`].
    Accelerator(usize),
    /// A node with all its cards: index into [`Scenario::nodes`].
    Node(usize),
}

/// Units on spot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Price, cents per hour.
    pub price: f64,
    /// Most units at a time.
    pub most: Option<u64>,
    /// Share of its time that a unit is there, in (0, 1]: an hour of work takes `1 / availability`
    /// hours of it. Interruptions cost money here; what they do to latency is not told.
    pub availability: f64,
}

impl Spot {
    /// Price of an hour of work, cents.
    pub fn cost(&self) -> f64 {
        self.price / self.availability
    }
}

impl Pool {
    /// Its name in reports.
    pub fn name<'a>(&self, scenario: &'a Scenario) -> &'a str {
        match self.unit {
            Unit::Card(t) => &scenario.card_types[t].name,
            Unit::Accelerator(a) => &scenario.accelerators[a].name,
            Unit::Node(k) => &scenario.nodes[k].name,
        }
    }

    /// Its card type.
    pub fn card_type(&self, scenario: &Scenario) -> usize {
        match self.unit {
            Unit::Card(t) => t,
            Unit::Accelerator(a) => scenario.accelerators[a].card_type,
            Unit::Node(k) => scenario.nodes[k].cards[0].0,
        }
    }

    /// Cards in a unit.
    pub fn cards(&self, scenario: &Scenario) -> u64 {
        match self.unit {
            Unit::Card(_) => 1,
            Unit::Accelerator(a) => u64::from(scenario.accelerators[a].multiplicity),
            Unit::Node(k) => u64::from(scenario.nodes[k].cards[0].1),
        }
    }

    /// Whether units of accelerator `a` are taken from it.
    pub fn holds(&self, scenario: &Scenario, a: usize) -> bool {
        match self.unit {
            Unit::Accelerator(own) => own == a,
            Unit::Card(_) | Unit::Node(_) => {
                scenario.accelerators[a].card_type == self.card_type(scenario)
            }
        }
    }
}

/// Ratios to the scenario's own prices, where no price list is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratios {
    /// Reserved price over the price on demand; `None` where nothing is reserved.
    pub reserved: Option<f64>,
    /// Whether units may be rented on demand.
    pub on_demand: bool,
    /// Spot price over the price on demand; `None` without spot.
    pub spot: Option<f64>,
    /// Most spot units, as a share of the cards of the type that exist.
    pub spot_share: f64,
    /// Share of its time that a spot unit is there.
    pub spot_availability: f64,
}

impl Prices {
    /// Prices by `ratios` to those of `scenario`: by the node where it is paid, else by card type where a
    /// card of each type costs the same in every accelerator, else by accelerator.
    pub fn by_ratios(scenario: &Scenario, ratios: &Ratios) -> Self {
        let by_node = scenario.nodes.iter().enumerate();
        let by_node =
            by_node.filter_map(|(k, node)| Some((Unit::Node(k), node.price_cents_per_h?)));
        let by_type: Option<Vec<(Unit, f64)>> = (0..scenario.card_types.len())
            .filter(|&t| !scenario.is_paid_by_node(t))
            .filter_map(|t| card_price(scenario, t).map(|p| p.map(|p| (Unit::Card(t), p))))
            .collect();
        let by_accelerator = || {
            let all = scenario.accelerators.iter().enumerate();
            let all = all.filter(|(_, unit)| !scenario.is_paid_by_node(unit.card_type));
            all.map(|(a, unit)| (Unit::Accelerator(a), unit.cost_cents_per_h)).collect()
        };
        let pool = |(unit, price): (Unit, f64)| {
            let mut pool = Pool { unit, reserved: None, on_demand: Some(price), spot: None };
            pool.reserved = ratios.reserved.map(|r| r * price);
            if !ratios.on_demand {
                pool.on_demand = None;
            }
            let exist = scenario.card_types[pool.card_type(scenario)].available();
            let share =
                |cards: u64| (cards as f64 * ratios.spot_share) as u64 / pool.cards(scenario);
            pool.spot = ratios.spot.map(|r| Spot {
                price: r * price,
                most: exist.map(share),
                availability: ratios.spot_availability,
            });
            pool
        };
        let others = by_type.unwrap_or_else(by_accelerator);
        Self { pools: others.into_iter().chain(by_node).map(pool).collect() }
    }
}

/// Price of a card of type `t`, cents per hour; `Some(None)` where it depends on the accelerator that
/// it is in, `None` where no accelerator has such cards.
pub fn card_price(scenario: &Scenario, t: usize) -> Option<Option<f64>> {
    let of_type = scenario.accelerators.iter().filter(|a| a.card_type == t);
    let mut prices = of_type.map(|a| a.cost_cents_per_h / f64::from(a.multiplicity));
    let first = prices.next()?;
    Some(prices.all(|p| (p - first).abs() <= 1e-9 * first.abs()).then_some(first))
}
