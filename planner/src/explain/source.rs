//! What a limit stands for.

use isocost_formulations::Problem;
use isocost_model::Scenario;
pub use isocost_model::plan::Unit;
use serde::Serialize;

/// What a limit of a [`Problem`] counts, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Cards of a type, by its index.
    Cards(usize),
    /// What all types of a budget take, by its index.
    Budget(usize, Unit),
    /// What nodes hold, by the weights of replicas that the limit's name has.
    Face,
}

/// A limit by its name and what it counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// The limit's name, e.g. `A100` or `north (watts)`.
    pub limit: String,
    /// What it counts.
    pub unit: Unit,
    /// The budget that it belongs to, if it does not count the cards of one type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// Whether it counts replicas in nodes, by the weights in its name.
    #[serde(skip)]
    pub is_face: bool,
}

impl Named {
    /// `3 A100`, `3 cards of budget north`, `2,000 W of budget north`.
    pub fn amount(&self, number: &str) -> String {
        match (&self.budget, self.unit) {
            (None, _) if self.is_face => {
                let (card, weights) =
                    self.limit.rsplit_once(" nodes ").unwrap_or((&self.limit, ""));
                let each = weights.split(',').filter_map(|word| word.split_once(':'));
                let each: Vec<String> = each
                    .map(|(cards, weight)| format!("of {cards} cards counts {weight}"))
                    .collect();
                format!("{number} in the nodes of {card}, where a replica {}", each.join(", "))
            }
            (None, _) => format!("{number} {}", self.limit),
            (Some(budget), Unit::Cards) => format!("{number} cards of budget {budget}"),
            (Some(budget), Unit::Watts) => format!("{number} W of budget {budget}"),
            (Some(budget), unit) => format!("{number} {} of budget {budget}", unit.word()),
        }
    }
}

impl Source {
    /// The limit by its name, which [`Problem::limits`](crate::Problem) has as `limit`.
    pub fn named(self, scenario: &Scenario, limit: &str) -> Named {
        let budget = match self {
            Self::Cards(_) | Self::Face => None,
            Self::Budget(b, _) => Some(scenario.budgets[b].name.clone()),
        };
        let is_face = self == Self::Face;
        Named { limit: limit.to_owned(), unit: self.unit(), budget, is_face }
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Self::Cards(_) | Self::Face => Unit::Cards,
            Self::Budget(_, unit) => unit,
        }
    }

    /// Units in which more or less of it is thought of: one card, a kilowatt, a hundred cents/h, a
    /// kilogram/h.
    pub fn step(self) -> f64 {
        match self.unit() {
            Unit::Cards => 1.0,
            Unit::Watts | Unit::Grams => 1000.0,
            Unit::Cents => 100.0,
        }
    }
}

/// Sources of the limits of `problem`, made from `scenario`, in their order: card types with a count, then
/// budgets, then what nodes hold.
pub fn sources(scenario: &Scenario, problem: &Problem, unlimited: bool) -> Vec<Source> {
    let types = scenario.card_types.iter().enumerate().filter(|_| !unlimited);
    let cards = types.filter(|(_, card)| card.count.is_some()).map(|(t, _)| Source::Cards(t));
    let budgets = scenario.budgets.iter().enumerate().flat_map(|(b, budget)| {
        budget.limits(unlimited).map(move |(unit, _)| Source::Budget(b, unit))
    });
    cards.chain(budgets).chain(std::iter::repeat(Source::Face)).take(problem.limits.len()).collect()
}
