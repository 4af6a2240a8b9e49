//! A replica, iteration by iteration.
//!
//! Before each forward pass the scheduler composes it, first come, first served, under the token
//! budget: every request that decodes takes a token; prompts under way take what is left of the
//! budget; waiting requests are let in while the batch has room and the budget is not used up.
//! Between two passes nothing changes, so that a request which arrives during a pass waits for its
//! end, also where the batch has room. All requests that decode go on by one token a pass: a
//! request is known by the step at which it ends, and a pass costs the same however large the batch.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use isocost_model::queue::ServiceModel;

use crate::pass::{Pass, needs_no_prompt, outside_ms, pass_ms, prompt_yields_token};
use crate::section::{Recorder, Section, Tokens, Window};
use crate::traffic::Request;
use crate::{Stopped, Watch};

/// Tokens that a pass works off at most, unless a [`Replica`] says otherwise.
pub const TOKEN_BUDGET: u32 = 8192;

/// One replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replica {
    /// Service times of the profile.
    pub service: ServiceModel,
    /// Most requests in service.
    pub batch: u32,
    /// Most requests that wait; `None` is unbounded.
    pub queue_limit: Option<u32>,
    /// Tokens that a pass works off at most, at least the batch size.
    pub token_budget: u32,
}

/// Serves `requests` until those counted in `window` have left.
pub(crate) fn serve(
    replica: &Replica,
    requests: impl Iterator<Item = Request>,
    window: Window,
    watch: &Watch<'_>,
) -> Result<Vec<Section>, Stopped> {
    let mut engine = Engine::new(replica, window);
    let mut requests = requests.peekable();
    let mut reported = 0;
    loop {
        while let Some(request) = requests.next_if(|r| r.arrival_ms <= engine.now_ms) {
            engine.arrive(request, 0.0);
        }
        if engine.in_system() == 0 {
            match requests.peek() {
                Some(next) if !engine.recorder.is_done() => engine.idle_until(next.arrival_ms),
                _ => break,
            }
            continue;
        }
        let pass = engine.compose();
        let length_ms = engine.length_ms(&pass);
        let end_ms = engine.now_ms + length_ms;
        while let Some(request) = requests.next_if(|r| r.arrival_ms <= end_ms) {
            engine.arrive(request, length_ms);
        }
        engine.complete(&pass, end_ms);
        let arrivals = engine.recorder.arrivals();
        if arrivals - reported >= REPORT_EVERY || engine.passes.is_multiple_of(LOOK_EVERY) {
            watch.report(arrivals - reported)?;
            reported = arrivals;
        }
        if engine.recorder.is_done() {
            break;
        }
    }
    watch.report(engine.recorder.arrivals() - reported)?;
    Ok(engine.recorder.into_sections())
}

/// Arrivals, and passes, after which the watch hears of it.
const REPORT_EVERY: u64 = 256;
const LOOK_EVERY: u64 = 65_536;

/// A request that is known by its number.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    index: u64,
    request: Request,
    /// Time to first token that is not the engine's.
    outside_ms: f64,
}

/// A request whose prompt is worked off.
#[derive(Debug, Clone, Copy)]
struct Prompt {
    ticket: Ticket,
    done: u32,
}

impl Prompt {
    fn left(&self) -> u32 {
        self.ticket.request.input_tokens - self.done
    }
}

/// A request that decodes, ordered by the step at which it has its last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Decoding {
    last_step: u64,
    index: u64,
    final_context: u64,
    arrival_bits: u64,
    tokens: Tokens,
}

pub(crate) struct Engine {
    replica: Replica,
    recorder: Recorder,
    now_ms: f64,
    passes: u64,
    /// Passes in which requests decoded.
    step: u64,
    waiting: VecDeque<Ticket>,
    prompts: VecDeque<Prompt>,
    decoding: BinaryHeap<Reverse<Decoding>>,
    /// Contexts of the requests that decode.
    decode_context: u64,
    /// Requests that decode and have no token yet.
    fresh: Vec<Ticket>,
}

impl Engine {
    pub fn new(replica: &Replica, window: Window) -> Self {
        Self {
            replica: *replica,
            recorder: Recorder::new(window),
            now_ms: 0.0,
            passes: 0,
            step: 0,
            waiting: VecDeque::new(),
            prompts: VecDeque::new(),
            decoding: BinaryHeap::new(),
            decode_context: 0,
            fresh: Vec::new(),
        }
    }

    /// The end of the last pass, ms since the start.
    pub fn now_ms(&self) -> f64 {
        self.now_ms
    }

    /// What has been observed so far, in the window's sections.
    pub fn sections(&self) -> &[Section] {
        self.recorder.sections()
    }

    /// Time of a pass, ms.
    pub fn length_ms(&self, pass: &Pass) -> f64 {
        pass_ms(&self.replica.service, pass)
    }

    pub fn in_service(&self) -> usize {
        self.prompts.len() + self.decoding.len()
    }

    pub fn in_system(&self) -> usize {
        self.waiting.len() + self.in_service()
    }

    pub fn advance(&mut self, to_ms: f64) {
        self.recorder.advance(to_ms, self.in_system(), self.in_service());
    }

    pub fn idle_until(&mut self, to_ms: f64) {
        self.advance(to_ms);
        self.now_ms = to_ms;
    }

    /// A request arrives during a pass of that length.
    pub fn arrive(&mut self, request: Request, under_way_ms: f64) {
        self.advance(request.arrival_ms);
        let places = self.replica.queue_limit.map(|q| q as usize + self.replica.batch as usize);
        let accepted = places.is_none_or(|places| self.in_system() < places);
        let index = self.recorder.arrive(accepted);
        if accepted {
            let outside_ms = outside_ms(&self.replica.service, under_way_ms);
            self.waiting.push_back(Ticket { index, request, outside_ms });
        }
    }

    /// What the next pass works on; lets in who may be let in.
    pub fn compose(&mut self) -> Pass {
        let mut pass = Pass::default();
        let mut budget = self.replica.token_budget.saturating_sub(self.decoding.len() as u32);
        for prompt in &mut self.prompts {
            budget -= take_chunk(prompt, budget, &mut pass);
        }
        while budget > 0 && self.in_service() < self.replica.batch as usize {
            let Some(ticket) = self.waiting.pop_front() else { break };
            self.recorder.start(ticket.index, self.now_ms - ticket.request.arrival_ms);
            if ticket.request.input_tokens == 0 && needs_no_prompt(&self.replica.service) {
                budget -= 1;
                self.first_token(ticket, self.now_ms);
                continue;
            }
            let mut prompt = Prompt { ticket, done: 0 };
            budget -= take_chunk(&mut prompt, budget, &mut pass);
            self.prompts.push_back(prompt);
        }
        pass.decoding = self.decoding.len() as u64;
        pass.decode_context = self.decode_context + pass.decoding;
        pass
    }

    /// What has come of a pass when it ends.
    pub fn complete(&mut self, pass: &Pass, end_ms: f64) {
        let gap_ms = end_ms - self.now_ms;
        self.recorder.tokens(gap_ms, self.decoding.len() - self.fresh.len());
        self.advance(end_ms);
        self.now_ms = end_ms;
        self.passes += 1;
        if pass.decoding > 0 {
            self.step += 1;
            self.decode_context += pass.decoding;
        }
        for ticket in self.fresh.drain(..) {
            let since_ms = end_ms - ticket.request.arrival_ms;
            self.recorder.first_token(ticket.index, since_ms + ticket.outside_ms);
        }
        while let Some(Reverse(done)) = self.decoding.peek().copied() {
            if done.last_step > self.step {
                break;
            }
            self.decoding.pop();
            self.decode_context -= done.final_context;
            let response_ms = end_ms - f64::from_bits(done.arrival_bits);
            self.recorder.finish(done.index, response_ms, done.tokens);
        }
        while self.prompts.front().is_some_and(|p| p.left() == 0) {
            let Some(prompt) = self.prompts.pop_front() else { break };
            match prompt_yields_token(&self.replica.service) {
                true => self.first_token(prompt.ticket, end_ms),
                false => {
                    self.fresh.push(prompt.ticket);
                    self.decode(prompt.ticket, prompt.ticket.request.output_tokens);
                }
            }
        }
    }

    /// The first token comes with the prompt; the rest is decoded.
    fn first_token(&mut self, ticket: Ticket, at_ms: f64) {
        let since_ms = at_ms - ticket.request.arrival_ms;
        self.recorder.first_token(ticket.index, since_ms + ticket.outside_ms);
        match ticket.request.output_tokens.saturating_sub(1) {
            0 => self.recorder.finish(ticket.index, since_ms, tokens_of(&ticket.request)),
            more => self.decode(ticket, more),
        }
    }

    /// From the next pass on the request takes `tokens` steps.
    fn decode(&mut self, ticket: Ticket, tokens: u32) {
        let context = u64::from(ticket.request.input_tokens);
        self.decode_context += context;
        self.decoding.push(Reverse(Decoding {
            last_step: self.step + u64::from(tokens),
            index: ticket.index,
            final_context: context + u64::from(tokens),
            arrival_bits: ticket.request.arrival_ms.to_bits(),
            tokens: tokens_of(&ticket.request),
        }));
    }
}

fn tokens_of(request: &Request) -> Tokens {
    Tokens { input: request.input_tokens, output: request.output_tokens }
}

/// Works off as much of a prompt as the budget allows; returns the tokens taken.
fn take_chunk(prompt: &mut Prompt, budget: u32, pass: &mut Pass) -> u32 {
    let chunk = prompt.left().min(budget);
    if budget > 0 {
        prompt.done += chunk;
        pass.chunks += 1;
        pass.prompt_tokens += u64::from(chunk);
        pass.prompt_context += u64::from(prompt.done);
    }
    chunk
}
