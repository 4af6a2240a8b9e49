//! `isocost demand` end to end: a trace becomes a profile, and the profile a plan over time.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(args)
        .current_dir(root)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[test]
fn a_published_trace_becomes_a_plan_over_time() {
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    let path = |name: &str| directory.path().join(name).display().to_string();
    // Two hours of a request every two seconds, and a night of one a minute.
    let row = |s: u32| {
        format!("2024-05-10 {:02}:{:02}:{:02}+00:00,500,100\r\n", s / 3600, s / 60 % 60, s % 60)
    };
    let rows: String = (0..7200).step_by(2).chain((7200..14_400).step_by(60)).map(row).collect();
    std::fs::write(path("azure.csv"), format!("TIMESTAMP,ContextTokens,GeneratedTokens\r\n{rows}"))
        .expect("it is ours");
    let server = "premium-llama-3.1-8b";
    let made =
        isocost(&["demand", &path("azure.csv"), "--server", server, "--out", &path("profile.csv")]);
    assert_eq!((made.status.code(), text(&made.stderr)), (Some(0), String::new()));
    let profile = std::fs::read_to_string(path("profile.csv")).expect("it was written");
    let rows: Vec<&str> = profile.lines().collect();
    assert_eq!(rows.len(), 5, "{profile}");
    assert_eq!(rows[1], format!("2024-05-10 00:00,1,{server},30,500,100,0,0,0"));
    assert!(rows[4].starts_with(&format!("2024-05-10 03:00,1,{server},1.")), "{profile}");
    let planned = isocost(&[
        "horizon",
        "data/quickstart",
        "--profile",
        &path("profile.csv"),
        "--reserved",
        "0.6",
        "--no-compare",
    ]);
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned.stderr));
    let printed =
        isocost(&["profile-load", &path("azure.csv"), "--period", "30min", "--fold", "day"]);
    assert_eq!(text(&printed.stdout).lines().count(), 9, "a header and eight half hours");
    let bad = isocost(&["demand", &path("azure.csv"), "--period", "7h", "--fold", "day"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("no whole number of periods"), "{}", text(&bad.stderr));
}
