//! A replica as the queueing model states it: `n` requests in service complete at rate `mu(n)`.
//!
//! Every request brings an amount of work of mean 1, and with `n` in service each of them is worked
//! off at the rate `mu(n) / n`. With exponential work and Poisson arrivals this *is* the birth-death
//! chain, so that its simulation has to agree with the chain's solution within its confidence
//! interval; with other work and arrivals it is what the corrections for bursts and variable
//! lengths are held against. The rates are given: no formula of the service models is in here.

use std::cmp::Ordering;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::random::{Purpose, Variate, stream};
use crate::section::{Answer, Recorder, Section, Window};
use crate::{Stopped, Watch};

/// A replica by its service rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// `mu(n)`, requests/s, for `n = 1..=N`; not empty.
    pub rates_per_s: Vec<f64>,
    /// Most requests that wait; `None` is unbounded.
    pub queue_limit: Option<u32>,
    /// Arrival rate, requests/s.
    pub rate_per_s: f64,
    /// Squared coefficient of variation of inter-arrival times; Poisson at 1.
    pub arrival_scv: f64,
    /// Squared coefficient of variation of the work of a request; exponential at 1.
    pub work_scv: f64,
}

/// A request in service, ordered by the work at which it is done.
#[derive(Debug, Clone, Copy, PartialEq)]
struct InService {
    done_at: f64,
    index: u64,
    arrival_ms: f64,
}

impl Eq for InService {}

impl Ord for InService {
    fn cmp(&self, other: &Self) -> Ordering {
        self.done_at.total_cmp(&other.done_at).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for InService {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs the chain until the requests counted in `window` have left.
pub(crate) fn run(
    chain: &Chain,
    window: Window,
    (seed, unit, replication): (u64, u32, u32),
    watch: &Watch<'_>,
) -> Result<Vec<Section>, Stopped> {
    let mut arrivals = stream(seed, unit, replication, Purpose::Arrivals);
    let mut works = stream(seed, unit, replication, Purpose::Answers);
    let gap = Variate::new(1000.0 / chain.rate_per_s, chain.arrival_scv);
    let work = Variate::new(1.0, chain.work_scv);
    let mut state = State::new(window);
    let mut next_ms = gap.draw(&mut arrivals);
    let mut reported = 0;
    while !state.recorder.is_done() {
        match state.next_completion(chain).filter(|(at_ms, _)| *at_ms <= next_ms) {
            Some((at_ms, per_ms)) => state.complete(at_ms, per_ms),
            None => {
                state.arrive(next_ms, chain);
                next_ms += gap.draw(&mut arrivals);
                let count = state.recorder.arrivals();
                if count - reported >= REPORT_EVERY {
                    watch.report(count - reported)?;
                    reported = count;
                }
            }
        }
        state.let_in(chain.rates_per_s.len(), || work.draw(&mut works));
    }
    watch.report(state.recorder.arrivals() - reported)?;
    Ok(state.recorder.into_sections())
}

const REPORT_EVERY: u64 = 1024;

struct State {
    recorder: Recorder,
    now_ms: f64,
    /// Work that a request which was there all the time would have got.
    worked: f64,
    waiting: VecDeque<(u64, f64)>,
    in_service: BinaryHeap<Reverse<InService>>,
}

impl State {
    fn new(window: Window) -> Self {
        Self {
            recorder: Recorder::new(window),
            now_ms: 0.0,
            worked: 0.0,
            waiting: VecDeque::new(),
            in_service: BinaryHeap::new(),
        }
    }

    fn per_ms(&self, chain: &Chain) -> f64 {
        match self.in_service.len() {
            0 => 0.0,
            n => chain.rates_per_s[n - 1] / (1000.0 * n as f64),
        }
    }

    /// Time of the next completion if no request arrives before, and the pace until then.
    fn next_completion(&self, chain: &Chain) -> Option<(f64, f64)> {
        let Reverse(first) = self.in_service.peek()?;
        let per_ms = self.per_ms(chain);
        Some((self.now_ms + (first.done_at - self.worked) / per_ms, per_ms))
    }

    fn advance(&mut self, to_ms: f64, per_ms: f64) {
        self.worked += (to_ms - self.now_ms) * per_ms;
        self.now_ms = to_ms;
        let in_service = self.in_service.len();
        self.recorder.advance(to_ms, self.waiting.len() + in_service, in_service);
    }

    fn arrive(&mut self, at_ms: f64, chain: &Chain) {
        self.advance(at_ms, self.per_ms(chain));
        let places = chain.queue_limit.map(|q| q as usize + chain.rates_per_s.len());
        let in_system = self.waiting.len() + self.in_service.len();
        let accepted = places.is_none_or(|places| in_system < places);
        let index = self.recorder.arrive(accepted);
        if accepted {
            self.waiting.push_back((index, at_ms));
        }
    }

    fn complete(&mut self, at_ms: f64, per_ms: f64) {
        self.advance(at_ms, per_ms);
        if let Some(Reverse(done)) = self.in_service.pop() {
            self.worked = done.done_at;
            // The chain's requests are lengths of time, not tokens.
            let response_ms = at_ms - done.arrival_ms;
            self.recorder.finish(done.index, Answer { response_ms, ..Answer::default() });
        }
    }

    fn let_in(&mut self, batch: usize, mut work: impl FnMut() -> f64) {
        while self.in_service.len() < batch {
            let Some((index, arrival_ms)) = self.waiting.pop_front() else { break };
            let wait_ms = self.now_ms - arrival_ms;
            self.recorder.start(index, wait_ms);
            let done_at = self.worked + work();
            self.in_service.push(Reverse(InService { done_at, index, arrival_ms }));
        }
    }
}
