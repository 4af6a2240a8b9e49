//! Percentiles of a plan's latencies, which take a thousand times as long as its means: replicas that are alike share them.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::candidates::ReplicaKey;
use crate::plan::{Part, Plan};
use crate::queue::{Analysis, Objectives};

/// The percentile that is written down.
const PERCENT: f64 = 95.0;

/// A replica and its requests/s.
type Key = (ReplicaKey, u64);

/// Percentiles of every part of a plan.
pub(super) struct Tails(FxHashMap<Key, Tail>);

/// The 95th percentiles of a replica's latencies, ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// Time per output token, over requests.
    pub tpot_ms: f64,
    /// Time to the first token.
    pub ttft_ms: f64,
    /// Time to the last token.
    pub e2e_ms: f64,
}

impl Tails {
    /// Of a plan, each once.
    pub fn of(plan: &Plan) -> Self {
        let parts = plan.placements.iter().flat_map(|placement| &placement.parts);
        let predicted = parts.filter_map(|part| part.predicted);
        let mut seen = FxHashSet::default();
        let distinct: Vec<Analysis> = predicted.filter(|a| seen.insert(key(a))).collect();
        let tail = |a: Analysis| {
            let tail = Tail {
                tpot_ms: a.tpot_percentile_ms(PERCENT),
                ttft_ms: a.ttft_percentile_ms(PERCENT),
                e2e_ms: a.e2e_percentile_ms(PERCENT),
            };
            (key(&a), tail)
        };
        Self(distinct.into_par_iter().map(tail).collect())
    }

    /// Those of a part; `None` where nothing is predicted of it.
    pub fn of_part(&self, part: &Part) -> Option<Tail> {
        self.0.get(&key(part.predicted.as_ref()?)).copied()
    }
}

fn key(a: &Analysis) -> Key {
    (ReplicaKey::new(a.station, a.batch, Objectives::none()), a.rate_per_s.to_bits())
}
