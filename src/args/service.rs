//! `isocost serve`, and what the services have in common.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Command, ValueEnum};
use isocost_serve::http::Settings;
use isocost_serve::logging;

use super::values::seconds;
use super::{SizingArgs, SolveArgs};
use crate::Failure;

/// Environment variable that holds the bearer token, where no file does.
const TOKEN: &str = "ISOCOST_TOKEN";

/// `isocost serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct ServeArgs {
    /// Keep a system that requests set, add to, remove from and plan
    #[arg(short = 'F', long)]
    pub stateful: bool,
    /// For clients of the reference optimizer and its analyser: take, give and answer as they do; implies --reading
    /// reference and --transition
    #[arg(long)]
    pub compatible: bool,
    /// Listen beyond this machine without a token: whoever reaches the address may use it
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub sizing: SizingArgs,
    #[command(flatten)]
    pub solve: ServiceSolveArgs,
    #[command(flatten)]
    pub listen: ListenArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

const AFTER: &str = "\
Host and port come from INFERNO_HOST and INFERNO_PORT where no flag gives them; else 127.0.0.1 and 8080.
A page for people is at /, what is served in /openapi.json, metrics for Prometheus in /metrics.
Clients of the reference optimizer: --compatible";

/// Where and how a service listens.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenArgs {
    /// Name or address to listen on [default: this machine alone, 127.0.0.1]
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Port to listen on; 0 takes a free one
    #[arg(long)]
    pub port: Option<u16>,
    /// Certificate chain, PEM: serve HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// File with the bearer token that requests have to bring, looked at anew while it serves [default:
    /// ISOCOST_TOKEN, if it is set]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Name that requests may call the service by, where it asks for no token; addresses and names within a network
    /// are known
    #[arg(long = "allow-host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Connections at once; more are closed
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Largest body of a request, MiB; of all under way at once there are two at most
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_body: u32,
    /// Longest that a request may take; a plan that is not done by then is the best so far
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub request_limit: Duration,
    /// Requests in work at once; more are turned away with 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_requests: u32,
    /// On SIGTERM, say for so long that it is not ready before taking no more requests
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub linger: Duration,
    /// On SIGTERM, let requests in work take so long to end
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub drain: Duration,
}

impl ListenArgs {
    /// As the services take it; the environment variables `[host, port]`, if any, stand in for `--host`
    /// and `--port`.
    pub fn settings(
        &self,
        variables: Option<[&str; 2]>,
        default: u16,
    ) -> Result<Settings, Failure> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let host = self.host.clone().or_else(|| variables.and_then(|[host, _]| set(host)));
        let stated = variables.and_then(|[_, port]| Some((port, set(port)?)));
        let port = match (self.port, stated) {
            (Some(given), _) => given,
            (None, Some((port, text))) => text.parse().map_err(|_| {
                Failure::input(format!("{port} is `{text}`; expected a port, 0 to 65535"))
            })?,
            (None, None) => default,
        };
        Ok(Settings {
            host: host.unwrap_or_else(|| Settings::default().host),
            port,
            tls: self.tls_cert.clone().zip(self.tls_key.clone()),
            token: self.token()?,
            token_file: self.token_file.clone(),
            hosts: self.hosts.clone(),
            max_connections: self.max_connections as usize,
            max_body: self.max_body as usize * (1 << 20),
            time_limit: self.request_limit,
            max_requests: self.max_requests as usize,
            linger: self.linger,
            drain: self.drain,
            ..Settings::default()
        })
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.token_file else { return token_of_environment() };
        let failed = |what: String| Failure::input(format!("{}: {what}", path.display()));
        let text =
            std::fs::read_to_string(path).map_err(|e| failed(format!("cannot be read: {e}")))?;
        match text.trim() {
            "" => {
                Err(failed("is empty; write the token into it, or leave --token-file out".into()))
            }
            token => Ok(Some(token.to_owned())),
        }
    }
}

/// The token in the environment. Set and empty it is most likely a secret that is missing: nobody means to serve
/// openly by that.
fn token_of_environment() -> Result<Option<String>, Failure> {
    let Some(token) = std::env::var_os(TOKEN) else { return Ok(None) };
    match token.to_str().map(str::trim) {
        Some(token) if !token.is_empty() => Ok(Some(token.to_owned())),
        Some(_) => Err(Failure::input(format!(
            "{TOKEN} is set and empty; put the token into it, or unset it to ask for none"
        ))),
        None => Err(Failure::input(format!("{TOKEN} is no UTF-8; put the token into it"))),
    }
}

/// How a service logs.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// How the log is written, to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// error, warn, info, debug or trace, also by part as RUST_LOG has it [default: RUST_LOG, or info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people each
    Text,
    /// A JSON object a line
    Json,
}

impl LogArgs {
    /// Starts the log.
    pub fn start(&self) -> Result<(), Failure> {
        let format = match self.log {
            LogFormat::Text => logging::Format::Text,
            LogFormat::Json => logging::Format::Json,
        };
        logging::start(format, self.log_level.as_deref()).map_err(Failure::input)
    }
}

/// [`SolveArgs`] of a service: when not all can be served it does what the scenario says, so that there is always
/// something to carry out.
#[derive(Debug, Clone)]
pub struct ServiceSolveArgs(pub SolveArgs);

impl clap::Args for ServiceSolveArgs {
    fn augment_args(command: Command) -> Command {
        SolveArgs::augment_args(command)
            .mut_arg("shortage", |shortage| shortage.default_value("scenario"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        SolveArgs::augment_args_for_update(command)
    }
}

impl clap::FromArgMatches for ServiceSolveArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        SolveArgs::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}
