//! Workbooks from the command line: written, read back, and what is wrong in one.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str], out: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    if let Some(out) = out {
        command.arg("--out").arg(out);
    }
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_plan_in_a_workbook_is_planned_again_alike() {
    let directory = tempfile::tempdir().expect("a place");
    let book = directory.path().join("plan.xlsx");
    for scenario in ["data/quickstart", "data/quickstart.yaml", "data/nodes.yaml"] {
        let first = isocost(&["plan", scenario, "--format", "csv"], Some(&book));
        assert!(first.status.success(), "{}", text(&first.stderr));
        let path = book.to_str().expect("plain");
        let again = isocost(&["plan", path, "--format", "csv"], None);
        assert_eq!(text(&again.stdout), text(&first.stdout));
        assert!(isocost(&["explain", path], None).status.success());
    }
}

#[test]
fn loads_that_were_planned_for_are_in_the_workbook() {
    let directory = tempfile::tempdir().expect("a place");
    let (book, loads) = (directory.path().join("plan.xlsx"), directory.path().join("loads.csv"));
    let row =
        "server,arrival_rate_per_min,input_tokens,output_tokens\nfree-llama-3.1-8b,1500,256,128\n";
    std::fs::write(&loads, row).expect("room");
    let with =
        ["plan", "data/quickstart", "--format", "csv", "--loads", loads.to_str().expect("plain")];
    let first = isocost(&with, Some(&book));
    assert!(first.status.success(), "{}", text(&first.stderr));
    let path = book.to_str().expect("plain");
    let again = isocost(&["plan", path, "--format", "csv"], None);
    assert_eq!(text(&again.stdout), text(&first.stdout));
    let without = isocost(&["plan", "data/quickstart", "--format", "csv"], None);
    assert_ne!(text(&without.stdout), text(&first.stdout));
}

#[test]
fn other_kinds_of_workbooks_are_not_written() {
    let directory = tempfile::tempdir().expect("a place");
    let book = directory.path().join("plan.ods");
    let done = isocost(&["plan", "data/quickstart"], Some(&book));
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains(".xlsx"), "{}", text(&done.stderr));
    assert!(!book.exists());
}

#[test]
fn what_is_no_workbook_is_said_with_its_name() {
    let directory = tempfile::tempdir().expect("a place");
    let book = directory.path().join("fleet.xlsx");
    std::fs::write(&book, "name,type\n").expect("room");
    let done = isocost(&["plan", book.to_str().expect("plain")], None);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("fleet.xlsx: is no workbook"), "{}", text(&done.stderr));
}

/// A full disk behind standard output is said, and is a failure of its own, in every command.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_panic() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    for args in [
        &["plan", "data/quickstart"][..],
        &["plan", "data/quickstart", "--format", "json"],
        &["explain", "data/quickstart"],
        &["size", "data/quickstart", "--server", "premium-llama-3.1-8b"],
        &["stress", "data/quickstart"],
        &["reference"],
        &["profile", "--list"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).stdout(full());
        let done = command.output().expect("it runs");
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("standard output: cannot be written"), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}
