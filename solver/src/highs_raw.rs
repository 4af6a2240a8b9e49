//! The one place that calls HiGHS below its safe interface: callbacks, for interrupts and progress.
#![allow(unsafe_code)]

use std::os::raw::{c_char, c_int, c_void};

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use highs_sys::{HighsCallbackDataIn, HighsCallbackDataOut};

use crate::backend::{Interrupt, Listener, Progress, SolveOptions};

/// What the callback sees, and what it has heard.
pub(crate) struct Watch {
    interrupt: Interrupt,
    progress: Option<Listener>,
    offset: f64,
    /// Nobody waits for the solve any more.
    left: AtomicBool,
    heard: Mutex<Heard>,
}

/// State of a solve, without its offset.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    /// Proven lower bound.
    pub bound: Option<f64>,
    /// The best point so far.
    pub values: Option<Vec<f64>>,
}

impl Watch {
    /// Watches for `options`; objectives are reported with `offset` added.
    pub fn new(options: &SolveOptions, offset: f64) -> Self {
        let (interrupt, progress) = (options.interrupt.clone(), options.progress.clone());
        Self { interrupt, progress, offset, left: false.into(), heard: Mutex::default() }
    }

    /// Stops the solve at its next look, tells nobody any more, and hands over what was heard.
    pub fn leave(&self) -> Heard {
        self.left.store(true, Ordering::SeqCst);
        self.heard.lock().map(|heard| heard.clone()).unwrap_or_default()
    }

    fn is_to_stop(&self) -> bool {
        self.interrupt.is_raised() || self.left.load(Ordering::SeqCst)
    }

    fn report(&self, out: &HighsCallbackDataOut, values: Option<&[f64]>) {
        let bound = (out.mip_dual_bound.abs() < 1e100).then_some(out.mip_dual_bound);
        if let Ok(mut heard) = self.heard.lock() {
            heard.bound = bound.or(heard.bound);
            if let Some(values) = values {
                heard.values = Some(values.to_vec());
            }
        }
        let Some(progress) = self.progress.as_ref().filter(|_| !self.is_to_stop()) else { return };
        let incumbent = out.mip_primal_bound;
        progress(&Progress {
            seconds: out.running_time,
            incumbent: (incumbent.abs() < 1e100).then_some(incumbent + self.offset),
            bound: bound.map_or(f64::NEG_INFINITY, |bound| bound + self.offset),
        });
    }
}

/// Solves `model` while `watch` listens.
pub(crate) fn run_watched(
    mut model: highs::Model,
    watch: &Watch,
) -> Result<highs::SolvedModel, highs::HighsStatus> {
    let highs = model.as_mut_ptr();
    let data = std::ptr::from_ref(watch).cast_mut().cast::<c_void>();
    // SAFETY: `highs` is a live HiGHS instance owned by `model`. The callback only reads `watch`,
    // which outlives the solve, as the callbacks are taken off again below before it returns.
    unsafe {
        highs_sys::Highs_setCallback(highs, Some(on_event), data);
        for event in [
            highs_sys::kHighsCallbackMipInterrupt,
            highs_sys::kHighsCallbackSimplexInterrupt,
            highs_sys::kHighsCallbackMipImprovingSolution,
            highs_sys::kHighsCallbackMipLogging,
        ] {
            highs_sys::Highs_startCallback(highs, event);
        }
    }
    let solved = model.try_solve();
    if let Ok(mut solved) = solved {
        // SAFETY: the instance is the same; a null callback takes the former one off.
        unsafe {
            highs_sys::Highs_setCallback(solved.as_mut_ptr(), None, std::ptr::null_mut());
        }
        return Ok(solved);
    }
    solved
}

/// Called by HiGHS on this or another thread. It must not unwind: it only reads and calls
/// `progress`, whose panics are stopped here.
unsafe extern "C" fn on_event(
    event: c_int,
    _message: *const c_char,
    out: *const HighsCallbackDataOut,
    input: *mut HighsCallbackDataIn,
    data: *mut c_void,
) {
    // SAFETY: HiGHS passes back the pointer to the `Watch` given to it, and its own records, which
    // are valid for the length of the call (null where the event has none).
    let (watch, out, input) =
        unsafe { (data.cast::<Watch>().as_ref(), out.as_ref(), input.as_mut()) };
    let Some(watch) = watch else { return };
    let reports = event == highs_sys::kHighsCallbackMipImprovingSolution
        || event == highs_sys::kHighsCallbackMipLogging;
    if let Some(out) = out.filter(|_| reports) {
        let improved = event == highs_sys::kHighsCallbackMipImprovingSolution;
        let count = usize::try_from(out.mip_solution_size).unwrap_or(0);
        // SAFETY: at this event HiGHS hands over the point, so many numbers, for the length of the call.
        let values = (improved && !out.mip_solution.is_null())
            .then(|| unsafe { std::slice::from_raw_parts(out.mip_solution, count) });
        // A panic in the listener ends its report, not the solve.
        let report = std::panic::AssertUnwindSafe(|| watch.report(out, values));
        let _ = std::panic::catch_unwind(report);
    }
    if let Some(input) = input
        && watch.is_to_stop()
    {
        input.user_interrupt = 1;
    }
}

/// Lets the next solve choose its number of threads anew.
pub(crate) fn reset_scheduler() {
    // SAFETY: takes no pointer; waits until the scheduler's threads are idle.
    unsafe { highs_sys::Highs_resetGlobalScheduler(1) }
}
