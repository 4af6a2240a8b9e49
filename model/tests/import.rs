//! Files of other tools' fleets, made into ours.

use isocost_model::import::{Assume, Imported, import_texts};
use isocost_model::input::{Instead, buckets_text, load_text};

const PRICES: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: accelerator-unit-costs}
data:
  A100: |
    {"device": "NVIDIA-A100-PCIE-80GB", "cost": "40.00"}
  L40S: |
    {"device": "NVIDIA-L40S", "cost": "32.5"}
"#;

const CLASSES: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: service-classes-config}
data:
  premium.yaml: |
    name: Premium
    priority: 1
    data:
      - model: org/small
        slo-tpot: 24
        slo-ttft: 500
      - model: org/nowhere
        slo-tpot: 10
  free.yaml: |
    name: Free
    priority: 10
    data:
      - {model: org/small, slo-tpot: 200, slo-ttft: 2000}
"#;

/// A variant with a profile for each accelerator.
fn legacy(name: &str, model: &str, accelerators: &[&str]) -> String {
    let profile = |acc: &&str| {
        format!(
            "
      - acc: {acc}
        accCount: 1
        perfParms:
          decodeParms: {{alpha: \"20.5\", beta: \"0.41\"}}
          prefillParms: {{gamma: \"5.2\", delta: \"0.1\"}}
        maxBatchSize: 8"
        )
    };
    let profiles: String = accelerators.iter().map(profile).collect();
    format!(
        "---
apiVersion: llmd.ai/v1alpha1
kind: VariantAutoscaling
metadata: {{name: {name}, namespace: prod}}
spec:
  modelID: {model}
  sloClassRef: {{name: service-classes-config, key: premium.yaml}}
  modelProfile:
    accelerators:{profiles}
status:
  currentAlloc:
    accelerator: A100
    numReplicas: 2
    load: {{arrivalRate: \"30\", avgInputTokens: \"128\", avgOutputTokens: \"64\"}}
"
    )
}

fn import(texts: &[&str]) -> Result<Imported, String> {
    let texts: Vec<(String, String)> =
        texts.iter().zip(1..).map(|(text, i)| (format!("f{i}.yaml"), (*text).to_owned())).collect();
    import_texts(&texts, &Assume::default()).map_err(|error| error.to_string())
}

#[test]
fn variants_become_a_scenario() {
    let variants = legacy("small-svc", "org/small", &["A100", "L40S"]);
    let imported = import(&[PRICES, CLASSES, &variants]).expect("it is sound");
    let loaded = load_text("scenario.yaml", &imported.text).expect("it is a scenario");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let scenario = loaded.scenario;
    let prices: Vec<_> = scenario
        .accelerators
        .iter()
        .map(|a| (a.name.as_str(), a.cost_cents_per_h, a.memory_gb))
        .collect();
    assert_eq!(prices, [("A100", 40.0, 80.0), ("L40S", 32.5, 0.0)], "names keep their case");
    assert_eq!((scenario.profiles.len(), scenario.profiles[0].max_batch), (2, 8));
    assert_eq!(scenario.profiles[0].at_tokens, None);
    let server = &scenario.servers[0];
    assert_eq!((server.name.as_str(), server.load.arrival_rate_per_min), ("small-svc", 30.0));
    assert_eq!((server.load.input_tokens, server.load.output_tokens), (128.0, 64.0));
    assert_eq!(server.current.as_ref().map(|c| c.replicas), Some(2));
    let class = &scenario.classes[server.class];
    assert_eq!((class.name.as_str(), class.priority), ("Premium", 1));
    assert_eq!(class.targets[0].as_ref().and_then(|t| t.itl).map(|itl| itl.limit_ms), Some(24.0));
    assert!(imported.assumed.iter().any(|a| a.contains("no count of cards")));
    assert!(!imported.assumed.iter().any(|a| a.contains("nobody says what arrives")));
    for sentence in &imported.assumed {
        assert!(imported.text.contains(sentence.as_str()), "{sentence} is a comment");
    }
    // The same in one JSON list, as kubectl prints it.
    let json = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"kind": "ConfigMap", "data": {"A100": "{\"cost\": 40}", "x": "free text: {"}},
        {"kind": "ConfigMap", "data": {"p": "name: P\npriority: 2\ndata:\n- model: m\n  slo-itl: 50\n"}},
        {"kind": "Deployment", "metadata": {"name": "d"}},
        {"kind": "VariantAutoscaling", "metadata": {"name": "v", "labels": {"inference.optimization/acceleratorName": "A100"}},
         "spec": {"modelID": "m", "acceleratorCount": 2, "minReplicas": 1, "maxReplicas": 4, "variantProfile": {"maxBatchSize": 4,
         "perfParms": {"decodeParms": {"alpha": "20", "beta": "0.4"}, "prefillParms": {"gamma": "5", "delta": "0.1"}}}}}]}"#;
    let texts = [("all.json".to_owned(), json.to_owned())];
    let assume =
        Assume { rate_per_min: Some(7.0), input_tokens: Some(9.0), output_tokens: Some(11.0) };
    let imported = import_texts(&texts, &assume).expect("it is sound");
    let scenario = load_text("s.yaml", &imported.text).expect("it is a scenario").scenario;
    assert_eq!(scenario.profiles[0].units_per_replica, 2);
    let server = &scenario.servers[0];
    assert_eq!((server.min_replicas, server.max_replicas), (1, Some(4)));
    assert_eq!(server.load.arrival_rate_per_min, 7.0);
}

#[test]
fn variants_of_a_model_share_its_load_and_gaps_are_said() {
    let one = legacy("s-a100", "org/small", &["A100"]);
    let other = legacy("s-l40s", "org/small", &["L40S"]).replace("status:", "old:");
    let bare = "---\nkind: VariantAutoscaling\nmetadata: {name: new}\nspec: {modelID: org/big, scaleTargetRef: {name: d}}\n";
    let lone = legacy("alone", "org/other", &["H100"])
        .replace("  sloClassRef", "  variantCost: \"80.0\"\n  x");
    let lone = lone.replace("status:", "old:");
    let imported =
        import(&[CLASSES, &[one, other, bare.to_owned(), lone].concat()]).expect("it is sound");
    let scenario = load_text("s.yaml", &imported.text).expect("it is a scenario").scenario;
    let names: Vec<&str> = scenario.servers.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["org/small", "alone"]);
    assert_eq!(scenario.servers[0].load.arrival_rate_per_min, 30.0);
    assert_eq!(
        scenario.accelerators.iter().map(|a| a.cost_cents_per_h).collect::<Vec<_>>(),
        [10.0, 10.0, 80.0]
    );
    let said = imported.assumed.join("\n");
    for words in [
        "s-a100, s-l40s share one load",
        "`new` has no profile",
        "A100 has no price",
        "H100 costs 80",
        "no class has objectives for org/other",
        "nobody says what arrives at `alone`: 60 requests/min of 512 and 256 tokens",
    ] {
        assert!(said.contains(words), "`{words}` is not in {said}");
    }
}

#[test]
fn what_cannot_be_imported_is_told_why() {
    for (texts, words) in [
        (vec![PRICES], "no VariantAutoscaling object"),
        (vec!["kind: Deployment\n"], "nothing to import"),
        (vec!["acceleratorData: {accelerators: []}\n"], "a scenario already"),
        (vec!["kind: ConfigMap\ndata:\n  a: {{ .Values.cost }}\n"], "render the chart first"),
        (vec![""], "nothing to import"),
        (vec!["a: [\n"], "mend the file"),
        (vec!["kind: VariantAutoscaling\nspec: {}\n"], "`spec.modelID` is missing"),
        (vec!["kind: VariantAutoscaling\nspec: {modelID: m}\n"], "has a profile"),
    ] {
        let said = import(&texts).expect_err("it is not sound");
        assert!(said.contains(words), "{texts:?}: {said}");
    }
    let bad = legacy("v", "m", &["A100"]).replace("\"20.5\"", "\"fast\"");
    let said = import(&[&bad, &PRICES.replace("40.00", "-4")]).expect_err("it is not sound");
    assert!(
        said.contains("alpha is missing, or no number") && said.contains("cents per hour"),
        "{said}"
    );
    // What a scenario refuses is refused here too.
    let negative = legacy("v", "m", &["A100"]).replace("\"20.5\"", "\"-20.5\"");
    assert!(import(&[&negative]).expect_err("it is not sound").contains("-20.5 is out of range"));
}

/// A profile of two output sizes and three input sizes.
fn aibrix(gpu: &str, scale: f64) -> String {
    let row = |x: f64| format!("[{}, {}, {}]", x * scale, x * scale / 2.0, 0.0);
    format!(
        r#"{{"gpu": "{gpu}", "cost": 1.5, "tputs": [{}, {}], "indexes": [[4, 512], [128, 512, 2048]],
            "created": 1.0, "e2e": [[0.1, 0.1, 0.1], [1, 1, 1]], "slos": {{"percentile": 99, "e2e": 5.0}}}}"#,
        row(60.0),
        row(4.0)
    )
}

#[test]
fn aibrix_profiles_become_requests_by_size() {
    let texts =
        |two: String| vec![("a.json".to_owned(), aibrix("a100", 1.0)), ("b.json".to_owned(), two)];
    let imported =
        import_texts(&texts(aibrix("l40s", 0.5)), &Assume::default()).expect("it is sound");
    let (buckets, warnings) =
        buckets_text("b.json", &imported.text, Instead::default()).expect("it is read");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(buckets.gpus.len(), 2);
    let json: serde_json::Value = serde_json::from_str(&imported.text).expect("it is JSON");
    // Rows are input sizes here, output sizes there.
    assert_eq!(
        json["gpu_info"]["a100"]["tputs"],
        serde_json::json!([[60.0, 4.0], [30.0, 2.0], [0.0, 0.0]])
    );
    assert_eq!(
        json["workload_distribution"],
        serde_json::json!([[0.25, 0.25], [0.25, 0.25], [0.0, 0.0]])
    );
    assert_eq!(json["total_request_rate"], 1.0);
    assert!(imported.assumed.iter().any(|a| a.contains("4 sizes")), "{:?}", imported.assumed);
    for (bad, words) in [
        (aibrix("a100", 1.0), "two profiles of `a100`"),
        (aibrix("b", 1.0).replace("[4, 512]", "[4, 256]"), "not those of the profile before"),
        (aibrix("b", 1.0).replace("[4, 512]", "[4]"), "no matrix of 1 rows"),
        (aibrix("b", -1.0), "`tputs` holds -60"),
        (PRICES.to_owned(), "mend the file"),
    ] {
        let error = import_texts(&texts(bad), &Assume::default()).expect_err("it is not sound");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    assert!(import_texts(&[("a.json".to_owned(), aibrix("a", 0.0))], &Assume::default()).is_err());
}

#[test]
fn profiles_without_tokens_hold_whatever_the_lengths() {
    let text = r#"{"acceleratorData": {"accelerators": [{"name": "A", "cost": 1}]},
        "modelData": {"models": [{"name": "m", "acc": "A", "accCount": 1, "maxBatchSize": 0,
            "perfParms": {"alpha": 20.58, "beta": 0.041, "gamma": 0.00128}}]},
        "serviceClassData": {"serviceClasses": [{"name": "P", "priority": 1,
            "modelTargets": [{"model": "m", "slo-itl": 80, "slo-ttw": 500}]}]},
        "serverData": {"servers": [{"name": "s", "class": "P", "model": "m", "currentAlloc": {"load":
            {"arrivalRate": 60, "AvgInTokens": 128, "AvgOutTokens": 1024}}}]}}"#;
    let scenario = load_text("system-data.json", text).expect("it is sound").scenario;
    let profile = &scenario.profiles[0];
    assert_eq!((profile.max_batch, profile.at_tokens), (256, None));
    let options = isocost_model::candidates::SizingOptions::default();
    let server = &scenario.servers[0];
    assert_eq!(isocost_model::candidates::batch_limit(server, profile, &options), 256);
    let kv = isocost_model::candidates::assumed_kv_tokens(server, profile);
    assert_eq!(kv, None, "nothing is assumed of the cache");
}
