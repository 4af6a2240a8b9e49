//! What ends work that nobody waits for any more.
//!
//! Sizing is a great many passes over the states of a chain, and how many there are hangs on numbers that a client
//! sends. A caller with a deadline runs it [`within`] a [`Stop`]; each pass looks at it as it begins (`pause`), and
//! the first that finds it raised unwinds to the caller. No result of the stopped work is seen, nothing that is kept
//! is left half-written, and the code between states what it computes alone.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Says whether work is to end. Its clones say the same.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

/// Work was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

thread_local! {
    static HERE: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

impl Stop {
    /// One that is raised once `is_raised` says so, from then on.
    pub fn new(is_raised: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_raised))
    }

    /// The one that this thread's work runs within.
    pub(crate) fn here() -> Option<Self> {
        HERE.with_borrow(Clone::clone)
    }
}

/// Does `work`, whose passes look at `stop`.
///
/// # Errors
/// [`Stopped`] where a pass found it raised.
pub fn within<T>(stop: &Stop, work: impl FnOnce() -> T) -> Result<T, Stopped> {
    let done = catch_unwind(AssertUnwindSafe(|| beneath(Some(stop.clone()), work)));
    done.map_err(|cause| match cause.downcast::<Stopped>() {
        Ok(stopped) => *stopped,
        Err(panic) => resume_unwind(panic),
    })
}

/// Does a part of `within`'s work on another thread: what unwinds there unwinds to the thread that shared it out.
pub(crate) fn beneath<T>(stop: Option<Stop>, work: impl FnOnce() -> T) -> T {
    let _before = Before(HERE.replace(stop));
    work()
}

/// Ends the work here where its stop is raised.
#[inline]
pub fn pause() {
    let is_raised = HERE.with_borrow(|stop| stop.as_ref().is_some_and(|stop| (stop.0)()));
    if is_raised {
        resume_unwind(Box::new(Stopped));
    }
}

/// Puts back what a thread's work ran within before: a thread that waits may take up other work meanwhile.
struct Before(Option<Stop>);

impl Drop for Before {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn work_ends_at_the_next_pause_and_what_was_before_is_back() {
        let (raised, passes) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
        let seen = Arc::clone(&raised);
        let stop = Stop::new(move || seen.load(Ordering::SeqCst));
        let endless = || loop {
            pause();
            if passes.fetch_add(1, Ordering::SeqCst) == 9 {
                raised.store(true, Ordering::SeqCst);
            }
        };
        assert_eq!(within(&stop, || 7), Ok(7));
        assert_eq!(within(&stop, endless), Err::<(), _>(Stopped));
        assert_eq!(passes.into_inner(), 10);
        pause();
        assert!(Stop::here().is_none());
        // A pause without a stop never ends anything, and another panic stays what it is.
        let other =
            catch_unwind(AssertUnwindSafe(|| within(&Stop::new(|| false), || panic!("other"))));
        assert_eq!(other.err().and_then(|p| p.downcast_ref::<&str>().copied()), Some("other"));
    }
}
