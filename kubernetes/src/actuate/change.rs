//! A change of one Deployment.

use jiff::Timestamp;

use super::ledger::Use;
use crate::cluster::{Key, LabelLoad, Managed};

/// Where a server runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// Accelerator, where it is known.
    pub accelerator: Option<String>,
    /// Replicas.
    pub replicas: u32,
    /// Requests that a replica batches at most, where it is known.
    pub max_batch: Option<u32>,
}

impl From<&Managed> for Allocation {
    fn from(managed: &Managed) -> Self {
        Self {
            accelerator: managed.accelerator.clone(),
            replicas: managed.replicas,
            max_batch: managed.max_batch,
        }
    }
}

/// What is to be changed of a Deployment, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Server.
    pub server: String,
    /// Its Deployment.
    pub key: Key,
    /// The Deployment's identity.
    pub uid: String,
    /// Where it runs.
    pub from: Allocation,
    /// Where it is to run.
    pub to: Allocation,
    /// Why.
    pub reason: String,
    /// Load that it is planned for.
    pub planned_for: Option<LabelLoad>,
    /// Cards that it has, where they are known.
    pub frees: Option<Use>,
    /// Cards that it will have.
    pub takes: Option<Use>,
    /// What is written beside it.
    pub marks: Marks,
}

/// What a change leaves on its Deployment, and finds there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// Whether the load that is planned for was measured.
    pub measured: bool,
    /// When replicas or accelerator were changed before.
    pub changed: Option<Timestamp>,
    /// Whether the loop changed the Deployment before: what others set since is theirs.
    pub known: bool,
}

impl From<&Managed> for Marks {
    fn from(managed: &Managed) -> Self {
        let Managed { planned_measured: measured, changed, .. } = *managed;
        Self { measured, changed, known: managed.owners.known }
    }
}

/// What a change does to the cards in use: the order in which changes are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It frees cards, or leaves them as they are.
    Down,
    /// It frees some and takes others.
    Move,
    /// It takes cards.
    Up,
}

impl Change {
    /// Whether it changes where the server runs, and not its batch size alone.
    pub fn scales(&self) -> bool {
        self.from.replicas != self.to.replicas || self.from.accelerator != self.to.accelerator
    }

    /// What it does to the cards in use.
    pub fn kind(&self) -> Kind {
        let moves = match (&self.from.accelerator, &self.to.accelerator) {
            // It had no cards that anybody counted, however many replicas it has.
            (None, Some(_)) if self.to.replicas > 0 => return Kind::Up,
            (Some(from), Some(to)) => !from.eq_ignore_ascii_case(to),
            (None, _) | (_, None) => false,
        };
        match (moves, self.to.replicas > self.from.replicas) {
            // Nothing runs there yet, or will any more.
            (true, _) if self.from.replicas == 0 => Kind::Up,
            (true, _) if self.to.replicas == 0 => Kind::Down,
            (true, _) => Kind::Move,
            (false, true) => Kind::Up,
            (false, false) => Kind::Down,
        }
    }
}
