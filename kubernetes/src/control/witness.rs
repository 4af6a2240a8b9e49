//! Whether a load that fell is believed.
//!
//! What rises is planned for at once. What falls takes replicas away, and measurements fail downwards: an
//! exporter that is gone, a window that is not full, a counter that was reset all read as less. So while
//! there is a doubt, what a server was planned for before stands as a floor; where nobody knows what that
//! was, the server gets no smaller and stays where it is.
//!
//! ```text
//! doubt                                                        until
//! a label stands in for a load that was measured               it is measured again
//! Prometheus did not answer, and nobody knows what was before  it answers
//! samples are of a part of the window                          they are of the whole
//! a replica became ready a moment ago                          it has settled
//! the rate reads 0, and requests run, wait, or nobody knows    none runs or waits, or two windows have passed
//! all loads read 0, and some did not before: for every server  one does not, or --believe-zero
//! ```

use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::memory::{Memory, Stability};
use crate::cluster::LabelLoad;
use crate::collect::{Observation, Observed, Source};

/// Window that is taken for granted where a collector does not name one.
const WINDOW: Duration = Duration::from_secs(120);

/// What is planned for of what was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// The load.
    pub load: LabelLoad,
    /// Whether it was measured, now or before.
    pub measured: bool,
    /// Why less than this is not believed.
    pub doubt: Option<String>,
    /// Whether the server may get no smaller and has to stay where it is: nobody knows what it needs.
    pub stays: bool,
}

/// What is seen of a fleet at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The fleet.
    pub observed: &'a Observed,
    /// What is remembered of it.
    pub memory: &'a Memory,
    /// When the loop acts, and when it holds still.
    pub stability: &'a Stability,
    /// The moment.
    pub now: Instant,
}

impl Sight<'_> {
    /// What is believed of a server's load.
    pub fn believed(&self, observation: &Observation) -> Believed {
        let planned = self.memory.planned(observation);
        let load = self.memory.load(observation, self.stability.band);
        let doubt = self.doubt(observation);
        let (load, stays) = match (&doubt, planned) {
            (None, _) => (load, false),
            (Some(_), Some(planned)) => (heavier(planned.load, load), false),
            (Some(_), None) => (load, true),
        };
        let measured = observation.source != Source::Labels
            || planned.is_some_and(|planned| planned.measured && planned.load == load);
        let doubt = doubt.filter(|_| stays || load != observation.load);
        Believed { load, measured, doubt, stays }
    }

    /// Whether a server has had no load for long enough to lose its last replica.
    pub fn is_idle(&self, uid: &str) -> bool {
        self.memory.zero_for(uid, self.now).is_some_and(|zero| zero >= self.stability.idle)
    }

    fn doubt(&self, observation: &Observation) -> Option<String> {
        let Observation { managed, load, source, measured } = observation;
        let planned = self.memory.planned(observation);
        if *source == Source::Labels {
            // Where nobody measures, labels are all that there is.
            let asked = self.observed.window.is_some();
            let was_measured = asked && planned.is_some_and(|planned| planned.measured);
            let what = match (was_measured, self.observed.blind && planned.is_none()) {
                (true, _) => "Prometheus has no data for it now, and its load was measured before",
                (_, true) => "Prometheus did not answer all that it was asked",
                _ => return None,
            };
            return Some(format!("{what}: labels take nothing away"));
        }
        if measured.part_of_window {
            return Some(
                "the window of its rates is not full yet: some of its pods, or Prometheus, are new, or \
                 --prometheus-window is less than four times the time between two scrapes"
                    .to_owned(),
            );
        }
        if self.memory.is_settling(&managed.uid, self.now, self.stability.settle) {
            return Some("some of its replicas became ready a moment ago".to_owned());
        }
        let had_load = planned.is_none_or(|planned| planned.load.rpm > 0.0);
        if load.rpm > 0.0 || !had_load {
            return None;
        }
        self.unwitnessed(observation)
    }

    /// Why a rate of 0 is not believed.
    fn unwitnessed(&self, observation: &Observation) -> Option<String> {
        let Observation { managed, measured, .. } = observation;
        let [running, waiting] = [measured.running, measured.waiting];
        let busy = running.unwrap_or(0.0) + waiting.unwrap_or(0.0);
        if busy > 0.0 {
            return Some(format!("its rate reads 0, and {busy} requests are in service or wait"));
        }
        let windows = self.observed.window.unwrap_or(WINDOW) * 2;
        let zero = self.memory.zero_for(&managed.uid, self.now).unwrap_or_default();
        let seconds = windows.as_secs();
        (running.is_none() && zero < windows).then(|| {
            format!("its rate reads 0, and nothing else says so: it has to for {seconds} s")
        })
    }
}

/// Holds everything where all loads read 0 and some did not before.
pub fn all_zero(fleet: &mut Fleet, sight: Sight<'_>) {
    let servers = &sight.observed.servers;
    let seen = servers.iter().any(|o| o.load.rpm > 0.0);
    let had_load = |o: &&Observation| match sight.memory.planned(o) {
        Some(planned) => planned.load.rpm > 0.0,
        None => o.managed.replicas > o.managed.min_replicas.unwrap_or(1),
    };
    let before = servers.iter().filter(had_load).count();
    // A single server may well have nothing to do: its own witnesses are enough.
    if sight.stability.believe_zero || seen || before == 0 || servers.len() < 2 {
        return;
    }
    let reason = format!(
        "all {} loads read 0, and {before} did not before: nothing is changed; mend what measures them, or start \
         with --believe-zero where the whole fleet may be idle",
        servers.len()
    );
    for entry in &mut fleet.entries {
        entry.hold(&reason);
        entry.unsure = true;
    }
    fleet.warnings.push(reason);
}

/// The heavier of two loads: the one that brings more tokens of prompts and of answers; where neither does,
/// the larger of each quantity.
pub fn heavier(a: LabelLoad, b: LabelLoad) -> LabelLoad {
    let work = |load: LabelLoad| [load.rpm * load.in_tokens, load.rpm * load.out_tokens];
    let (of_a, of_b) = (work(a), work(b));
    let covers = |x: [f64; 2], y: [f64; 2]| x[0] >= y[0] && x[1] >= y[1];
    match (covers(of_b, of_a), covers(of_a, of_b)) {
        (true, false) => b,
        (false, true) => a,
        (_, _) => larger(a, b),
    }
}

fn larger(a: LabelLoad, b: LabelLoad) -> LabelLoad {
    LabelLoad {
        rpm: a.rpm.max(b.rpm),
        in_tokens: a.in_tokens.max(b.in_tokens),
        out_tokens: a.out_tokens.max(b.out_tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Managed;
    use crate::collect::Measured;

    const PLANNED: LabelLoad = LabelLoad { rpm: 100.0, in_tokens: 128.0, out_tokens: 256.0 };

    fn seen(rpm: f64, source: Source, measured: Measured) -> Observation {
        let managed = Managed { uid: "u".to_owned(), replicas: 4, ready: 4, ..Managed::default() };
        Observation { managed, load: LabelLoad { rpm, ..PLANNED }, source, measured }
    }

    fn running(n: f64) -> Measured {
        Measured { running: Some(n), ..Measured::default() }
    }

    /// What is believed of a server that was planned for 100 requests a minute, by a measurement.
    fn believed(observation: &Observation, cycles: u32, known: bool) -> Believed {
        let (mut memory, start) = (Memory::default(), Instant::now());
        if known {
            memory.plan(&seen(100.0, Source::Measured, running(1.0)), PLANNED);
        }
        let minute = Duration::from_secs(60);
        let servers = [observation.clone()];
        for cycle in 0..cycles {
            memory.see(&servers, minute, start + minute * cycle);
        }
        let window = Some(WINDOW);
        let observed = Observed { servers: servers.into(), window, ..Observed::default() };
        let (stability, now) = (Stability::default(), start + minute * (cycles - 1));
        let sight = Sight { observed: &observed, memory: &memory, stability: &stability, now };
        sight.believed(observation)
    }

    #[test]
    fn a_rate_of_0_needs_a_second_witness() {
        let zero = |measured| seen(0.0, Source::Measured, measured);
        for (observation, cycles, holds) in [
            (zero(Measured::default()), 1, true),
            (zero(Measured::default()), 4, true),
            (zero(Measured::default()), 5, false),
            (zero(running(3.0)), 1, true),
            (zero(running(3.0)), 100, true),
            (zero(running(0.0)), 1, false),
            (zero(Measured { waiting: Some(2.0), ..running(0.0) }), 9, true),
        ] {
            let found = believed(&observation, cycles, true);
            assert_eq!(found.doubt.is_some(), holds, "{observation:?} {cycles}");
            assert_eq!(found.load.rpm, if holds { 100.0 } else { 0.0 });
            assert!(!found.stays);
            assert_eq!(believed(&observation, cycles, false).stays, holds);
        }
    }

    #[test]
    fn what_falls_is_not_believed_while_there_is_a_doubt_and_what_rises_is() {
        let part = || Measured { part_of_window: true, ..running(5.0) };
        let doubtful = |rpm| {
            [seen(rpm, Source::Measured, part()), seen(rpm, Source::Labels, Measured::default())]
        };
        for observation in doubtful(69.0) {
            let found = believed(&observation, 1, true);
            assert_eq!(found.load, PLANNED, "{observation:?}");
            assert!(found.doubt.is_some());
        }
        for observation in doubtful(140.0) {
            assert_eq!(believed(&observation, 1, true).load.rpm, 140.0);
        }
        let full = seen(69.0, Source::Measured, running(5.0));
        assert_eq!(believed(&full, 1, true).load.rpm, 69.0);
        // A label that nobody ever measured against is an answer.
        assert!(!believed(&seen(5.0, Source::Labels, Measured::default()), 1, false).stays);
    }
}
