//! Experiments end to end: all of them in quick form, resumed after kills, summarised from their CSV.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const NAMES: [&str; 6] = ["examples", "formulations", "batch", "backends", "scale", "families"];

fn isocost(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command.args(args);
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The text of every file below `dir` that a summary is made of.
fn summaries(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in NAMES {
        let files = std::fs::read_dir(dir.join(name)).expect("its directory");
        for path in files.map(|f| f.expect("a file").path()) {
            if path.extension().is_some_and(|e| e == "svg" || e == "md") {
                found.insert(path.display().to_string(), read(&path));
            }
        }
    }
    found
}

#[test]
fn all_run_quickly_and_their_summaries_come_from_the_csv_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().display().to_string();
    let ran = output(&mut isocost(&["experiment", "run", "all", "--quick", "--out", &out]));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let made = summaries(dir.path());
    for name in NAMES {
        let own = dir.path().join(name);
        let measured = read(&own.join("measurements.csv"));
        assert!(measured.lines().count() > 6, "{name}");
        assert!(!measured.contains(",failed,"), "{name}: {measured}");
        let summary = &made[&own.join("summary.md").display().to_string()];
        assert!(summary.starts_with(&format!("# {name}\n")), "{summary}");
        let plots = summary.lines().filter_map(|l| l.strip_suffix(".svg)")?.split("](").nth(1));
        let plots: Vec<&str> = plots.collect();
        assert!(!plots.is_empty(), "{name}");
        plots.iter().for_each(|plot| assert!(own.join(format!("{plot}.svg")).exists(), "{plot}"));
    }
    // Everything but the tables of measurements is thrown away, and made again.
    made.keys().for_each(|path| std::fs::remove_file(path).expect("it is there"));
    for name in NAMES {
        std::fs::remove_file(dir.path().join(name).join("journal.jsonl")).expect("it is there");
    }
    let again = output(&mut isocost(&["experiment", "summarize", "all", "--out", &out]));
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(summaries(dir.path()), made);
}

/// The measurements of an experiment without what the clock and the memory say.
fn figures(dir: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(dir.join("measurements.csv")).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let timed = ["sizing_s", "building_s", "solving_s", "cpu_s", "peak_mib"];
    let kept = |row: csv::StringRecord| {
        let cells = header.iter().zip(row.iter()).filter(|(name, _)| !timed.contains(name));
        cells.map(|(_, cell)| cell.to_owned()).collect()
    };
    reader.records().map(|row| kept(row.expect("a row"))).collect()
}

#[test]
fn a_killed_experiment_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    let run = |out: &Path| {
        let mut command = isocost(&["experiment", "run", "examples", "--quick", "--out"]);
        command.arg(out).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert!(run(&whole).status().expect("it runs").success());
    let mut kills = 0;
    loop {
        let mut child = run(&killed).spawn().expect("it runs");
        std::thread::sleep(Duration::from_millis(60 + 30 * kills));
        child.kill().expect("it is ours to kill");
        if child.wait().expect("it ends").success() {
            break;
        }
        kills += 1;
        assert!(kills < 100, "it never gets to the end");
    }
    let (whole, killed) = (whole.join("examples"), killed.join("examples"));
    assert_eq!(figures(&killed), figures(&whole));
    let lines = |dir: &Path| read(&dir.join("journal.jsonl")).lines().count();
    assert_eq!(lines(&killed), lines(&whole), "nothing was measured twice");
}

#[test]
fn the_list_and_unknown_names() {
    let listed = text(&output(&mut isocost(&["experiment", "list"])).stdout);
    NAMES.iter().for_each(|name| assert!(listed.contains(name), "{listed}"));
    let wrong = output(&mut isocost(&["experiment", "run", "scales"]));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("there is no experiment `scales`"));
}

#[test]
fn a_measurement_tells_its_own_peak_memory() {
    let task = |copies: u32| {
        format!(
            r#"{{"arm":"a","instance":{{"Fleet":{{"copies":{copies},"forms":3,"load":1.0,"supply":"Unlimited","seed":1}}}},
            "changed":false,"batch_tolerance":null,"percentile":null,"formulation":"greedy",
            "shortage":false,"backend":"{}","peer":null,"time_limit_s":5.0,"repeat":1,"detail":false}}"#,
            isocost_solver::backends()[0]
        )
    };
    let peak = |copies: u32| {
        let mut command = isocost(&["experiment", "measure"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut input = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut input, task(copies).as_bytes()).expect("it listens");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let measured: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(measured["servers"], 27 * copies);
        measured["peak_mib"].as_f64()
    };
    if let (Some(small), Some(large)) = (peak(1), peak(300)) {
        assert!(large > small + 1.0, "{large} MiB for 8,100 servers, {small} for 27");
    } else {
        println!("skipped: this system does not tell peak memory");
    }
}
