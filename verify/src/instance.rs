//! The numbers of a scenario that a proof speaks of.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidate, Candidates};
use isocost_model::scenario::{CardType, NodeType, Unit};

use crate::nodes::Kind;

/// What the plan was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// A server runs on one accelerator alone.
    pub single: bool,
    /// Card counts and budgets are left out.
    pub unlimited: bool,
    /// The change's value is what costs.
    pub transition: bool,
    /// Servers that may change their accelerator.
    pub max_moves: Option<u64>,
}

/// Servers, what they choose from, and limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// What was asked.
    pub asked: Asked,
    /// (name, how much there is) in cards, watts, money, carbon or moves.
    pub limits: Vec<(String, f64)>,
    /// By name.
    pub servers: Vec<Server>,
    /// Kinds of node in which cards come.
    pub kinds: Vec<Kind>,
    /// Names of card types.
    pub card_types: Vec<String>,
}

/// A server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Requests/s.
    pub demand: f64,
    /// Fewest replicas.
    pub min_replicas: u64,
    /// Most replicas.
    pub max_replicas: Option<u64>,
    /// Fewest card types.
    pub min_types: u64,
    /// Accelerator that it runs on now, and what that costs, cents/h.
    pub current: Option<(String, f64)>,
    /// What it chooses from.
    pub items: Vec<Item>,
}

/// One replica of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Accelerator.
    pub name: String,
    /// Requests/s.
    pub rate: f64,
    /// Cents/h.
    pub cost: f64,
    /// (index of limit, how much of it).
    pub uses: Vec<(usize, f64)>,
    /// Cards.
    pub cards: u64,
    /// Card type.
    pub card_type: usize,
}

impl Server {
    /// Whether it needs no replica.
    pub fn is_idle(&self) -> bool {
        self.demand <= 0.0 && self.min_replicas == 0
    }

    /// Index of the item that it runs on now.
    pub fn now(&self) -> Option<usize> {
        let (name, _) = self.current.as_ref()?;
        self.items.iter().position(|item| item.name == *name)
    }
}

impl Instance {
    /// Those of `scenario`, sized as `candidates`.
    pub fn new(scenario: &Scenario, candidates: &Candidates, asked: Asked) -> Self {
        let mut limits: Vec<(String, f64)> = Vec::new();
        // By limit: the card types that it counts, and what of them.
        let mut counts: Vec<(Vec<usize>, Unit)> = Vec::new();
        let bound = |card: &CardType| card.available().filter(|_| !asked.unlimited);
        for (t, card) in scenario.card_types.iter().enumerate() {
            if let Some(there) = bound(card) {
                limits.push((card.name.clone(), there as f64));
                counts.push((vec![t], Unit::Cards));
            }
        }
        for budget in &scenario.budgets {
            let all: Vec<usize> = (0..scenario.card_types.len()).collect();
            let types = if budget.card_types.is_empty() { all } else { budget.card_types.clone() };
            for (unit, most) in budget.limits(asked.unlimited) {
                limits.push((format!("{} ({})", budget.name, unit.word()), most));
                counts.push((types.clone(), unit));
            }
        }
        let item = |c: &Candidate| {
            let taken =
                counts.iter().enumerate().filter(|(_, (types, _))| types.contains(&c.card_type));
            let accelerator = &scenario.accelerators[c.accelerator];
            let amount = |unit: Unit| match unit {
                Unit::Cards => c.cards as f64,
                Unit::Watts => c.full_watts,
                Unit::Cents => c.cost_cents_per_h,
                Unit::Grams => accelerator.grams_per_h(c.full_watts),
            };
            Item {
                name: accelerator.name.clone(),
                rate: c.rate_per_s,
                cost: c.cost_cents_per_h,
                uses: taken
                    .map(|(k, (_, unit))| (k, amount(*unit)))
                    .filter(|u| u.1 > 0.0)
                    .collect(),
                cards: c.cards,
                card_type: c.card_type,
            }
        };
        let charged = asked.transition || asked.max_moves.is_some();
        let servers = scenario.servers.iter().enumerate().map(|(s, server)| Server {
            name: server.name.clone(),
            demand: candidates.demands[s].rate_per_s,
            min_replicas: u64::from(server.min_replicas),
            max_replicas: server.max_replicas.map(u64::from),
            min_types: u64::from(server.min_types),
            current: server.current.as_ref().filter(|_| charged).map(|c| {
                // Who runs on several accelerators at once runs on none.
                let on = scenario.accelerators.get(c.accelerator);
                (on.map_or_else(String::new, |on| on.name.clone()), c.cost_cents_per_h)
            }),
            items: candidates.options(s).iter().map(item).collect(),
        });
        let servers = servers.collect();
        limits.extend(asked.max_moves.map(|most| ("moves".to_owned(), most as f64)));
        let money = |node: &NodeType| -> Vec<usize> {
            let counted = |(types, unit): &(Vec<usize>, Unit)| {
                *unit == Unit::Cents && node.cards.iter().any(|c| types.contains(&c.0))
            };
            (0..counts.len()).filter(|&k| counted(&counts[k])).collect()
        };
        let kind = |node: &NodeType| Kind {
            name: node.name.clone(),
            cards: node.cards.iter().map(|&(t, n)| (t, u64::from(n))).collect(),
            price: node.price_cents_per_h,
            spends: money(node),
            there: node.count.filter(|_| !asked.unlimited).map(|n| n.saturating_sub(node.spare)),
            cuts: node
                .geometries
                .iter()
                .map(|cut| cut.iter().map(|&g| g.into()).collect())
                .collect(),
        };
        let kinds = scenario.nodes.iter().map(kind).collect();
        let card_types = scenario.card_types.iter().map(|card| card.name.clone()).collect();
        Self { asked, limits, servers, kinds, card_types }
    }
}
