//! Carries a decision out: who is changed first, by how many at a time, and what became of it.
//!
//! ```text
//! Changes -> those that free cards -> those that move -> those that take cards -> Outcome of each
//! ```
//!
//! A change that fails fails alone. Where one that was to free cards fails, those that wait for its
//! cards are put off: they would but make pods that wait, and the next cycle decides anew from what is
//! there.

mod change;
mod ledger;
mod update;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use change::{Allocation, Change, Kind, Marks};
pub use ledger::{Ledger, Use};
pub use update::{UpdateError, changes_of};

use crate::cluster::{ApplyError, CHANGED, Cluster, FIELD_MANAGER, Intent, PLANNED_LOAD, Products};
use crate::labels;

/// How changes are applied.
#[derive(Debug, Clone)]
pub struct ActuateOptions {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Leave it to an autoscaler that reads the metrics.
    pub publish: bool,
    /// What becomes of fields that others own.
    pub ownership: Ownership,
    /// Changes in work at once.
    pub at_once: usize,
    /// Label of nodes by which a pod template selects the accelerator; without it a change of the
    /// accelerator changes labels alone, as in the reference system.
    pub node_selector_key: Option<String>,
    /// GPU products by card type: what the node selector asks for.
    pub products: Products,
}

impl Default for ActuateOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            publish: false,
            ownership: Ownership::default(),
            at_once: 16,
            node_selector_key: None,
            products: Products::default(),
        }
    }
}

/// What becomes of fields that others own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ownership {
    /// They are theirs: the Deployment is left alone.
    #[default]
    Respect,
    /// They are taken over once, of a Deployment that the loop never changed; what others set after that is
    /// theirs.
    TakeOver,
    /// They are taken over whenever somebody else set them.
    Force,
}

impl Ownership {
    /// Whether what others own of a Deployment is taken over, by whether the loop changed it before.
    pub fn takes(self, known: bool) -> bool {
        match self {
            Self::Respect => false,
            Self::TakeOver => !known,
            Self::Force => true,
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is applied.
    Applied,
    /// It would be.
    DryRun,
    /// An autoscaler carries it out, by the metrics.
    Published,
    /// It waits for cards that were to be freed and were not.
    PutOff,
    /// It was not begun: we are not the leader any more.
    Stopped,
    /// It failed.
    Failed(ApplyError),
}

/// A change, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The change.
    pub change: Change,
    /// What became of it.
    pub outcome: Outcome,
}

/// Applies changes.
#[derive(Debug, Clone)]
pub struct Actuator {
    cluster: Cluster,
    options: ActuateOptions,
}

impl Actuator {
    /// On a cluster.
    pub fn new(cluster: Cluster, options: ActuateOptions) -> Self {
        Self { cluster, options }
    }

    /// Applies the changes, those that free cards first; `go_on` is asked before each step.
    pub async fn apply(
        &self,
        changes: Vec<Change>,
        mut ledger: Ledger,
        go_on: impl Fn() -> bool + Sync,
    ) -> Vec<Done> {
        let mut done = Vec::with_capacity(changes.len());
        let mut rest = changes;
        for kind in [Kind::Down, Kind::Move, Kind::Up] {
            let (step, later): (Vec<Change>, Vec<Change>) =
                rest.into_iter().partition(|change| change.kind() == kind);
            let (step, put_off) = ledger.admit(step);
            rest = later;
            done.extend(
                put_off.into_iter().map(|change| Done { change, outcome: Outcome::PutOff }),
            );
            let applied = self.step(step, &go_on).await;
            for Done { change, outcome } in &applied {
                if matches!(outcome, Outcome::Applied | Outcome::DryRun | Outcome::Published) {
                    ledger.book(change);
                }
            }
            done.extend(applied);
        }
        done
    }

    /// Applies changes side by side, and tells their outcomes in the order of the changes.
    async fn step(&self, changes: Vec<Change>, go_on: &(impl Fn() -> bool + Sync)) -> Vec<Done> {
        let places = Arc::new(Semaphore::new(self.options.at_once.max(1)));
        let mut outcomes = vec![Outcome::Stopped; changes.len()];
        let mut running = JoinSet::new();
        for (i, change) in changes.iter().enumerate() {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            if !go_on() {
                break;
            }
            let (this, change) = (self.clone(), change.clone());
            running.spawn(async move {
                let outcome = this.one(&change).await;
                drop(place);
                (i, outcome)
            });
        }
        while let Some(ended) = running.join_next().await {
            // A task that panics is a defect; its change counts as not begun, and comes again.
            if let Ok((i, outcome)) = ended {
                outcomes[i] = outcome;
            }
        }
        let pair = |(change, outcome)| Done { change, outcome };
        changes.into_iter().zip(outcomes).map(pair).collect()
    }

    async fn one(&self, change: &Change) -> Outcome {
        if self.options.dry_run {
            return Outcome::DryRun;
        }
        if self.options.publish {
            return Outcome::Published;
        }
        let intent = self.intent(change);
        let (key, uid) = (&change.key, &change.uid);
        let force = self.options.ownership.takes(change.marks.known);
        match self.cluster.apply(key, uid, FIELD_MANAGER, force, &intent).await {
            Ok(()) => Outcome::Applied,
            Err(error) => Outcome::Failed(error),
        }
    }

    fn intent(&self, change: &Change) -> Intent {
        let to = &change.to;
        let mut intent = Intent { replicas: Some(to.replicas), ..Intent::default() };
        if let Some(accelerator) = &to.accelerator {
            intent.labels.insert(labels::ACCELERATOR.to_owned(), accelerator.clone());
        }
        if let Some(batch) = to.max_batch {
            intent.labels.insert(labels::MAX_BATCH_SIZE.to_owned(), batch.to_string());
        }
        if let Some(load) = &change.planned_for {
            let text = load.annotation(change.marks.measured);
            intent.annotations.insert(PLANNED_LOAD.to_owned(), text);
        }
        let changed = if change.scales() { Some(Timestamp::now()) } else { change.marks.changed };
        if let Some(changed) = changed {
            // Whole seconds: nothing hangs on less.
            let text = format!("{changed:.0}");
            intent.annotations.insert(CHANGED.to_owned(), text);
        }
        if let (Some(key), Some(takes)) = (&self.options.node_selector_key, &change.takes) {
            let product = self.options.products.product(&takes.card_type).to_owned();
            intent.node_selector.insert(key.clone(), product);
        }
        intent
    }
}
