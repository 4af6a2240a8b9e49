//! The planner as an HTTP service, and the control loop on Kubernetes.
//!
//! ```text
//! serve     scenario (JSON) -> Scenario -> Candidates -> Plan -> JSON            one request
//! control   Deployments + Prometheus -> collect -> scenario -> plan -> actuate   one cycle
//! emulate   nominal load -> load labels; simulated replicas -> vLLM's metrics    no GPU needed
//! ```
//!
//! The offline tool does without this crate: the binary takes it in by the feature `service`.
//! What the field's reference system calls its parts (optimizer, collector, actuator, controller)
//! keeps those names here, and its clients keep working.

pub mod actuate;
pub mod cluster;
pub mod collect;
pub mod control;
pub mod emulate;
pub mod http;
mod json;
pub mod labels;
pub mod logging;
pub mod planning;
pub mod runtime;
pub mod serve;
