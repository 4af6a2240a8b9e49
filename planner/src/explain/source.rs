//! What a limit stands for.

use isocost_model::Scenario;
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

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Cards.
    Cards,
    /// Watts.
    Watts,
}

impl Source {
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
