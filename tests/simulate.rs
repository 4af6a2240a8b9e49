//! `isocost simulate` end to end.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary runs")
}

fn json(args: &[&str]) -> serde_json::Value {
    let output = isocost(&[args, &["--format", "json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {error}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const QUICK: [&str; 4] = ["simulate", "data/quickstart.yaml", "--requests", "300"];
const REPLICA: [&str; 12] = [
    "simulate", "replica", "--alpha", "8", "--beta", "0.1", "--gamma", "1e-6", "--batch", "16",
    "--output", "100",
];

#[test]
fn a_plan_is_simulated_and_its_objectives_are_checked() {
    let result = json(&QUICK);
    let replicas = result["replicas"].as_array().expect("a list");
    assert_eq!(replicas.len(), 3);
    for replica in replicas {
        assert_eq!(replica["arrived"], 3000);
        assert_eq!(replica["steady"], true);
        for latency in ["wait", "ttft", "itl"] {
            let simulated = &replica[latency]["mean"]["simulated"];
            assert!(simulated["value"].as_f64().expect("observed") > 0.0, "{latency}");
            assert!(simulated["halfWidth"].as_f64().expect("an interval") > 0.0, "{latency}");
        }
        assert_eq!(replica["itl"]["objective"]["verdict"], "holds");
    }
    let table = isocost(&QUICK);
    assert_eq!(table.status.code(), Some(0));
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(text.contains("6 of 6 objectives hold in simulation"), "{text}");
    assert!(stderr(&table).is_empty(), "no progress in a pipe: {}", stderr(&table));
}

#[test]
fn a_saved_plan_is_simulated_as_it_is_or_refused() {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let out = dir.path().display().to_string();
    let save = |more: &[&str]| {
        let args = [&["plan", "data/quickstart.yaml", "--out", &out][..], more].concat();
        assert_eq!(isocost(&args).status.code(), Some(0));
    };
    save(&[]);
    let given = [&QUICK[..], &["--plan", &out]].concat();
    assert_eq!(json(&given), json(&QUICK));
    let more = [&given[..], &["--capacity-scale", "0.2"]].concat();
    let refused = isocost(&more);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("the plan does not hold here"), "{}", stderr(&refused));
    save(&["--batch", "max"]);
    let refused = isocost(&given);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("where sizing takes"), "{}", stderr(&refused));
    let path = dir.path().join("plan.json");
    let text = std::fs::read_to_string(&path).expect("it was written");
    std::fs::write(&path, text.replace("\"L40S\"", "\"T4\"")).expect("there is room");
    assert!(stderr(&isocost(&given)).contains("`T4` cannot serve it"));
}

#[test]
fn the_seed_decides_the_result_and_one_server_is_as_it_is_among_all() {
    let all = json(&QUICK);
    assert_eq!(all, json(&QUICK));
    assert_ne!(all["replicas"], json(&[&QUICK[..], &["--seed", "2"]].concat())["replicas"]);
    let name = all["replicas"][1]["server"].as_str().expect("a name");
    let one = json(&[&QUICK[..], &["--server", name]].concat());
    assert_eq!(one["replicas"][0], all["replicas"][1]);
}

#[test]
fn a_replica_alone_and_an_overloaded_one() {
    let light = json(&[&REPLICA[..], &["--rate", "1", "--requests", "200"]].concat());
    let itl = &light["replicas"][0]["itl"]["mean"];
    let (predicted, simulated) = (&itl["predicted"], &itl["simulated"]["value"]);
    let off = predicted.as_f64().expect("a number") / simulated.as_f64().expect("a number");
    assert!((off - 1.0).abs() < 0.02, "{itl}");
    let flooded = json(&[&REPLICA[..], &["--rate", "6000", "--requests", "500"]].concat());
    assert_eq!(flooded["replicas"][0]["steady"], false);
    assert!(flooded["replicas"][0]["wait"]["mean"]["predicted"].is_null());
}

#[test]
fn a_trace_is_served_to_its_last_request() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.csv");
    let rows: String =
        (0..400).map(|i| format!("{},{},{}\n", i, 50 + i % 7, 40 + i % 90)).collect();
    std::fs::write(&path, format!("arrival_s,input_tokens,output_tokens\n{rows}")).expect("a file");
    let path = path.display().to_string();
    let alone = json(&[&REPLICA[..], &["--trace", &path, "--warmup", "0"]].concat());
    assert_eq!(alone["replicas"][0]["arrived"], 400);
    assert_eq!(alone["replicas"][0]["ratePerSecond"], 1.0);
    let server = "premium-llama-3.1-8b";
    let planned =
        json(&[&QUICK[..], &["--server", server, "--trace", &path, "--warmup", "0"]].concat());
    let arrived = planned["replicas"].as_array().expect("a list").iter().map(|r| &r["arrived"]);
    assert_eq!(arrived.map(|n| n.as_u64().expect("a count")).sum::<u64>(), 400);
}

#[test]
fn a_run_may_go_by_the_simulated_clock() {
    let args =
        [&REPLICA[..], &["--rate", "60", "--duration", "10min", "--replications", "4"]].concat();
    let result = json(&args);
    assert!(result["requests"].is_null());
    assert_eq!(result["durationSeconds"], 600.0);
    let arrived = result["replicas"][0]["arrived"].as_f64().expect("a number");
    // 2400 on average; Poisson arrivals are off by four deviations once in 16,000 seeds.
    assert!((arrived - 2400.0).abs() < 4.0 * 2400.0_f64.sqrt(), "{arrived}");
    assert_ne!(arrived, 2400.0, "time is fixed, not the number of requests");
    assert_eq!(result, json(&args));
    let planned = json(&["simulate", "data/quickstart.yaml", "--duration", "15min"]);
    for replica in planned["replicas"].as_array().expect("a list") {
        let (arrived, rate) = (&replica["arrived"], &replica["ratePerSecond"]);
        let expected = 9000.0 * rate.as_f64().expect("a number");
        let off = arrived.as_f64().expect("a number") - expected;
        assert!(off.abs() < 4.0 * expected.sqrt(), "{replica}");
    }
    let short = isocost(&["simulate", "data/quickstart.yaml", "--duration", "1s"]);
    assert_eq!(short.status.code(), Some(2));
    assert_eq!(
        stderr(&short).matches("--duration: in 1 s a replica of").count(),
        3,
        "{}",
        stderr(&short)
    );
    for more in [["--requests", "100"], ["--trace", "none.csv"]] {
        let both = isocost(&[&args[..], &more].concat());
        assert_eq!(both.status.code(), Some(2), "{more:?}");
    }
    let unit = isocost(&[&REPLICA[..], &["--rate", "60", "--duration", "10 fortnights"]].concat());
    assert!(stderr(&unit).contains("expected a length of time such as 1h"), "{}", stderr(&unit));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.csv");
    std::fs::write(&path, "arrival_s,input_tokens,output_tokens\n1,x,1\n0,1,0\n").expect("a file");
    let name = path.display().to_string();
    let bad = isocost(&[&REPLICA[..], &["--trace", &name]].concat());
    assert_eq!(bad.status.code(), Some(2));
    assert!(stderr(&bad).contains("trace.csv:2: input_tokens is `x`"), "{}", stderr(&bad));
    assert!(stderr(&bad).contains("trace.csv:3: output_tokens is `0`"), "{}", stderr(&bad));
    let unknown = isocost(&[&QUICK[..], &["--server", "nobody"]].concat());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("`nobody`"), "{}", stderr(&unknown));
    let small = isocost(&[&REPLICA[..], &["--rate", "1", "--token-budget", "8"]].concat());
    assert_eq!(small.status.code(), Some(2));
    assert!(stderr(&small).contains("batch size 16"), "{}", stderr(&small));
    assert_eq!(isocost(&["simulate"]).status.code(), Some(2));
}

#[test]
fn without_a_plan_there_is_nothing_to_simulate() {
    let output = isocost(&[&QUICK[..], &["--capacity-scale", "0.01"]].concat());
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("no plan to simulate"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args([&REPLICA[..], &["--rate", "100", "--requests", "100000000"]].concat())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // Long enough to have set its handler: before that a signal ends any process.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().expect("a signal is sent");
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
}
