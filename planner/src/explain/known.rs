//! A number as far as it was proven.

use isocost_model::plan::{Choice, Status};
use serde::Serialize;

use isocost_formulations::feasibility::Given;

/// What is known of a quantity that a solve decides.
///
/// As JSON: `{"known": "exact", "value": 12.5}`, `{"known": "between", "atLeast": 3, "atMost": null}`
/// (`null` where that side is open), `{"known": "infeasible"}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "known", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Known {
    /// Proven, to the relative gap that was asked of the solves.
    Exact {
        /// The number.
        value: f64,
    },
    /// Proven to lie between the two.
    Between {
        /// Not less than this; may be `-inf`.
        at_least: f64,
        /// Not more than this; may be `inf`.
        at_most: f64,
    },
    /// Proven that there is no such plan.
    Infeasible,
}

impl Known {
    /// Exactly `value`.
    pub fn exact(value: f64) -> Self {
        Self::Exact { value }
    }

    /// Nothing is known below `at_most`, or above `at_least`.
    pub fn between(at_least: f64, at_most: f64) -> Self {
        if at_least == f64::INFINITY {
            Self::Infeasible
        } else if at_least == at_most {
            Self::Exact { value: at_least }
        } else {
            Self::Between { at_least, at_most }
        }
    }

    /// The objective of the cheapest plan, as far as `choice` proves it.
    pub fn objective(choice: &Choice) -> Self {
        match choice.status {
            Status::Optimal => Self::exact(choice.objective),
            Status::Infeasible => Self::Infeasible,
            Status::Feasible | Status::Unknown => Self::between(choice.bound, choice.objective),
        }
    }

    /// The least price of what has to give for all servers to fit.
    pub fn price(given: &Given) -> Self {
        Self::between(given.at_least, given.price)
    }

    /// Proven lower end; `inf` where there is no plan.
    pub fn at_least(&self) -> f64 {
        match *self {
            Self::Exact { value } => value,
            Self::Between { at_least, .. } => at_least,
            Self::Infeasible => f64::INFINITY,
        }
    }

    /// Proven upper end; `inf` where there is no plan, or none is known.
    pub fn at_most(&self) -> f64 {
        match *self {
            Self::Exact { value } => value,
            Self::Between { at_most, .. } => at_most,
            Self::Infeasible => f64::INFINITY,
        }
    }

    /// Its value, where it is exact.
    pub fn value(&self) -> Option<f64> {
        match *self {
            Self::Exact { value } => Some(value),
            _ => None,
        }
    }

    /// Whether nothing is left open.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Between { .. })
    }

    /// This less `other`, of two quantities the first of which is never below the second; rounding
    /// of equal ones is taken off.
    pub(crate) fn above(&self, other: &Self) -> Self {
        if matches!(self, Self::Infeasible) {
            return Self::Infeasible;
        }
        let clean = |x: f64, scale: f64| if x.abs() <= 1e-9 * scale.abs() { 0.0 } else { x };
        let low = clean(self.at_least() - other.at_most(), other.at_most());
        let high = clean(self.at_most() - other.at_least(), other.at_least());
        match (self.value(), other.value()) {
            (Some(_), Some(_)) => Self::exact(high.max(0.0)),
            _ => Self::between(if low > 0.0 { low } else { 0.0 }, high.max(0.0)),
        }
    }
}
