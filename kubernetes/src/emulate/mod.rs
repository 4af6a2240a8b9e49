//! Loads and servers that are not there, so that the whole control loop runs without a GPU.
//!
//! ```text
//! load     nominal labels -> mean-reverting walk, phases -> load labels of Deployments and pods
//! server   labels of a pod -> simulated replica -> vLLM's metrics
//! ```

mod load;
mod phases;
mod podinfo;
mod pods;
mod replica;
mod server;
#[cfg(test)]
mod testing;
mod vllm;
mod walk;

pub use load::{LOAD_MANAGER, LoadEmulator, LoadSettings, Round};
pub use phases::{Phase, Phases, phases, phases_text};
pub use replica::{Assignment, Emulated, NoProfile};
pub use server::{EmulatedServer, ServerSettings, Told};
pub use walk::Walk;
