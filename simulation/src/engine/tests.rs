//! The KV cache, counted anew in every pass.

use isocost_model::queue::{EngineSettings, Iteration, Linear, ServiceModel};
use proptest::prelude::*;

use super::*;

const MODELS: [ServiceModel; 2] = [
    ServiceModel::Linear(Linear { alpha_ms: 8.0, beta_ms: 0.3, gamma_ms: 12.0, delta_ms: 0.02 }),
    ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 }),
];

fn blocks(tokens: u64) -> u64 {
    tokens.div_ceil(16)
}

/// Tokens of the blocks that the requests in service hold, each by its own context after the pass.
fn held(engine: &Engine, pass: &Pass) -> u64 {
    let step = engine.step + u64::from(pass.decoding > 0.0);
    let prompts: u64 = engine.prompts.iter().map(|p| blocks(u64::from(p.length))).sum();
    let decoding = engine.ends.iter().map(|Reverse(end)| engine.decoding[end.2]);
    prompts * 16 + decoding.map(|d| 16 * blocks(d.context + step - d.since)).sum::<u64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_are_those_of_the_requests_in_service_and_never_more_than_there_are(
        model in 0_usize..2,
        batch in 1_u32..20,
        chunked_prefill in any::<bool>(),
        kv_tokens in 200_u64..2000,
        rows in prop::collection::vec((0.0..50.0_f64, 0_u32..250, 0_u32..100, 1_u32..80), 1..60),
    ) {
        let engine = EngineSettings { token_budget: 64, kv_tokens: Some(kv_tokens), chunked_prefill };
        let replica = Replica { service: MODELS[model], batch, queue_limit: None, engine, network_ms: 0.0 };
        let window = Window { warmup: 0, counted: rows.len() as u64, sections: 1 };
        let mut engine = Engine::new(&replica, window);
        for (gap_ms, input_tokens, cached_tokens, output_tokens) in rows {
            let arrival_ms = engine.now_ms() + gap_ms;
            engine.idle_until(arrival_ms);
            let before_ms = 0.0;
            let request =
                Request { arrival_ms, input_tokens, cached_tokens, output_tokens, before_ms };
            engine.arrive(request, 0.0);
            check_pass(&mut engine, kv_tokens)?;
        }
        while engine.in_system() > 0 {
            check_pass(&mut engine, kv_tokens)?;
        }
        prop_assert_eq!(engine.memory.used_tokens(), 0);
        prop_assert!(engine.recorder().is_done());
        prop_assert_eq!(engine.decode_context, 0);
        prop_assert!(engine.last_tokens.is_empty() && engine.fresh.is_empty());
    }
}

fn check_pass(engine: &mut Engine, kv_tokens: u64) -> Result<(), TestCaseError> {
    if engine.in_system() == 0 {
        return Ok(());
    }
    let pass = engine.compose();
    prop_assert!(pass.decoding + pass.chunks > 0.0, "a pass goes on with something");
    prop_assert_eq!(engine.memory.used_tokens(), held(engine, &pass));
    prop_assert!(engine.memory.used_tokens() <= kv_tokens);
    let since_last: usize = engine.last_tokens.iter().map(|(_, count)| count).sum();
    prop_assert_eq!(since_last + engine.fresh.len(), engine.ends.len());
    let end_ms = engine.now_ms() + engine.length_ms(&pass);
    engine.complete(&pass, end_ms);
    Ok(())
}
