//! The example fleet as Deployments, and a controller over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use isocost_kubernetes::actuate::{ActuateOptions, Actuator};
use isocost_kubernetes::cluster::{Access, Cluster};
use isocost_kubernetes::collect::{Collector, Grouping, Prometheus, PrometheusOptions};
use isocost_kubernetes::control::{
    Actuate, Capacity, Collect, Controller, DataOptions, Optimizer, Parts, Record, Stability,
    planner_options,
};
use isocost_model::candidates::SizingOptions;
use isocost_serve::planning::Planner;
use kube::Config;
use serde_json::{Value, json};

use super::StandIn;
use super::store::Write;

/// The directory of the example fleet.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27")
}

/// A Deployment with labels; its replicas are the API server's default, as one has it that leaves them
/// to the control loop.
pub fn deployment(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "vllm", "image": "vllm" }] },
            },
        },
    })
}

/// The servers of the example fleet: name, and labels as its Deployment carries them. There are as many
/// as are asked for; from the 28th on they are copies.
pub fn servers(count: usize) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(data().join("server-data.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let known = file["servers"].as_array().unwrap();
    let server = |i: usize| {
        let server = &known[i % known.len()];
        let load = &server["currentAlloc"]["load"];
        let name = format!("{}-{i}", server["name"].as_str().unwrap().replace('.', "-"));
        let labels = json!({
            "inferno.server.managed": "true",
            "inferno.server.name": name,
            "inferno.server.model": server["model"],
            "inferno.server.class": server["class"],
            "inferno.server.load.rpm": load["arrivalRate"].to_string(),
            "inferno.server.load.intokens": load["avgInTokens"].to_string(),
            "inferno.server.load.outtokens": load["avgOutTokens"].to_string(),
        });
        (name, labels)
    };
    (0..count).map(server).collect()
}

/// Puts the example fleet into a stand-in.
pub fn fill(stand_in: &StandIn, namespace: &str, count: usize) {
    // As `kubectl apply --server-side` does: who creates or applies otherwise owns the replicas.
    let write = Write { manager: "kubectl", force: false, dry_run: false };
    let mut store = stand_in.store.lock().unwrap();
    for (name, labels) in servers(count) {
        let at = ("deployments".to_owned(), namespace.to_owned(), name.clone());
        store.apply(&at, &deployment(&name, &labels), &write).unwrap();
    }
}

/// What is varied of a controller.
#[derive(Clone)]
pub struct Setup {
    pub data: PathBuf,
    pub actuate: ActuateOptions,
    pub stability: Stability,
    pub prometheus: Option<String>,
    pub timeout: Duration,
    pub count_nodes: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            data: data(),
            actuate: ActuateOptions::default(),
            stability: Stability { cool_down: Duration::ZERO, ..Stability::default() },
            prometheus: None,
            timeout: Duration::from_secs(60),
            count_nodes: false,
        }
    }
}

pub fn cluster(config: Config, namespace: &str, timeout: Duration) -> Cluster {
    let access = Access { namespace: Some(namespace.to_owned()), timeout };
    Cluster::with_config(config, &access).unwrap()
}

pub fn prometheus(url: &str, namespace: &str, timeout: Duration) -> Prometheus {
    prometheus_over(url, namespace, timeout, Duration::from_secs(300))
}

/// One that takes rates over a window.
pub fn prometheus_over(
    url: &str,
    namespace: &str,
    timeout: Duration,
    window: Duration,
) -> Prometheus {
    Prometheus::new(PrometheusOptions {
        url: url.to_owned(),
        token_file: None,
        ca_file: None,
        window,
        timeout,
        grouping: Grouping::Pod,
        namespace: Some(namespace.to_owned()),
    })
    .unwrap()
}

/// The parts of a controller, all in this process.
pub fn parts(config: Config, namespace: &str, setup: &Setup) -> Parts {
    let cluster = cluster(config, namespace, setup.timeout);
    let prometheus = setup.prometheus.as_ref().map(|url| prometheus(url, namespace, setup.timeout));
    let backend = isocost_solver::default_backend().unwrap();
    let planner = Planner::new(
        planner_options(SizingOptions::default(), 1e-4),
        backend,
        &mut Default::default(),
    );
    Parts {
        collect: Collect::Local(Box::new(Collector::new(cluster.clone(), prometheus))),
        optimizer: Optimizer::Local(Arc::new(planner), Duration::from_secs(120)),
        actuate: Actuate::Local(Actuator::new(cluster.clone(), setup.actuate.clone())),
        data: DataOptions {
            directory: setup.data.clone(),
            dynamic: false,
            capacity: match setup.count_nodes {
                true => Capacity::Nodes(cluster, Default::default()),
                false => Capacity::File,
            },
        },
        sizing: SizingOptions::default(),
        stability: setup.stability,
        ownership: setup.actuate.ownership,
    }
}

/// A controller, all in this process.
pub fn controller(stand_in: &StandIn, namespace: &str, setup: &Setup) -> Arc<Controller> {
    Arc::new(Controller::new(parts(stand_in.config(), namespace, setup)).unwrap())
}

/// Runs a cycle.
pub async fn cycle(controller: &Arc<Controller>) -> Record {
    controller.cycle(Record::begin(1, "test", false), || true).await
}

/// What the control loop set of each Deployment: replicas, accelerator, batch.
pub fn state(stand_in: &StandIn, namespace: &str) -> Vec<(String, i64, String, String)> {
    let store = stand_in.store.lock().unwrap();
    let row = |value: &Value| {
        let metadata = &value["metadata"];
        let label = |key: &str| metadata["labels"][key].as_str().unwrap_or("").to_owned();
        (
            metadata["name"].as_str().unwrap().to_owned(),
            value["spec"]["replicas"].as_i64().unwrap(),
            label("inferno.server.allocation.accelerator"),
            label("inferno.server.allocation.maxbatchsize"),
        )
    };
    store.list("deployments", Some(namespace)).iter().map(|(_, value)| row(value)).collect()
}
