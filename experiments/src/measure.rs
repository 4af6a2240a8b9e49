//! One measurement: a fleet is made, sized, stated and solved, each step by the clock.
//!
//! A measurement is made in a process of its own: its peak memory is then its own, and neither a warm
//! cache nor a fragmented heap of the one before speeds it up or slows it down. [`Task`] and
//! [`Measurement`] are what that process reads and writes, as JSON.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isocost_model::Scenario;
use isocost_model::candidates::{BatchChoice, Reading, SizingOptions};
use isocost_model::plan::{Plan, relative_gap};
use isocost_model::scenario::{CurrentAllocation, Saturation};
use isocost_planner::{Fleet, Formulation, PlanError, Planner, Shortage};
use isocost_solver::{SolveOptions, SolverError, backend};
use serde::{Deserialize, Serialize};

use crate::families::{Peer, ask};
use crate::instances::Instance;
use crate::sweep::row::served_share;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Which of the things compared this is.
    pub arm: String,
    /// What is planned.
    pub instance: Instance,
    /// Plan the fleet, then measure the plan after a change of the loads, from where it runs then.
    pub changed: bool,
    /// Share of the best rate that may be given up for a smaller batch; `None` takes the largest.
    pub batch_tolerance: Option<f64>,
    /// Percentile that latency limits hold for; `None` is the mean.
    pub percentile: Option<f64>,
    /// Name of the formulation.
    pub formulation: String,
    /// Where not all can be served, serve the most by priority.
    pub shortage: bool,
    /// Name of the backend.
    pub backend: String,
    /// Put the compact statement to this peer instead.
    pub peer: Option<Peer>,
    /// Seconds after which a solve is stopped.
    pub time_limit_s: f64,
    /// Which repeat, from 1.
    pub repeat: u32,
    /// Keep where every server runs.
    pub detail: bool,
}

impl Task {
    /// A task on an instance, by the defaults of `isocost plan`.
    pub fn new(arm: &str, instance: impl Into<Instance>, formulation: &str, backend: &str) -> Self {
        Self {
            arm: arm.to_owned(),
            instance: instance.into(),
            changed: false,
            batch_tolerance: Some(0.02),
            percentile: None,
            formulation: formulation.to_owned(),
            shortage: false,
            backend: backend.to_owned(),
            peer: None,
            time_limit_s: 60.0,
            repeat: 1,
            detail: false,
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Servers planned.
    pub servers: usize,
    /// Accelerators to choose from.
    pub accelerators: usize,
    /// Feasible (server, accelerator) pairs.
    pub pairs: usize,
    /// What the plan is known to be.
    pub status: String,
    /// Cost, cents/h, of a plan.
    pub cost: Option<f64>,
    /// Value of the objective, cents/h.
    pub objective: Option<f64>,
    /// Proven bound, cents/h.
    pub bound: Option<f64>,
    /// Relative gap.
    pub gap: Option<f64>,
    /// Share of the requests that is served.
    pub served_share: Option<f64>,
    /// Cards in use.
    pub cards: Option<u64>,
    /// Seconds in the queueing model.
    pub sizing_s: f64,
    /// Seconds to state the numbers of the problem.
    pub building_s: f64,
    /// Seconds in the formulation and its backend.
    pub solving_s: f64,
    /// Processor time in the formulation and its backend, s, where the system tells.
    pub cpu_s: Option<f64>,
    /// Peak resident memory of the process, MiB, where the system tells.
    pub peak_mib: Option<f64>,
    /// Where every server runs, if asked for: cells of [`PLACEMENT`].
    pub placements: Vec<Vec<String>>,
}

/// Names of the cells of a placement.
pub const PLACEMENT: [&str; 10] = [
    "server",
    "class",
    "model",
    "accelerator",
    "replicas",
    "batch",
    "cost_cents_per_h",
    "itl_ms",
    "wait_ms",
    "ttft_ms",
];

/// A measurement that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// A formulation that there is not.
    #[error("there is no formulation `{0}`")]
    Formulation(String),
    /// A backend that cannot be had.
    #[error(transparent)]
    Backend(#[from] SolverError),
    /// A plan that failed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A peer that has no answer.
    #[error("{0}")]
    Peer(String),
    /// The process was stopped.
    #[error("stopped {0:.0} s after its time limit")]
    Stopped(f64),
    /// The process did not answer.
    #[error("the measuring process failed: {0}")]
    Process(String),
}

/// Measures in this process.
///
/// # Errors
/// [`MeasureError`].
pub fn measure(task: &Task) -> Result<Measurement, MeasureError> {
    let backend = backend(&task.backend)?;
    let formulation = Formulation::named(&task.formulation)
        .ok_or_else(|| MeasureError::Formulation(task.formulation.clone()))?;
    let mut planner = Planner::new(backend);
    // Formulations and backends are compared on the candidates of the chain alone, as those who know the
    // reference's have them.
    planner.sizing = SizingOptions {
        reading: Reading::Reference,
        batch: match task.batch_tolerance {
            None => BatchChoice::Max,
            Some(tolerance) => BatchChoice::Least { tolerance },
        },
        ..SizingOptions::default()
    };
    planner.request.formulation = formulation;
    if task.shortage {
        let saturation = Saturation::PriorityExhaustive;
        planner.request.shortage = Shortage::By { saturation, delayed: false };
    }
    planner.request.solve = SolveOptions {
        time_limit: Some(Duration::from_secs_f64(task.time_limit_s)),
        ..SolveOptions::default()
    };
    let mut scenario = task.instance.scenario(&planner.sizing, task.changed);
    planner.request.problem.unlimited = scenario.optimizer.unlimited;
    set_percentile(&mut scenario, task.percentile);
    if task.changed {
        let mut before = task.instance.scenario(&planner.sizing, false);
        set_percentile(&mut before, task.percentile);
        run_now(&mut scenario, &planner.plan(&planner.fleet(before))?);
        planner.request.problem.transition = true;
        // The measured plan sizes for itself.
        planner.sizings = Arc::default();
    }

    let fleet = planner.fleet(scenario);
    if let Some(peer) = task.peer {
        return ask_peer(peer, task, &planner, &fleet);
    }
    let start = Instant::now();
    let problem = planner.problem(&fleet);
    let (built, cpu) = (start.elapsed(), cpu_s());
    let choice = planner.choose(&fleet, &problem)?;
    let solved = start.elapsed();
    let (peak_mib, cpu_s) = (peak_mib(), cpu_s().zip(cpu).map(|(after, before)| after - before));
    let plan = planner.checked(&fleet, choice)?;
    let scenario = &fleet.scenario;

    let has = plan.has_plan();
    let finite = |x: f64| x.is_finite().then_some(x);
    Ok(Measurement {
        servers: scenario.servers.len(),
        accelerators: scenario.accelerators.len(),
        pairs: fleet.candidates.pairs(),
        status: plan.status.word().to_owned(),
        cost: finite(plan.total_cost).filter(|_| has),
        objective: finite(plan.objective).filter(|_| has),
        bound: finite(plan.bound),
        gap: finite(plan.gap()).filter(|_| has),
        served_share: has.then(|| served_share(&plan)),
        cards: has.then(|| plan.usage.iter().map(|u| u.cards).sum()),
        sizing_s: fleet.sizing_s,
        building_s: built.as_secs_f64(),
        solving_s: (solved - built).as_secs_f64(),
        cpu_s,
        peak_mib,
        placements: if task.detail { placements(scenario, &plan) } else { Vec::new() },
    })
}

/// What a peer says of the compact statement; nobody checks its plan.
fn ask_peer(
    peer: Peer,
    task: &Task,
    planner: &Planner,
    fleet: &Fleet,
) -> Result<Measurement, MeasureError> {
    let start = Instant::now();
    let program = planner.program(fleet);
    let built = start.elapsed();
    let said = ask(peer, &program.milp, task.time_limit_s).map_err(MeasureError::Peer)?;
    let gap = said.objective.zip(said.bound).map(|(cost, bound)| relative_gap(cost, bound));
    Ok(Measurement {
        servers: fleet.scenario.servers.len(),
        accelerators: fleet.scenario.accelerators.len(),
        pairs: fleet.candidates.pairs(),
        cost: said.objective,
        objective: said.objective,
        bound: said.bound,
        gap: if said.status == "optimal" { Some(0.0) } else { gap },
        status: said.status,
        served_share: None,
        cards: None,
        sizing_s: fleet.sizing_s,
        building_s: built.as_secs_f64(),
        solving_s: (start.elapsed() - built).as_secs_f64(),
        cpu_s: Some(said.cpu_s),
        peak_mib: None,
        placements: Vec::new(),
    })
}

/// Has every latency limit hold for a percentile.
fn set_percentile(scenario: &mut Scenario, percentile: Option<f64>) {
    let targets = scenario.classes.iter_mut().flat_map(|c| c.targets.iter_mut().flatten());
    for target in targets {
        let latencies = [&mut target.itl, &mut target.ttft, &mut target.wait, &mut target.e2e];
        latencies.into_iter().flatten().for_each(|o| o.percentile = percentile);
        target.tokens_per_s.iter_mut().for_each(|rate| rate.percentile = percentile);
    }
}

/// Has every server of `scenario` run where `plan` has put it.
fn run_now(scenario: &mut Scenario, plan: &Plan) {
    for (server, placement) in scenario.servers.iter_mut().zip(&plan.placements) {
        let largest = placement.parts.iter().max_by(|a, b| a.cost.total_cmp(&b.cost));
        server.current = largest.map(|part| CurrentAllocation {
            accelerator: part.accelerator,
            replicas: part.replicas as u32,
            cost_cents_per_h: placement.cost(),
        });
    }
}

fn placements(scenario: &Scenario, plan: &Plan) -> Vec<Vec<String>> {
    let rows = scenario.servers.iter().zip(&plan.placements).flat_map(|(server, placement)| {
        placement.parts.iter().map(move |part| {
            let value = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
            let a = part.predicted.as_ref();
            vec![
                server.name.clone(),
                scenario.classes[server.class].name.clone(),
                scenario.models[server.model].clone(),
                scenario.accelerators[part.accelerator].name.clone(),
                part.replicas.to_string(),
                part.batch.to_string(),
                part.cost.to_string(),
                value(a.map(|a| a.itl_ms)),
                value(a.map(|a| a.mean_wait_ms)),
                value(a.map(|a| a.ttft_ms)),
            ]
        })
    });
    rows.collect()
}

/// Peak resident memory of this process so far, MiB; `None` where the system does not tell.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Processor time of this process so far, s.
#[cfg(unix)]
fn cpu_s() -> Option<f64> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(spent.tv_sec as f64 + spent.tv_nsec as f64 * 1e-9)
}

#[cfg(not(unix))]
fn cpu_s() -> Option<f64> {
    None
}
