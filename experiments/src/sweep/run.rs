//! Runs a sweep: points in parallel, each finished one into the journal, then the table.
//!
//! Each worker has a pool of one thread to itself. In a pool that all share, a point that waits for
//! a part of its own would take up another whole point meanwhile, and be timed, and stopped by its
//! time limit, with that one's seconds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use isocost_model::Scenario;
use isocost_model::candidates::Sizings;
use isocost_model::export::ExportError;
use isocost_planner::{PlanError, Planner};
use isocost_solver::Backend;

use super::row;
use super::{Points, Setting, Shard};
use crate::journal::{Header, Journal, JournalError, Record, fingerprint};
use crate::table::Table;

/// A sweep, ready to run.
pub struct Sweep {
    /// What the points change.
    pub base: Setting,
    /// The points.
    pub points: Points,
    /// Which of them to run.
    pub shard: Shard,
    /// Who solves.
    pub backend: Arc<dyn Backend>,
    /// Points side by side; 0 is one a core.
    pub jobs: usize,
}

/// A sweep that cannot be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file of results.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The threads cannot be started.
    #[error("no threads to work with: {0}; give fewer by --jobs")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Points whose plan failed, by no fault of the input.
    #[error(
        "{} of the points failed, the others are kept; the same command tries these again: {}",
        .0.len(), shown(.0)
    )]
    Failed(Vec<(usize, PlanError)>),
}

fn shown(failed: &[(usize, PlanError)]) -> String {
    let each = failed.iter().take(5).map(|(point, error)| format!("point {point}: {error}"));
    each.collect::<Vec<_>>().join("; ")
}

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Points that are finished, those of earlier runs included.
    pub done: usize,
    /// Those of them that an earlier run finished.
    pub resumed: usize,
    /// Points of this shard.
    pub of: usize,
}

/// What a sweep came to.
#[derive(Debug)]
pub struct Finished {
    /// Where its files are.
    pub dir: PathBuf,
    /// How far it is; `done < of` if it was interrupted.
    pub progress: Progress,
    /// The table, once every point is there.
    pub table: Option<Table>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Distinct sizings that were made.
    pub sizings: usize,
}

impl Sweep {
    /// What binds the journal to this sweep.
    pub fn header(&self) -> Header {
        let Setting { scenario, sizing, batch_tolerance, request } = &self.base;
        let solve = &request.solve;
        let options = (
            (sizing, batch_tolerance, request.formulation, &request.problem, &request.shortage),
            (solve.time_limit, solve.relative_gap, solve.threads, &request.ablation),
            self.backend.name(),
        );
        let axes = self.points.axes.iter().map(|axis| axis.name.clone());
        Header {
            run: "sweep".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            input: fingerprint(scenario),
            options: fingerprint(&options),
            parts: fingerprint(&self.points),
            total: self.points.values.len(),
            shard: self.shard,
            columns: axes.chain(row::columns(scenario)).collect(),
            timings: row::TIMINGS.map(str::to_owned).to_vec(),
        }
    }

    /// Runs what is not finished yet; `listen` hears of every finished point, on any thread.
    ///
    /// Ends early, without an error, where the request's interrupt is raised.
    ///
    /// # Errors
    /// [`SweepError`]; what is finished stays in the journal.
    pub fn run(
        &self,
        dir: &Path,
        listen: &(dyn Fn(Progress) + Sync),
    ) -> Result<Finished, SweepError> {
        let start = Instant::now();
        let dir = self.shard.directory().map_or(dir.to_owned(), |name| dir.join(name));
        let header = self.header();
        let (journal, records) = Journal::open(&dir, &header)?;
        let mut finished = vec![false; header.total];
        records.iter().for_each(|record| finished[record.part] = true);
        let mine: Vec<usize> = (0..header.total).filter(|&p| self.shard.has(p)).collect();
        let left: Vec<usize> = mine.iter().copied().filter(|&p| !finished[p]).collect();
        let resumed = mine.len() - left.len();
        listen(Progress { done: resumed, resumed, of: mine.len() });

        let work = Work {
            sweep: self,
            left,
            next: AtomicUsize::new(0),
            sizings: Arc::default(),
            shared: Mutex::new(Shared { journal, records, failed: Vec::new(), error: None }),
        };
        work.all(&|done| listen(Progress { done, resumed, of: mine.len() }))?;

        let sizings = work.sizings.len();
        let shared = work.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = shared.error {
            return Err(error.into());
        }
        shared.journal.sync()?;
        if !shared.failed.is_empty() {
            return Err(SweepError::Failed(shared.failed));
        }
        let progress = Progress { done: shared.records.len(), resumed, of: mine.len() };
        let table = (progress.done == progress.of).then(|| Table::new(&header, shared.records));
        if let Some(table) = &table {
            table.write(&dir.join("points.csv"))?;
        }
        Ok(Finished { dir, progress, table, seconds: start.elapsed().as_secs_f64(), sizings })
    }

    /// What plans a point, and its scenario.
    fn planner(&self, point: usize, sizings: &Arc<Sizings>) -> (Planner, Scenario) {
        let Setting { scenario, sizing, request, .. } = self.points.setting(point, &self.base);
        let (backend, sizings) = (Arc::clone(&self.backend), Arc::clone(sizings));
        (Planner { sizing, request, backend, sizings }, scenario)
    }

    /// Plans one point.
    fn plan(&self, point: usize, sizings: &Arc<Sizings>) -> Result<Record, PlanError> {
        let start = Instant::now();
        let (planner, scenario) = self.planner(point, sizings);
        let fleet = planner.fleet(scenario);
        let plan = planner.plan(&fleet)?;
        let (sized, total) = (fleet.sizing_s, start.elapsed().as_secs_f64());
        let cells = self.points.cells(point).chain(row::cells(&plan)).collect();
        Ok(Record {
            part: point,
            cells,
            seconds: vec![sized, total - sized, total],
            details: Vec::new(),
        })
    }
}

/// The points that are left, and what the workers share.
struct Work<'a> {
    sweep: &'a Sweep,
    left: Vec<usize>,
    next: AtomicUsize,
    sizings: Arc<Sizings>,
    shared: Mutex<Shared>,
}

struct Shared {
    journal: Journal,
    records: Vec<Record>,
    failed: Vec<(usize, PlanError)>,
    error: Option<JournalError>,
}

impl Work<'_> {
    fn all(&self, listen: &(dyn Fn(usize) + Sync)) -> Result<(), SweepError> {
        let Some(&first) = self.left.first() else { return Ok(()) };
        // What most points share is sized by all cores before they part.
        let (planner, scenario) = self.sweep.planner(first, &self.sizings);
        planner.fleet(scenario);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = if self.sweep.jobs == 0 { cores } else { self.sweep.jobs };
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pools: Result<Vec<_>, _> = (0..jobs.min(self.left.len())).map(|_| pool()).collect();
        let pools = pools?;
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(move || pool.install(|| self.some(listen)));
            }
        });
        Ok(())
    }

    /// Takes up one point after the other until none is left.
    fn some(&self, listen: &(dyn Fn(usize) + Sync)) {
        let interrupt = &self.sweep.base.request.solve.interrupt;
        while let Some(&point) = self.left.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if interrupt.is_raised() {
                return;
            }
            let planned = self.sweep.plan(point, &self.sizings);
            // A point that was cut short is not what it would have been.
            if interrupt.is_raised() {
                return;
            }
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            match planned {
                Err(error) => shared.failed.push((point, error)),
                Ok(record) => match shared.journal.append(&record) {
                    Ok(()) => shared.records.push(record),
                    Err(error) => {
                        shared.error = Some(error);
                        interrupt.raise();
                    }
                },
            }
            let done = shared.records.len();
            drop(shared);
            listen(done);
        }
    }
}
