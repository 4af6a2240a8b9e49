//! Replicas of the loop beside each other: who acts begins at once, who stands by passes requests on, and each says
//! whether it does what it is there for.

use std::sync::Arc;
use std::time::Duration;

use isocost_kubernetes::actuate::ActuateOptions;
use isocost_kubernetes::control::{
    Candidate, CycleLog, ElectionOptions, Invoker, Metrics, Stability, routes,
};
use isocost_serve::http::{self, App, Listening, Registry, Settings};
use serde_json::Value;

use crate::stand_in::StandIn;
use crate::stand_in::fleet::{Setup, cluster, controller, cycle, servers, state};
use crate::{SPACE, fleet};

const MINUTE: Duration = Duration::from_secs(60);

fn candidate(stand_in: &StandIn, identity: &str, address: Option<String>) -> Candidate {
    let options = ElectionOptions {
        namespace: "inferno".to_owned(),
        name: "isocost-control".to_owned(),
        identity: identity.to_owned(),
        term: Duration::from_secs(600),
        address,
    };
    Candidate::new(&cluster(stand_in.config(), SPACE, MINUTE), options)
}

/// A replica that listens.
async fn replica(
    stand_in: &StandIn,
    setup: &Setup,
    candidate: Option<Candidate>,
) -> (Arc<Invoker>, Listening) {
    let mut registry = Registry::with_prefix("isocost");
    let metrics = Metrics::new(&mut registry);
    let controller = controller(stand_in, SPACE, setup);
    let log = CycleLog::default();
    let invoker = Invoker::new(controller, "test".to_owned(), candidate, log, metrics, false);
    let invoker = Arc::new(invoker);
    let routes = routes::controller(Arc::clone(&invoker));
    let app = App { routes, open: axum::Router::new(), registry };
    (invoker, http::listen(&Settings::default(), app).await.unwrap())
}

async fn ask(listening: &Listening, path: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("{}{path}", listening.url())).await.unwrap();
    let code = answer.status().as_u16();
    (code, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn who_begins_to_act_runs_a_cycle_at_once() {
    let stand_in = fleet(3).await;
    let own = candidate(&stand_in, "a", None);
    let (invoker, _) = replica(&stand_in, &Setup::default(), Some(own.clone())).await;
    let turns = {
        let invoker = Arc::clone(&invoker);
        tokio::spawn(async move { invoker.every(MINUTE * 60).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(invoker.history().is_empty(), "it stands by");
    let election = tokio::spawn(async move { own.run().await });
    let first = async {
        while invoker.history().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(MINUTE, first).await.expect("a cycle long before the period ends");
    assert_eq!(invoker.history()[0].count("applied"), 3);
    turns.abort();
    election.abort();
}

#[tokio::test]
async fn who_stands_by_passes_requests_on_to_who_acts() {
    let stand_in = fleet(3).await;
    // Its address is known once it listens; the Lease says it from then on.
    let (_, there) = replica(&stand_in, &Setup::default(), None).await;
    let holds = candidate(&stand_in, "a", Some(there.url()));
    holds.ask().await.unwrap();
    let waits = candidate(&stand_in, "b", None);
    waits.ask().await.unwrap();
    assert_eq!(waits.address(), Some(there.url()));
    let (idle, here) = replica(&stand_in, &Setup::default(), Some(waits)).await;
    let (code, record) = ask(&here, "/invoke").await;
    assert_eq!((code, record["applied"].as_array().unwrap().len()), (200, 3));
    let name = &servers(1)[0].0;
    let (code, desired) = ask(&here, &format!("/desired/{SPACE}/{name}")).await;
    assert_eq!((code, &desired["server"]), (200, &Value::from(name.as_str())));
    assert!(idle.history().is_empty());
    // What was passed on once is not passed on again.
    let client = reqwest::Client::new();
    let url = format!("{}/invoke", here.url());
    let twice = client.post(url).header("x-isocost-passed-on", "1").send().await.unwrap();
    assert_eq!(twice.status().as_u16(), 503);
}

#[tokio::test]
async fn the_code_of_an_invocation_says_whether_it_worked_and_so_does_readiness() {
    let stand_in = fleet(3).await;
    let setup = Setup { timeout: Duration::from_secs(5), ..Setup::default() };
    let (invoker, listening) = replica(&stand_in, &setup, None).await;
    assert!(!invoker.is_ready(MINUTE), "no cycle has succeeded yet");
    assert!(invoker.is_ready(Duration::ZERO), "none was asked for");
    stand_in.faults.gone_after(0);
    let (code, record) = ask(&listening, "/invoke").await;
    assert_eq!(code, 502);
    assert!(record["errors"][0].as_str().unwrap().contains("list Deployments"), "{record}");
    assert!(!invoker.is_ready(MINUTE) && !invoker.is_ready(Duration::ZERO));
    // It lists, and every change fails.
    stand_in.faults.gone_after(1);
    let (code, record) = ask(&listening, "/invoke").await;
    assert_eq!((code, record["applied"][0]["outcome"].as_str()), (502, Some("failed")));
    stand_in.faults.mended();
    stand_in.faults.fail_at(3);
    assert_eq!(ask(&listening, "/invoke").await.0, 200, "a part was done");
    assert_eq!(ask(&listening, "/invoke").await.0, 200);
    assert!(invoker.is_ready(MINUTE) && invoker.is_ready(Duration::ZERO));
    assert!(!invoker.is_ready(Duration::from_nanos(1)), "that was more than two periods ago");
}

#[tokio::test]
async fn one_that_stands_by_is_ready_while_it_is_in_touch() {
    let stand_in = fleet(1).await;
    let holds = candidate(&stand_in, "a", None);
    let waits = candidate(&stand_in, "b", None);
    let (invoker, _) = replica(&stand_in, &Setup::default(), Some(waits.clone())).await;
    assert!(!invoker.is_ready(MINUTE), "nothing was heard yet");
    holds.ask().await.unwrap();
    waits.ask().await.unwrap();
    assert!(invoker.is_ready(MINUTE));
}

#[tokio::test]
async fn autoscalers_are_told_what_is_wanted_and_nothing_is_patched() {
    let stand_in = fleet(6).await;
    // Placed before, and busier now.
    cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    let placed = state(&stand_in, SPACE);
    let (name, labels) = &servers(6)[0];
    let rpm: f64 = labels["inferno.server.load.rpm"].as_str().unwrap().parse().unwrap();
    let more = (rpm * 8.0).to_string();
    let body = serde_json::json!({ "metadata": { "labels": { "inferno.server.load.rpm": more } } });
    let someone = crate::stand_in::store::Write { manager: "x", force: false, dry_run: false };
    stand_in.store.lock().unwrap().merge(&crate::id(name), &body, &someone).unwrap();
    let setup = Setup {
        actuate: ActuateOptions { publish: true, ..ActuateOptions::default() },
        stability: Stability { keeps: true, ..Setup::default().stability },
        ..Setup::default()
    };
    let (invoker, listening) = replica(&stand_in, &setup, None).await;
    let record = invoker.invoke().await.unwrap();
    assert_eq!(record.count("published"), record.decided.len());
    assert!(record.decided.iter().any(|d| d.server == *name), "{record:?}");
    assert!(record.decided.iter().all(|d| d.from.accelerator == d.to.accelerator));
    assert_eq!(state(&stand_in, SPACE), placed);
    let wanted = record.decided.iter().find(|d| d.server == *name).unwrap().to.replicas;
    let (_, desired) = ask(&listening, &format!("/desired/{SPACE}/{name}")).await;
    assert_eq!(desired["desired_replicas"], wanted);
    assert_eq!(ask(&listening, "/desired/infer/nobody").await.0, 404);
    let metrics = reqwest::get(format!("{}/metrics", listening.url())).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let line = format!(
        "isocost_control_desired_replicas{{namespace=\"{SPACE}\",deployment=\"{name}\",server=\"{name}\"}} {wanted}"
    );
    assert!(metrics.contains(&line), "{metrics}");
    // Whoever scales them owns the replicas, and is not contested for it.
    let hpa = crate::stand_in::store::Write { manager: "kube-controller-manager", ..someone };
    let body = serde_json::json!({ "spec": { "replicas": wanted } });
    stand_in.store.lock().unwrap().set_scale(&crate::id(name), &body, &hpa).unwrap();
    let record = invoker.invoke().await.unwrap();
    assert!(record.decided.iter().all(|d| d.server != *name), "{:?}", record.decided);
    assert!(record.left_alone.is_empty(), "{:?}", record.left_alone);
}
