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

mod backlog;
mod band;
mod size;

pub(in crate::queue) use size::OneShotSizing;

use super::chain::Replica;
use super::memory;
use super::work::Work;
use crate::queue::analysis::{Analysis, QueueError};
use crate::queue::service::Station;
use crate::queue::sizing::HIGHEST;
use backlog::Backlog;

/// Parts of a prompt at most, and parts that a pass has room for at least, where prompts are longer than passes.
const FINEST: f64 = 4.0;
const COARSEST: f64 = 8.0;
/// What another part has to be worth, as a share of the room in a pass.
const WORTH: f64 = 0.005;
/// Prompts that a pass has room for at most: where there is more the budget hardly binds, and two time scales do.
const MANY: f64 = 64.0;

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
    /// Of a station with that batch size; `None` where answers are longer, the queue is bounded, a pass has room for
    /// [`MANY`] prompts, or the first token waits for prompts in passes of their own.
    pub fn new(station: &Station, batch: u32) -> Option<Self> {
        let work = Work::new(station);
        let applies = station.output_tokens <= 1.0
            && work.has_prompt_pass()
            && work.room(0.0) <= MANY
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
            true if self.batch == 1 => self.work.alone_ms(prompts),
            true => self.work.pass_ms(decoding, prompts, (self.parts / self.room).max(1.0)),
            false => self.work.only_ms(decoding, prompts),
        };
        pass_ms + self.apart_ms
    }

    /// Places beyond which more are never taken, at most the batch size.
    fn most_places(&self) -> u32 {
        let rounds = if self.work.decodes_first_token() { 2.0 } else { 1.0 };
        let most = (rounds * self.work.room(0.0)).ceil() + 1.0;
        self.batch.min(most as u32)
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
        let found = Backlog::new(self, rate_per_s);
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
        Backlog::new(self, rate_per_s).time(is_wait).percentile(percent)
    }
}
