//! An open loop of constant gaps.
//!
//! Prompts arrive `1 / lambda` apart and join the next pass that starts, as far as its token budget
//! goes; `n` others decode beside them. In between passes only decode, each taking `d(n)`. From the
//! passes of some arrivals come their mean `t`, and the time that a prompt adds, `c = (t - d) /
//! (lambda t)`.
//!
//! **What a request meets.** Others arrive at exact multiples of the gap after it. While it decodes,
//! from the start of its own pass until that of its last, it meets those that arrive in
//!
//! ```text
//! residual + own pass - last pass + D
//! ```
//!
//! less half a gap on average, and less the `j` that share its own pass, where `D` is how long it
//! decodes and `residual` how long it waited for its pass. So
//!
//! ```text
//! D = (steps) d + c (lambda (residual + own - t + D) - 1/2 - j)
//!   = (steps) t + c / (1 - lambda c) (lambda (residual + own - t) - 1/2 - j)
//! ```
//!
//! which is less than `steps` mean passes: the half request is what Poisson arrivals would add.
//! `n = lambda D` (Little's law) closes the circle.

use isocost_model::queue::{Pass, ServiceModel};

use super::{Load, Replayed};

/// Arrivals that are replayed, and those before that only warm up.
const ARRIVALS: usize = 160;
const WARM_UP: usize = 16;

/// Steps of the search for the number that decodes, and how close it has to come, a share.
const STEPS: u32 = 24;
const CLOSE: f64 = 1e-6;

/// Replays constant gaps; `None` where no time comes out.
pub(crate) fn gaps(load: &Load<'_>) -> Option<Replayed> {
    let most = f64::from(load.bench.batch);
    let prompts: Vec<f64> = (0..ARRIVALS).map(|i| load.prompt(i)).collect();
    let gaps = Gaps { load, prompts, gap_ms: 1000.0 / load.point.rate_per_s };
    let excess = |n: f64| gaps.run(n).decoding(&gaps) - n;
    let full = excess(most);
    let n = if full >= 0.0 { most } else { root(excess, most, full) };
    let run = gaps.run(n);
    let replayed = run.replayed(&gaps, n, 1.0 + full.max(0.0) / most);
    replayed.ttft_ms.is_finite().then_some(replayed)
}

/// Where a function that falls from above 0 at 0 to `full` at `most` is 0 (Illinois method).
fn root(excess: impl Fn(f64) -> f64, most: f64, full: f64) -> f64 {
    let (mut low, mut high) = ((0.0, excess(0.0)), (most, full));
    // Few decode on most loads: the bracket closes in from there.
    let mut next = low.1.clamp(1e-3 * most, 0.5 * most);
    for _ in 0..STEPS {
        let value = excess(next);
        let side_low = value > 0.0;
        if side_low {
            low = (next, value);
            high.1 *= if high.1 < -value { 0.5 } else { 1.0 };
        } else {
            high = (next, value);
            low.1 *= if low.1 > -value { 0.5 } else { 1.0 };
        }
        if value.abs() <= CLOSE * next || high.0 - low.0 <= CLOSE * high.0 {
            break;
        }
        next = (low.0 * high.1 - high.0 * low.1) / (high.1 - low.1);
    }
    next
}

struct Gaps<'a> {
    load: &'a Load<'a>,
    prompts: Vec<f64>,
    gap_ms: f64,
}

/// A prompt that is worked off.
struct Prompt {
    arrival: usize,
    length: f64,
    done: f64,
}

/// What some passes brought, with `n` others decoding.
#[derive(Default)]
struct Run {
    /// Time of a pass without prompts, ms.
    decode_ms: f64,
    /// Mean time of a pass, ms.
    pass_ms: f64,
    /// Waits for the first pass, the passes that end a prompt, and later arrivals in the same pass:
    /// sums over requests.
    residual_ms: f64,
    own_ms: f64,
    after: f64,
    /// From arrival to the end of the prompt, ms.
    ttfts_ms: Vec<f64>,
}

impl Gaps<'_> {
    fn arrival_ms(&self, i: usize) -> f64 {
        self.gap_ms * (i as f64 + 0.5)
    }

    /// Passes until every arrival has its first token.
    fn run(&self, n: f64) -> Run {
        let service = &self.load.service;
        let point = self.load.point;
        let scv = point.token_scv.unwrap_or(0.0);
        let context = point.input_tokens + (point.output_tokens * (1.0 + scv) + 1.0) / 2.0;
        let decode = Pass { decoding: n, decode_context: n * context, ..Pass::default() };
        let decode_ms = service.pass_ms(&decode);
        let ttfts_ms = Vec::with_capacity(ARRIVALS);
        let mut run = Run { decode_ms, ttfts_ms, ..Run::default() };
        let (mut now_ms, mut passes, mut next) = (0.0, 0.0, 0);
        let mut since = (0.0, 0.0);
        let mut waiting: Vec<Prompt> = Vec::new();
        while next < ARRIVALS || !waiting.is_empty() {
            if waiting.is_empty() {
                // Only decoding until the next one comes.
                let idle = ((self.arrival_ms(next) - now_ms) / decode_ms).ceil().max(0.0);
                now_ms += idle * decode_ms;
                passes += idle;
            }
            while next < ARRIVALS && self.arrival_ms(next) <= now_ms {
                if next == WARM_UP {
                    since = (now_ms, passes);
                }
                waiting.push(Prompt { arrival: next, length: self.prompts[next], done: 0.0 });
                next += 1;
            }
            let pass = self.pass(&mut waiting, decode);
            let length_ms = service.pass_ms(&pass);
            now_ms += length_ms;
            passes += 1.0;
            let ended = waiting.iter().take_while(|prompt| prompt.done >= prompt.length).count();
            for (place, prompt) in waiting.drain(..ended).enumerate() {
                if prompt.arrival < WARM_UP {
                    continue;
                }
                let ttft_ms = now_ms - self.arrival_ms(prompt.arrival);
                run.residual_ms += ttft_ms - length_ms;
                run.own_ms += length_ms;
                run.after += (ended - 1 - place) as f64;
                run.ttfts_ms.push(ttft_ms);
            }
        }
        run.pass_ms = (now_ms - since.0) / (passes - since.1).max(1.0);
        run
    }

    /// The next pass: chunks of the prompts that wait, as far as the budget goes.
    fn pass(&self, waiting: &mut [Prompt], decode: Pass) -> Pass {
        let budget = f64::from(self.load.bench.engine.token_budget);
        let mut left = (budget - decode.decoding).max(1.0);
        let mut pass = decode;
        for prompt in waiting {
            let chunk = (prompt.length - prompt.done).min(left);
            if chunk <= 0.0 {
                break;
            }
            left -= chunk;
            let before = prompt.done;
            prompt.done += chunk;
            pass.chunks += 1.0;
            pass.prompt_tokens += chunk;
            pass.prompt_context += prompt.done;
            pass.prompt_attention += prompt.done * prompt.done - before * before;
        }
        pass
    }
}

impl Run {
    /// Share of the time that prompts take, at most all but a hundredth.
    fn prompt_share(&self) -> f64 {
        (1.0 - self.decode_ms / self.pass_ms).clamp(0.0, 0.99)
    }

    /// How long a request decodes, ms.
    fn decode_time_ms(&self, gaps: &Gaps<'_>) -> f64 {
        let share = self.prompt_share();
        let prompt_ms = share * gaps.gap_ms;
        let count = self.ttfts_ms.len() as f64;
        let ahead_ms = (self.residual_ms + self.own_ms) / count - self.pass_ms;
        let met = ahead_ms / gaps.gap_ms - 0.5 - self.after / count;
        let steps = gaps.load.point.output_tokens - 1.0;
        let time_ms = steps * self.pass_ms + prompt_ms / (1.0 - share) * met;
        // No request decodes faster than passes without prompts.
        time_ms.max(steps * self.decode_ms)
    }

    /// How many decode at a time; where the pass that ends a prompt yields no token, one pass more.
    fn decoding(&self, gaps: &Gaps<'_>) -> f64 {
        let more_ms = self.first_ms(&gaps.load.service);
        (self.decode_time_ms(gaps) + more_ms) / gaps.gap_ms
    }

    /// From the end of the prompt to the first token, ms.
    fn first_ms(&self, service: &ServiceModel) -> f64 {
        if service.prompt_yields_token() { 0.0 } else { self.pass_ms }
    }

    fn replayed(mut self, gaps: &Gaps<'_>, n: f64, load: f64) -> Replayed {
        let service = &gaps.load.service;
        let steps = (gaps.load.point.output_tokens - 1.0).max(1e-9);
        let time_ms = self.decode_time_ms(gaps);
        // An arrival finds the others, about Poisson with mean n, at work.
        let busy = 1.0 - (-n).exp();
        let outside_ms = service.outside_ms(busy * self.pass_ms) + self.first_ms(service);
        self.ttfts_ms.iter_mut().for_each(|ttft_ms| *ttft_ms += outside_ms);
        self.ttfts_ms.sort_by(f64::total_cmp);
        let count = self.ttfts_ms.len() as f64;
        Replayed {
            ttft_ms: self.ttfts_ms.iter().sum::<f64>() / count,
            itl_ms: time_ms / steps,
            itl_deviation_ms: self.deviation_ms(gaps, time_ms) / steps,
            ttfts_ms: self.ttfts_ms,
            load,
        }
    }

    /// Standard deviation of the time that a request decodes for a given number of steps, ms: that of
    /// the prompts it meets, and whether it meets one more, which is uniform in the phase.
    fn deviation_ms(&self, gaps: &Gaps<'_>, time_ms: f64) -> f64 {
        let prompt_ms = self.prompt_share() * gaps.gap_ms;
        let scv = gaps.load.point.input_scv.unwrap_or(0.0);
        let met = (time_ms / gaps.gap_ms).max(1.0);
        prompt_ms * (met * scv + 1.0 / 12.0).sqrt()
    }
}
