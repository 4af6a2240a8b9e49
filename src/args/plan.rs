//! `isocost plan`.

use std::path::PathBuf;

use super::{EffortArgs, Format, ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// Directory for plan.json, plan.csv, usage.csv, candidates.csv, and budgets.csv where there are
    /// budgets
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the plan as a report: one HTML file that needs no network
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Directory for the report's charts as SVG and PNG
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write the program to an .mps or .lp file
    #[arg(long, value_name = "FILE")]
    pub write_model: Option<PathBuf>,
    /// Take the plan from an outside solver's solution of the written program (HiGHS, Gurobi, SCIP,
    /// CBC, CPLEX, GLPK or lp_solve), and check, bound and report it like our own
    #[arg(long, value_name = "FILE")]
    pub read_solution: Option<PathBuf>,
    /// Simulate every kind of replica of the plan, and plan anew with the rates that simulation
    /// grants, until every objective holds
    #[arg(long, conflicts_with_all = ["read_solution", "proof", "trace", "write_model"])]
    pub certify: bool,
    #[command(flatten, next_help_heading = "Simulation, with --certify")]
    pub effort: EffortArgs,
    /// Write what proves the bound, for `isocost verify`
    #[arg(long, value_name = "FILE", conflicts_with = "read_solution")]
    pub proof: Option<PathBuf>,
    /// Do not plan at the ends of the calibration's confidence region
    #[arg(long)]
    pub no_cost_range: bool,
    /// Write incumbent, bound and gap over time to a CSV file
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}
