//! A scenario as it is written: JSON within YAML, under comments that say what was assumed.

use serde::Serialize;

/// The sections.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scenario {
    pub accelerator_data: Accelerators,
    pub model_data: Models,
    pub service_class_data: Classes,
    pub server_data: Servers,
}

#[derive(Serialize, Default)]
pub(super) struct Accelerators {
    pub accelerators: Vec<Accelerator>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accelerator {
    pub name: String,
    pub cost: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_size: Option<f64>,
}

#[derive(Serialize, Default)]
pub(super) struct Models {
    pub models: Vec<Profile>,
}

#[derive(Serialize, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub name: String,
    pub acc: String,
    pub acc_count: f64,
    pub max_batch_size: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_tokens: Option<f64>,
    pub decode_parms: Decode,
    pub prefill_parms: Prefill,
}

#[derive(Serialize, Clone, PartialEq)]
pub(super) struct Decode {
    pub alpha: f64,
    pub beta: f64,
}

#[derive(Serialize, Clone, PartialEq)]
pub(super) struct Prefill {
    pub gamma: f64,
    pub delta: f64,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Classes {
    pub service_classes: Vec<Class>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Class {
    pub name: String,
    pub priority: f64,
    pub model_targets: Vec<Target>,
}

#[derive(Serialize, Clone)]
pub(super) struct Target {
    pub model: String,
    #[serde(rename = "slo-itl", skip_serializing_if = "Option::is_none")]
    pub itl: Option<f64>,
    #[serde(rename = "slo-ttft", skip_serializing_if = "Option::is_none")]
    pub ttft: Option<f64>,
    #[serde(rename = "slo-tps", skip_serializing_if = "Option::is_none")]
    pub tps: Option<f64>,
}

#[derive(Serialize, Default)]
pub(super) struct Servers {
    pub servers: Vec<Server>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Server {
    pub name: String,
    pub class: String,
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_num_replicas: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_num_replicas: Option<f64>,
    pub current_alloc: Allocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Allocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_replicas: Option<f64>,
    pub load: Load,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Load {
    pub arrival_rate: f64,
    pub avg_in_tokens: f64,
    pub avg_out_tokens: f64,
}

/// The text of a scenario.
pub(super) fn scenario(
    scenario: &Scenario,
    assumed: &[String],
) -> Result<String, serde_json::Error> {
    let mut text = "# Made by `isocost import`. Taken for granted:\n".to_owned();
    for sentence in assumed {
        text += &format!("# - {}\n", sentence.replace(['\n', '\r'], " "));
    }
    // Whole numbers are written as such; a text ends with its quote and never with a number.
    let json = serde_json::to_string_pretty(scenario)? + "\n";
    text += &json.replace(".0,\n", ",\n").replace(".0\n", "\n");
    Ok(text)
}
