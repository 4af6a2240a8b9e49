//! Mistakes of newcomers: what is said of each, and that sound scenarios are met with silence.

use std::path::Path;

use isocost_model::input::{load, load_text, with_loads_text};

const SOUND: &str = "\
acceleratorData:
  accelerators:
    - {name: H100, cost: 300, memSize: 80}
    - {name: 8xH100, type: H100, multiplicity: 8, cost: 2400, memSize: 640}
modelData:
  models:
    - {name: m, acc: H100, accCount: 1, perfParms: {alpha: 7, beta: 0.1, gamma: 0.001}}
serviceClassData:
  serviceClasses:
    - name: Premium
      modelTargets:
        - {model: m, slo-itl: 40, slo-ttft: 2000, percentile: 95}
serverData:
  servers:
    - name: a
      class: Premium
      model: m
      currentAlloc:
        load: {arrivalRate: 60, avgInTokens: 500, avgOutTokens: 200}
";

/// What is said of the sound scenario with `from` as `to`: errors, or warnings where it can be planned for.
fn said(from: &str, to: &str) -> (bool, String) {
    assert!(SOUND.contains(from), "{from}");
    match load_text("fleet.yaml", &SOUND.replacen(from, to, 1)) {
        Ok(loaded) => {
            let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
            (true, warnings.join("\n"))
        }
        Err(error) => (false, error.to_string()),
    }
}

#[test]
fn mistakes_are_refused_with_their_own_remedy() {
    for (from, to, wanted) in [
        (
            "cost: 300",
            "cost: $6.88",
            "accelerator `H100`, cost: expected a number, found `$6.88`; write it in cents",
        ),
        ("cost: 300", "cost: '300'", "found `300`; write it without quotes"),
        ("cost: 300", "cost: four", "found `four`; expected 0 to 1e9 cents/h"),
        ("cost: 300", "cost: .nan", "found `.nan`; expected 0 to"),
        ("cost: 300", "cost: -1", "cost: -1 is out of range"),
        (
            "memSize: 80",
            "memSize: 80 GB",
            "memSize: expected a number, found `80 GB`; write the number alone, 80",
        ),
        ("alpha: 7", "alpha: high", "alpha: expected a number, found `high`; expected 0 to 1e9 ms"),
        ("percentile: 95", "percentile: p95", "write the number alone, 95: expected 1 to 99.999 %"),
        (
            "arrivalRate: 60",
            "arrivalRate: 1,900",
            "`1,900` is not one number here: a comma ends a value; write 1900 or 1.9",
        ),
        (
            "arrivalRate: 60",
            "arrivalRate: '1,900'",
            "arrivalRate: expected a number, found `1,900`; write 1900 or 1.9",
        ),
        ("arrivalRate: 60", "arrivalRate: -5", "load, arrivalRate: -5 is out of range"),
        (
            "class: Premium\n",
            "minNumReplicas: 1\n",
            "`class` is missing, and there is no service class `Free` in its place; known: `Premium`",
        ),
        ("accCount: 1", "accCount: 1.5", "accCount: 1.5 is not a whole number"),
        (
            "acc: H100, accCount: 1,",
            "acc: H100, accCount: 2, perfParms: {alpha: 5}}\n    - {name: m, acc: H100, accCount: 1,",
            "the pair is stated again with another accCount; for a choice of tensor parallelism",
        ),
        (
            "acc: H100, accCount: 1,",
            "acc: H100, accCount: 1, perfParms: {alpha: 5}}\n    - {name: m, acc: H100, accCount: 1,",
            "the pair is defined twice",
        ),
    ] {
        let (is_sound, text) = said(from, to);
        assert!(!is_sound && text.contains(wanted), "{to}: {text}");
        assert!(text.ends_with("1 problem in the input"), "{to}: {text}");
    }
}

#[test]
fn what_can_be_planned_for_and_is_hardly_meant_is_a_warning() {
    assert_eq!(said("H100", "H100"), (true, String::new()));
    for (from, to, wanted) in [
        (
            "slo-itl: 40",
            "slo-itl: 0",
            "slo-itl: 0 states no objective: there is no slo-itl to hold",
        ),
        (
            "slo-ttft: 2000",
            "slo-ttft: 2",
            "slo-ttft: 2 ms is less than any engine takes; the unit is ms: write 2000",
        ),
        ("slo-itl: 40", "slo-itl: 0.04", "write 40 if seconds are meant"),
        (
            "cost: 2400",
            "cost: 300",
            "a card costs 37.5 cents/h here, and 300 in `H100`; cost is of the whole",
        ),
        (
            "memSize: 80",
            "memSize: 81920",
            "memSize: 81920 GB is more than any card has; the unit is GB: write 82",
        ),
        (
            "alpha: 7, beta: 0.1, gamma: 0.001",
            "alpha: 0.007, beta: 0.0001, gamma: 0",
            "perfParms: a token takes 0.0071 ms: no engine is so fast",
        ),
        ("accCount: 1", "acccCount: 1", "did you mean `accCount`?"),
    ] {
        let (is_sound, text) = said(from, to);
        assert!(is_sound && text.contains(wanted), "{to}: {text}");
        assert_eq!(text.lines().count(), 1, "{to}: {text}");
    }
    // As the reference optimizer writes a target that has no such objective.
    assert_eq!(said("slo-itl: 40", "slo-tps: 0, slo-itl: 40"), (true, String::new()));
}

#[test]
fn a_comma_in_a_sheet_is_asked_about_or_read_as_its_column_says() {
    let loads = |rate: &str, tokens: &str| {
        let scenario = load_text("fleet.yaml", SOUND).expect("sound").scenario;
        let text = format!(
            "server;arrival_rate_per_min;input_tokens;output_tokens;arrival_scv\na;{rate};{tokens};200;1\n"
        );
        with_loads_text(scenario, "loads.csv", &text)
    };
    let error = loads("1,500", "500").expect_err("it may mean two things").to_string();
    assert!(
        error.contains("loads.csv:2:1: arrival_rate_per_min is `1,500`; write 1500 or 1.5"),
        "{error}"
    );
    for (written, wanted) in [("1.500,5", 1500.5), ("0,5", 0.5), ("1,500.5", 1500.5)] {
        let loaded = loads(written, "500").expect("its column says so");
        assert_eq!(loaded.scenario.servers[0].load.arrival_rate_per_min, wanted);
        assert!(loaded.warnings[0].to_string().contains("arrival_rate_per_min is read with"));
    }
}

#[test]
fn sound_scenarios_are_met_with_silence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let words = ["states no objective", "engine", "a card costs", "any card"];
    for name in ["data/quickstart", "data/quickstart.yaml", "data/fleet-27", "data/nodes.yaml"]
        .into_iter()
        .chain(["../shared/reference/small", "../shared/reference/large"])
    {
        let path = root.join(name);
        if !path.exists() {
            eprintln!("{name} is not here: skipped");
            continue;
        }
        for warning in load(&path).expect("sound").warnings {
            let text = warning.to_string();
            assert!(!words.iter().any(|word| text.contains(word)), "{name}: {text}");
        }
    }
}
