//! A program that calls a command, in place of a process of its own.
//!
//! A process reads its scenario from a path, writes to standard output, warns on standard error and stops at Ctrl-C. Where a [`Caller`] is set, it
//! gives the scenario, takes what is written and warned of, hears how far the work is, and stops it. It stands for the thread that the
//! command runs on, until the command is done: what a command prints and reads goes through `print`, `warning`, `read` and `interrupt` alone.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isocost_model::Scenario;
use isocost_model::candidates::Sizings;
use isocost_model::input::Source;
use isocost_solver::Interrupt;

use crate::Failure;

/// Hears how many of how many parts are done.
pub type Listener = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// What a caller gives.
#[derive(Clone, Default)]
pub struct Caller {
    /// Scenarios, which commands take in place of those at the paths that they are given.
    pub scenarios: Vec<Given>,
    /// Stops the command.
    pub interrupt: Interrupt,
    /// Hears how far it is.
    pub listener: Option<Listener>,
}

/// A scenario that a caller gives.
#[derive(Clone)]
pub struct Given {
    /// What stands for it where a path is asked for.
    pub name: PathBuf,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The same as it is written.
    pub source: Arc<Source>,
    /// Sizings made so far, which the caller keeps from one call to the next.
    pub sizings: Arc<Sizings>,
}

/// What a caller gets.
#[derive(Debug, Default)]
pub struct Called {
    /// The exit code that the process would have had.
    pub code: u8,
    /// What it would have written to standard output.
    pub output: Vec<u8>,
    /// What it would have warned of.
    pub warnings: Vec<String>,
    /// Why it ended early, if it did.
    pub failure: Option<Failure>,
}

struct Call {
    caller: Caller,
    called: Called,
}

thread_local! {
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// Runs `command` for a caller, on this thread.
pub fn called(caller: Caller, command: impl FnOnce() -> Result<u8, Failure>) -> Called {
    CALL.set(Some(Call { caller, called: Called::default() }));
    let done = command();
    // Set above, and taken nowhere else.
    let mut called = CALL.take().map(|call| call.called).unwrap_or_default();
    match done {
        Ok(code) => called.code = code,
        Err(failure) => {
            called.code = failure.code;
            called.failure = Some(failure);
        }
    }
    called
}

/// Something of the call on this thread, where there is one.
fn with<T>(take: impl FnOnce(&mut Call) -> T) -> Option<T> {
    CALL.with_borrow_mut(|call| call.as_mut().map(take))
}

/// Whether a caller took what is written.
pub fn takes_output(bytes: &[u8]) -> bool {
    with(|call| call.called.output.extend_from_slice(bytes)).is_some()
}

/// Whether a caller took the warning.
pub fn takes_warning(text: &str) -> bool {
    with(|call| call.called.warnings.push(text.to_owned())).is_some()
}

/// The caller's scenario of that name.
pub fn scenario(name: &Path) -> Option<Given> {
    with(|call| call.caller.scenarios.iter().find(|given| given.name == name).cloned()).flatten()
}

/// Sizings that the caller keeps, where the call is about one scenario.
pub fn sizings() -> Option<Arc<Sizings>> {
    with(|call| match call.caller.scenarios.as_slice() {
        [given] => Some(Arc::clone(&given.sizings)),
        _ => None,
    })
    .flatten()
}

/// What stops the call; `None` where a process runs.
pub fn interrupt() -> Option<Interrupt> {
    with(|call| call.caller.interrupt.clone())
}

/// Who hears how far the work is.
pub fn listener() -> Option<Listener> {
    with(|call| call.caller.listener.clone()).flatten()
}

/// Whether there is a caller, who shows nothing of its own accord.
pub fn is_there() -> bool {
    with(|_| ()).is_some()
}
