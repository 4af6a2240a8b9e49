//! Sizings by what decides them, to be shared within a scenario and over scenarios.
//!
//! A rate depends on service times, tokens, objectives, queue and batch sizes; not on the load, the
//! price or the number of cards. Scenarios that differ in the latter alone share every sizing.

use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{BatchChoice, Reading, SizingOptions};
use crate::queue::stop::{Stop, beneath, pause};
use crate::queue::{Objectives, Shortfall, Sized, Station};
use crate::scenario::{Profile, Server};

/// The largest rate, or the objective that is out of reach.
pub(crate) type Sizing = Result<Sized, Shortfall>;

/// Sizings made so far. Threads may share it: two that miss the same sizing at the same time both
/// make it, and find the same.
#[derive(Debug, Default)]
pub struct Sizings(RwLock<FxHashMap<SizingKey, Sizing>>);

impl Sizings {
    /// Distinct sizings made so far.
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none was made yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sizings of `keys`; those that are missing are made in parallel.
    pub(super) fn of(&self, keys: impl Iterator<Item = SizingKey>) -> FxHashMap<SizingKey, Sizing> {
        let mut found = FxHashMap::default();
        let mut missing = Vec::new();
        // No lock is held while the pool works: a thread that waits for its part may take up other
        // work that wants the lock.
        {
            let mut seen = FxHashSet::default();
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            for key in keys.filter(|key| seen.insert(*key)) {
                match known.get(&key) {
                    Some(sized) => drop(found.insert(key, *sized)),
                    None => missing.push(key),
                }
            }
        }
        if missing.is_empty() {
            return found;
        }
        let stop = Stop::here();
        let size = |key: SizingKey| (key, beneath(stop.clone(), || key.size()));
        let made: Vec<(SizingKey, Sizing)> =
            missing.into_par_iter().with_min_len(8).map(size).collect();
        found.extend(made.iter().copied());
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(made);
        found
    }
}

/// What decides a sizing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SizingKey {
    pub station: Station,
    pub max_batch: u32,
    pub objectives: Objectives,
    pub batch: Search,
}

/// How the batch size of a key is sought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Search {
    /// As the run chooses.
    Run(BatchChoice),
    /// Up to a ceiling, as the reference does where a profile states no lengths.
    Onset,
}

impl Search {
    /// How the batch size of `server` on a profile is sought.
    pub fn of(server: &Server, profile: &Profile, options: &SizingOptions) -> Self {
        let is_ceiling = profile.at_tokens.is_none() && server.max_batch.is_none();
        match options.reading == Reading::Reference && is_ceiling {
            true => Self::Onset,
            false => Self::Run(options.batch),
        }
    }

    /// The batch size up to `most` with its rate.
    pub fn size(self, station: &Station, most: u32, objectives: &Objectives) -> Sizing {
        match self {
            Self::Run(BatchChoice::Max) => station.size(most, objectives),
            Self::Run(BatchChoice::Least { tolerance }) => {
                station.size_best(most, objectives, tolerance)
            }
            Self::Onset => station.size_onset(most, objectives).sized,
        }
    }
}

impl SizingKey {
    fn size(&self) -> Sizing {
        pause();
        self.batch.size(&self.station, self.max_batch, &self.objectives)
    }
}

// A scenario holds no NaN.
impl Eq for SizingKey {}

impl Hash for SizingKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Station { service, queue_limit, reading, engine, .. } = self.station;
        let Station { input_tokens, output_tokens, input_scv, .. } = self.station;
        let Station { arrival_scv, token_scv, prefix_hit_share, .. } = self.station;
        let numbers =
            [input_tokens, output_tokens, arrival_scv, token_scv, input_scv, prefix_hit_share];
        let limits = self.objectives.latencies().map(|(_, objective)| objective.limit_ms);
        for number in service.parameters().into_iter().chain(numbers).chain(limits) {
            // 0 and -0 are equal.
            (number + 0.0).to_bits().hash(state);
        }
        let itl_over = self.objectives.itl_over;
        (queue_limit, reading, engine, itl_over, self.max_batch).hash(state);
    }
}

/// A replica of a batch size with what it has to keep, whatever its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReplicaKey(SizingKey);

impl ReplicaKey {
    /// Of a replica of batch size `batch`.
    pub fn new(station: Station, batch: u32, objectives: Objectives) -> Self {
        let search = Search::Run(BatchChoice::Max);
        Self(SizingKey { station, max_batch: batch, objectives, batch: search })
    }
}
