//! A small scenario for the tests of this module.

use isocost_model::Scenario;
use isocost_model::input::load_text;

use super::Assignment;
use crate::cluster::LabelLoad;

const SCENARIO: &str = r#"{
    "acceleratorData": {"accelerators": [
        {"name": "A100", "type": "A100", "cost": 40},
        {"name": "H100", "type": "H100", "cost": 90}
    ]},
    "modelData": {"models": [
        {"name": "m", "acc": "A100", "maxBatchSize": 16, "atTokens": 512,
         "decodeParms": {"alpha": 20, "beta": 0.4}, "prefillParms": {"gamma": 5, "delta": 0.1}},
        {"name": "m", "acc": "H100", "maxBatchSize": 32, "atTokens": 512,
         "decodeParms": {"alpha": 10, "beta": 0.2}, "prefillParms": {"gamma": 2, "delta": 0.05}}
    ]},
    "serviceClassData": {"serviceClasses": [
        {"name": "Free", "priority": 1, "modelTargets": [{"model": "m", "slo-itl": 100}]}
    ]},
    "serverData": {"servers": [
        {"name": "s", "model": "m", "currentAlloc": {"load": {"arrivalRate": 0}}}
    ]}
}"#;

/// Model `m` on an A100 of 20 ms a token and an H100 of 10.
pub fn scenario() -> Scenario {
    load_text("test", SCENARIO).expect("a scenario").scenario
}

/// Model `m` on an accelerator, with short requests.
pub fn assignment(accelerator: &str, rpm: f64) -> Assignment {
    Assignment {
        model: "m".to_owned(),
        accelerator: accelerator.to_owned(),
        max_batch: None,
        load: Some(LabelLoad { rpm, in_tokens: 100.0, out_tokens: 50.0 }),
    }
}
