//! Loads and servers that are not there, so that the whole control loop runs without a GPU.
//!
//! ```text
//! load     nominal labels -> mean-reverting walk, phases -> load labels of Deployments and pods
//! server   labels of a pod -> simulated replica -> vLLM's metrics
//! ```

mod phases;
mod walk;

pub use phases::{Phase, Phases, phases, phases_text};
pub use walk::{Load, Walk};
