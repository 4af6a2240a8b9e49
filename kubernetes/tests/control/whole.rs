//! Emulated servers, a Prometheus that scrapes them, and the control loop over both: one loop, as it runs in a
//! cluster, but for the pods.

use std::sync::Arc;
use std::time::Duration;

use isocost_kubernetes::cluster::LabelLoad;
use isocost_kubernetes::collect::{Collector, Source};
use isocost_kubernetes::control::{Collect, Controller, Record};
use isocost_kubernetes::emulate::{Assignment, EmulatedServer, ServerSettings, Told};
use isocost_serve::http::{Settings, listen};
use serde_json::json;

use crate::stand_in::fleet::{Setup, cluster, cycle, data, parts, prometheus_over, servers, state};
use crate::stand_in::prometheus::{self as real, Target};
use crate::stand_in::scraper;
use crate::stand_in::store::Write;
use crate::{SPACE, fleet, id};

/// Longer than four scrapes, and short enough to wait for.
const WINDOW: Duration = Duration::from_secs(12);
const SERVERS: usize = 2;
/// Three standard deviations of the arrivals of a window, as a share.
const NEAR: f64 = 0.45;

/// A pod of a Deployment that is placed, under a load.
async fn pod(placed: &(String, i64, String, String), load: LabelLoad) -> Target {
    let (name, _, accelerator, batch) = placed;
    let (_, labels) = servers(SERVERS).into_iter().find(|(n, _)| n == name).unwrap();
    let assignment = Assignment {
        model: labels["inferno.server.model"].as_str().unwrap().to_owned(),
        accelerator: accelerator.clone(),
        max_batch: batch.parse().ok(),
        load: Some(load),
    };
    let scenario = isocost_model::input::load(&data()).unwrap().scenario;
    let told = Told::Here(assignment);
    let server = EmulatedServer::new(ServerSettings { scenario, told, speed: 1.0, seed: 7 });
    let listening = listen(&Settings::default(), server.app()).await.unwrap();
    let pod = format!("{name}-5d4f8c7b9-abcde");
    Target { address: listening.address.to_string(), namespace: SPACE, pod }
}

/// Says that every replica is ready, as the Deployments' controller does.
fn all_ready(stand_in: &crate::StandIn) {
    let kubelet = Write { manager: "kubelet", force: false, dry_run: false };
    for (name, replicas, ..) in state(stand_in, SPACE) {
        let status = json!({ "status": { "readyReplicas": replicas } });
        stand_in.store.lock().unwrap().set_status(&id(&name), &status, &kubelet).unwrap();
    }
}

fn replicas(stand_in: &crate::StandIn) -> Vec<i64> {
    state(stand_in, SPACE).iter().map(|row| row.1).collect()
}

fn near(record: &Record, rate: f64) -> bool {
    let close = |seen: f64| (seen / rate - 1.0).abs() < NEAR;
    record.observed.len() == SERVERS
        && record.observed.iter().all(|s| s.source == Source::Measured)
        && record.observed.iter().all(|s| close(s.load.arrival_rate))
}

#[tokio::test(flavor = "multi_thread")]
async fn emulated_servers_prometheus_and_the_loop_are_one_loop() {
    let stand_in = fleet(SERVERS).await;
    // By the labels, as nothing runs yet.
    let by_labels = crate::stand_in::fleet::controller(&stand_in, SPACE, &Setup::default());
    cycle(&by_labels).await;
    all_ready(&stand_in);
    let placed = state(&stand_in, SPACE);
    // Each gets a single pod under another load than its label says: many short requests.
    let busy = LabelLoad { rpm: 240.0, in_tokens: 64.0, out_tokens: 16.0 };
    let mut targets = Vec::new();
    for row in &placed {
        targets.push(pod(row, busy).await);
    }
    let real = real::scraping(&targets).await;
    let url = match &real {
        Some(prometheus) => prometheus.url.clone(),
        None => scraper::scraping(targets, WINDOW).await,
    };
    println!("scraped by {}", if real.is_some() { "a real Prometheus" } else { "the stand-in" });

    let mut parts = parts(stand_in.config(), SPACE, &Setup::default());
    let client = prometheus_over(&url, SPACE, Duration::from_secs(10), WINDOW);
    let cluster = cluster(stand_in.config(), SPACE, Duration::from_secs(60));
    parts.collect = Collect::Local(Box::new(Collector::new(cluster, Some(client))));
    let controller = Arc::new(Controller::new(parts).unwrap());

    // While the window fills, what it says takes nothing away: who loses a replica where it is was seen at its
    // true rate.
    let mut cycles = 0;
    loop {
        let record = cycle(&controller).await;
        for change in record.decided.iter().filter(|d| d.from.accelerator == d.to.accelerator) {
            let seen = record.observed.iter().find(|s| s.server == change.server).unwrap();
            let true_rate = (seen.load.arrival_rate / busy.rpm - 1.0).abs() < NEAR;
            assert!(change.to.replicas >= change.from.replicas || true_rate, "{change:?} {seen:?}");
        }
        if near(&record, busy.rpm) {
            break;
        }
        cycles += 1;
        assert!(cycles < 120, "{:?} {:?}", record.observed, record.warnings);
        tokio::time::sleep(Duration::from_secs(1)).await;
        all_ready(&stand_in);
    }
    tokio::time::sleep(WINDOW).await;
    all_ready(&stand_in);
    let record = cycle(&controller).await;
    assert!(near(&record, busy.rpm), "{:?}", record.observed);
    assert_eq!(record.warnings, Vec::<String>::new());
    assert!(record.observed.iter().all(|s| (s.load.avg_in_tokens - 64.0).abs() < 2.0));
    all_ready(&stand_in);
    let record = cycle(&controller).await;
    assert!(record.observed.iter().all(|s| s.covered > 0.85), "{:?}", record.observed);

    // Prometheus goes away, and labels say next to nothing: what was measured before stands as a floor.
    let Some(prometheus) = real else { return };
    let idle = json!({ "metadata": { "labels": { "inferno.server.load.rpm": "1" } } });
    let someone = Write { manager: "someone", force: false, dry_run: false };
    for (name, ..) in &placed {
        stand_in.store.lock().unwrap().merge(&id(name), &idle, &someone).unwrap();
    }
    let measured = replicas(&stand_in);
    drop(prometheus);
    for _ in 0..3 {
        let record = cycle(&controller).await;
        assert!(!record.warnings.is_empty());
        assert_eq!(replicas(&stand_in), measured, "{:?}", record.decided);
    }
}
