//! The command line of isocost, and nothing else: arguments in, text and exit codes out.

mod args;
mod commands;
mod job;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
#[cfg(feature = "serve")]
use crate::commands::service;
use crate::commands::{
    buckets, compare, demand, diff, experiment, explain, fit, horizon, import, init, plan, profile,
    queue, reference, shell, simulate, stress, sweep, verify,
};
use crate::output::style;

/// Exit codes, as `--help` lists them.
mod exit {
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

/// Why a command ends early: its exit code and what to say.
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn input(text: impl ToString) -> Self {
        Self { code: exit::INPUT, text: text.to_string() }
    }

    fn failed(text: impl ToString) -> Self {
        Self { code: exit::FAILED, text: text.to_string() }
    }
}

/// A path that the shell has left alone: `--out=~/plans` would be a directory called `~`.
fn home_left() -> Option<String> {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    args.map(|arg| arg.rsplit_once('=').map_or(arg.clone(), |(_, value)| value.to_owned()))
        .find(|arg| arg == "~" || arg.starts_with("~/"))
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.exact_cells {
        isocost_model::export::exact_cells();
    }
    if let Some(path) = home_left() {
        let remedy = "the shell takes `~` for your home only at the start of a word without quotes";
        style::error(&format!("{path}: {remedy}; write $HOME, or ./{path} for a directory `~`"));
        return ExitCode::from(exit::INPUT);
    }
    let done = match &args.command {
        Command::Profile(args) => profile::run(args),
        Command::Init(args) => init::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Import(args) => import::run(args),
        Command::Horizon(args) => horizon::run(args),
        Command::Buckets(args) => buckets::run(args),
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
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            style::error(&failure.text);
            ExitCode::from(failure.code)
        }
    }
}
