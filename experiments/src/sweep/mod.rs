//! Sweeps: one scenario planned at many points, in parallel, resumable, and in shards.
//!
//! ```text
//! axes or CSV -> Points -> (point by point) Setting -> Plan -> Row -> journal -> points.csv, plots
//! ```
//!
//! Sizing depends on service times, tokens and objectives, never on loads, card counts or prices:
//! all points share what was sized ([`isocost_model::candidates::Sizings`]). Rows are written in the
//! order of the points, whoever finished first, and without timings, which have a file of their own:
//! the same sweep gives the same bytes, in one go, after a kill, or merged from shards.

pub mod axis;
pub mod merge;
pub mod plots;
pub mod points;
pub mod problem;
pub mod row;
pub mod run;
pub mod shard;
pub mod value;

use isocost_model::Scenario;
use isocost_model::candidates::{BatchChoice, SizingOptions};
use isocost_planner::Request;

pub use merge::{MergeError, merge};
pub use points::Points;
pub use problem::Problems;
pub use run::{Finished, Progress, Sweep, SweepError};
pub use shard::{Shard, ShardError};

/// What one point plans: the scenario and how.
#[derive(Clone)]
pub struct Setting {
    /// The scenario.
    pub scenario: Scenario,
    /// How its replicas are sized.
    pub sizing: SizingOptions,
    /// Share of the best rate that may be given up where the batch size is not the largest.
    pub batch_tolerance: f64,
    /// What is asked of the planner.
    pub request: Request,
}

impl Setting {
    /// What a scenario, sizing and request come to.
    pub fn new(scenario: Scenario, sizing: SizingOptions, request: Request) -> Self {
        let batch_tolerance = match sizing.batch {
            BatchChoice::Least { tolerance } => tolerance,
            BatchChoice::Max => DEFAULT_TOLERANCE,
        };
        Self { scenario, sizing, batch_tolerance, request }
    }
}

/// Tolerance of `batch=best` where the run itself takes the largest batch.
const DEFAULT_TOLERANCE: f64 = 0.02;
