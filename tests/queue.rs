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

#[test]
fn the_cases_are_met_to_the_digits_they_have() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/queue-cases.csv");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let path = path.display().to_string();
    let output = isocost(&["analyze", "--cases", &path, "--compare", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 10);
    for row in rows {
        let median = row["median_relative_error"].as_f64().expect("a number");
        assert!(median < 5e-10, "{row}");
        // The cases' own waits next to 0 are differences, good to some 1e-11 ms.
        let largest = row["largest_relative_error"].as_f64().expect("a number");
        assert!(largest < 5e-10 || row["column"] == "mean_wait_ms", "{row}");
    }
    let wrong = std::env::temp_dir().join(format!("isocost-cases-{}.csv", std::process::id()));
    std::fs::write(&wrong, "service_model,alpha_ms\nlinear,1\n").expect("a file");
    let output = isocost(&["analyze", "--cases", &wrong.display().to_string()]);
    std::fs::remove_file(&wrong).expect("it is there");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(" beta_ms,") && said.contains(" max_queue,"), "{said}");
}

const FLEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/quickstart.yaml");

/// The first server of the example.
fn server() -> String {
    let text = std::fs::read_to_string(FLEET).expect("the example is there");
    let (_, servers) = text.split_once("servers:").expect("it has servers");
    let (_, name) = servers.split_once("name:").expect("they have names");
    name.split([',', '\n', '}']).next().expect("a name").trim().trim_matches('"').to_owned()
}

#[test]
fn a_server_of_a_scenario_is_sized_and_analysed_alike() {
    // A root is sought to that width: of an engine's rate 1e-7 (`queue/engine/size.rs`), from two sides.
    for (reading, width) in [("reference", 1e-9), ("engine", 2e-7)] {
        sized_and_analysed_alike(reading, width);
    }
}

fn sized_and_analysed_alike(reading: &str, width: f64) {
    let server = server();
    let server = ["--server", &server, "--reading", reading];
    let of = |command: &str| {
        let output = isocost(&[&[command, FLEET, "--format", "json"][..], &server].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let (sized, analysed) = (of("size"), of("analyze"));
    let (sized, analysed) =
        (sized.as_array().expect("a list"), analysed.as_array().expect("a list"));
    assert_eq!(sized.len(), analysed.len());
    let mut served = 0;
    for (a, b) in sized.iter().zip(analysed) {
        assert_eq!(a["accelerator"], b["accelerator"]);
        let Some(best) = a["best_batch"].as_u64() else {
            assert!(b["reason"].is_string(), "{b}");
            continue;
        };
        served += 1;
        assert_eq!(b["batch"].as_u64(), Some(best));
        let rate = a["batches"][best as usize - 1]["arrival_rate_rps"].as_f64().expect("a rate");
        let at = b["arrival_rate_rps"].as_f64().expect("a rate");
        assert!((rate / at - 1.0).abs() < width, "{rate} {at}");
    }
    assert!(served > 0);
    let csv = isocost(&[&["size", FLEET, "--format", "csv"][..], &server].concat()).stdout;
    let best = String::from_utf8_lossy(&csv).lines().filter(|l| l.contains(",true,")).count();
    assert_eq!(best, served);
}

#[test]
fn every_wrong_name_is_said_at_once() {
    let server = server();
    let near = format!("{server}x");
    let output = isocost(&["analyze", FLEET, "--server", &near, "--accelerator", "H10O"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("did you mean `{server}`?")), "{said}");
    assert!(said.contains("there is no accelerator `H10O`"), "{said}");
    let both = isocost(&["size", FLEET, "--server", &server, "--alpha", "3"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn pictures_are_drawn_or_refused_before_any_work() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (svg, png, wrong) = (at("latency.svg"), at("states.png"), at("latency.gif"));
    let point = [&["analyze"], &STATION[..], &["--batch", "16", "--rate", "60"]].concat();
    let plots = ["--itl", "30", "--plot", &svg, "--plot-occupancy", &png];
    let drawn = isocost(&[&point[..], &plots].concat());
    assert_eq!(drawn.status.code(), Some(0), "{}", String::from_utf8_lossy(&drawn.stderr));
    let text = std::fs::read_to_string(&svg).expect("it was written");
    assert!(text.starts_with("<svg") && text.contains("objective: mean 30 ms"));
    assert!(std::fs::read(&png).expect("it was written").starts_with(b"\x89PNG"));
    let refused = isocost(&[&point[..], &["--plot", &wrong]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty() && !Path::new(&wrong).exists());
    let curve = at("rates.png");
    let size = ["size", "--max-batch", "32", "--ttft", "500", "--plot", &curve];
    assert_eq!(isocost(&[&size[..], &STATION].concat()).status.code(), Some(0));
    assert!(std::fs::read(&curve).expect("it was written").starts_with(b"\x89PNG"));
}
