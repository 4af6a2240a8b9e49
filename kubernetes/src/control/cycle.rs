//! One cycle: see, decide, carry out, write down.
//!
//! ```text
//! collect -> Observed -> Fleet -> Decision -> Done -> Record
//! ```
//!
//! Each part takes the finished value of the one before, and nothing of a cycle lives on but what
//! [`Memory`] holds. So a cycle that is cut off anywhere leaves nothing behind that the next one, which
//! starts from what is there, does not mend.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use isocost_model::candidates::{SizingOptions, Sizings};

use super::data::{DataError, StaticData};
use super::decide::{Decision, decide};
use super::fleet::{Fleet, fleet};
use super::memory::{Memory, Stability};
use super::optimizer::Optimizer;
use super::parts::{Actuate, Collect};
use super::record::Record;
use super::witness::Sight;
use crate::actuate::{Done, Outcome, Ownership};
use crate::cluster::{ApplyError, Cards, Cluster, Products};
use crate::collect::Observed;

/// Sizings that are kept from cycle to cycle at most.
const SIZINGS: usize = 100_000;

/// Where card counts come from.
#[derive(Debug, Clone)]
pub enum Capacity {
    /// The static data's file.
    File,
    /// The nodes' allocatable cards, by product.
    Nodes(Cluster, Products),
}

/// How the static data is read.
#[derive(Debug, Clone)]
pub struct DataOptions {
    /// Its directory.
    pub directory: PathBuf,
    /// Whether it is read anew each cycle; card counts are in any case.
    pub dynamic: bool,
    /// Where card counts come from.
    pub capacity: Capacity,
}

/// What a cycle stands on.
#[derive(Clone)]
pub struct Parts {
    /// Who reads the fleet.
    pub collect: Collect,
    /// Who plans.
    pub optimizer: Optimizer,
    /// Who carries a decision out.
    pub actuate: Actuate,
    /// How the static data is read.
    pub data: DataOptions,
    /// How replicas are sized.
    pub sizing: SizingOptions,
    /// When the loop acts, and when it holds still.
    pub stability: Stability,
    /// What becomes of fields that others own.
    pub ownership: Ownership,
}

impl Parts {
    /// The static data as the optimizer needs it.
    fn static_data(&self) -> Result<StaticData, DataError> {
        let data = StaticData::read(&self.data.directory)?;
        match self.optimizer {
            Optimizer::Local(..) => Ok(data),
            Optimizer::Remote(_) => data.with_sections(),
        }
    }
}

/// Runs cycles.
pub struct Controller {
    parts: Parts,
    data: Mutex<StaticData>,
    memory: Mutex<Memory>,
    sizings: Mutex<Arc<Sizings>>,
}

/// The fleet as it was seen, with what it takes to decide on it.
pub struct View {
    /// The static data, with the card counts of now.
    pub data: StaticData,
    /// The fleet as it was seen.
    pub observed: Observed,
}

impl Controller {
    /// A controller; the static data is read now.
    ///
    /// # Errors
    /// Static data that cannot be read.
    pub fn new(parts: Parts) -> Result<Self, DataError> {
        let data = parts.static_data()?;
        for warning in &data.warnings {
            tracing::warn!("{warning}");
        }
        let data = Mutex::new(data);
        Ok(Self { parts, data, memory: Mutex::default(), sizings: Mutex::default() })
    }

    /// Runs a cycle. `go_on` is asked before each step of carrying it out; `holder` says who we are.
    pub async fn cycle(
        self: &Arc<Self>,
        mut record: Record,
        go_on: impl Fn() -> bool + Sync,
    ) -> Record {
        let start = Instant::now();
        let view = self.observe().await;
        record.seconds.collect = start.elapsed().as_secs_f64();
        match view {
            Ok(view) => self.after(view, &mut record, go_on).await,
            Err(error) => record.errors.push(error),
        }
        record.seconds.total = start.elapsed().as_secs_f64();
        record
    }

    async fn after(
        self: &Arc<Self>,
        view: View,
        record: &mut Record,
        go_on: impl Fn() -> bool + Sync,
    ) {
        record.warnings.clone_from(&view.observed.warnings);
        let start = Instant::now();
        let decided = self.decide(view).await;
        record.seconds.decide = start.elapsed().as_secs_f64();
        let (fleet, decision) = match decided {
            Ok(decided) => decided,
            Err(error) => return record.errors.push(error),
        };
        record.observe(&fleet);
        record.decide(&decision);
        let start = Instant::now();
        let done = self.apply(&fleet, decision, go_on).await;
        record.seconds.apply = start.elapsed().as_secs_f64();
        record.apply(&done);
    }

    /// Reads the fleet, and the static data as far as it may have changed.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn observe(&self) -> Result<View, String> {
        let cards = async {
            match &self.parts.data.capacity {
                Capacity::File => Ok(None),
                Capacity::Nodes(cluster, products) => cluster.cards(products).await.map(Some),
            }
        };
        let (observed, cards) = tokio::join!(self.parts.collect.collect(), cards);
        let data = self.read_data(cards.map_err(|e| e.to_string())?)?;
        Ok(View { data, observed: observed? })
    }

    fn read_data(&self, counted: Option<Cards>) -> Result<StaticData, String> {
        let options = &self.parts.data;
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if options.dynamic {
            *data = self.parts.static_data().map_err(|e| e.to_string())?;
        }
        match counted {
            Some(cards) => Ok(data.with_counted(&cards)),
            None => data.with_fresh_capacity().map_err(|e| e.to_string()),
        }
    }

    /// Decides what is to be changed.
    ///
    /// # Errors
    /// Why nothing can be decided.
    pub async fn decide(self: &Arc<Self>, view: View) -> Result<(Fleet, Decision), String> {
        let (this, runtime) = (Arc::clone(self), tokio::runtime::Handle::current());
        let work = tokio::task::spawn_blocking(move || this.decide_here(&view, &runtime));
        work.await.map_err(|e| format!("deciding failed, a defect of this program: {e}"))?
    }

    fn decide_here(
        &self,
        view: &View,
        runtime: &tokio::runtime::Handle,
    ) -> Result<(Fleet, Decision), String> {
        let Parts { optimizer, sizing, stability, .. } = &self.parts;
        let View { data, observed } = view;
        let now = Instant::now();
        let memory = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.see(&observed.servers, stability.cool_down, now);
            memory.clone()
        };
        let sizings = self.sizings();
        let sight = Sight { observed, memory: &memory, stability, now };
        let mut fleet = fleet(data, sight, (sizing, &sizings));
        self.hold_what_cannot_change(&mut fleet, &memory, now);
        let cooling: BTreeSet<usize> = (0..fleet.entries.len())
            .filter(|&i| {
                let uid = &fleet.entries[i].observation.managed.uid;
                memory.is_cooling(uid, now, stability.cool_down)
            })
            .collect();
        let mut solve = |scenario| optimizer.solve(scenario, data, now.elapsed(), runtime);
        let decision =
            decide(&fleet, &cooling, stability, &mut solve).map_err(|e| e.to_string())?;
        self.remember(&fleet);
        Ok((fleet, decision))
    }

    /// Pins Deployments that others own, or of which a change was refused a moment ago: a plan that counts on
    /// changing them would keep cards from others.
    fn hold_what_cannot_change(&self, fleet: &mut Fleet, memory: &Memory, now: Instant) {
        let Parts { ownership, stability, .. } = &self.parts;
        for entry in &mut fleet.entries {
            let managed = &entry.observation.managed;
            let again = stability.cool_down;
            if let Some(why) = memory.refusal(&managed.uid, now, again) {
                let why = format!("{why}; it is tried again {} s after that", again.as_secs());
                entry.hold(&why);
            } else if stability.keeps {
                // The replicas are the autoscaler's.
                if managed.accelerator.is_none() {
                    let label = crate::labels::ACCELERATOR;
                    entry.hold(&format!(
                        "nothing says where it runs, and nothing moves it: set its label {label}"
                    ));
                }
            } else if let Some(theirs) = managed.owners.contested()
                && !ownership.takes(managed.owners.known)
            {
                let remedy = "have them leave these fields out, or start with --take-over";
                entry.hold(&format!("{theirs}: {remedy}"));
            }
        }
    }

    fn sizings(&self) -> Arc<Sizings> {
        let mut sizings = self.sizings.lock().unwrap_or_else(PoisonError::into_inner);
        if sizings.len() > SIZINGS {
            *sizings = Arc::default();
        }
        Arc::clone(&sizings)
    }

    fn remember(&self, fleet: &Fleet) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let uids = fleet.entries.iter().map(|e| e.observation.managed.uid.as_str()).collect();
        memory.keep_only(&uids);
        for entry in fleet.entries.iter().filter(|entry| !entry.unsure) {
            memory.plan(&entry.observation, entry.load);
        }
    }

    /// Carries a decision out.
    pub async fn apply(
        &self,
        fleet: &Fleet,
        decision: Decision,
        go_on: impl Fn() -> bool + Sync,
    ) -> Vec<Done> {
        let done = self.parts.actuate.apply(decision.changes, fleet.ledger.clone(), go_on).await;
        let now = Instant::now();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        for Done { change, outcome } in &done {
            match outcome {
                Outcome::Applied if change.scales() => memory.changed(&change.uid, now),
                Outcome::Failed(error @ (ApplyError::Conflict(_) | ApplyError::Refused(_))) => {
                    memory.refused(&change.uid, &error.to_string(), now);
                }
                _ => {}
            }
        }
        done
    }
}
