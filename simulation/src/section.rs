//! What is observed of a stretch of simulated time.

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
    /// Requests that wait at the end less those at the start.
    pub growth: i64,
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
        self.response_ms.merge(&other.response_ms);
        self.arrived += other.arrived;
        self.lost += other.lost;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.time_ms += other.time_ms;
        self.in_system_ms += other.in_system_ms;
        self.in_service_ms += other.in_service_ms;
        self.growth += other.growth;
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
        Some((u128::from(at) * u128::from(self.sections) / u128::from(self.counted)) as usize)
    }
}

/// Tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Tokens {
    pub input: u32,
    pub output: u32,
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
}

impl Recorder {
    pub fn new(window: Window) -> Self {
        let sections = vec![Section::default(); window.sections.max(1) as usize];
        let current = None;
        Self { window, sections, arrivals: 0, open: 0, current, clock_ms: 0.0 }
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
        self.queue(i64::from(accepted));
        index
    }

    pub fn start(&mut self, index: u64, wait_ms: f64) {
        self.queue(-1);
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

    /// A request has its last token.
    pub fn finish(&mut self, index: u64, response_ms: f64, tokens: Tokens) {
        if let Some(section) = self.window.section(index) {
            let section = &mut self.sections[section];
            section.response_ms.add(response_ms, 1);
            section.input_tokens += u64::from(tokens.input);
            section.output_tokens += u64::from(tokens.output);
            self.open -= 1;
        }
    }

    fn queue(&mut self, by: i64) {
        if let Some(section) = self.current {
            self.sections[section].growth += by;
        }
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
