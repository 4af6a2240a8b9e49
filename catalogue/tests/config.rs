//! Models by their config.json.

use std::path::PathBuf;

use isocost_catalogue::{Attention, Catalogue, Model, Precision};

fn model(text: &str) -> Result<Model, String> {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let path: PathBuf = dir.path().join("config.json");
    std::fs::write(&path, text).expect("there is room for temporary files");
    Catalogue::builtin().model(path.to_str().expect("a plain path"))
}

const DENSE: &str = r#""hidden_size": 1024, "num_hidden_layers": 10, "num_attention_heads": 16,
    "intermediate_size": 4096, "vocab_size": 32000"#;

fn sound(more: &str) -> Model {
    model(&format!("{{ {DENSE}{more} }}")).expect("it is sound")
}

#[test]
fn heads_and_ties() {
    let plain = sound("");
    let per_layer = 4.0 * 1024.0 * 1024.0 + 3.0 * 1024.0 * 4096.0;
    assert_eq!(plain.architecture.parameters(), 10.0 * per_layer + 2.0 * 32000.0 * 1024.0);
    let tied = sound(r#", "tie_word_embeddings": true"#);
    let saved = plain.architecture.parameters() - tied.architecture.parameters();
    assert_eq!(saved, 32000.0 * 1024.0);
    let grouped = sound(r#", "num_key_value_heads": 4, "head_dim": 128"#);
    assert_eq!(grouped.architecture.cached(1.0), 10.0 * 4.0 * 256.0);
    assert_eq!(grouped.architecture.cached(8.0), 10.0 * 256.0, "no head is split");
}

#[test]
fn latent_attention_is_kept_whole_by_every_card() {
    let latent = sound(
        r#", "kv_lora_rank": 512, "q_lora_rank": 768, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32,
            "v_head_dim": 64"#,
    );
    assert!(matches!(latent.architecture.attention, Attention::Latent { .. }));
    assert_eq!(latent.architecture.cached(8.0), 10.0 * 544.0);
}

#[test]
fn experts_are_counted_layer_by_layer() {
    let mixture = sound(
        r#", "n_routed_experts": 64, "num_experts_per_tok": 6, "moe_intermediate_size": 512,
            "n_shared_experts": 2, "first_k_dense_replace": 1"#,
    );
    let experts = mixture.architecture.experts.expect("a mixture");
    assert_eq!((experts.layers, experts.count, experts.shared), (9.0, 64.0, 1024.0));
    assert_eq!(mixture.architecture.dense.layers, 1.0);
    assert!((mixture.architecture.coverage(1.0) - 6.0 / 64.0).abs() < 1e-12);
    assert!(mixture.architecture.coverage(256.0) > 0.99);
    let half = sound(
        r#", "num_experts": 8, "num_experts_per_tok": 2, "decoder_sparse_step": 2,
            "shared_expert_intermediate_size": 256"#,
    );
    let experts = half.architecture.experts.expect("a mixture");
    assert_eq!((experts.layers, experts.shared), (5.0, 256.0));
}

#[test]
fn windows_are_those_that_are_listed() {
    let listed = sound(
        r#", "sliding_window": 128, "layer_types": ["sliding_attention", "full_attention",
            "sliding_attention"]"#,
    );
    assert_eq!(listed.architecture.window.expect("windows").layers, 2.0);
    let off = sound(r#", "sliding_window": 128, "use_sliding_window": false"#);
    assert_eq!(off.architecture.window, None);
    let every = sound(r#", "sliding_window": 128, "sliding_window_pattern": 5"#);
    assert_eq!(every.architecture.window.expect("windows").layers, 8.0);
    let gemma = sound(r#", "sliding_window": 4096, "model_type": "gemma2""#);
    assert_eq!(gemma.architecture.window.expect("windows").layers, 5.0);
    let longer = sound(r#", "sliding_window": 4096, "max_position_embeddings": 4096"#);
    assert_eq!(longer.architecture.window, None, "a window as long as the context is none");
}

#[test]
fn quantised_weights_say_so() {
    let of = |config: &str| sound(&format!(r#", "quantization_config": {config}"#)).quantization;
    assert_eq!(of(r#"{ "quant_method": "fp8" }"#).precision, Precision::Fp8);
    assert_eq!(of(r#"{ "quant_method": "awq", "bits": 4 }"#).precision, Precision::Int4);
    assert_eq!(of(r#"{ "quant_method": "gptq", "bits": 8 }"#).precision, Precision::Int8);
    let nvfp4 = r#"{ "quant_method": "modelopt", "quant_algo": "NVFP4" }"#;
    assert_eq!(of(nvfp4).precision, Precision::Fp4);
    let groups = r#"{ "quant_method": "compressed-tensors", "ignore": ["re:.*self_attn.*"],
        "config_groups": { "group_0": { "weights": { "num_bits": 4, "type": "int" } } } }"#;
    assert_eq!(of(groups).precision, Precision::Int4);
    assert!(of(groups).experts_only);
}

#[test]
fn pictures_have_a_language_part() {
    let nested = model(&format!(
        r#"{{ "model_type": "some_vl", "tie_word_embeddings": true, "text_config": {{ {DENSE} }} }}"#
    ));
    assert!(nested.expect("it is sound").architecture.tied);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let of = |text: &str| model(text).expect_err("it is wrong");
    let missing = of(r#"{ "hidden_size": 1024 }"#);
    for key in ["num_hidden_layers", "num_attention_heads", "vocab_size", "intermediate_size"] {
        assert!(missing.contains(key), "{key}: {missing}");
    }
    assert!(of("[]").contains("expected an object"));
    assert!(of(&format!(r#"{{ {DENSE}, "head_dim": -1 }}"#)).contains("config.json:2:"));
    let mamba = of(&format!(r#"{{ {DENSE}, "ssm_state_size": 16 }}"#));
    assert!(mamba.contains("state-space"), "{mamba}");
    let mixed = of(&format!(r#"{{ {DENSE}, "num_experts": 8 }}"#));
    assert!(mixed.contains("num_experts_per_tok"), "{mixed}");
    let unknown =
        of(&format!(r#"{{ {DENSE}, "quantization_config": {{ "quant_method": "x" }} }}"#));
    assert!(unknown.contains("unknown quantization method `x`"), "{unknown}");
}
