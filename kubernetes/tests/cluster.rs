//! What the control loop asks of a Kubernetes API server, asked of whatever `KUBECONFIG` points to, each
//! test in a namespace of its own; without one, of the stand-in beside it. The output says which.

mod stand_in;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use isocost_kubernetes::cluster::{ApplyError, Cluster, FIELD_MANAGER, Intent, Key};
use isocost_kubernetes::control::{Candidate, ElectionOptions};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::runtime::watcher;
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use stand_in::StandIn;
use stand_in::fleet::{cluster, deployment, servers};

/// A namespace on an API server.
struct Place {
    client: Client,
    namespace: String,
    config: Config,
    /// Where it is the stand-in.
    stand_in: Option<StandIn>,
}

impl Place {
    async fn new(test: &str) -> Self {
        let (config, stand_in) = match std::env::var_os("KUBECONFIG") {
            Some(file) => {
                println!("{test}: against the API server of {}", file.display());
                (Config::infer().await.unwrap(), None)
            }
            None => {
                println!("{test}: KUBECONFIG is not set: against the stand-in");
                let stand_in = StandIn::start().await;
                (stand_in.config(), Some(stand_in))
            }
        };
        // The other provider of TLS that is in the tree must not be taken by chance.
        let client = cluster(config.clone(), "default", Duration::from_secs(60)).client();
        let namespace = format!("isocost-{test}-{}", std::process::id());
        let mut object = Namespace::default();
        object.metadata.name = Some(namespace.clone());
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.create(&PostParams::default(), &object).await.unwrap();
        Self { client, namespace, config, stand_in }
    }

    fn api(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn cluster(&self) -> Cluster {
        cluster(self.config.clone(), &self.namespace, Duration::from_secs(60))
    }

    fn key(&self, name: &str) -> Key {
        Key { namespace: self.namespace.clone(), name: name.to_owned() }
    }

    async fn create(&self, name: &str, labels: &Value) -> Deployment {
        let mut object = deployment(name, labels);
        object["spec"]["replicas"] = json!(1);
        let object: Deployment = serde_json::from_value(object).unwrap();
        let params = PostParams { field_manager: Some("kubectl".to_owned()), dry_run: false };
        self.api().create(&params, &object).await.unwrap()
    }

    async fn end(self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }
}

fn replicas(n: u32) -> Intent {
    Intent { replicas: Some(n), ..Intent::default() }
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("no answer of the API server: {other}"),
    }
}

fn uid(deployment: &Deployment) -> &str {
    deployment.metadata.uid.as_deref().unwrap()
}

#[tokio::test]
async fn nonsense_is_refused_with_422() {
    let place = Place::new("nonsense").await;
    place.create("a", &json!({})).await;
    let params = PatchParams::apply("someone").force();
    let body = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "replicas": -1 } });
    let refused = place.api().patch("a", &params, &Patch::Apply(&body)).await.unwrap_err();
    assert_eq!(code(refused), 422);
    let body = json!({ "metadata": { "labels": { "x": "no blanks" } } });
    let params = PatchParams::default();
    let refused = place.api().patch("a", &params, &Patch::Merge(&body)).await.unwrap_err();
    assert_eq!(code(refused), 422);
    place.end().await;
}

#[tokio::test]
async fn a_stale_resource_version_is_refused_with_409() {
    let place = Place::new("stale").await;
    let old = place.create("a", &json!({})).await;
    let params = PatchParams::default();
    let body = json!({ "metadata": { "labels": { "x": "1" } } });
    place.api().patch("a", &params, &Patch::Merge(&body)).await.unwrap();
    let refused = place.api().replace("a", &PostParams::default(), &old).await.unwrap_err();
    assert_eq!(code(refused), 409);
    place.end().await;
}

#[tokio::test]
async fn a_field_of_somebody_else_is_contested_and_force_takes_it() {
    let place = Place::new("contested").await;
    let made = place.create("a", &json!({})).await;
    let (cluster, key, uid) = (place.cluster(), place.key("a"), uid(&made).to_owned());
    let apply = |n: u32, force: bool| {
        let (cluster, key, uid) = (cluster.clone(), key.clone(), uid.clone());
        async move { cluster.apply(&key, &uid, FIELD_MANAGER, force, &replicas(n)).await }
    };
    assert_eq!(apply(1, false).await, Ok(()), "the same value is shared");
    let contested = apply(3, false).await.unwrap_err();
    assert!(
        matches!(&contested, ApplyError::Conflict(why) if why.contains("kubectl")),
        "{contested}"
    );
    assert_eq!(place.api().get("a").await.unwrap().spec.unwrap().replicas, Some(1));
    assert_eq!(apply(3, true).await, Ok(()));
    assert_eq!(apply(4, false).await, Ok(()), "it is ours now");
    let found = place.api().get("a").await.unwrap();
    assert_eq!(found.spec.unwrap().replicas, Some(4));
    let managed = found.metadata.managed_fields.unwrap();
    let ours = managed.iter().find(|f| f.manager.as_deref() == Some(FIELD_MANAGER)).unwrap();
    assert_eq!(ours.operation.as_deref(), Some("Apply"));
    place.end().await;
}

#[tokio::test]
async fn who_creates_owns_the_replicas_that_are_filled_in_and_who_applies_server_side_does_not() {
    let place = Place::new("owners").await;
    let managed = json!({ "inferno.server.managed": "true", "inferno.server.model": "m" });
    let created: Deployment = serde_json::from_value(deployment("created", &managed)).unwrap();
    let params = PostParams { field_manager: Some("kubectl-create".to_owned()), dry_run: false };
    place.api().create(&params, &created).await.unwrap();
    let params = PatchParams::apply("kubectl");
    let applied = Patch::Apply(deployment("applied", &managed));
    place.api().patch("applied", &params, &applied).await.unwrap();
    let listing = place.cluster().list().await.unwrap();
    let owners: Vec<_> = listing.managed.iter().map(|m| (m.key.name.as_str(), &m.owners)).collect();
    let [("applied", free), ("created", owned)] = owners.as_slice() else { panic!("{owners:?}") };
    assert_eq!(free.contested(), None);
    assert_eq!(owned.contested().unwrap(), "its replicas belong to kubectl-create");
    // An applied field is ours from then on, and an autoscaler's once it sets it.
    let (cluster, key) = (place.cluster(), place.key("applied"));
    let uid = listing.managed[0].uid.clone();
    cluster.apply(&key, &uid, FIELD_MANAGER, false, &replicas(2)).await.unwrap();
    assert!(place.cluster().list().await.unwrap().managed[0].owners.ours);
    let body = Patch::Merge(json!({ "spec": { "replicas": 5 } }));
    let params = PatchParams { field_manager: Some("hpa".to_owned()), ..PatchParams::default() };
    place.api().patch_scale("applied", &params, &body).await.unwrap();
    let owners = &place.cluster().list().await.unwrap().managed[0].owners;
    assert_eq!(owners.contested().unwrap(), "its replicas belong to hpa");
    place.end().await;
}

#[tokio::test]
async fn what_a_manager_no_longer_names_goes() {
    let place = Place::new("named").await;
    let made = place.create("a", &json!({ "kept": "yes" })).await;
    let mut intent = Intent::default();
    intent.labels.insert("x".to_owned(), "1".to_owned());
    intent.labels.insert("y".to_owned(), "2".to_owned());
    let (cluster, key) = (place.cluster(), place.key("a"));
    cluster.apply(&key, uid(&made), "someone", false, &intent).await.unwrap();
    intent.labels.remove("x");
    cluster.apply(&key, uid(&made), "someone", false, &intent).await.unwrap();
    let labels = place.api().get("a").await.unwrap().metadata.labels.unwrap();
    let expected = [("kept", "yes"), ("y", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(labels, expected.into());
    place.end().await;
}

#[tokio::test]
async fn a_deployment_that_vanished_is_not_made_anew_nor_taken_for_its_successor() {
    let place = Place::new("vanished").await;
    let made = place.create("a", &json!({})).await;
    place.api().delete("a", &DeleteParams::background()).await.unwrap();
    let (cluster, key) = (place.cluster(), place.key("a"));
    let gone = cluster.apply(&key, uid(&made), FIELD_MANAGER, true, &replicas(2)).await;
    assert_eq!(gone, Err(ApplyError::Vanished));
    assert!(place.api().get_opt("a").await.unwrap().is_none());
    place.create("a", &json!({})).await;
    let another = cluster.apply(&key, uid(&made), FIELD_MANAGER, true, &replicas(2)).await;
    assert_eq!(another, Err(ApplyError::Vanished));
    assert_eq!(place.api().get("a").await.unwrap().spec.unwrap().replicas, Some(1));
    place.end().await;
}

#[tokio::test]
async fn scale_and_status_are_subresources() {
    let place = Place::new("scale").await;
    place.create("a", &json!({})).await;
    let scale = place.api().get_scale("a").await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
    let body = Patch::Merge(json!({ "spec": { "replicas": 5 } }));
    place.api().patch_scale("a", &PatchParams::default(), &body).await.unwrap();
    assert_eq!(place.api().get("a").await.unwrap().spec.unwrap().replicas, Some(5));
    let status = json!({ "status": { "observedGeneration": 1 }, "spec": { "replicas": 9 } });
    let params = PatchParams::default();
    place.api().patch_status("a", &params, &Patch::Merge(&status)).await.unwrap();
    let found = place.api().get("a").await.unwrap();
    assert_eq!(found.spec.unwrap().replicas, Some(5), "the status is all that it sets");
    place.end().await;
}

#[tokio::test]
async fn managed_deployments_are_listed_page_by_page() {
    let place = Place::new("pages").await;
    for (name, labels) in servers(5) {
        place.create(&name, &labels).await;
    }
    place.create("stranger", &json!({ "inferno.server.managed": "false" })).await;
    place.create("odd", &json!({ "inferno.server.managed": "true" })).await;
    let mut names = Vec::new();
    let mut page = ListParams::default().labels("inferno.server.managed=true").limit(2);
    loop {
        let list = place.api().list(&page).await.unwrap();
        assert!(list.items.len() <= 2);
        names.extend(list.items.into_iter().filter_map(|d| d.metadata.name));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(names.len(), 6, "{names:?}");
    let listing = place.cluster().list().await.unwrap();
    assert_eq!(listing.managed.len(), 5);
    assert_eq!(listing.rejected.len(), 1);
    assert!(listing.rejected[0].problems[0].to_string().contains("inferno.server.model"));
    // A token that ran out; only the stand-in forgets when it is told to.
    if let Some(stand_in) = &place.stand_in {
        let first = ListParams::default().limit(2);
        let token = place.api().list(&first).await.unwrap().metadata.continue_.unwrap();
        place.create("later", &json!({})).await;
        stand_in.store.lock().unwrap().forget();
        let expired = place.api().list(&first.continue_token(&token)).await.unwrap_err();
        assert_eq!(code(expired), 410);
    }
    place.end().await;
}

#[tokio::test]
async fn a_watch_tells_what_happens_and_starts_anew_where_it_is_too_old() {
    let place = Place::new("watch").await;
    place.create("a", &json!({})).await;
    let version = place.api().list(&ListParams::default()).await.unwrap().metadata;
    let version = version.resource_version.unwrap();
    let params = WatchParams::default().timeout(60);
    let mut events = place.api().watch(&params, &version).await.unwrap().boxed();
    let body = json!({ "metadata": { "labels": { "x": "1" } } });
    place.api().patch("a", &PatchParams::default(), &Patch::Merge(&body)).await.unwrap();
    place.api().delete("a", &DeleteParams::background()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            WatchEvent::Modified(_) => seen.push("modified"),
            WatchEvent::Deleted(_) => {
                seen.push("deleted");
                break;
            }
            _ => {}
        }
    }
    assert_eq!((seen.first(), seen.last()), (Some(&"modified"), Some(&"deleted")));

    let Some(stand_in) = place.stand_in.clone() else { return place.end().await };
    place.create("b", &json!({})).await;
    let mut events = watcher(place.api(), watcher::Config::default()).boxed();
    let mut lists = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::InitDone) if lists == 0 => {
                lists += 1;
                let mut store = stand_in.store.lock().unwrap();
                let write = stand_in::store::Write { manager: "x", force: false, dry_run: false };
                let made = deployment("c", &json!({}));
                store.create("deployments", &place.namespace, made, &write).unwrap();
                store.forget();
            }
            Ok(watcher::Event::InitDone) => break,
            Ok(_) => {}
            Err(error) => assert!(error.to_string().contains("too old"), "{error}"),
        }
    }
    place.end().await;
}

fn candidate(place: &Place, identity: &str, term: Duration) -> Candidate {
    let options = ElectionOptions {
        namespace: place.namespace.clone(),
        name: "isocost-control".to_owned(),
        identity: identity.to_owned(),
        term,
        address: None,
    };
    Candidate::new(&place.cluster(), options)
}

#[tokio::test]
async fn one_of_two_holds_the_lease_and_gives_it_back() {
    let place = Place::new("lease").await;
    let term = Duration::from_secs(600);
    let (a, b) = (candidate(&place, "a", term), candidate(&place, "b", term));
    a.ask().await.unwrap();
    b.ask().await.unwrap();
    assert!(a.is_leader() && !b.is_leader());
    assert_eq!(b.holder().as_deref(), Some("a"));
    a.ask().await.unwrap();
    assert!(a.is_leader(), "renewed");
    a.release().await;
    b.ask().await.unwrap();
    assert!(!a.is_leader() && b.is_leader());
    a.ask().await.unwrap();
    assert!(!a.is_leader());
    place.end().await;
}

#[tokio::test]
async fn a_lease_is_taken_over_by_our_own_clock_whatever_it_says_of_time() {
    for (test, renewed) in
        [("past", "1970-01-01T00:00:00.000000Z"), ("future", "2199-01-01T00:00:00.000000Z")]
    {
        let place = Place::new(test).await;
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "isocost-control" },
            "spec": { "holderIdentity": "dead", "leaseDurationSeconds": 1, "renewTime": renewed },
        });
        let leases: Api<k8s_openapi::api::coordination::v1::Lease> =
            Api::namespaced(place.client.clone(), &place.namespace);
        let lease = serde_json::from_value(lease).unwrap();
        leases.create(&PostParams::default(), &lease).await.unwrap();
        let heir = candidate(&place, "heir", Duration::from_secs(600));
        heir.ask().await.unwrap();
        assert!(!heir.is_leader(), "it was seen for no time yet");
        while !heir.is_leader() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            heir.ask().await.unwrap();
        }
        place.end().await;
    }
}
