//! Emulated loads against the stand-in API server: what is written, and what is left alone.

mod stand_in;

use std::time::Duration;

use isocost_kubernetes::cluster::{Access, Cluster};
use isocost_kubernetes::emulate::{LoadEmulator, LoadSettings, Phase, Phases, Walk};
use serde_json::{Value, json};

use stand_in::store::Write;
use stand_in::{StandIn, fleet};

const WRITE: Write<'_> = Write { manager: "kubectl-create", force: false, dry_run: false };

fn emulator(stand_in: &StandIn, namespace: Option<&str>, walk: Walk) -> LoadEmulator {
    emulator_in(stand_in, namespace, walk, Phases::default())
}

fn emulator_in(
    stand_in: &StandIn,
    namespace: Option<&str>,
    walk: Walk,
    phases: Phases,
) -> LoadEmulator {
    let namespace = namespace.map(str::to_owned);
    let access = Access { namespace: namespace.clone(), ..Access::default() };
    let cluster = Cluster::with_config(stand_in.config(), &access).expect("a client");
    let settings =
        LoadSettings { namespace, interval: Duration::from_secs(20), walk, phases, seed: 1 };
    LoadEmulator::new(cluster, settings)
}

fn put(stand_in: &StandIn, kind: &str, object: Value) {
    stand_in.store.lock().unwrap().create(kind, "infer", object, &WRITE).expect("made");
}

fn pod(name: &str, deployment: &str, phase: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": { "inferno.server.managed": "true", "pod-template-hash": "5d9", "app": "a" },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "name": format!("{deployment}-5d9"), "uid": "set",
            }],
        },
        "spec": { "containers": [{ "name": "vllm", "image": "vllm" }] },
        "status": { "phase": phase },
    })
}

fn label(stand_in: &StandIn, kind: &str, name: &str, label: &str) -> Option<f64> {
    let object = stand_in.object(kind, "infer", name).expect("it is there");
    object["metadata"]["labels"][label].as_str().map(|text| text.parse().expect("a number"))
}

const RPM: &str = "inferno.server.load.rpm";

#[tokio::test]
async fn a_round_moves_loads_and_shares_them_among_running_pods() {
    let stand_in = StandIn::start().await;
    let labels = json!({
        "inferno.server.managed": "true", "inferno.server.model": "m",
        "inferno.server.allocation.accelerator": "L4",
        "inferno.server.load.nominal.rpm": "100",
        "inferno.server.load.nominal.intokens": "128",
        "inferno.server.load.nominal.outtokens": "512",
    });
    put(&stand_in, "deployments", fleet::deployment("web", &labels));
    for (name, phase) in [("web-1", "Running"), ("web-2", "Running"), ("web-3", "Pending")] {
        put(&stand_in, "pods", pod(name, "web", phase));
    }
    let mut emulator = emulator(&stand_in, Some("infer"), Walk::default());
    let mut seen = Vec::new();
    for _ in 0..5 {
        let round = emulator.round().await.expect("a round");
        assert_eq!((round.deployments, round.pods, round.failed), (1, 2, vec![]));
        let rpm = label(&stand_in, "deployments", "web", RPM).expect("a rate");
        assert!((50.0..=150.0).contains(&rpm), "{rpm}");
        let shares = ["web-1", "web-2"].map(|p| label(&stand_in, "pods", p, RPM).expect("a share"));
        // Labels carry four decimals.
        assert!((shares[0] + shares[1] - rpm).abs() < 1e-3, "{shares:?} of {rpm}");
        seen.push(rpm);
    }
    seen.dedup();
    assert_eq!(seen.len(), 5, "the load wanders");
    assert_eq!(label(&stand_in, "pods", "web-3", RPM), None);
    assert_eq!(
        label(&stand_in, "deployments", "web", "inferno.server.load.nominal.rpm"),
        Some(100.0)
    );
    let pod = stand_in.object("pods", "infer", "web-1").expect("it is there");
    assert_eq!(pod["metadata"]["labels"]["inferno.server.allocation.accelerator"], "L4");
    assert_eq!(pod["metadata"]["labels"]["app"], "a", "others' labels stay");
}

#[tokio::test]
async fn phases_move_the_rate_that_a_load_wanders_around() {
    let stand_in = StandIn::start().await;
    let labels = json!({
        "inferno.server.managed": "true", "inferno.server.model": "m",
        "inferno.server.load.rpm": "100",
        "inferno.server.load.intokens": "128",
        "inferno.server.load.outtokens": "512",
    });
    put(&stand_in, "deployments", fleet::deployment("web", &labels));
    let at_once = Walk { alpha: 0.0, theta: 1.0, skew: 0.0 };
    let doubled = Phases::new(vec![Phase { duration: Duration::ZERO, ratio: 2.0 }]);
    let mut emulator = emulator_in(&stand_in, Some("infer"), at_once, doubled);
    // What it began with is the nominal load: twice that, however many rounds there are.
    for _ in 0..3 {
        emulator.round().await.expect("a round");
        assert_eq!(label(&stand_in, "deployments", "web", RPM), Some(200.0));
    }
    let tokens = label(&stand_in, "deployments", "web", "inferno.server.load.outtokens");
    assert_eq!(tokens, Some(512.0));
}

#[tokio::test]
async fn the_example_fleet_wanders_around_what_it_began_with() {
    let stand_in = StandIn::start().await;
    fleet::fill(&stand_in, "infer", 27);
    let began: Vec<(String, f64)> = fleet::servers(27)
        .into_iter()
        .map(|(name, _)| {
            let rpm = label(&stand_in, "deployments", &name, RPM).expect("a rate");
            (name, rpm)
        })
        .collect();
    let mut emulator = emulator(&stand_in, None, Walk::default());
    for _ in 0..4 {
        let round = emulator.round().await.expect("a round");
        assert_eq!((round.deployments, round.failed), (27, vec![]));
    }
    for (name, rpm) in began {
        let now = label(&stand_in, "deployments", &name, RPM).expect("a rate");
        assert!((0.5 * rpm - 1e-3..=1.5 * rpm + 1e-3).contains(&now), "{name}: {now} from {rpm}");
    }
}

#[tokio::test]
async fn one_that_fails_is_left_for_the_next_round_and_a_cluster_that_is_gone_is_said() {
    let stand_in = StandIn::start().await;
    fleet::fill(&stand_in, "infer", 3);
    let mut emulator = emulator(&stand_in, Some("infer"), Walk::default());
    // Deployments, pods, then the three Deployments one by one.
    stand_in.faults.fail_at(4);
    let round = emulator.round().await.expect("a round");
    assert_eq!((round.deployments, round.failed.len()), (2, 1), "{:?}", round.failed);
    let round = emulator.round().await.expect("a round");
    assert_eq!((round.deployments, round.failed.len()), (3, 0));

    stand_in.faults.gone_after(0);
    assert!(emulator.round().await.is_err());
    stand_in.faults.mended();
    assert_eq!(emulator.round().await.expect("a round").deployments, 3);
}
