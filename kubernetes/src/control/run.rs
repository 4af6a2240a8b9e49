//! The control loop as a service: cycles by the clock and on demand, until it is told to end.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::invoke::Invoker;
use super::routes;
use isocost_serve::http::{App, ListenError, Listening, Registry, Settings, listen, terminated};

/// When cycles run by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Time between the beginnings of two cycles; zero runs them on demand alone.
    pub period: Duration,
}

/// How often it is told whether the loop is ready.
const PULSE: Duration = Duration::from_secs(1);

/// Runs the loop until `stop`; then changes that were begun are made, the Lease is given back, and
/// requests in work end. A second signal ends it at once.
///
/// # Errors
/// [`ListenError`].
pub async fn run(
    invoker: Arc<Invoker>,
    clock: Clock,
    settings: &Settings,
    registry: Registry,
    started: impl FnOnce(&Listening),
    stop: impl Future<Output = ()>,
) -> Result<(), ListenError> {
    let routes = routes::controller(Arc::clone(&invoker));
    let listening = listen(settings, App { routes, open: Router::new(), registry }).await?;
    started(&listening);
    let stopped = async {
        stop.await;
        tokio::select! {
            () = invoker.drain() => {}
            () = terminated() => {}
        }
    };
    let cycles = async {
        match clock.period.is_zero() {
            true => pending().await,
            false => invoker.every(clock.period).await,
        }
    };
    // The Lease is renewed for as long as changes are made, so until the end.
    let election = async {
        match &invoker.candidate {
            Some(candidate) => candidate.run().await,
            None => pending().await,
        }
    };
    let health = listening.health.clone();
    health.set_ready(false);
    let pulse = async {
        let mut ticks = tokio::time::interval(PULSE);
        loop {
            ticks.tick().await;
            // The end has the last word.
            if !invoker.is_stopping() {
                health.set_ready(invoker.is_ready(clock.period));
            }
            if !invoker.is_leader() {
                invoker.metrics.stand_by();
            }
        }
    };
    let ended = tokio::select! {
        () = pulse => Ok(()),
        ended = listening.until(stopped) => ended,
        () = cycles => Ok(()),
        () = election => Ok(()),
    };
    if let Some(candidate) = &invoker.candidate {
        candidate.release().await;
    }
    ended
}

/// Serves the routes of a collector or an actuator until `stop`.
///
/// # Errors
/// [`ListenError`].
pub async fn serve(
    routes: Router,
    settings: &Settings,
    started: impl FnOnce(&Listening),
    stop: impl Future<Output = ()>,
) -> Result<(), ListenError> {
    let registry = Registry::with_prefix("isocost");
    let listening = listen(settings, App { routes, open: Router::new(), registry }).await?;
    started(&listening);
    listening.until(stop).await
}
