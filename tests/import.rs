//! `isocost import` end to end: a cluster's objects become a plan.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(args)
        .current_dir(root)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

const CLUSTER: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: accelerator-unit-costs}
data:
  A100: |
    {"device": "NVIDIA-A100-PCIE-80GB", "cost": "40.00"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: service-classes-config}
data:
  premium.yaml: |
    name: Premium
    priority: 1
    data:
      - model: org/small
        slo-tpot: 60
        slo-ttft: 1000
---
apiVersion: llmd.ai/v1alpha1
kind: VariantAutoscaling
metadata: {name: small, namespace: prod}
spec:
  modelID: org/small
  modelProfile:
    accelerators:
      - acc: A100
        accCount: 1
        perfParms:
          decodeParms: {alpha: "20.5", beta: "0.41"}
          prefillParms: {gamma: "5.2", delta: "0.1"}
        maxBatchSize: 8
"#;

#[test]
fn a_clusters_objects_become_a_plan() {
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("cluster.yaml"), CLUSTER).expect("it is ours");
    let made =
        isocost(&["import", &path("cluster.yaml"), "--rate", "40", "--out", &path("fleet.yaml")]);
    let said = text(&made.stderr);
    assert_eq!(made.status.code(), Some(0), "{said}");
    assert!(said.contains("assumed: no count of cards is known"), "{said}");
    assert!(said.contains("40 requests/min of 512 and 256 tokens"), "{said}");
    let planned = isocost(&["plan", &path("fleet.yaml"), "--format", "json"]);
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned.stderr));
    // Given to plan as it is, the file is told what to do.
    let wrong = isocost(&["plan", &path("cluster.yaml")]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("`isocost import`"), "{}", text(&wrong.stderr));
    let none = isocost(&["import", "data/quickstart.yaml"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("a scenario already"), "{}", text(&none.stderr));
}
