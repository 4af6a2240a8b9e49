//! Nodes from the command line: what fits them, what they cost, and what is said of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A case that users report, or `None`, saying so, where it is missing.
fn case(name: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../shared/reference/field").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not here", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("it is JSON"))
}

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

/// A scenario with these nodes, as a file of a directory.
fn with_nodes(dir: &Path, mut scenario: Value, nodes: &Value) -> PathBuf {
    scenario["capacityData"] = json!({ "nodes": nodes });
    let path = dir.join("scenario.json");
    std::fs::write(&path, scenario.to_string()).expect("it is written");
    path
}

fn plan(path: &Path, flags: &[&str]) -> (Option<i32>, Value, String) {
    let path = path.display().to_string();
    let output = isocost(&[&["plan", path.as_str(), "--format", "json"], flags].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

#[test]
fn three_replicas_of_five_do_not_fit_two_nodes_of_eight() {
    let Some(scenario) = case("09a-nodes5of8.json") else { return };
    let dir = tempfile::tempdir().unwrap();
    let two = json!([{"name": "dgx", "cards": {"H100": 8}, "count": 2}]);
    let path = with_nodes(dir.path(), scenario.clone(), &two);
    assert_eq!(plan(&path, &[]).0, Some(3));
    let (code, found, said) = plan(&path, &["--shortage", "partial"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(found["allocations"]["s"]["numReplicas"], 2, "two fit: {found}");

    let three =
        json!([{"name": "dgx", "cards": {"H100": 8}, "count": 4, "spare": 1, "price": 1000}]);
    let path = with_nodes(dir.path(), scenario, &three);
    let (code, found, said) = plan(&path, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((&found["status"], &found["totalCost"]), (&json!("optimal"), &json!(3000)));
    assert_eq!(found["nodes"][0]["used"], 3);
    assert_eq!(found["nodes"][0]["cardsLeft"], 9);
}

#[test]
fn three_slices_of_four_do_not_fit_beside_a_full_card_on_three() {
    let Some(scenario) = case("10a-mig7.json") else { return };
    let dir = tempfile::tempdir().unwrap();
    let cards = |count: u32| json!([{"name": "card", "cards": {"H100-slice": 7}, "count": count, "mig": true}]);
    let path = with_nodes(dir.path(), scenario.clone(), &cards(3));
    assert_eq!(plan(&path, &[]).0, Some(3));
    let path = with_nodes(dir.path(), scenario, &cards(4));
    let (code, found, said) = plan(&path, &[]);
    assert_eq!((code, &found["nodes"][0]["used"]), (Some(0), &json!(4)), "{said}");
}

#[test]
fn a_plan_over_nodes_is_verified_and_one_that_overfills_them_is_not() {
    let Some(scenario) = case("09a-nodes5of8.json") else { return };
    let dir = tempfile::tempdir().unwrap();
    let nodes = json!([{"name": "dgx", "cards": {"H100": 8}, "count": 4, "price": 1000}]);
    let path = with_nodes(dir.path(), scenario, &nodes).display().to_string();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (out, proof) = (at("out"), at("proof"));
    let output = isocost(&["plan", &path, "--out", &out, "--proof", &proof]);
    assert_eq!(output.status.code(), Some(0));
    let text = std::fs::read_to_string(at("out/plan.json")).unwrap();
    assert_eq!(isocost(&["verify", &path, &out, &proof]).status.code(), Some(0));

    let mut tampered: Value = serde_json::from_str(&text).unwrap();
    tampered["nodes"][0]["filled"] = json!([{"times": 2, "span": 1, "holds": [
        {"server": "s", "accelerator": "H100", "replicas": 2, "cards": 5}]}]);
    std::fs::write(at("plan.json"), tampered.to_string()).unwrap();
    let output = isocost(&["verify", &path, &at("plan.json"), &proof]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("does not hold"), "{said}");
}

#[test]
fn what_is_wrong_with_nodes_is_said_all_at_once() {
    let Some(scenario) = case("09a-nodes5of8.json") else { return };
    let dir = tempfile::tempdir().unwrap();
    let nodes = json!([
        {"name": "a", "cards": {"H200": 8}, "price": 5},
        {"name": "b", "cards": {"H100": 0}},
        {"name": "c", "cards": {"H100": 8}, "mig": true},
        {"name": "d", "cards": {"H100": 8}, "price": 7},
        {"name": "d", "cards": {}, "geometries": [[9]]},
        {"name": "e", "cards": {"H100": 8}, "price": 9},
    ]);
    let path = with_nodes(dir.path(), scenario, &nodes);
    let (code, _, said) = plan(&path, &[]);
    assert_eq!(code, Some(2), "{said}");
    for part in [
        "no accelerator is of type `h200`",
        "no whole number from 1 to 4096",
        "seven slices",
        "node `d` is defined twice",
        "a node without cards",
        "more than the 0 cards",
        "which has a price, and in `c`, which has none",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_replica_larger_than_a_node_is_refused_or_spans_whole_ones() {
    let Some(mut scenario) = case("09a-nodes5of8.json") else { return };
    let dir = tempfile::tempdir().unwrap();
    let nodes = json!([{"name": "quad", "cards": {"H100": 4}, "count": 6}]);
    let path = with_nodes(dir.path(), scenario.clone(), &nodes);
    let (code, _, said) = plan(&path, &[]);
    assert_eq!(code, Some(3), "{said}");
    scenario["modelData"]["models"][0]["multiNode"] = json!(true);
    let path = with_nodes(dir.path(), scenario, &nodes);
    let (code, found, said) = plan(&path, &[]);
    assert_eq!((code, &found["nodes"][0]["used"]), (Some(0), &json!(6)), "{said}");
    assert_eq!(found["nodes"][0]["filled"][0]["span"], 2);
}
