//! The log: lines for people, or JSON for collectors, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A line for people each.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts the log: what `filter` (as `RUST_LOG` has it) lets through, else what `RUST_LOG` does, else
/// information and worse. Where a log was started already, that one stays.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(format: Format, filter: Option<&str>) -> Result<(), String> {
    let from_environment = std::env::var("RUST_LOG").ok();
    let wanted = filter.or(from_environment.as_deref()).unwrap_or("info");
    let filter = EnvFilter::try_new(wanted).map_err(|e| {
        format!("log filter `{wanted}`: {e}; expected error, warn, info, debug or trace")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match format {
        Format::Text => log.with_ansi(std::io::stderr().is_terminal()).compact().try_init(),
        Format::Json => log.json().flatten_event(true).with_current_span(false).try_init(),
    };
    Ok(())
}
