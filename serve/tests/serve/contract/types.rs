//! The types that the reference's clients decode into: integers are integers, and every field is there.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Accelerator {
    pub name: String,
    pub r#type: String,
    pub multiplicity: i64,
    #[serde(rename = "memSize")]
    pub mem_size: i64,
    #[serde(rename = "memBW")]
    pub mem_bw: i64,
    pub power: Power,
    pub cost: f32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Power {
    pub idle: i64,
    pub full: i64,
    pub mid_power: i64,
    pub mid_util: f32,
}

#[derive(Debug, Deserialize)]
pub struct Accelerators {
    pub accelerators: Vec<Accelerator>,
}

#[derive(Debug, Deserialize)]
pub struct Count {
    pub r#type: String,
    pub count: i64,
}

#[derive(Debug, Deserialize)]
pub struct Capacity {
    pub count: Vec<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Perf {
    pub name: String,
    pub acc: String,
    pub acc_count: i64,
    pub max_batch_size: i64,
    pub perf_parms: Parameters,
}

#[derive(Debug, Deserialize)]
pub struct Parameters {
    pub alpha: f32,
    pub beta: f32,
    pub gamma: f32,
}

#[derive(Debug, Deserialize)]
pub struct Models {
    pub models: Vec<Perf>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Classes {
    pub service_classes: Vec<Class>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Class {
    pub name: String,
    pub priority: i64,
    pub model_targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    pub model: String,
    pub slo_itl: f32,
    pub slo_ttft: f32,
    pub slo_tps: f32,
}

#[derive(Debug, Deserialize)]
pub struct Servers {
    pub servers: Vec<Server>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    pub name: String,
    pub class: String,
    pub model: String,
    pub keep_accelerator: bool,
    pub min_num_replicas: i64,
    pub max_batch_size: i64,
    pub current_alloc: Allocation,
    pub desired_alloc: Allocation,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    pub accelerator: String,
    pub num_replicas: i64,
    pub max_batch: i64,
    pub cost: f32,
    pub itl_average: f32,
    pub ttft_average: f32,
    pub avg_concurrency: f32,
    pub load: Load,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    pub arrival_rate: f32,
    pub throughput: f32,
    pub avg_in_tokens: i64,
    pub avg_out_tokens: i64,
}

#[derive(Debug, Deserialize)]
pub struct Solution {
    pub allocations: std::collections::BTreeMap<String, Allocation>,
}

/// What the analyser answers to `/solve` and `/target`.
#[derive(Debug, Deserialize)]
pub struct Analysed {
    #[serde(rename = "offeredRPS")]
    pub offered_rps: f32,
    pub throughput: f32,
    #[serde(rename = "avgRespTime")]
    pub response: f32,
    #[serde(rename = "avgWaitTime")]
    pub wait: f32,
    #[serde(rename = "avgNumInServ")]
    pub in_service: f32,
    #[serde(rename = "avgTTFT")]
    pub ttft: f32,
    #[serde(rename = "avgITL")]
    pub itl: f32,
    #[serde(rename = "maxRPS")]
    pub most: f32,
}

/// What it answers to `/optimize`.
#[derive(Debug, Deserialize)]
pub struct Onset {
    pub concurrency: i64,
    pub throughput: f32,
    #[serde(rename = "avgRespTime")]
    pub response: f32,
    #[serde(rename = "avgWaitTime")]
    pub wait: f32,
    #[serde(rename = "avgNumInServ")]
    pub in_service: f32,
    #[serde(rename = "avgTTFT")]
    pub ttft: f32,
    #[serde(rename = "avgITL")]
    pub itl: f32,
    #[serde(rename = "maxRPS")]
    pub most: f32,
    #[serde(rename = "M_ITL")]
    pub by_itl: i64,
    #[serde(rename = "M_TPF")]
    pub by_prefill: i64,
    #[serde(rename = "oracleCalls")]
    pub calls: i64,
    pub feasible: bool,
}
