//! A level as an arrival finds it: its passes, one by one.

use super::counts::Counts;
use super::level::Stages;
use super::prompts::Passes;
use super::spread;
use super::whole::Prompts;
use super::work::{EMPTY, Work};

/// A level that an arrival finds.
pub(super) struct Met {
    pub n: f64,
    pub stages: Stages,
    /// Of the counts of prompts, over that of a level.
    pub dispersion: f64,
    scale: f64,
    /// Mean time that a prompt waits for room in a pass, ms.
    pub backlog_ms: f64,
    /// Mean number that decodes in a pass.
    pub decoding: f64,
    /// Prompts in a cycle, where decoding waits for them.
    pub cycle: Option<Prompts>,
    /// A pass in which a prompt has a part that takes no time of its own, ms.
    pub more_ms: f64,
}

impl Met {
    pub fn new(work: &Work, n: f64, dispersion: f64) -> Self {
        let stages = Stages::new(work, n);
        let counts = stages.counts(n, dispersion);
        // Where there is room for all of them each is worked off as it is.
        let all = !work.is_chunked() || stages.room >= n;
        let scale = if all { 1.0 } else { counts.scale(stages.room, stages.ends) };
        let decoding = stages.ends * work.decode_passes;
        let extra = (stages.prompt_passes - stages.chunks).max(0.0);
        let full_ms = work.pass_ms(decoding, stages.room.min(1e9), stages.chunks);
        Self {
            n,
            stages,
            dispersion,
            scale,
            backlog_ms: if extra > 0.0 { extra * full_ms } else { 0.0 },
            decoding,
            cycle: None,
            more_ms: work.prompt_pass_ms(decoding, EMPTY, stages.chunks),
        }
    }

    /// Requests at their prompts, with probabilities.
    pub fn counts(&self) -> Counts {
        self.stages.counts(self.n, self.dispersion)
    }

    /// A pass with so many of them, ms.
    pub fn pass_ms(&self, work: &Work, prompts: f64) -> f64 {
        if !work.is_chunked() {
            return work.pass_ms(self.n, prompts, 1.0);
        }
        let done = prompts.min(self.stages.room) * self.scale;
        work.pass_ms(self.n - prompts.min(self.n), done, self.stages.chunks)
    }

    /// Passes whose prompts differ in length.
    pub fn spread(&self, work: &Work, passes: &Passes, scv: f64) -> Passes {
        let mut all = Vec::new();
        for &(prompts, odds, t) in passes {
            if prompts <= 0.0 {
                all.push((prompts, odds, t));
                continue;
            }
            for (length, part) in spread::few_points(1.0, scv / prompts) {
                let time = if work.is_chunked() {
                    let done = (prompts * length).min(self.stages.room) * self.scale;
                    work.pass_ms((self.n - prompts).max(0.0), done, self.stages.chunks)
                } else {
                    t + work.whole_ms(prompts * length) - work.whole_ms(prompts)
                };
                all.push((prompts * length, odds * part, time));
            }
        }
        all
    }
}
