//! Cycles that nothing disturbs.

use std::sync::atomic::Ordering;

use isocost_kubernetes::actuate::ActuateOptions;
use isocost_kubernetes::cluster::Products;
use isocost_kubernetes::control::Record;
use serde_json::json;

use crate::stand_in::fleet::{Setup, controller, cycle, state};
use crate::stand_in::store::Write;
use crate::{SPACE, fleet};

#[tokio::test]
async fn a_cycle_places_the_fleet_and_the_next_has_nothing_to_do() {
    let stand_in = fleet(27).await;
    let controller = controller(&stand_in, SPACE, &Setup::default());
    let first = cycle(&controller).await;
    assert_eq!(first.errors, Vec::<String>::new());
    assert_eq!((first.observed.len(), first.count("applied")), (27, 27));
    for ((_, replicas, accelerator, batch), decided) in
        state(&stand_in, SPACE).iter().zip(sorted(&first))
    {
        assert_eq!(i64::from(decided.1), *replicas);
        assert_eq!(decided.0.as_deref(), Some(accelerator.as_str()));
        assert!(batch.parse::<u32>().unwrap() > 0);
    }
    let patches = stand_in.faults.patches.load(Ordering::SeqCst);
    let second = cycle(&controller).await;
    assert_eq!(second.decided, vec![]);
    assert_eq!(stand_in.faults.patches.load(Ordering::SeqCst), patches);
    assert!((second.cost.before - first.cost.after).abs() < 1e-6);
    // A controller that starts anew finds it all in place too.
    let anew = cycle(&self::controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!(anew.decided, vec![]);
}

/// Accelerator and replicas that were decided, in the order of the servers' names.
fn sorted(record: &Record) -> Vec<(Option<String>, u32)> {
    let mut all: Vec<_> = record.decided.iter().collect();
    all.sort_by(|a, b| a.server.cmp(&b.server));
    all.into_iter().map(|d| (d.to.accelerator.clone(), d.to.replicas)).collect()
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let stand_in = fleet(4).await;
    let before = state(&stand_in, SPACE);
    let actuate = ActuateOptions { dry_run: true, ..ActuateOptions::default() };
    let setup = Setup { actuate, ..Setup::default() };
    let record = cycle(&controller(&stand_in, SPACE, &setup)).await;
    assert_eq!(record.count("dry-run"), 4);
    assert_eq!(state(&stand_in, SPACE), before);
}

#[tokio::test]
async fn a_node_selector_moves_pods_where_it_is_asked_for() {
    let stand_in = fleet(3).await;
    let products = Products([("NVIDIA-L4".to_owned(), "L4".to_owned())].into());
    let actuate = ActuateOptions {
        node_selector_key: Some("nvidia.com/gpu.product".to_owned()),
        products,
        ..ActuateOptions::default()
    };
    cycle(&controller(&stand_in, SPACE, &Setup { actuate, ..Setup::default() })).await;
    for (_, object) in stand_in.store.lock().unwrap().list("deployments", Some(SPACE)) {
        let on = &object["metadata"]["labels"]["inferno.server.allocation.accelerator"];
        let selected =
            &object["spec"]["template"]["spec"]["nodeSelector"]["nvidia.com/gpu.product"];
        assert!(selected.is_string());
        assert_eq!(
            selected == "NVIDIA-L4",
            on.as_str().unwrap().ends_with("L4"),
            "{on} {selected}"
        );
    }
}

#[tokio::test]
async fn capacity_is_counted_from_the_nodes() {
    let stand_in = fleet(6).await;
    let write = Write { manager: "kubelet", force: false, dry_run: false };
    let node = json!({
        "metadata": { "name": "n1", "labels": { "nvidia.com/gpu.product": "H100" } },
        "status": {
            "allocatable": { "nvidia.com/gpu": "64" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    });
    stand_in.store.lock().unwrap().create("nodes", "", node, &write).unwrap();
    let setup = Setup { count_nodes: true, ..Setup::default() };
    let record = cycle(&controller(&stand_in, SPACE, &setup)).await;
    assert_eq!(record.count("applied"), 6);
    let on: Vec<String> = state(&stand_in, SPACE).into_iter().map(|s| s.2).collect();
    assert!(on.iter().all(|a| a.ends_with("H100")), "{on:?}");
}
