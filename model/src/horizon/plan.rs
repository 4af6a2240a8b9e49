//! The plan for a horizon.

use crate::plan::{Plan, Status, relative_gap};

/// What is reserved, and for each period what is rented and where every server runs.
#[derive(Debug, Clone, PartialEq)]
pub struct HorizonPlan {
    /// What is known of it.
    pub status: Status,
    /// Units reserved of each pool, for all hours.
    pub reserved: Vec<u64>,
    /// Plans of the periods; empty without a plan.
    pub periods: Vec<PeriodPlan>,
    /// Cost of the whole horizon, cents; `inf` without a plan.
    pub cost: f64,
    /// Proven lower bound on the cost, cents; `-inf` if none.
    pub bound: f64,
    /// How it was found.
    pub formulation: String,
    /// Name of the backend.
    pub backend: String,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// One period of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodPlan {
    /// Where every server runs; its costs are those of the scenario's own prices.
    pub plan: Plan,
    /// By pool, what is in use and what is rented.
    pub rented: Vec<Rented>,
    /// Energy, where it has a price, cents per hour.
    pub running_cents_per_h: f64,
}

/// Units of a pool in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rented {
    /// In use.
    pub used: u64,
    /// Rented on demand.
    pub on_demand: u64,
    /// Rented on spot.
    pub spot: u64,
}

impl HorizonPlan {
    /// Relative gap between the cost and its bound.
    pub fn gap(&self) -> f64 {
        relative_gap(self.cost, self.bound)
    }

    /// Whether there is a plan to carry out.
    pub fn has_plan(&self) -> bool {
        matches!(self.status, Status::Optimal | Status::Feasible)
    }
}
