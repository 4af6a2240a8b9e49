//! The backlog as passes begin, and what an arrival waits for.

use super::OneShot;
use super::band::Band;
use crate::queue::engine::counts::Counts;
use crate::queue::engine::spread;
use crate::queue::engine::times::{Mixture, Parts};
use crate::queue::stop::pause;

/// States of the chain at most, and the tail that may be left out, in natural logarithms.
const STATES: usize = 1200;
const TAIL: f64 = 14.0;
/// Parts of a pass in which an arrival may fall.
const PARTS: u32 = 4;
/// Probability below which what comes behind is taken for its mean.
const SMALL: f64 = 5e-4;

/// The queue as arrivals find it.
pub(super) struct Backlog<'a> {
    queue: &'a OneShot,
    rate_per_ms: f64,
    /// Of backlogs from the least on as a pass begins.
    shares: Vec<f64>,
    /// Of passes by their parts, ms.
    times: Vec<f64>,
    /// Probability that nobody is there.
    idle: f64,
    /// Mean time from the beginning of a pass to that of the next, ms.
    busy: f64,
}

impl<'a> Backlog<'a> {
    /// At a rate, requests/s.
    pub fn new(queue: &'a OneShot, rate_per_s: f64) -> Self {
        pause();
        let rate_per_ms = rate_per_s / 1000.0;
        let room = queue.room as usize;
        let times: Vec<f64> = (0..=room).map(|parts| queue.pass_ms(parts as f64)).collect();
        let dispersion = |m: f64| queue.dispersion(m);
        let full = rate_per_ms * times[room] * queue.parts / queue.room;
        let spread = dispersion(rate_per_ms * times[room]).max(0.2);
        let tail = TAIL * spread / (2.0 * (1.0 - full).max(1e-3)) * queue.parts;
        let states = (tail as usize + 6 * room + 16).min(STATES);
        // States are counted from the least backlog on.
        let (least, mut band) = (queue.least(), Band::new(states, room));
        let mut alone = vec![0.0; room + 1];
        let jumps: Vec<Vec<(f64, f64)>> = times
            .iter()
            .map(|t| {
                let mean = rate_per_ms * t;
                Counts::new(mean, dispersion(mean), 1e9)
                    .map(|(k, p)| (k * queue.parts, p))
                    .collect()
            })
            .collect();
        for n in least..states + least {
            let x = n.min(room);
            let is_idle = |next: usize| next == 0 && (x == 0 || least == 1);
            for &(units, odds) in &jumps[x] {
                let (whole, part) = (units.floor(), units.fract());
                for (units, odds) in [(whole, odds * (1.0 - part)), (whole + 1.0, odds * part)] {
                    let next = n - x + units as usize;
                    if is_idle(next) {
                        alone[x] += odds;
                    }
                    let next = if is_idle(next) { queue.parts as usize } else { next };
                    band.add(n + 1 - least, (next + 1 - least).min(states), odds);
                }
            }
        }
        let shares = band.stationary();
        let idle = (least..=room).map(|n| shares[n - least] * alone[n]).sum::<f64>() / rate_per_ms;
        let of_pass = |(i, p): (usize, &f64)| p * times[(i + least).min(room)];
        let busy = shares.iter().enumerate().map(of_pass).sum::<f64>();
        Self { queue, rate_per_ms, shares, times, idle: idle / (idle + busy), busy: idle + busy }
    }

    /// The distribution of the time to the first token, or of the wait.
    pub fn time(&self, is_wait: bool) -> Parts {
        let mut times = Parts::default();
        let outside_ms = self.queue.work.station().outside_ms(0.0);
        if is_wait {
            times.add(0.0, 0.0, self.idle);
        } else {
            self.own(0.0, (0.0, 0.0), (outside_ms, 0.0, self.idle), &mut times);
        }
        let room = self.times.len() - 1;
        for (i, share) in self.shares.iter().enumerate() {
            let n = i + self.queue.least();
            let (x, t) = (n.min(room), self.times[n.min(room)]);
            let mass = share * t / self.busy;
            if mass > 1e-9 {
                let parts = if n > 4 * room { 1 } else { PARTS };
                for part in 0..parts {
                    let found = ((n - x) as f64, t, mass / f64::from(parts));
                    self.arrive(found, (part, parts), is_wait, &mut times);
                }
            }
        }
        times
    }

    /// An arrival in a part of a pass that leaves `left` parts of prompts and takes `t`.
    fn arrive(
        &self,
        (left, t, mass): (f64, f64, f64),
        (part, parts): (u32, u32),
        is_wait: bool,
        times: &mut Parts,
    ) {
        let work = &self.queue.work;
        let (length, rest) = (t / f64::from(parts), (f64::from(part) + 0.5) / f64::from(parts));
        let from = rest * t - length / 2.0;
        let full_ms = self.times[self.times.len() - 1];
        let come = self.rate_per_ms * t * work.arrivals().clustering(self.rate_per_ms * t);
        let dispersion = self.queue.dispersion(come);
        for (before, odds) in Counts::new(come * (1.0 - rest), dispersion, 1e9).coarse() {
            let ahead = left + before * self.queue.parts;
            let mass = mass * odds;
            if is_wait {
                let passes = (ahead / self.queue.room).floor();
                times.add(from + passes * full_ms, length, mass);
            } else {
                let from = from + work.station().outside_ms(t);
                self.own(ahead, (come * rest, dispersion), (from, length, mass), times);
            }
        }
    }

    /// Adds what it takes from the end of the pass under way on to work off what is ahead and one's own prompt, with
    /// what has come behind it by then.
    fn own(
        &self,
        ahead: f64,
        (behind, dispersion): (f64, f64),
        (from, length, mass): (f64, f64, f64),
        times: &mut Parts,
    ) {
        let OneShot { work, parts, room, .. } = self.queue;
        let full_ms = self.times[self.times.len() - 1];
        for (long, odds) in spread::few_points(1.0, work.station().input_scv) {
            let until = ahead + (long * parts).max(f64::MIN_POSITIVE);
            let full = (until / room - 1e-9).ceil().max(1.0) - 1.0;
            let mine = until - full * room;
            let behind = behind + self.rate_per_ms * full * full_ms;
            let mut add = |behind: f64, odds: f64| {
                let there = mine + behind * parts;
                let own_ms = self.queue.pass_ms(there.min(*room));
                let from = from + full * full_ms + own_ms;
                if !self.queue.decodes {
                    return times.add(from, length, mass * odds);
                }
                let (left, come) = ((there - room).max(0.0), self.rate_per_ms * own_ms);
                let mut next = |come: f64, share: f64| {
                    let next_ms = self.queue.pass_ms((left + come * parts).min(*room));
                    times.add(from + next_ms, length, mass * odds * share);
                };
                if mass * odds < SMALL || left >= *room {
                    return next(come, 1.0);
                }
                let dispersion = self.queue.dispersion(come);
                let counts = Counts::new(come, dispersion, 1e9).coarse();
                counts.for_each(|(come, share)| next(come, share));
            };
            if mass * odds < SMALL || behind <= 0.0 || mine >= *room {
                add(behind, odds);
                continue;
            }
            Counts::new(behind, dispersion.max(0.2), 1e9)
                .coarse()
                .for_each(|(count, share)| add(count, odds * share));
        }
    }
}
