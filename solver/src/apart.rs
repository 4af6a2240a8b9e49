//! Solves on a thread of their own, so that nobody waits for one that does not look at the clock.
//!
//! A solver looks at its limit of time, or for an interrupt, between its steps, and in a large program a
//! step (presolve, the first relaxation) may take half a minute. The caller waits [`PATIENCE`] beyond
//! the limit and goes on with what was heard so far; the thread that is left behind ends at its next
//! look, or with the program.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::SolveOptions;
use crate::deadline::Deadline;

/// How long a solve may take to notice that it is to stop.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often the caller looks for an interrupt.
const LOOK: Duration = Duration::from_millis(20);

/// What `solve` gives; `None` where it went on beyond its limit or an interrupt, or panicked.
pub(crate) fn apart<T: Send + 'static>(
    options: &SolveOptions,
    solve: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let deadline = Deadline::new(options);
    let (sender, receiver) = channel();
    let work = move || drop(sender.send(solve()));
    thread::Builder::new().name("solver".to_owned()).spawn(work).ok()?;
    let limit = options.time_limit.map_or(Duration::MAX, |limit| limit.saturating_add(PATIENCE));
    let mut interrupted: Option<Instant> = None;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(solved) => return Some(solved),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if options.interrupt.is_raised() {
            interrupted.get_or_insert_with(Instant::now);
        }
        if deadline.start.elapsed() > limit || interrupted.is_some_and(|at| at.elapsed() > PATIENCE)
        {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() {
        loop {
            thread::park();
        }
    }

    #[test]
    fn nobody_waits_beyond_the_limit_or_an_interrupt() {
        let limited = SolveOptions { time_limit: Some(Duration::ZERO), ..SolveOptions::default() };
        assert_eq!(apart(&limited, never), None);
        let interrupted = SolveOptions::default();
        interrupted.interrupt.raise();
        assert_eq!(apart(&interrupted, never), None);
        assert_eq!(apart(&interrupted, || 7), Some(7));
    }
}
