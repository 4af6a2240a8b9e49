//! The labels by which a Deployment says that it is managed, what it serves and under what load.
//!
//! They are the reference system's, so that its Deployments are managed unchanged.

/// `"true"` on a Deployment that the control loop may scale.
pub const MANAGED: &str = "inferno.server.managed";
/// Name of the server; the Deployment's own where it is absent.
pub const NAME: &str = "inferno.server.name";
/// Model that the server serves.
pub const MODEL: &str = "inferno.server.model";
/// Service class; [`DEFAULT_CLASS`] where it is absent.
pub const CLASS: &str = "inferno.server.class";
/// Accelerator that a replica runs on.
pub const ACCELERATOR: &str = "inferno.server.allocation.accelerator";
/// Requests that a replica batches at most.
pub const MAX_BATCH_SIZE: &str = "inferno.server.allocation.maxbatchsize";
/// Arrival rate, requests per minute.
pub const LOAD_RPM: &str = "inferno.server.load.rpm";
/// Mean tokens of a request.
pub const LOAD_IN_TOKENS: &str = "inferno.server.load.intokens";
/// Mean tokens of an answer.
pub const LOAD_OUT_TOKENS: &str = "inferno.server.load.outtokens";
/// Fewest replicas, also at zero load.
pub const MIN_REPLICAS: &str = "inferno.server.minreplicas";
/// Most replicas.
pub const MAX_REPLICAS: &str = "inferno.server.maxreplicas";
/// `"true"` where the server has to stay on its accelerator.
pub const KEEP_ACCELERATOR: &str = "inferno.server.keepaccelerator";

/// Arrival rate that an emulated load wanders around, requests per minute.
pub const NOMINAL_RPM: &str = "inferno.server.load.nominal.rpm";
/// Mean tokens of a request that an emulated load wanders around.
pub const NOMINAL_IN_TOKENS: &str = "inferno.server.load.nominal.intokens";
/// Mean tokens of an answer that an emulated load wanders around.
pub const NOMINAL_OUT_TOKENS: &str = "inferno.server.load.nominal.outtokens";

/// Service class of a Deployment that names none.
pub const DEFAULT_CLASS: &str = "Free";
