//! The Kubernetes cluster, as far as the control loop sees it: Deployments whose labels say what
//! they serve, the cards of its nodes, and one way to change a Deployment.
//!
//! ```text
//! list    Deployments labelled inferno.server.managed=true  -> Managed, or what is wrong with its labels
//! cards   nodes' allocatable nvidia.com/gpu by product       -> cards of each type
//! apply   Intent (the whole of what we own)                  -> server-side apply, or ApplyError
//! ```
//!
//! Server-side apply takes away what a manager owned and no longer names. So an [`Intent`] always
//! carries everything that its manager owns; there is no such thing as "set the replicas alone".

mod apply;
mod client;
mod deployment;
mod nodes;
mod owners;
mod token;

pub use apply::{ApplyError, Intent, describe, one_line};
pub(crate) use client::pages;
pub use client::{Access, Cluster, ClusterError, Listing, Rejected};
pub use deployment::{CHANGED, Key, LabelLoad, LabelProblem, Managed, PLANNED_LOAD, number};
pub use nodes::{Cards, Products};
pub use owners::Owners;

/// Name under which the control loop owns what it sets.
pub const FIELD_MANAGER: &str = "isocost";
