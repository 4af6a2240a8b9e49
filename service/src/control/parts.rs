//! Collector and actuator: in this process, or as services of their own, as the reference deploys them.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use crate::actuate::{Actuator, Change, Done, Ledger, Outcome};
use crate::cluster::{ApplyError, describe};
use crate::collect::wire::{AllocationData, KubeInfo, ServerActuatorInfo, ServerCollectorInfo};
use crate::collect::{Collector, Observed};

/// Who reads the fleet.
#[derive(Debug, Clone)]
pub enum Collect {
    /// The collector in this process.
    Local(Box<Collector>),
    /// A collector that answers `GET /collect`.
    Remote(Service),
}

/// Who carries a decision out.
#[derive(Debug, Clone)]
pub enum Actuate {
    /// The actuator in this process.
    Local(Actuator),
    /// An actuator that takes `POST /update`.
    Remote(Service),
}

/// A service over HTTP.
#[derive(Debug, Clone)]
pub struct Service {
    client: Client,
    url: String,
}

impl Service {
    /// A service at a base URL, e.g. `http://localhost:3301`.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        // A second provider cannot be installed; the first is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(timeout).build().map_err(|e| describe(&e))?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, String> {
        let failed = |what: String| format!("{}: {what}", self.url);
        let response = request.send().await.map_err(|e| failed(describe(&e)))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|e| failed(describe(&e)))?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        let text: String = String::from_utf8_lossy(&bytes).chars().take(400).collect();
        Err(failed(format!("status {}: {text}", status.as_u16())))
    }
}

impl Collect {
    /// The fleet now.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn collect(&self) -> Result<Observed, String> {
        match self {
            Self::Local(collector) => collector.collect().await.map_err(|e| e.to_string()),
            Self::Remote(service) => {
                let request = service.client.get(format!("{}/collect", service.url));
                let bytes = service.answer(request).await?;
                let info: ServerCollectorInfo = serde_json::from_slice(&bytes)
                    .map_err(|e| format!("{}: no answer of a collector: {e}", service.url))?;
                Ok(info.into())
            }
        }
    }
}

impl Actuate {
    /// Carries the changes out.
    pub async fn apply(
        &self,
        changes: Vec<Change>,
        ledger: Ledger,
        go_on: impl Fn() -> bool + Sync,
    ) -> Vec<Done> {
        match self {
            Self::Local(actuator) => actuator.apply(changes, ledger, go_on).await,
            Self::Remote(_) if !go_on() => all(changes, &Outcome::Stopped),
            Self::Remote(service) => {
                let body = actuator_info(&changes);
                let request = service.client.post(format!("{}/update", service.url)).json(&body);
                match service.answer(request).await {
                    Ok(bytes) => told(changes, &bytes),
                    Err(error) => all(changes, &Outcome::Failed(ApplyError::Unreachable(error))),
                }
            }
        }
    }
}

fn all(changes: Vec<Change>, outcome: &Outcome) -> Vec<Done> {
    changes.into_iter().map(|change| Done { change, outcome: outcome.clone() }).collect()
}

/// Outcomes as our actuator tells them; one that tells none (the reference's) applied them all.
fn told(changes: Vec<Change>, bytes: &[u8]) -> Vec<Done> {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let rows = answer.get("applied").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let told: BTreeMap<String, Outcome> = rows
        .iter()
        .filter_map(|row| {
            let error = || text(row, "error").unwrap_or_default();
            let outcome = match text(row, "outcome")?.as_str() {
                "dry-run" => Outcome::DryRun,
                "put-off" => Outcome::PutOff,
                "stopped" => Outcome::Stopped,
                "failed" => Outcome::Failed(ApplyError::Refused(error())),
                _ => Outcome::Applied,
            };
            Some((text(row, "server")?, outcome))
        })
        .collect();
    let done = |change: Change| {
        let outcome = told.get(&change.server).cloned().unwrap_or(Outcome::Applied);
        Done { change, outcome }
    };
    changes.into_iter().map(done).collect()
}

fn actuator_info(changes: &[Change]) -> ServerActuatorInfo {
    let allocation = |change: &Change| AllocationData {
        accelerator: change.to.accelerator.clone().unwrap_or_default(),
        num_replicas: change.to.replicas,
        max_batch: change.to.max_batch.unwrap_or(0),
        load: change.planned_for.map(Into::into).unwrap_or_default(),
        ..AllocationData::default()
    };
    let kube = |change: &Change| KubeInfo {
        uid: change.uid.clone(),
        name: change.key.name.clone(),
        space: change.key.namespace.clone(),
        ..KubeInfo::default()
    };
    ServerActuatorInfo {
        allocations: changes.iter().map(|c| (c.server.clone(), allocation(c))).collect(),
        kube_resources: changes.iter().map(|c| (c.server.clone(), kube(c))).collect(),
    }
}
