//! What a person or a pipe sees.

use std::io::Write;

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
pub mod table;
pub mod trace;

/// Writes `bytes` to standard output. A reader that has seen enough (`| head`) is no failure.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    if caller::takes_output(bytes) {
        return Ok(());
    }
    match std::io::stdout().write_all(bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(e)),
        _ => Ok(()),
    }
}
