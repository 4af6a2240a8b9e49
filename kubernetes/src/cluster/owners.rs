//! Who owns what the control loop would set of a Deployment, by its `managedFields`.
//!
//! Whoever sets a field owns it. Replicas belong to who made the Deployment even where the manifest leaves
//! them out: `kubectl apply` and `kubectl create` are told to have set what the API server filled in, and
//! only `kubectl apply --server-side` is not. Server-side apply to another value is then refused.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::FIELD_MANAGER;
use crate::labels;

/// Who owns the fields that the loop sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owners {
    /// Whether the loop set the replicas before, and nobody else since.
    pub ours: bool,
    /// Whether the loop set anything before.
    pub known: bool,
    /// Others that own the replicas.
    pub replicas: BTreeSet<String>,
    /// Others that own the labels of accelerator or batch size.
    pub labels: BTreeSet<String>,
}

impl Owners {
    /// Reads the entries of a Deployment's metadata.
    pub fn of(entries: &[ManagedFieldsEntry]) -> Self {
        let mut owners = Self::default();
        for entry in entries {
            let Some(fields) = entry.fields_v1.as_ref().map(|fields| &fields.0) else { continue };
            let has = |path: &[&str]| {
                path.iter().try_fold(fields, |at: &Value, key| at.get(key)).is_some()
            };
            let replicas = has(&["f:spec", "f:replicas"]);
            let label = |name: &str| has(&["f:metadata", "f:labels", format!("f:{name}").as_str()]);
            let labelled = label(labels::ACCELERATOR) || label(labels::MAX_BATCH_SIZE);
            let manager = entry.manager.clone().unwrap_or_default();
            if manager == FIELD_MANAGER && entry.operation.as_deref() == Some("Apply") {
                owners.known = true;
                owners.ours |= replicas;
                continue;
            }
            if replicas {
                owners.replicas.insert(manager.clone());
            }
            if labelled {
                owners.labels.insert(manager);
            }
        }
        owners.ours &= owners.replicas.is_empty();
        owners
    }

    /// Who else owns what a change would set, in words; nothing where nobody does.
    pub fn contested(&self) -> Option<String> {
        let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        match (self.replicas.is_empty(), self.labels.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!("its replicas belong to {}", names(&self.replicas))),
            (true, false) => {
                Some(format!("its allocation labels belong to {}", names(&self.labels)))
            }
            (false, false) => Some(format!(
                "its replicas belong to {}, its allocation labels to {}",
                names(&self.replicas),
                names(&self.labels)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owners(entries: &Value) -> Owners {
        let entries: Vec<ManagedFieldsEntry> = serde_json::from_value(entries.clone()).unwrap();
        Owners::of(&entries)
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({ "manager": manager, "operation": operation, "fieldsV1": fields })
    }

    #[test]
    fn replicas_and_labels_are_told_to_belong_to_others() {
        let replicas = json!({ "f:spec": { "f:replicas": {} } });
        let label = json!({ "f:metadata": { "f:labels": {
            "f:inferno.server.allocation.accelerator": {}, "f:x": {} } } });
        let other = json!({ "f:metadata": { "f:labels": { "f:inferno.server.model": {} } } });
        let kubectl = entry("kubectl-client-side-apply", "Update", &replicas);
        let found = owners(&json!([kubectl, entry("helm", "Update", &label)]));
        let words = found.contested().unwrap();
        assert!(words.contains("replicas belong to kubectl-client-side-apply"), "{words}");
        assert!(words.contains("labels to helm") && !found.known, "{words}");
        assert_eq!(owners(&json!([entry("helm", "Update", &other)])).contested(), None);

        let ours = owners(&json!([entry("isocost", "Apply", &replicas)]));
        assert!(ours.ours && ours.known && ours.contested().is_none());
        // An autoscaler set them after us.
        let hpa = entry("kube-controller-manager", "Update", &replicas);
        let after = owners(&json!([entry("isocost", "Apply", &label), hpa]));
        assert!(!after.ours && after.known && after.contested().is_some());
    }
}
