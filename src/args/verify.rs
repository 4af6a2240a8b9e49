//! `isocost verify`.

use std::path::PathBuf;

use super::{ExplainFormat, ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The plan: a plan.json, or the --out directory that holds one
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The proof that plan --proof wrote
    #[arg(value_name = "PROOF")]
    pub proof: PathBuf,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = ExplainFormat::Table)]
    pub format: ExplainFormat,
}
