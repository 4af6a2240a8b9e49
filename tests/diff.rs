//! `isocost diff` end to end: what changes between two plans, and what is no plan.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn json(args: &[&str]) -> Value {
    let output = isocost(&[args, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", text(&output.stderr)))
}

fn planned(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let out = dir.join(name);
    let path = out.display().to_string();
    let output = isocost(&[&["plan", "data/quickstart", "--out", &path], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    out
}

#[test]
fn a_load_change_moves_and_scales() {
    let dir = tempfile::tempdir().expect("a folder");
    let loads = ["--unlimited", "--loads", "data/loads/quickstart-evening.csv"];
    let (day, evening) =
        (planned(dir.path(), "day", &["--unlimited"]), planned(dir.path(), "evening", &loads));
    let paths = [&day, &evening].map(|p| p.display().to_string());
    let said = json(&["diff", &paths[0], &paths[1]]);
    let change = |s: &Value| (s["server"].as_str().map(str::to_owned), s["change"].clone());
    let changes: Vec<_> = said["servers"].as_array().expect("a list").iter().map(change).collect();
    let named = |name: &str| Some(name.to_owned());
    assert!(changes.contains(&(named("premium-llama-3.1-8b"), "scaled".into())));
    assert!(changes.contains(&(named("free-llama-3.1-8b"), "same".into())));
    // The same from the scenarios.
    let planned = json(&[&["diff", "data/quickstart", "data/quickstart"][..], &loads].concat());
    assert_eq!(planned["servers"], said["servers"]);
    let cost = |dir: &Path| -> f64 {
        let text = std::fs::read_to_string(dir.join("plan.json")).expect("it was written");
        let plan: Value = serde_json::from_str(&text).expect("JSON");
        plan["totalCost"].as_f64().expect("a number")
    };
    assert_eq!(said["costChange"].as_f64(), Some(cost(&evening) - cost(&day)));
    let rows = text(&isocost(&["diff", &paths[0], &paths[1], "--format", "csv"]).stdout);
    assert_eq!(rows.lines().count(), 1 + 3);
    let table = text(&isocost(&["diff", &paths[0], &paths[0]]).stdout);
    assert!(table.contains("(0): 3 same"), "{table}");
}

#[test]
fn plans_of_the_inferno_optimizer_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let ours = planned(dir.path(), "ours", &[]);
    let theirs = dir.path().join("theirs.json");
    let solution = r#"{"allocations": {"Premium-X": {"accelerator": "G2", "numReplicas": 3,
        "maxBatch": 4, "cost": 69, "itlAverage": 20.5, "ttftAverage": 100,
        "load": {"arrivalRate": 120, "avgInTokens": 128, "avgOutTokens": 1024}}}}"#;
    std::fs::write(&theirs, solution).expect("it can be written");
    let paths = [&theirs, &ours].map(|p| p.display().to_string());
    let said = json(&["diff", &paths[0], &paths[1]]);
    assert_eq!(said["servers"][0]["server"], "Premium-X");
    assert_eq!(said["servers"][0]["change"], "removed");
    assert_eq!(said["costBefore"].as_f64(), Some(69.0));
    assert_eq!(said["types"], serde_json::json!([]));
}

#[test]
fn what_is_no_plan_is_refused_with_place_problem_and_remedy() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("plan.json");
    let path = file.display().to_string();
    for (content, words) in [
        ("{\"a\": 1}", ["plan.json:1:1", "there is no `allocations`", "--out"]),
        ("[1]", ["plan.json:1:1", "found a list", "--out"]),
        ("{\"allocations\": ", ["plan.json:", "Expected", "mend the JSON"]),
        ("{\"allocations\": [1]}", ["plan.json:1:17", "expected an object of servers", "--out"]),
        (
            "{\"allocations\": {\"Aa\": {\"accelerator\": \"G2\", \"numReplicas\": -3, \"cost\": 1}}}",
            ["server `Aa`, numreplicas", "-3 is out of range", "expected 0"],
        ),
        (
            "{\"allocations\": {\"Aa\": {\"accelerator\": \"G2\", \"numReplicas\": 3}}}",
            ["server `Aa`", "`cost` is missing", "write the plan anew"],
        ),
        ("", ["plan.json", "", ""]),
    ] {
        std::fs::write(&file, content).expect("it can be written");
        let output = isocost(&["diff", &path, &path]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        let said = text(&output.stderr);
        assert!(output.stdout.is_empty());
        words.iter().for_each(|word| assert!(said.contains(word), "`{word}` is not in: {said}"));
    }
    let output = isocost(&["diff", &path, "data/quickstart", "--loads", "nowhere.csv"]);
    assert_eq!(output.status.code(), Some(2));
}
