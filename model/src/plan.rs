//! The plan: what a formulation chose, with what the queueing model predicts for it.

mod made;

use std::fmt;
use std::slice;

use crate::disaggregation::Role;
use crate::nodes::{self, Filled, NodeUse};
use crate::queue::Analysis;
pub use crate::scenario::Unit;
use crate::scenario::{Scenario, Server};
use crate::stress::FirstBreak;
use crate::trust::CostRange;

/// What a formulation hands over: for each server the candidates chosen, and what was proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What was proven.
    pub status: Status,
    /// For each server, (index into its candidates, replicas); empty where it gets none.
    pub shares: Vec<Vec<(usize, u64)>>,
    /// The nodes that hold the replicas, where cards come in nodes.
    pub nodes: Vec<Filled>,
    /// Value of the objective at `shares`, cents per hour.
    pub objective: f64,
    /// Proven lower bound on the objective, cents per hour; `-inf` if none.
    pub bound: f64,
    /// How it was made.
    pub approach: Approach,
    /// Name of the backend.
    pub backend: String,
    /// Remarks on the way to it, for the user.
    pub notes: Vec<String>,
}

/// Which mixes of replicas a server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// All replicas on one accelerator.
    Single,
    /// Any mix.
    Mixed,
}

impl Shape {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Mixed => "mixed",
        }
    }
}

/// How a choice is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// By whole replica mixes of each server: column generation and a proof.
    #[default]
    Patterns,
    /// By a program over replicas, put to the backend as it stands.
    Compact,
    /// By the heuristic, which proves nothing.
    Greedy,
    /// It was given: read from a file.
    Given,
}

/// How a choice was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Approach {
    /// Which mixes servers may have.
    pub shape: Shape,
    /// How it was found.
    pub method: Method,
    /// Whether not every server could be served in full, and it shares what there is.
    pub shortage: bool,
}

impl Approach {
    /// A choice that serves every server.
    pub fn new(shape: Shape, method: Method) -> Self {
        Self { shape, method, shortage: false }
    }

    /// A choice that shares what there is.
    pub fn shortage(shape: Shape, method: Method) -> Self {
        Self { shape, method, shortage: true }
    }
}

impl Approach {
    /// What was asked, in a word.
    pub fn stated(&self) -> &'static str {
        if self.shortage { "shortage" } else { self.shape.word() }
    }

    /// The same with how a choice of that status came about: `mixed, proven by column generation`.
    pub fn of(&self, status: Status) -> String {
        let is_proven = matches!(status, Status::Optimal | Status::Infeasible);
        match self.method {
            Method::Patterns if is_proven => {
                format!("{}, proven by column generation", self.stated())
            }
            Method::Compact if is_proven => {
                format!("{}, proven by branch and bound", self.stated())
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = self.stated();
        match self.method {
            Method::Patterns => write!(f, "{stated}, by column generation"),
            Method::Compact => f.write_str(stated),
            Method::Greedy => f.write_str("greedy"),
            Method::Given => f.write_str("saved"),
        }
    }
}

/// What is known of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No cheaper plan exists: the gap is at most [`OPTIMAL_GAP`].
    Optimal,
    /// A plan that keeps every limit; a cheaper one may exist.
    Feasible,
    /// No plan serves every server within the limits.
    Infeasible,
    /// Stopped before a plan was found or excluded.
    Unknown,
}

impl Status {
    /// The word that plans carry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::Feasible => "feasible",
            Self::Infeasible => "infeasible",
            Self::Unknown => "unknown",
        }
    }
}

/// Largest relative gap at which a plan is called optimal.
pub const OPTIMAL_GAP: f64 = 1e-6;

/// Costs closer than this, cents/h, are the same: no price is as fine.
const LEAST_COST: f64 = 1e-9;

/// Relative gap between a cost and a bound, `(cost - bound) / |cost|`, at least 0.
pub fn relative_gap(cost: f64, bound: f64) -> f64 {
    if cost <= bound + LEAST_COST {
        0.0
    } else if bound.is_finite() && cost != 0.0 {
        (cost - bound) / cost.abs()
    } else {
        f64::INFINITY
    }
}

/// A plan: where every server runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is known of it.
    pub status: Status,
    /// One entry a server, in the order of [`Scenario::servers`].
    pub placements: Vec<Placement>,
    /// The nodes that hold the replicas, where cards come in nodes.
    pub nodes: Vec<Filled>,
    /// Cards used of each type, in the order of [`Scenario::card_types`].
    pub usage: Vec<Usage>,
    /// Whether it was made for any number of cards and nodes.
    pub is_unlimited: bool,
    /// Limits of budgets that bind, cards before watts before money before carbon, in the order of
    /// [`Scenario::budgets`].
    pub budgets: Vec<BudgetUse>,
    /// Sum of the parts' costs, cents per hour.
    pub total_cost: f64,
    /// What was minimised, cents per hour: the cost, or the change's value.
    pub objective: f64,
    /// Proven lower bound on the objective, cents per hour; `-inf` if none.
    pub bound: f64,
    /// How it was made.
    pub approach: Approach,
    /// Name of the backend.
    pub backend: String,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// What planning costs at the ends of the calibration's region, where that was asked.
    pub cost_range: Option<CostRange>,
    /// Who shares replicas, where somebody may.
    pub sharing: Option<Sharing>,
}

/// Servers as they are stated, each with the share of its load that is served: those who share replicas alike, one with
/// pools as the pool does that serves less. `share` is that of a server of the scenario by its index.
pub fn served_shares(scenario: &Scenario, share: impl Fn(usize) -> f64) -> Vec<(&Server, f64)> {
    let servers = &scenario.servers;
    let of_pools = |whole: &Server| {
        let is_one =
            |s: &usize| servers[*s].pool.as_ref().is_some_and(|p| p.whole.name == whole.name);
        (0..servers.len()).filter(is_one).map(&share).fold(f64::INFINITY, f64::min)
    };
    let mut stated = Vec::new();
    for (s, server) in servers.iter().enumerate() {
        let share = match &server.pool {
            None => share(s),
            Some(pool) if pool.role == Role::Prefill => of_pools(&pool.whole),
            Some(_) => continue,
        };
        let whole = server.whole();
        let members =
            if whole.members.is_empty() { slice::from_ref(whole) } else { &whole.members };
        stated.extend(members.iter().map(|member| (member, share)));
    }
    stated
}

/// What it comes to that servers share replicas, or have pools for their prompts and their answers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sharing {
    /// Servers that may share.
    pub may: usize,
    /// Servers that do.
    pub sharing: usize,
    /// Sets of replicas that they share.
    pub sets: usize,
    /// Servers that may have a prefill pool and a decode pool.
    pub may_disaggregate: usize,
    /// Servers that do.
    pub disaggregated: usize,
    /// The objective of the best plan in which everyone has replicas of its own for all it does, cents/h, where there is one.
    pub apart: Option<f64>,
}

/// Where a server runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Replicas by accelerator and batch size; empty where the server gets none.
    pub parts: Vec<Part>,
    /// Requests per second that the replicas are sized for.
    pub demand_per_s: f64,
    /// Share of the demand that is served within the objectives, in [0, 1].
    pub served_share: f64,
}

/// Equal replicas of one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Index into [`Scenario::accelerators`].
    pub accelerator: usize,
    /// Batch size.
    pub batch: u32,
    /// Replicas.
    pub replicas: u64,
    /// Cards that all of them take.
    pub cards: u64,
    /// Cost of all of them, cents per hour.
    pub cost: f64,
    /// Requests per second that each is sized for.
    pub credited_rate_per_s: f64,
    /// Requests per second that each gets.
    pub rate_per_s: f64,
    /// What the queueing model predicts at that rate; `None` at zero load.
    pub predicted: Option<Analysis>,
    /// Watts that all of them draw at the planned utilisation.
    pub watts: f64,
    /// What breaks first as the server's load grows; `None` at zero load, and where nobody asked for it.
    pub headroom: Option<FirstBreak>,
}

/// Cards of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Cards used.
    pub cards: u64,
    /// Cards that the plan may use; `None` without a limit.
    pub available: Option<u64>,
    /// Cost of the replicas on them, cents per hour.
    pub cost: f64,
}

/// What a plan takes of one limit of a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetUse {
    /// Index into [`Scenario::budgets`].
    pub budget: usize,
    /// What the limit counts.
    pub unit: Unit,
    /// Cards in use, cents per hour, or watts and grams per hour with every card in use at full load.
    pub used: f64,
    /// Most that may be used.
    pub limit: f64,
}

/// From this share on a load counts as served in full: arrival rates are never known better.
const IN_FULL: f64 = 1.0 - 1e-9;

impl Plan {
    /// Relative gap between the objective and its bound.
    pub fn gap(&self) -> f64 {
        relative_gap(self.objective, self.bound)
    }

    /// Whether the value of a change was minimised, which the objective and its bound then are, and not
    /// the cost.
    pub fn values_change(&self) -> bool {
        (self.objective - self.total_cost).abs() > 1e-6 * self.total_cost.abs().max(1.0)
    }

    /// What is used of each kind of node, in the order of [`Scenario::nodes`].
    pub fn node_uses(&self, scenario: &Scenario) -> Vec<NodeUse> {
        nodes::uses(scenario, &self.nodes, self.is_unlimited)
    }

    /// Whether there is a plan to carry out.
    pub fn has_plan(&self) -> bool {
        matches!(self.status, Status::Optimal | Status::Feasible)
    }

    /// Whether there is a plan, and every request is served within its objectives.
    pub fn serves_all(&self) -> bool {
        self.has_plan() && self.placements.iter().all(Placement::is_in_full)
    }
}

impl Placement {
    /// Cost, cents per hour.
    pub fn cost(&self) -> f64 {
        self.parts.iter().map(|p| p.cost).sum::<f64>() + 0.0
    }

    /// Whether the whole load is served within the objectives.
    pub fn is_in_full(&self) -> bool {
        self.served_share >= IN_FULL
    }

    /// The share that is served in percent, to a tenth: 100 where all of it is, and only there.
    pub fn served_percent(&self) -> f64 {
        let rounded = (self.served_share * 1000.0).round() / 10.0;
        if self.is_in_full() { 100.0 } else { rounded.min(99.9) }
    }

    /// What breaks first as the load grows, of all parts; `None` as for [`Part::headroom`].
    pub fn headroom(&self) -> Option<FirstBreak> {
        let parts = self.parts.iter().filter_map(|part| part.headroom);
        parts.min_by(|a, b| a.factor.total_cmp(&b.factor))
    }

    /// Replicas on all accelerators.
    pub fn replicas(&self) -> u64 {
        self.parts.iter().map(|p| p.replicas).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_served_in_full_reads_as_a_hundred() {
        let percent = |served_share| {
            Placement { parts: Vec::new(), demand_per_s: 1.0, served_share }.served_percent()
        };
        assert_eq!([1.0, 1.0 - 2e-16, 1.0 - 1e-10].map(percent), [100.0; 3]);
        assert_eq!([0.999_6, 1.0 - 1e-8].map(percent), [99.9; 2]);
        assert_eq!([0.0, 0.273_44, 0.990_099].map(percent), [0.0, 27.3, 99.0]);
    }
}
