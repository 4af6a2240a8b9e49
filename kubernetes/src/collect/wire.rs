//! What collector, optimizer and actuator send each other, in the reference system's shapes.
//!
//! ```text
//! GET  /collect      -> {"servers": [ServerSpec], "replicas": [], "kube-resources": {SERVER: KubeInfo}}
//! POST /optimizeOne  <- {"system": {..., "serverData": {"servers": [ServerSpec]}}}
//!                    -> {"allocations": {SERVER: AllocationData}}
//! POST /update       <- {"allocations": {SERVER: AllocationData}, "kube-resources": {SERVER: KubeInfo}}
//! ```
//!
//! Fields that the reference does not know come last, and are left out where there is nothing in them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::{LeftAlone, Measured, Observation, Observed, Source};
use crate::cluster::{Key, LabelLoad, Managed};

/// What a collector answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerCollectorInfo {
    /// The servers with their current allocation and load.
    #[serde(rename = "servers", alias = "spec")]
    pub servers: Vec<ServerSpec>,
    /// One entry a pod in the reference; empty here.
    #[serde(default)]
    pub replicas: Vec<ServerSpec>,
    /// Which Deployment a server is.
    #[serde(rename = "kube-resources")]
    pub kube_resources: BTreeMap<String, KubeInfo>,
    /// Deployments that are left alone, with the reason.
    #[serde(rename = "leftAlone", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_alone: BTreeMap<String, String>,
    /// Whether Prometheus did not answer all that it was asked.
    #[serde(default)]
    pub blind: bool,
    /// Seconds over which rates were taken, where they were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<f64>,
    /// What was amiss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What an actuator is sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerActuatorInfo {
    /// The allocation of each server.
    pub allocations: BTreeMap<String, AllocationData>,
    /// Which Deployment a server is.
    #[serde(rename = "kube-resources")]
    pub kube_resources: BTreeMap<String, KubeInfo>,
}

/// A server, as the optimizer is told of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerSpec {
    /// Name.
    pub name: String,
    /// Service class.
    pub class: String,
    /// Model.
    pub model: String,
    /// Whether it has to stay on its accelerator.
    pub keep_accelerator: bool,
    /// Fewest replicas.
    pub min_num_replicas: u32,
    /// Most replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_num_replicas: Option<u32>,
    /// Accelerators that it may use; all where it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Where it runs, and the load that it is under.
    pub current_alloc: AllocationData,
}

/// An allocation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AllocationData {
    /// Accelerator; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub accelerator: String,
    /// Replicas.
    pub num_replicas: u32,
    /// Requests that a replica batches at most.
    pub max_batch: u32,
    /// Cents per hour.
    #[serde(deserialize_with = "or_zero")]
    pub cost: f64,
    /// Mean time between tokens, ms.
    #[serde(deserialize_with = "or_zero")]
    pub itl_average: f64,
    /// Mean time to the first token, ms.
    #[serde(deserialize_with = "or_zero")]
    pub ttft_average: f64,
    /// The load.
    pub load: LoadData,
}

/// A quantity that nobody knows, a latency without load say, may come as null.
fn or_zero<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(from).map(Option::unwrap_or_default)
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadData {
    /// Requests per minute.
    pub arrival_rate: f64,
    /// Mean tokens of a prompt.
    pub avg_in_tokens: f64,
    /// Mean tokens of an answer.
    pub avg_out_tokens: f64,
}

/// Which Deployment a server is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeInfo {
    /// Identity.
    pub uid: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub space: String,
    /// Replicas that are ready; a collector that does not say has them all ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// Where the load comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Load that the present allocation was planned for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<LoadData>,
    /// Fewest replicas, where a label says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<u32>,
    /// Whether that load was measured.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub planned_measured: bool,
    /// Requests that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Most requests that were in service at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
    /// Whether the samples are of a part of the window alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub part_of_window: bool,
    /// When the loop changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
}

impl From<LabelLoad> for LoadData {
    fn from(load: LabelLoad) -> Self {
        Self {
            arrival_rate: load.rpm,
            avg_in_tokens: load.in_tokens,
            avg_out_tokens: load.out_tokens,
        }
    }
}

impl From<LoadData> for LabelLoad {
    fn from(load: LoadData) -> Self {
        Self {
            rpm: load.arrival_rate,
            in_tokens: load.avg_in_tokens,
            out_tokens: load.avg_out_tokens,
        }
    }
}

impl From<&Observed> for ServerCollectorInfo {
    fn from(observed: &Observed) -> Self {
        let servers = observed.servers.iter().map(spec).collect();
        let info = |o: &Observation| (o.managed.server.clone(), kube_info(o));
        let left_alone = observed.left_alone.iter();
        Self {
            servers,
            replicas: Vec::new(),
            kube_resources: observed.servers.iter().map(info).collect(),
            left_alone: left_alone.map(|l| (l.name.clone(), l.reason.clone())).collect(),
            blind: observed.blind,
            window: observed.window.map(|w| w.as_secs_f64()),
            warnings: observed.warnings.clone(),
        }
    }
}

fn spec(observation: &Observation) -> ServerSpec {
    let Observation { managed, load, measured, .. } = observation;
    ServerSpec {
        name: managed.server.clone(),
        class: managed.class.clone(),
        model: managed.model.clone(),
        keep_accelerator: managed.keep_accelerator,
        min_num_replicas: managed.min_replicas.unwrap_or(0),
        max_num_replicas: managed.max_replicas,
        allow: Vec::new(),
        current_alloc: AllocationData {
            accelerator: managed.accelerator.clone().unwrap_or_default(),
            num_replicas: managed.replicas,
            max_batch: managed.max_batch.unwrap_or(0),
            cost: 0.0,
            itl_average: measured.itl_ms.unwrap_or(0.0),
            ttft_average: measured.ttft_ms.unwrap_or(0.0),
            load: (*load).into(),
        },
    }
}

fn kube_info(observation: &Observation) -> KubeInfo {
    let managed = &observation.managed;
    KubeInfo {
        uid: managed.uid.clone(),
        name: managed.key.name.clone(),
        space: managed.key.namespace.clone(),
        ready: Some(managed.ready),
        source: Some(observation.source),
        planned: managed.planned.map(LoadData::from),
        min_replicas: managed.min_replicas,
        planned_measured: managed.planned_measured,
        waiting: observation.measured.waiting,
        running: observation.measured.running,
        part_of_window: observation.measured.part_of_window,
        changed: managed.changed.map(|time| time.to_string()),
    }
}

impl From<ServerCollectorInfo> for Observed {
    /// A server whose Deployment is not named is left alone: nothing could be done about it.
    fn from(info: ServerCollectorInfo) -> Self {
        let window = info.window.and_then(|s| Duration::try_from_secs_f64(s).ok());
        let mut observed =
            Self { blind: info.blind, window, warnings: info.warnings, ..Self::default() };
        let left = info.left_alone.into_iter();
        observed.left_alone = left.map(|(name, reason)| LeftAlone { name, reason }).collect();
        for spec in info.servers {
            match info.kube_resources.get(&spec.name) {
                Some(kube) => observed.servers.push(observation(spec, kube)),
                None => observed.left_alone.push(LeftAlone {
                    reason: "the collector names no Deployment for it in kube-resources".to_owned(),
                    name: spec.name,
                }),
            }
        }
        observed.servers.sort_by(|a, b| a.managed.key.cmp(&b.managed.key));
        observed
    }
}

fn observation(spec: ServerSpec, kube: &KubeInfo) -> Observation {
    let positive = |value: f64| Some(value).filter(|v| *v > 0.0);
    let current = spec.current_alloc;
    let load = LabelLoad::from(current.load);
    let measured = Measured {
        ttft_ms: positive(current.ttft_average),
        itl_ms: positive(current.itl_average),
        waiting: kube.waiting,
        running: kube.running,
        part_of_window: kube.part_of_window,
        ..Measured::default()
    };
    let managed = Managed {
        key: Key { namespace: kube.space.clone(), name: kube.name.clone() },
        uid: kube.uid.clone(),
        server: spec.name,
        model: spec.model,
        class: spec.class,
        replicas: current.num_replicas,
        ready: kube.ready.unwrap_or(current.num_replicas),
        accelerator: Some(current.accelerator).filter(|a| !a.is_empty()),
        max_batch: Some(current.max_batch).filter(|b| *b > 0),
        planned: kube.planned.map(LabelLoad::from),
        planned_measured: kube.planned_measured,
        changed: kube.changed.as_deref().and_then(|text| text.parse().ok()),
        min_replicas: kube.min_replicas.or(Some(spec.min_num_replicas).filter(|n| *n > 0)),
        max_replicas: spec.max_num_replicas,
        keep_accelerator: spec.keep_accelerator,
        ..Managed::default()
    };
    Observation { managed, load, source: kube.source.unwrap_or(Source::Measured), measured }
}
