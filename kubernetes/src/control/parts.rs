//! Collector and actuator: in this process, or as services of their own, as the reference deploys them.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use crate::actuate::{Actuator, Change, Done, Ledger, Outcome};
use crate::cluster::{ApplyError, describe};
use crate::collect::wire::{AllocationData, KubeInfo, ServerActuatorInfo, ServerCollectorInfo};
use crate::collect::{Bounded, Collector, Observed};

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
        let bytes = response.bounded().await.map_err(failed)?;
        if status.is_success() {
            return Ok(bytes);
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

/// Outcomes as our actuator tells them; one that tells none (the reference's) applied them all. What is told
/// in words that nobody knows counts as failed, and so does a change that is not told of among others.
fn told(changes: Vec<Change>, bytes: &[u8]) -> Vec<Done> {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let Some(rows) = answer.get("applied").and_then(Value::as_array) else {
        return all(changes, &Outcome::Applied);
    };
    let told: BTreeMap<&str, Outcome> =
        rows.iter().filter_map(|row| Some((row.get("server")?.as_str()?, outcome(row)))).collect();
    let silent = || failed("it does not say what became of the change");
    let done = |change: Change| {
        let outcome = told.get(change.server.as_str()).cloned().unwrap_or_else(silent);
        Done { change, outcome }
    };
    changes.into_iter().map(done).collect()
}

fn outcome(row: &Value) -> Outcome {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("outcome") {
        "applied" => Outcome::Applied,
        "dry-run" => Outcome::DryRun,
        "published" => Outcome::Published,
        "put-off" => Outcome::PutOff,
        "stopped" => Outcome::Stopped,
        "failed" => Outcome::Failed(ApplyError::Refused(text("error").to_owned())),
        other => failed(&format!(
            "`{other}` is no outcome; expected applied, dry-run, published, put-off, stopped or failed"
        )),
    }
}

fn failed(what: &str) -> Outcome {
    Outcome::Failed(ApplyError::Answer(what.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuate::Allocation;
    use crate::cluster::Key;

    fn change(server: &str) -> Change {
        Change {
            server: server.to_owned(),
            key: Key::default(),
            uid: String::new(),
            from: Allocation::default(),
            to: Allocation::default(),
            reason: String::new(),
            planned_for: None,
            frees: None,
            takes: None,
            marks: Default::default(),
        }
    }

    fn outcomes(answer: &str) -> Vec<Outcome> {
        let done = told(vec![change("a"), change("b")], answer.as_bytes());
        done.into_iter().map(|done| done.outcome).collect()
    }

    #[test]
    fn what_an_actuator_does_not_say_in_known_words_is_not_done() {
        let answer = r#"{"applied": [{"server": "a", "outcome": "applied"}, {"server": "b", "outcome": "queued"}]}"#;
        let found = outcomes(answer);
        assert_eq!(found[0], Outcome::Applied);
        assert!(
            matches!(&found[1], Outcome::Failed(ApplyError::Answer(what)) if what.contains("`queued`"))
        );
        for silent in
            [r#"{"applied": []}"#, r#"{"applied": [{"server": "b"}, {"outcome": "applied"}]}"#]
        {
            let found = outcomes(silent);
            assert!(
                found.iter().all(|o| matches!(o, Outcome::Failed(ApplyError::Answer(_)))),
                "{silent}"
            );
        }
    }

    #[test]
    fn an_actuator_that_tells_nothing_applied_all() {
        for answer in ["", "{}", "\"Done\"", r#"{"allocations": {}}"#] {
            assert_eq!(outcomes(answer), [Outcome::Applied, Outcome::Applied], "{answer}");
        }
    }
}
