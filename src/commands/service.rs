//! `isocost serve`: the planner as a service.

use std::net::{TcpListener, ToSocketAddrs};

use isocost_serve::http::{self, ListenError, Listening, Settings};
use isocost_serve::planning::Options;

use crate::args::{ServeArgs, SizingArgs, SolveArgs};
use crate::job::{choose_backend, request};
use crate::output::print;
use crate::output::style::warning;
use crate::{Failure, exit};

/// Runs the command until it is told to end.
pub fn run(args: &ServeArgs) -> Result<u8, Failure> {
    let settings = args.listen.settings(Some(["INFERNO_HOST", "INFERNO_PORT"]), 8080)?;
    stays_here(&settings, args.open)?;
    let backend = choose_backend(&args.solve.0)?;
    let mut options = options(&args.sizing, &args.solve.0)?;
    if args.compatible {
        options = options.compatible();
    }
    args.log.start()?;
    let name = backend.name();
    let app = isocost_serve::app(options, backend, args.stateful);
    let state = if args.stateful { "stateful" } else { "stateless" };
    let state = if args.compatible { format!("{state}, compatible") } else { state.to_owned() };
    http::run(&settings, app, |listening| {
        listens("optimizer", &format!("{state}, {name}"), &settings, listening);
    })
    .map_err(failure)?;
    Ok(exit::OK)
}

/// Without a token a service listens on this machine alone, unless it is said aloud.
pub fn stays_here(settings: &Settings, open: bool) -> Result<(), Failure> {
    if settings.token.is_some() || open {
        return Ok(());
    }
    // An address that is not to be had is for listening to refuse.
    let place = (settings.host.as_str(), settings.port);
    let found = TcpListener::bind(place).and_then(|_| place.to_socket_addrs());
    let mut beyond = found.into_iter().flatten().filter(|address| !address.ip().is_loopback());
    match beyond.next() {
        None => Ok(()),
        Some(address) => Err(Failure::input(format!(
            "{} is {}, beyond this machine, and there is no token; give one by --token-file or ISOCOST_TOKEN, or \
             say --open to let whoever reaches it use it",
            settings.host,
            address.ip()
        ))),
    }
}

/// Says in a line that a service listens, and what is on.
pub fn listens(service: &str, what: &str, settings: &Settings, listening: &Listening) {
    let token = if settings.token.is_some() { "token" } else { "no token" };
    let line = format!("isocost {service} listens on {} ({what}, {token})\n", listening.url());
    // Where nobody reads it, it serves all the same.
    let _ = print(line.as_bytes());
    if settings.token.is_none() && !listening.address.ip().is_loopback() {
        warning("whoever reaches this address may use it: give a token by --token-file");
    }
}

/// What kind of failure it is.
pub fn failure(error: ListenError) -> Failure {
    match error {
        ListenError::Address { .. } | ListenError::Tls { .. } => Failure::input(error),
        ListenError::Ended(_) => Failure::failed(error),
    }
}

/// How plans are made, from the arguments.
pub fn options(sizing: &SizingArgs, solve: &SolveArgs) -> Result<Options, Failure> {
    Ok(Options { sizing: sizing.options()?, request: request(solve), compatible: false })
}
