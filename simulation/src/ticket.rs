//! A request on its way through a replica.

use isocost_model::queue::Pass;

use crate::section::{Answer, Recorder};
use crate::traffic::Request;

/// A request, and how far it has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    /// Its number among the arrivals.
    pub index: u64,
    pub request: Request,
    /// Time to first token that is not the engine's.
    pub outside_ms: f64,
    /// Tokens of its answer that it had when it was let in, or began to decode.
    pub has: u32,
    /// When it had the first of them, and the last.
    pub first_ms: f64,
    pub last_ms: f64,
    /// Whether it has been in service before.
    pub is_resumed: bool,
}

/// A request whose prompt is worked off, or computed anew with what it has of its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt {
    pub ticket: Ticket,
    /// Its number among those let in.
    pub admission: u64,
    /// Tokens to compute, and those that are.
    pub length: u32,
    pub done: u32,
}

impl Ticket {
    pub fn new(index: u64, request: Request, outside_ms: f64) -> Self {
        let (first_ms, last_ms) = (0.0, 0.0);
        Self { index, request, outside_ms, has: 0, first_ms, last_ms, is_resumed: false }
    }

    /// Tokens of its context when its prompt ends.
    pub fn length(&self) -> u32 {
        self.request.input_tokens.saturating_add(self.has)
    }

    /// Of them, those to compute: the last one always is.
    pub fn computed(&self) -> u32 {
        let length = self.length();
        length - self.request.cached_tokens.min(length.saturating_sub(1))
    }

    /// It has another token, the first since it was let in.
    pub fn record_token(&mut self, at_ms: f64, recorder: &mut Recorder) {
        if self.has == 0 {
            let since_ms = at_ms - self.request.arrival_ms;
            recorder.first_token(self.index, since_ms + self.outside_ms);
            self.first_ms = at_ms;
        } else {
            recorder.tokens(at_ms - self.last_ms, 1);
        }
        self.last_ms = at_ms;
    }

    /// Its answer, whose last token it has at `end_ms`.
    pub fn answer(&self, end_ms: f64) -> Answer {
        Answer {
            response_ms: end_ms - self.request.arrival_ms + self.request.before_ms,
            decoding_ms: end_ms - self.first_ms,
            input_tokens: self.request.input_tokens,
            output_tokens: self.request.output_tokens,
        }
    }
}

impl Prompt {
    pub fn left(&self) -> u32 {
        self.length - self.done
    }

    /// Works off as much of it as the budget allows; returns the tokens taken.
    pub fn take_chunk(&mut self, budget: u32, pass: &mut Pass) -> u32 {
        let chunk = self.left().min(budget);
        if budget > 0 {
            let before = f64::from(self.done);
            self.done += chunk;
            let after = f64::from(self.done);
            pass.chunks += 1.0;
            pass.prompt_tokens += f64::from(chunk);
            pass.prompt_context += after;
            pass.prompt_attention += after * after - before * before;
        }
        chunk
    }
}
