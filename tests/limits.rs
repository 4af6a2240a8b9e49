//! Time limits and interrupts of the whole program, and plans that do not hang on the input's order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A hard instance: 27 servers with few cards, or ten times as many; `None` where the reference data
/// or python3 is missing.
fn hard(copies: &str, dir: &Path) -> Option<PathBuf> {
    let generator = root().join("../shared/reference/make_instances.py");
    let out = dir.join(copies);
    let made = Command::new("python3").arg(&generator).arg(copies).arg(&out).status();
    if !generator.exists() || !made.is_ok_and(|status| status.success()) {
        println!("skipped: the instances cannot be made here");
        return None;
    }
    Some(out)
}

fn plan(scenario: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command
        .arg("plan")
        .arg(scenario)
        .args(["--format", "json", "--reading", "reference"])
        .args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("the plan is JSON")
}

/// What the program may take beyond its limit: a second, and as much again for a busy machine and an
/// unoptimised build.
const GRACE: Duration = Duration::from_secs(4);

#[test]
fn a_time_limit_is_kept_with_the_best_plan_and_its_bound() {
    let dir = tempfile::tempdir().expect("a folder");
    let Some(few) = hard("1", dir.path()) else { return };
    let Some(many) = hard("10", dir.path()) else { return };
    let short = ["--capacity-scale", "0.6", "--shortage"];
    for (scenario, args) in [
        (&few, &["--formulation", "mixed"][..]),
        (&few, &["--formulation", "compact"]),
        (&few, &["--formulation", "single", "--shortage", "round-robin"]),
        (&many, &[&short[..], &["partial", "--formulation", "mixed"]].concat()),
        (&many, &[&short[..], &["whole", "--formulation", "single"]].concat()),
    ] {
        let start = Instant::now();
        let output = plan(scenario, args).args(["--time-limit", "2"]).output().expect("it runs");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2) + GRACE, "{args:?} took {took:?}");
        let plan = json(&output.stdout);
        let status = plan["status"].as_str().expect("a word");
        // Under shortage the heuristic's plan is there from the start; a plan for all takes its time.
        let has_plan = matches!(status, "optimal" | "feasible");
        assert!(has_plan || !args.contains(&"--shortage"), "{args:?}: {status}");
        if args.contains(&"mixed") && !args.contains(&"--shortage") {
            assert!(plan["bound"].as_f64().expect("a number") > 0.0);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_best_plan() {
    let dir = tempfile::tempdir().expect("a folder");
    let Some(few) = hard("1", dir.path()) else { return };
    // Cards that hardly suffice for the load: it stays open for minutes.
    let large = root().join("../shared/reference/large");
    let tight = ["--formulation", "mixed", "--margin", "1.6", "--capacity-scale", "0.8667"];
    for (scenario, args) in [(&large, &tight[..]), (&few, &["--formulation", "compact"])] {
        let child = plan(scenario, args).spawn().expect("it starts");
        std::thread::sleep(Duration::from_secs(4));
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "it ended before it was interrupted");
        let start = Instant::now();
        let output = child.wait_with_output().expect("it ends");
        assert!(start.elapsed() < GRACE, "{args:?} took {:?}", start.elapsed());
        let plan = json(&output.stdout);
        let status = plan["status"].as_str().expect("a word");
        assert!(["feasible", "unknown"].contains(&status), "{args:?}: {status}");
        assert!(plan["bound"].as_f64().expect("a number") > 0.0);
    }
}

/// The lists of a scenario's file, each the other way round.
fn reversed(text: &str, list: &str) -> String {
    let mut value: Value = serde_json::from_str(text).expect("the example is JSON");
    value[list].as_array_mut().expect("a list").reverse();
    value.to_string()
}

#[test]
fn the_order_of_the_input_decides_nothing() {
    let from = root().join("data/fleet-27");
    let dir = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(&from).expect("the example is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let text = match name.as_str() {
            "accelerator-data.json" => reversed(&text, "accelerators"),
            "model-data.json" => reversed(&text, "models"),
            "server-data.json" => reversed(&text, "servers"),
            "capacity-data.json" => reversed(&text, "count"),
            _ => text,
        };
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let placements = |scenario: &Path, args: &[&str]| {
        let output = plan(scenario, args).output().expect("it runs");
        let plan = json(&output.stdout);
        assert_eq!(plan["status"], "optimal");
        // Parts are listed in the order of the input's accelerators.
        let parts = |at: &Value| -> BTreeMap<String, u64> {
            let parts = at["parts"].as_array().expect("a list of parts").iter();
            let replicas = |part: &Value| part["numReplicas"].as_u64().expect("a number");
            parts.map(|part| (part["accelerator"].to_string(), replicas(part))).collect()
        };
        let servers = plan["allocations"].as_object().expect("allocations by server");
        servers.iter().map(|(name, at)| (name.clone(), parts(at))).collect::<BTreeMap<_, _>>()
    };
    for formulation in ["single", "mixed"] {
        for backend in isocost_solver::backends() {
            let args = ["--formulation", formulation, "--backend", backend];
            assert_eq!(placements(&from, &args), placements(dir.path(), &args), "{args:?}");
        }
    }
}
