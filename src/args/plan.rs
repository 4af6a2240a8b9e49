//! `isocost plan`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::values::positive;
use super::{EffortArgs, Format, PlotsArgs, ScenarioArgs, SizingArgs, SolveArgs};

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
    /// budgets; or a workbook, FILE.xlsx, with a sheet for each table and the scenario's
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the plan as a report: one HTML file that needs no network
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub plots: PlotsArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Print what brings the plan about in place of the table
    #[arg(long, value_enum, conflicts_with = "format")]
    pub export: Option<Deploy>,
    /// Product name that nodes carry for a type of card, for `--export k8s`: CARD=PRODUCT; may be given again
    #[arg(long, value_name = "CARD=PRODUCT", requires = "export", value_parser = product)]
    pub product: Vec<(String, String)>,
    /// Name of the unit that 100 cents are, for sums by the month [default: the scenario's `currency`]
    #[arg(long, value_name = "NAME")]
    pub currency: Option<String>,
    /// Units of the currency for 100 cents of the scenario, where its prices are in another
    #[arg(long, value_name = "RATE", requires = "currency", value_parser = positive)]
    pub exchange_rate: Option<f64>,
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
    #[command(flatten)]
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

/// What brings a plan about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deploy {
    /// Deployments that run vLLM
    K8s,
    /// Variables for Terraform
    TerraformTfvars,
}

/// `CARD=PRODUCT`.
fn product(text: &str) -> Result<(String, String), String> {
    let pair =
        text.split_once('=').filter(|(card, product)| !card.is_empty() && !product.is_empty());
    let (card, product) = pair.ok_or_else(|| "expected CARD=PRODUCT".to_owned())?;
    Ok((card.to_owned(), product.to_owned()))
}
