//! Reading: the reference scenarios as they are, and no panic on anything else.

use std::path::{Path, PathBuf};

use isocost_model::candidates::{Candidates, Reading, SizingOptions, demand_per_s, targets};
use isocost_model::input;
use isocost_model::queue::{Experts, Objective, Roofline, ServiceModel};
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
    for (name, accelerators, profiles, servers, token_rates) in
        [("small", 6, 30, 15, 0), ("large", 21, 189, 27, 5)]
    {
        let Some(path) = reference(name) else { return };
        let loaded = input::load(&path).expect("it is sound");
        let s = &loaded.scenario;
        let counts = (s.accelerators.len(), s.profiles.len(), s.servers.len());
        assert_eq!(counts, (accelerators, profiles, servers), "{name}");
        // The reference means what a server produces, not what a request gets.
        assert_eq!(loaded.warnings.len(), token_rates, "{name}");
        assert!(loaded.warnings.iter().all(|w| w.entity.ends_with("slo-tps")), "{name}");
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
    assert!(matches!(scenario.profiles[0].service, ServiceModel::Iteration(_)));
    assert!(matches!(scenario.profiles[1].service, ServiceModel::Linear(_)));
    let roofline = SMALL
        .replace("perfParms: {", "rooflineParms: {delta: 0.1, delta2: 1e-6, hidden: 5, lag: 2, ");
    let scenario = input::load_text("small.yaml", &roofline).expect("it is sound").scenario;
    let expected = Roofline {
        alpha_ms: 10.0,
        beta_ms: 0.1,
        gamma_ms: 0.001,
        delta_ms: 0.1,
        delta2_ms: 1e-6,
        hidden_tokens: 5.0,
        overhead_ms: 0.0,
        lag_steps: 2.0,
        experts: Experts { read_ms: 0.0, share: 0.0 },
    };
    assert_eq!(scenario.profiles[0].service, ServiceModel::Roofline(expected));
    let target = scenario.classes[0].targets[0].expect("a target");
    assert_eq!(target.itl, Some(Objective::percentile(40.0, 50.0)));
    assert_eq!(target.ttft, Some(Objective::percentile(900.0, 95.0)));
    assert_eq!(scenario.servers[0].class, 0, "the default class is Free");
}

#[test]
fn a_pair_of_which_nothing_is_known_yet_is_left_out_with_a_warning() {
    let text = SMALL.replace("alpha: 10, beta: 0.1, gamma: 0.001", "alpha: 0, beta: 0, gamma: 0");
    let loaded = input::load_text("x.yaml", &text).expect("the other pair serves");
    assert_eq!(loaded.scenario.profiles.len(), 1);
    let said = loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(said.contains("x.yaml:6:") && said.contains("the pair is left out"), "{said}");
    // Where no other is left, the server is no mistake of the input: no plan serves it.
    let text = text.replace("decodeParms: {alpha: 10, beta: 1}", "decodeParms: {alpha: 0}");
    let loaded = input::load_text("x.yaml", &text).expect("sound");
    assert!(loaded.scenario.profiles.is_empty());
    let candidates = Candidates::build(&loaded.scenario, &SizingOptions::default());
    assert!(candidates.options(0).is_empty());
}

#[test]
fn a_batch_without_lengths_is_a_ceiling() {
    for (from, to, most) in [
        ("maxBatchSize: 8, atTokens: 100, perf", "maxBatchSize: 8, perf", 8),
        ("maxBatchSize: 8, atTokens: 100, perf", "maxBatchSize: 8, atTokens: 0, perf", 8),
        ("maxBatchSize: 8, atTokens: 100, perf", "maxBatchSize: 0, perf", 256),
        ("maxBatchSize: 8, atTokens: 100, perf", "perf", 256),
    ] {
        assert!(SMALL.contains(from));
        let scenario =
            input::load_text("x.yaml", &SMALL.replacen(from, to, 1)).expect("sound").scenario;
        let profile = &scenario.profiles[0];
        assert_eq!((profile.max_batch, profile.at_tokens), (most, None), "{to}");
        for options in [SizingOptions::default(), SizingOptions::reference()] {
            let candidates = Candidates::build(&scenario, &options);
            let batch = candidates.options(0)[0].batch;
            assert!((1..=most).contains(&batch), "{to}: {batch}");
        }
    }
}

#[test]
fn names_are_read_as_they_can_be_seen() {
    let text = SMALL.replace("name: s, model", r#"name: "s\e[31m\n", model"#);
    let scenario = input::load_text("x.yaml", &text).expect("sound").scenario;
    assert_eq!(scenario.servers[0].name, r"s\u{1b}[31m\n");
    let wrong = text.replace("model: m, currentAlloc", r#"model: "m\e", currentAlloc"#);
    let said = input::load_text("x.yaml", &wrong).expect_err("no such model").to_string();
    assert!(said.contains(r"unknown model `m\u{1b}`") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn an_input_beyond_the_form_is_refused_with_its_place() {
    for (from, to, words) in [
        ("priority: 3", "priority: 0", "0 is out of range"),
        ("decodeParms: {alpha: 10, beta: 1}", "prefillParms: {gamma: 1}", "zero but for prefill"),
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
fn a_token_rate_is_a_floor_of_each_request_and_the_reader_says_so() {
    let text = SMALL.replace("slo-itl: 40, slo-ttft", "slo-itl: 40, slo-tps: 50, slo-ttft");
    let loaded = input::load_text("small.yaml", &text).expect("it is sound");
    let [warning] = &loaded.warnings[..] else { panic!("{:?}", loaded.warnings) };
    let said = warning.to_string();
    for words in ["slo-tps", "at most 20.0000 ms", "arrival rate", "--reading reference"] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let (scenario, server) = (&loaded.scenario, &loaded.scenario.servers[0]);
    let read = |reading| targets(scenario, server, reading);
    let engine = read(Reading::Engine);
    assert_eq!(engine.itl, Some(Objective::percentile(20.0, 50.0)), "the tighter of the two");
    assert_eq!(engine.tokens_per_s, None);
    let reference = read(Reading::Reference);
    assert_eq!(reference.itl, Some(Objective::percentile(40.0, 50.0)));
    assert_eq!(reference.tokens_per_s.expect("kept").per_s, 50.0);
    assert_eq!(demand_per_s(scenario, server, Reading::Engine), 0.1);
    assert_eq!(demand_per_s(scenario, server, Reading::Reference), 1.0);
    // 20 tokens/s ask for less than the ITL of 40 ms does.
    let text = SMALL.replace("slo-itl: 40, slo-ttft", "slo-itl: 40, slo-tps: 20, slo-ttft");
    let scenario = input::load_text("small.yaml", &text).expect("it is sound").scenario;
    let engine = targets(&scenario, &scenario.servers[0], Reading::Engine);
    assert_eq!(engine.itl, Some(Objective::percentile(40.0, 50.0)));
}

#[test]
fn objectives_have_other_names_and_none_is_dropped() {
    let with = |target: &str| SMALL.replace("slo-itl: 40, slo-ttft: 900", target);
    let read = |target: &str| {
        let loaded = input::load_text("small.yaml", &with(target)).expect("it is sound");
        assert_eq!(loaded.warnings, []);
        loaded.scenario.classes[0].targets[0].expect("a target")
    };
    let target = read("slo-tpot: 30, slo-ttw: 200");
    assert_eq!(target.itl, Some(Objective::percentile(30.0, 50.0)));
    assert_eq!(target.wait, Some(Objective::percentile(200.0, 95.0)));
    let target = read("slo-ttw: 200, ttw-percentile: 99");
    assert_eq!(target.wait, Some(Objective::percentile(200.0, 99.0)));
    let target = read("slo-e2e: 9000, e2e-percentile: 99");
    assert_eq!(target.e2e, Some(Objective::percentile(9000.0, 99.0)));
    for (target, words) in [
        ("slo-itl: 40, slo-tpot: 40", "leave out one of the two"),
        ("slo-itl: 40, slo-ttlt: 9000", "slo-ttft, slo-ttw, slo-e2e and slo-tps"),
    ] {
        let error = input::load_text("small.yaml", &with(target)).expect_err(target).to_string();
        assert!(error.contains(words), "`{words}` is not in: {error}");
    }
}

#[test]
fn a_load_too_small_to_count_is_none() {
    let small = |rate: &str| SMALL.replace("arrivalRate: 6", &format!("arrivalRate: {rate}"));
    for rate in ["1e-320", "1e-30", "9.9e-10"] {
        let loaded = input::load_text("small.yaml", &small(rate)).expect("it is sound");
        assert_eq!(loaded.scenario.servers[0].load.arrival_rate_per_min, 0.0);
        let [warning] = &loaded.warnings[..] else { panic!("{:?}", loaded.warnings) };
        assert!(warning.to_string().contains("too few to plan for"), "{warning}");
    }
    for rate in ["0", "1e-9"] {
        assert_eq!(input::load_text("small.yaml", &small(rate)).expect("sound").warnings, []);
    }
    let scenario = || input::load_text("small.yaml", SMALL).expect("it is sound").scenario;
    let csv = "server,arrival_rate_per_min,input_tokens,output_tokens\ns,1e-320,10,50\n";
    let loaded = input::with_loads_text(scenario(), "loads.csv", csv).expect("it is sound");
    assert_eq!(loaded.scenario.servers[0].load.arrival_rate_per_min, 0.0);
    assert_eq!(loaded.warnings.len(), 1);
    // What a factor makes of a load is none either.
    let mut scenario = scenario();
    scenario.servers[0].load.arrival_rate_per_min = 1e-310;
    let candidates = Candidates::build(&scenario, &SizingOptions::default());
    assert_eq!(candidates.demands[0].rate_per_s, 0.0);
    assert!(candidates.options(0).iter().all(|c| c.rate_per_s == f64::INFINITY));
}

#[test]
fn field_cases_are_sized_or_say_why_not() {
    let Some(path) = reference("field/23c-tps-itl.json") else { return };
    let scenario = input::load(&path).expect("it is sound").scenario;
    let needed = |sizing: &SizingOptions| {
        let candidates = Candidates::build(&scenario, sizing);
        (candidates.demands[0].rate_per_s / candidates.options(0)[0].rate_per_s).ceil()
    };
    assert_eq!(needed(&SizingOptions::default()), 6.0);
    assert_eq!(needed(&SizingOptions::reference()), 1.0, "the reference's own meaning");
    let Some(path) = reference("field/05a-in0-out1.json") else { return };
    let scenario = input::load(&path).expect("it is sound").scenario;
    let candidates = Candidates::build(&scenario, &SizingOptions::default());
    assert_eq!(candidates.options(0), []);
    let why = candidates.rejected(0)[0].reason.to_string();
    assert!(why.contains("takes no time") && why.contains("avgInTokens"), "{why}");
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
