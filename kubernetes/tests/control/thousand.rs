//! How long a cycle takes over a thousand Deployments.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isocost_kubernetes::control::{Controller, Optimizer, Stability};
use serde_json::{Value, json};

use crate::stand_in::fleet::{Setup, cycle, data, parts};
use crate::{SPACE, fleet};

/// The figure of the chapter on control:
/// `cargo test --release -p isocost-kubernetes --test control -- --ignored --nocapture thousand`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, for a release build"]
async fn a_cycle_over_a_thousand_deployments() {
    let stand_in = fleet(1_000).await;
    let setup = Setup {
        stability: Stability { cool_down: Duration::ZERO, ..Stability::default() },
        ..Setup::default()
    };
    let mut parts = parts(stand_in.config(), SPACE, &setup);
    // As the command has it.
    parts.optimizer = match parts.optimizer {
        Optimizer::Local(planner, _) => Optimizer::Local(planner, Duration::from_secs(5)),
        other => other,
    };
    let kept = plenty();
    parts.data.directory = kept.path().to_owned();
    let controller = Arc::new(Controller::new(parts).unwrap());
    for what in ["every Deployment placed", "nothing to change"] {
        let start = Instant::now();
        let record = cycle(&controller).await;
        assert_eq!(record.errors, Vec::<String>::new());
        println!(
            "{what}: {:.2} s in all; collect {:.2}, decide {:.2}, apply {:.2}; {} servers, {} changes, {}, gap {:.2} of {:.0} cents/h",
            start.elapsed().as_secs_f64(),
            record.seconds.collect,
            record.seconds.decide,
            record.seconds.apply,
            record.observed.len(),
            record.count("applied"),
            record.status,
            record.gap.unwrap_or(f64::NAN),
            record.cost.after,
        );
    }
}

/// The example's data with cards for a thousand servers.
fn plenty() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let file = dir.path().join("capacity-data.json");
    let mut cards: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for row in cards["count"].as_array_mut().unwrap() {
        row["count"] = json!(row["count"].as_u64().unwrap() * 38);
    }
    std::fs::write(&file, cards.to_string()).unwrap();
    dir
}
