//! What the fleet looks like now: replicas from the Deployments, loads from Prometheus, and from the
//! labels where Prometheus has no data.
//!
//! ```text
//! Deployments, Measured by Deployment -> Observed
//! ```

mod bounded;
mod load;
mod prometheus;
mod queries;
pub mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use bounded::Bounded;
pub use load::{Observation, Source, observe};
pub use prometheus::{Prometheus, PrometheusError, PrometheusOptions};
pub use queries::Grouping;

use crate::cluster::{Cluster, ClusterError, Key, Managed};

/// What was seen of a Deployment's replicas; `None` is no data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Requests that arrive, per minute: those that succeed, and the growth of those that wait.
    pub rpm: Option<f64>,
    /// Mean tokens of a prompt.
    pub in_tokens: Option<f64>,
    /// Mean tokens of an answer.
    pub out_tokens: Option<f64>,
    /// Mean time to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Mean time between tokens, ms.
    pub itl_ms: Option<f64>,
    /// Requests that wait, over all replicas.
    pub waiting: Option<f64>,
    /// Most requests that were in service at once in the window, over all replicas.
    pub running: Option<f64>,
    /// Whether the samples are of a part of the window alone: rates then read low.
    pub part_of_window: bool,
    /// A value that cannot be, in words.
    pub impossible: Option<String>,
}

/// The fleet at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// Servers with the load that they are under, in the order of namespace and name.
    pub servers: Vec<Observation>,
    /// Deployments that are left alone, with the reason.
    pub left_alone: Vec<LeftAlone>,
    /// Those of them whose labels make sense: what runs of them has its cards.
    pub standing: Vec<Managed>,
    /// Whether Prometheus did not answer all that it was asked: labels then stand for what was not
    /// measured, and may be old.
    pub blind: bool,
    /// Time over which rates were taken, where they were measured.
    pub window: Option<Duration>,
    /// What was amiss on the way: Prometheus that did not answer, say.
    pub warnings: Vec<String>,
}

/// A Deployment that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// The Deployment or server.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Reads the fleet.
#[derive(Debug, Clone)]
pub struct Collector {
    cluster: Cluster,
    prometheus: Option<Prometheus>,
}

impl Collector {
    /// Over a cluster; without Prometheus loads come from the labels.
    pub fn new(cluster: Cluster, prometheus: Option<Prometheus>) -> Self {
        Self { cluster, prometheus }
    }

    /// The fleet now.
    ///
    /// # Errors
    /// Where the Deployments cannot be listed. Prometheus that does not answer is a warning.
    pub async fn collect(&self) -> Result<Observed, ClusterError> {
        let measure = async {
            match &self.prometheus {
                Some(prometheus) => prometheus.measure().await,
                None => (BTreeMap::<Key, Measured>::new(), Vec::new()),
            }
        };
        let (listing, (measured, warnings)) = tokio::join!(self.cluster.list(), measure);
        let mut observed = observe(listing?, &measured);
        observed.blind = !warnings.is_empty();
        observed.window = self.prometheus.as_ref().map(Prometheus::window);
        observed.warnings.extend(warnings);
        Ok(observed)
    }
}
