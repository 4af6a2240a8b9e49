//! Which of several replicas acts: the one that holds the Lease.
//!
//! The clocks of two machines are never held against each other. A holder counts its term from when it
//! *asked* for it; a rival counts the same term from when it *saw* the Lease change last, which is
//! later. So the holder stops before a rival may start, whatever the wall clocks say.
//!
//! The Lease also says where its holder is reached, so that those who stand by pass requests on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::Notify;

use crate::cluster::{Cluster, describe};

/// Which Lease, and for how long.
#[derive(Debug, Clone)]
pub struct ElectionOptions {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are, unlike every other replica.
    pub identity: String,
    /// How long a term lasts that is not renewed. It is renewed every third of it.
    pub term: Duration,
    /// Base URL at which the other replicas reach this one, where they do.
    pub address: Option<String>,
}

/// Annotation of the Lease with the base URL of its holder.
const ADDRESS: &str = "isocost/address";

/// A candidate for the Lease.
#[derive(Clone)]
pub struct Candidate {
    api: Api<Lease>,
    options: ElectionOptions,
    state: Arc<Mutex<State>>,
    led: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// Until when we hold the Lease.
    until: Option<Instant>,
    /// Who holds it, as far as we know.
    holder: Option<String>,
    /// Where the holder is reached.
    address: Option<String>,
    /// When the API server told us last how things stand.
    heard: Option<Instant>,
    /// The Lease as it was seen to change last, and when that was.
    seen: Option<(Mark, Instant)>,
}

/// What changes with every renewal.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    holder: Option<String>,
    renewed: Option<Timestamp>,
    transitions: Option<i32>,
}

impl Candidate {
    /// A candidate; nothing is asked for yet.
    pub fn new(cluster: &Cluster, options: ElectionOptions) -> Self {
        let api = Api::namespaced(cluster.client(), &options.namespace);
        Self { api, options, state: Arc::default(), led: Arc::default() }
    }

    /// Whether we hold the Lease, now.
    pub fn is_leader(&self) -> bool {
        self.lock().until.is_some_and(|until| Instant::now() < until)
    }

    /// Who holds it, as far as is known.
    pub fn holder(&self) -> Option<String> {
        self.lock().holder.clone()
    }

    /// Where the replica that holds it is reached, as far as is known.
    pub fn address(&self) -> Option<String> {
        self.lock().address.clone()
    }

    /// Whether the API server told us less than two terms ago how things stand.
    pub fn is_in_touch(&self) -> bool {
        let heard = self.lock().heard;
        heard.is_some_and(|then| then.elapsed() < self.options.term * 2)
    }

    /// Returns once we begin to hold the Lease.
    pub async fn led(&self) {
        self.led.notified().await;
    }

    /// Asks for the Lease, or renews it, for as long as it is polled.
    pub async fn run(&self) {
        loop {
            let before = self.is_leader();
            if let Err(error) = self.ask().await {
                tracing::warn!(error, "the Lease cannot be had or renewed");
            }
            let after = self.is_leader();
            if after && !before {
                self.led.notify_one();
            }
            if before != after {
                let holder = self.holder().unwrap_or_default();
                tracing::info!(leader = after, holder, "leadership changed");
            }
            tokio::time::sleep(self.options.term / 3).await;
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why there is no knowing.
    pub async fn ask(&self) -> Result<(), String> {
        let asked = Instant::now();
        let found = self.api.get_opt(&self.options.name).await.map_err(|e| describe(&e))?;
        let written = match found {
            None => self.create().await,
            Some(lease) if self.may_take(&lease, Instant::now()) => self.take(lease).await,
            Some(_) => {
                self.lock().heard = Some(asked);
                return Ok(());
            }
        };
        match written {
            Ok(_) => {
                let mut state = self.lock();
                state.heard = Some(asked);
                state.until = Some(asked + self.options.term);
                state.holder = Some(self.options.identity.clone());
                Ok(())
            }
            // Somebody was faster; the next look says who.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.lock().until = None;
                Ok(())
            }
            Err(error) => Err(describe(&error)),
        }
    }

    /// Gives the Lease back, so that another replica need not wait for the term to end.
    pub async fn release(&self) {
        if !self.is_leader() {
            return;
        }
        self.lock().until = None;
        let Ok(Some(mut lease)) = self.api.get_opt(&self.options.name).await else { return };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.options.identity) {
            spec.holder_identity = Some(String::new());
            // Where it fails, the term ends by itself.
            let _ = self.api.replace(&self.options.name, &PostParams::default(), &lease).await;
        }
    }

    /// Whether the Lease is ours, nobody's, or one that was not renewed for a term, as we saw it.
    fn may_take(&self, lease: &Lease, now: Instant) -> bool {
        let spec = lease.spec.clone().unwrap_or_default();
        let mark = Mark {
            holder: spec.holder_identity.clone().filter(|holder| !holder.is_empty()),
            renewed: spec.renew_time.map(|time| time.0),
            transitions: spec.lease_transitions,
        };
        let mut state = self.lock();
        state.holder.clone_from(&mark.holder);
        let annotations = lease.metadata.annotations.as_ref();
        state.address = annotations.and_then(|all| all.get(ADDRESS)).cloned();
        if mark.holder.is_none() || mark.holder.as_ref() == Some(&self.options.identity) {
            return true;
        }
        state.until = None;
        match &state.seen {
            Some((seen, since)) if *seen == mark => {
                let term = spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok());
                let term = term.map_or(self.options.term, Duration::from_secs);
                now.saturating_duration_since(*since) > term
            }
            _ => {
                state.seen = Some((mark, now));
                false
            }
        }
    }

    async fn create(&self) -> Result<Lease, kube::Error> {
        let mut lease = Lease::default();
        lease.metadata.name = Some(self.options.name.clone());
        lease.metadata.namespace = Some(self.options.namespace.clone());
        lease.spec = Some(self.renewed(LeaseSpec::default()));
        self.say_where(&mut lease);
        self.api.create(&PostParams::default(), &lease).await
    }

    /// Writes our name in; the resource version that was read lets nobody else in between.
    async fn take(&self, mut lease: Lease) -> Result<Lease, kube::Error> {
        lease.spec = Some(self.renewed(lease.spec.unwrap_or_default()));
        self.say_where(&mut lease);
        self.api.replace(&self.options.name, &PostParams::default(), &lease).await
    }

    fn say_where(&self, lease: &mut Lease) {
        let annotations = lease.metadata.annotations.get_or_insert_default();
        match &self.options.address {
            Some(address) => drop(annotations.insert(ADDRESS.to_owned(), address.clone())),
            None => drop(annotations.remove(ADDRESS)),
        }
    }

    fn renewed(&self, mut spec: LeaseSpec) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let ours = spec.holder_identity.as_deref() == Some(&self.options.identity);
        if !ours {
            spec.holder_identity = Some(self.options.identity.clone());
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
        }
        let seconds = self.options.term.as_secs().max(1);
        spec.lease_duration_seconds = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
        spec.renew_time = Some(now);
        spec
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
