//! Objects of llm-d's workload variant autoscaler: prices and service classes in ConfigMaps, and a
//! `VariantAutoscaling` for each variant, a model on an accelerator.
//!
//! The variants of a model in a namespace are one server, whose load may go to any of them. Parameters
//! are those of the linear model, in milliseconds; prices are in cents per hour.

mod fleet;

use super::{Assume, Imported, Object};
use crate::import::write::{self, Class, Decode, Prefill, Profile, Target};
use crate::input::load_text;
use crate::input::reading::{Node, Report, Value, dig, parse_documents};

/// Whether `node` is an object of the autoscaler, or may be.
pub(super) fn is(node: &Node) -> bool {
    matches!(dig::text(node, "kind"), Some("VariantAutoscaling" | "ConfigMap"))
}

/// What the objects say.
#[derive(Default)]
struct Read {
    /// Name of an accelerator, its price and its memory.
    prices: Vec<(String, f64, Option<f64>)>,
    classes: Vec<(String, Class)>,
    variants: Vec<Variant>,
}

/// A variant of a model.
struct Variant {
    name: String,
    namespace: String,
    model: String,
    /// Accelerators with a profile.
    profiles: Vec<Profile>,
    /// Price of a replica.
    cost: Option<f64>,
    /// Words that name its class.
    class: Vec<String>,
    least: Option<f64>,
    most: Option<f64>,
    now: Option<(String, f64)>,
    /// Requests per minute, tokens of prompts and answers.
    load: Option<[f64; 3]>,
}

pub(super) fn convert(
    objects: &[Object<'_>],
    assume: &Assume,
    report: &mut Report,
) -> Option<Imported> {
    let mut read = Read::default();
    for object in objects {
        match dig::text(object.node, "kind") {
            Some("ConfigMap") => config_map(object, &mut read, report),
            Some("VariantAutoscaling") => read.variants.extend(variant(object, report)),
            _ => {}
        }
    }
    if read.variants.is_empty() && report.problems.is_empty() {
        let file = objects.first().map_or("", |object| object.file);
        let what = "there is no VariantAutoscaling object".to_owned();
        let remedy = "give them too: kubectl get variantautoscalings -A -o yaml";
        report.problem_in(file, what, remedy);
    }
    if !report.problems.is_empty() {
        return None;
    }
    let (scenario, assumed) = fleet::build(read, assume, objects, report)?;
    let text = write::scenario(&scenario, &assumed).ok()?;
    // What comes out is a scenario, or what is wrong with it is said.
    if let Err(error) = load_text("scenario.yaml", &text) {
        report.problems.extend(error.problems);
    }
    Some(Imported { text, assumed, warnings: Vec::new() })
}

/// Prices and service classes, each a text of its own in the map.
fn config_map(object: &Object<'_>, read: &mut Read, report: &mut Report) {
    for (key, node) in dig::entries(object.node, "data") {
        let within = match &node.value {
            Value::Text(text) => {
                let mut own = Report::default();
                let found = parse_documents("", text, &mut own).into_iter().next();
                let means_us = text.contains("slo-") || text.contains("\"cost\"");
                if let Some(problem) = own.problems.into_iter().next().filter(|_| means_us) {
                    let what = format!("`data.{key}`: {}", problem.what);
                    object.problem(node.at, what, "mend the text", report);
                }
                found
            }
            Value::Object(_) => Some(node.clone()),
            _ => None,
        };
        let Some(within) = within else { continue };
        if dig::has(&within, "cost") {
            match dig::number(&within, "cost").filter(|cost| *cost >= 0.0) {
                Some(cost) => read.prices.push((key.clone(), cost, memory_gb(&within))),
                None => {
                    let what = format!("`data.{key}`: the cost is no price");
                    object.problem(node.at, what, "expected cents per hour", report);
                }
            }
        } else if let (Some(name), true) = (dig::text(&within, "name"), dig::has(&within, "data")) {
            let class = Class {
                name: name.to_owned(),
                priority: dig::number(&within, "priority").unwrap_or(100.0),
                model_targets: dig::items(&within, "data").iter().filter_map(target).collect(),
            };
            read.classes.push((key.clone(), class));
        }
    }
}

fn target(node: &Node) -> Option<Target> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| dig::positive(node, key));
    Some(Target {
        model: dig::text(node, "model")?.to_owned(),
        itl: first(&["slo-tpot", "slo-itl"]),
        ttft: first(&["slo-ttft"]),
        tps: first(&["slo-tps"]),
    })
}

/// Memory from a device's name, such as NVIDIA-A100-PCIE-80GB.
fn memory_gb(node: &Node) -> Option<f64> {
    let device = dig::text(node, "device")?;
    device.split(['-', '_', ' ']).find_map(|part| part.strip_suffix("GB")?.parse().ok())
}

fn variant(object: &Object<'_>, report: &mut Report) -> Option<Variant> {
    let node = object.node;
    let text = |path: &str| dig::text(node, path).map(str::to_owned);
    let Some(model) = text("spec.modelID") else {
        let what = "`spec.modelID` is missing".to_owned();
        object.problem(node.at, what, "name the model", report);
        return None;
    };
    let label = dig::at(node, "metadata.labels");
    let label =
        label.and_then(|labels| dig::entry(labels, "inference.optimization/acceleratorName"));
    let label = match label.map(|node| &node.value) {
        Some(Value::Text(name)) => Some(name.clone()),
        _ => None,
    };
    let mut profiles = Vec::new();
    for on in dig::items(node, "spec.modelProfile.accelerators") {
        let acc = dig::text(on, "acc").map(str::to_owned);
        profiles.extend(profile(object, on, (&model, acc, dig::number(on, "accCount")), report));
    }
    if let Some(on) = dig::at(node, "spec.variantProfile").filter(|_| profiles.is_empty()) {
        let acc = text("spec.accelerator").or_else(|| text("spec.acceleratorType")).or(label);
        let count = dig::number(node, "spec.acceleratorCount");
        profiles.extend(profile(object, on, (&model, acc, count), report));
    }
    let class = ["spec.sloClassRef.name", "spec.sloClassRef.key"].into_iter().filter_map(text);
    let load = |keys: &[&str]| {
        let places = ["status.currentAlloc.load", "status.load"];
        let place = places.iter().find_map(|path| dig::at(node, path))?;
        keys.iter().find_map(|key| dig::number(place, key).filter(|x| *x >= 0.0))
    };
    let rate = load(&["arrivalRate"]);
    let input = load(&["avgInputTokens", "avgInTokens", "avgInputLength"]);
    let output = load(&["avgOutputTokens", "avgOutTokens", "avgOutputLength", "avgLength"]);
    let replicas = dig::number(node, "status.currentAlloc.numReplicas");
    let on = text("status.currentAlloc.accelerator")
        .or_else(|| profiles.first().map(|profile| profile.acc.clone()));
    Some(Variant {
        name: text("metadata.name").unwrap_or_else(|| model.clone()),
        namespace: text("metadata.namespace").unwrap_or_default(),
        model,
        profiles,
        cost: dig::number(node, "spec.variantCost"),
        class: class.collect(),
        least: dig::number(node, "spec.minReplicas"),
        most: dig::number(node, "spec.maxReplicas"),
        now: on.zip(replicas.filter(|n| *n >= 1.0)),
        load: rate
            .zip(output.filter(|out| *out >= 1.0))
            .map(|(rate, out)| [rate, input.unwrap_or(0.0), out]),
    })
}

/// How a model runs on an accelerator.
fn profile(
    object: &Object<'_>,
    on: &Node,
    (model, acc, count): (&str, Option<String>, Option<f64>),
    report: &mut Report,
) -> Option<Profile> {
    let mut missing = Vec::new();
    let mut number = |paths: &[&'static str]| {
        let found = paths.iter().find_map(|path| dig::number(on, path));
        if found.is_none() {
            missing.push(paths[0]);
        }
        found.unwrap_or(0.0)
    };
    let decode_parms = Decode {
        alpha: number(&["perfParms.decodeParms.alpha", "alpha"]),
        beta: number(&["perfParms.decodeParms.beta", "beta"]),
    };
    let prefill_parms = Prefill {
        gamma: dig::number(on, "perfParms.prefillParms.gamma").unwrap_or(0.0),
        delta: dig::number(on, "perfParms.prefillParms.delta").unwrap_or(0.0),
    };
    if !missing.is_empty() {
        let what = format!("{} is missing, or no number", missing.join(" and "));
        object.problem(on.at, what, "give the parameters of the profile", report);
    }
    if acc.is_none() {
        let what = "the profile names no accelerator".to_owned();
        object.problem(on.at, what, "give `acc`, `spec.accelerator` or the label", report);
    }
    Some(Profile {
        name: model.to_owned(),
        acc: acc?,
        acc_count: count.unwrap_or(1.0),
        max_batch_size: dig::number(on, "maxBatchSize").unwrap_or(0.0),
        at_tokens: dig::positive(on, "atTokens"),
        decode_parms,
        prefill_parms,
    })
}
