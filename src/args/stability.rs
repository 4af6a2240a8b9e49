//! When `isocost control` acts, when it holds still, and how much a cycle may change.

use std::time::Duration;

use isocost_kubernetes::control::Stability;

use super::control::ScaleBy;
use super::values::{amount, seconds, share};

/// When the loop acts, and when it holds still.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Stability")]
pub struct StabilityArgs {
    /// Share of each load that is planned for beside it
    #[arg(long, value_name = "SHARE", default_value_t = Stability::default().headroom, value_parser = amount)]
    pub headroom: f64,
    /// A load that stays within this share of what is planned for changes nothing
    #[arg(long, value_name = "SHARE", default_value_t = Stability::default().band, value_parser = share)]
    pub band: f64,
    /// Least saving, as a share of what the changed servers cost, that is worth a change
    #[arg(long, value_name = "SHARE", default_value_t = Stability::default().saving, value_parser = share)]
    pub saving: f64,
    /// Change no server for its cost that was changed less than this long ago
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub cool_down: Duration,
    /// Fewest replicas of a Deployment without the label inferno.server.minreplicas
    #[arg(long, value_name = "N", default_value_t = Stability::default().min_replicas)]
    pub min_replicas: u32,
    /// Share of its replicas that a server loses in a cycle at most
    #[arg(long, value_name = "SHARE", default_value_t = Stability::default().most_change, value_parser = share)]
    pub most_change: f64,
    /// Replicas after a cycle at most, as a multiple of those before it (of 10, where fewer run): what would need
    /// more is taken for a fault
    #[arg(long, value_name = "TIMES", default_value_t = Stability::default().most_growth, value_parser = at_least_one)]
    pub most_growth: f64,
    /// How long a load has to be 0 before the last replica goes, where none has to be left
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub idle: Duration,
    /// How long after a replica became ready measurements take nothing away
    #[arg(long, value_name = "SECONDS", env = "INFERNO_STARTUP_DELAY", default_value = "0", value_parser = seconds)]
    pub startup_delay: Duration,
    /// Believe it where all loads read 0 that did not before: the whole fleet may be idle
    #[arg(long)]
    pub believe_zero: bool,
}

impl StabilityArgs {
    /// As the loop takes it.
    pub fn stability(&self, scale_by: ScaleBy) -> Stability {
        Stability {
            headroom: self.headroom,
            band: self.band,
            saving: self.saving,
            cool_down: self.cool_down,
            min_replicas: self.min_replicas,
            most_change: self.most_change,
            most_growth: self.most_growth,
            idle: self.idle,
            settle: self.startup_delay,
            believe_zero: self.believe_zero,
            keeps: scale_by == ScaleBy::Metrics,
        }
    }
}

fn at_least_one(text: &str) -> Result<f64, String> {
    let value = amount(text)?;
    if value >= 1.0 { Ok(value) } else { Err("expected a number from 1".to_owned()) }
}
