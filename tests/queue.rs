//! `isocost analyze` and `isocost size` end to end.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

#[test]
fn cases_are_computed_anew() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/queue-cases.csv");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let output = isocost(&["analyze", "--cases", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(0));
    let mut given = csv::Reader::from_path(&path).expect("it is there");
    let mut got = csv::Reader::from_reader(output.stdout.as_slice());
    let itl =
        |r: csv::StringRecord| r.get(16).and_then(|t| t.parse::<f64>().ok()).expect("a number");
    let pairs = given.records().zip(got.records());
    let errors = pairs.map(|(a, b)| {
        let (a, b) = (itl(a.expect("a row")), itl(b.expect("a row")));
        (a - b).abs() / a
    });
    let errors: Vec<f64> = errors.collect();
    assert_eq!(errors.len(), 60);
    assert!(errors.iter().all(|e| *e < 1e-6));
}

const STATION: [&str; 10] =
    ["--alpha", "20", "--beta", "0.04", "--gamma", "0.001", "--input", "128", "--output", "256"];

#[test]
fn sizing_then_analysing_meets_the_objective() {
    let size = [&["size"], &STATION[..], &["--max-batch", "48", "--itl", "30", "--format", "json"]]
        .concat();
    let sized: serde_json::Value = serde_json::from_slice(&isocost(&size).stdout).expect("JSON");
    // At the largest batch it is the objective that binds, not the service rate.
    let batch = 48;
    let rate =
        sized["batches"][batch as usize - 1]["arrival_rate_rps"].as_f64().expect("a rate") * 60.0;
    let itl_at = |rate: f64| {
        let (batch, rate) = (batch.to_string(), rate.to_string());
        let analyze =
            [&["analyze"], &STATION[..], &["--batch", &batch, "--rate", &rate, "--format", "json"]]
                .concat();
        let analysis: serde_json::Value =
            serde_json::from_slice(&isocost(&analyze).stdout).expect("JSON");
        analysis["itl_ms"].as_f64().expect("a number")
    };
    assert!(itl_at(rate) <= 30.0 * (1.0 + 1e-9));
    assert!(itl_at(rate * 1.001) > 30.0);
}

#[test]
fn overload_and_unreachable_objectives_say_so() {
    let overload =
        isocost(&[&["analyze"], &STATION[..], &["--batch", "4", "--rate", "1e6"]].concat());
    assert_eq!(overload.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&overload.stderr).contains("no steady state"));
    let hopeless =
        isocost(&[&["size"], &STATION[..], &["--max-batch", "4", "--itl", "1"]].concat());
    assert_eq!(hopeless.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&hopeless.stdout).contains("ITL is at best"));
}
