//! What the loop remembers from cycle to cycle, so that it holds still while little changes.
//!
//! **The dead band.** The load `P` that a server is planned for stays until the load that is seen
//! leaves the band `[P (1 - b), P (1 + b)]`, in its rate or its tokens; then `P` is what is seen. With
//! `P` as it was, the planning problem is as it was, and so is its answer: see `decide`.
//!
//! **The cool-down.** A server that was changed is not changed again for its cost before a while is
//! over. Time is the monotonic clock's: no change of the wall clock touches it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::cluster::LabelLoad;
use crate::collect::{Observation, Source};

/// When the loop acts, and when it holds still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// Share of a load that is planned for beside it.
    pub headroom: f64,
    /// Half-width `b` of the dead band, as a share.
    pub band: f64,
    /// Least saving, as a share of what the changed servers cost, that is worth a change.
    pub saving: f64,
    /// How long a server that was changed is left alone, unless it falls short.
    pub cool_down: Duration,
    /// Fewest replicas of a Deployment that does not say.
    pub min_replicas: u32,
}

impl Default for Stability {
    fn default() -> Self {
        Self {
            headroom: 0.1,
            band: 0.1,
            saving: 0.05,
            cool_down: Duration::from_secs(300),
            min_replicas: 1,
        }
    }
}

/// What is remembered of servers, by the identity of their Deployments.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    planned: BTreeMap<String, Planned>,
    changed: BTreeMap<String, Instant>,
}

/// The load that a server is planned for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Planned {
    load: LabelLoad,
    measured: bool,
}

impl Memory {
    /// The load to plan a server for. Where Prometheus does not answer (`blind`), a label takes nothing
    /// away from what was measured before: nobody knows whether it still holds.
    pub fn load(&self, observation: &Observation, band: f64, blind: bool) -> LabelLoad {
        let seen = observation.load;
        let managed = &observation.managed;
        let known = self.planned.get(&managed.uid);
        let Some(planned) = known.map(|p| p.load).or(managed.planned) else { return seen };
        let guess = blind && observation.source == Source::Labels;
        if guess && known.is_some_and(|p| p.measured) && seen.rpm <= planned.rpm * (1.0 + band) {
            return planned;
        }
        if within(planned, seen, band) { planned } else { seen }
    }

    /// Remembers what a server was planned for.
    pub fn plan(&mut self, observation: &Observation, load: LabelLoad) {
        let uid = observation.managed.uid.clone();
        // A load that a label did not touch is what it was.
        let kept = self.planned.get(&uid).is_some_and(|p| p.measured && p.load == load);
        let measured = kept || observation.source != Source::Labels;
        self.planned.insert(uid, Planned { load, measured });
    }

    /// Remembers that a Deployment was changed.
    pub fn changed(&mut self, uid: &str, now: Instant) {
        self.changed.insert(uid.to_owned(), now);
    }

    /// Whether a Deployment was changed less than `cool_down` ago.
    pub fn is_cooling(&self, uid: &str, now: Instant, cool_down: Duration) -> bool {
        let since = self.changed.get(uid).map(|then| now.saturating_duration_since(*then));
        since.is_some_and(|since| since < cool_down)
    }

    /// Forgets all but these Deployments.
    pub fn keep_only(&mut self, uids: &BTreeSet<&str>) {
        self.planned.retain(|uid, _| uids.contains(uid.as_str()));
        self.changed.retain(|uid, _| uids.contains(uid.as_str()));
    }
}

/// Whether a load is within the band around what is planned for. A rate of 0 has no tokens.
fn within(planned: LabelLoad, seen: LabelLoad, band: f64) -> bool {
    let close = |planned: f64, seen: f64| (seen - planned).abs() <= planned * band * (1.0 + 1e-9);
    if planned.rpm == 0.0 || seen.rpm == 0.0 {
        return planned.rpm == seen.rpm;
    }
    close(planned.rpm, seen.rpm)
        && close(planned.in_tokens, seen.in_tokens)
        && close(planned.out_tokens, seen.out_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Key, Managed};
    use crate::collect::Measured;

    fn seen(rpm: f64, source: Source) -> Observation {
        let managed = Managed {
            key: Key { namespace: "n".to_owned(), name: "d".to_owned() },
            uid: "u".to_owned(),
            server: "s".to_owned(),
            model: "m".to_owned(),
            class: "c".to_owned(),
            replicas: 1,
            ready: 1,
            ..Managed::default()
        };
        let load = LabelLoad { rpm, in_tokens: 100.0, out_tokens: 200.0 };
        Observation { managed, load, source, measured: Measured::default() }
    }

    #[test]
    fn a_load_within_the_band_is_planned_for_as_before() {
        let mut memory = Memory::default();
        let first = seen(100.0, Source::Measured);
        assert_eq!(memory.load(&first, 0.1, false).rpm, 100.0);
        memory.plan(&first, first.load);
        for rpm in [90.0, 95.0, 110.0] {
            assert_eq!(memory.load(&seen(rpm, Source::Measured), 0.1, false).rpm, 100.0);
        }
        for rpm in [0.0, 89.0, 111.0, 130.0] {
            assert_eq!(memory.load(&seen(rpm, Source::Measured), 0.1, false).rpm, rpm);
        }
        let mut longer = seen(100.0, Source::Measured);
        longer.load.out_tokens = 300.0;
        assert_eq!(memory.load(&longer, 0.1, false).out_tokens, 300.0);
    }

    #[test]
    fn without_prometheus_labels_raise_a_load_and_do_not_lower_it() {
        let mut memory = Memory::default();
        let first = seen(100.0, Source::Measured);
        memory.plan(&first, first.load);
        let label = |rpm| seen(rpm, Source::Labels);
        assert_eq!(memory.load(&label(10.0), 0.1, true).rpm, 100.0);
        assert_eq!(memory.load(&label(200.0), 0.1, true).rpm, 200.0);
        assert_eq!(memory.load(&label(10.0), 0.1, false).rpm, 10.0, "no data is an answer");
        // It stays a measured load over several blind cycles.
        memory.plan(&label(10.0), first.load);
        assert_eq!(memory.load(&label(10.0), 0.1, true).rpm, 100.0);
    }

    #[test]
    fn the_annotation_stands_in_for_a_memory_that_is_lost() {
        let mut observation = seen(95.0, Source::Labels);
        observation.managed.planned = Some(LabelLoad { rpm: 100.0, ..observation.load });
        assert_eq!(Memory::default().load(&observation, 0.1, false).rpm, 100.0);
    }

    #[test]
    fn a_cool_down_ends_and_what_is_gone_is_forgotten() {
        let mut memory = Memory::default();
        let (start, pause) = (Instant::now(), Duration::from_secs(60));
        memory.changed("u", start);
        assert!(memory.is_cooling("u", start + Duration::from_secs(59), pause));
        assert!(!memory.is_cooling("u", start + pause, pause));
        assert!(!memory.is_cooling("v", start, pause));
        memory.keep_only(&BTreeSet::new());
        assert!(!memory.is_cooling("u", start, pause));
    }
}
