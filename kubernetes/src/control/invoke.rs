//! One cycle at a time, on demand and by the clock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::cycle::Controller;
use super::leader::Candidate;
use super::metrics::Metrics;
use super::record::{CycleLog, History, Record};

/// Runs the cycles of a process.
pub struct Invoker {
    /// Who we are.
    pub holder: String,
    /// Whether nothing is applied.
    pub dry_run: bool,
    /// Who acts, where there are several of us.
    pub candidate: Option<Candidate>,
    /// The cycle log.
    pub log: CycleLog,
    /// What is counted.
    pub metrics: Metrics,
    controller: Arc<Controller>,
    number: AtomicU64,
    stopping: AtomicBool,
    running: Mutex<Option<Running>>,
    history: Mutex<History>,
    /// When the last cycle succeeded, and whether one failed since.
    succeeded: Mutex<(Option<Instant>, bool)>,
}

/// The cycle in work: `None` until it has ended.
type Running = watch::Receiver<Option<Arc<Record>>>;

/// Why no cycle is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// Another replica acts.
    #[error("another replica acts: {}", .0.as_deref().unwrap_or("nobody knows which yet"))]
    NotLeader(Option<String>),
    /// The process ends.
    #[error("the service ends")]
    Stopping,
    /// A defect of this program.
    #[error("the cycle failed, a defect of this program; its log says why")]
    Failed,
}

impl Invoker {
    /// An invoker of a controller.
    pub fn new(
        controller: Arc<Controller>,
        holder: String,
        candidate: Option<Candidate>,
        log: CycleLog,
        metrics: Metrics,
        dry_run: bool,
    ) -> Self {
        Self {
            holder,
            dry_run,
            candidate,
            log,
            metrics,
            controller,
            number: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            running: Mutex::default(),
            history: Mutex::default(),
            succeeded: Mutex::default(),
        }
    }

    /// Whether we act.
    pub fn is_leader(&self) -> bool {
        self.candidate.as_ref().is_none_or(Candidate::is_leader)
    }

    /// Whether this replica does what it is there for: a cycle of the one that acts succeeded within two
    /// periods (the last one did, where there is no period); one that stands by is in touch with the API
    /// server, and so is one that has only begun to act.
    pub fn is_ready(&self, period: Duration) -> bool {
        let (last, failed) = *self.succeeded.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_leader() || (last.is_none() && !failed) {
            let in_touch = self.candidate.as_ref().map(Candidate::is_in_touch);
            return in_touch.unwrap_or(period.is_zero());
        }
        match period.is_zero() {
            true => !failed,
            false => last.is_some_and(|then| then.elapsed() < period * 2),
        }
    }

    /// Whether the end was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The last cycles, the newest first.
    pub fn history(&self) -> Vec<Arc<Record>> {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.iter().cloned().collect()
    }

    /// Runs a cycle, or waits for the one that is running. The cycle goes on where its caller goes
    /// away.
    ///
    /// # Errors
    /// [`NotNow`].
    pub async fn invoke(self: &Arc<Self>) -> Result<Arc<Record>, NotNow> {
        let mut running = self.start()?;
        let ended = running.wait_for(Option::is_some).await;
        ended.ok().and_then(|record| record.clone()).ok_or(NotNow::Failed)
    }

    /// The cycle that is running; a new one, if none is.
    fn start(self: &Arc<Self>) -> Result<Running, NotNow> {
        let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.as_ref().filter(|running| is_running(running)) {
            return Ok(running.clone());
        }
        if self.stopping.load(Ordering::SeqCst) {
            return Err(NotNow::Stopping);
        }
        if !self.is_leader() {
            let holder = self.candidate.as_ref().and_then(Candidate::holder);
            return Err(NotNow::NotLeader(holder));
        }
        let (ended, running) = watch::channel(None);
        *slot = Some(running.clone());
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let record = this.cycle().await;
            // Nobody may be waiting.
            let _ = ended.send(Some(record));
        });
        Ok(running)
    }

    async fn cycle(self: &Arc<Self>) -> Arc<Record> {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        let record = Record::begin(number, &self.holder, self.dry_run);
        // The end of the process keeps changes from being begun; once begun, they are all made.
        let begun = AtomicBool::new(false);
        let go_on = || {
            let may_begin = !self.stopping.load(Ordering::SeqCst);
            if !begun.load(Ordering::SeqCst) && may_begin {
                begun.store(true, Ordering::SeqCst);
            }
            begun.load(Ordering::SeqCst) && self.is_leader()
        };
        let mut record = self.controller.cycle(record, go_on).await;
        if let Err(error) = self.log.append(&record) {
            record.warnings.push(error);
        }
        report(&record);
        self.metrics.cycle(&record);
        {
            let mut succeeded = self.succeeded.lock().unwrap_or_else(PoisonError::into_inner);
            match record.succeeded() {
                true => *succeeded = (Some(Instant::now()), false),
                false => succeeded.1 = true,
            }
        }
        let record = Arc::new(record);
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.push(Arc::clone(&record));
        record
    }

    /// Runs a cycle every period, counted by the monotonic clock, for as long as it is polled, and one as
    /// soon as we begin to act. A cycle that takes longer than the period puts the next one off.
    pub async fn every(self: &Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.led() => ticks.reset(),
            }
            match self.invoke().await {
                Err(NotNow::Failed) => tracing::error!("{}", NotNow::Failed),
                Err(other) => tracing::debug!("no cycle: {other}"),
                Ok(_) => {}
            }
        }
    }

    async fn led(&self) {
        match &self.candidate {
            Some(candidate) => candidate.led().await,
            None => std::future::pending().await,
        }
    }

    /// Begins no cycle and no change any more, and waits for what is in work.
    pub async fn drain(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(mut running) = running {
            // A cycle that panicked has ended too.
            let _ = running.wait_for(Option::is_some).await;
        }
    }
}

/// Whether a cycle has not ended; one that panicked has, without a record.
fn is_running(running: &Running) -> bool {
    running.borrow().is_none() && running.has_changed().is_ok()
}

/// A cycle in the log: one line, whatever happened in it.
fn report(record: &Record) {
    let why = super::summary::summary(record);
    // The macro's level has to be a constant.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                cycle = record.cycle,
                servers = record.observed.len(),
                left_alone = record.left_alone.len(),
                changes = record.decided.len(),
                applied = record.count("applied"),
                failed = record.count("failed"),
                cost_before = record.cost.before,
                cost_after = record.cost.after,
                status = record.status,
                seconds = record.seconds.total,
                why,
                "cycle"
            )
        };
    }
    if !record.succeeded() {
        line!(error);
    } else if !record.errors.is_empty() || !record.warnings.is_empty() {
        line!(warn);
    } else {
        line!(info);
    }
}
