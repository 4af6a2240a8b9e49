//! `isocost fit` end to end, and a plan made from what it found.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use isocost_calibration::{Arrivals, Bench, Family, Point, predict};

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// A CSV of points that a linear replica would show, off by up to 2%.
fn bench(directory: &Path) -> PathBuf {
    let model = Family::Linear.model(&[12.0, 0.2, 20.0, 2e-4]);
    let bench = Bench { batch: 64, ..Bench::default() };
    let header =
        "sweep,request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms";
    let mut csv = header.to_owned();
    let mut count = 0_u32;
    for (input_tokens, output_tokens) in [(1000.0, 200.0), (200.0, 400.0), (500.0, 60.0)] {
        for rate_per_s in [0.3, 0.8, 1.6, 2.5, 3.5] {
            let sweep = format!("i{input_tokens}-o{output_tokens}");
            let arrivals = Arrivals::POISSON;
            let point =
                Point::new(sweep.clone(), arrivals, rate_per_s, input_tokens, output_tokens);
            let p = predict(model, &bench, &point).expect("the model is sound");
            count += 1;
            let off = |k: u32| 1.0 + 0.02 * (f64::from(count * k % 11) / 5.0 - 1.0);
            let (ttft, itl) = (p.ttft_ms * off(5), p.itl_ms * off(7));
            csv += &format!("\n{sweep},{rate_per_s},{input_tokens},{output_tokens},{ttft},{itl}");
        }
    }
    let path = directory.join("bench.csv");
    std::fs::write(&path, csv).expect("the directory is ours");
    path
}

/// A scenario with `profile` as the only one, in files under `directory`.
fn scenario(directory: &Path, profile: &str) -> PathBuf {
    let text = format!(
        r#"{{"acceleratorData": {{"accelerators": [{{"name": "A", "cost": 100}}]}},
            "modelData": {{"models": [{profile}]}},
            "serviceClassData": {{"serviceClasses": [{{"name": "Free", "priority": 1,
                "modelTargets": [{{"model": "m", "slo-itl": 16, "slo-ttft": 200}}]}}]}},
            "serverData": {{"servers": [{{"name": "s", "model": "m", "currentAlloc": {{"load":
                {{"arrivalRate": 60000, "avgInTokens": 500, "avgOutTokens": 200}}}}}}]}}}}"#
    );
    let path = directory.join("scenario.json");
    std::fs::write(&path, text).expect("the directory is ours");
    path
}

fn planned(scenario: &Path, more: &[&str]) -> (String, serde_json::Value) {
    let path = scenario.display().to_string();
    let table = isocost(&[&["plan", path.as_str()], more].concat());
    let json = isocost(&[&["plan", path.as_str(), "--format", "json"], more].concat());
    let json = serde_json::from_slice(&json.stdout).expect("the plan is JSON");
    (text(&table.stdout), json)
}

#[test]
fn a_fit_goes_into_a_plan_and_its_error_into_the_cost() {
    let directory = tempfile::tempdir().expect("a directory");
    let (csv, entry) = (bench(directory.path()), directory.path().join("entry.json"));
    let plots = directory.path().join("plots");
    let [csv, entry, plots] = [&csv, &entry, &plots].map(|p| p.display().to_string());
    let arguments = [
        "fit",
        &csv,
        "--service",
        "linear",
        "--max-batch",
        "64",
        "--model",
        "m",
        "--acc",
        "A",
        "--out",
        &entry,
        "--plots",
        &plots,
    ];
    let output = isocost(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("15 points in 3 sweeps, 15 fitted"), "{table}");
    for name in ["residuals", "itl", "ttft"] {
        let read = |extension: &str| {
            let path = Path::new(&plots).join(name).with_extension(extension);
            std::fs::read(path).expect("it was written")
        };
        assert!(read("svg").starts_with(b"<svg") && read("png").starts_with(b"\x89PNG"), "{name}");
    }
    assert_eq!(isocost(&arguments).stdout, output.stdout, "the same seed gives the same fit");

    let profile = std::fs::read_to_string(&entry).expect("it was written");
    let path = scenario(directory.path(), &profile);
    let (table, json) = planned(&path, &[]);
    let first = table.lines().next().unwrap_or("");
    assert!(
        first.starts_with("calibrated: 1 of 1 service profiles, mean error at most"),
        "{table}"
    );
    assert!(table.contains("over the calibration's 95% region"), "{table}");
    assert!(text(&isocost(&["plan", &path.display().to_string()]).stderr).is_empty());
    let cost = json["totalCost"].as_f64().expect("a cost");
    let range = &json["trust"]["costRange"];
    let end = |name: &str| range[name].as_f64().expect("a cost");
    assert!(end("optimistic") < cost && cost < end("pessimistic"), "{cost}: {range}");
    assert!(end("pessimistic") < 1.3 * cost, "{cost}: {range}");

    let (table, json) = planned(&path, &["--no-cost-range"]);
    assert!(!table.contains("region"), "{table}");
    assert!(json["trust"].get("costRange").is_none());
}

#[test]
fn an_estimated_plan_says_so_first() {
    let directory = tempfile::tempdir().expect("a directory");
    let profile = r#"{"name": "m", "acc": "A", "maxBatchSize": 64, "atTokens": 200,
        "decodeParms": {"alpha": 12, "beta": 0.2}, "prefillParms": {"gamma": 20, "delta": 2e-4},
        "provenance": "estimated"}"#;
    let (table, json) = planned(&scenario(directory.path(), profile), &[]);
    assert!(
        table.starts_with("estimated: 1 of 1 service profiles come from data sheets"),
        "{table}"
    );
    assert_eq!(json["trust"]["estimated"], 1);
}

#[test]
fn bad_points_are_listed_and_nothing_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let (csv, out) = (directory.path().join("bad.csv"), directory.path().join("entry.json"));
    let rows = "request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms\n\
                1,10,10,x,1\n2,10,10,1,-1\n";
    std::fs::write(&csv, rows).expect("the directory is ours");
    let [csv, out] = [&csv, &out].map(|p| p.display().to_string());
    let output = isocost(&["fit", &csv, "--out", &out]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("bad.csv:2:9") && said.contains("bad.csv:3:11"), "{said}");
    assert!(!Path::new(&out).exists());

    let few = rows.replace('x', "20").replace("-1", "2");
    std::fs::write(&csv, few).expect("the directory is ours");
    let output = isocost(&["fit", &csv, "--service", "roofline"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("measure more points"), "{}", text(&output.stderr));
}

#[test]
fn our_own_benchmark_is_fitted_to_what_made_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = root.join("data/benchmarks/simulated.csv").display().to_string();
    let output = isocost(&["fit", &bench, "--max-batch", "64", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let fit: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let parameters = fit["parameters"].as_array().expect("a list");
    // As data/benchmarks/derive.py has them; beta and lag are not told apart from others.
    let truth = [
        ("alpha", 22.0, 0.01),
        ("gamma", 2e-4, 0.15),
        ("delta", 0.058, 0.1),
        ("hidden", 180.0, 0.1),
    ];
    for (name, truth, off) in truth {
        let found = parameters.iter().find(|p| p["name"] == name).expect("it is fitted");
        let found = found["value"].as_f64().expect("a number");
        assert!((found / truth - 1.0).abs() < off, "{name}: {found}");
    }
}
