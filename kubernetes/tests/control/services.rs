//! The loop as a service: on demand, by the Lease, to the end of the process, and in parts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use isocost_kubernetes::actuate::{ActuateOptions, Actuator};
use isocost_kubernetes::collect::Collector;
use isocost_kubernetes::control::{
    Actuate, Candidate, Collect, Controller, CycleLog, ElectionOptions, Invoker, Metrics, NotNow,
    Optimizer, Parts, Record, Service, planner_options, routes,
};
use isocost_model::candidates::SizingOptions;
use isocost_serve::http::{self, App, Registry, Settings};
use serde_json::Value;

use crate::optimizer::remote;
use crate::stand_in::fleet::{Setup, cluster, controller, cycle, parts, servers, state};
use crate::{SPACE, fleet, undisturbed};

fn invoker(
    controller: Arc<Controller>,
    candidate: Option<Candidate>,
    log: CycleLog,
) -> Arc<Invoker> {
    let metrics = Metrics::new(&mut Registry::default());
    Arc::new(Invoker::new(controller, "test".to_owned(), candidate, log, metrics, false))
}

#[tokio::test]
async fn a_second_invocation_waits_for_the_first_and_gets_its_cycle() {
    let stand_in = fleet(6).await;
    stand_in.faults.slow(Duration::from_millis(50));
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let log = tempfile::NamedTempFile::new().unwrap();
    let invoker = invoker(controller, None, CycleLog::new(Some(log.path().to_owned())));
    let (a, b) = tokio::join!(invoker.invoke(), invoker.invoke());
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(Arc::ptr_eq(&a, &b));
    assert_eq!(invoker.invoke().await.unwrap().cycle, 2);
    let lines = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for key in ["time", "seconds", "observed", "decided", "applied", "cost", "gap", "errors"] {
        assert!(lines[0].get(key).is_some(), "{key}");
    }
    assert_eq!(lines[0]["applied"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn the_end_of_the_process_waits_for_changes_that_were_begun() {
    let stand_in = fleet(12).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let invoker = invoker(controller, None, CycleLog::default());
    stand_in.faults.slow(Duration::from_millis(150));
    let running = tokio::spawn({
        let invoker = Arc::clone(&invoker);
        async move { invoker.invoke().await }
    });
    // As soon as the first change is on its way.
    while stand_in.faults.patches.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    invoker.drain().await;
    let record = running.await.unwrap().unwrap();
    assert_eq!(record.count("applied"), 12);
    assert_eq!(invoker.invoke().await, Err(NotNow::Stopping));
}

#[tokio::test]
async fn who_does_not_hold_the_lease_does_not_act() {
    let stand_in = fleet(3).await;
    let candidate = |identity: &str| {
        let options = ElectionOptions {
            namespace: "inferno".to_owned(),
            name: "isocost-control".to_owned(),
            identity: identity.to_owned(),
            term: Duration::from_secs(600),
            address: None,
        };
        Candidate::new(&cluster(stand_in.config(), SPACE, Duration::from_secs(60)), options)
    };
    let (winner, loser) = (candidate("a"), candidate("b"));
    winner.ask().await.unwrap();
    loser.ask().await.unwrap();
    let made = |candidate: &Candidate| {
        let controller = controller(&stand_in, SPACE, &Setup::default());
        invoker(controller, Some(candidate.clone()), CycleLog::default())
    };
    let (winner_runs, loser_runs) = (made(&winner), made(&loser));
    assert_eq!(loser_runs.invoke().await, Err(NotNow::NotLeader(Some("a".to_owned()))));
    assert_eq!(stand_in.faults.patches.load(Ordering::SeqCst), 0);
    assert_eq!(winner_runs.invoke().await.unwrap().count("applied"), 3);
    winner.release().await;
    loser.ask().await.unwrap();
    assert_eq!(loser_runs.invoke().await.unwrap().decided, vec![]);
    assert!(matches!(winner_runs.invoke().await, Err(NotNow::NotLeader(_))));
}

#[tokio::test]
async fn a_leader_that_is_deposed_makes_no_further_change() {
    let stand_in = fleet(6).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let go_on = || asked.fetch_add(1, Ordering::SeqCst) < 2;
    let record = controller.cycle(Record::begin(1, "test", false), go_on).await;
    assert_eq!((record.count("applied"), record.count("stopped")), (2, 4));
    cycle(&controller).await;
    assert_eq!(state(&stand_in, SPACE), undisturbed(6).await);
}

async fn listen(routes: axum::Router) -> http::Listening {
    let app = App { routes, open: axum::Router::new(), registry: Registry::default() };
    http::listen(&Settings::default(), app).await.unwrap()
}

#[tokio::test]
async fn collector_optimizer_and_actuator_may_be_services_of_their_own() {
    let stand_in = fleet(6).await;
    let cluster = cluster(stand_in.config(), SPACE, Duration::from_secs(60));
    let collect = listen(routes::collector(Collector::new(cluster.clone(), None))).await;
    let actuator = Actuator::new(cluster.clone(), ActuateOptions::default());
    let actuate = listen(routes::actuator(cluster, actuator)).await;
    let backend = isocost_solver::default_backend().unwrap();
    let app = isocost_serve::app(planner_options(SizingOptions::default(), 1e-4), backend, false);
    let optimize = http::listen(&Settings::default(), app).await.unwrap();

    let collected: Value = get(&format!("{}/collect", collect.url())).await;
    assert_eq!(collected["servers"].as_array().unwrap().len(), 6);
    assert_eq!(collected["kube-resources"].as_object().unwrap().len(), 6);
    let minute = Duration::from_secs(60);
    let remote = Parts {
        collect: Collect::Remote(Service::new(&collect.url(), minute).unwrap()),
        optimizer: Optimizer::Remote(remote(&optimize.url())),
        actuate: Actuate::Remote(Service::new(&actuate.url(), minute).unwrap()),
        ..parts(stand_in.config(), SPACE, &Setup::default())
    };
    let controller = Arc::new(Controller::new(remote).unwrap());
    let record = cycle(&controller).await;
    assert_eq!(record.errors, Vec::<String>::new());
    assert_eq!(record.count("applied"), 6);
    assert_eq!(state(&stand_in, SPACE), undisturbed(6).await);
    let second = cycle(&controller).await;
    assert_eq!((second.errors, second.decided), (vec![], vec![]));
}

async fn get(url: &str) -> Value {
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_controller_answers_over_http_and_has_a_page() {
    let stand_in = fleet(3).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let invoker = invoker(controller, None, CycleLog::default());
    let listening = listen(routes::controller(Arc::clone(&invoker))).await;
    let url = listening.url();
    let invoked = get(&format!("{url}/invoke")).await;
    assert_eq!(invoked["applied"].as_array().unwrap().len(), 3);
    assert_eq!(get(&format!("{url}/cycles")).await.as_array().unwrap().len(), 1);
    let page = reqwest::get(&url).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("Servers in cycle 1") && html.contains(&servers(1)[0].0));
    assert!(reqwest::get(format!("{url}/style.css")).await.unwrap().status().is_success());
    assert!(reqwest::get(format!("{url}/metrics")).await.unwrap().status().is_success());
}
