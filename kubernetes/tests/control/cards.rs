//! Card counts that collapse: a file that is rewritten, nodes that are not ready, or report no cards.

use std::path::Path;
use std::sync::Arc;

use isocost_kubernetes::actuate::{
    ActuateOptions, Actuator, Allocation, Change, Ledger, Marks, Outcome, Use,
};
use isocost_kubernetes::cluster::{Cards, Key};
use isocost_kubernetes::control::{CycleLog, Invoker, Metrics, routes};
use isocost_serve::http::{self, App, Registry, Settings};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::stand_in::fleet::{Setup, cluster, controller, cycle, data, servers, state};
use crate::stand_in::store::{Id, Write};
use crate::{SPACE, fleet};

const KUBELET: Write<'static> = Write { manager: "kubelet", force: false, dry_run: false };

fn copied() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

fn count(dir: &Path, text: &str) {
    std::fs::write(dir.join("capacity-data.json"), text).unwrap();
}

/// The counts of the example with each multiplied by a share.
fn shrunken(share: f64) -> String {
    let text = std::fs::read_to_string(data().join("capacity-data.json")).unwrap();
    let mut counts: Value = serde_json::from_str(&text).unwrap();
    for row in counts["count"].as_array_mut().unwrap() {
        row["count"] = json!((row["count"].as_f64().unwrap() * share) as u64);
    }
    counts.to_string()
}

/// Says that every replica is ready, as the Deployments' controller does.
fn all_ready(stand_in: &StandIn) {
    let mut store = stand_in.store.lock().unwrap();
    for (at, mut object) in store.list("deployments", Some(SPACE)) {
        object["status"] = json!({ "readyReplicas": object["spec"]["replicas"] });
        store.set_status(&at, &object, &KUBELET).unwrap();
    }
}

#[tokio::test]
async fn a_capacity_file_that_empties_or_goes_changes_nothing_and_it_is_said() {
    for ready in [true, false] {
        let stand_in = fleet(27).await;
        let dir = copied();
        let controller = controller(
            &stand_in,
            SPACE,
            &Setup { data: dir.path().to_owned(), ..Setup::default() },
        );
        assert_eq!(cycle(&controller).await.count("applied"), 27);
        if ready {
            all_ready(&stand_in);
        }
        let placed = state(&stand_in, SPACE);
        for emptied in [r#"{"count":[]}"#, "[]", &shrunken(0.0), &shrunken(0.2)] {
            count(dir.path(), emptied);
            let record = cycle(&controller).await;
            assert_eq!(record.errors, Vec::<String>::new());
            assert_eq!((record.decided.len(), record.observed.len()), (0, 27), "{emptied}");
            assert!(!record.warnings.is_empty() && !record.in_doubt.is_empty(), "{emptied}");
            assert!(record.left_alone.len() >= 27, "each is told why: {:?}", record.left_alone);
            assert_eq!(state(&stand_in, SPACE), placed, "{emptied}");
        }
        for broken in
            ["", "{", "{}", r#"{"count": 5}"#, r#"{"count": [{"type": "L4", "count": -3}]}"#]
        {
            count(dir.path(), broken);
            let record = cycle(&controller).await;
            assert!(
                record.errors[0].contains("nothing is changed"),
                "{broken}: {:?}",
                record.errors
            );
            assert_eq!(state(&stand_in, SPACE), placed, "{broken}");
        }
        std::fs::remove_file(dir.path().join("capacity-data.json")).unwrap();
        let record = cycle(&controller).await;
        assert!(
            record.errors[0].contains("there is no capacity-data.json any more"),
            "{:?}",
            record.errors
        );
        assert_eq!(state(&stand_in, SPACE), placed);
        count(dir.path(), &shrunken(1.0));
        let record = cycle(&controller).await;
        let nothing = (
            record.decided.len(),
            record.warnings.len(),
            record.in_doubt.len(),
            record.errors.len(),
        );
        assert_eq!(nothing, (0, 0, 0, 0), "{:?} {:?}", record.warnings, record.decided);
    }
}

#[tokio::test]
async fn a_type_without_an_entry_holds_its_servers_and_no_others() {
    let stand_in = fleet(27).await;
    let dir = copied();
    let setup = Setup { data: dir.path().to_owned(), ..Setup::default() };
    let controller = controller(&stand_in, SPACE, &setup);
    cycle(&controller).await;
    let placed = state(&stand_in, SPACE);
    let on = placed.iter().find(|row| row.2 == "L4").expect("some run on L4");
    let other = placed.iter().find(|row| !row.2.contains("L4")).expect("some do not");
    let mut counts: Value = serde_json::from_str(&shrunken(4.0)).unwrap();
    counts["count"].as_array_mut().unwrap().retain(|row| row["type"] != "L4");
    count(dir.path(), &counts.to_string());
    for (name, ..) in [on, other] {
        let at = ("deployments".to_owned(), SPACE.to_owned(), name.clone());
        let mut store = stand_in.store.lock().unwrap();
        let rpm = &store.get("deployments", SPACE, name).unwrap()["metadata"]["labels"]["inferno.server.load.rpm"];
        let more = rpm.as_str().unwrap().parse::<f64>().unwrap() * 3.0;
        let labels =
            json!({ "metadata": { "labels": { "inferno.server.load.rpm": more.to_string() } } });
        store
            .merge(&at, &labels, &Write { manager: "someone", force: false, dry_run: false })
            .unwrap();
    }
    let record = cycle(&controller).await;
    assert_eq!(record.in_doubt, ["L4"]);
    let decided: Vec<&str> = record.decided.iter().map(|d| d.server.as_str()).collect();
    assert!(
        decided.contains(&other.0.as_str()) && !decided.contains(&on.0.as_str()),
        "{decided:?}"
    );
    let held = record.left_alone.iter().find(|left| left.name == on.0).expect("it is told");
    assert!(held.reason.contains("no entry for L4"), "{}", held.reason);
}

fn node(name: &str, product: &str, cards: u32) -> Value {
    json!({
        "metadata": { "name": name, "labels": { "nvidia.com/gpu.product": product } },
        "status": {
            "allocatable": { "nvidia.com/gpu": cards.to_string() },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    })
}

#[tokio::test]
async fn nodes_that_are_not_ready_or_report_no_cards_or_are_gone_change_nothing() {
    let node_at = |name: &str| -> Id { ("nodes".to_owned(), String::new(), name.to_owned()) };
    for ready in [true, false] {
        let stand_in = fleet(27).await;
        let nodes = [("n1", "H100", 64), ("n2", "L4", 24), ("n3", "A100-80GB", 12)];
        for (name, product, cards) in nodes {
            let object = node(name, product, cards);
            stand_in.store.lock().unwrap().create("nodes", "", object, &KUBELET).unwrap();
        }
        let controller =
            controller(&stand_in, SPACE, &Setup { count_nodes: true, ..Setup::default() });
        assert_eq!(cycle(&controller).await.count("applied"), 27);
        if ready {
            all_ready(&stand_in);
        }
        let placed = state(&stand_in, SPACE);
        let unknown = json!([{ "type": "Ready", "status": "Unknown" }]);
        for fault in ["unknown", "no cards", "gone"] {
            for (name, product, cards) in nodes {
                let mut store = stand_in.store.lock().unwrap();
                let mut object = node(name, product, if fault == "no cards" { 0 } else { cards });
                if fault == "unknown" {
                    object["status"]["conditions"] = unknown.clone();
                }
                match fault {
                    "gone" => drop(store.delete(&node_at(name)).unwrap()),
                    _ => drop(store.set_status(&node_at(name), &object, &KUBELET).unwrap()),
                }
            }
            let record = cycle(&controller).await;
            assert_eq!(record.errors, Vec::<String>::new());
            assert_eq!(record.decided, vec![], "{fault}");
            assert!(!record.warnings.is_empty() && !record.in_doubt.is_empty(), "{fault}");
            assert_eq!(state(&stand_in, SPACE), placed, "{fault}");
        }
    }
}

#[tokio::test]
async fn page_metrics_and_log_say_that_counts_are_in_doubt() {
    let stand_in = fleet(3).await;
    let dir = copied();
    let setup = Setup { data: dir.path().to_owned(), ..Setup::default() };
    let controller = controller(&stand_in, SPACE, &setup);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut registry = Registry::with_prefix("isocost");
    let metrics = Metrics::new(&mut registry);
    let log_file = CycleLog::new(Some(log.path().to_owned()));
    let invoker = Invoker::new(controller, "test".to_owned(), None, log_file, metrics, false);
    let invoker = Arc::new(invoker);
    let routes = routes::controller(Arc::clone(&invoker));
    let app = App { routes, open: axum::Router::new(), registry };
    let listening = http::listen(&Settings::default(), app).await.unwrap();
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", listening.url())).await.unwrap();
        answer.text().await.unwrap()
    };
    invoker.invoke().await.unwrap();
    assert!(get("/metrics").await.contains("isocost_control_card_types_in_doubt 0"));
    count(dir.path(), r#"{"count":[]}"#);
    let record = invoker.invoke().await.unwrap();
    let why = "nothing is changed";
    assert!(record.warnings.iter().any(|w| w.contains(why)), "{:?}", record.warnings);
    assert!(get("/").await.contains(why));
    let lines = std::fs::read_to_string(log.path()).unwrap();
    assert!(lines.lines().last().unwrap().contains(why));
    let metrics = get("/metrics").await;
    assert!(!metrics.contains("isocost_control_card_types_in_doubt 0"), "{metrics}");
}

#[tokio::test]
async fn a_label_with_next_to_no_load_keeps_nobody_from_being_planned() {
    let stand_in = fleet(6).await;
    let (name, _) = &crate::stand_in::fleet::servers(6)[2];
    let at = ("deployments".to_owned(), SPACE.to_owned(), name.clone());
    let labels = json!({ "metadata": { "labels": { "inferno.server.load.rpm": "1e-320" } } });
    let someone = Write { manager: "someone", force: false, dry_run: false };
    stand_in.store.lock().unwrap().merge(&at, &labels, &someone).unwrap();
    let record = cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!((record.errors.len(), record.count("applied")), (0, 6), "{:?}", record.errors);
}

/// A change of one of the fleet's servers on L40S, with what the API server calls it.
fn on_l40s(stand_in: &StandIn, i: usize, from: (Option<u32>, u32), to: u32) -> Change {
    let (name, _) = &servers(i + 1)[i];
    let object = stand_in.object("deployments", SPACE, name).unwrap();
    let side = |known: bool, replicas: u32| Allocation {
        accelerator: known.then(|| "L40S".to_owned()),
        replicas,
        max_batch: None,
    };
    let cards = |n: u32| Use { card_type: "L40S".to_owned(), cards: u64::from(n) };
    Change {
        server: name.clone(),
        key: Key { namespace: SPACE.to_owned(), name: name.clone() },
        uid: object["metadata"]["uid"].as_str().unwrap().to_owned(),
        from: side(from.0.is_some(), from.1),
        to: side(true, to),
        reason: String::new(),
        planned_for: None,
        frees: from.0.map(cards),
        takes: Some(cards(to)),
        marks: Marks::default(),
    }
}

#[tokio::test]
async fn a_new_deployment_waits_for_cards_that_were_to_be_freed_and_were_not() {
    for contested in [true, false] {
        let stand_in = fleet(2).await;
        if contested {
            let (name, _) = &servers(1)[0];
            let someone = Write { manager: "kubectl", force: false, dry_run: false };
            let at = ("deployments".to_owned(), SPACE.to_owned(), name.clone());
            let body = json!({ "spec": { "replicas": 4 } });
            stand_in.store.lock().unwrap().merge(&at, &body, &someone).unwrap();
        }
        // Four of four cards in use: one shrinks by one, and a new one, of one replica already, takes it.
        let shrinks = on_l40s(&stand_in, 0, (Some(4), 4), 3);
        let new = on_l40s(&stand_in, 1, (None, 1), 1);
        let four = || Cards::from([("L40S".to_owned(), 4)]);
        let ledger = Ledger { capacity: four(), used: four() };
        let cluster = cluster(stand_in.config(), SPACE, std::time::Duration::from_secs(60));
        let actuator = Actuator::new(cluster, ActuateOptions::default());
        let done = actuator.apply(vec![shrinks, new], ledger, || true).await;
        let outcomes: Vec<&Outcome> = done.iter().map(|done| &done.outcome).collect();
        match (contested, outcomes.as_slice()) {
            (
                true,
                [Outcome::PutOff, Outcome::Failed(_)] | [Outcome::Failed(_), Outcome::PutOff],
            ) => {}
            (false, [Outcome::Applied, Outcome::Applied]) => {}
            other => panic!("{other:?}"),
        }
    }
}
