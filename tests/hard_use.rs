//! Kills, crowds and sizes: what is on disk is the old or the new, never half of either.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const FILES: [&str; 4] = ["candidates.csv", "plan.csv", "plan.json", "usage.csv"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn plan(scenario: &Path, scale: &str, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command.arg("plan").arg(scenario).args(["--capacity-scale", scale, "--format", "csv"]);
    command.arg("--out").arg(out).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Names in a directory.
fn names(dir: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(dir).expect("it is there");
    entries.map(|e| e.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

/// `plan.json` has timings in it: what has to hold is that it is whole.
fn is_whole(dir: &Path, known: &[[String; 2]]) {
    let [csv, usage] = ["plan.csv", "usage.csv"].map(|name| read(&dir.join(name)));
    assert!(known.iter().any(|k| k[0] == csv), "plan.csv is neither old nor new");
    assert!(known.iter().any(|k| k[1] == usage), "usage.csv is neither old nor new");
    let json: serde_json::Value =
        serde_json::from_str(&read(&dir.join("plan.json"))).expect("plan.json is whole");
    assert_eq!(json["status"], "optimal");
}

#[test]
fn a_kill_at_any_moment_leaves_old_files_or_new_ones() {
    let scenario = root().join("data/quickstart");
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let out = dir.path().join("out");
    // Two plans that differ, each written once in peace.
    let known: Vec<[String; 2]> = ["0.5", "1"]
        .iter()
        .map(|scale| {
            assert!(plan(&scenario, scale, &out).status().expect("it runs").success());
            ["plan.csv", "usage.csv"].map(|name| read(&out.join(name)))
        })
        .collect();
    assert_ne!(known[0][1], known[1][1], "the two plans are the same");
    for i in 0..60_u64 {
        let scale = if i % 2 == 0 { "0.5" } else { "1" };
        let mut run = plan(&scenario, scale, &out).spawn().expect("it runs");
        std::thread::sleep(Duration::from_micros(700 * i));
        run.kill().expect("it can be killed");
        run.wait().expect("it ends");
        is_whole(&out, &known);
    }
}

#[test]
fn a_hundred_runs_in_one_folder_do_not_disturb_each_other() {
    let scenario = root().join("data/quickstart");
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let out = dir.path().join("out");
    let runs: Vec<_> =
        (0..100).map(|_| plan(&scenario, "1", &out).spawn().expect("it runs")).collect();
    for mut run in runs {
        assert!(run.wait().expect("it ends").success());
    }
    assert_eq!(names(&out), FILES.map(str::to_owned).into(), "nothing else is left");
    let alone = dir.path().join("alone");
    assert!(plan(&scenario, "1", &alone).status().expect("it runs").success());
    let known = [["plan.csv", "usage.csv"].map(|name| read(&alone.join(name)))];
    is_whole(&out, &known);
}

#[test]
fn a_file_beyond_the_limit_is_refused_with_the_limit_named() {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let file = dir.path().join("huge.json");
    // A hole: it takes no room on the disk.
    let huge = std::fs::File::create(&file).expect("it can be made");
    huge.set_len(300 << 20).expect("a hole can be that large");
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    let output = command.arg("plan").arg(&file).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("has 300 MiB, the limit is 256 MiB"), "{said}");
}
