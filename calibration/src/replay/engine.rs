//! Requests pass by pass, as an engine serves them.
//!
//! A request joins a pass that starts after it came, and as many prompts join as the token budget
//! holds. Places are limited by the batch size, and by the KV cache, in which a request takes the room
//! of its prompt and whole answer. Between two events a stretch of `m` passes only decodes; with every
//! token the contexts grow and a pass takes `s` longer, so that the stretch takes
//! `m t + s m (m - 1) / 2`.
//!
//! **Constant gaps.** The engine starts empty. What is measured begins when twice as many requests are
//! answered as decode.
//!
//! **Clients** begin all at once, and each sends its next request when the last is answered, ten in
//! all: what is measured holds the first, for which all wait together, as benchmarks that send ten
//! requests a client do. A request joins `lag` passes after the answer before it, whatever is in them;
//! of the part of a pass in `lag` it waits that part of the last. How many prompts may start in a pass
//! is the [`Course`](crate::course::Course)'s affair.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use isocost_model::queue::Pass;

use super::{Load, Replayed};

/// Answers that each client gets.
const ROUNDS: u64 = 10;

/// Passes that a request waits on average for the one under way to end.
const RESIDUAL_PASS: f64 = 0.5;

/// Answers that show how lengths vary.
const LEAST_ANSWERS: u64 = 32;

/// Answers of an open loop that are measured.
const MEASURED: u64 = 160;

/// Arrivals after which the warm-up ends, and all arrivals: parameters that the search only passes
/// through may take hours for a pass.
const WARM_UP: usize = 6000;
const MOST_ARRIVALS: usize = 12_000;

/// Replays `clients` clients.
pub(crate) fn clients(load: &Load<'_>, clients: u32) -> Option<Replayed> {
    let wanted = (u64::from(clients) * ROUNDS).max(LEAST_ANSWERS);
    let course = load.bench.course;
    let mut engine = Engine::new(load, f64::INFINITY);
    engine.places = course.places(load.bench.batch, clients) as usize;
    engine.starts = course.starts(clients, load.point.output_tokens);
    for _ in 0..clients {
        engine.arrive(0.0, 0.0);
    }
    while engine.answered < wanted {
        if !engine.proceed() {
            return None;
        }
    }
    engine.replayed(0)
}

/// Replays arrivals at constant gaps.
pub(crate) fn gaps(load: &Load<'_>) -> Option<Replayed> {
    let mut engine = Engine::new(load, 1000.0 / load.point.rate_per_s);
    while engine.answered < LEAST_ANSWERS || engine.answered < 2 * engine.decoding.len() as u64 {
        if !engine.proceed() || engine.firsts_ms.len() > WARM_UP {
            break;
        }
    }
    engine.ttfts_ms.clear();
    engine.itls_ms.clear();
    let (answered, arrived) = (engine.answered, engine.firsts_ms.len());
    while engine.answered < answered + MEASURED && engine.proceed() {}
    let arrived = engine.firsts_ms.len() - arrived;
    engine.replayed(arrived)
}

/// A request that waits or whose prompt is worked off.
#[derive(Clone, Copy)]
struct Prompt {
    index: usize,
    arrival_ms: f64,
    /// The first pass that it may join.
    from: u64,
    /// Passes that it waits outside the engine: a part of one ...
    outside: f64,
    /// ... of this length, ms.
    pass_ms: f64,
    length: f64,
    /// Tokens of its answer.
    answer: f64,
    done: f64,
}

/// A request that decodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Decoding {
    /// Step after which it is answered.
    end: u64,
    index: usize,
}

struct Engine<'a> {
    load: &'a Load<'a>,
    /// Gap between arrivals, ms; infinite in a closed loop, where clients send again.
    gap_ms: f64,
    next_ms: f64,
    places: usize,
    /// Prompts that may start in a pass.
    starts: usize,
    now_ms: f64,
    /// The last pass, ms.
    last_ms: f64,
    passes: u64,
    /// Those of them in which requests decode.
    steps: u64,
    /// Requests that wait, and those of them let in, first come first served.
    waiting: VecDeque<Prompt>,
    prompts: VecDeque<Prompt>,
    decoding: BinaryHeap<Reverse<Decoding>>,
    context: f64,
    held_tokens: f64,
    /// Of each request, when its first token came, ms.
    firsts_ms: Vec<f64>,
    ttfts_ms: Vec<f64>,
    itls_ms: Vec<f64>,
    answered: u64,
}

impl<'a> Engine<'a> {
    fn new(load: &'a Load<'a>, gap_ms: f64) -> Self {
        Self {
            load,
            gap_ms,
            next_ms: gap_ms / 2.0,
            places: load.bench.batch as usize,
            starts: usize::MAX,
            now_ms: 0.0,
            last_ms: 0.0,
            passes: 0,
            steps: 0,
            waiting: VecDeque::new(),
            prompts: VecDeque::new(),
            decoding: BinaryHeap::new(),
            context: 0.0,
            held_tokens: 0.0,
            firsts_ms: Vec::new(),
            ttfts_ms: Vec::new(),
            itls_ms: Vec::new(),
            answered: 0,
        }
    }

    fn is_idle(&self) -> bool {
        self.decoding.is_empty() && self.prompts.is_empty()
    }

    /// A request comes, and may join after `lag` passes.
    fn arrive(&mut self, arrival_ms: f64, lag: f64) {
        let index = self.firsts_ms.len();
        self.firsts_ms.push(0.0);
        self.waiting.push_back(Prompt {
            index,
            arrival_ms,
            from: self.passes + lag as u64,
            outside: lag.fract(),
            pass_ms: 0.0,
            length: self.load.prompt(index),
            answer: self.load.answer(index),
            done: 0.0,
        });
    }

    /// Requests of an open loop that have come by now.
    fn take_arrivals(&mut self) {
        if self.is_idle() && self.waiting.is_empty() && self.next_ms.is_finite() {
            (self.now_ms, self.last_ms) = (self.now_ms.max(self.next_ms), 0.0);
        }
        while self.next_ms <= self.now_ms && self.firsts_ms.len() < MOST_ARRIVALS {
            // Half a pass, on average, it waits for the one under way.
            let lag = (self.load.lag_passes() - RESIDUAL_PASS).max(0.0);
            let lag = (lag + super::share(self.firsts_ms.len(), 5)).floor();
            self.arrive(self.next_ms, if self.last_ms > 0.0 { lag } else { 0.0 });
            self.next_ms += self.gap_ms;
        }
    }

    /// The next pass, or stretch of passes; whether there was anything to do.
    fn proceed(&mut self) -> bool {
        self.take_arrivals();
        self.let_in();
        if self.prompts.is_empty() {
            return self.stretch();
        }
        let (pass, ended) = self.compose();
        self.last_ms = self.load.service.pass_ms(&pass);
        self.now_ms += self.last_ms;
        self.passes += 1;
        if pass.decoding > 0.0 {
            self.step(1);
        }
        let late = u64::from(!self.load.service.prompt_yields_token());
        for _ in 0..ended {
            let Some(prompt) = self.prompts.pop_front() else { break };
            self.first_token(prompt, late);
        }
        self.finish();
        true
    }

    /// Lets in who may come, while there are places.
    fn let_in(&mut self) {
        let room = self.load.bench.engine.kv_tokens.map_or(f64::INFINITY, |tokens| tokens as f64);
        let mut starts = self.starts;
        while self.decoding.len() + self.prompts.len() < self.places && starts > 0 {
            let Some(mut next) = self.waiting.front().copied() else { break };
            let idle = self.is_idle();
            let held = self.held_tokens + next.length + next.answer;
            // One request alone is served, whatever it takes.
            if (next.from > self.passes || held > room) && !idle {
                break;
            }
            self.held_tokens = held;
            self.waiting.pop_front();
            next.pass_ms = self.last_ms;
            self.prompts.push_back(next);
            starts -= 1;
        }
    }

    /// Those that decode, each with one more token.
    fn decode(&self) -> Pass {
        let decoding = self.decoding.len() as f64;
        Pass { decoding, decode_context: self.context + decoding, ..Pass::default() }
    }

    /// A pass with chunks of prompts, and how many prompts it ends.
    fn compose(&mut self) -> (Pass, usize) {
        let is_whole = !self.load.bench.engine.chunked_prefill;
        let mut pass = if is_whole { Pass::default() } else { self.decode() };
        let mut budget = (f64::from(self.load.bench.engine.token_budget) - pass.decoding).max(1.0);
        for prompt in &mut self.prompts {
            let left = prompt.length - prompt.done;
            // A whole prompt waits for a pass that has room for it, or that holds nothing else.
            let chunk = if is_whole && pass.chunks == 0.0 { left } else { left.min(budget) };
            if chunk <= 0.0 || is_whole && chunk < left {
                break;
            }
            let before = prompt.done;
            budget -= chunk;
            prompt.done += chunk;
            pass.chunks += 1.0;
            pass.prompt_tokens += chunk;
            pass.prompt_context += prompt.done;
            pass.prompt_attention += prompt.done * prompt.done - before * before;
        }
        let whole = self.prompts.iter().take_while(|prompt| prompt.done >= prompt.length).count();
        (pass, whole)
    }

    /// Passes that only decode, until a request is answered or another may join.
    fn stretch(&mut self) -> bool {
        let Some(Reverse(first)) = self.decoding.peek().copied() else { return false };
        let joins = self.waiting.front().filter(|next| next.from > self.passes);
        let end = first.end.saturating_sub(self.steps);
        let until = joins.map_or(end, |next| end.min(next.from - self.passes));
        let pass = self.decode();
        let here_ms = self.load.service.pass_ms(&pass);
        let grown = Pass { decode_context: pass.decode_context + pass.decoding, ..pass };
        let more_ms = self.load.service.pass_ms(&grown) - here_ms;
        let arrival = passes_within(self.next_ms - self.now_ms, here_ms, more_ms);
        let m = (until as f64).min(arrival).max(1.0);
        self.now_ms += m * here_ms + more_ms * m * (m - 1.0) / 2.0;
        self.last_ms = here_ms + more_ms * (m - 1.0);
        self.passes += m as u64;
        self.step(m as u64);
        self.finish();
        true
    }

    /// Those who decode have so many tokens more.
    fn step(&mut self, tokens: u64) {
        self.steps += tokens;
        self.context += tokens as f64 * self.decoding.len() as f64;
    }

    /// A prompt has ended; where it yields no token itself, the first comes `late` passes later.
    fn first_token(&mut self, prompt: Prompt, late: u64) {
        let service = &self.load.service;
        let late_ms = late as f64 * service.pass_ms(&self.decode());
        self.firsts_ms[prompt.index] = self.now_ms + late_ms;
        let ttft_ms = self.now_ms + late_ms - prompt.arrival_ms;
        let outside_ms = service.outside_ms(0.0) + prompt.outside * prompt.pass_ms;
        self.ttfts_ms.push(ttft_ms + outside_ms);
        self.context += prompt.length;
        let end = self.steps + late + prompt.answer as u64 - 1;
        self.decoding.push(Reverse(Decoding { end, index: prompt.index }));
    }

    /// Answers that are complete; their clients send again.
    fn finish(&mut self) {
        let mut again = 0;
        let late = f64::from(u8::from(!self.load.service.prompt_yields_token()));
        while let Some(Reverse(done)) = self.decoding.peek().copied() {
            if done.end > self.steps {
                break;
            }
            self.decoding.pop();
            let steps = self.load.answer(done.index) - 1.0;
            let tokens = self.load.prompt(done.index) + steps + 1.0;
            self.held_tokens -= tokens;
            self.context -= tokens - 1.0 + late;
            if steps > 0.0 {
                self.itls_ms.push((self.now_ms - self.firsts_ms[done.index]) / steps);
            }
            self.answered += 1;
            again += 1;
        }
        if self.gap_ms.is_infinite() && again > 0 {
            let lag = if self.is_idle() { 0.0 } else { self.load.lag_passes() };
            for _ in 0..again {
                self.arrive(self.now_ms, lag);
            }
        }
    }

    /// What was measured, while `arrived` requests came.
    fn replayed(self, arrived: usize) -> Option<Replayed> {
        let waits = self.gap_ms.is_finite() && !self.waiting.is_empty();
        let (ttft_ms, itl_ms) = (mean(&self.ttfts_ms), mean(&self.itls_ms));
        let replayed = Replayed {
            ttft_ms,
            itl_ms,
            ttfts_ms: self.ttfts_ms,
            itls_ms: self.itls_ms,
            load: if waits { arrived as f64 / MEASURED as f64 } else { 0.0 },
        };
        ttft_ms.is_finite().then_some(replayed)
    }
}

/// Passes, the first of `first_ms` and each `more_ms` longer than the last, until `time_ms` is over.
fn passes_within(time_ms: f64, first_ms: f64, more_ms: f64) -> f64 {
    if time_ms.is_infinite() || more_ms <= 0.0 {
        return (time_ms / first_ms).ceil();
    }
    let b = first_ms / more_ms - 0.5;
    (time_ms.max(0.0) * 2.0 / more_ms / (b + (b * b + 2.0 * time_ms.max(0.0) / more_ms).sqrt()))
        .ceil()
}

/// The mean; 0 of nothing.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
