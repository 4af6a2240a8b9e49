//! Whatever a config says: an estimate of positive numbers, or an error that says what to do.

use isocost_catalogue::{Catalogue, Estimate, Placement, Precision};
use proptest::prelude::*;

const SIZES: [u64; 8] = [0, 1, 2, 7, 64, 128, 4096, 100_000_000];

const KEYS: [&str; 20] = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "num_key_value_heads",
    "head_dim",
    "v_head_dim",
    "kv_lora_rank",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "n_routed_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "n_shared_experts",
    "first_k_dense_replace",
    "sliding_window",
    "sliding_window_pattern",
    "max_position_embeddings",
];

/// The first five have to be there; the others are drawn.
fn config() -> impl Strategy<Value = String> {
    let size = prop::sample::select(SIZES.to_vec());
    let sizes = prop::collection::vec((size, any::<bool>()), KEYS.len());
    sizes.prop_map(|sizes| {
        let all = KEYS.iter().zip(sizes).enumerate();
        let there = all.filter(|(i, (_, (_, there)))| *i < 5 || *there);
        let fields = there.map(|(_, (key, (size, _)))| format!("\"{key}\": {size}"));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    })
}

fn placement() -> impl Strategy<Value = (u32, u32, bool, Precision, f64)> {
    let precision = prop::sample::select(Precision::ALL.to_vec());
    let powers = prop::sample::select(vec![1_u32, 2, 3, 8, 64]);
    (powers.clone(), powers, any::<bool>(), precision, 0.0..=1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn estimates_are_positive_or_refused(text in config(), laid in placement(), card in 0_usize..30) {
        let catalogue = Catalogue::builtin();
        let dir = tempfile::tempdir().expect("there is room for temporary files");
        let path = dir.path().join("drawn.json");
        std::fs::write(&path, &text).expect("there is room for temporary files");
        let model = match catalogue.model(path.to_str().expect("a plain path")) {
            Ok(model) => model,
            Err(problem) => {
                prop_assert!(problem.contains("problem"), "{problem}");
                return Ok(());
            }
        };
        let (tp, dp, whole_experts, precision, memory_share) = laid;
        let placement = Placement {
            dp,
            whole_experts,
            quantization: model.quantization.or(Some(precision)),
            memory_share,
            ..Placement::new(&model, tp)
        };
        match Estimate::new(&model, &catalogue.cards[card % catalogue.cards.len()], &placement) {
            Ok(estimate) => {
                for r in [&estimate.service, &estimate.ends[0], &estimate.ends[1]] {
                    let times = [r.alpha_ms, r.beta_ms, r.gamma_ms, r.delta_ms, r.delta2_ms];
                    prop_assert!(times.iter().all(|t| t.is_finite() && *t >= 0.0), "{r:?}");
                    prop_assert!(r.delta_ms * r.hidden_tokens <= r.alpha_ms, "{r:?}");
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("drawn"), "{error}"),
        }
    }
}
