//! Deployments, one for each server and accelerator, with the labels by which `isocost control` manages them.

use isocost_model::export::Export;

use super::{Replicas, replicas, repository};
use crate::catalogue::Catalogue;
use crate::document::{Document, Map};
use crate::precision::Precision;

/// The product name that nodes carry for a type of card, where it is another.
pub type Products = Vec<(String, String)>;

/// What a card is requested by, by vendor, and the node's label for it.
const RESOURCES: [(&str, &str, &str); 5] = [
    ("NVIDIA", "nvidia.com/gpu", "nvidia.com/gpu.product"),
    ("AMD", "amd.com/gpu", "amd.com/gpu.product-name"),
    ("Intel", "habana.ai/gaudi", "isocost.card"),
    ("Google", "google.com/tpu", "cloud.google.com/gke-tpu-accelerator"),
    ("AWS", "aws.amazon.com/neuron", "isocost.card"),
];

/// A name in Kubernetes has no more characters.
const LONGEST: usize = 63;

/// What else pools need.
const POOLS: &str = "# Pools for prompts and for answers need a router before them that sends each request to one of each in turn, and \
                     NIXL\n# in the image.\n";

/// How vLLM sends the KV cache of a prompt from one pool to the other.
const TRANSFER: &str = r#"{"kv_connector":"NixlConnector","kv_role":"kv_both"}"#;

/// The plan's Deployments, one document each.
pub fn kubernetes(export: &Export<'_>, catalogue: &Catalogue, products: &Products) -> String {
    let mut text = String::from(
        "# Made from a plan: replicas, vLLM's arguments and cards are those that it chose. Image, probes, storage and\n\
         # product names of your nodes are yours to add.\n",
    );
    if export.scenario.servers.iter().any(|server| server.pool.is_some()) {
        text.push_str(POOLS);
    }
    let mut taken: Vec<String> = Vec::new();
    for replicas in replicas(export) {
        let name = unique(&name(&replicas), &taken);
        let class = &export.scenario.classes[replicas.server.class].name;
        text.push_str("---\n");
        text.push_str(&deployment(&replicas, &name, class, catalogue, products).yaml());
        taken.push(name);
    }
    text
}

fn deployment(
    r: &Replicas<'_>,
    name: &str,
    class: &str,
    catalogue: &Catalogue,
    products: &Products,
) -> Document {
    let app = || Map::default().with("app", name);
    let pod = Map::default()
        .with("metadata", Map::default().with("labels", app()))
        .with("spec", pod(r, catalogue, products));
    let spec = Map::default()
        .with("replicas", r.part.replicas)
        .with("selector", Map::default().with("matchLabels", app()))
        .with("template", pod);
    let labels = labels(r, class);
    Map::default()
        .with("apiVersion", "apps/v1")
        .with("kind", "Deployment")
        .with("metadata", Map::default().with("name", name).with("labels", labels))
        .with("spec", spec)
        .into()
}

/// The labels that the control loop reads; values that a label cannot hold are made so. A pool is no server that
/// the loop knows, and only says what it does.
fn labels(r: &Replicas<'_>, class: &str) -> Map {
    if let Some(pool) = &r.server.pool {
        return Map::default()
            .with("isocost.pool.of", label(&pool.whole.name).as_str())
            .with("isocost.pool.role", pool.role.word());
    }
    let load = &r.server.load;
    let number = |value: f64| format!("{}", value.round().max(0.0));
    Map::default()
        .with("inferno.server.managed", "true")
        .with("inferno.server.name", label(&r.server.name).as_str())
        .with("inferno.server.model", label(r.model).as_str())
        .with("inferno.server.class", label(class).as_str())
        .with("inferno.server.allocation.accelerator", label(r.accelerator).as_str())
        .with("inferno.server.allocation.maxbatchsize", r.part.batch.to_string().as_str())
        .with("inferno.server.load.rpm", number(load.arrival_rate_per_min).as_str())
        .with("inferno.server.load.intokens", number(load.input_tokens).as_str())
        .with("inferno.server.load.outtokens", number(load.output_tokens).as_str())
}

fn pod(r: &Replicas<'_>, catalogue: &Catalogue, products: &Products) -> Map {
    let vendor = catalogue.card(r.card).map_or("NVIDIA", |card| card.vendor.as_str());
    let known = RESOURCES.iter().find(|(name, ..)| *name == vendor).unwrap_or(&RESOURCES[0]);
    let (resource, key) = (known.1, known.2);
    let product = products.iter().find(|(card, _)| card.eq_ignore_ascii_case(r.card));
    let product = product.map_or(r.card, |(_, product)| product.as_str());
    let limits = Map::default().with(resource, r.cards);
    let container = Map::default()
        .with("name", "vllm")
        .with("image", "vllm/vllm-openai:latest")
        .with("args", arguments(r, catalogue))
        .with("resources", Map::default().with("limits", limits));
    Map::default()
        .with("nodeSelector", Map::default().with(key, product))
        .with("containers", vec![container.into()])
}

fn arguments(r: &Replicas<'_>, catalogue: &Catalogue) -> Vec<Document> {
    let repository = repository(catalogue, r.model);
    let mut pairs = vec![
        ("--model", repository.clone()),
        ("--served-model-name", r.model.to_owned()),
        ("--tensor-parallel-size", r.cards.to_string()),
        ("--max-num-seqs", r.part.batch.to_string()),
        ("--max-num-batched-tokens", r.token_budget.to_string()),
    ];
    // Weights that are published in 16 bits are turned into FP8 as they are loaded.
    let published = catalogue.known_model(&repository);
    let is_plain = published.is_some_and(|m| m.quantization.precision == Precision::Bf16);
    if is_plain && r.precision == Some("fp8") {
        pairs.push(("--quantization", "fp8".to_owned()));
    }
    if r.server.pool.is_some() {
        pairs.push(("--kv-transfer-config", TRANSFER.to_owned()));
    }
    let arguments = pairs.iter().map(|(flag, value)| format!("{flag}={value}"));
    arguments.map(|argument| argument.as_str().into()).collect()
}

/// A Deployment's name: lower case, digits and `-`.
fn name(r: &Replicas<'_>) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }
    };
    let text: String = format!("{}-{}", r.server.name, r.accelerator).chars().map(plain).collect();
    let text: String = text.trim_matches('-').chars().take(LONGEST).collect();
    match text.trim_end_matches('-') {
        "" => "server".to_owned(),
        text => text.to_owned(),
    }
}

/// The name, with a number behind it where it is taken.
fn unique(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|i| {
        let end = format!("-{i}");
        let kept: String = name.chars().take(LONGEST - end.len()).collect();
        kept + &end
    });
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// A value that a label can hold: letters, digits, `-`, `_` and `.`, the first and last no sign.
fn label(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let text: String =
        text.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}
