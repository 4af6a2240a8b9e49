//! The threads that services run on.

use std::future::Future;
use std::io;

/// Runs a service on this thread and as many others as there are cores, until it ends.
///
/// # Errors
/// Threads that cannot be started.
pub fn block_on<F: Future>(service: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(service))
}
