//! `isocost simulate`.

use std::path::PathBuf;

use clap::{ArgMatches, Subcommand};
use isocost_model::queue::{EngineSettings, Station};
use isocost_simulation::{Effort, Replica, Traffic};

use super::values::{amount, positive, share};
use super::{Format, ScenarioArgs, SizingArgs, SolveArgs, StationArgs};

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
    pub effort: EffortArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
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
    /// CSV of requests (arrival_s,input_tokens,output_tokens) that arrive at the one --server
    /// instead of drawn ones
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
    /// CSV of requests (arrival_s,input_tokens,output_tokens) that arrive instead of drawn ones
    #[arg(long, value_name = "FILE", conflicts_with = "rate")]
    pub trace: Option<PathBuf>,
    #[command(flatten)]
    pub effort: EffortArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How much is simulated.
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
    /// Requests that are not counted before those that are, as a share of them: the replica starts
    /// empty
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    pub warmup: f64,
}

/// How the engine is set, and what prompts are like.
#[derive(Debug, Clone, clap::Args)]
pub struct EngineArgs {
    /// Tokens that a pass works off at most [default: 8192]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    pub token_budget: Option<u32>,
    /// Tokens that the KV cache holds: where they run out, the newest request is preempted and
    /// computed anew [default: never short]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(16..))]
    pub kv_tokens: Option<u64>,
    /// Prompts are not cut into chunks: a pass holds whole prompts, which go first, or decoding
    #[arg(long)]
    pub no_chunked_prefill: bool,
    /// Share of the prompt tokens that the prefix cache holds: they need no computing [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub prefix_hit_share: Option<f64>,
    /// Squared coefficient of variation of prompt tokens [default: 0, all as long as their mean]
    #[arg(long, value_name = "SCV", value_parser = amount)]
    pub input_scv: Option<f64>,
}

impl EngineArgs {
    /// What is simulated of a station under a rate, requests/s.
    pub fn of(&self, station: &Station, batch: u32, rate_per_s: f64) -> (Replica, Traffic) {
        let default = EngineSettings::default();
        let engine = EngineSettings {
            token_budget: self.token_budget.unwrap_or(default.token_budget),
            kv_tokens: self.kv_tokens,
            chunked_prefill: !self.no_chunked_prefill,
        };
        let Station { service, queue_limit, .. } = *station;
        let traffic = Traffic {
            rate_per_s,
            arrival_scv: station.arrival_scv,
            input_tokens: station.input_tokens,
            input_scv: self.input_scv.unwrap_or(0.0),
            prefix_hit_share: self.prefix_hit_share.unwrap_or(0.0),
            output_tokens: station.output_tokens,
            token_scv: station.token_scv,
        };
        (Replica { service, batch, queue_limit, engine }, traffic)
    }
}

impl EffortArgs {
    /// As the simulation takes it.
    pub fn effort(&self) -> Effort {
        Effort {
            requests: self.requests,
            warmup: self.warmup,
            replications: self.replications,
            seed: self.seed,
        }
    }
}
