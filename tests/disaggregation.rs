//! Prefill and decode apart from the command line: plan, files, simulation and proof.

use std::path::Path;
use std::process::{Command, Output};

const FLEET: &str = "data/disaggregation.yaml";

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_saved_plan_is_simulated_and_proven_pool_by_pool() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().display().to_string();
    let proof = dir.path().join("proof.txt").display().to_string();
    let planned = isocost(&["plan", FLEET, "--disaggregate", "--out", &out, "--proof", &proof]);
    assert!(planned.status.success(), "{}", text(&planned.stderr));
    let said = text(&planned.stdout);
    assert!(said.contains("of the 3 servers that may have prefill and decode apart do"), "{said}");
    let file = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("it is there");
    let plan: serde_json::Value = serde_json::from_str(&file("plan.json")).expect("a plan");
    let pool = &plan["allocations"]["chat (prefill)"]["pool"];
    assert_eq!((&pool["of"], &pool["role"]), (&"chat".into(), &"prefill".into()));
    assert!(file("plan.csv").lines().any(|line| line.ends_with(",chat")));
    // Two pools are one server in a table of loads.
    if Path::new(&out).join("loads.csv").exists() {
        assert_eq!(file("loads.csv").matches("chat").count(), 1);
    }
    let verified = isocost(&["verify", FLEET, &out, &proof, "--disaggregate"]);
    let said = text(&verified.stdout);
    assert!(said.contains("no plan costs less"), "{said}{}", text(&verified.stderr));
    assert!(said.contains("have prefill and decode apart, as they do in this one"), "{said}");
    let flags = ["--plan", &out, "--server", "chat", "--requests", "2000", "--format", "json"];
    let simulated = isocost(&[&["simulate", FLEET, "--disaggregate"], &flags[..]].concat());
    let found: serde_json::Value = serde_json::from_slice(&simulated.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&simulated.stderr)));
    let rows = found["replicas"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["server"].as_str()).collect();
    assert_eq!(names, ["chat (prefill)", "chat (decode)", "chat"]);
    let mean = |row: usize, what: &str| {
        rows[row][what]["mean"]["simulated"]["value"].as_f64().expect("it was simulated")
    };
    // The first token comes from the decode pool, behind the prompt and the way of its KV cache.
    assert!(mean(2, "ttft") > mean(0, "ttft") + mean(1, "ttft"));
    assert_eq!(mean(2, "itl"), mean(1, "itl"));
}

#[test]
fn pools_are_deployed_with_a_way_for_their_cache_and_left_alone_by_the_loop() {
    let planned = isocost(&["plan", FLEET, "--disaggregate", "--export", "k8s"]);
    let text = text(&planned.stdout);
    let documents: Vec<&str> = text.split("\n---\n").collect();
    let pools: Vec<&&str> = documents.iter().filter(|d| d.contains("isocost.pool.role")).collect();
    assert_eq!(pools.len(), 4, "{text}");
    for pool in pools {
        assert!(pool.contains("--kv-transfer-config=") && pool.contains("NixlConnector"), "{pool}");
        assert!(!pool.contains("inferno.server.managed"), "{pool}");
    }
    assert!(text.contains("a router before them"), "{text}");
    let whole = isocost(&["plan", FLEET, "--export", "k8s"]);
    let whole = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(!whole.contains("router") && !whole.contains("kv-transfer"), "{whole}");
}

#[test]
fn a_plan_with_pools_is_refused_where_nobody_may_have_any() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().display().to_string();
    assert!(isocost(&["plan", FLEET, "--disaggregate", "--out", &out]).status.success());
    let refused = isocost(&["simulate", FLEET, "--plan", &out]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stdout));
    assert!(text(&refused.stderr).contains("--disaggregate"), "{}", text(&refused.stderr));
}
