//! `isocost plan --report` and `--plots` end to end.

use std::path::Path;
use std::process::{Command, Output};

fn plan(args: &[&str]) -> Output {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fleet-27");
    let isocost =
        Command::new(env!("CARGO_BIN_EXE_isocost")).arg("plan").arg(scenario).args(args).output();
    isocost.expect("the binary runs")
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

#[test]
fn a_plan_is_reported_beside_its_table() {
    let dir = tempfile::tempdir().expect("a directory");
    let (report, plots) = (path(dir.path(), "plan.html"), path(dir.path(), "plots"));
    let output = plan(&["--report", &report, "--plots", &plots]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("total "));
    let html = std::fs::read_to_string(&report).expect("the report");
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    assert!(html.contains("premium-llama-3.1-70b"));
    for name in ["cards.svg", "cards.png", "objectives.svg", "queue-01-ttft.png"] {
        assert!(Path::new(&plots).join(name).is_file(), "{name}");
    }
}

#[test]
fn an_infeasible_scenario_is_reported_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let report = path(dir.path(), "plan.html");
    let output = plan(&["--capacity-scale", "0.2", "--report", &report]);
    assert_eq!(output.status.code(), Some(3));
    let html = std::fs::read_to_string(&report).expect("the report");
    assert!(html.contains("No plan serves all 27 servers"));
}

#[test]
fn a_report_that_cannot_be_written_fails_and_says_where() {
    let dir = tempfile::tempdir().expect("a directory");
    let report = path(dir.path(), "none/plan.html");
    let output = plan(&["--report", &report]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("none/plan.html: cannot be written"), "{error}");
    assert!(error.contains("--report"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).expect("the directory").count(), 0);
}
