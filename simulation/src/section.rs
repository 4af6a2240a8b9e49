//! What is observed of a stretch of simulated time.

use crate::drift::{Drift, STEPS};
use crate::histogram::Histogram;

/// Observations of the requests that arrive in a stretch of time, and of the stretch itself.
///
/// Every request counted here is followed to its end: `arrived = lost + served`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// From arrival to the start of service, ms, one value a served request.
    pub wait_ms: Histogram,
    /// From arrival to the first token, ms, one value a served request.
    pub ttft_ms: Histogram,
    /// Between two tokens of a request, ms, one value a token but the first.
    pub itl_ms: Histogram,
    /// From the first token to the last over the tokens after the first (TPOT), ms, one value a
    /// served request of several tokens.
    pub tpot_ms: Histogram,
    /// From arrival to the last token, ms, one value a served request.
    pub response_ms: Histogram,
    /// Requests that arrived.
    pub arrived: u64,
    /// Of them, turned away.
    pub lost: u64,
    /// Tokens of the prompts of served requests; 0 of the model's own chain, which has none.
    pub input_tokens: u64,
    /// Tokens of the answers of served requests; 0 of the model's own chain.
    pub output_tokens: u64,
    /// Length of the stretch, ms.
    pub time_ms: f64,
    /// Requests in service and waiting, times ms.
    pub in_system_ms: f64,
    /// Requests in service, times ms.
    pub in_service_ms: f64,
    /// Preemptions for lack of room in the KV cache.
    pub preempted: u64,
    /// Tokens that the blocks in use had room for, at the most.
    pub kv_peak_tokens: u64,
    /// How the number of requests that wait changed.
    pub drift: Drift,
}

impl Section {
    /// Requests that arrived and were served.
    pub fn served(&self) -> u64 {
        self.response_ms.count()
    }

    /// Adds another section.
    pub fn merge(&mut self, other: &Self) {
        self.wait_ms.merge(&other.wait_ms);
        self.ttft_ms.merge(&other.ttft_ms);
        self.itl_ms.merge(&other.itl_ms);
        self.tpot_ms.merge(&other.tpot_ms);
        self.response_ms.merge(&other.response_ms);
        self.arrived += other.arrived;
        self.lost += other.lost;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.time_ms += other.time_ms;
        self.in_system_ms += other.in_system_ms;
        self.in_service_ms += other.in_service_ms;
        self.preempted += other.preempted;
        self.kv_peak_tokens = self.kv_peak_tokens.max(other.kv_peak_tokens);
        self.drift.merge(&other.drift);
    }
}

/// Which requests of a run are counted: the first `warmup` are not, the next `counted` are, in
/// `sections` batches of equal size, and later ones only keep up the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub warmup: u64,
    pub counted: u64,
    pub sections: u32,
}

impl Window {
    /// The section of the `index`-th arrival.
    fn section(&self, index: u64) -> Option<usize> {
        let at = index.checked_sub(self.warmup).filter(|at| *at < self.counted)?;
        if self.sections <= 1 {
            return Some(0);
        }
        Some((u128::from(at) * u128::from(self.sections) / u128::from(self.counted)) as usize)
    }

    /// Arrivals with which the `step`-th step of the queue ends, from 0 on; the last has no next.
    fn step_end(&self, step: u64) -> u64 {
        if step >= STEPS {
            return u64::MAX;
        }
        let counted = u128::from(self.counted) * u128::from(step + 1) / u128::from(STEPS);
        self.warmup.saturating_add(counted as u64)
    }
}

/// An answer that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Answer {
    /// From arrival to the last token.
    pub response_ms: f64,
    /// From the first token to the last.
    pub decoding_ms: f64,
    pub input_tokens: u32,
    pub output_tokens: u32,
}

/// Sorts observations into sections as a run goes on.
#[derive(Debug)]
pub(crate) struct Recorder {
    window: Window,
    sections: Vec<Section>,
    /// Arrivals so far.
    arrivals: u64,
    /// Counted requests that are still in the system.
    open: u64,
    /// Section of the time since the last arrival.
    current: Option<usize>,
    clock_ms: f64,
    /// Requests that wait.
    waiting: i64,
    /// The step of the queue under way, and the arrivals that end it.
    step: u64,
    step_end: u64,
    /// Arrivals as it began, and those who waited then.
    stepped: u64,
    waited: i64,
    /// Who has left, and after how long, where somebody wants to know.
    left: Option<Vec<(u64, f64)>>,
}

impl Recorder {
    pub fn new(window: Window) -> Self {
        let sections = vec![Section::default(); window.sections.max(1) as usize];
        Self {
            window,
            sections,
            arrivals: 0,
            open: 0,
            current: None,
            clock_ms: 0.0,
            waiting: 0,
            step: 0,
            step_end: window.step_end(0),
            stepped: 0,
            waited: 0,
            left: None,
        }
    }

    /// Time goes on to `to_ms` with that many in the system and in service since the last call.
    pub fn advance(&mut self, to_ms: f64, in_system: usize, in_service: usize) {
        let span = to_ms - self.clock_ms;
        self.clock_ms = to_ms;
        if let Some(section) = self.current {
            let section = &mut self.sections[section];
            section.time_ms += span;
            section.in_system_ms += span * in_system as f64;
            section.in_service_ms += span * in_service as f64;
        }
    }

    /// A request arrives; returns its index.
    pub fn arrive(&mut self, accepted: bool) -> u64 {
        let index = self.arrivals;
        self.arrivals += 1;
        self.current = self.window.section(index);
        if let Some(section) = self.current {
            let section = &mut self.sections[section];
            section.arrived += 1;
            section.lost += u64::from(!accepted);
            self.open += u64::from(accepted);
        }
        self.waiting += i64::from(accepted);
        if self.arrivals == self.window.warmup {
            (self.stepped, self.waited) = (self.arrivals, self.waiting);
        }
        if self.arrivals >= self.step_end && self.arrivals > self.stepped {
            self.end_step();
        }
        index
    }

    /// A step of the queue ends with the arrivals so far.
    fn end_step(&mut self) {
        if let Some(section) = self.current {
            let (arrivals, growth) = (self.arrivals - self.stepped, self.waiting - self.waited);
            self.sections[section].drift.add(arrivals, growth);
        }
        (self.stepped, self.waited) = (self.arrivals, self.waiting);
        while self.step_end <= self.arrivals {
            self.step += 1;
            self.step_end = self.window.step_end(self.step);
        }
    }

    /// A request is let in for the first time.
    pub fn start(&mut self, index: u64, wait_ms: f64) {
        self.waiting -= 1;
        if let Some(section) = self.window.section(index) {
            self.sections[section].wait_ms.add(wait_ms, 1);
        }
    }

    pub fn first_token(&mut self, index: u64, ttft_ms: f64) {
        if let Some(section) = self.window.section(index) {
            self.sections[section].ttft_ms.add(ttft_ms, 1);
        }
    }

    /// That many requests get their next token after `gap_ms`.
    pub fn tokens(&mut self, gap_ms: f64, count: usize) {
        if let Some(section) = self.current {
            self.sections[section].itl_ms.add(gap_ms, count as u64);
        }
    }

    /// A request in service has to wait again.
    pub fn preempt(&mut self) {
        self.waiting += 1;
        if let Some(section) = self.current {
            self.sections[section].preempted += 1;
        }
    }

    /// A request that was preempted is let in again.
    pub fn resume(&mut self) {
        self.waiting -= 1;
    }

    /// A pass has that many tokens in the KV cache.
    pub fn memory(&mut self, tokens: u64) {
        if let Some(section) = self.current {
            let peak = &mut self.sections[section].kv_peak_tokens;
            *peak = tokens.max(*peak);
        }
    }

    /// A request has its last token.
    pub fn finish(&mut self, index: u64, answer: Answer) {
        if let Some(left) = &mut self.left {
            left.push((index, answer.response_ms));
        }
        if let Some(section) = self.window.section(index) {
            let section = &mut self.sections[section];
            section.response_ms.add(answer.response_ms, 1);
            section.input_tokens += u64::from(answer.input_tokens);
            section.output_tokens += u64::from(answer.output_tokens);
            if answer.output_tokens > 1 {
                let gaps = f64::from(answer.output_tokens - 1);
                section.tpot_ms.add(answer.decoding_ms / gaps, 1);
            }
            self.open -= 1;
        }
    }

    /// Remembers who leaves from now on.
    pub fn follow(&mut self) {
        self.left = Some(Vec::new());
    }

    /// Those remembered.
    pub fn take_left(&mut self) -> Vec<(u64, f64)> {
        self.left.take().unwrap_or_default()
    }

    /// Arrivals so far.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Whether every counted request has come and gone.
    pub fn is_done(&self) -> bool {
        self.open == 0 && self.arrivals >= self.window.warmup + self.window.counted
    }

    /// What has been observed so far.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    pub fn into_sections(self) -> Vec<Section> {
        self.sections
    }
}
