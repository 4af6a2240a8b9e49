//! The command line end to end: figures, exit codes, files, and bad input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path in the reference data, or `None`, saying so, where it is missing.
fn reference(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/reference").join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn plan_json(args: &[&str]) -> serde_json::Value {
    let output = isocost(&[&["plan"], args, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)))
}

/// Flags under which the reference figures hold.
const FLAGS: [&str; 2] = ["--reading", "reference"];

#[test]
fn the_reading_of_the_reference_takes_its_three_flags_and_no_others() {
    let path = root().join("data/fleet-27").display().to_string();
    let apart = ["--max-queue", "0", "--max-loss", "1", "--batch", "max"];
    let placed =
        |flags: &[&str]| plan_json(&[&[path.as_str()][..], flags].concat())["allocations"].clone();
    let short = placed(&FLAGS);
    assert!(!short.is_null());
    assert_eq!(short, placed(&[&FLAGS[..], &apart].concat()));
    // The flags alone are those of engines without a queue.
    assert_ne!(short, placed(&apart));
    assert_ne!(short, placed(&[]));
    for contradiction in [
        ["--max-queue", "5"],
        ["--max-loss", "0.001"],
        ["--batch", "best"],
        ["--batch-tolerance", "0.02"],
    ] {
        let output = isocost(&[&["plan", &path][..], &FLAGS, &contradiction].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(contradiction[0]) && said.contains("leave out one"), "{said}");
    }
}

/// Design, section 5: exact figures of `single`, cents/h.
const SINGLE: [(&str, &str, Option<f64>); 5] = [
    ("small", "1", Some(22_564.0)),
    ("large", "1", Some(21_161.0)),
    ("small", "0.75", Some(23_020.0)),
    ("large", "0.75", Some(22_328.0)),
    ("large", "0.5", None),
];

#[test]
fn single_gives_the_reference_figures_from_every_backend() {
    for (name, scale, cost) in SINGLE {
        let Some(path) = reference(name) else { return };
        let path = path.display().to_string();
        for backend in isocost_solver::backends() {
            let own = [
                path.as_str(),
                "--capacity-scale",
                scale,
                "--backend",
                backend,
                "--formulation",
                "single",
            ];
            let plan = plan_json(&[&own[..], &FLAGS].concat());
            match cost {
                Some(cost) => {
                    assert_eq!(plan["status"], "optimal", "{name} x {scale} by {backend}");
                    assert_eq!(plan["totalCost"], cost, "{name} x {scale} by {backend}");
                }
                None => assert_eq!(plan["status"], "infeasible", "{name} x {scale} by {backend}"),
            }
        }
    }
}

/// Design, section 5: exact figures of `mixed`, cents/h.
const MIXED: [(&str, &str, Option<f64>); 5] = [
    ("small", "1", Some(22_343.5)),
    ("large", "1", Some(20_653.5)),
    ("small", "0.75", Some(22_759.5)),
    ("large", "0.75", Some(21_797.5)),
    ("large", "0.5", None),
];

#[test]
fn mixed_gives_the_reference_figures() {
    for (name, scale, cost) in MIXED {
        let Some(path) = reference(name) else { return };
        let path = path.display().to_string();
        let own = [path.as_str(), "--capacity-scale", scale, "--formulation", "mixed"];
        let plan = plan_json(&[&own[..], &FLAGS].concat());
        match cost {
            Some(cost) => {
                assert_eq!(
                    (&plan["status"], &plan["totalCost"]),
                    (&"optimal".into(), &cost.into())
                );
            }
            None => assert_eq!(plan["status"], "infeasible", "{name} x {scale}"),
        }
    }
}

/// Design, section 5: `make_instances.py K`, exact figures of `single`, and for `mixed` at most the
/// best known before.
#[test]
fn generated_instances_give_the_reference_figures() {
    let Some(generator) = reference("make_instances.py") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    for (k, cost, mixed) in
        [("1", None, None), ("10", Some(271_847.0), Some(269_155.5)), ("37", Some(952_766.0), None)]
    {
        let out = dir.path().join(k);
        let made = Command::new("python3").arg(&generator).arg(k).arg(&out).status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: python3 is not here to make the instances");
            return;
        }
        let path = out.display().to_string();
        for backend in isocost_solver::backends() {
            let plan = plan_json(&[&[path.as_str(), "--backend", backend][..], &FLAGS].concat());
            match cost {
                Some(cost) => {
                    assert_eq!(
                        (&plan["status"], plan["totalCost"].as_f64()),
                        (&"optimal".into(), Some(cost))
                    );
                }
                None => assert_eq!(plan["status"], "infeasible", "K = {k} by {backend}"),
            }
        }
        // microlp is still at it after ten minutes.
        let closes = isocost_solver::backends().contains(&"highs");
        if let Some(known) = mixed.filter(|_| closes) {
            let plan =
                plan_json(&[&[path.as_str(), "--formulation", "mixed"][..], &FLAGS].concat());
            assert_eq!(plan["status"], "optimal");
            assert!(plan["totalCost"].as_f64().expect("a number") <= known);
        }
    }
}

/// Design, section 5: what the heuristic costs, or that it leaves servers out.
#[test]
fn greedy_gives_the_reference_figures() {
    for (name, scale, cost) in [
        ("small", "1", Some(25_826.0)),
        ("large", "1", Some(21_855.0)),
        ("small", "0.75", Some(24_020.0)),
        ("large", "0.75", None),
        ("large", "0.5", None),
    ] {
        let Some(path) = reference(name) else { return };
        let path = path.display().to_string();
        let own = [path.as_str(), "--capacity-scale", scale, "--formulation", "greedy"];
        let plan = plan_json(&[&own[..], &FLAGS].concat());
        match cost {
            Some(cost) => assert_eq!(plan["totalCost"], cost, "{name} x {scale}"),
            None => assert_eq!(plan["status"], "unknown", "{name} x {scale}"),
        }
    }
}

#[test]
fn unlimited_gives_the_reference_figures() {
    for (name, cost) in [("small", 21_252.0), ("large", 20_439.0)] {
        let Some(path) = reference(name) else { return };
        let path = path.display().to_string();
        let plan = plan_json(&[&[path.as_str(), "--unlimited"][..], &FLAGS].concat());
        assert_eq!((&plan["status"], plan["totalCost"].as_f64()), (&"optimal".into(), Some(cost)));
    }
}

#[test]
fn example_scenarios_have_proven_plans() {
    for name in ["data/quickstart", "data/quickstart.yaml", "data/fleet-27"] {
        let path = root().join(name).display().to_string();
        let plan = plan_json(&[&path]);
        assert_eq!(plan["status"], "optimal", "{name}");
        assert!(plan["gap"].as_f64().expect("a number") <= 1e-6);
    }
}

#[test]
fn json_and_yaml_are_the_same_scenario() {
    let path = |name: &str| root().join(name).display().to_string();
    let (json, yaml) =
        (plan_json(&[&path("data/quickstart")]), plan_json(&[&path("data/quickstart.yaml")]));
    assert_eq!(json["allocations"], yaml["allocations"]);
}

#[test]
fn out_writes_four_files_and_no_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("plan");
    let scenario = root().join("data/quickstart").display().to_string();
    let output = isocost(&["plan", &scenario, "--out", &out.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut names: Vec<_> = std::fs::read_dir(&out)
        .expect("the folder was made")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, ["candidates.csv", "plan.csv", "plan.json", "usage.csv"]);
    let plan = std::fs::read_to_string(out.join("plan.json")).expect("it was written");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["allocations"].as_object().expect("a map").len(), 3);
    let rows = std::fs::read_to_string(out.join("candidates.csv")).expect("it was written");
    assert_eq!(rows.lines().count(), 1 + 3 * 4, "one row a server and accelerator");
}

#[test]
fn a_budget_stands_beside_the_types_with_its_use_and_its_limit() {
    let dir = changed("optimizer-data.json", |text| {
        let budgets = r#"{"budgets": [{"name": "north", "watts": 2500.5, "cards": 9}],"#;
        let (before, optimizer) = text.split_once("\"optimizer\": {").expect("an optimizer");
        format!("{before}\"optimizer\": {}{optimizer}", budgets)
    });
    let (scenario, out) = (dir.path().display().to_string(), dir.path().join("out"));
    let output = isocost(&["plan", &scenario, "--out", &out.display().to_string()]);
    let said = text(&output.stdout);
    let row = |unit: &str| -> Vec<String> {
        let line = said.lines().find(|l| l.contains("north") && l.contains(unit));
        line.unwrap_or_else(|| panic!("{said}")).split_whitespace().map(str::to_owned).collect()
    };
    let plan = plan_json(&[&scenario]);
    let cards: u64 =
        plan["usage"].as_array().expect("a list").iter().filter_map(|u| u["cards"].as_u64()).sum();
    assert_eq!(row("cards")[1..4], ["cards", &cards.to_string(), "9"]);
    assert_eq!(row("watts")[3], "2,500.5");
    let [counted, drawn] = [&plan["budgets"][0], &plan["budgets"][1]];
    assert_eq!((&counted["unit"], &counted["used"]), (&"cards".into(), &cards.into()));
    assert_eq!((&drawn["unit"], &drawn["limit"]), (&"watts".into(), &2500.5.into()));
    let watts = drawn["used"].as_f64().expect("a number");
    assert!(watts > 0.0 && watts <= 2500.5);
    let rows = std::fs::read_to_string(out.join("budgets.csv")).expect("it was written");
    assert_eq!(
        rows,
        format!("budget,unit,used,limit\nnorth,cards,{cards},9\nnorth,watts,{watts},2500.5\n")
    );
    assert_eq!(plan_json(&[&scenario, "--unlimited"])["budgets"], serde_json::json!([]));
}

#[test]
fn no_cost_is_a_plain_zero() {
    let plan = plan_json(&["data/quickstart", "--capacity-scale", "0.2"]);
    assert_eq!(
        (&plan["status"], plan["totalCost"].to_string().as_str()),
        (&"infeasible".into(), "0")
    );
}

#[test]
fn infeasible_is_an_answer_with_its_reason() {
    let dir =
        changed("serviceclass-data.json", |text| text.replace("\"slo-itl\": 40", "\"slo-itl\": 1"));
    let output = isocost(&["plan", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stdout);
    assert!(said.contains("infeasible") && said.contains("ITL is at best"), "{said}");
}

#[test]
fn under_shortage_the_first_priority_is_served_first() {
    let scenario = root().join("data/fleet-27").display().to_string();
    let scaled = [scenario.as_str(), "--capacity-scale", "0.5"];
    assert_eq!(plan_json(&scaled)["status"], "infeasible");
    if !isocost_solver::backends().contains(&"highs") {
        println!("skipped: microlp finds no plan under shortage in its 20 s");
        return;
    }
    for how in ["whole", "partial"] {
        let plan = plan_json(&[&scaled[..], &["--shortage", how, "--time-limit", "20"]].concat());
        let allocations = plan["allocations"].as_object().expect("a map");
        let premium = allocations.iter().filter(|(_, a)| a["class"] == "Premium");
        assert!(premium.clone().count() > 0 && allocations.len() < 27, "{how}");
        let shares = allocations.values().map(|a| a["servedShare"].as_f64().expect("a share"));
        assert!(shares.clone().all(|s| s > 0.0 && s <= 1.0));
        assert!(how == "partial" || shares.clone().all(|s| s > 1.0 - 1e-9), "{how}");
    }
}

#[test]
fn a_pipe_gets_plain_text() {
    let scenario = root().join("data/quickstart").display().to_string();
    let output = isocost(&["plan", &scenario]);
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn loads_replace_those_of_the_scenario() {
    let path = |name: &str| root().join(name).display().to_string();
    let (scenario, loads) = (path("data/quickstart"), path("data/loads/quickstart-evening.csv"));
    let plan = plan_json(&[&scenario, "--loads", &loads]);
    let load = &plan["allocations"]["premium-llama-3.1-8b"]["load"];
    assert_eq!((&load["arrivalRate"], &load["avgInTokens"]), (&240.into(), &512.into()));
}

/// A copy of the quickstart with one file changed.
fn changed(file: &str, change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(root().join("data/quickstart")).expect("it is there") {
        let entry = entry.expect("an entry");
        let mut content = std::fs::read_to_string(entry.path()).expect("UTF-8");
        if entry.file_name() == file {
            let before = content.clone();
            content = change(&content);
            assert_ne!(before, content, "the change to {file} has no effect");
        }
        std::fs::write(dir.path().join(entry.file_name()), content).expect("it can be written");
    }
    dir
}

/// Runs a changed quickstart; it must fail with code 2, write nothing, and say each of `words`.
fn refused(file: &str, from: &str, to: &str, words: &[&str]) {
    let dir = changed(file, |text| text.replacen(from, to, 1));
    let out = dir.path().join("out");
    let scenario = dir.path().display().to_string();
    let output = isocost(&["plan", &scenario, "--out", &out.display().to_string()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!out.exists() && output.stdout.is_empty(), "something was written");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

#[test]
fn bad_input_names_place_problem_and_remedy() {
    let servers = "server-data.json";
    refused(
        servers,
        "\"llama-3.1-8b\"",
        "\"lama-3.1-8b\"",
        &["server-data.json:6:16", "unknown model `lama-3.1-8b`", "did you mean `llama-3.1-8b`?"],
    );
    refused(
        servers,
        "\"Premium\"",
        "\"Premum\"",
        &["unknown service class", "did you mean `Premium`?"],
    );
    refused(servers, "\"arrivalRate\": 120", "\"arrivalRate\": 1e309", &["1e309 is out of range"]);
    refused(
        servers,
        "\"arrivalRate\": 120",
        "\"arrivalRate\": \"many\"",
        &["expected a number, found `many`"],
    );
    refused(servers, "\"premium-qwen2.5-32b\"", "\"premium-llama-3.1-8b\"", &["is defined twice"]);
    let cards = "accelerator-data.json";
    refused(
        cards,
        "\"cost\": 71.0",
        "\"cost\": -71.0",
        &["accelerator `L4`, cost", "-71.0 is out of range"],
    );
    refused(
        cards,
        "\"cost\": 71.0",
        "\"kost\": 71.0",
        &["`cost` is missing", "price of the whole"],
    );
    refused("model-data.json", "\"perfParms\"", "\"perf\"", &["expected one of perfParms"]);
    refused("capacity-data.json", "\"count\": 8", "\"count\": 7.5", &["7.5 is not a whole number"]);
    refused(
        "optimizer-data.json",
        "\"None\"",
        "\"Some\"",
        &["unknown saturationPolicy `Some`", "PriorityExhaustive"],
    );
}

#[test]
fn truncated_json_names_line_and_column() {
    let dir = changed("model-data.json", |text| text[..text.len() / 2].to_owned());
    let output = isocost(&["plan", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("model-data.json:") && said.contains("mend the JSON"), "{said}");
}

#[test]
fn every_problem_is_listed_at_once() {
    let dir = changed("server-data.json", |text| {
        text.replacen("\"llama-3.1-8b\"", "\"x\"", 1).replacen("\"Free\"", "\"Fre\"", 1)
    });
    let file = dir.path().join("accelerator-data.json");
    let cards = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, cards.replacen("\"cost\": 71.0", "\"cost\": -1", 1)).expect("written");
    let output = isocost(&["plan", &dir.path().display().to_string()]);
    let said = text(&output.stderr);
    assert!(said.contains("3 problems in the input"), "{said}");
}

#[test]
fn missing_and_empty_paths_are_refused() {
    for path in ["nowhere", "nowhere.json"] {
        let output = isocost(&["plan", path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("cannot be read"));
    }
    let dir = tempfile::tempdir().expect("a folder");
    let output = isocost(&["plan", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("holds no scenario: no accelerator-data.json"));
}

#[test]
fn a_type_nobody_uses_is_a_warning() {
    let dir = changed("capacity-data.json", |text| {
        text.replacen("[", "[{\"type\": \"TPU\", \"count\": 4},", 1)
    });
    let output = isocost(&["plan", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("no accelerator is of this type"));
}

#[test]
fn bad_arguments_are_refused() {
    let scenario = root().join("data/quickstart").display().to_string();
    for args in [
        vec!["plan", &scenario, "--backend", "gurobi"],
        vec!["plan", &scenario, "--gap", "-1"],
        vec!["plan", &scenario, "--capacity-scale", "nan"],
        vec!["plan", &scenario, "--write-model", "model.txt"],
        vec!["size", "--max-batch", "0"],
    ] {
        assert_eq!(isocost(&args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn infeasible_comes_with_its_reason() {
    let done = isocost(&["plan", "data/quickstart", "--capacity-scale", "0.2"]);
    assert_eq!(done.status.code(), Some(3));
    let text = text(&done.stdout);
    assert!(text.contains("premium-qwen2.5-32b does not fit on 0 H100"), "{text}");
    assert!(text.contains("`isocost explain`"), "{text}");
}

#[test]
fn long_prompts_need_the_card_whose_cache_holds_them() {
    let Some(path) = reference("field/11-kv-in32000.json") else { return };
    let plan = plan_json(&[&path.display().to_string()]);
    let long = &plan["allocations"]["long"];
    assert_eq!((&long["accelerator"], &long["numReplicas"]), (&"H100".into(), &1.into()), "{plan}");
    assert_eq!(plan["totalCost"].as_f64(), Some(688.0));
    let said = plan["notes"].to_string();
    assert!(said.contains("1 of 1 placements state no kvTokens"), "{said}");
}

#[test]
fn names_with_units_stand_beside_the_reference_s_and_headroom_beside_utilisation() {
    let plan = plan_json(&["data/quickstart", "--formulation", "mixed"]);
    assert_eq!(plan["totalCostCentsPerHour"], plan["totalCost"]);
    assert_eq!(plan["boundCentsPerHour"], plan["bound"]);
    let pairs = [("cost", "costCentsPerHour"), ("itlAverage", "itlMs"), ("ttftAverage", "ttftMs")];
    let of_part = [("itlP95", "itlP95Ms"), ("ttftP95", "ttftP95Ms"), ("waitAverage", "waitMs")];
    let allocations = plan["allocations"].as_object().expect("servers");
    assert!(!allocations.is_empty());
    for allocation in allocations.values() {
        let parts = allocation["parts"].as_array().expect("parts");
        let least = parts.iter().filter_map(|part| part["headroom"].as_f64());
        let least = least.fold(f64::INFINITY, f64::min);
        assert!(least >= 1.0 && allocation["headroom"].as_f64() == Some(least), "{allocation}");
        assert!(allocation["breaksFirst"].is_string(), "{allocation}");
        for entry in parts.iter().chain([allocation]) {
            for (theirs, ours) in pairs {
                assert!(entry[ours].is_number() && entry[ours] == entry[theirs], "{ours}: {entry}");
            }
        }
        for (theirs, ours) in of_part {
            assert!(parts[0][ours].is_number() && parts[0][ours] == parts[0][theirs], "{ours}");
        }
    }
}
