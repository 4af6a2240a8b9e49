//! `plan --proof` and `isocost verify`: what one writes the other proves anew; a changed plan, proof or
//! flag is refused.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

/// The flags of the reference figures.
const REFERENCE: [&str; 2] = ["--reading", "reference"];

/// Plans and proves, and returns the directory of both.
fn proven(scenario: &str, flags: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let proof = dir.path().join("proof.txt");
    let (out, path) = (dir.path().display().to_string(), proof.display().to_string());
    let args = ["plan", scenario, "--out", &out, "--proof", &path, "--no-cost-range"];
    let planned = isocost(&[&args, flags].concat());
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    (dir, proof)
}

fn verified(scenario: &str, dir: &Path, proof: &Path, flags: &[&str]) -> Output {
    let (plan, proof) = (dir.display().to_string(), proof.display().to_string());
    isocost(&[&["verify", scenario, &plan, &proof], flags].concat())
}

#[test]
fn the_reference_scenarios_are_proven_anew() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    if !root.exists() {
        eprintln!("skipped: {} is missing", root.display());
        return;
    }
    for (name, shape, cost) in [
        ("small", "single", "22,564"),
        ("small", "mixed", "22,343.5"),
        ("large", "single", "21,161"),
        ("large", "mixed", "20,653.5"),
    ] {
        let scenario = root.join(name).display().to_string();
        let flags = [&REFERENCE[..], &["--formulation", shape]].concat();
        let (dir, proof) = proven(&scenario, &flags);
        let output = verified(&scenario, dir.path(), &proof, &flags);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = format!("the plan costs {cost} cents/h, and no plan costs less");
        assert!(text.contains(&expected), "{name} {shape}: {text}{output:?}");
    }
}

#[test]
fn programs_get_the_verdict_as_json() {
    let (dir, proof) = proven("data/quickstart", &[]);
    let output = verified("data/quickstart", dir.path(), &proof, &["--format", "json"]);
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(verdict["isOptimal"], true);
    assert_eq!(verdict["cost"], verdict["bound"]);
    assert!(verdict["cost"].as_f64() > Some(0.0), "{verdict}");
}

/// Instances that were left open, or called optimal or withheld by rounding.
#[test]
fn instances_that_defeated_rounding_and_cuts_are_proven_anew() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/field");
    if !root.exists() {
        eprintln!("skipped: {} is missing", root.display());
        return;
    }
    let ties = ["--formulation", "mixed", "--unlimited"];
    for (name, flags, cost) in [
        ("late-budget-1.json", &["--formulation", "mixed"][..], "85,797.78"),
        ("fault-one-server-unl-ties-28-1-s0.json", &ties, "10,932"),
        ("fault-bound-above.json", &ties, ""),
    ] {
        let scenario = root.join(name).display().to_string();
        let (dir, proof) = proven(&scenario, flags);
        let output = verified(&scenario, dir.path(), &proof, flags);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (plan, proof) = (format!("the plan costs {cost}"), "and no plan costs less");
        assert!(text.contains(&plan) && text.contains(proof), "{name}: {text}{output:?}");
    }
}

/// One server of `large` has too many mixes to list, and three limits are scarce: totals prove it, and only
/// while that server is taken apart.
#[test]
fn a_copy_of_the_large_fleet_with_other_loads_is_proven() {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/make_instances.py");
    let dir = tempfile::tempdir().expect("a directory");
    let made = Command::new("python3").arg(&script).arg("1").arg(dir.path()).status();
    if !script.exists() || !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {} is missing, or Python", script.display());
        return;
    }
    let scenario = dir.path().display().to_string();
    let flags = ["--formulation", "mixed", "--no-cost-range", "--time-limit", "120"];
    let output = isocost(&[&["plan", &scenario], &REFERENCE[..], &flags].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("total 40,139.5 cents/h, optimal: bound 40,139.5"), "{text}{output:?}");
}

#[test]
fn what_was_changed_is_refused() {
    let scenario = "data/fleet-27";
    let (dir, proof) = proven(scenario, &[]);
    assert!(verified(scenario, dir.path(), &proof, &[]).status.success());
    let text = std::fs::read_to_string(&proof).expect("a proof");
    let changed = dir.path().join("changed.txt");
    let bound = text.lines().find(|line| line.starts_with("bound ")).expect("a bound");
    let units: i64 = bound[6..].parse().expect("a number");
    let above = text.replace(bound, &format!("bound {}", units + 1));
    std::fs::write(&changed, above).expect("written");
    let refused = verified(scenario, dir.path(), &changed, &[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    // Flags say what the scenario is: with fewer cards it is another.
    let refused = verified(scenario, dir.path(), &proof, &["--unlimited"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}
