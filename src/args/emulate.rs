//! `isocost emulate-load` and `isocost emulate-server`.

use std::path::PathBuf;
use std::time::Duration;

use super::service::{ListenArgs, LogArgs};
use super::values::{amount, positive, seconds, share};

/// `isocost emulate-load`.
#[derive(Debug, clap::Args)]
pub struct EmulateLoadArgs {
    /// Namespace whose Deployments are looked at [default: all]
    #[arg(long, value_name = "NAME", env = "WATCH_NAMESPACE")]
    pub namespace: Option<String>,
    /// Time between two steps, s
    #[arg(long, value_name = "SECONDS", env = "INFERNO_LOAD_INTERVAL", default_value = "20", value_parser = interval)]
    pub interval: Duration,
    /// Standard deviation of a step, as a share of the nominal value
    #[arg(long, value_name = "SHARE", env = "INFERNO_LOAD_ALPHA", default_value_t = 0.1, value_parser = share)]
    pub alpha: f64,
    /// Share of the way back to the nominal value that a step goes
    #[arg(long, value_name = "SHARE", env = "INFERNO_LOAD_THETA", default_value_t = 0.2, value_parser = share)]
    pub theta: f64,
    /// How unequally pods share a Deployment's load: 0 equally, 1 wholly at random
    #[arg(long, value_name = "SHARE", env = "INFERNO_LOAD_SKEW", default_value_t = 0.3, value_parser = share)]
    pub skew: f64,
    /// YAML file of phases (duration, ratio) that the nominal rates go through
    #[arg(long, value_name = "FILE", env = "INFERNO_LOAD_PHASES")]
    pub phases: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Take one step and end
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub log: LogArgs,
}

/// `isocost emulate-server`.
#[derive(Debug, clap::Args)]
#[command(after_help = SERVER)]
pub struct EmulateServerArgs {
    /// Scenario with the profiles: a directory or one file, with or without servers
    #[arg(long, value_name = "PATH", env = "INFERNO_DATA_PATH", default_value = ".")]
    pub data: PathBuf,
    /// File with the pod's labels, as the downward API mounts them: model, accelerator, batch size
    /// and load are taken from it every second
    #[arg(long, value_name = "FILE", required_unless_present = "model")]
    pub labels: Option<PathBuf>,
    /// Model that is served
    #[arg(long, value_name = "NAME", requires = "accelerator", conflicts_with = "labels")]
    pub model: Option<String>,
    /// Accelerator that it is served on
    #[arg(long, value_name = "NAME", requires = "model")]
    pub accelerator: Option<String>,
    /// Requests in service at most [default: the profile's maximum]
    #[arg(long, value_name = "N", requires = "model", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: Option<u32>,
    /// Arrival rate, requests per minute
    #[arg(long, value_name = "RPM", requires = "model", default_value_t = 0.0, value_parser = amount)]
    pub rate: f64,
    /// Mean tokens of a prompt
    #[arg(long, value_name = "N", requires = "model", default_value_t = 128.0, value_parser = amount)]
    pub input_tokens: f64,
    /// Mean tokens of an answer
    #[arg(long, value_name = "N", requires = "model", default_value_t = 512.0, value_parser = positive)]
    pub output_tokens: f64,
    /// Simulated seconds in a second
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub speed: f64,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub listen: ListenArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

const SERVER: &str = "\
Host and port are 127.0.0.1 and 8000, vLLM's own port, where no flag gives others.";

fn interval(text: &str) -> Result<Duration, String> {
    let interval = seconds(text)?;
    if interval.is_zero() { Err("expected seconds above 0".to_owned()) } else { Ok(interval) }
}
