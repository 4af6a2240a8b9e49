//! `isocost compare`.

use std::path::{Path, PathBuf};

use super::values::{amount, factor};
use super::{Format, MarginArgs, ScenarioArgs, Share, SizingArgs, SolveArgs};

/// `isocost compare`.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Scenarios: purchases, contracts or years, each a directory or a JSON or YAML file
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Compare each with every load times these factors, too, e.g. 1.5,2 for years of growth
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', value_parser = factor)]
    pub growth: Vec<f64>,
    /// Which servers may share replicas where that is cheaper
    #[arg(long, value_enum, default_value_t = Share::Stated)]
    pub share: Share,
    /// Let every server have its prompts computed on other replicas than those that write its answers, where
    /// that is cheaper
    #[arg(long)]
    pub disaggregate: bool,
    /// Spend at most so much on each, in cents per hour as plans state costs
    #[arg(long, value_name = "CENTS", value_parser = amount)]
    pub budget: Option<f64>,
    #[command(flatten)]
    pub margin: MarginArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// Write the comparison as a report: one HTML file that needs no network
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

impl CompareArgs {
    /// One of the scenarios.
    pub fn scenario(&self, path: &Path) -> ScenarioArgs {
        ScenarioArgs {
            scenario: path.to_owned(),
            loads: None,
            capacity_scale: 1.0,
            share: self.share,
            disaggregate: self.disaggregate,
            budget: self.budget,
            margin: self.margin,
        }
    }
}
