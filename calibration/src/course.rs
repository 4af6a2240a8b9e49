//! How the clients of a closed loop keep step, which no benchmark tells and the points show.
//!
//! Each of `n` clients sends its next prompt when its last answer ends. Where answers have one length,
//! as benchmarks ask for, they never get out of step, and how they began is how they go on:
//!
//! * [`Course::InTurn`]: requests reach the engine one after the other, each a pass after the last, and
//!   end so. A new prompt waits `lag` passes, in which the prompts of those before it are worked off.
//! * [`Course::OneWaits`]: the same with a place less than there are clients, so that one of them always
//!   waits for the end of another's answer.
//! * [`Course::Together`]: the engine works off all prompts before anybody decodes. Then all decode in
//!   step, end in one pass, and begin together again.
//! * [`Course::Apart`]: answers vary, and prompts fall anywhere.
//!
//! The four predict first tokens that differ by a factor of five, at much the same ITL. A fit tries
//! them on its points, and of those that come near takes the one that errs least on sweeps left out;
//! and so with the KV cache that clients who wait seem to show.

use crate::memory;
use crate::point::{Arrivals, Point};
use crate::predict::Bench;

/// How the clients of a closed loop keep step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Course {
    /// One after the other.
    #[default]
    InTurn,
    /// One after the other, with a place less than there are clients.
    OneWaits,
    /// All at once: prompts go first, whole.
    Together,
    /// Anyhow: answers vary.
    Apart,
}

impl Course {
    /// In the order in which they are tried: of equals the first is taken.
    pub const ALL: [Self; 4] = [Self::InTurn, Self::Together, Self::Apart, Self::OneWaits];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::InTurn => "in turn",
            Self::OneWaits => "one waits",
            Self::Together => "together",
            Self::Apart => "apart",
        }
    }

    /// What clients do, to end a sentence about them.
    pub fn words(self) -> &'static str {
        match self {
            Self::InTurn => "one after the other",
            Self::OneWaits => "one after the other, and one of them waits for a place",
            Self::Together => "all at once, before anybody decodes",
            Self::Apart => "at any time, as answers vary",
        }
    }

    /// Squared coefficient of variation of answers whose spread is not told.
    pub(crate) fn answers_scv(self) -> f64 {
        if self == Self::Apart { VARIED } else { 0.0 }
    }

    /// Places of a server with `batch` of them, for so many clients.
    pub(crate) fn places(self, batch: u32, clients: u32) -> u32 {
        if self == Self::OneWaits { batch.min(clients - 1).max(1) } else { batch }
    }

    /// Prompts that may start in a pass: of clients in turn as many as end in one.
    pub(crate) fn starts(self, clients: u32, output_tokens: f64) -> usize {
        match self {
            Self::InTurn | Self::OneWaits => (f64::from(clients) / output_tokens).ceil() as usize,
            Self::Together | Self::Apart => usize::MAX,
        }
    }
}

/// Answers that vary have lost step after a few rounds, whatever the figure.
const VARIED: f64 = 0.05;

/// What a fit has to guess of a closed loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guess {
    course: Course,
    /// Whether clients that seem to wait do so for room in the KV cache.
    has_memory: bool,
}

impl Guess {
    /// Everything that `points` leave open.
    pub fn all(bench: &Bench, points: &[&Point]) -> Vec<Self> {
        if !has_clients(points) {
            return vec![Self { course: bench.course, has_memory: false }];
        }
        let courses: &[Course] =
            if bench.engine.chunked_prefill { &Course::ALL } else { &[Course::Together] };
        let shown = memory::shown(bench, points).is_some();
        let memories: &[bool] = if shown { &[true, false] } else { &[false] };
        let each = |course| memories.iter().map(move |&has_memory| Self { course, has_memory });
        courses.iter().copied().flat_map(each).collect()
    }

    /// What the server ran with, if this is so.
    pub fn bench(self, stated: Bench, points: &[&Point]) -> Bench {
        let mut bench = Bench { course: self.course, ..stated };
        if self.has_memory {
            bench.engine.kv_tokens = memory::shown(&stated, points).or(stated.engine.kv_tokens);
        }
        if self.course == Course::Together {
            bench.engine.chunked_prefill = false;
        }
        bench
    }
}

/// Whether a point is of a closed loop of several clients.
pub(crate) fn has_clients(points: &[&Point]) -> bool {
    points.iter().any(|p| matches!(p.arrivals, Arrivals::Closed { clients } if clients > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closed_loops_leave_something_open() {
        let closed = Arrivals::Closed { clients: 8 };
        let point = |arrivals| Point::new(String::new(), arrivals, 1.0, 1000.0, 100.0);
        let (open, one) = (point(Arrivals::POISSON), point(Arrivals::Closed { clients: 1 }));
        let bench = Bench::default();
        assert_eq!(Guess::all(&bench, &[&open, &one]).len(), 1);
        assert_eq!(Guess::all(&bench, &[&open, &point(closed)]).len(), 4);
        let mut whole = bench;
        whole.engine.chunked_prefill = false;
        let only = Guess::all(&whole, &[&point(closed)]);
        assert_eq!(only, [Guess { course: Course::Together, has_memory: false }]);
    }
}
