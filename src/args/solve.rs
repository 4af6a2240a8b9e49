//! How a plan is found: formulation, limits, backend and when to stop.

use std::time::Duration;

use clap::ValueEnum;
use isocost_planner as planner;

use super::values::{seconds, share};

/// How a plan is found.
#[derive(Debug, Clone, clap::Args)]
pub struct SolveArgs {
    /// How the problem is stated
    #[arg(long, value_enum, default_value_t = Formulation::Auto)]
    pub formulation: Formulation,
    /// Solver: highs or microlp, as far as built [default: highs where built]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Stop after this long and return the best plan so far with its bound
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<Duration>,
    /// Relative gap between cost and bound at which to stop
    #[arg(long, default_value_t = 1e-6, value_parser = share)]
    pub gap: f64,
    /// Threads of the solver
    #[arg(long, default_value_t = 1)]
    pub threads: u32,
    /// Ignore how many cards exist
    #[arg(long)]
    pub unlimited: bool,
    /// Minimise the change's value (a move to another accelerator costs a tenth of old and new
    /// cost) instead of the cost
    #[arg(long)]
    pub transition: bool,
    /// Let at most this many servers change their accelerator
    #[arg(long, value_name = "N")]
    pub max_moves: Option<u64>,
    /// What to do when not every server can be served
    #[arg(long, value_enum, default_value_t = Shortage::None)]
    pub shortage: Shortage,
    /// Under shortage, serve in full as many as can be before any best effort
    #[arg(long)]
    pub delayed_best_effort: bool,
}

/// How the problem is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Formulation {
    /// `mixed` where the scenario is heterogeneous, else `single`
    Auto,
    /// One accelerator type a server
    Single,
    /// Several accelerator types may share a server's load, by patterns
    Mixed,
    /// The same, stated compactly: as an outside solver would get it
    Compact,
    /// The usual heuristic, as a baseline: it proves nothing, and may leave servers out
    Greedy,
}

impl From<Formulation> for planner::Formulation {
    fn from(chosen: Formulation) -> Self {
        match chosen {
            Formulation::Auto => Self::AUTO,
            Formulation::Single => Self::SINGLE,
            Formulation::Mixed => Self::MIXED,
            Formulation::Compact => Self::COMPACT,
            Formulation::Greedy => Self::GREEDY,
        }
    }
}

/// What to do when not every server can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shortage {
    /// Say that it is infeasible
    None,
    /// Serve servers in full, or hold their fewest replicas alone
    Whole,
    /// Serve the most of the load, priority by priority
    Partial,
    /// Serve the fairest shares within each priority, by the weights of classes
    #[value(alias = "priority-fair-share")]
    PriorityRoundRobin,
    /// Serve the fairest shares over all, by the weights of classes
    #[value(alias = "fair-share")]
    RoundRobin,
    /// What the scenario's saturationPolicy and delayedBestEffort say
    Scenario,
}
