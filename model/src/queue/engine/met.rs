//! A level as an arrival finds it: its passes, one by one.

use super::counts::Counts;
use super::level::{Level, Stages};
use super::prompts::Passes;
use super::spread;
use super::work::{EMPTY, Work};

/// A level that an arrival finds.
pub(super) struct Met {
    pub n: f64,
    pub level: Level,
    pub stages: Stages,
    /// Of the counts of prompts, over that of a level.
    pub dispersion: f64,
    scale: f64,
    /// Mean pass, ms.
    pub mean_ms: f64,
    /// Mean time that a prompt waits for room in a pass, ms.
    pub backlog_ms: f64,
    /// Mean number that decodes in a pass.
    pub decoding: f64,
    /// A pass in which a prompt has a part that takes no time of its own, ms.
    pub more_ms: f64,
}

impl Met {
    pub fn new(work: &Work, n: f64, dispersion: f64) -> Self {
        let (level, stages) = (Level::new(work, n), Stages::new(work, n));
        let scale = stages.counts(n, dispersion).scale(stages.room, stages.ends);
        let decoding = stages.ends * work.decode_passes;
        let extra = (stages.prompt_passes - stages.chunks).max(0.0);
        let full_ms = work.pass_ms(decoding, stages.room.min(1e9), stages.chunks);
        let mut met = Self {
            n,
            level,
            stages,
            dispersion,
            scale,
            mean_ms: 0.0,
            backlog_ms: if extra > 0.0 { extra * full_ms } else { 0.0 },
            decoding,
            more_ms: work.prompt_pass_ms(decoding, EMPTY, stages.chunks),
        };
        met.mean_ms = met.counts().map(|(k, odds)| odds * met.pass_ms(work, k)).sum();
        met
    }

    /// Requests at their prompts, with probabilities.
    pub fn counts(&self) -> Counts {
        self.stages.counts(self.n, self.dispersion)
    }

    /// A pass with so many of them, ms.
    pub fn pass_ms(&self, work: &Work, prompts: f64) -> f64 {
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
                let done = (prompts * length).min(self.stages.room) * self.scale;
                let decoding = (self.n - prompts).max(0.0);
                let time = work.pass_ms(decoding, done, self.stages.chunks);
                all.push((prompts * length, odds * part, time));
            }
        }
        all
    }
}
