//! A model from its `config.json`, as Hugging Face's libraries write it.
//!
//! Read are dense models, grouped and latent attention, mixtures of experts with shared ones, sliding
//! windows, tied embeddings, and `quantization_config`. A model that sees pictures keeps its language
//! part under `text_config`. Layers that are no attention (state spaces, linear attention) are refused:
//! nothing here says what they cost.

use std::ops::RangeInclusive;

use isocost_model::input::reading::{Fields, Node, Report, Value};

use crate::architecture::{Architecture, Attention, Dense, Experts, Window};
use crate::quantization::{Quantization, quantization};

/// What a `config.json` says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub architecture: Architecture,
    /// How its weights are stored.
    pub quantization: Quantization,
    /// Tokens of the longest context.
    pub context: Option<f64>,
}

/// No size of a model is larger.
const SIZES: RangeInclusive<u32> = 1..=100_000_000;

/// Fields of layers that are not modelled.
const UNKNOWN: [(&str, &str); 5] = [
    ("ssm_state_size", "state-space layers (Mamba)"),
    ("mamba_num_heads", "state-space layers (Mamba)"),
    ("hybrid_override_pattern", "state-space layers (Mamba)"),
    ("linear_num_key_heads", "linear attention"),
    ("block_configs", "layers that differ one by one"),
];

/// Reads a config; problems go to the report.
pub(crate) fn config(file: &str, node: &Node, report: &mut Report) -> Option<Config> {
    let before = report.problems.len();
    let mut outer = Fields::new(file, node, "config", report)?;
    let quantized = outer.inner("quantization_config", report);
    let tied_outside =
        outer.has("tie_word_embeddings").then(|| outer.flag("tie_word_embeddings", report));
    let inner = outer.has("text_config").then(|| outer.inner("text_config", report)).flatten();
    let mut fields = inner.unwrap_or(outer);
    for (key, what) in UNKNOWN {
        if fields.has(key) {
            let what = format!("the model has {what}, which no estimate here covers");
            fields.problem(key, what, "measure it and use `isocost fit`", report);
            return None;
        }
    }
    let quantized = quantized.or_else(|| fields.inner("quantization_config", report));
    let sizes = architecture(&mut fields, tied_outside, report);
    let context = size(&mut fields, "max_position_embeddings", report);
    let quantization = quantized.map_or(Some(Quantization::default()), |q| quantization(q, report));
    if report.problems.len() > before {
        return None;
    }
    Some(Config { architecture: sizes?, quantization: quantization?, context })
}

fn architecture(
    fields: &mut Fields<'_>,
    tied_outside: Option<bool>,
    report: &mut Report,
) -> Option<Architecture> {
    let hidden = needed(fields, "hidden_size", report);
    let layers = needed(fields, "num_hidden_layers", report);
    let vocabulary = needed(fields, "vocab_size", report);
    let heads = needed(fields, "num_attention_heads", report);
    let intermediate = needed(fields, "intermediate_size", report);
    let tied = fields.flag("tie_word_embeddings", report) || tied_outside == Some(true);
    let (hidden, layers, vocabulary) = (hidden?, layers?, vocabulary?);
    let attention = attention(fields, hidden, heads?, report)?;
    let window = window(fields, layers, attention, report);
    let experts = experts(fields, layers, intermediate?, report);
    let dense = Dense {
        layers: layers - experts.map_or(0.0, |e| e.layers),
        intermediate: size(fields, "intermediate_size_mlp", report).or(intermediate)?,
    };
    Some(Architecture { hidden, layers, vocabulary, tied, attention, window, dense, experts })
}

fn attention(
    fields: &mut Fields<'_>,
    hidden: f64,
    heads: f64,
    report: &mut Report,
) -> Option<Attention> {
    if let Some(kv_rank) = size(fields, "kv_lora_rank", report) {
        return Some(Attention::Latent {
            heads,
            query_rank: size(fields, "q_lora_rank", report).unwrap_or(0.0),
            kv_rank,
            nope: needed(fields, "qk_nope_head_dim", report)?,
            rope: needed(fields, "qk_rope_head_dim", report)?,
            value: needed(fields, "v_head_dim", report)?,
        });
    }
    let kv_heads = size(fields, "num_key_value_heads", report).unwrap_or(heads);
    let key = size(fields, "head_dim", report).unwrap_or(hidden / heads);
    let value = size(fields, "v_head_dim", report).unwrap_or(key);
    Some(Attention::Grouped { heads, kv_heads, key, value })
}

/// The layers with a window: as they are listed, or as the kind of model has them.
fn window(
    fields: &mut Fields<'_>,
    layers: f64,
    attention: Attention,
    report: &mut Report,
) -> Option<Window> {
    let off = fields.has("use_sliding_window") && !fields.flag("use_sliding_window", report);
    let tokens = size(fields, "sliding_window", report)?;
    let context = size(fields, "max_position_embeddings", report).unwrap_or(f64::INFINITY);
    if off || tokens >= context {
        return None;
    }
    let kind = fields.text("model_type", report).unwrap_or("").to_owned();
    let every = size(fields, "sliding_window_pattern", report);
    let listed =
        listed(fields, "layer_types", |v| matches!(v, Value::Text(t) if t == "sliding_attention"));
    let pattern = listed_ones(fields, "hybrid_layer_pattern");
    let windowed = match (listed.or(pattern), every) {
        (Some(count), _) => count,
        (None, Some(every)) => layers - (layers / every).floor(),
        (None, None) if kind.starts_with("gemma2") => (layers / 2.0).ceil(),
        (None, None) if kind.starts_with("gemma3") => layers - (layers / 6.0).floor(),
        (None, None) => layers,
    };
    let own = match attention {
        Attention::Grouped { kv_heads, .. } => kv_heads,
        Attention::Latent { heads, .. } => heads,
    };
    let kv_heads = size(fields, "swa_num_key_value_heads", report).unwrap_or(own);
    (windowed > 0.0).then_some(Window { tokens, layers: windowed.min(layers), kv_heads })
}

fn experts(
    fields: &mut Fields<'_>,
    layers: f64,
    intermediate: f64,
    report: &mut Report,
) -> Option<Experts> {
    let keys = ["num_experts", "num_local_experts", "n_routed_experts"];
    let count = keys.into_iter().find_map(|key| size(fields, key, report))?;
    if count < 2.0 {
        return None;
    }
    let keys = ["num_experts_per_tok", "experts_per_token", "top_k_experts", "moe_topk"];
    let per_token = keys.into_iter().find_map(|key| size(fields, key, report));
    if per_token.is_none() {
        let what =
            format!("the model has {count} experts, and nothing says how many a token takes");
        fields.problem("", what, "give num_experts_per_tok", report);
    }
    let own = size(fields, "moe_intermediate_size", report).unwrap_or(intermediate);
    Some(Experts {
        layers: expert_layers(fields, layers, report),
        count,
        per_token: per_token?.min(count),
        intermediate: own,
        shared: shared(fields, own, intermediate, report),
    })
}

fn expert_layers(fields: &mut Fields<'_>, layers: f64, report: &mut Report) -> f64 {
    if let Some(listed) = listed_ones(fields, "moe_layer_freq") {
        return listed;
    }
    let steps = ["interleave_moe_layer_step", "decoder_sparse_step"];
    let step = steps.into_iter().find_map(|key| size(fields, key, report)).unwrap_or(1.0);
    let dense = fields.number("first_k_dense_replace", 0.0..=layers, report).unwrap_or(0.0);
    let only_dense = listed(fields, "mlp_only_layers", |_| true).unwrap_or(0.0);
    ((layers / step).floor() - dense - only_dense).max(0.0)
}

/// Inner size of what every token takes beside its experts.
fn shared(fields: &mut Fields<'_>, own: f64, intermediate: f64, report: &mut Report) -> f64 {
    let kind = fields.text("model_type", report).unwrap_or("");
    if kind.starts_with("llama4") {
        return intermediate;
    }
    let one = size(fields, "share_expert_dim", report).unwrap_or(own);
    let count = size(fields, "n_shared_experts", report).unwrap_or(0.0);
    let stated = ["shared_expert_intermediate_size", "shared_intermediate_size"];
    stated.into_iter().find_map(|key| size(fields, key, report)).unwrap_or(count * one)
}

/// How many of a list's items are meant; `None` where there is no list.
fn listed(
    fields: &mut Fields<'_>,
    key: &'static str,
    meant: impl Fn(&Value) -> bool,
) -> Option<f64> {
    match fields.node(key).map(|node| &node.value) {
        Some(Value::List(items)) => {
            Some(items.iter().filter(|item| meant(&item.value)).count() as f64)
        }
        _ => None,
    }
}

fn listed_ones(fields: &mut Fields<'_>, key: &'static str) -> Option<f64> {
    listed(fields, key, |v| matches!(v, Value::Number(n) if n == "1"))
}

/// A size above 0; 0 counts as absent.
fn size(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<f64> {
    let zero = matches!(fields.node(key).map(|n| &n.value), Some(Value::Number(n)) if n == "0");
    if zero {
        return None;
    }
    fields.whole(key, SIZES, report).map(f64::from)
}

fn needed(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<f64> {
    let before = report.problems.len();
    let found = size(fields, key, report);
    if found.is_none() && report.problems.len() == before {
        let what = format!("`{key}` is missing");
        fields.problem("", what, "give the config.json of a decoder-only language model", report);
    }
    found
}
