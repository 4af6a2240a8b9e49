//! What a manager wants of a Deployment, applied server-side.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::client::Cluster;
use super::deployment::Key;

/// Everything that a manager owns of a Deployment. What it named before and does not name now is
/// taken away, as server-side apply has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// `spec.replicas`.
    pub replicas: Option<u32>,
    /// Labels of the Deployment itself; its pods keep theirs, so that no label restarts them.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Deployment itself.
    pub annotations: BTreeMap<String, String>,
    /// Node selector of the pod template: a change of it moves the pods.
    pub node_selector: BTreeMap<String, String>,
}

/// Why a Deployment was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Somebody else owns a field that we set to another value.
    #[error("contested: {0}; the next cycle tries again, --force-conflicts takes the field over")]
    Conflict(String),
    /// It is gone, or was made anew since it was read.
    #[error("the Deployment is gone, or was made anew since it was read")]
    Vanished,
    /// The API server does not know us.
    #[error(
        "the API server does not accept the credentials: {0}; the token has expired or is wrong: renew it"
    )]
    Unauthorised(String),
    /// The API server will not have it.
    #[error("refused: {0}")]
    Refused(String),
    /// No answer, or a failure of the API server.
    #[error("no answer: {0}; the next cycle tries again")]
    Unreachable(String),
    /// A remote actuator's answer that makes no sense.
    #[error("the actuator's answer cannot be used: {0}; the next cycle tries again")]
    Answer(String),
}

impl Intent {
    /// The configuration that is applied. The uid sees to it that a Deployment that vanished is not
    /// made anew, nor its successor changed by what was decided for it.
    fn body(&self, key: &Key, uid: &str) -> Value {
        let mut metadata = json!({ "name": key.name, "namespace": key.namespace, "uid": uid });
        if !self.labels.is_empty() {
            metadata["labels"] = json!(self.labels);
        }
        if !self.annotations.is_empty() {
            metadata["annotations"] = json!(self.annotations);
        }
        let mut body =
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata });
        if let Some(replicas) = self.replicas {
            body["spec"]["replicas"] = json!(replicas);
        }
        if !self.node_selector.is_empty() {
            body["spec"]["template"]["spec"]["nodeSelector"] = json!(self.node_selector);
        }
        body
    }
}

impl Cluster {
    /// Applies `intent` as `manager`; with `force` it takes over what others own.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was changed then.
    pub async fn apply(
        &self,
        key: &Key,
        uid: &str,
        manager: &str,
        force: bool,
        intent: &Intent,
    ) -> Result<(), ApplyError> {
        let api: Api<Deployment> = Api::namespaced(self.client(), &key.namespace);
        let params = PatchParams { force, ..PatchParams::apply(manager) };
        let body = intent.body(key, uid);
        // The metadata alone comes back: nobody needs the pod template here.
        let done = api.patch_metadata(&key.name, &params, &Patch::Apply(&body)).await;
        done.map(|_| ()).map_err(|error| classify(&error))
    }
}

fn classify(error: &kube::Error) -> ApplyError {
    let kube::Error::Api(status) = error else {
        return ApplyError::Unreachable(describe(error));
    };
    let message = one_line(&status.message);
    // How the API server words it: "uid mismatch: ... no existing object was found" for one that is
    // gone, "Precondition failed: UID in precondition" for one made anew.
    // A later server checks the object that would result, and finds that its uid may not change.
    let another = message.contains("uid mismatch") || message.contains("UID in precondition");
    let another = another || status.code == 422 && message.contains("metadata.uid");
    match status.code {
        404 => ApplyError::Vanished,
        409 | 422 if another => ApplyError::Vanished,
        401 => ApplyError::Unauthorised(message),
        409 => ApplyError::Conflict(message),
        429 => ApplyError::Unreachable(message),
        400..=499 => ApplyError::Refused(message),
        _ => ApplyError::Unreachable(message),
    }
}

/// An error with what caused it, on one line.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    one_line(&text)
}

/// A text without line breaks and other characters that a line cannot hold.
pub fn one_line(text: &str) -> String {
    let words = text.split(char::is_control).map(str::trim);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn an_intent_names_what_it_owns_and_no_more() {
        let key = Key { namespace: "n".to_owned(), name: "d".to_owned() };
        let intent = Intent {
            replicas: Some(3),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            ..Intent::default()
        };
        let expected = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "d", "namespace": "n", "uid": "u", "labels": { "a": "b" } },
            "spec": { "replicas": 3 },
        });
        assert_eq!(intent.body(&key, "u"), expected);
    }

    #[test]
    fn answers_are_told_apart() {
        let of = |code, message: &str| {
            let status = Status::failure(message, "").with_code(code);
            classify(&kube::Error::Api(status.boxed()))
        };
        assert_eq!(of(404, "not found"), ApplyError::Vanished);
        assert_eq!(of(409, "uid mismatch: no existing object was found"), ApplyError::Vanished);
        assert!(matches!(of(409, "conflict with \"kubectl\""), ApplyError::Conflict(_)));
        let uid = "Deployment \"a\" is invalid: metadata.uid: Invalid value: field is immutable";
        assert_eq!(of(422, uid), ApplyError::Vanished);
        assert!(matches!(of(401, "Unauthorized"), ApplyError::Unauthorised(_)));
        let rows = "conflicts with \"a\":\n- .spec.replicas\n\u{1b}[31m";
        let told = ApplyError::Conflict("conflicts with \"a\": - .spec.replicas [31m".to_owned());
        assert_eq!(of(409, rows), told);
        assert!(matches!(of(422, "invalid"), ApplyError::Refused(_)));
        assert!(matches!(of(403, "forbidden"), ApplyError::Refused(_)));
        assert!(matches!(of(500, "oops"), ApplyError::Unreachable(_)));
        assert!(matches!(of(429, "slow down"), ApplyError::Unreachable(_)));
    }
}
