//! What a limit stands for.

use isocost_model::Scenario;
pub use isocost_model::plan::Unit;
use serde::Serialize;

/// What a limit of a [`Problem`](isocost_formulations::Problem) counts, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Cards of a type, by its index.
    Cards(usize),
    /// Cards of all types of a budget, by its index.
    BudgetCards(usize),
    /// Watts of all types of a budget, by its index.
    BudgetWatts(usize),
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
}

impl Named {
    /// `3 A100`, `3 cards of budget north`, `2,000 W of budget north`.
    pub fn amount(&self, number: &str) -> String {
        match (&self.budget, self.unit) {
            (None, _) => format!("{number} {}", self.limit),
            (Some(budget), Unit::Cards) => format!("{number} cards of budget {budget}"),
            (Some(budget), Unit::Watts) => format!("{number} W of budget {budget}"),
        }
    }
}

impl Source {
    /// The limit by its name, which [`Problem::limits`](crate::Problem) has as `limit`.
    pub fn named(self, scenario: &Scenario, limit: &str) -> Named {
        let budget = match self {
            Self::Cards(_) => None,
            Self::BudgetCards(b) | Self::BudgetWatts(b) => Some(scenario.budgets[b].name.clone()),
        };
        Named { limit: limit.to_owned(), unit: self.unit(), budget }
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Self::Cards(_) | Self::BudgetCards(_) => Unit::Cards,
            Self::BudgetWatts(_) => Unit::Watts,
        }
    }

    /// Units in which more or less of it is thought of: one card, or a kilowatt.
    pub fn step(self) -> f64 {
        match self.unit() {
            Unit::Cards => 1.0,
            Unit::Watts => 1000.0,
        }
    }
}

/// Sources of the limits of `scenario`, in the order of [`Problem::limits`](isocost_formulations::Problem): card
/// types with a count, then budgets, cards before watts.
pub fn sources(scenario: &Scenario, unlimited: bool) -> Vec<Source> {
    if unlimited {
        return Vec::new();
    }
    let types = scenario.card_types.iter().enumerate();
    let cards = types.filter(|(_, card)| card.count.is_some()).map(|(t, _)| Source::Cards(t));
    let budgets = scenario.budgets.iter().enumerate().flat_map(|(b, budget)| {
        let cards = budget.cards.map(|_| Source::BudgetCards(b));
        let watts = budget.watts.map(|_| Source::BudgetWatts(b));
        [cards, watts].into_iter().flatten()
    });
    cards.chain(budgets).collect()
}
