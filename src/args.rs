//! Arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use isocost_formulations::planner;
use isocost_model::candidates::{BatchChoice, SizingOptions};

/// Exact minimum-cost capacity planner for LLM inference fleets.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a failure that is not the input's; 2 wrong input or arguments;
            3 infeasible: no plan serves every server; 4 stopped before a plan was found";

/// What isocost does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plan a fleet: which accelerator, how many replicas and which batch size for every server,
    /// at proven least cost
    Plan(PlanArgs),
    /// Say what latency a rate brings on one replica
    Analyze(AnalyzeArgs),
    /// Say what rate a replica's objectives allow, at every batch size
    Size(SizeArgs),
}

/// `isocost plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Scenario: a directory, or one JSON or YAML file
    pub scenario: PathBuf,
    /// CSV of loads (server,arrival_rate_per_min,input_tokens,output_tokens) that replaces the
    /// scenario's
    #[arg(long, value_name = "FILE")]
    pub loads: Option<PathBuf>,
    /// How the problem is stated
    #[arg(long, value_enum, default_value_t = Formulation::Auto)]
    pub formulation: Formulation,
    /// Solver: highs or microlp, as far as built [default: highs where built]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Stop after this long and return the best plan so far with its bound
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<Duration>,
    /// Relative gap between cost and bound at which to stop
    #[arg(long, default_value_t = 1e-6, value_parser = share)]
    pub gap: f64,
    /// Threads of the solver
    #[arg(long, default_value_t = 1)]
    pub threads: u32,
    /// Ignore how many cards exist
    #[arg(long)]
    pub unlimited: bool,
    /// Multiply every card count by this, rounded down
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub capacity_scale: f64,
    /// Minimise the change's value (a move to another accelerator costs a tenth of old and new
    /// cost) instead of the cost
    #[arg(long)]
    pub transition: bool,
    /// Let at most this many servers change their accelerator
    #[arg(long, value_name = "N")]
    pub max_moves: Option<u64>,
    /// What to do when not every server can be served
    #[arg(long, value_enum, default_value_t = Shortage::None)]
    pub shortage: Shortage,
    /// Under shortage, serve in full as many as can be before any best effort
    #[arg(long)]
    pub delayed_best_effort: bool,
    #[command(flatten)]
    pub sizing: SizingArgs,
    /// Directory for plan.json, plan.csv, usage.csv and candidates.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write the program to an .mps or .lp file
    #[arg(long, value_name = "FILE")]
    pub write_model: Option<PathBuf>,
    /// Take the plan from an outside solver's solution of the written program (HiGHS, Gurobi, SCIP,
    /// CBC or CPLEX), and check, bound and report it like our own
    #[arg(long, value_name = "FILE")]
    pub read_solution: Option<PathBuf>,
    /// Write incumbent, bound and gap over time to a CSV file
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Keep options that others beat in every respect, for comparison
    #[arg(long)]
    pub no_prune: bool,
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

/// `isocost analyze`.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    #[command(flatten)]
    pub station: StationArgs,
    /// Batch size
    #[arg(long, required_unless_present = "cases")]
    pub batch: Option<u32>,
    /// Arrival rate, requests per minute
    #[arg(long, value_name = "PER_MIN", required_unless_present = "cases", value_parser = positive)]
    pub rate: Option<f64>,
    /// Read many cases from a CSV and write them to standard output with their results
    #[arg(long, value_name = "FILE")]
    pub cases: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `isocost size`.
#[derive(Debug, clap::Args)]
pub struct SizeArgs {
    #[command(flatten)]
    pub station: StationArgs,
    /// Largest batch size
    #[arg(long)]
    pub max_batch: u32,
    /// Inter-token latency objective, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub itl: Option<f64>,
    /// Time-to-first-token objective, ms
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub ttft: Option<f64>,
    /// Percentile that the ITL objective holds for [default: mean]
    #[arg(long, value_name = "P", requires = "itl", value_parser = percentile)]
    pub itl_percentile: Option<f64>,
    /// Percentile that the TTFT objective holds for [default: mean]
    #[arg(long, value_name = "P", requires = "ttft", value_parser = percentile)]
    pub ttft_percentile: Option<f64>,
    /// Largest share of requests that a finite queue may turn away
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    pub max_loss: f64,
    /// Share of the best rate that may be given up for a smaller batch
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub batch_tolerance: f64,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// One replica. With --delta (or --linear) the service model is the linear one, else the
/// iteration model.
#[derive(Debug, clap::Args)]
pub struct StationArgs {
    /// alpha, ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub alpha: f64,
    /// beta, ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub beta: f64,
    /// gamma, ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = amount)]
    pub gamma: f64,
    /// delta, ms (linear model)
    #[arg(long, value_name = "MS", value_parser = amount)]
    pub delta: Option<f64>,
    /// Take the linear service model
    #[arg(long)]
    pub linear: bool,
    /// Mean input tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 0.0, value_parser = amount)]
    pub input: f64,
    /// Mean output tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 1.0, value_parser = positive)]
    pub output: f64,
    /// Requests that may wait [default: unbounded]
    #[arg(long, value_name = "N")]
    pub max_queue: Option<u32>,
    /// Squared coefficient of variation of inter-arrival times
    #[arg(long, value_name = "SCV", default_value_t = 1.0, value_parser = amount)]
    pub arrival_scv: f64,
    /// Squared coefficient of variation of output tokens
    #[arg(long, value_name = "SCV", default_value_t = 1.0, value_parser = amount)]
    pub token_scv: f64,
}

/// How the problem is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Formulation {
    /// `mixed` where the scenario is heterogeneous, else `single`
    Auto,
    /// One accelerator type a server
    Single,
    /// Several accelerator types may share a server's load, by patterns
    Mixed,
    /// The same, stated compactly: as an outside solver would get it
    Compact,
    /// The usual heuristic, as a baseline: it proves nothing, and may leave servers out
    Greedy,
}

impl From<Formulation> for planner::Formulation {
    fn from(chosen: Formulation) -> Self {
        match chosen {
            Formulation::Auto => Self::Auto,
            Formulation::Single => Self::Single,
            Formulation::Mixed => Self::Mixed,
            Formulation::Compact => Self::Compact,
            Formulation::Greedy => Self::Greedy,
        }
    }
}

/// What to do when not every server can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shortage {
    /// Say that it is infeasible
    None,
    /// Serve servers in full or not at all
    Whole,
    /// Serve the most of the load, priority by priority
    Partial,
    /// Serve the fairest shares within each priority
    PriorityRoundRobin,
    /// Serve the fairest shares over all
    RoundRobin,
    /// What the scenario's saturationPolicy and delayedBestEffort say
    Scenario,
}

/// How the batch size is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Batch {
    /// Least within the tolerance of the best rate
    Best,
    /// Largest
    Max,
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

fn number(text: &str, fits: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|v| v.is_finite() && fits(*v));
    value.ok_or_else(|| format!("expected {expected}"))
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, |v| v > 0.0, "a number above 0")
}

fn amount(text: &str) -> Result<f64, String> {
    number(text, |v| v >= 0.0, "a number of at least 0")
}

fn share(text: &str) -> Result<f64, String> {
    number(text, |v| (0.0..=1.0).contains(&v), "a number from 0 to 1")
}

fn percentile(text: &str) -> Result<f64, String> {
    number(text, |v| (1.0..=99.999).contains(&v), "a number from 1 to 99.999")
}

fn seconds(text: &str) -> Result<Duration, String> {
    number(text, |v| (0.0..=1e9).contains(&v), "seconds").map(Duration::from_secs_f64)
}
