//! `isocost emulate-load`: the loads of managed Deployments wander around their nominal ones.
//!
//! A round lists Deployments and pods, takes each Deployment's load a step further, and applies the
//! load labels to it and to its pods, each of which gets a share. Nominal loads are the labels
//! `inferno.server.load.nominal.*`, or the load that a Deployment was first seen under; they are
//! read, never written. A Deployment or pod that fails is left for the next round.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::{Phases, Walk, pods};
use crate::cluster::{Cluster, ClusterError, Intent, Key, LabelLoad, Managed, describe};

/// Name under which the emulator owns the labels that it sets.
pub const LOAD_MANAGER: &str = "isocost-emulate-load";

/// How loads are emulated.
#[derive(Debug, Clone)]
pub struct LoadSettings {
    /// Namespace whose Deployments are looked at; all of them where there is none.
    pub namespace: Option<String>,
    /// Time between two rounds.
    pub interval: Duration,
    /// How loads wander.
    pub walk: Walk,
    /// How nominal rates change over time.
    pub phases: Phases,
    /// Seed of every random number.
    pub seed: u64,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Deployments whose load was set.
    pub deployments: usize,
    /// Pods whose share was set.
    pub pods: usize,
    /// What went wrong: where, and why.
    pub failed: Vec<(Key, String)>,
}

struct State {
    nominal: LabelLoad,
    current: LabelLoad,
}

/// Loads that are emulated, from round to round.
pub struct LoadEmulator {
    cluster: Cluster,
    settings: LoadSettings,
    states: BTreeMap<(Key, String), State>,
    rng: ChaCha8Rng,
    start: Instant,
}

impl LoadEmulator {
    /// Starts now: phases count from here on.
    pub fn new(cluster: Cluster, settings: LoadSettings) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(settings.seed);
        Self { cluster, settings, states: BTreeMap::new(), rng, start: Instant::now() }
    }

    /// Rounds at the interval, each logged, until `stop`.
    pub async fn until(&mut self, stop: impl Future<Output = ()>) {
        let mut ticks = tokio::time::interval(self.settings.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let rounds = async {
            loop {
                ticks.tick().await;
                if let Err(error) = self.logged_round().await {
                    tracing::warn!(%error, "no round; the next tries again");
                }
            }
        };
        tokio::select! {
            () = rounds => {}
            () = stop => {}
        }
    }

    /// One round, logged.
    ///
    /// # Errors
    /// As [`round`](Self::round).
    pub async fn logged_round(&mut self) -> Result<(), ClusterError> {
        let Round { deployments, pods, failed } = self.round().await?;
        for (key, why) in failed {
            tracing::warn!(%key, why, "load not set; the next round tries again");
        }
        let multiple = self.settings.phases.multiple(self.start.elapsed());
        tracing::info!(deployments, pods, multiple, "loads set");
        Ok(())
    }

    /// One round.
    ///
    /// # Errors
    /// [`ClusterError`] where Deployments or pods cannot be listed: nothing was changed then.
    pub async fn round(&mut self) -> Result<Round, ClusterError> {
        let managed = self.cluster.list().await?.managed;
        let mut pods = pods::list(&self.cluster, self.settings.namespace.as_deref()).await?;
        let present: BTreeSet<_> = managed.iter().map(identity).collect();
        self.states.retain(|known, _| present.contains(known));

        let mut round = Round::default();
        for one in &managed {
            let Some(load) = self.step(one) else { continue };
            let intent = Intent { labels: load.labels(), ..Intent::default() };
            let applied = self.cluster.apply(&one.key, &one.uid, LOAD_MANAGER, true, &intent).await;
            if let Err(error) = applied {
                round.failed.push((one.key.clone(), error.to_string()));
                continue;
            }
            round.deployments += 1;
            let pods = pods.remove(&one.key).unwrap_or_default();
            let shares = self.settings.walk.split(load, pods.len(), &mut self.rng);
            for (pod, share) in pods.iter().zip(shares) {
                let labels = pods::labels_of(one, share);
                match pods::label(&self.cluster, pod, LOAD_MANAGER, &labels).await {
                    Ok(()) => round.pods += 1,
                    Err(error) => round.failed.push((pod.key.clone(), describe(&error))),
                }
            }
        }
        Ok(round)
    }

    /// The load of a Deployment a step later; `None` of one that states neither a nominal load nor a
    /// load.
    fn step(&mut self, managed: &Managed) -> Option<LabelLoad> {
        let stated = managed.nominal.or(managed.load)?;
        let current = managed.load.unwrap_or(stated);
        let fresh = State { nominal: stated, current };
        let state = self.states.entry(identity(managed)).or_insert(fresh);
        if let Some(nominal) = managed.nominal {
            state.nominal = nominal;
        }
        let multiple = self.settings.phases.multiple(self.start.elapsed());
        let nominal = LabelLoad { rpm: state.nominal.rpm * multiple, ..state.nominal };
        state.current = self.settings.walk.step(state.current, nominal, &mut self.rng);
        Some(state.current)
    }
}

fn identity(managed: &Managed) -> (Key, String) {
    (managed.key.clone(), managed.uid.clone())
}
