//! `isocost horizon`.

use std::path::PathBuf;

use isocost_model::horizon::Ratios;

use super::values::{availability, ratio, share};
use super::{Format, PlotsArgs, ScenarioArgs, SizingArgs, SolveArgs};

/// `isocost horizon`.
#[derive(Debug, clap::Args)]
pub struct HorizonArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// CSV of loads over time: period,hours,server and arrival_rate_per_min or factor (on the
    /// scenario's rate), input_tokens, output_tokens; `premium-*` stands for all that begin so;
    /// `isocost demand` makes one of a trace
    #[arg(long, value_name = "FILE")]
    pub profile: PathBuf,
    /// CSV of how many cards exist in which period (period,type,count), where that changes
    #[arg(long, value_name = "FILE")]
    pub period_cards: Option<PathBuf>,
    #[command(flatten)]
    pub prices: PriceArgs,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    /// Do not plan for the peak, and by the hour without reservations, to compare with
    #[arg(long)]
    pub no_compare: bool,
    /// Directory for horizon.json, pools.csv and placements.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub plots: PlotsArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// What cards cost.
#[derive(Debug, Clone, clap::Args)]
pub struct PriceArgs {
    /// CSV of prices (type or accelerator, reserved_cents_per_h, on_demand_cents_per_h,
    /// spot_cents_per_h, spot_most, spot_availability), instead of the ratios below
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reserved", "spot", "purchase"])]
    pub prices: Option<PathBuf>,
    /// Price of a reserved card, paid for all hours, as a ratio to the scenario's price, such as 0.6
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub reserved: Option<f64>,
    /// Price of a spot card, likewise
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub spot: Option<f64>,
    /// Most spot cards at a time, as a share of the cards of the type that exist
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    pub spot_share: f64,
    /// Share of its time that a spot card is there: an hour of work takes as many more of it
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = availability)]
    pub spot_availability: f64,
    /// Buy: nothing is rented, and what is reserved (at the scenario's price, unless --reserved says
    /// otherwise) serves every period
    #[arg(long, conflicts_with = "spot")]
    pub purchase: bool,
}

impl PriceArgs {
    /// As the model takes them.
    pub fn ratios(&self) -> Ratios {
        Ratios {
            reserved: self.reserved.or(self.purchase.then_some(1.0)),
            on_demand: !self.purchase,
            spot: self.spot,
            spot_share: self.spot_share,
            spot_availability: self.spot_availability,
        }
    }
}
