//! The control loop: sees the fleet, plans it, and changes what is worth it, cycle after cycle.
//!
//! ```text
//! collect -> Observed -> Fleet -> Decision -> Done -> Record
//! memory: what each server is planned for, and when it was changed
//! ```

mod bound;
mod cards;
mod cycle;
mod dashboard;
mod data;
mod decide;
mod entry;
mod fleet;
mod invoke;
mod leader;
mod memory;
mod metrics;
mod optimizer;
mod parts;
mod place;
mod record;
mod remote;
pub mod routes;
mod run;
mod summary;
mod system;
#[cfg(test)]
mod tests;
mod witness;

pub use cycle::{Capacity, Controller, DataOptions, Parts, View};
pub use data::{Counts, DataError, StaticData};
pub use decide::{Decision, Solve, decide};
pub use entry::{Entry, Footprint, Here};
pub use fleet::{Fleet, fleet};
pub use invoke::{Invoker, NotNow};
pub use leader::{Candidate, ElectionOptions};
pub use memory::{Memory, Planned, Stability};
pub use metrics::Metrics;
pub use optimizer::{OptimizeError, Optimizer, Placed, Solution, planner_options};
pub use parts::{Actuate, Collect, Service};
pub use record::{Applied, Cost, CycleLog, Decided, History, Named, Record, Seconds, Seen};
pub use remote::Remote;
pub use run::{Clock, run, serve};
pub use witness::{Believed, Sight};
