//! The control loop on Kubernetes, and what stands in for a fleet where there is none.
//!
//! ```text
//! control   Deployments + Prometheus -> collect -> scenario -> plan -> actuate   one cycle
//! emulate   nominal load -> load labels; simulated replicas -> vLLM's metrics    no GPU needed
//! ```
//!
//! Listening, health and planning are `isocost_serve`'s. The binary takes this crate in by the feature `kubernetes`.

pub mod actuate;
pub mod cluster;
pub mod collect;
pub mod control;
pub mod emulate;
pub mod labels;
