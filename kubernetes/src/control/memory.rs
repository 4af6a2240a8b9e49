//! What the loop remembers from cycle to cycle, so that it holds still while little changes.
//!
//! **The dead band.** The load `P` that a server is planned for stays until the load that is seen
//! leaves the band `[P (1 - b), P (1 + b)]`, in its rate or its tokens; then `P` is what is seen. With
//! `P` as it was, the planning problem is as it was, and so is its answer: see `decide`.
//!
//! **The cool-down.** A server that was changed is not changed again for its cost before a while is
//! over. Time is the monotonic clock's: no change of the wall clock touches it.
//!
//! **A restart.** `P`, whether it was measured, and the time of the last change are annotations of the
//! Deployment, written with the change itself. They are read where this process knows nothing yet; there
//! alone the wall clock has a say, and whatever it says, no more than one cool-down hangs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;

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
    /// Share of its replicas that a server loses in a cycle at most.
    pub most_change: f64,
    /// Replicas that a server has at most after a cycle, as a multiple of those that it had.
    pub most_growth: f64,
    /// How long a load has to be 0 before the last replica goes.
    pub idle: Duration,
    /// How long after a replica became ready measurements take nothing away.
    pub settle: Duration,
    /// Whether a fleet whose loads all read 0 may be idle.
    pub believe_zero: bool,
    /// Whether servers stay on their accelerators: an autoscaler that acts moves nothing.
    pub keeps: bool,
}

impl Default for Stability {
    fn default() -> Self {
        Self {
            headroom: 0.1,
            band: 0.1,
            saving: 0.05,
            cool_down: Duration::from_secs(300),
            min_replicas: 1,
            most_change: 0.5,
            most_growth: 10.0,
            idle: Duration::from_secs(600),
            settle: Duration::ZERO,
            believe_zero: false,
            keeps: false,
        }
    }
}

/// What is remembered of servers, by the identity of their Deployments.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    planned: BTreeMap<String, Planned>,
    changed: BTreeMap<String, Instant>,
    refused: BTreeMap<String, (Instant, String)>,
    seen: BTreeMap<String, Seen>,
}

/// What was seen of a server over cycles.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Replicas that were ready.
    ready: u32,
    /// When there were more of them than before.
    grew: Option<Instant>,
    /// Since when its rate reads 0.
    zero: Option<Instant>,
}

/// The load that a server is planned for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    /// The load.
    pub load: LabelLoad,
    /// Whether it was measured.
    pub measured: bool,
}

impl Memory {
    /// Notes what is seen of servers, before anything is decided.
    pub fn see(&mut self, servers: &[Observation], cool_down: Duration, now: Instant) {
        let wall = Timestamp::now();
        for Observation { managed, load, .. } in servers {
            let uid = &managed.uid;
            let before = self.seen.get(uid);
            if let (None, Some(changed)) = (before, managed.changed) {
                // A time that is still to come is now.
                let age = Duration::try_from(wall.duration_since(changed)).unwrap_or_default();
                if let Some(then) = now.checked_sub(age).filter(|_| age < cool_down) {
                    self.changed.insert(uid.clone(), then);
                }
            }
            let grew = match before {
                Some(before) if managed.ready > before.ready => Some(now),
                before => before.and_then(|before| before.grew),
            };
            let zero = before.and_then(|before| before.zero).unwrap_or(now);
            let zero = (load.rpm == 0.0).then_some(zero);
            self.seen.insert(uid.clone(), Seen { ready: managed.ready, grew, zero });
        }
    }

    /// How long a server's rate has read 0; `None` where it does not.
    pub fn zero_for(&self, uid: &str, now: Instant) -> Option<Duration> {
        let since = self.seen.get(uid)?.zero?;
        Some(now.saturating_duration_since(since))
    }

    /// Whether a replica of a server became ready less than a while ago.
    pub fn is_settling(&self, uid: &str, now: Instant, settle: Duration) -> bool {
        let grew = self.seen.get(uid).and_then(|seen| seen.grew);
        grew.is_some_and(|then| now.saturating_duration_since(then) < settle)
    }

    /// What a server is planned for, by this process or by one before it.
    pub fn planned(&self, observation: &Observation) -> Option<Planned> {
        let managed = &observation.managed;
        let written = managed.planned;
        let written = written.map(|load| Planned { load, measured: managed.planned_measured });
        self.planned.get(&managed.uid).copied().or(written)
    }

    /// The load to plan a server for: what it is planned for while what is seen stays within the band.
    pub fn load(&self, observation: &Observation, band: f64) -> LabelLoad {
        let seen = observation.load;
        match self.planned(observation) {
            Some(planned) if within(planned.load, seen, band) => planned.load,
            _ => seen,
        }
    }

    /// Remembers what a server was planned for.
    pub fn plan(&mut self, observation: &Observation, load: LabelLoad) {
        let uid = observation.managed.uid.clone();
        // A load that a label did not touch is what it was.
        let kept = self.planned(observation).is_some_and(|p| p.measured && p.load == load);
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

    /// Remembers that the API server refused a change of a Deployment.
    pub fn refused(&mut self, uid: &str, reason: &str, now: Instant) {
        self.refused.insert(uid.to_owned(), (now, reason.to_owned()));
    }

    /// Why a Deployment cannot be changed: a change was refused less than a while ago.
    pub fn refusal(&self, uid: &str, now: Instant, again: Duration) -> Option<&str> {
        let (then, reason) = self.refused.get(uid)?;
        (now.saturating_duration_since(*then) < again).then_some(reason)
    }

    /// Forgets all but these Deployments.
    pub fn keep_only(&mut self, uids: &BTreeSet<&str>) {
        self.planned.retain(|uid, _| uids.contains(uid.as_str()));
        self.changed.retain(|uid, _| uids.contains(uid.as_str()));
        self.refused.retain(|uid, _| uids.contains(uid.as_str()));
        self.seen.retain(|uid, _| uids.contains(uid.as_str()));
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
        assert_eq!(memory.load(&first, 0.1).rpm, 100.0);
        memory.plan(&first, first.load);
        for rpm in [90.0, 95.0, 110.0] {
            assert_eq!(memory.load(&seen(rpm, Source::Measured), 0.1).rpm, 100.0);
        }
        for rpm in [0.0, 89.0, 111.0, 130.0] {
            assert_eq!(memory.load(&seen(rpm, Source::Measured), 0.1).rpm, rpm);
        }
        let mut longer = seen(100.0, Source::Measured);
        longer.load.out_tokens = 300.0;
        assert_eq!(memory.load(&longer, 0.1).out_tokens, 300.0);
    }

    #[test]
    fn the_annotation_stands_in_for_a_memory_that_is_lost() {
        let mut observation = seen(95.0, Source::Labels);
        observation.managed.planned = Some(LabelLoad { rpm: 100.0, ..observation.load });
        assert_eq!(Memory::default().load(&observation, 0.1).rpm, 100.0);
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
    #[test]
    fn a_cool_down_and_a_floor_survive_a_restart() {
        let pause = Duration::from_secs(300);
        let now = Instant::now() + Duration::from_secs(3_600);
        let wall = Timestamp::now();
        let ago = |seconds: i64| wall - jiff::SignedDuration::from_secs(seconds);
        for (changed, cooling) in [(10, true), (290, true), (310, false), (1_000_000, false)] {
            let mut observation = seen(100.0, Source::Measured);
            observation.managed.changed = Some(ago(changed));
            let mut memory = Memory::default();
            memory.see(&[observation], pause, now);
            assert_eq!(memory.is_cooling("u", now, pause), cooling, "{changed} s ago");
        }
        // A clock that was wrong makes one cool-down of it, and no more.
        let mut observation = seen(100.0, Source::Measured);
        observation.managed.changed = Some(ago(-1_000_000));
        let mut memory = Memory::default();
        memory.see(std::slice::from_ref(&observation), pause, now);
        assert!(memory.is_cooling("u", now, pause));
        assert!(!memory.is_cooling("u", now + pause, pause));
        memory.see(&[observation], pause, now + pause);
        assert!(!memory.is_cooling("u", now + pause, pause), "it is read once");
    }

    #[test]
    fn how_long_a_rate_has_been_0_counts_from_the_first_one() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let minute = Duration::from_secs(60);
        for (i, rpm) in [5.0, 0.0, 0.0, 3.0, 0.0].into_iter().enumerate() {
            let now = start + minute * i as u32;
            memory.see(&[seen(rpm, Source::Measured)], minute, now);
            let expected = [None, Some(Duration::ZERO), Some(minute), None, Some(Duration::ZERO)];
            assert_eq!(memory.zero_for("u", now), expected[i]);
        }
    }

    #[test]
    fn a_replica_that_became_ready_settles_for_a_while() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let minute = Duration::from_secs(60);
        let mut observation = seen(5.0, Source::Measured);
        memory.see(std::slice::from_ref(&observation), minute, start);
        assert!(!memory.is_settling("u", start, minute), "what was there before is not new");
        observation.managed.ready = 2;
        memory.see(&[observation], minute, start + minute);
        assert!(memory.is_settling("u", start + minute, minute));
        assert!(!memory.is_settling("u", start + minute * 2, minute));
    }
}
