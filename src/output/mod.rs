//! What a person or a pipe sees.

use std::io::Write;
use std::sync::OnceLock;

use crate::{Failure, caller};

pub mod buckets;
pub mod catalogue;
pub mod compare;
pub mod demand;
pub mod diff;
pub mod explain;
pub mod fit;
pub mod horizon;
pub mod picture;
pub mod simulation;
pub mod stress;
pub mod style;
pub mod sweep;
pub mod table;
pub mod trace;
pub mod width;

/// Writes a line to standard output, in colour where that is a terminal; takes what `println!` does.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($line:tt)*) => { $crate::output::line(format_args!($($line)*)) };
}
pub(crate) use say;

/// Why standard output could not be written to, once it could not.
static FAULT: OnceLock<std::io::Error> = OnceLock::new();

/// A line of [`say!`]. That it cannot be written is kept for [`finish`], which every command comes to.
pub fn line(line: std::fmt::Arguments<'_>) {
    let text = format!("{line}\n");
    if !caller::takes_output(anstream::adapter::strip_str(&text).to_string().as_bytes()) {
        keep(anstream::stdout().write_all(text.as_bytes()));
    }
}

/// Ends the output of a process.
pub fn finish() -> Result<(), Failure> {
    keep(std::io::stdout().flush());
    match FAULT.get() {
        Some(fault) => Err(Failure::failed(format!(
            "standard output: cannot be written: {fault}; what was shown is not whole"
        ))),
        None => Ok(()),
    }
}

fn keep(written: std::io::Result<()>) {
    match written {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            // The first fault is the cause of the others.
            let _ = FAULT.set(fault);
        }
        _ => {}
    }
}

/// Writes `bytes` to standard output. A reader that has seen enough (`| head`) is no failure.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    if caller::takes_output(bytes) {
        return Ok(());
    }
    keep(std::io::stdout().write_all(bytes));
    Ok(())
}
