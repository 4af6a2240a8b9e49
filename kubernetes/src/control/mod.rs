//! The control loop: sees the fleet, plans it, and changes what is worth it, cycle after cycle.
//!
//! ```text
//! collect -> Observed -> Fleet -> Decision -> Done -> Record
//! memory: what each server is planned for, and when it was changed
//! ```

mod cards;
mod cycle;
mod dashboard;
mod data;
mod decide;
mod fleet;
mod invoke;
mod leader;
mod memory;
mod metrics;
mod optimizer;
mod parts;
mod place;
mod record;
pub mod routes;
mod run;
mod system;
#[cfg(test)]
mod tests;

pub use cycle::{Capacity, Controller, DataOptions, Parts, View};
pub use data::{Counts, DataError, StaticData};
pub use decide::{Decision, Solve, decide};
pub use fleet::{Entry, Fleet, Footprint, Here, fleet};
pub use invoke::{Invoker, NotNow};
pub use leader::{Candidate, ElectionOptions};
pub use memory::{Memory, Stability};
pub use metrics::Metrics;
pub use optimizer::{OptimizeError, Optimizer, Placed, Remote, Solution, planner_options};
pub use parts::{Actuate, Collect, Service};
pub use record::{Applied, Cost, CycleLog, Decided, History, Named, Record, Seconds, Seen};
pub use run::{Clock, run, serve};
