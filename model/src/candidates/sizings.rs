//! Sizings by what decides them, to be shared within a scenario and over scenarios.
//!
//! A rate depends on service times, tokens, objectives, queue and batch sizes; not on the load, the
//! price or the number of cards. Scenarios that differ in the latter alone share every sizing.

use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::BatchChoice;
use crate::queue::{Objective, Objectives, ServiceModel, Shortfall, Sized, Station};

/// The largest rate, or the objective that is out of reach.
pub(super) type Sizing = Result<Sized, Shortfall>;

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
        let made: Vec<(SizingKey, Sizing)> =
            missing.into_par_iter().with_min_len(8).map(|key| (key, key.size())).collect();
        found.extend(made.iter().copied());
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(made);
        found
    }
}

/// What decides a sizing.
#[derive(Debug, Clone, Copy)]
pub(super) struct SizingKey {
    pub station: Station,
    pub max_batch: u32,
    pub objectives: Objectives,
    pub batch: BatchChoice,
}

impl SizingKey {
    fn size(&self) -> Sizing {
        match self.batch {
            BatchChoice::Max => self.station.size(self.max_batch, &self.objectives),
            BatchChoice::Least { tolerance } => {
                self.station.size_best(self.max_batch, &self.objectives, tolerance)
            }
        }
    }

    fn bits(&self) -> [u64; 21] {
        let (kind, [a, b, c, d, e, f, g]) = match self.station.service {
            ServiceModel::Linear { alpha_ms, beta_ms, gamma_ms, delta_ms } => {
                (0, [alpha_ms, beta_ms, gamma_ms, delta_ms, 0.0, 0.0, 0.0])
            }
            ServiceModel::Iteration { alpha_ms, beta_ms, gamma_ms } => {
                (1, [alpha_ms, beta_ms, gamma_ms, 0.0, 0.0, 0.0, 0.0])
            }
            ServiceModel::Roofline(r) => (
                2,
                [
                    r.alpha_ms,
                    r.beta_ms,
                    r.gamma_ms,
                    r.delta_ms,
                    r.hidden_tokens,
                    r.overhead_ms,
                    r.lag_steps,
                ],
            ),
        };
        let limit = |o: Option<Objective>| o.map_or(f64::NAN, |o| o.limit_ms).to_bits();
        let percent =
            |o: Option<Objective>| o.and_then(|o| o.percentile).unwrap_or(f64::NAN).to_bits();
        let station = &self.station;
        let o = &self.objectives;
        [
            kind,
            a.to_bits(),
            b.to_bits(),
            c.to_bits(),
            d.to_bits(),
            e.to_bits(),
            f.to_bits(),
            g.to_bits(),
            station.input_tokens.to_bits(),
            station.output_tokens.to_bits(),
            station.arrival_scv.to_bits(),
            station.token_scv.to_bits(),
            station.queue_limit.map_or(u64::MAX, u64::from),
            u64::from(self.max_batch),
            limit(o.itl),
            percent(o.itl),
            limit(o.ttft),
            percent(o.ttft),
            o.tokens_per_s.unwrap_or(f64::NAN).to_bits(),
            o.max_loss.to_bits(),
            match self.batch {
                BatchChoice::Max => f64::NAN.to_bits(),
                BatchChoice::Least { tolerance } => tolerance.to_bits(),
            },
        ]
    }
}

impl PartialEq for SizingKey {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for SizingKey {}

impl Hash for SizingKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}
