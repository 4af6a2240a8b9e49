//! When to stop: the one clock of a solve.

use std::time::{Duration, Instant};

use crate::backend::SolveOptions;

/// When a solve began and what was asked of it. Every loop of a method, and every program that it has a
/// backend solve on the way, looks at the same one.
#[derive(Clone)]
pub struct Deadline {
    /// When the solve began.
    pub start: Instant,
    /// What was asked.
    pub options: SolveOptions,
}

impl Deadline {
    /// Starts now.
    pub fn new(options: &SolveOptions) -> Self {
        Self { start: Instant::now(), options: options.clone() }
    }

    /// Time that is left; `None` without a limit.
    pub fn left(&self) -> Option<Duration> {
        self.options.time_limit.map(|limit| limit.saturating_sub(self.start.elapsed()))
    }

    /// Whether time is up, or an interrupt was raised.
    pub fn is_over(&self) -> bool {
        self.options.interrupt.is_raised() || self.left().is_some_and(|left| left.is_zero())
    }

    /// Options for a program on the way: what time is left, at most `most`. The progress of a core
    /// over a part is not that of the whole, and stays unheard.
    pub fn within(&self, most: Duration) -> SolveOptions {
        let limit = self.left().map_or(most, |left| left.min(most));
        SolveOptions { time_limit: Some(limit), progress: None, ..self.options.clone() }
    }
}
