//! What is planned, and how its replicas are sized.

use std::path::PathBuf;

use clap::ValueEnum;
use isocost_model::candidates::{BatchChoice, Reading, SizingOptions};
use isocost_model::stress::Margin;

use super::EngineArgs;
use super::values::{amount, factor, positive, share};
use crate::Failure;

/// The scenario, and what is changed in it.
#[derive(Debug, Clone, clap::Args)]
pub struct ScenarioArgs {
    /// Scenario: a directory, one JSON or YAML file, or a workbook (.xlsx); `-` is standard input
    pub scenario: PathBuf,
    /// CSV of loads (server,arrival_rate_per_min,input_tokens,output_tokens) that replaces the
    /// scenario's
    #[arg(long, value_name = "FILE")]
    pub loads: Option<PathBuf>,
    /// Multiply every card count by this, rounded down
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub capacity_scale: f64,
    /// Which servers may share replicas where that is cheaper
    #[arg(long, value_enum, default_value_t = Share::Stated)]
    pub share: Share,
    /// Let every server have its prompts computed on other replicas than those that write its answers, where
    /// that is cheaper
    #[arg(long)]
    pub disaggregate: bool,
    /// Spend at most so much, in cents per hour as plans state costs, and serve the most load for it, the
    /// highest priority first (`--shortage partial`, where no other is given); holds with --unlimited too
    #[arg(long, value_name = "CENTS", value_parser = amount)]
    pub budget: Option<f64>,
    #[command(flatten)]
    pub margin: MarginArgs,
}

/// Which servers may share replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Share {
    /// Those that name the same group (`share`) and are of one model
    #[default]
    Stated,
    /// Beside them, all others of one model
    Model,
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
    /// `engine`: what an engine does; `reference`: as the reference optimizer reads the input: no
    /// queue, any loss, the largest batch, and slo-tps in place of the arrival rate
    #[arg(long, value_enum, default_value_t = Read::Engine)]
    pub reading: Read,
    /// Requests that may wait where a server sets no limit [default: unbounded]
    #[arg(long, value_name = "N")]
    pub max_queue: Option<u32>,
    /// Largest share of requests that a finite queue may turn away; 1 lifts the limit
    /// [default: 0.001]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_loss: Option<f64>,
    /// `best`: the least batch size within --batch-tolerance of the best rate; `max`: the largest
    /// [default: best]
    #[arg(long, value_enum)]
    pub batch: Option<Batch>,
    /// Share of the best rate that may be given up for a smaller batch [default: 0.02]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub batch_tolerance: Option<f64>,
    /// Price of energy, cents per kWh, added to the cost of a replica at its sized rate
    #[arg(long, value_name = "CENTS", default_value_t = 0.0, value_parser = amount)]
    pub energy_price: f64,
    #[command(flatten)]
    pub engine: EngineArgs,
}

impl SizingArgs {
    /// As the model takes it; an error where a flag contradicts the reading.
    pub fn options(&self) -> Result<SizingOptions, Failure> {
        let (energy_cents_per_kwh, engine) = (self.energy_price, self.engine.stated());
        match self.reading {
            Read::Reference => {
                self.agree_with_the_reference()?;
                Ok(SizingOptions { energy_cents_per_kwh, engine, ..SizingOptions::reference() })
            }
            Read::Engine => {
                let least = BatchChoice::Least { tolerance: self.batch_tolerance.unwrap_or(0.02) };
                let largest = self.batch == Some(Batch::Max);
                Ok(SizingOptions {
                    max_queue: self.max_queue,
                    max_loss: self.max_loss.unwrap_or(0.001),
                    batch: if largest { BatchChoice::Max } else { least },
                    energy_cents_per_kwh,
                    engine,
                    ..SizingOptions::default()
                })
            }
        }
    }

    fn agree_with_the_reference(&self) -> Result<(), Failure> {
        let against = [
            (self.max_queue.is_some_and(|n| n != 0), "--max-queue", "--max-queue 0"),
            (self.max_loss.is_some_and(|share| share != 1.0), "--max-loss", "--max-loss 1"),
            (self.batch == Some(Batch::Best), "--batch best", "--batch max"),
            (self.batch_tolerance.is_some(), "--batch-tolerance", "--batch max"),
        ];
        let Some((_, flag, means)) = against.iter().find(|(given, ..)| *given) else {
            return Ok(());
        };
        Err(Failure::input(format!(
            "{flag} contradicts --reading reference, which means {means}: leave out one of the two"
        )))
    }
}

/// What a replica is taken to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Read {
    /// What an engine does
    Engine,
    /// As the reference optimizer reads the input
    Reference,
}

impl From<Read> for Reading {
    fn from(read: Read) -> Self {
        match read {
            Read::Engine => Self::Engine,
            Read::Reference => Self::Reference,
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
