//! Runs a command on a thread of its own, while Python's thread waits without its lock and looks for Ctrl-C.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use isocost::{Caller, Given, Listener};
use isocost_solver::Interrupt;
use pyo3::prelude::*;
use rayon::ThreadPoolBuilder;

/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// A Python function that hears how many of how many parts are done, if any.
pub struct Heard(pub Option<Py<PyAny>>);

/// The process that loaded the module.
static LOADED_BY: OnceLock<u32> = OnceLock::new();

/// Remembers this process as the one that loaded the module.
pub fn loaded() {
    LOADED_BY.get_or_init(std::process::id);
}

/// Does the work; in a process that was forked off the one that loaded the module, with threads of its own: those that the
/// other one shares work between are not there, and nobody would ever take up what is given to them.
fn with_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let is_forked = LOADED_BY.get().is_some_and(|loaded| *loaded != std::process::id());
    match is_forked.then(|| ThreadPoolBuilder::new().build()) {
        Some(Ok(pool)) => pool.install(work),
        _ => work(),
    }
}

/// What `work` comes to; the work is stopped, and the exception is Python's, where a signal's handler raises one.
pub fn run<T: Send>(
    py: Python<'_>,
    scenarios: Vec<Given>,
    Heard(heard): Heard,
    work: impl FnOnce(Caller) -> T + Send,
) -> PyResult<T> {
    let interrupt = Interrupt::default();
    let (told, tidings) = channel();
    let listener = heard.is_some().then(|| {
        let told = told.clone();
        let listener: Listener = Arc::new(move |done, of| {
            // Nobody hears any more once the work is done.
            let _ = told.send(Some((done, of)));
        });
        listener
    });
    let caller = Caller { scenarios, interrupt: interrupt.clone(), listener };
    let (raised, done) = py.detach(move || {
        let mut raised = None;
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let done = with_threads(|| work(caller));
                // Whoever waits is told so at once.
                let _ = told.send(None);
                done
            });
            loop {
                let tiding = tidings.recv_timeout(LOOK);
                match tiding {
                    Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
                    Ok(Some(_)) | Err(RecvTimeoutError::Timeout) => {}
                }
                let hears = |py: Python<'_>| -> PyResult<()> {
                    py.check_signals()?;
                    if let (Some(heard), Ok(Some((done, of)))) = (&heard, tiding) {
                        heard.call1(py, (done, of))?;
                    }
                    Ok(())
                };
                if raised.is_none()
                    && let Err(error) = Python::attach(hears)
                {
                    interrupt.raise();
                    raised = Some(error);
                }
            }
            let done = worker.join();
            (raised, done)
        })
    });
    match (raised, done) {
        (Some(error), _) => Err(error),
        (None, Ok(done)) => Ok(done),
        // What panics is a defect of this program.
        (None, Err(_)) => Err(crate::error::raised(
            py,
            "isocost has failed inside; please report it with the scenario",
            Vec::new(),
            false,
        )),
    }
}
