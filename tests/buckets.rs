//! `isocost experiment buckets` end to end.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn isocost(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .current_dir(root)
        .args(args)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

const EXAMPLE: [&str; 3] = ["experiment", "buckets", "data/buckets/llama-8b.json"];
const SERVER: [&str; 7] = [
    "experiment",
    "buckets",
    "data/quickstart",
    "--server",
    "premium-llama-3.1-8b",
    "--distribution",
    "data/buckets/quickstart-sizes.csv",
];

fn json(args: &[&str], code: i32) -> Value {
    let output = isocost(&[args, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The output proves itself: shares are whole, loads are their sums, counts cover them, costs add up.
fn proves_itself(spread: &Value, input: &Value) {
    let gpus = spread["gpus"].as_array().expect("a list");
    let mut loads = vec![0.0; gpus.len()];
    let (inputs, outputs) = (&input["input_tokens"], &input["output_tokens"]);
    let place = |sizes: &Value, size: &Value| {
        let size: f64 = size.as_str().expect("a text").parse().expect("a number");
        let sizes = sizes.as_array().expect("a list");
        sizes.iter().position(|s| number(s) == size).expect("a size of the input")
    };
    let mut served = 0.0;
    for bucket in spread["buckets"].as_array().expect("a list") {
        let (i, j) = (place(inputs, &bucket["input"]), place(outputs, &bucket["output"]));
        let rate =
            number(&input["workload_distribution"][i][j]) * number(&input["total_request_rate"]);
        assert!((rate - number(&bucket["requestsPerSecond"])).abs() < 1e-9);
        let mut whole = 0.0;
        for part in bucket["parts"].as_array().expect("a list") {
            let g = gpus.iter().position(|gpu| gpu["name"] == part["gpu"]).expect("a GPU");
            let name = gpus[g]["name"].as_str().expect("a name");
            let share = number(&part["share"]);
            whole += share;
            loads[g] += share * rate / number(&input["gpu_info"][name]["tputs"][i][j]);
            let slices = share * number(&input["slice_factor"]);
            assert!((slices - slices.round()).abs() < 1e-9, "{slices} slices");
        }
        assert!((whole - 1.0).abs() < 1e-9);
        served += rate;
    }
    assert!((served - number(&spread["requestsPerSecond"])).abs() < 1e-9);
    let mut cost = 0.0;
    for (gpu, load) in gpus.iter().zip(loads) {
        assert!((number(&gpu["load"]) - load).abs() < 1e-9);
        assert!(number(&gpu["count"]) >= load - 1e-6);
        cost += number(&gpu["count"]) * number(&gpu["costPerHourEach"]);
    }
    assert!((number(&spread["costPerHour"]) - cost).abs() < 1e-9);
}

#[test]
fn the_example_is_spread_and_proves_itself() {
    let spread = json(&EXAMPLE, 0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let input = std::fs::read(root.join(EXAMPLE[2])).expect("the example is there");
    proves_itself(&spread, &serde_json::from_slice(&input).expect("JSON"));
    assert_eq!(spread["status"], "optimal");
    assert_eq!(spread["provenance"], "estimated");
    // Proven by both backends and by each statement.
    assert!((number(&spread["costPerHour"]) - 8.9).abs() < 1e-9);
    assert!((number(&spread["bestSingleType"]["costPerHour"]) - 13.76).abs() < 1e-9);
    let merged = json(&[&EXAMPLE[..], &["--formulation", "merged"]].concat(), 0);
    assert_eq!(merged["costPerHour"], spread["costPerHour"]);
}

#[test]
fn the_table_says_what_it_costs_and_what_one_type_would() {
    let output = isocost(&EXAMPLE);
    let text = text(&output.stdout);
    for wanted in ["total 8.9 $/h, optimal", "best single type: 2 H100 at 13.76, +54.6%", "A10G %"]
    {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
}

#[test]
fn caps_are_kept_or_said_to_be_too_low() {
    let capped = json(&[&EXAMPLE[..], &["--cap", "A10G=0", "--slice-factor", "inf"]].concat(), 0);
    let of = |name: &str| {
        let gpus = capped["gpus"].as_array().expect("a list");
        number(&gpus.iter().find(|gpu| gpu["name"] == name).expect("a GPU")["count"])
    };
    assert_eq!(of("A10G"), 0.0);
    assert!(number(&capped["costPerHour"]) >= 8.9);
    let args = ["--cap", "H100=0", "--cap", "A100-80GB=1", "--cap", "A10G=1", "--cap", "L4=1"];
    let short = json(&[&EXAMPLE[..], &args].concat(), 3);
    assert_eq!(short["status"], "infeasible");
    let note = short["notes"][0].as_str().expect("a reason");
    // One type of these serves the longest prompts at all.
    assert!(
        note.contains("no GPU type that there is") || note.contains("limits on GPUs"),
        "{note}"
    );
}

#[test]
fn wrong_input_is_named_whole_and_writes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("bad.json");
    let bad = r#"{ "gpu_info": { "L4": { "cost": "free", "tputs": [[1], [2]] } },
  "workload_distribution": [[1, 0]], "total_request_rate": -1 }"#;
    std::fs::write(&file, bad).expect("it is written");
    let (file, out) = (file.display().to_string(), dir.path().join("out"));
    let output = isocost(&["experiment", "buckets", &file, "--out", &out.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for wanted in ["bad.json:1:33: ", "has 2 x 1 cells", "-1 is out of range", "3 problems"] {
        assert!(said.contains(wanted), "{wanted} in\n{said}");
    }
    assert!(!out.exists());
    let output = isocost(&[&EXAMPLE[..], &["--cap", "H10=1", "--cap", "x=2"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `H100`?"));
    assert!(text(&output.stderr).contains("unknown GPU `x`"));
    for input in ["data/quickstart", "nowhere.json"] {
        assert_eq!(isocost(&["experiment", "buckets", input]).status.code(), Some(2));
    }
}

#[test]
fn files_hold_what_is_printed() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().display().to_string();
    let output = isocost(&[&EXAMPLE[..], &["--format", "csv", "--out", &out]].concat());
    assert_eq!(output.status.code(), Some(0));
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("it is written");
    assert_eq!(read("gpus.csv"), output.stdout);
    let rows = text(&read("buckets.csv"));
    assert!(rows.starts_with("input,output,rate_per_s,share_L4,share_A10G,"), "{rows}");
    assert_eq!(rows.lines().count(), 1 + 20);
    let written: Value = serde_json::from_slice(&read("buckets.json")).expect("JSON");
    assert_eq!(written["status"], "optimal");
}

#[test]
fn a_servers_buckets_are_sized_by_the_queueing_model() {
    let spread = json(&[&SERVER[..], &["--rate", "12"]].concat(), 0);
    assert_eq!((&spread["status"], &spread["currency"]), (&"optimal".into(), &"cents".into()));
    assert_eq!(spread["buckets"].as_array().expect("a list").len(), 12);
    assert!((number(&spread["requestsPerSecond"]) - 12.0).abs() < 1e-9);
    let output = isocost(&[&SERVER[..4], &["nobody"], &SERVER[5..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown server `nobody`"));
    let all = [&SERVER[..], &["--rate", "100000"]].concat();
    assert_eq!(json(&all, 3)["status"], "infeasible");
    assert_eq!(json(&[&all[..], &["--unlimited"]].concat(), 0)["status"], "optimal");
}
