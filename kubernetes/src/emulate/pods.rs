//! The pods of managed Deployments, and the labels by which an emulated server in them learns what
//! it serves.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;

use crate::cluster::{Cluster, ClusterError, Key, LabelLoad, Managed, number, pages};
use crate::labels;

/// A pod that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Where it is found.
    pub key: Key,
    /// Its identity.
    pub uid: String,
    /// The Deployment that it is of.
    pub deployment: Key,
}

impl Pod {
    /// Reads a pod; `None` of one that does not run, is on its way out, or is not a Deployment's.
    fn read(pod: &v1::Pod) -> Option<Self> {
        let metadata = &pod.metadata;
        let running = pod.status.as_ref()?.phase.as_deref() == Some("Running");
        if !running || metadata.deletion_timestamp.is_some() {
            return None;
        }
        // A ReplicaSet is called by its Deployment and the hash that its pods carry.
        let hash = metadata.labels.as_ref()?.get("pod-template-hash")?;
        let set = metadata.owner_references.as_ref()?.iter().find(|o| o.kind == "ReplicaSet")?;
        let deployment = set.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
        let namespace = metadata.namespace.clone()?;
        Some(Self {
            key: Key { namespace: namespace.clone(), name: metadata.name.clone()? },
            uid: metadata.uid.clone()?,
            deployment: Key { namespace, name: deployment.to_owned() },
        })
    }
}

/// The running pods with the label `inferno.server.managed` in a namespace, or in all, by Deployment.
pub async fn list(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<BTreeMap<Key, Vec<Pod>>, ClusterError> {
    let api: Api<v1::Pod> = match namespace {
        Some(namespace) => Api::namespaced(cluster.client(), namespace),
        None => Api::all(cluster.client()),
    };
    let managed = ListParams::default().labels(&format!("{}=true", labels::MANAGED));
    let pods = pages(&api, &managed, "list pods").await?;
    let mut by_deployment: BTreeMap<Key, Vec<Pod>> = BTreeMap::new();
    for pod in pods.iter().filter_map(Pod::read) {
        by_deployment.entry(pod.deployment.clone()).or_default().push(pod);
    }
    by_deployment.values_mut().for_each(|pods| pods.sort_by(|a, b| a.key.cmp(&b.key)));
    Ok(by_deployment)
}

/// The labels of a pod of `of` that gets `load`.
pub fn labels_of(of: &Managed, load: LabelLoad) -> BTreeMap<String, String> {
    let mut all = load.labels();
    all.insert(labels::MODEL.to_owned(), of.model.clone());
    if let Some(accelerator) = &of.accelerator {
        all.insert(labels::ACCELERATOR.to_owned(), accelerator.clone());
    }
    if let Some(batch) = of.max_batch {
        all.insert(labels::MAX_BATCH_SIZE.to_owned(), number(f64::from(batch)));
    }
    all
}

/// Applies labels to a pod. The uid sees to it that no pod is made where this one is gone.
pub async fn label(
    cluster: &Cluster,
    pod: &Pod,
    manager: &str,
    labels: &BTreeMap<String, String>,
) -> Result<(), kube::Error> {
    let api: Api<v1::Pod> = Api::namespaced(cluster.client(), &pod.key.namespace);
    let metadata = json!({
        "name": pod.key.name, "namespace": pod.key.namespace, "uid": pod.uid, "labels": labels,
    });
    let body = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata });
    let params = PatchParams::apply(manager).force();
    api.patch_metadata(&pod.key.name, &params, &Patch::Apply(&body)).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(phase: &str, set: &str, hash: &str) -> v1::Pod {
        serde_json::from_value(json!({
            "metadata": {
                "name": "web-5d9-x", "namespace": "infer", "uid": "u",
                "labels": { "pod-template-hash": hash },
                "ownerReferences":
                    [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": "s" }],
            },
            "status": { "phase": phase },
        }))
        .expect("a pod")
    }

    #[test]
    fn a_pod_is_its_deployments_while_it_runs() {
        let read = Pod::read(&pod("Running", "my-web-5d9", "5d9")).expect("a running pod");
        assert_eq!(read.deployment.to_string(), "infer/my-web");
        assert_eq!(Pod::read(&pod("Pending", "my-web-5d9", "5d9")), None);
        assert_eq!(Pod::read(&pod("Running", "my-web-777", "5d9")), None);
        assert_eq!(Pod::read(&v1::Pod::default()), None);
        let mut leaving = pod("Running", "my-web-5d9", "5d9");
        leaving.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).expect("a time");
        assert_eq!(Pod::read(&leaving), None);
    }
}
