//! Replicas whose answers are one token: a queue of prompts.
//!
//! Where an answer ends with its prompt the two time scales of [`super`] are one: the number in service changes
//! with every pass. What is left is a queue in which a pass works off what it has room for, first come, first
//! served. In parts of a prompt, `m` to each, with room for `K` of them in a pass, the backlog `n` as a pass begins is
//! a chain of its own:
//!
//! ```text
//! n' = n - min(n, K) + m A(t(n))       A: prompts that come in the pass, which takes t(min(n, K))
//! n' = m                               where that leaves none: the next to come begins a pass
//! ```
//!
//! Where the first token is decoded, in the pass after that of the prompt, a pass without prompts follows the last of
//! them, `n = 0`; with one place alone both passes are one.
//!
//! A down step is at most `K` and an up step rarely long, so that its stationary distribution is found by elimination
//! without subtraction (Grassmann, Taksar and Heyman, Operations Research 33, 1985) in a band. An arrival finds the
//! pass under way in proportion to its time, waits for the rest of it, for the passes of those before it, and for
//! that of its own last part, which is as long as what else there is to fill it, those behind it included; and for the
//! pass after that, where the first token is decoded.

use super::chain::Replica;
use super::counts::Counts;
use super::level::Level;
use super::memory;
use super::spread;
use super::work::{EMPTY, Work};
use crate::queue::analysis::{Analysis, QueueError};
use crate::queue::objective::{Metric, Objective, Objectives, Shortfall, excess};
use crate::queue::root::{Bracket, narrow};
use crate::queue::service::Station;
use crate::queue::sizing::{HIGHEST, LOWEST, Sized, best_batch};
use crate::queue::stop::pause;

/// Parts of a prompt at most, and parts that a pass has room for at least, where prompts are longer than passes.
const FINEST: f64 = 4.0;
const COARSEST: f64 = 8.0;
/// What another part has to be worth, as a share of the room in a pass.
const WORTH: f64 = 0.005;
/// States of the chain at most, and the tail that may be left out, in natural logarithms.
const STATES: usize = 3000;
const TAIL: f64 = 14.0;
/// Parts of a pass in which an arrival may fall.
const PARTS: u32 = 4;
/// Probability below which what comes behind is taken for its mean.
const SMALL: f64 = 2e-4;
/// Relative width at which a rate is known well enough.
const TOLERANCE: f64 = 1e-4;
/// Batch sizes up to which each is tried, and the ratio of those beyond.
const EACH: u32 = 2;
const BEYOND: f64 = 2.0;

/// A replica of answers of one token.
pub(in crate::queue) struct OneShot {
    work: Work,
    batch: u32,
    /// Parts of a prompt, and of them the room in a pass.
    parts: f64,
    room: f64,
    /// Whether the first token takes another pass, in which others may have their prompts.
    decodes: bool,
    /// What a token takes that is decoded before another prompt begins, ms.
    apart_ms: f64,
}

impl OneShot {
    /// Of a station with that batch size; `None` where answers are longer, the queue is bounded, or the first token
    /// waits for prompts in passes of their own.
    pub fn new(station: &Station, batch: u32) -> Option<Self> {
        let work = Work::new(station);
        let applies = station.output_tokens <= 1.0
            && work.has_prompt_pass()
            && (work.is_chunked() || !work.decodes_first_token())
            && station.queue_limit.is_none();
        let batch = memory::batch_limit(&work, batch);
        (applies && batch > 0).then(|| Self::of(work, batch))
    }

    fn of(work: Work, batch: u32) -> Self {
        let is_alone = work.decodes_first_token() && batch == 1;
        let apart_ms = if is_alone { work.only_ms(1.0, 0.0) } else { 0.0 };
        let decodes = work.decodes_first_token() && !is_alone;
        let room = work.room(0.0);
        // A request that decodes has its place for another pass.
        let places = if decodes { f64::from(batch) / 2.0 } else { f64::from(batch) };
        if places <= room || batch == 1 {
            let parts = if places.fract() > 0.0 { 2.0 } else { 1.0 };
            return Self { work, batch, parts, room: places * parts, decodes, apart_ms };
        }
        // The fewest parts that come close to the room.
        let finest = if work.is_chunked() { FINEST.max(COARSEST / room) as u32 } else { 1 };
        let rounded = |m: u32| (room * f64::from(m)).round().max(1.0);
        let miss = |m: u32| {
            let off = (rounded(m) / f64::from(m) / room - 1.0).abs();
            off + WORTH * f64::from(m)
        };
        let best = (1..=finest).min_by(|a, b| miss(*a).total_cmp(&miss(*b))).unwrap_or(1);
        Self { work, batch, parts: f64::from(best), room: rounded(best), decodes, apart_ms }
    }

    /// Time of a pass of so many parts, ms; beside those whose prompts have just ended, where they decode.
    fn pass_ms(&self, parts: f64) -> f64 {
        let prompts = parts / self.parts;
        let decoding = if self.decodes { prompts.max(1.0) } else { 0.0 };
        let pass_ms = match self.work.is_chunked() {
            true if self.batch == 1 => self.alone_ms(prompts),
            true => self.work.pass_ms(decoding, prompts, (self.parts / self.room).max(1.0)),
            false => self.work.only_ms(decoding, prompts),
        };
        pass_ms + self.apart_ms
    }

    /// Time of the passes of a prompt that is alone, ms.
    fn alone_ms(&self, prompts: f64) -> f64 {
        let chunks = self.work.chunks(self.work.room(0.0));
        // All but its last chunk fill their passes; what passes cost beside what they compute comes each time.
        let more_ms = if chunks > 1.0 { self.work.only_ms(0.0, EMPTY) } else { 0.0 };
        self.work.pass_ms(0.0, prompts, chunks) + (chunks - 1.0) * more_ms
    }

    /// The least backlog as a pass begins.
    fn least(&self) -> usize {
        usize::from(!self.decodes)
    }

    /// Variance over mean of the prompts that come in a window of `m` mean gaps, long ones counted by their length. What
    /// comes in one pass tells of the next where arrivals come in bursts: they count with all that bursts bring.
    fn dispersion(&self, m: f64) -> f64 {
        let station = self.work.station();
        self.work.arrivals().dispersion(m).max(station.arrival_scv) + station.input_scv
    }

    /// Prompts a second that full passes work off.
    fn capacity_per_s(&self) -> f64 {
        1000.0 * self.room / self.parts / self.pass_ms(self.room)
    }

    /// What arrivals find at a rate.
    fn found(&self, rate_per_s: f64) -> Found<'_> {
        pause();
        let rate_per_ms = rate_per_s / 1000.0;
        let room = self.room as usize;
        let times: Vec<f64> = (0..=room).map(|parts| self.pass_ms(parts as f64)).collect();
        let dispersion = |m: f64| self.dispersion(m);
        let full = rate_per_ms * times[room] * self.parts / self.room;
        let spread = dispersion(rate_per_ms * times[room]).max(0.2);
        let tail = TAIL * spread / (2.0 * (1.0 - full).max(1e-3)) * self.parts;
        let states = (tail as usize + 6 * room + 16).min(STATES);
        // States are counted from the least backlog on.
        let (least, mut band) = (self.least(), Band::new(states, room));
        let mut alone = vec![0.0; room + 1];
        let jumps: Vec<Vec<(f64, f64)>> = times
            .iter()
            .map(|t| {
                let mean = rate_per_ms * t;
                Counts::new(mean, dispersion(mean), 1e9).map(|(k, p)| (k * self.parts, p)).collect()
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
                    let next = if is_idle(next) { self.parts as usize } else { next };
                    band.add(n + 1 - least, (next + 1 - least).min(states), odds);
                }
            }
        }
        let shares = band.stationary();
        let idle = (least..=room).map(|n| shares[n - least] * alone[n]).sum::<f64>() / rate_per_ms;
        let of_pass = |(i, p): (usize, &f64)| p * times[(i + least).min(room)];
        let busy = shares.iter().enumerate().map(of_pass).sum::<f64>();
        Found {
            queue: self,
            rate_per_ms,
            shares,
            times,
            idle: idle / (idle + busy),
            busy: idle + busy,
        }
    }

    /// What a rate brings.
    ///
    /// # Errors
    /// [`QueueError`] where there is no steady state, or no service time.
    pub fn analyze(&self, rate_per_s: f64) -> Result<Analysis, QueueError> {
        let capacity_per_s = self.capacity_per_s();
        if !(capacity_per_s > 0.0 && capacity_per_s.is_finite()) {
            return Err(QueueError::Service);
        }
        if rate_per_s >= capacity_per_s {
            return Err(QueueError::Unstable { rate_per_s, capacity_per_s });
        }
        let found = self.found(rate_per_s);
        let (mean_wait_ms, ttft_ms) = (found.time(true).mean(), found.time(false).mean());
        let (first_token_ms, rate_per_ms) = (ttft_ms - mean_wait_ms, rate_per_s / 1000.0);
        let mean_in_service = (rate_per_ms * first_token_ms).min(f64::from(self.batch));
        // The slow chain is that of the other replicas: it tells how many places are taken, by and large.
        let slow = Replica::new(self.work.station(), self.batch);
        let within = rate_per_s.min(HIGHEST * slow.capacity_per_s());
        Ok(Analysis {
            rate_per_s,
            throughput_per_s: rate_per_s,
            capacity_per_s,
            mean_in_system: rate_per_ms * ttft_ms,
            mean_in_service,
            mean_wait_ms,
            mean_service_ms: first_token_ms,
            mean_response_ms: ttft_ms,
            // There is no gap between tokens.
            itl_ms: 0.0,
            ttft_ms,
            utilisation: rate_per_s / capacity_per_s,
            first_token_ms,
            ..slow.analysis(within)
        })
    }

    /// Time to first token, or wait for the pass in which a prompt begins, that `percent` of the requests do not
    /// exceed, ms.
    pub fn percentile_ms(&self, rate_per_s: f64, percent: f64, is_wait: bool) -> f64 {
        self.found(rate_per_s).time(is_wait).quantile(percent / 100.0)
    }
}

/// The queue as arrivals find it.
struct Found<'a> {
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

impl Found<'_> {
    /// The distribution of the time to the first token, or of the wait.
    fn time(&self, is_wait: bool) -> Times {
        let mut times = Times::default();
        let outside_ms = self.queue.work.station().service.outside_ms(0.0);
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
        times: &mut Times,
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
                let from = from + work.station().service.outside_ms(t);
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
        times: &mut Times,
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

/// A mixture of times that are uniform over intervals: (from, length, mass).
#[derive(Default)]
struct Times(Vec<(f64, f64, f64)>);

impl Times {
    fn add(&mut self, from: f64, length: f64, mass: f64) {
        self.0.push((from, length, mass));
    }

    fn mass(&self) -> f64 {
        self.0.iter().map(|piece| piece.2).sum()
    }

    fn mean(&self) -> f64 {
        let sum = self.0.iter().map(|(from, length, mass)| (from + length / 2.0) * mass);
        sum.sum::<f64>() / self.mass()
    }

    /// The time that `share` of the mass does not exceed.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.mass();
        let within = |x: f64| -> f64 {
            let part = |(from, length, mass): &(f64, f64, f64)| {
                let part = if x >= from + length { 1.0 } else { ((x - from) / length).max(0.0) };
                part * mass
            };
            self.0.iter().map(part).sum()
        };
        let (mut low, mut high) = (0.0, self.0.iter().map(|p| p.0 + p.1).fold(0.0, f64::max));
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if within(middle) < wanted { low = middle } else { high = middle }
        }
        high
    }
}

/// Probabilities of steps from state to state, of which none leads down by more than a width.
struct Band {
    width: usize,
    /// By state, those from `width` below it on.
    rows: Vec<Vec<f64>>,
}

impl Band {
    fn new(states: usize, width: usize) -> Self {
        Self { width, rows: vec![Vec::new(); states] }
    }

    /// States are counted from 1 on.
    fn add(&mut self, from: usize, to: usize, odds: f64) {
        let at = to + self.width - from;
        let row = &mut self.rows[from - 1];
        if row.len() <= at {
            row.resize(at + 1, 0.0);
        }
        row[at] += odds;
    }

    fn get(&self, from: usize, to: usize) -> f64 {
        self.rows[from - 1].get((to + self.width).wrapping_sub(from)).copied().unwrap_or(0.0)
    }

    /// The stationary distribution: states are taken out from the highest on, each replaced by where it leads.
    fn stationary(mut self) -> Vec<f64> {
        let states = self.rows.len();
        let reach = self.rows.iter().map(Vec::len).max().unwrap_or(1);
        let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new(); states + 1];
        for s in (2..=states).rev() {
            let low = s.saturating_sub(self.width).max(1);
            let down: Vec<f64> = (low..s).map(|to| self.get(s, to)).collect();
            let out: f64 = down.iter().sum();
            if out <= 0.0 {
                continue;
            }
            for from in s.saturating_sub(reach).max(1)..s {
                let odds = self.get(from, s) / out;
                if odds > 0.0 {
                    into[s].push((from, odds));
                    (low..s).zip(&down).for_each(|(to, p)| self.add(from, to, odds * p));
                }
            }
        }
        let mut shares = vec![0.0; states + 1];
        shares[1] = 1.0;
        for s in 2..=states {
            shares[s] = into[s].iter().map(|(from, odds)| shares[*from] * odds).sum();
        }
        let total: f64 = shares.iter().sum();
        shares.drain(..1);
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }
}

/// Sizing of replicas whose answers are one token.
pub(in crate::queue) struct OneShotSizing<'a> {
    station: &'a Station,
    batch: u32,
    objectives: &'a Objectives,
}

impl<'a> OneShotSizing<'a> {
    /// `None` where answers are longer.
    pub fn new(station: &'a Station, batch: u32, objectives: &'a Objectives) -> Option<Self> {
        let OneShot { batch, .. } = OneShot::new(station, batch.max(1))?;
        Some(Self { station, batch, objectives })
    }

    /// The largest rate of the largest batch size.
    ///
    /// # Errors
    /// The objective that is not met even at the lowest rate.
    pub fn size(&self) -> Result<Sized, Shortfall> {
        self.size_at(self.batch)
    }

    /// Every batch size: entry `i` is that of `i + 1`. Places beyond what a pass has room for change nothing.
    pub fn size_all(&self) -> Vec<Result<Sized, Shortfall>> {
        let last = self.most_places();
        let mut sized: Vec<_> = (1..=last).map(|n| self.size_at(n)).collect();
        let of_last = sized[last as usize - 1];
        let more =
            (last + 1..=self.batch).map(|batch| of_last.map(|sized| Sized { batch, ..sized }));
        sized.extend(more);
        sized
    }

    /// Of the batch sizes that are tried the least whose rate is within `tolerance` of the best.
    ///
    /// # Errors
    /// Where none meets the objectives, the shortfall that comes closest.
    pub fn size_best(&self, tolerance: f64) -> Result<Sized, Shortfall> {
        let (mut tried, last) = (Vec::new(), self.most_places());
        let mut next = 1;
        while next < last {
            tried.push(self.size_at(next));
            next = if next < EACH { next + 1 } else { (f64::from(next) * BEYOND) as u32 };
        }
        tried.push(self.size_at(last));
        best_batch(&tried, tolerance)
    }

    /// Places beyond which more are never taken.
    fn most_places(&self) -> u32 {
        let room = Work::new(self.station).room(0.0).ceil() + 1.0;
        if room < f64::from(self.batch) { room as u32 } else { self.batch }
    }

    fn size_at(&self, batch: u32) -> Result<Sized, Shortfall> {
        let none = |best| Shortfall { metric: Metric::Rate, limit: 1.0, best, percentile: None };
        let queue = OneShot::new(self.station, batch).ok_or(none(0.0))?;
        let capacity_per_s = queue.capacity_per_s();
        if !(capacity_per_s > 0.0 && capacity_per_s.is_finite()) {
            return Err(none(f64::INFINITY));
        }
        let alone = Level::new(&queue.work, 1.0).gap_ms;
        let most = HIGHEST * capacity_per_s;
        let least = (LOWEST * 1000.0 / alone).min(most);
        let excess_of = |(_, o, value): &(Metric, Objective, f64)| excess(*value, o.limit_ms);
        let worst = |rate: f64| {
            let values = self.values(&queue, rate);
            values.into_iter().max_by(|a, b| excess_of(a).total_cmp(&excess_of(b)))
        };
        let excess_at = |rate: f64| worst(rate).map_or(-1.0, |worst| excess_of(&worst));
        let (bottom, top) = (excess_at(least), excess_at(most));
        if bottom > 0.0 {
            let (metric, o, best) = worst(least).ok_or(none(0.0))?;
            return Err(Shortfall { metric, limit: o.limit_ms, best, percentile: o.percentile });
        }
        let rate = if top <= 0.0 {
            most
        } else {
            narrow(Bracket { low: (least, bottom), high: (most, top) }, TOLERANCE, excess_at)
        };
        Ok(Sized { batch: queue.batch, arrival_rate_per_s: rate, throughput_per_s: rate })
    }

    /// Objectives up to the one token with their values, ms.
    fn values(&self, queue: &OneShot, rate_per_s: f64) -> Vec<(Metric, Objective, f64)> {
        let found = queue.found(rate_per_s);
        let of = |(metric, objective): (Metric, Objective)| {
            let is_wait = match metric {
                Metric::Ttft | Metric::E2e => false,
                Metric::Wait => true,
                _ => return None,
            };
            let times = found.time(is_wait);
            let value = match objective.percentile {
                None => times.mean(),
                Some(percent) => times.quantile(percent / 100.0),
            };
            Some((metric, objective, value))
        };
        self.objectives.latencies().filter_map(of).collect()
    }
}
