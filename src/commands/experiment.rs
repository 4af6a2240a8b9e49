//! `isocost experiment`.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use isocost_experiments::experiment::{Experiment, ExperimentError, Scope, experiments};
use isocost_experiments::experiment::{run as run_experiment, summarise};
use isocost_experiments::families::Peer;
use isocost_experiments::measure::{MeasureError, Measurement, Task, measure};
use isocost_solver::{Interrupt, backends};

use super::buckets;
use crate::args::{ExperimentArgs, ExperimentCommand, RunArgs, SummarizeArgs};
use crate::output::print;
use crate::output::say;
use crate::output::style::{Bar, warning};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &ExperimentArgs) -> Result<u8, Failure> {
    match &args.command {
        ExperimentCommand::List => list(),
        ExperimentCommand::Run(args) => run_some(args),
        ExperimentCommand::Summarize(args) => summarize(args),
        ExperimentCommand::Buckets(args) => buckets::run(args),
        ExperimentCommand::Measure => answer(),
    }
}

fn list() -> Result<u8, Failure> {
    let lines = experiments().map(|e| format!("{:<14}{}\n", e.name(), e.about()));
    print(lines.concat().as_bytes())?;
    Ok(exit::OK)
}

fn chosen(name: &str) -> Result<Vec<&'static dyn Experiment>, Failure> {
    let found: Vec<_> =
        experiments().into_iter().filter(|e| name == "all" || e.name() == name).collect();
    if found.is_empty() {
        let names = experiments().map(Experiment::name).join(", ");
        let text =
            format!("there is no experiment `{name}`; there are {names}, or all of them: all");
        return Err(Failure::input(text));
    }
    Ok(found)
}

fn failure(error: ExperimentError) -> Failure {
    match error {
        ExperimentError::Export(error) => Failure::failed(error),
        other => Failure::input(other),
    }
}

fn run_some(args: &RunArgs) -> Result<u8, Failure> {
    let scope = Scope {
        quick: args.quick,
        seed: args.seed,
        most_copies: args.copies,
        backends: backends(),
        peers: args.peers.iter().filter_map(|name| Peer::named(name)).collect(),
    };
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    // A second handler cannot be set; then Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || raise.raise());
    for experiment in chosen(&args.name)? {
        let (dir, start) = (args.out.join(experiment.name()), Instant::now());
        let bar = Bar::start("running");
        let done = run_experiment(experiment, &scope, &dir, &interrupt, &measure_apart, &|p| {
            bar.set(p.done, p.resumed, p.of);
        });
        drop(bar);
        if !done.map_err(failure)? {
            warning(&format!("{} was stopped; the same command goes on", experiment.name()));
            return Ok(exit::UNKNOWN);
        }
        let (name, seconds) = (experiment.name(), start.elapsed().as_secs_f64());
        say!("{name}: {} in {seconds:.1} s", dir.join("summary.md").display());
    }
    Ok(exit::OK)
}

fn summarize(args: &SummarizeArgs) -> Result<u8, Failure> {
    for experiment in chosen(&args.name)? {
        summarise(experiment, &args.out.join(experiment.name())).map_err(failure)?;
    }
    Ok(exit::OK)
}

/// Seconds that a measurement may go on after its solve should have stopped.
const GRACE_S: f64 = 120.0;

/// How this program is run again, where that is not by its own file alone.
static AGAIN: OnceLock<Vec<OsString>> = OnceLock::new();

/// From now on this program is run again by `command`.
pub fn run_again_by(command: Vec<OsString>) {
    // Whoever said it first is the program.
    let _ = AGAIN.set(command);
}

fn this_program() -> std::io::Result<Command> {
    match AGAIN.get().and_then(|command| command.split_first()) {
        Some((program, args)) => {
            let mut command = Command::new(program);
            command.args(args);
            Ok(command)
        }
        None => Ok(Command::new(std::env::current_exe()?)),
    }
}

/// Measures in a process of its own, which is this program again.
fn measure_apart(task: &Task) -> Result<Measurement, MeasureError> {
    let failed = |e: std::io::Error| MeasureError::Process(e.to_string());
    let mut child = this_program()
        .map_err(failed)?
        .args(["experiment", "measure"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut input = child.stdin.take();
    let text = serde_json::to_vec(task).map_err(|e| MeasureError::Process(e.to_string()))?;
    if let Some(input) = &mut input {
        input.write_all(&text).map_err(failed)?;
    }
    drop(input);
    // Both pipes are emptied while the process runs: it must never wait for a reader.
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut text));
            text
        })
    };
    let output = read(child.stdout.take().map(|p| Box::new(p) as _));
    let errors = read(child.stderr.take().map(|p| Box::new(p) as _));
    let ended = wait(&mut child, Duration::from_secs_f64(task.time_limit_s + GRACE_S));
    let (output, errors) = (output.join().unwrap_or_default(), errors.join().unwrap_or_default());
    match ended.map_err(failed)? {
        None => Err(MeasureError::Stopped(GRACE_S)),
        Some(status) if status.success() => {
            serde_json::from_slice(&output).map_err(|e| MeasureError::Process(e.to_string()))
        }
        Some(status) => {
            let said = String::from_utf8_lossy(&errors).trim().to_owned();
            Err(MeasureError::Process(format!("{status}: {said}")))
        }
    }
}

/// Waits for a process, at most so long, then ends it; `None` if it had to be ended.
fn wait(child: &mut Child, most: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > most {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The other side of [`measure_apart`].
fn answer() -> Result<u8, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(Failure::failed)?;
    let task: Task = serde_json::from_str(&text).map_err(Failure::input)?;
    let measured = measure(&task).map_err(Failure::failed)?;
    print(&serde_json::to_vec(&measured).map_err(Failure::failed)?)?;
    Ok(exit::OK)
}
