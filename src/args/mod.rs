//! Arguments: one file a command, and what several of them share.

mod buckets;
mod compare;
#[cfg(feature = "kubernetes")]
mod control;
mod demand;
mod diff;
#[cfg(feature = "kubernetes")]
mod emulate;
mod engine;
mod experiment;
mod explain;
mod fit;
mod help;
mod horizon;
mod import;
mod init;
mod layout;
mod plan;
mod plots;
mod profile;
mod scenario;
#[cfg(feature = "serve")]
mod service;
mod shell;
mod simulate;
mod solve;
#[cfg(feature = "kubernetes")]
mod stability;
mod station;
mod stress;
mod sweep;
mod values;
mod verify;

use clap::{Parser, Subcommand, ValueEnum};

pub use buckets::BucketsArgs;
pub use compare::CompareArgs;
#[cfg(feature = "kubernetes")]
pub use control::{
    ActuateArgs, CapacityFrom, ClusterArgs, CollectArgs, ControlArgs, ElectionArgs, PrometheusArgs,
};
pub use demand::DemandArgs;
pub use diff::DiffArgs;
#[cfg(feature = "kubernetes")]
pub use emulate::{EmulateLoadArgs, EmulateServerArgs};
pub use engine::{EngineArgs, PromptArgs};
pub use experiment::{ExperimentArgs, ExperimentCommand, RunArgs, SummarizeArgs};
pub use explain::{ExplainArgs, ExplainFormat};
pub use fit::{FitArgs, FitFormat};
pub use help::{command, parse};
pub use horizon::HorizonArgs;
pub use import::ImportArgs;
pub use init::{InitArgs, LoadValue, Named, Parallel};
pub use layout::LayoutArgs;
pub use plan::{Deploy, PlanArgs};
pub use plots::PlotsArgs;
pub use profile::{EntryFormat, ProfileArgs};
pub use scenario::{MarginArgs, ScenarioArgs, Share, SizingArgs};
#[cfg(feature = "serve")]
pub use service::ServeArgs;
pub use shell::{CompletionsArgs, ManArgs, ReferenceArgs};
pub use simulate::{Alone, EffortArgs, LengthArgs, ReplicaArgs, SimulateArgs};
pub use solve::{Formulation, Shortage, SolveArgs};
pub use station::{AnalyzeArgs, ObjectiveArgs, ServerArgs, SizeArgs, StationArgs};
pub use stress::StressArgs;
pub use sweep::{MergeArgs, SweepArgs};
pub use verify::VerifyArgs;

/// Exact minimum-cost capacity planner for LLM inference fleets.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Write cells of CSV to the letter: for programs; a spreadsheet would run a name such as `=1+1`
    #[arg(long, global = true)]
    pub exact_cells: bool,
    /// Show tables whole, however narrow the terminal
    ///
    /// On a terminal columns that do not fit are left out; in a pipe tables are always whole.
    #[arg(long, global = true)]
    pub wide: bool,
}

const EXIT_CODES: &str = "\
Start with: isocost plan data/quickstart        then: isocost explain data/quickstart
Your own:   isocost init --models qwen3-32b --cards L40S,H100 | isocost plan -

Exit codes: 0 done; 1 a failure that is not the input's; 2 wrong input or arguments;
            3 infeasible: no plan serves every server; 4 stopped before a plan was found";

/// What isocost does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Estimate a service profile from names of a model and a card
    Profile(ProfileArgs),
    /// Write a scenario from names of models and cards
    ///
    /// Every sensible tensor parallelism is an option.
    Init(InitArgs),
    /// Plan a fleet at proven least cost
    ///
    /// Says which accelerator, how many replicas and which batch size each server gets.
    Plan(PlanArgs),
    /// Check a plan and its proof in exact arithmetic
    ///
    /// The proof is what `plan --proof` wrote.
    Verify(VerifyArgs),
    /// Say why a plan is as it is, and what would change it
    ///
    /// Or why there is none.
    Explain(ExplainArgs),
    /// Plan over time: what to reserve, and what to rent by the hour
    Horizon(HorizonArgs),
    /// Make loads over time, for `horizon`, of a trace of requests
    #[command(alias = "profile-load")]
    Demand(DemandArgs),
    /// Make a scenario of files of llm-d's autoscaler or AIBrix
    Import(ImportArgs),
    /// Put scenarios side by side: costs, what fits, what breaks
    ///
    /// With --growth, also at loads to come: the first that breaks is named.
    Compare(CompareArgs),
    /// Put two plans side by side: moves, scaling, cost
    Diff(DiffArgs),
    /// Say how far loads and times may be off, and what breaks first
    Stress(StressArgs),
    /// Simulate a plan's replicas, and hold its promises against that
    ///
    /// Replicas are simulated pass by pass: predictions and objectives are held against what comes out.
    Simulate(SimulateArgs),
    /// Fit service parameters to measured latencies
    Fit(FitArgs),
    /// Say what latency a rate brings on one replica
    Analyze(AnalyzeArgs),
    /// Say what rate a replica's objectives allow at every batch size
    Size(SizeArgs),
    /// Serve plans over HTTP, and a page for people
    ///
    /// Speaks the reference optimizer's interface.
    #[cfg(feature = "serve")]
    Serve(Box<ServeArgs>),
    /// Keep a cluster's Deployments at the plan for their loads
    ///
    /// Plans over and over, and changes what is worth a change.
    #[cfg(feature = "kubernetes")]
    Control(Box<ControlArgs>),
    /// Print the managed Deployments and their loads, or serve that
    #[cfg(feature = "kubernetes")]
    Collect(CollectArgs),
    /// Carry out the allocations of a file, or those that are posted
    #[cfg(feature = "kubernetes")]
    Actuate(ActuateArgs),
    /// Print every field of a scenario, with unit, range and meaning
    Reference(ReferenceArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Write manual pages
    Man(ManArgs),
    /// Plan a scenario at many loads, card counts, prices, objectives
    Sweep(SweepArgs),
    /// Join the shards of a sweep into one table
    Merge(MergeArgs),
    /// Run the comparisons behind every claim
    Experiment(ExperimentArgs),
    /// Let the loads of managed Deployments wander
    #[cfg(feature = "kubernetes")]
    EmulateLoad(EmulateLoadArgs),
    /// Serve vLLM's metrics of a simulated replica, without a GPU
    #[cfg(feature = "kubernetes")]
    EmulateServer(EmulateServerArgs),
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// JSON
    Json,
    /// CSV
    Csv,
}
