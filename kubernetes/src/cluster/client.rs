//! The connection to the API server, and what is listed over it.

use std::time::Duration;

use axum::http::Request;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{ListParams, ObjectList};
use kube::client::{Body, ClientBuilder};
use kube::{Api, Client, Config, Resource};
use serde::de::DeserializeOwned;
use tower::util::MapRequestLayer;

use super::apply::describe;
use super::deployment::{Key, LabelProblem, Managed};
use super::token::TokenFile;
use crate::labels;

/// Objects of one page of a list.
const PAGE: u32 = 500;
/// Times that a list starts anew whose continue token ran out.
const RESTARTS: usize = 3;

/// How the API server is reached.
#[derive(Debug, Clone)]
pub struct Access {
    /// Namespace whose Deployments are managed; all of them where there is none.
    pub namespace: Option<String>,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self { namespace: None, timeout: Duration::from_secs(10) }
    }
}

/// A cluster that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// There is no way to reach one.
    #[error("no cluster: {0}; set KUBECONFIG, or run as a pod with a service account")]
    Access(String),
    /// It does not know us.
    #[error(
        "cannot {what}: the API server does not accept the credentials: {message}; the token has expired or \
         is wrong: renew it"
    )]
    Unauthorised {
        /// What was asked.
        what: &'static str,
        /// What the API server says.
        message: String,
    },
    /// It does not let us.
    #[error("may not {what}: {message}; grant it, as the chapter on control lists")]
    Forbidden {
        /// What was asked.
        what: &'static str,
        /// What the API server says.
        message: String,
    },
    /// It did not answer.
    #[error("cannot {what}: {message}")]
    Unreachable {
        /// What was asked.
        what: &'static str,
        /// What went wrong.
        message: String,
    },
}

/// The managed Deployments, and those whose labels make no sense.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// In the order of namespace and name.
    pub managed: Vec<Managed>,
    /// Left alone, with what is wrong.
    pub rejected: Vec<Rejected>,
}

/// A Deployment that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where it is found.
    pub key: Key,
    /// What is wrong with it.
    pub problems: Vec<LabelProblem>,
}

/// A connection to a cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: Option<String>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects as `KUBECONFIG`, `~/.kube/config` or the pod's service account say.
    ///
    /// # Errors
    /// [`ClusterError::Access`] where none of them does.
    pub async fn connect(access: &Access) -> Result<Self, ClusterError> {
        let config = Config::infer().await;
        let config = config.map_err(|e| ClusterError::Access(describe(&e)))?;
        Self::with_config(config, access)
    }

    /// Connects as `config` says.
    ///
    /// # Errors
    /// [`ClusterError::Access`] where it cannot be used.
    pub fn with_config(mut config: Config, access: &Access) -> Result<Self, ClusterError> {
        // A second provider cannot be installed; the first is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        config.connect_timeout = Some(access.timeout);
        config.read_timeout = Some(access.timeout);
        config.write_timeout = Some(access.timeout);
        config.reset_reader_on_write = true;
        let inline = config.auth_info.token.is_some();
        let token_file = config.auth_info.token_file.take().filter(|_| !inline);
        let failed = |e: kube::Error| ClusterError::Access(describe(&e));
        let builder = ClientBuilder::try_from(config).map_err(failed)?;
        let client = match token_file {
            None => builder.build(),
            Some(file) => {
                let token = TokenFile::new(file.into());
                let signed = move |request: Request<Body>| token.sign(request);
                builder.with_layer(&MapRequestLayer::new(signed)).build()
            }
        };
        Ok(Self { client, namespace: access.namespace.clone() })
    }

    /// The client under it.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The managed Deployments. An object that comes twice, as a list that starts anew may bring it,
    /// is kept once.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn list(&self) -> Result<Listing, ClusterError> {
        let api: Api<Deployment> = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client(), namespace),
            None => Api::all(self.client()),
        };
        let managed = ListParams::default().labels(&format!("{}=true", labels::MANAGED));
        let deployments = pages(&api, &managed, "list Deployments").await?;
        let mut listing = Listing::default();
        for deployment in &deployments {
            match Managed::read(deployment) {
                Ok(managed) => listing.managed.push(managed),
                Err(problems) => {
                    let metadata = &deployment.metadata;
                    let key = Key {
                        namespace: metadata.namespace.clone().unwrap_or_default(),
                        name: metadata.name.clone().unwrap_or_default(),
                    };
                    listing.rejected.push(Rejected { key, problems });
                }
            }
        }
        listing.managed.sort_by(|a, b| a.key.cmp(&b.key));
        listing.rejected.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listing)
    }
}

/// All objects of a list, page by page.
pub(crate) async fn pages<K>(
    api: &Api<K>,
    params: &ListParams,
    what: &'static str,
) -> Result<Vec<K>, ClusterError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug + Resource,
{
    let mut objects: Vec<K> = Vec::new();
    let mut restarts = 0;
    let mut token: Option<String> = None;
    loop {
        let mut page = params.clone().limit(PAGE);
        page.continue_token.clone_from(&token);
        let list: ObjectList<K> = match api.list(&page).await {
            Ok(list) => list,
            // The token ran out: what was read belongs to a state that is no longer kept.
            Err(kube::Error::Api(status)) if status.code == 410 && restarts < RESTARTS => {
                restarts += 1;
                token = None;
                objects.clear();
                continue;
            }
            Err(error) => return Err(failed(what, &error)),
        };
        objects.extend(list.items);
        token = list.metadata.continue_.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(objects);
        }
    }
}

fn failed(what: &'static str, error: &kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code == 401 => {
            ClusterError::Unauthorised { what, message: status.message.clone() }
        }
        kube::Error::Api(status) if status.code == 403 => {
            ClusterError::Forbidden { what, message: status.message.clone() }
        }
        other => ClusterError::Unreachable { what, message: describe(other) },
    }
}
