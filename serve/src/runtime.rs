//! The threads that services run on.

use std::future::Future;
use std::io;
use std::time::Duration;

/// How long work that blocks may take to notice that nobody waits for it any more.
const LAST: Duration = Duration::from_millis(250);

/// Runs a service on this thread and as many others as there are cores, until it ends; work that blocks and does
/// not end then is left to the end of the process.
///
/// # Errors
/// Threads that cannot be started.
pub fn block_on<F: Future>(service: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(service);
    runtime.shutdown_timeout(LAST);
    Ok(ended)
}

/// Does work that takes a processor, on a thread that may block; a panic of it is a panic here.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => unreachable!("blocking work is never cancelled: {error}"),
    })
}
