//! `isocost profile`, and what becomes of profiles whose weights cannot fit.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn refused(args: &[&str]) -> String {
    let output = isocost(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    text(&output.stderr)
}

/// A scenario with one profile, `more` among its fields.
fn scenario(directory: &Path, memory_gb: f64, profile: &str) -> String {
    let path = directory.join("scenario.json");
    let text = format!(
        r#"{{"acceleratorData": {{"accelerators": [{{"name": "A", "memSize": {memory_gb}, "cost": 100}}]}},
            "modelData": {{"models": [{{{profile}, "acc": "A", "maxBatchSize": 8, "atTokens": 512,
                "decodeParms": {{"alpha": 20, "beta": 0.5}}}}]}},
            "serviceClassData": {{"serviceClasses": [{{"name": "Free", "priority": 1,
                "modelTargets": [{{"model": "{}", "slo-itl": 500}}]}}]}},
            "serverData": {{"servers": [{{"name": "s", "model": "{}", "currentAlloc": {{"load":
                {{"arrivalRate": 3, "avgInTokens": 0, "avgOutTokens": 128}}}}}}]}}}}"#,
        model(profile),
        model(profile)
    );
    std::fs::write(&path, text).expect("the directory is ours");
    path.display().to_string()
}

fn model(profile: &str) -> &str {
    profile.split('"').nth(3).expect("the profile names its model first")
}

#[test]
fn an_entry_is_printed_with_what_limits_it() {
    let output = isocost(&["profile", "qwen3-32b", "--on", "h100-sxm", "--tp", "2"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = text(&output.stdout);
    for part in [
        "rooflineParms:",
        "kvTokens:",
        "accCount: 2",
        "provenance: \"estimated\"",
        "# memory",
        "# cache",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = isocost(&["profile", "qwen3-32b", "--on", "H100", "--tp", "2", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json[0]["precision"], "bf16");
}

#[test]
fn problems_are_told_all_at_once_with_what_to_do() {
    let both = refused(&["profile", "qwen3-23b", "--on", "H10"]);
    assert!(
        both.contains("did you mean `qwen3-32b`") && both.contains("unknown card `H10`"),
        "{both}"
    );
    let no_fit = refused(&["profile", "llama-3.1-70b", "--on", "L4", "--tp", "1"]);
    assert!(no_fit.contains("--tp 8 in bf16") && no_fit.contains("--tp 4 in fp8"), "{no_fit}");
    let split = refused(&["profile", "qwen3-8b", "--on", "H100", "--tp", "5"]);
    assert!(split.contains("32 heads do not split over tp 5"), "{split}");
    let dense = refused(&["profile", "qwen3-8b", "--on", "H100", "--dp", "2"]);
    assert!(dense.contains("mixture"), "{dense}");
    let experts = refused(&["profile", "deepseek-r1", "--on", "H200", "--tp", "8", "--ep", "3"]);
    assert!(experts.contains("--ep 8"), "{experts}");
    refused(&["profile", "deepseek-r1", "--on", "H200", "--precision", "fp7"]);
    refused(&["profile", "/nowhere/config.json", "--on", "H200"]);
    refused(&["profile", "qwen3-8b", "--on", "H100", "--catalogue", "/nowhere"]);
}

#[test]
fn a_directory_of_tables_takes_the_place_of_the_built_in_ones() {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let header = "name,aliases,vendor,family,memory_gb,usable_gb,bandwidth_gb_per_s,bf16_tflops,fp8_tflops,\
                  fp4_tflops,link,link_gb_per_s,node_cards,tdp_w,source,checked\n";
    let row = "Own,,NVIDIA,Hopper,80,,3000,900,,,NVLink,400,8,700,ours,2026-11-27\n";
    std::fs::write(dir.path().join("cards.csv"), format!("{header}{row}")).expect("ours");
    let path = dir.path().display().to_string();
    let own = isocost(&["profile", "qwen3-8b", "--on", "own", "--catalogue", &path]);
    assert_eq!(own.status.code(), Some(0), "{own:?}");
    let gone = refused(&["profile", "qwen3-8b", "--on", "H100", "--catalogue", &path]);
    assert!(gone.contains("unknown card `H100`"), "{gone}");
    let bad = "Bad,,NVIDIA,Hopper,,,x,900,,,NVLink,400,8,700,,2026-11-27\n";
    std::fs::write(dir.path().join("cards.csv"), format!("{header}{bad}")).expect("ours");
    let wrong = refused(&["profile", "qwen3-8b", "--on", "Bad", "--catalogue", &path]);
    for part in ["cards.csv:2", "memory_gb", "`x` is no number", "source"] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
}

#[test]
fn the_catalogue_is_listed_with_its_sources() {
    let listed = isocost(&["profile", "--list"]);
    let text = text(&listed.stdout);
    for part in ["H100", "MI355X", "Gaudi3", "TPU-v6e", "Trainium2", "kimi-k2.5", "2026-11-27"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn weights_that_cannot_fit_are_refused_with_the_least_that_holds_them() {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let plan = |memory_gb, profile: &str| {
        isocost(&["plan", &scenario(dir.path(), memory_gb, profile), "--no-cost-range"])
    };
    for (memory_gb, profile, least) in [
        (24.0, r#""name": "llama-70b""#, "8 in bf16, 4 in fp8, 2 in int4"),
        (24.0, r#""name": "deepseek-r1", "accCount": 8"#, "64 in bf16, 32 in fp8, 16 in int4"),
        (24.0, r#""name": "our-own-90b""#, "16 in bf16, 8 in fp8, 4 in int4"),
        (24.0, r#""name": "mixtral-8x7b", "precision": "bf16""#, "8 in bf16"),
        (24.0, r#""name": "qwen3-32b-fp8""#, "2 in fp8"),
        (24.0, r#""name": "secret", "weightsGB": 30"#, "accCount 2"),
    ] {
        let output = plan(memory_gb, profile);
        assert_eq!(output.status.code(), Some(2), "{profile}: {output:?}");
        let said = text(&output.stderr);
        assert!(said.contains(least) && said.contains(" GB"), "{profile}: {said}");
    }
    for (memory_gb, profile) in [
        (80.0, r#""name": "llama-70b", "precision": "fp8""#),
        (48.0, r#""name": "llama-70b-awq""#),
        (24.0, r#""name": "llama-70b", "accCount": 8"#),
        (0.0, r#""name": "llama-70b""#),
        (24.0, r#""name": "secret""#),
        (24.0, r#""name": "secret", "weightsGB": 20"#),
    ] {
        let output = plan(memory_gb, profile);
        assert_eq!(output.status.code(), Some(0), "{profile}: {output:?}");
        assert!(output.stderr.is_empty(), "{profile}: {}", text(&output.stderr));
    }
    let odd = plan(80.0, r#""name": "llama-70b""#);
    assert_eq!(odd.status.code(), Some(0));
    assert!(text(&odd.stderr).contains("state precision"), "{odd:?}");
}
