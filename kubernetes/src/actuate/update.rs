//! Changes from the allocations that a controller sends.

use std::collections::BTreeMap;

use super::{Allocation, Change, Marks};
use crate::cluster::{Key, LabelLoad, Managed};
use crate::collect::wire::ServerActuatorInfo;

/// An allocation that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Nobody says which Deployment the server is.
    #[error("server `{0}`: kube-resources does not name its Deployment")]
    NoDeployment(String),
    /// There is no such Deployment that is managed.
    #[error("server `{server}`: there is no managed Deployment {key}")]
    Gone {
        /// Server.
        server: String,
        /// Its Deployment.
        key: Key,
    },
}

/// The changes that bring `current` to what is asked for; Deployments that are there already are left
/// out. What cannot be done is told apart: it holds nothing else up.
pub fn changes_of(
    info: &ServerActuatorInfo,
    current: &[Managed],
) -> (Vec<Change>, Vec<UpdateError>) {
    let known: BTreeMap<&Key, &Managed> = current.iter().map(|m| (&m.key, m)).collect();
    let (mut changes, mut errors) = (Vec::new(), Vec::new());
    for (server, wanted) in &info.allocations {
        let Some(kube) = info.kube_resources.get(server) else {
            errors.push(UpdateError::NoDeployment(server.clone()));
            continue;
        };
        let key = Key { namespace: kube.space.clone(), name: kube.name.clone() };
        let Some(managed) = known.get(&key) else {
            errors.push(UpdateError::Gone { server: server.clone(), key });
            continue;
        };
        let from = Allocation::from(*managed);
        let to = Allocation {
            accelerator: Some(wanted.accelerator.clone())
                .filter(|a| !a.is_empty())
                .or_else(|| from.accelerator.clone()),
            replicas: wanted.num_replicas,
            max_batch: Some(wanted.max_batch).filter(|b| *b > 0).or(from.max_batch),
        };
        if from == to {
            continue;
        }
        let load = LabelLoad::from(wanted.load);
        changes.push(Change {
            server: server.clone(),
            key,
            // The one that was decided for, where the sender says so.
            uid: if kube.uid.is_empty() { managed.uid.clone() } else { kube.uid.clone() },
            from,
            to,
            reason: "asked for".to_owned(),
            planned_for: (load.rpm > 0.0).then_some(load).or(managed.planned),
            frees: None,
            takes: None,
            marks: Marks::from(*managed),
        });
    }
    (changes, errors)
}
