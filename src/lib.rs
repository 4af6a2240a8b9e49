//! The command line of isocost, and nothing else: arguments in, text and exit codes out.
//!
//! [`main`] is the program. [`call`] runs one of its commands for another program, which gives the scenario and takes the output: so the Python
//! package has the commands' own arguments, checks and words. [`plan()`] hands on the plan itself.

mod args;
mod caller;
mod commands;
mod failure;
mod hint;
mod job;
mod output;

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use isocost_model::input::{InputError, Source};

use crate::args::{Args, Command};
#[cfg(feature = "serve")]
use crate::commands::service;
use crate::commands::{
    compare, demand, diff, experiment, explain, fit, horizon, import, init, profile, queue,
    reference, shell, simulate, stress, sweep, verify,
};
use crate::output::style;

pub use caller::{Called, Caller, Given, Listener};
pub use commands::experiment::run_again_by;
pub use commands::plan::Planned;
pub use failure::Failure;
pub use job::Job;

/// Exit codes, as `--help` lists them.
pub mod exit {
    use isocost_model::plan::Status;

    /// Done.
    pub const OK: u8 = 0;
    /// Something failed that the input is not to blame for.
    pub const FAILED: u8 = 1;
    /// The input or the arguments are wrong.
    pub const INPUT: u8 = 2;
    /// No plan serves every server.
    pub const INFEASIBLE: u8 = 3;
    /// Stopped before a plan was found or excluded.
    pub const UNKNOWN: u8 = 4;

    /// The code of a plan of that status.
    pub fn of(status: Status) -> u8 {
        match status {
            Status::Optimal | Status::Feasible => OK,
            Status::Infeasible => INFEASIBLE,
            Status::Unknown => UNKNOWN,
        }
    }
}

/// The program: runs what `args`, the program's name first, ask for, and returns its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = match args::parse(&args) {
        Ok(parsed) => parsed,
        Err(error) => {
            // A reader that has gone is no failure.
            let _ = error.print();
            if let Some(hint) = hint::of(&args, &error) {
                style::hint(&hint);
            }
            return error.exit_code() as u8;
        }
    };
    if let Some(path) = home_left(&args) {
        let remedy = "the shell takes `~` for your home only at the start of a word without quotes";
        style::error(&format!("{path}: {remedy}; write $HOME, or ./{path} for a directory `~`"));
        return exit::INPUT;
    }
    let done = run(&parsed);
    let finished = output::finish();
    match done.and_then(|code| finished.map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            style::error(&failure.text);
            failure.code
        }
    }
}

/// Runs the command that `args` ask for, without the program's name, for a caller.
pub fn call(args: &[OsString], caller: Caller) -> Called {
    caller::called(caller, || run(&parsed(args)?))
}

/// Makes the plan that `args` ask for, which are those of `isocost plan`, and writes the files that they name; nothing is printed.
pub fn plan(args: &[OsString], caller: Caller) -> (Called, Option<Planned>) {
    let mut planned = None;
    let called = caller::called(caller, || {
        let args: Vec<OsString> = [OsString::from("plan")].iter().chain(args).cloned().collect();
        let Command::Plan(args) = parsed(&args)?.command else {
            return Err(Failure::input("expected the arguments of a plan"));
        };
        let made = commands::plan::planned(&args)?;
        commands::plan::write(&args, &made)?;
        let code = exit::of(made.plan.status);
        planned = Some(made);
        Ok(code)
    });
    (called, planned)
}

/// The arguments of a command, without the program's name.
fn parsed(args: &[OsString]) -> Result<Args, Failure> {
    let name = [OsString::from("isocost")];
    args::parse(name.iter().chain(args)).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Failure::input(error),
        _ => {
            let text = error.to_string();
            let text = text.split("\n\nUsage:").next().unwrap_or(&text);
            Failure::input(text.trim_start_matches("error: ").trim_end().to_owned())
        }
    })
}

/// The arguments that there are, for who documents them.
pub fn command_line() -> clap::Command {
    args::command()
}

/// What stands at `path`, as commands take up a scenario.
///
/// # Errors
/// What cannot be read.
pub fn source(path: &Path) -> Result<Source, InputError> {
    isocost_spreadsheet::open(path)
}

/// A path that the shell has left alone: `--out=~/plans` would be a directory called `~`.
fn home_left(args: &[OsString]) -> Option<String> {
    let args = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    args.map(|arg| arg.rsplit_once('=').map_or(arg.clone(), |(_, value)| value.to_owned()))
        .find(|arg| arg == "~" || arg.starts_with("~/"))
}

/// Runs a command; returns its exit code.
fn run(args: &Args) -> Result<u8, Failure> {
    if args.exact_cells {
        isocost_model::export::exact_cells();
    }
    if args.wide {
        output::width::wide();
    }
    match &args.command {
        Command::Profile(args) => profile::run(args),
        Command::Init(args) => init::run(args),
        Command::Plan(args) => commands::plan::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Import(args) => import::run(args),
        Command::Horizon(args) => horizon::run(args),
        Command::Demand(args) => demand::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Stress(args) => stress::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Fit(args) => fit::run(args),
        Command::Analyze(args) => queue::analyze(args),
        Command::Size(args) => queue::size(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => service::run(args),
        #[cfg(feature = "kubernetes")]
        Command::Control(args) => commands::control::control(args),
        #[cfg(feature = "kubernetes")]
        Command::Collect(args) => commands::control::collect(args),
        #[cfg(feature = "kubernetes")]
        Command::Actuate(args) => commands::control::actuate(args),
        Command::Reference(args) => reference::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Merge(args) => sweep::merge(args),
        Command::Experiment(args) => experiment::run(args),
        #[cfg(feature = "kubernetes")]
        Command::EmulateLoad(args) => commands::emulate::load(args),
        #[cfg(feature = "kubernetes")]
        Command::EmulateServer(args) => commands::emulate::server(args),
    }
}
