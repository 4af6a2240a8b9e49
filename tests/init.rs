//! `isocost init`, what is planned from it, and what brings the plan about.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn isocost(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command.args(args).stdin(Stdio::null()).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// What `plan -` makes of a scenario.
fn planned(scenario: &[u8], args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(["plan", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("piped").write_all(scenario).expect("it reads all");
    child.wait_with_output().expect("it ends")
}

const FOUR: [&str; 5] = [
    "init",
    "--models",
    "llama-3.1-8b,qwen3-32b,llama-3.1-70b,gpt-oss-120b",
    "--cards",
    "L4,L40S,A100-80GB,H100,H200,B200",
];

fn made(more: &[&str]) -> Vec<u8> {
    let output = isocost(&[&FOUR[..], more].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    output.stdout
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_fleet_is_planned_from_names_alone() {
    let plan = json(&planned(&made(&["--rate", "600"]), &["--format", "json"]));
    assert_eq!(plan["status"], "optimal");
    assert_eq!(plan["allocations"].as_object().map(serde_json::Map::len), Some(4));
    assert_eq!(plan["trust"]["estimated"], plan["trust"]["profiles"]);
    // The estimates' error is in the range of the cost.
    let range = &plan["trust"]["costRange"];
    let cost = plan["totalCost"].as_f64().expect("a number");
    assert!(range["optimistic"].as_f64() < Some(cost), "{range}");
    assert!(range["pessimistic"].as_f64() > Some(cost), "{range}");
}

#[test]
fn yaml_and_json_are_the_same_scenario() {
    let yaml = json(&planned(&made(&[]), &["--format", "json"]));
    let json = json(&planned(&made(&["--format", "json"]), &["--format", "json"]));
    assert_eq!(yaml["allocations"], json["allocations"]);
    let text = text(&made(&[]));
    for comment in ["# GB/s", "# cents/h; on-demand AWS", "# requests/min", "# ms between tokens"] {
        assert!(text.contains(comment), "{comment}");
    }
}

#[test]
fn every_sensible_split_and_precision_is_an_option() {
    let text = text(&made(&["--precision", "published,fp8", "--format", "json"]));
    let scenario: Value = serde_json::from_str(&text).expect("JSON");
    let models = scenario["modelData"]["models"].as_array().expect("a list");
    let of = |model: &str, acc: &str| models.iter().any(|m| m["name"] == model && m["acc"] == acc);
    assert!(of("qwen3-32b", "H100") && of("qwen3-32b", "4xH100-fp8"));
    assert!(!of("llama-3.1-70b", "H100") && of("llama-3.1-70b", "2xH100"));
    let given = made(&["--tp", "8", "--format", "json"]);
    let scenario: Value = serde_json::from_slice(&given).expect("JSON");
    let accelerators = scenario["acceleratorData"]["accelerators"].as_array().expect("a list");
    assert!(accelerators.iter().all(|a| a["multiplicity"] == 8), "{accelerators:?}");
}

#[test]
fn loads_prices_and_counts_are_taken() {
    let flags = ["--load", "qwen3-32b=10/100/50", "--price", "H100=1", "--count", "H100=64"];
    let output = isocost(
        &[&["init", "--models", "qwen3-32b", "--cards", "H100", "--format", "json"], &flags[..]]
            .concat(),
    );
    let scenario = json(&output);
    let load = &scenario["serverData"]["servers"][0]["currentAlloc"]["load"];
    assert_eq!(load["arrivalRate"], 10);
    assert_eq!(load["avgOutTokens"], 50);
    assert_eq!(scenario["acceleratorData"]["accelerators"][0]["cost"], 1);
    assert_eq!(scenario["capacityData"]["count"][0]["count"], 64);
}

#[test]
fn a_trace_gives_rate_tokens_and_variation() {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let path = dir.path().join("requests.csv");
    let rows = "arrival_s,input_tokens,output_tokens\n0,100,10\n1,300,30\n2,100,10\n4,300,30\n";
    std::fs::write(&path, rows).expect("ours");
    let path = path.display().to_string();
    let args = ["init", "--models", "qwen3-8b", "--cards", "H100", "--format", "json", "--trace"];
    let scenario = json(&isocost(&[&args[..], &[&path]].concat()));
    let load = &scenario["serverData"]["servers"][0]["currentAlloc"]["load"];
    assert_eq!(load["avgInTokens"], 200);
    assert_eq!(load["inputScv"], 0.25);
    assert!(load["arrivalScv"].as_f64() > Some(0.0));
}

#[test]
fn problems_are_told_all_at_once() {
    let refused = |args: &[&str]| {
        let output = isocost(&[&["init"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        text(&output.stderr)
    };
    let names = refused(&["--models", "qwen3-23b,nothing", "--cards", "H100,Gaudi3"]);
    for part in ["`qwen3-32b`", "`nothing`", "--price Gaudi3=CENTS"] {
        assert!(names.contains(part), "{part}: {names}");
    }
    assert!(refused(&[]).contains("--models and --cards"));
    let none = refused(&["--models", "deepseek-r1", "--cards", "L4", "--tp", "1"]);
    assert!(none.contains("does not fit") && none.contains("the least that holds it"), "{none}");
    let counts = refused(&["--models", "qwen3-8b", "--cards", "H100,L4", "--count", "H100=3"]);
    assert!(counts.contains("nothing is said of L4"), "{counts}");
    let other = refused(&["--models", "qwen3-8b", "--cards", "H100", "--load", "phi-4=3"]);
    assert!(other.contains("`phi-4` is none of the models"), "{other}");
    for bad in [["--tp", "x"], ["--rate", "-1"], ["--count", "H100"], ["--precision", "fp7"]] {
        refused(&[&["--models", "qwen3-8b", "--cards", "H100"], &bad[..]].concat());
    }
}

#[test]
fn a_plan_becomes_deployments() {
    let flags = ["--rate", "600", "--precision", "fp8"];
    let product = ["--product", "L40S=NVIDIA-L40S"];
    let output = planned(&made(&flags), &[&["--export", "k8s"], &product[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = text(&output.stdout);
    let documents: Vec<&str> = text.split("---\n").skip(1).collect();
    assert!(documents.len() >= 4, "{text}");
    for part in [
        "kind: \"Deployment\"",
        "inferno.server.managed: \"true\"",
        "--model=meta-llama/Llama-3.1-70B-Instruct",
        "--max-num-seqs=",
        "--tensor-parallel-size=",
        "--quantization=fp8",
        "nvidia.com/gpu:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("gpu.product: \"L40S\""), "{text}");
}

#[test]
fn a_plan_becomes_variables_and_sums() {
    let scenario = made(&["--rate", "600"]);
    let output = planned(&scenario, &["--export", "terraform-tfvars"]);
    let text = text(&output.stdout);
    assert!(text.contains("cards = {") && text.contains("max_num_seqs = "), "{text}");
    let plan = json(&planned(&scenario, &["--format", "json"]));
    let euros = ["--format", "json", "--currency", "EUR", "--exchange-rate", "0.5"];
    let other = json(&planned(&scenario, &euros));
    assert_eq!(
        (&plan["money"]["currency"], &plan["money"]["costsIn"]),
        (&"USD".into(), &"USD cents/h".into())
    );
    assert_eq!(other["money"]["costsIn"], "cents/h", "prices are in cents of another currency");
    assert_eq!(other["money"]["currency"], "EUR");
    let month = |plan: &Value| plan["money"]["perMonth"].as_f64().expect("a number");
    assert!((month(&plan) - 2.0 * month(&other)).abs() < 1e-6);
    let total = plan["totalCost"].as_f64().expect("a number");
    assert!((month(&plan) - total * 7.3).abs() < 1e-6);
    for by in ["byClass", "byModel"] {
        let shares = plan["money"][by].as_array().expect("a list");
        let sum: f64 = shares.iter().filter_map(|s| s["perHour"].as_f64()).sum();
        assert!((sum * 100.0 - total).abs() < 1e-6, "{by}");
    }
}

#[test]
fn the_field_case_of_weights_that_do_not_fit() {
    let path = Path::new("../shared/reference/field/12-nofit.json");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let output = isocost(&["plan", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("`llama-70b` on `L4`") && said.contains("4 in fp8"), "{said}");
}
