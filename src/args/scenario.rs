//! What is planned, and how its replicas are sized.

use std::path::PathBuf;

use clap::ValueEnum;
use isocost_model::candidates::{BatchChoice, SizingOptions};
use isocost_model::stress::Margin;

use super::values::{amount, factor, positive, share};

/// The scenario, and what is changed in it.
#[derive(Debug, Clone, clap::Args)]
pub struct ScenarioArgs {
    /// Scenario: a directory, or one JSON or YAML file; `-` is standard input
    pub scenario: PathBuf,
    /// CSV of loads (server,arrival_rate_per_min,input_tokens,output_tokens) that replaces the
    /// scenario's
    #[arg(long, value_name = "FILE")]
    pub loads: Option<PathBuf>,
    /// Multiply every card count by this, rounded down
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub capacity_scale: f64,
    #[command(flatten)]
    pub margin: MarginArgs,
}

/// How far loads and service times may be off.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct MarginArgs {
    /// Plan for every load up by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub margin: f64,
    /// Plan for every service time up by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub service_margin: f64,
}

impl MarginArgs {
    /// As the model takes it.
    pub fn margin(&self) -> Margin {
        Margin { load: self.margin, service: self.service_margin }
    }
}

/// How replicas are sized.
#[derive(Debug, Clone, clap::Args)]
pub struct SizingArgs {
    /// Requests that may wait where a server sets no limit [default: unbounded]
    #[arg(long, value_name = "N")]
    pub max_queue: Option<u32>,
    /// Largest share of requests that a finite queue may turn away; 1 lifts the limit
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    pub max_loss: f64,
    /// `best`: the least batch size within --batch-tolerance of the best rate; `max`: the largest
    #[arg(long, value_enum, default_value_t = Batch::Best)]
    pub batch: Batch,
    /// Share of the best rate that may be given up for a smaller batch
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub batch_tolerance: f64,
    /// Price of energy, cents per kWh, added to the cost of a replica at its sized rate
    #[arg(long, value_name = "CENTS", default_value_t = 0.0, value_parser = amount)]
    pub energy_price: f64,
}

impl SizingArgs {
    /// As the model takes it.
    pub fn options(&self) -> SizingOptions {
        SizingOptions {
            max_queue: self.max_queue,
            max_loss: self.max_loss,
            batch: match self.batch {
                Batch::Best => BatchChoice::Least { tolerance: self.batch_tolerance },
                Batch::Max => BatchChoice::Max,
            },
            energy_cents_per_kwh: self.energy_price,
        }
    }
}

/// How the batch size is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Batch {
    /// Least within the tolerance of the best rate
    Best,
    /// Largest
    Max,
}
