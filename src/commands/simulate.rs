//! `isocost simulate`: a plan's replicas, or one given by its flags, iteration by iteration.

mod apart;

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Instant;

use isocost_model::candidates::held;
use isocost_model::disaggregation::Role;
use isocost_model::input::known_names;
use isocost_model::plan::{Part, Plan};
use isocost_model::queue::{Analysis, Objectives, Station};
use isocost_model::scenario::Server;
use isocost_simulation::{
    Effort, Group, Replica, Report, Trace, Traffic, Watch, read_trace, simulate, simulate_trace,
};
use isocost_solver::Interrupt;
use rayon::prelude::*;

use apart::Apart;

use super::given;
use super::queue::station;
use crate::args::{Alone, Format, LengthArgs, ReplicaArgs, SimulateArgs};
use crate::job::{self, Job};
use crate::output::simulation::{Row, Simulation};
use crate::output::style::{Bar, Spinner, error, warning};
use crate::{Failure, exit, output};

/// Runs the command; returns its exit code.
pub fn run(args: &SimulateArgs) -> Result<u8, Failure> {
    match (&args.alone, &args.scenario.0) {
        (Some(Alone::Replica(replica)), _) => alone(replica),
        (None, Some(scenario)) => {
            let job = match &args.plan {
                Some(plan) => Job::of_plan(plan, scenario, &args.sizing, &args.solve)?,
                None => Job::new(scenario, &args.sizing, &args.solve)?,
            };
            planned(args, &job)
        }
        (None, None) => Err(Failure::input("give a SCENARIO, or `replica` and its flags")),
    }
}

/// Equal replicas, and what they are simulated for.
struct Task {
    server: String,
    accelerator: String,
    replicas: u64,
    /// Each of them, and the load that it is simulated with.
    replica: Replica,
    traffic: Traffic,
    /// What the queueing model predicts there; `None` where it has no steady state.
    predicted: Option<Analysis>,
    objectives: Objectives,
    /// Tells the random numbers of one server from those of another.
    unit: u32,
}

/// One replica from its flags.
fn alone(args: &ReplicaArgs) -> Result<u8, Failure> {
    let mut station = station(&args.station);
    let trace =
        args.trace.as_deref().map(|path| trace(path, station.prefix_hit_share)).transpose()?;
    let rate_per_s = match &trace {
        Some(trace) => {
            loaded(&mut station, trace, 1.0);
            trace.rate_per_s
        }
        None => args.rate.unwrap_or(0.0) / 60.0,
    };
    let predicted = match station.analyze(args.batch, rate_per_s) {
        Ok(analysis) => Some(analysis),
        Err(isocost_model::queue::QueueError::Unstable { .. }) => None,
        Err(e) => return Err(Failure::input(e)),
    };
    let task = Task {
        server: String::new(),
        accelerator: String::new(),
        replicas: 1,
        replica: Replica::of(&station, args.batch),
        traffic: Traffic::of(&station, rate_per_s),
        predicted,
        objectives: Objectives::none(),
        unit: 0,
    };
    let work = Work { tasks: vec![task], apart: Vec::new(), trace };
    finish(&args.length, args.format, work, &job::interrupt())
}

/// The replicas of a plan.
fn planned(args: &SimulateArgs, job: &Job) -> Result<u8, Failure> {
    let chosen = chosen(args, job)?;
    let trace = match (&args.trace, chosen.first()) {
        (Some(path), Some(&s)) => Some(planned_trace(path, args, job, s)?),
        _ => None,
    };
    let plan = match &args.plan {
        Some(path) => given::plan(path, job)?,
        None => {
            let _spinner = Spinner::start("planning");
            job.planner.plan(&job.fleet).map_err(Failure::failed)?
        }
    };
    if !plan.has_plan() {
        plan.notes.iter().for_each(|note| warning(note));
        error(&format!("there is no plan to simulate: it is {}", plan.status.word()));
        return Ok(exit::of(plan.status));
    }
    let mut work = Work { tasks: Vec::new(), apart: Vec::new(), trace };
    for s in chosen {
        let tasks = tasks(args, job, s, &plan, work.trace.as_ref());
        let Some(pool) = &job.stated().servers[s].pool else {
            work.tasks.extend(tasks);
            continue;
        };
        let of_decode = |other: &Server| {
            let of = other.pool.as_ref().filter(|other| other.role == Role::Decode);
            of.is_some_and(|other| other.whole.name == pool.whole.name)
        };
        if let Some(d) = job.stated().servers.iter().position(of_decode).filter(|&d| d != s) {
            let decode = self::tasks(args, job, d, &plan, work.trace.as_ref());
            work.apart.extend(Apart::new(job, &pool.whole, [tasks, decode]));
        }
    }
    if work.trace.is_some() && work.tasks.is_empty() && work.apart.is_empty() {
        return Err(Failure::input(
            "--trace: the server has no load and so no replica to send it to",
        ));
    }
    finish(&args.length, args.format, work, &job.planner.request.solve.interrupt)
}

/// What is to be simulated.
struct Work {
    tasks: Vec<Task>,
    /// Servers with a prefill pool and a decode pool.
    apart: Vec<Apart>,
    /// What the one server gets, in place of requests that are drawn.
    trace: Option<Trace>,
}

/// The parts of a server's placement.
fn tasks(
    args: &SimulateArgs,
    job: &Job,
    s: usize,
    plan: &Plan,
    trace: Option<&Trace>,
) -> Vec<Task> {
    let parts = &plan.placements[s].parts;
    let meant = parts.iter().map(|p| p.rate_per_s * p.replicas as f64).sum::<f64>();
    let used = parts.iter().filter(|p| p.rate_per_s > 0.0);
    let of = |part: &Part| task(args, job, s, part, trace.map(|t| (t, part.rate_per_s / meant)));
    used.filter_map(of).collect()
}

/// Indices of the servers asked for.
fn chosen(args: &SimulateArgs, job: &Job) -> Result<Vec<usize>, Failure> {
    let servers = &job.stated().servers;
    if args.server.is_empty() {
        return Ok((0..servers.len()).collect());
    }
    if args.trace.is_some() && args.server.len() > 1 {
        return Err(Failure::input("--trace: one trace is for one --server"));
    }
    let index = |name: &String| {
        // A member stands for the replicas that it shares.
        let is_it = |s: &Server| {
            let whole = s.whole();
            let is_member = whole.members.iter().any(|m| m.name == *name);
            s.name == *name || whole.name == *name || is_member
        };
        servers.iter().position(is_it).ok_or_else(|| {
            let known = known_names(name, servers.iter().map(|s| s.name.as_str()));
            format!("--server: there is no server `{name}`; {known}")
        })
    };
    let (found, unknown): (Vec<_>, Vec<_>) = args.server.iter().map(index).partition(Result::is_ok);
    let unknown: Vec<String> = unknown.into_iter().filter_map(Result::err).collect();
    match unknown.is_empty() {
        true => Ok(found.into_iter().flatten().collect()),
        false => Err(Failure::input(unknown.join("\n"))),
    }
}

/// A part of a server's placement, under its planned load or its share of a trace.
fn task(
    args: &SimulateArgs,
    job: &Job,
    s: usize,
    part: &Part,
    trace: Option<(&Trace, f64)>,
) -> Option<Task> {
    let scenario = job.stated();
    let server = &scenario.servers[s];
    let (mut station, mut rate_per_s) = (part.predicted?.station, part.rate_per_s);
    if let Some((trace, share)) = trace {
        loaded(&mut station, trace, share);
        rate_per_s = trace.rate_per_s * share;
    }
    station.token_scv = args.token_scv.unwrap_or(station.token_scv);
    station.arrival_scv = args.arrival_scv.unwrap_or(station.arrival_scv);
    station.input_scv = args.prompts.input_scv.unwrap_or(station.input_scv);
    station.prefix_hit_share = args.prompts.prefix_hit_share.unwrap_or(station.prefix_hit_share);
    Some(Task {
        server: server.name.clone(),
        accelerator: scenario.accelerators[part.accelerator].name.clone(),
        replicas: part.replicas,
        replica: Replica::of(&station, part.batch),
        traffic: Traffic::of(&station, rate_per_s),
        predicted: station.analyze(part.batch, rate_per_s).ok(),
        objectives: held(
            scenario,
            server,
            part.accelerator,
            &part.predicted?.station,
            job.planner.sizing.reading,
        ),
        unit: (s as u32) << 8 | part.accelerator as u32 & 0xff,
    })
}

/// Gives a station the moments of a trace of which it gets a share at random: of gaps with a
/// squared coefficient of variation `c`, a share `p` keeps `1 + p (c - 1)`.
fn loaded(station: &mut Station, trace: &Trace, share: f64) {
    station.input_tokens = trace.input_tokens;
    station.input_scv = trace.input_scv;
    station.output_tokens = trace.output_tokens;
    station.arrival_scv = 1.0 + share * (trace.arrival_scv - 1.0);
    station.token_scv = trace.token_scv;
}

/// The trace of a server of the scenario.
fn planned_trace(path: &Path, args: &SimulateArgs, job: &Job, s: usize) -> Result<Trace, Failure> {
    let stated = job.stated().servers[s].load.prefix_hit_share;
    trace(path, args.prompts.prefix_hit_share.unwrap_or(stated))
}

/// A trace, with the share of its prompts that the prefix cache holds.
fn trace(path: &Path, share: f64) -> Result<Trace, Failure> {
    let mut trace = read_trace(path).map_err(Failure::input)?;
    trace.notes.iter().for_each(|note| warning(note));
    for request in &mut trace.requests {
        request.cached_tokens = (share * f64::from(request.input_tokens)) as u32;
    }
    Ok(trace)
}

/// Simulates the tasks and says what came of it.
fn finish(
    args: &LengthArgs,
    format: Format,
    Work { tasks, apart, trace }: Work,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let effort = args.effort();
    let all = || tasks.iter().chain(apart.iter().flat_map(Apart::tasks));
    let passes = all().map(|t| (t.replica.batch, t.replica.engine.token_budget));
    if let Some((batch, budget)) = passes.into_iter().find(|(batch, budget)| batch > budget) {
        let text = format!("--token-budget: {budget} is below the batch size {batch}; raise it");
        return Err(Failure::input(text));
    }
    lasts(&effort, all())?;
    let trace = trace.as_ref();
    let length = match trace {
        Some(trace) => trace.requests.len() as u64,
        None => tasks.iter().map(|task| effort.total(task.traffic.rate_per_s)).sum(),
    };
    let length = length + Apart::requests(&apart, &effort, trace);
    let start = Instant::now();
    let bar = Bar::start("simulating");
    let arrived = |requests: u64| bar.advance(requests as usize, length as usize);
    let watch = Watch { stop: &|| interrupt.is_raised(), arrived: &arrived };
    let reports = match trace {
        Some(trace) if !tasks.is_empty() => traced(&effort, &tasks, trace, &watch),
        Some(_) => Vec::new(),
        None => drawn(&effort, &tasks, &watch),
    };
    let mut stopped = reports.iter().any(Option::is_none);
    let rows = tasks.into_iter().zip(reports).filter_map(|(task, report)| Some(row(task, report?)));
    let mut rows: Vec<Row> = rows.collect();
    for apart in apart {
        let pooled = apart.simulate(&effort, trace, &watch);
        stopped |= pooled.is_none();
        rows.extend(pooled.into_iter().flatten());
    }
    drop(bar);
    let seconds = start.elapsed().as_secs_f64();
    let simulation = Simulation { rows, effort, is_drawn: trace.is_none(), seconds };
    match format {
        Format::Table => simulation.print_table(),
        Format::Json => output::print(simulation.json().as_bytes())?,
        Format::Csv => output::print(&simulation.csv()?)?,
    }
    if stopped {
        warning("stopped: what was not simulated to its end is left out");
    }
    Ok(if stopped { exit::UNKNOWN } else { exit::OK })
}

/// Requests that may be counted in a replication.
const COUNTED: RangeInclusive<u64> = 10..=1_000_000_000;

/// Whether so much simulated time brings every replica as many requests as may be counted.
fn lasts<'a>(effort: &Effort, tasks: impl Iterator<Item = &'a Task>) -> Result<(), Failure> {
    let Some(time_ms) = effort.time_ms else { return Ok(()) };
    let mut problems = Vec::new();
    for task in tasks {
        let rate_per_s = task.traffic.rate_per_s;
        let seconds = |n: u64| n as f64 / rate_per_s;
        let (least, most) = (*COUNTED.start(), *COUNTED.end());
        let (what, remedy) = match effort.counted(rate_per_s) {
            n if n < least => {
                (format!("fewer than {least}"), format!("{} s or more", seconds(least).ceil()))
            }
            n if n > most => {
                (format!("more than {most}"), format!("{} s at most", seconds(most).floor()))
            }
            _ => continue,
        };
        let place = match task.server.as_str() {
            "" => "the replica".to_owned(),
            server => format!("a replica of `{server}` on {}", task.accelerator),
        };
        let given = time_ms / 1000.0;
        problems
            .push(format!("--duration: in {given} s {place} gets {what} requests; give {remedy}"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::input(problems.join("\n"))) }
}

/// What came of a task.
fn row(task: Task, report: Report) -> Row {
    Row::new(
        [task.server, task.accelerator],
        (task.replicas, task.replica.batch, task.traffic.rate_per_s),
        task.predicted,
        &task.objectives,
        report,
    )
}

/// Replications of each task; `None` where it was stopped.
fn drawn(effort: &Effort, tasks: &[Task], watch: &Watch<'_>) -> Vec<Option<Report>> {
    let one = |task: &Task| simulate(&task.replica, &task.traffic, effort, task.unit, watch).ok();
    tasks.par_iter().map(one).collect()
}

/// One trace over the replicas of one server.
fn traced(
    effort: &Effort,
    tasks: &[Task],
    trace: &Trace,
    watch: &Watch<'_>,
) -> Vec<Option<Report>> {
    let group = |task: &Task| Group {
        replica: task.replica,
        count: task.replicas,
        weight: task.traffic.rate_per_s,
    };
    let groups: Vec<Group> = tasks.iter().map(group).collect();
    let unit = tasks.first().map_or(0, |t| t.unit);
    match simulate_trace(&groups, &trace.requests, effort, unit, watch) {
        Ok(reports) => reports.into_iter().map(Some).collect(),
        Err(_) => vec![None; tasks.len()],
    }
}
