//! What became of a cycle: one line of the cycle log, and what the dashboard shows.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

use super::decide::Decision;
use super::entry::Entry;
use super::fleet::Fleet;
use crate::actuate::{Allocation, Done, Outcome};
use crate::collect::wire::LoadData;
use crate::collect::{LeftAlone, Source};

/// A cycle.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Number of the cycle since the start of the process, from 1.
    pub cycle: u64,
    /// When it began, by the wall clock; nothing is decided by it.
    pub time: String,
    /// Seconds that its parts took, by the monotonic clock.
    pub seconds: Seconds,
    /// Who ran it.
    pub holder: String,
    /// Whether it was for show.
    pub dry_run: bool,
    /// The servers as they were seen.
    pub observed: Vec<Seen>,
    /// Deployments and servers that were left alone, with the reason.
    pub left_alone: Vec<Named>,
    /// Card types whose count is in doubt: nothing is changed of what runs on them.
    pub in_doubt: Vec<String>,
    /// What was decided.
    pub decided: Vec<Decided>,
    /// What became of it, in the order in which it was begun.
    pub applied: Vec<Applied>,
    /// Costs, cents per hour.
    pub cost: Cost,
    /// What is known of the plan: optimal, feasible, infeasible, unknown; empty where there is none.
    pub status: String,
    /// Absolute gap between the plan's value and its proven bound, cents per hour.
    pub gap: Option<f64>,
    /// Remarks.
    pub notes: Vec<String>,
    /// What was amiss and did not keep the cycle from deciding.
    pub warnings: Vec<String>,
    /// What kept it from deciding, or a change from being applied.
    pub errors: Vec<String>,
}

/// Seconds of a cycle's parts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seconds {
    /// Reading Deployments, loads and cards.
    pub collect: f64,
    /// Sizing, planning and deciding.
    pub decide: f64,
    /// Applying.
    pub apply: f64,
    /// All of it.
    pub total: f64,
}

/// A server as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Server.
    pub server: String,
    /// Its Deployment.
    pub deployment: String,
    /// Where it runs.
    #[serde(flatten)]
    pub allocation: Allocation,
    /// Replicas that are ready.
    pub ready: u32,
    /// Load that was seen.
    pub load: LoadData,
    /// Where the load comes from.
    pub source: Source,
    /// Load that it is planned for.
    pub planned_for: LoadData,
    /// Share of the planned demand that it covers, by the queueing model.
    pub covered: f64,
    /// Requests that wait.
    pub waiting: Option<f64>,
    /// Mean time to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Mean time between tokens, ms.
    pub itl_ms: Option<f64>,
}

/// Something with a reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// What.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A change that was decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decided {
    /// Server.
    pub server: String,
    /// Where it runs.
    pub from: Allocation,
    /// Where it is to run.
    pub to: Allocation,
    /// Why.
    pub reason: String,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Applied {
    /// Server.
    pub server: String,
    /// `applied`, `dry-run`, `published`, `put-off`, `stopped`, or `failed`.
    pub outcome: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Costs, cents per hour.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Of what ran.
    pub before: f64,
    /// Of what was decided.
    pub after: f64,
    /// Of the cheapest plan, were every saving worth a change.
    pub of_plan: f64,
}

impl Record {
    /// A cycle that begins now.
    pub fn begin(cycle: u64, holder: &str, dry_run: bool) -> Self {
        let time = Timestamp::now().to_string();
        Self { cycle, time, holder: holder.to_owned(), dry_run, ..Self::default() }
    }

    /// Notes what was seen.
    pub fn observe(&mut self, fleet: &Fleet) {
        self.observed = fleet.entries.iter().map(seen).collect();
        self.left_alone = fleet.left_alone.iter().map(named).collect();
        self.in_doubt.clone_from(&fleet.in_doubt);
        self.warnings.extend(fleet.warnings.iter().cloned());
    }

    /// Notes what was decided.
    pub fn decide(&mut self, decision: &Decision) {
        self.left_alone.extend(decision.held.iter().map(named));
        let decided = decision.changes.iter().map(|change| Decided {
            server: change.server.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
            reason: change.reason.clone(),
        });
        self.decided = decided.collect();
        self.cost = Cost {
            before: decision.cost_before,
            after: decision.cost_after,
            of_plan: decision.cost_of_plan,
        };
        self.status.clone_from(&decision.status);
        self.gap = decision.gap;
        self.notes.extend(decision.notes.iter().cloned());
    }

    /// Notes what was applied.
    pub fn apply(&mut self, done: &[Done]) {
        for Done { change, outcome } in done {
            let applied = Applied::new(&change.server, outcome);
            if let Some(error) = &applied.error {
                self.errors.push(format!("{}: {error}", change.key));
            }
            self.applied.push(applied);
        }
    }

    /// Whether it decided, and did not fail with every change that it decided on.
    pub fn succeeded(&self) -> bool {
        self.decided_at_all()
            && (self.applied.is_empty() || self.count("failed") < self.applied.len())
    }

    /// Whether anything was decided, be it that nothing changes.
    pub fn decided_at_all(&self) -> bool {
        !self.status.is_empty() || self.errors.is_empty()
    }

    /// Server, Deployment and the replicas that it is to have, of all that were planned.
    pub fn desired(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.observed.iter().map(|seen| {
            let decided = self.decided.iter().find(|decided| decided.server == seen.server);
            let replicas = decided.map_or(seen.allocation.replicas, |decided| decided.to.replicas);
            (seen.server.as_str(), seen.deployment.as_str(), replicas)
        })
    }

    /// Changes of an outcome.
    pub fn count(&self, outcome: &str) -> usize {
        self.applied.iter().filter(|applied| applied.outcome == outcome).count()
    }
}

impl Applied {
    /// What became of a change of a server.
    pub fn new(server: &str, outcome: &Outcome) -> Self {
        let (outcome, error) = match outcome {
            Outcome::Applied => ("applied", None),
            Outcome::DryRun => ("dry-run", None),
            Outcome::Published => ("published", None),
            Outcome::PutOff => ("put-off", None),
            Outcome::Stopped => ("stopped", None),
            Outcome::Failed(error) => ("failed", Some(error.to_string())),
        };
        Self { server: server.to_owned(), outcome, error }
    }
}

fn named(left: &LeftAlone) -> Named {
    Named { name: left.name.clone(), reason: left.reason.clone() }
}

fn seen(entry: &Entry) -> Seen {
    let observation = &entry.observation;
    let managed = &observation.managed;
    Seen {
        server: managed.server.clone(),
        deployment: managed.key.to_string(),
        allocation: Allocation::from(managed),
        ready: managed.ready,
        load: observation.load.into(),
        source: observation.source,
        planned_for: entry.load.into(),
        covered: entry.covered(),
        waiting: observation.measured.waiting,
        ttft_ms: observation.measured.ttft_ms,
        itl_ms: observation.measured.itl_ms,
    }
}

/// Bytes after which the cycle log begins anew, where nobody says.
const LOG_BYTES: u64 = 64 << 20;

/// The cycle log: a JSON object a line, appended. Where it would grow beyond its limit it begins anew, and
/// what was there is kept beside it, once, under the name with `.1` at its end.
#[derive(Debug, Clone)]
pub struct CycleLog {
    file: Option<PathBuf>,
    most_bytes: u64,
}

impl Default for CycleLog {
    fn default() -> Self {
        Self { file: None, most_bytes: LOG_BYTES }
    }
}

impl CycleLog {
    /// A log in a file; none where there is no file.
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file, ..Self::default() }
    }

    /// The same with a limit of its own.
    #[must_use]
    pub fn with_limit(self, most_bytes: u64) -> Self {
        Self { most_bytes, ..self }
    }

    /// Appends a cycle, whole or not at all as far as the file system lets it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn append(&self, record: &Record) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = |e: std::io::Error| {
            format!("{}: the cycle is not logged: {e}; set INFERNO_CYCLE_LOG", file.display())
        };
        // Plain structs with string keys always serialise.
        let line = serde_json::to_string(record).unwrap_or_default() + "\n";
        let there = std::fs::metadata(file).map_or(0, |m| m.len());
        if there > 0 && there + line.len() as u64 > self.most_bytes {
            let mut before = file.clone().into_os_string();
            before.push(".1");
            std::fs::rename(file, before).map_err(failed)?;
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(file);
        log.map_err(failed)?.write_all(line.as_bytes()).map_err(failed)
    }
}

/// The last cycles, the newest first.
#[derive(Debug, Clone, Default)]
pub struct History(std::collections::VecDeque<Arc<Record>>);

/// Cycles that the history keeps.
const KEPT: usize = 50;

impl History {
    /// Keeps a cycle.
    pub fn push(&mut self, record: Arc<Record>) {
        self.0.push_front(record);
        self.0.truncate(KEPT);
    }

    /// The cycles, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_begins_anew_at_its_limit_and_keeps_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cycles.jsonl");
        let log = CycleLog::new(Some(file.clone())).with_limit(2_000);
        for cycle in 1..=40 {
            log.append(&Record::begin(cycle, "me", false)).unwrap();
            for kept in std::fs::read_dir(dir.path()).unwrap() {
                assert!(kept.unwrap().metadata().unwrap().len() <= 2_000);
            }
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.lines().last().unwrap().contains("\"cycle\":40"));
    }
}
