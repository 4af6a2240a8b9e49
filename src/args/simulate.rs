//! `isocost simulate`.

use std::path::PathBuf;

use clap::{ArgMatches, Subcommand};
use isocost_simulation::Effort;

use super::values::{amount, period, positive, share};
use super::{Format, PromptArgs, ScenarioArgs, SizingArgs, SolveArgs, StationArgs};

/// `isocost simulate`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SimulateArgs {
    /// One replica without a scenario.
    #[command(subcommand)]
    pub alone: Option<Alone>,
    #[command(flatten)]
    pub scenario: Given<ScenarioArgs>,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: SolveArgs,
    #[command(flatten)]
    pub length: LengthArgs,
    #[command(flatten)]
    pub prompts: PromptArgs,
    /// Squared coefficient of variation of output tokens, whatever the scenario says of it [0: all
    /// answers as long as their mean; 1: geometric]
    #[arg(long, value_name = "SCV", value_parser = amount)]
    pub token_scv: Option<f64>,
    /// Squared coefficient of variation of inter-arrival times, whatever the scenario says of it
    #[arg(long, value_name = "SCV", value_parser = amount)]
    pub arrival_scv: Option<f64>,
    /// Simulate the plan in this plan.json, or --out directory, instead of planning anew
    #[arg(long, value_name = "PATH", conflicts_with_all = ["shortage", "transition", "max_moves"])]
    pub plan: Option<PathBuf>,
    /// Simulate this server alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub server: Vec<String>,
    /// Requests that arrive at the one --server instead of drawn ones: a CSV
    /// (arrival_s,input_tokens,output_tokens), or a trace of Azure, BurstGPT or Mooncake
    #[arg(long, value_name = "FILE", requires = "server")]
    pub trace: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Arguments that a subcommand stands in for: `None` where their positional is absent.
#[derive(Debug, Clone)]
pub struct Given<T>(pub Option<T>);

impl<T: clap::Args> clap::Args for Given<T> {
    fn augment_args(command: clap::Command) -> clap::Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        T::augment_args_for_update(command)
    }
}

impl<T: clap::FromArgMatches> clap::FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = matches.contains_id("scenario");
        Ok(Self(given.then(|| T::from_arg_matches(matches)).transpose()?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What is simulated without a scenario.
#[derive(Debug, Subcommand)]
pub enum Alone {
    /// Simulate one replica, given as for `isocost analyze`
    Replica(Box<ReplicaArgs>),
}

/// `isocost simulate replica`.
#[derive(Debug, clap::Args)]
pub struct ReplicaArgs {
    #[command(flatten)]
    pub station: StationArgs,
    /// Batch size
    #[arg(long)]
    pub batch: u32,
    /// Arrival rate, requests per minute
    #[arg(long, value_name = "PER_MIN", required_unless_present = "trace", value_parser = positive)]
    pub rate: Option<f64>,
    /// Requests that arrive instead of drawn ones: a CSV (arrival_s,input_tokens,output_tokens), or a
    /// trace of Azure, BurstGPT or Mooncake
    #[arg(long, value_name = "FILE", conflicts_with = "rate")]
    pub trace: Option<PathBuf>,
    #[command(flatten)]
    pub length: LengthArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How much is simulated, by requests or by the simulated clock.
#[derive(Debug, Clone, clap::Args)]
pub struct LengthArgs {
    #[command(flatten)]
    pub effort: EffortArgs,
    /// Count what arrives in so much simulated time in each replication, in place of --requests: 15min, 1h
    #[arg(long, value_name = "TIME", conflicts_with_all = ["requests", "trace"], value_parser = period)]
    pub duration: Option<f64>,
}

impl LengthArgs {
    /// As the simulation takes it.
    pub fn effort(&self) -> Effort {
        Effort { time_ms: self.duration.map(|s| 1000.0 * s), ..self.effort.effort() }
    }
}

/// How much is simulated, by requests.
#[derive(Debug, Clone, clap::Args)]
pub struct EffortArgs {
    /// Seed of the random numbers: the same seed gives the same result, on every machine
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Requests counted in each replication
    #[arg(long, value_name = "N", default_value_t = 10_000,
          value_parser = clap::value_parser!(u64).range(10..=1_000_000_000))]
    pub requests: u64,
    /// Independent replications of each replica; batches of a trace
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub replications: u32,
    /// Requests, or time, before what is counted, as a share of it: the replica starts empty
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    pub warmup: f64,
}

impl EffortArgs {
    /// As the simulation takes it.
    pub fn effort(&self) -> Effort {
        Effort {
            requests: self.requests,
            warmup: self.warmup,
            replications: self.replications,
            seed: self.seed,
            time_ms: None,
        }
    }
}
