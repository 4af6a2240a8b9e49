//! One file a command: arguments in, its output and exit code out.

pub mod buckets;
pub mod compare;
#[cfg(feature = "kubernetes")]
pub mod control;
pub mod demand;
pub mod diff;
#[cfg(feature = "kubernetes")]
pub mod emulate;
pub mod experiment;
pub mod explain;
pub mod fit;
mod given;
pub mod horizon;
pub mod import;
pub mod init;
pub mod plan;
pub mod profile;
pub mod queue;
pub mod reference;
mod report;
#[cfg(feature = "serve")]
pub mod service;
pub mod shell;
pub mod simulate;
pub mod stress;
pub mod sweep;
pub mod verify;
