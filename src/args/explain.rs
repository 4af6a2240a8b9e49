//! `isocost explain`.

use std::time::Duration;

use clap::ValueEnum;

use super::values::seconds;
use super::{ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// Options of each server whose cost is solved exactly; the others show a proven lower bound
    /// [default: 3, or 0 beyond 100 servers]
    #[arg(long, value_name = "N")]
    pub options: Option<usize>,
    /// Longest that one of the many solves may take; what it then knows are bounds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    pub each: Duration,
    /// Longest that each of the questions may take, as what one card is worth; it then says what is
    /// proven so far
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub stage: Duration,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = ExplainFormat::Table)]
    pub format: ExplainFormat,
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    Table,
    /// JSON
    Json,
}
