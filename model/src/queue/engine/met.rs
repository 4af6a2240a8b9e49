//! A level as an arrival finds it: its passes, one by one.

use std::collections::BTreeMap;

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

    /// Passes whose prompts differ in length; those that are much alike are one.
    pub fn spread(&self, work: &Work, passes: &Passes, scv: f64) -> Passes {
        let mut all = BTreeMap::new();
        for &(prompts, odds, t) in passes {
            let in_pass =
                if self.cycle.is_some() { prompts.min(self.stages.room) } else { prompts };
            if in_pass <= 0.0 {
                gather(&mut all, (prompts, odds, t), 0.0);
                continue;
            }
            for (length, part) in spread::few_points(1.0, scv / in_pass) {
                let (count, time) = if work.is_chunked() {
                    let done = (prompts * length).min(self.stages.room) * self.scale;
                    let decoding = (self.n - prompts).max(0.0);
                    (prompts * length, work.pass_ms(decoding, done, self.stages.chunks))
                } else if self.cycle.is_some() {
                    // Those for which there is no room are not in it.
                    (prompts, work.only_ms(0.0, in_pass * length))
                } else {
                    (prompts * length, t + work.whole_ms(prompts * length) - work.whole_ms(prompts))
                };
                gather(&mut all, (count, odds * part, time), count - self.stages.room);
            }
        }
        let passes = all.into_values();
        passes.map(|(prompts, odds, t)| (prompts / odds, odds, t / odds)).collect()
    }
}

/// Adds a pass to those of about its time that leave as many prompts over, as sums.
fn gather(all: &mut BTreeMap<(bool, u64, u64), (f64, f64, f64)>, pass: (f64, f64, f64), left: f64) {
    let (prompts, odds, t) = pass;
    if odds <= 0.0 {
        return;
    }
    let place = |x: f64| x.max(0.0).to_bits() >> 47;
    let sums = all.entry((prompts > 0.0, place(left), place(t))).or_default();
    *sums = (sums.0 + odds * prompts, sums.1 + odds, sums.2 + odds * t);
}
