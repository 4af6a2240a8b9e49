//! What requests ask of passes.
//!
//! A request takes its prompt's passes and then `D` decode passes, `D = out - 1` where the pass that
//! ends a prompt yields a token and `D = out` where it does not. A token is likelier to belong to a
//! long answer, so that the mean context at a decode pass is
//!
//! ```text
//! in + E[D (D + 1)] / (2 E[D])
//! ```
//!
//! which for memoryless answers is `in + out`, and for answers of one length about `in + out / 2`.
//!
//! Beside `d` requests that decode, a pass has room for `M - d` prompt tokens under a token budget
//! `M`, which is `kappa = (M - d) / (computed tokens of a prompt)` prompts. Without chunks prompts
//! take passes of their own: a decode pass and the prompt pass before it count as one pass here.

use super::arrivals::Arrivals;
use crate::queue::pass::Pass;
use crate::queue::service::Station;

/// A prompt of no tokens to speak of: it makes a pass one with prompts.
pub(super) const EMPTY: f64 = 1e-9;

/// Requests, as passes see them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    station: Station,
    /// Mean decode passes of a request, `D`.
    pub decode_passes: f64,
    /// Mean context at a decode pass, tokens, and its squared coefficient of variation.
    context: f64,
    context_scv: f64,
    /// Mean tokens of a prompt that are computed.
    computed: f64,
}

impl Work {
    pub fn new(station: &Station) -> Self {
        let Station { output_tokens: out, input_tokens, token_scv, .. } = *station;
        let yields = station.service.prompt_yields_token();
        let decode_passes = if yields { out - 1.0 } else { out };
        // A scv of 1 is the memoryless length on whole numbers, whose own is 1 - 1 / out.
        let scv = if token_scv == 1.0 { 1.0 - 1.0 / out } else { token_scv };
        let variance = scv * out * out;
        let squares = variance + decode_passes * decode_passes;
        let steps = (squares + decode_passes) / (2.0 * decode_passes.max(1e-9));
        let context = input_tokens + if decode_passes > 0.0 { steps } else { 0.0 };
        // Var[age] / D^2 of answers that are spread as a gamma distribution is (`gaps.rs`).
        let age =
            (1.0 + token_scv) * (1.0 + 2.0 * token_scv) / 3.0 - (1.0 + token_scv).powi(2) / 4.0;
        let spread = age * decode_passes.powi(2) + station.input_scv * input_tokens.powi(2);
        let hits = station.prefix_hit_share;
        let computed = (input_tokens * (1.0 - hits)).max(input_tokens.min(1.0));
        Self {
            station: *station,
            decode_passes,
            context,
            context_scv: spread / (context * context).max(f64::MIN_POSITIVE),
            computed,
        }
    }

    pub fn station(&self) -> &Station {
        &self.station
    }

    /// Mean context of a request over its decode passes, tokens.
    pub fn context(&self) -> f64 {
        self.context
    }

    /// What the context of so many requests that decode takes of a pass, ms, and its squared coefficient of variation.
    pub fn context_ms(&self, decoding: f64) -> (f64, f64) {
        let decoding = decoding.max(1.0);
        let with = self.pass(decoding, 0.0, 1.0);
        let without = Pass { decode_context: 0.0, ..with };
        let service = &self.station.service;
        let ms = service.pass_ms(&with) - service.pass_ms(&without);
        (ms.max(0.0), self.context_scv / decoding)
    }

    /// Squared coefficient of variation of a request's gaps, one fewer than its tokens, which are at
    /// least one.
    pub fn gaps_scv(&self) -> f64 {
        let out = self.station.output_tokens;
        if out <= 1.0 || self.station.token_scv == 1.0 {
            return self.station.token_scv;
        }
        self.station.token_scv * (out / (out - 1.0)).powi(2)
    }

    /// How requests come.
    pub fn arrivals(&self) -> Arrivals {
        Arrivals(self.station.arrival_scv)
    }

    /// Whether requests go through a prompt pass at all.
    pub fn has_prompt_pass(&self) -> bool {
        self.station.input_tokens > 0.0 || !self.station.service.needs_no_prompt()
    }

    /// Whether the first token takes a decode pass after the prompt's.
    pub fn decodes_first_token(&self) -> bool {
        !self.station.service.prompt_yields_token()
    }

    /// Prompts that a pass has room for beside `decoding` requests, `kappa`.
    pub fn room(&self, decoding: f64) -> f64 {
        let budget = f64::from(self.station.engine.token_budget);
        if self.computed <= 0.0 {
            return f64::INFINITY;
        }
        if self.station.engine.chunked_prefill {
            return (budget - decoding).max(1.0) / self.computed;
        }
        (budget / self.computed).floor().max(1.0)
    }

    /// Passes of a prompt that is alone, where a pass has room for `room` of them.
    pub fn chunks(&self, room: f64) -> f64 {
        (1.0 / room).ceil().max(1.0)
    }

    /// Whether prompts share passes with decoding.
    pub fn is_chunked(&self) -> bool {
        self.station.engine.chunked_prefill
    }

    /// Time of a pass in which `decoding` requests decode beside `prompts` prompts, each in `chunks`
    /// chunks, ms; `decoding` and `prompts` may be means.
    pub fn pass_ms(&self, decoding: f64, prompts: f64, chunks: f64) -> f64 {
        if self.is_chunked() {
            return self.station.service.pass_ms(&self.pass(decoding, prompts, chunks));
        }
        self.only_ms(decoding, 0.0) + self.whole_ms(prompts)
    }

    /// Time from one decode pass of `n` requests to the next with `prompts` whole prompts between, where all
    /// places are taken, ms. An answer of one token leaves its place to another prompt at once, which
    /// takes another pass.
    pub fn cycle_ms(&self, n: f64, prompts: f64) -> f64 {
        let mut ms = self.pass_ms(n, prompts, 1.0);
        let Station { output_tokens, token_scv, .. } = self.station;
        if self.decodes_first_token() || token_scv < 1.0 || prompts <= 0.0 {
            return ms;
        }
        let at_once = 1.0 / output_tokens.max(2.0);
        let (mut ends, more_ms) = (at_once, self.only_ms(0.0, EMPTY));
        while ends * prompts > 0.01 {
            ms += (1.0 - (1.0 - ends).powf(prompts)) * more_ms;
            ends *= at_once;
        }
        ms
    }

    /// Time of the passes of `prompts` prompts in one piece each, ms.
    pub fn whole_ms(&self, prompts: f64) -> f64 {
        let room = self.room(0.0);
        let full = (prompts / room).ceil() - 1.0;
        if prompts <= 0.0 {
            return 0.0;
        }
        if full <= 0.0 {
            return self.only_ms(0.0, prompts);
        }
        full * self.only_ms(0.0, room) + self.only_ms(0.0, prompts - full * room)
    }

    /// Time of the pass in which a prompt ends beside `decoding` requests, ms: without chunks, none
    /// decode in it.
    pub fn prompt_pass_ms(&self, decoding: f64, prompts: f64, chunks: f64) -> f64 {
        if self.station.engine.chunked_prefill {
            return self.pass_ms(decoding, prompts, chunks);
        }
        self.only_ms(0.0, prompts)
    }

    /// Time of the passes of so much of a prompt that is alone, ms. All but its last chunk fill their passes: what a pass
    /// costs beside what it computes comes each time.
    pub fn alone_ms(&self, prompts: f64) -> f64 {
        let chunks = self.chunks(self.room(0.0));
        let more_ms = if chunks > 1.0 { self.only_ms(0.0, EMPTY) } else { 0.0 };
        self.prompt_pass_ms(0.0, prompts, chunks) + (chunks - 1.0) * more_ms
    }

    /// Time of a pass of prompts, or of decoding, as it is without chunks, ms; 0 without either.
    pub fn only_ms(&self, decoding: f64, prompts: f64) -> f64 {
        if decoding <= 0.0 && prompts <= 0.0 {
            return 0.0;
        }
        self.station.service.pass_ms(&self.pass(decoding, prompts, 1.0))
    }

    fn pass(&self, decoding: f64, prompts: f64, chunks: f64) -> Pass {
        let cached = self.station.input_tokens - self.computed;
        // Longer prompts count by their squares.
        let squares = self.station.input_tokens.powi(2) - cached * cached;
        Pass {
            decoding,
            decode_context: decoding * self.context,
            chunks: prompts * chunks,
            prompt_tokens: prompts * self.computed,
            prompt_context: prompts * (chunks * cached + (chunks + 1.0) / 2.0 * self.computed),
            prompt_attention: prompts * squares * (1.0 + self.station.input_scv),
        }
    }
}
