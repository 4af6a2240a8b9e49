//! The scheduler of a replica: what each pass works on, and what has come of it.
//!
//! Before each forward pass the scheduler composes it, first come, first served, under the token
//! budget: every request that decodes takes a token; prompts under way take what is left of the
//! budget; waiting requests are let in while the batch has room, the budget is not used up and the
//! KV cache has room for the whole prompt. Without chunked prefill a pass holds either whole prompts,
//! under the budget or one alone, or decoding, and prompts go first. Between two passes nothing
//! changes, so that a request which arrives during a pass waits for its end, also where the batch
//! has room.
//!
//! Where a token has no place in the KV cache, the newest request in service is preempted: its blocks
//! are freed, it goes to the head of those that wait, and is later computed anew, its prompt and what
//! it has of its answer. No request is let in beside a preemption. A request that would not fit if it
//! were alone is turned away as it comes.
//!
//! All requests that decode go on by one token a pass: a request is known by the step at which it
//! ends, and a pass costs the same however large the batch. A preemption costs time with the batch.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use isocost_model::queue::Pass;

use crate::memory::Memory;
use crate::replica::Replica;
use crate::section::{Recorder, Section, Window};
use crate::ticket::{Prompt, Ticket};
use crate::traffic::Request;

/// A request that decodes.
#[derive(Debug, Clone, Copy)]
struct Decoding {
    ticket: Ticket,
    admission: u64,
    /// Step at which it began, and its context then.
    since: u64,
    context: u64,
}

/// The end of a request that decodes: its last step, its number, and its place in `decoding`.
type End = (u64, u64, usize);

pub(crate) struct Engine {
    replica: Replica,
    recorder: Recorder,
    memory: Memory,
    now_ms: f64,
    passes: u64,
    admissions: u64,
    waiting: VecDeque<Ticket>,
    prompts: VecDeque<Prompt>,
    /// Passes in which requests decoded, and the end of the last of them.
    step: u64,
    decoded_ms: f64,
    /// Requests that decode, by place; those at `vacant` places have left.
    decoding: Vec<Decoding>,
    vacant: Vec<usize>,
    ends: BinaryHeap<Reverse<End>>,
    /// Contexts of the requests that decode.
    decode_context: u64,
    /// Those among them that have decoded no token since they were let in, of a profile whose
    /// prompts yield none.
    fresh: Vec<usize>,
    /// When the others had their last token, and how many they are.
    last_tokens: Vec<(f64, usize)>,
}

impl Engine {
    pub fn new(replica: &Replica, window: Window) -> Self {
        Self {
            replica: *replica,
            recorder: Recorder::new(window),
            memory: Memory::new(replica.engine.kv_tokens),
            now_ms: 0.0,
            passes: 0,
            admissions: 0,
            waiting: VecDeque::new(),
            prompts: VecDeque::new(),
            step: 0,
            decoded_ms: 0.0,
            decoding: Vec::new(),
            vacant: Vec::new(),
            ends: BinaryHeap::new(),
            decode_context: 0,
            fresh: Vec::new(),
            last_tokens: Vec::new(),
        }
    }

    /// The end of the last pass, ms since the start.
    pub fn now_ms(&self) -> f64 {
        self.now_ms
    }

    /// Passes so far.
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// What observes it.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Remembers who leaves when from now on.
    pub fn follow(&mut self) {
        self.recorder.follow();
    }

    /// Those who left since [`Engine::follow`]: their number among the arrivals, and how long they were here, ms.
    pub fn take_left(&mut self) -> Vec<(u64, f64)> {
        self.recorder.take_left()
    }

    /// What has been observed, in the window's sections.
    pub fn into_sections(self) -> Vec<Section> {
        self.recorder.into_sections()
    }

    /// Time of a pass, ms.
    pub fn length_ms(&self, pass: &Pass) -> f64 {
        self.replica.service.pass_ms(pass)
    }

    pub fn in_service(&self) -> usize {
        self.prompts.len() + self.ends.len()
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
        let longest = u64::from(request.input_tokens) + u64::from(request.output_tokens);
        let accepted =
            places.is_none_or(|places| self.in_system() < places) && self.memory.can_hold(longest);
        let index = self.recorder.arrive(accepted);
        if accepted {
            let before_ms = request.before_ms + self.replica.network_ms;
            let request = Request { before_ms, ..request };
            let outside_ms = self.replica.service.outside_ms(under_way_ms) + before_ms;
            self.waiting.push_back(Ticket::new(index, request, outside_ms));
        }
    }

    /// What the next pass works on; lets in who may be let in.
    pub fn compose(&mut self) -> Pass {
        let mut pass = Pass::default();
        if self.replica.engine.chunked_prefill {
            let preempted = self.make_room();
            let decoding = self.ends.len() as u32;
            let mut budget = self.replica.engine.token_budget.saturating_sub(decoding);
            for prompt in &mut self.prompts {
                budget -= prompt.take_chunk(budget, &mut pass);
            }
            while budget > 0 && !preempted {
                let Some(ticket) = self.let_in() else { break };
                budget -= self.begin(ticket, budget, &mut pass);
            }
        } else {
            self.compose_whole_prompts(&mut pass);
            if pass.chunks > 0.0 {
                return pass;
            }
            self.make_room();
        }
        self.memory.step(self.step);
        self.recorder.memory(self.memory.used_tokens());
        pass.decoding = self.ends.len() as f64;
        pass.decode_context = self.decode_context as f64 + pass.decoding;
        pass
    }

    /// Waiting requests whose prompts fit into one pass.
    fn compose_whole_prompts(&mut self, pass: &mut Pass) {
        let mut budget = self.replica.engine.token_budget;
        while let Some(next) = self.waiting.front() {
            let tokens = next.computed();
            if pass.chunks > 0.0 && tokens > budget {
                break;
            }
            let Some(ticket) = self.let_in() else { break };
            budget = budget.saturating_sub(self.begin(ticket, u32::MAX, pass));
        }
        self.recorder.memory(self.memory.used_tokens());
    }

    /// The first of those who wait, where there is room for it.
    fn let_in(&mut self) -> Option<Ticket> {
        let has_place = self.in_service() < self.replica.batch as usize;
        let next = self.waiting.front().filter(|_| has_place)?;
        // A request without a prompt may decode in this pass.
        if !self.memory.has_room(u64::from(next.length().max(1)), self.step) {
            return None;
        }
        let ticket = self.waiting.pop_front()?;
        if ticket.is_resumed {
            self.recorder.resume();
        } else {
            self.recorder.start(ticket.index, self.now_ms - ticket.request.arrival_ms);
        }
        Some(ticket)
    }

    /// Begins with a request; returns the tokens that it takes of the budget.
    fn begin(&mut self, mut ticket: Ticket, budget: u32, pass: &mut Pass) -> u32 {
        self.admissions += 1;
        ticket.is_resumed = true;
        let length = ticket.length();
        self.memory.take(u64::from(length));
        let done = length - ticket.computed();
        let mut prompt = Prompt { ticket, admission: self.admissions, length, done };
        if length == 0 && self.replica.service.needs_no_prompt() {
            self.token(prompt, self.now_ms);
            return 1;
        }
        let taken = prompt.take_chunk(budget, pass);
        self.prompts.push_back(prompt);
        taken
    }

    /// Preempts the newest requests until the next step has its blocks; returns whether any was.
    fn make_room(&mut self) -> bool {
        let mut preempted = false;
        while self.memory.is_short(self.step) {
            let Some(ticket) = self.take_newest() else { break };
            self.waiting.push_front(ticket);
            self.recorder.preempt();
            preempted = true;
        }
        preempted
    }

    /// Takes out the request that was let in last: prompts end in the order in which they began.
    fn take_newest(&mut self) -> Option<Ticket> {
        if let Some(prompt) = self.prompts.pop_back() {
            self.memory.give_back(u64::from(prompt.length));
            return Some(prompt.ticket);
        }
        let places = self.ends.iter().map(|Reverse(end)| end.2);
        let place = places.max_by_key(|place| self.decoding[*place].admission)?;
        self.ends.retain(|Reverse(end)| end.2 != place);
        let Decoding { mut ticket, since, .. } = self.vacate(place);
        ticket.has += (self.step - since) as u32;
        if let Some(at) = self.fresh.iter().position(|fresh| *fresh == place) {
            self.fresh.swap_remove(at);
            return Some(ticket);
        }
        if self.step > since {
            ticket.last_ms = self.decoded_ms;
        }
        let same = self.last_tokens.iter_mut().find(|(last_ms, _)| *last_ms == ticket.last_ms);
        if let Some((_, count)) = same {
            *count -= 1;
        }
        Some(ticket)
    }

    /// What has come of a pass when it ends.
    pub fn complete(&mut self, pass: &Pass, end_ms: f64) {
        self.advance(end_ms);
        self.now_ms = end_ms;
        self.passes += 1;
        if pass.decoding > 0.0 {
            self.complete_step(pass.decoding as u64);
        }
        while self.prompts.front().is_some_and(|p| p.left() == 0) {
            let Some(prompt) = self.prompts.pop_front() else { break };
            if self.replica.service.prompt_yields_token() {
                self.token(prompt, end_ms);
            } else {
                let place = self.decode(prompt);
                self.fresh.push(place);
            }
        }
    }

    /// Every request that decodes has another token.
    fn complete_step(&mut self, decoding: u64) {
        for (last_ms, count) in self.last_tokens.drain(..) {
            self.recorder.tokens(self.now_ms - last_ms, count);
        }
        self.step += 1;
        self.decoded_ms = self.now_ms;
        self.decode_context += decoding;
        for place in self.fresh.drain(..) {
            self.decoding[place].ticket.record_token(self.now_ms, &mut self.recorder);
        }
        while let Some(Reverse((last_step, _, place))) = self.ends.peek().copied() {
            if last_step > self.step {
                break;
            }
            self.ends.pop();
            let done = self.vacate(place);
            self.recorder.finish(done.ticket.index, done.ticket.answer(self.now_ms));
        }
        if !self.ends.is_empty() {
            self.last_tokens.push((self.now_ms, self.ends.len()));
        }
    }

    /// A prompt, as it ends, yields a token; the rest of the answer is decoded.
    fn token(&mut self, mut prompt: Prompt, at_ms: f64) {
        prompt.ticket.record_token(at_ms, &mut self.recorder);
        prompt.ticket.has += 1;
        if prompt.ticket.has >= prompt.ticket.request.output_tokens {
            self.memory.give_back(u64::from(prompt.length));
            self.recorder.finish(prompt.ticket.index, prompt.ticket.answer(at_ms));
            return;
        }
        self.decode(prompt);
        match self.last_tokens.last_mut() {
            Some((last_ms, count)) if *last_ms == at_ms => *count += 1,
            _ => self.last_tokens.push((at_ms, 1)),
        }
    }

    /// From the next step on the request decodes; returns its place.
    fn decode(&mut self, prompt: Prompt) -> usize {
        let Prompt { ticket, admission, length, .. } = prompt;
        let context = u64::from(length);
        let decoding = Decoding { ticket, admission, since: self.step, context };
        let place = match self.vacant.pop() {
            Some(place) => {
                self.decoding[place] = decoding;
                place
            }
            None => {
                self.decoding.push(decoding);
                self.decoding.len() - 1
            }
        };
        let last_step = self.step + u64::from(ticket.request.output_tokens - ticket.has);
        self.ends.push(Reverse((last_step, ticket.index, place)));
        self.decode_context += context;
        self.memory.join(context, self.step);
        place
    }

    /// A request decodes no more; whoever calls has taken it off `ends`.
    fn vacate(&mut self, place: usize) -> Decoding {
        let left = self.decoding[place];
        let context = left.context + (self.step - left.since);
        self.vacant.push(place);
        self.decode_context -= context;
        self.memory.leave(context, self.step);
        left
    }
}

#[cfg(test)]
mod tests;
