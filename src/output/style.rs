//! Colour, messages and progress: for a terminal only, plain text in a pipe.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use isocost_model::input::visible;

use crate::caller::{self, Listener};

/// For what went wrong.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// For what may not be meant.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// For what went well.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// For headings.
pub const BOLD: Style = Style::new().bold();

/// Says on standard error what went wrong.
pub fn error(text: &str) {
    anstream::eprintln!("{RED}error{RED:#}: {}", seen(text));
}

/// Says on standard error what may not be meant.
pub fn warning(text: &str) {
    if caller::takes_warning(text) {
        return;
    }
    anstream::eprintln!("{YELLOW}warning{YELLOW:#}: {}", seen(text));
}

/// Says on standard error what may be meant.
pub fn hint(text: &str) {
    anstream::eprintln!("{YELLOW}hint{YELLOW:#}: {}", seen(text));
}

/// The lines of a message, in which nothing gives the terminal orders: paths and arguments may hold anything.
fn seen(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Says on standard error what was taken for granted.
pub fn assumption(text: &str) {
    anstream::eprintln!("{YELLOW}assumed{YELLOW:#}: {text}");
}

/// Whether progress is shown: on a terminal, and to nobody who calls.
fn shows() -> bool {
    std::io::stderr().is_terminal() && !caller::is_there()
}

/// A spinner on standard error for work that takes more than a second; none in a pipe.
pub struct Spinner {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
    what: Arc<Mutex<&'static str>>,
}

impl Spinner {
    /// Starts to count; `what` is shown after a second.
    pub fn start(what: &'static str) -> Self {
        let what = Arc::new(Mutex::new(what));
        if !shows() {
            return Self { thread: None, what };
        }
        let now = Arc::clone(&what);
        let message = move || *now.lock().unwrap_or_else(PoisonError::into_inner);
        let (stop, stopped) = channel::<()>();
        let wait = move |time| {
            stopped
                .recv_timeout(time)
                .is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout)
        };
        let thread = std::thread::spawn(move || {
            if !wait(Duration::from_secs(1)) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(message());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            while wait(Duration::from_millis(100)) {
                bar.set_message(message());
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self { thread: Some((stop, thread)), what }
    }

    /// Says what is being done now.
    pub fn say(&self, what: &'static str) {
        *self.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// A bar on standard error for work of many parts, with the time that is left; none in a pipe. A caller hears it.
pub struct Bar {
    shown: Option<ProgressBar>,
    heard: Option<Listener>,
    /// The round, and the most parts of it told so far: they are counted on several threads, whose words may pass each other.
    told: Mutex<Option<(u32, usize)>>,
    /// Parts that were counted one by one.
    counted: AtomicUsize,
}

/// A caller is told when so many of a thousand parts more are done, not of each.
const HEARD: usize = 5;

impl Bar {
    /// An empty bar; `what` stands before it.
    pub fn start(what: &'static str) -> Self {
        let (told, counted) = (Mutex::default(), AtomicUsize::default());
        if !shows() {
            return Self { shown: None, heard: caller::listener(), told, counted };
        }
        let bar = ProgressBar::new(0).with_message(what);
        let template = "{msg} {wide_bar} {pos}/{len} {elapsed}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { shown: Some(bar), heard: None, told, counted }
    }

    /// Shows `done` of `all` parts, unless more were shown already; `before` of them were done when the work began.
    pub fn set(&self, done: usize, before: usize, all: usize) {
        if !self.tell(0, done, all) {
            return;
        }
        if let (true, Some(bar)) = (done == before, &self.shown) {
            // Parts of an earlier run say nothing about how fast this one is.
            bar.reset_eta();
        }
    }

    /// The same of work that is done in rounds, each with parts of its own.
    pub fn set_round(&self, round: u32, done: usize, all: usize) {
        self.tell(round, done, all);
    }

    /// Shows `parts` more of `all`.
    pub fn advance(&self, parts: usize, all: usize) {
        let before = self.counted.fetch_add(parts, Ordering::Relaxed);
        let done = (before + parts).min(all);
        let step = (all * HEARD).div_ceil(1000).max(1);
        if done == all || before / step != done / step {
            self.tell(0, done, all);
        }
    }

    /// Whether that was news.
    fn tell(&self, round: u32, done: usize, all: usize) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| (round, done) <= told) {
            return false;
        }
        *told = Some((round, done));
        if let Some(heard) = &self.heard {
            heard(done, all);
        }
        if let Some(bar) = &self.shown {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }
        true
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
