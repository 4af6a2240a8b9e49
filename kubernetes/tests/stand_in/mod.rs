//! A small stand-in for a Kubernetes API server: what the control loop and its suite ask of one, over
//! real HTTP, and faults at will.
//!
//! It keeps to the API's conventions where the suite can see them: resource versions, 404, 409, 410 and
//! 422 with a `Status`, ownership of fields under server-side apply, pages, watches with bookmarks. It
//! knows no schema beyond a few rules, takes lists for one value each, and runs no controllers: nothing
//! makes pods. The suite in `tests/cluster.rs` is what keeps it honest: it runs against a real API server
//! all the same.

#![allow(dead_code, reason = "each test binary uses a part of it")]

mod fields;
pub mod fleet;
mod http;
pub mod prometheus;
pub mod scraper;
pub mod store;

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::Config;
use serde_json::{Value, json};

pub use store::Store;

/// Faults that are switched on and off while it runs.
#[derive(Default)]
pub struct Faults {
    /// Requests that are still answered before the server is gone; negative: it stays.
    left: AtomicI64,
    armed: std::sync::atomic::AtomicBool,
    /// Milliseconds that an answer takes.
    slow_ms: AtomicU64,
    /// The n-th request from now fails with 500.
    fail_at: AtomicI64,
    /// Status that every request is refused with; 0 refuses none.
    refused: AtomicU64,
    /// The same for PATCH requests alone.
    refused_patches: AtomicU64,
    /// Requests so far.
    pub requests: AtomicU64,
    /// PATCH requests so far.
    pub patches: AtomicU64,
}

impl Faults {
    /// Gone after so many more requests.
    pub fn gone_after(&self, requests: i64) {
        self.left.store(requests, Ordering::SeqCst);
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Back again, and quick.
    pub fn mended(&self) {
        self.armed.store(false, Ordering::SeqCst);
        self.slow_ms.store(0, Ordering::SeqCst);
        self.fail_at.store(0, Ordering::SeqCst);
        self.refuse(0, true);
        self.refuse(0, false);
    }

    /// Each answer takes so long.
    pub fn slow(&self, wait: Duration) {
        self.slow_ms.store(wait.as_millis() as u64, Ordering::SeqCst);
    }

    /// The n-th request from now, counted from 1, fails.
    pub fn fail_at(&self, n: i64) {
        self.fail_at.store(n, Ordering::SeqCst);
    }

    /// Refuses every request with a status, or changes alone.
    pub fn refuse(&self, status: u64, changes_alone: bool) {
        let which = if changes_alone { &self.refused_patches } else { &self.refused };
        which.store(status, Ordering::SeqCst);
    }

    /// The status that a request is refused with.
    fn refusal(&self, patch: bool) -> Option<u16> {
        let all = self.refused.load(Ordering::SeqCst);
        let patches = if patch { self.refused_patches.load(Ordering::SeqCst) } else { 0 };
        u16::try_from(all.max(patches)).ok().filter(|status| *status > 0)
    }

    fn wait(&self) -> Duration {
        Duration::from_millis(self.slow_ms.load(Ordering::SeqCst))
    }

    /// Whether this request fails.
    fn strikes(&self) -> bool {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let gone =
            self.armed.load(Ordering::SeqCst) && self.left.fetch_sub(1, Ordering::SeqCst) <= 0;
        let nth = self.fail_at.load(Ordering::SeqCst) > 0
            && self.fail_at.fetch_sub(1, Ordering::SeqCst) == 1;
        gone || nth
    }
}

/// A running stand-in; it ends with the runtime that it was started on.
#[derive(Clone)]
pub struct StandIn {
    /// Where it listens.
    pub url: String,
    /// Its objects.
    pub store: Arc<Mutex<Store>>,
    /// Its faults.
    pub faults: Arc<Faults>,
}

impl StandIn {
    /// Starts one on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stand_in = Self { url, store: Arc::default(), faults: Arc::default() };
        let router = http::router(stand_in.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        stand_in
    }

    /// How it is reached.
    pub fn config(&self) -> Config {
        Config::new(self.url.parse().unwrap())
    }

    /// How it is reached, as a file for `KUBECONFIG`.
    pub fn write_kubeconfig(&self, file: &Path) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "s",
            "clusters": [{ "name": "s", "cluster": { "server": self.url } }],
            "users": [{ "name": "s", "user": {} }],
            "contexts": [{ "name": "s", "context": { "cluster": "s", "user": "s" } }],
        });
        std::fs::write(file, config.to_string()).unwrap();
    }

    /// An object as it is now.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store.lock().unwrap().get(kind, namespace, name).ok()
    }
}
