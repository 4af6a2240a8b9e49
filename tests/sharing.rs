//! Shared replicas from the command line: plan, files, simulation and proof.

use std::path::Path;
use std::process::{Command, Output};

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
fn adapters_that_share_cost_what_one_server_does() {
    let field = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/field");
    if !field.exists() {
        eprintln!("skipped: {} is missing", field.display());
        return;
    }
    let cost = |name: &str, flags: &[&str]| {
        let path = field.join(name).display().to_string();
        let done = isocost(&[&["plan", &path, "--unlimited", "--format", "json"], flags].concat());
        let plan: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a plan");
        plan["totalCost"].as_f64().expect("a cost")
    };
    for shape in ["single", "mixed"] {
        let flags = ["--formulation", shape];
        let sharing = [&flags[..], &["--share", "model"]].concat();
        assert_eq!(cost("16a-lora10.json", &flags), 1000.0);
        assert_eq!(cost("16a-lora10.json", &sharing), 100.0);
        assert_eq!(cost("16b-lora-merged.json", &flags), 100.0);
    }
}

#[test]
fn a_saved_plan_is_simulated_and_proven_with_those_who_share() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().display().to_string();
    let proof = dir.path().join("proof.txt").display().to_string();
    let fleet = ["data/fleet-27", "--share", "model"];
    let planned = isocost(&[&["plan"], &fleet[..], &["--out", &out, "--proof", &proof]].concat());
    assert!(planned.status.success(), "{}", text(&planned.stderr));
    let said = text(&planned.stdout);
    assert!(said.contains("than the 14956.00 of everyone on replicas of its own"), "{said}");
    let csv = std::fs::read_to_string(dir.path().join("plan.csv")).expect("a table");
    assert!(csv.contains("premium-phi-4;bronze-phi-4;free-phi-4"), "{csv}");
    let verified = isocost(&["verify", fleet[0], &out, &proof, "--share", "model"]);
    let said = text(&verified.stdout);
    assert!(said.contains("no plan costs less"), "{said}{}", text(&verified.stderr));
    assert!(said.contains("as they do in this one"), "{said}");
    let flags = ["--plan", &out, "--server", "free-phi-4", "--requests", "2000"];
    let simulated = isocost(&[&["simulate"], &fleet[..], &flags].concat());
    assert!(simulated.status.success(), "{}", text(&simulated.stderr));
    assert!(text(&simulated.stdout).contains("premium-phi-4 + bronze-phi-4"));
    // Without a group in common nobody may share.
    let refused = isocost(&["simulate", fleet[0], "--plan", &out]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("name no common group"), "{}", text(&refused.stderr));
}
