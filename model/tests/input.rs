//! Reading: the reference scenarios as they are, and no panic on anything else.

use std::path::{Path, PathBuf};

use isocost_model::input;
use isocost_model::queue::{Objective, Roofline, ServiceModel};
use proptest::prelude::*;

fn reference(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

#[test]
fn reference_scenarios_load_whole() {
    for (name, accelerators, profiles, servers) in [("small", 6, 30, 15), ("large", 21, 189, 27)] {
        let Some(path) = reference(name) else { return };
        let loaded = input::load(&path).expect("it is sound");
        let s = &loaded.scenario;
        let counts = (s.accelerators.len(), s.profiles.len(), s.servers.len());
        assert_eq!(counts, (accelerators, profiles, servers), "{name}");
        assert_eq!(loaded.warnings, [], "{name}");
    }
}

#[test]
fn one_file_is_the_same_scenario() {
    let (Some(folder), Some(file)) = (reference("small"), reference("small/system-data.json"))
    else {
        return;
    };
    let load = |path: &Path| input::load(path).expect("it is sound").scenario;
    let (folder, mut file) = (load(&folder), load(&file));
    // The reference's own one-file form names another policy.
    file.optimizer.saturation = folder.optimizer.saturation;
    assert!(folder == file);
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/quickstart.yaml");
    std::fs::read_to_string(path).expect("the example is there")
}

/// A whole scenario in a few lines of YAML, with every form that a target and a profile may take.
const SMALL: &str = "
acceleratorData:
  accelerators: [{name: A, COST: 10}, {name: 2xA, type: A, multiplicity: 2, cost: 20}]
modelData:
  models:
    - {name: m, acc: A, maxBatchSize: 8, atTokens: 100, perfParms: {alpha: 10, beta: 0.1, gamma: 0.001}}
    - {name: m, acc: 2xA, accCount: 0, maxBatchSize: 8, atTokens: 100, decodeParms: {alpha: 10, beta: 1}}
serviceClassData:
  serviceClasses:
    - name: Free
      priority: 3
      modelTargets: [{model: m, slo-itl: 40, slo-ttft: 900, percentile: 95, itl-percentile: 50}]
serverData:
  servers:
    - {name: s, model: m, currentAlloc: {load: {arrivalRate: 6, avgInTokens: 10, avgOutTokens: 50}}}
";

#[test]
fn without_servers_the_rest_is_the_same() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (whole, bare) = (dir.path().join("whole.yaml"), dir.path().join("bare.yaml"));
    let (rest, _) = SMALL.split_once("serverData:").expect("servers come last");
    std::fs::write(&whole, SMALL).expect("written");
    std::fs::write(&bare, rest).expect("written");

    let mut expected = input::load(&whole).expect("loads").scenario;
    assert!(!expected.servers.is_empty());
    expected.servers.clear();
    for path in [&whole, &bare] {
        assert_eq!(input::load_without_servers(path).expect("loads").scenario, expected);
    }
    let refused = input::load(&bare).expect_err("no servers").to_string();
    assert!(refused.contains("there is no section `serverData`"), "{refused}");
}

#[test]
fn defaults_and_forms_are_read() {
    let scenario = input::load_text("small.yaml", SMALL).expect("it is sound").scenario;
    assert_eq!(scenario.accelerators[0].cost_cents_per_h, 10.0);
    assert_eq!(scenario.card_types.len(), 1);
    assert_eq!(scenario.card_types[0].count, None, "no capacity section is no limit");
    assert_eq!(scenario.profiles[1].units_per_replica, 1, "0 reads as 1");
    assert!(matches!(scenario.profiles[0].service, ServiceModel::Iteration { .. }));
    assert!(matches!(scenario.profiles[1].service, ServiceModel::Linear { .. }));
    let roofline = SMALL.replace("perfParms: {", "rooflineParms: {delta: 0.1, hidden: 5, lag: 2, ");
    let scenario = input::load_text("small.yaml", &roofline).expect("it is sound").scenario;
    let expected = Roofline {
        alpha_ms: 10.0,
        beta_ms: 0.1,
        gamma_ms: 0.001,
        delta_ms: 0.1,
        hidden_tokens: 5.0,
        overhead_ms: 0.0,
        lag_steps: 2.0,
    };
    assert_eq!(scenario.profiles[0].service, ServiceModel::Roofline(expected));
    let target = scenario.classes[0].targets[0].expect("a target");
    assert_eq!(target.itl, Some(Objective::percentile(40.0, 50.0)));
    assert_eq!(target.ttft, Some(Objective::percentile(900.0, 95.0)));
    assert_eq!(scenario.servers[0].class, 0, "the default class is Free");
}

#[test]
fn an_input_beyond_the_form_is_refused_with_its_place() {
    for (from, to, words) in [
        ("priority: 3", "priority: 0", "0 is out of range"),
        ("alpha: 10, beta: 0.1, gamma: 0.001", "alpha: 0", "all zero"),
        (
            "model: m, currentAlloc",
            "model: m, minNumReplicas: 3, maxNumReplicas: 2, currentAlloc",
            "is above",
        ),
        ("perfParms: {alpha", "rooflineParms: {delta: 1, hidden: 11, alpha", "more than alpha"),
        ("perfParms: {", "rooflineParms: {alpha: 1}, perfParms: {", "one of the three forms"),
        ("avgOutTokens: 50", "avgOutTokens: 0", "expected at least 1"),
        ("{model: m, slo-itl", "{model: m, slo-itl: 1}, {model: m, slo-itl", "is defined twice"),
        ("name: s, model: m", "name: s, model: m, deny: [A, 2xA]", "no profile"),
        ("name: s, model: m", "name: s, NAME: t, model: m", "is given twice"),
        ("multiplicity: 2", "multiplicity: .nan", "expected a number"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL, "{from}");
        let error = input::load_text("small.yaml", &text).expect_err(to).to_string();
        assert!(error.contains(words), "`{words}` is not in: {error}");
        assert!(error.starts_with("small.yaml:"), "no place in: {error}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (name, open) in [("deep.json", "["), ("deep.yaml", "["), ("block.yaml", "- ")] {
        let error = input::load_text(name, &open.repeat(100_000)).expect_err("too deep");
        assert!(!error.problems.is_empty(), "{name}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), yaml in any::<bool>()) {
        let name = if yaml { "x.yaml" } else { "x.json" };
        if let Err(error) = input::load_text(name, &text) {
            prop_assert!(!error.problems.is_empty());
        }
    }

    #[test]
    fn a_damaged_scenario_is_read_or_refused(
        at in 0.0..1.0_f64, length in 0_usize..40, with in "[-{}\\[\\]:,\"a-z0-9. \n]{0,12}",
    ) {
        let text = document();
        let place = |i: usize| (i..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
        let from = place((text.len() as f64 * at) as usize);
        let to = place((from + length).min(text.len()));
        let damaged = format!("{}{with}{}", &text[..from], &text[to..]);
        if let Err(error) = input::load_text("x.yaml", &damaged) {
            prop_assert!(!error.problems.is_empty());
        }
    }
}
