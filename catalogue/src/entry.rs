//! The entry of an estimated profile, as a scenario takes it.

use isocost_model::queue::Roofline;

use crate::document::Map;
use crate::estimate::Estimate;

/// The entry for `models` of a scenario: the model under `name` on the accelerator `acc`, of which a
/// replica takes `units`; `comment` stands above it.
pub fn entry(estimate: &Estimate, comment: &str, name: &str, (acc, units): (&str, u32)) -> Map {
    let placement = &estimate.placement;
    let weights = estimate.memory.weights * f64::from(placement.cards()) / 1e9;
    Map::under(comment)
        .with("name", name)
        .with("acc", acc)
        .noted("accCount", u64::from(units), "accelerators of a replica")
        .with("precision", placement.quantization.precision.name())
        .noted("weightsGB", rounded(weights, 4), "all weights of a replica")
        .noted("maxBatchSize", u64::from(placement.max_batch), "requests in service")
        .noted("maxBatchedTokens", u64::from(placement.token_budget), "tokens of a pass")
        .noted("kvTokens", estimate.kv_tokens(), "tokens that the cache of a replica holds")
        .with("rooflineParms", parameters(&estimate.service))
        .with("provenance", "estimated")
        .with("calibration", error(estimate))
}

/// What is known of the error, with the service times at both ends of it.
fn error(estimate: &Estimate) -> Map {
    let margins = &estimate.margins;
    let [optimistic, pessimistic] =
        estimate.ends.map(|end| Map::default().with("rooflineParms", parameters(&end)));
    Map::default()
        .noted("itlError", rounded(margins.itl_error, 3), "mean share, on systems left out")
        .with("ttftError", rounded(margins.ttft_error, 3))
        .noted("level", margins.level, "share of latencies between the two ends")
        .with("optimistic", optimistic)
        .with("pessimistic", pessimistic)
}

fn parameters(r: &Roofline) -> Map {
    let number = |value: f64| rounded(value, 4);
    let map = Map::default()
        .noted("alpha", number(r.alpha_ms), "ms a pass")
        .noted("beta", number(r.beta_ms), "ms a request in it")
        .noted("gamma", number(r.gamma_ms), "ms a token of context")
        .noted("delta", number(r.delta_ms), "ms a token computed")
        .noted("delta2", number(r.delta2_ms), "ms a square of a prompt's tokens")
        .noted("hidden", number(r.hidden_tokens), "tokens computed beside reading weights")
        .noted("overhead", number(r.overhead_ms), "ms outside the engine")
        .noted("lag", number(r.lag_steps), "passes until a request joins");
    if r.experts.read_ms <= 0.0 {
        return map;
    }
    map.noted("experts", number(r.experts.read_ms), "ms to read all experts").noted(
        "expertShare",
        number(r.experts.share),
        "of them that a token takes",
    )
}

/// A number to so many digits that count.
pub(crate) fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}
