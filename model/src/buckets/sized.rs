//! The question for one server of a scenario: each bucket is sized alone by the queueing model, on each
//! accelerator, under the server's objectives.

use super::{Bucket, Buckets, Gpu, Limit, SliceFactor};
use crate::candidates::{Candidates, SizingOptions};
use crate::scenario::Scenario;

/// Requests of a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Input tokens of a request.
    pub input_tokens: f64,
    /// Output tokens of a request, at least 1.
    pub output_tokens: f64,
    /// Share of the server's requests, in [0, 1].
    pub share: f64,
}

/// The question for `server`, whose requests have these sizes. A GPU is a replica of the model on an
/// accelerator: it keeps up with the rate that the objectives allow it, at the best batch size. Card
/// counts are limits, unless `unlimited`.
pub fn of_server(
    scenario: &Scenario,
    server: usize,
    sizes: &[Size],
    sizing: &SizingOptions,
    slices: SliceFactor,
    unlimited: bool,
) -> Buckets {
    let one_a_bucket = one_server_a_bucket(scenario, server, sizes);
    let candidates = Candidates::build(&one_a_bucket, sizing);
    let buckets = sizes.iter().enumerate().map(|(b, size)| Bucket {
        input: size.input_tokens.to_string(),
        output: size.output_tokens.to_string(),
        rate_per_s: size.share * candidates.demands[b].rate_per_s,
    });
    let mut question = Buckets {
        buckets: buckets.collect(),
        gpus: Vec::new(),
        limits: Vec::new(),
        slices,
        currency: "cents".to_owned(),
        provenance: String::new(),
    };
    let mut cards = Vec::new();
    for (a, accelerator) in scenario.accelerators.iter().enumerate() {
        let mut gpu =
            Gpu { name: accelerator.name.clone(), cost_per_h: 0.0, rates_per_s: Vec::new() };
        let mut taken = 0;
        for b in 0..sizes.len() {
            let options = candidates.options(b).iter().filter(|o| o.accelerator == a);
            let best = options.max_by(|x, y| x.rate_per_s.total_cmp(&y.rate_per_s));
            gpu.rates_per_s.push(best.map_or(0.0, |o| o.rate_per_s));
            if let Some(best) = best {
                // A price of energy makes a replica's cost depend on what it serves: the dearest counts.
                gpu.cost_per_h = gpu.cost_per_h.max(best.cost_cents_per_h);
                taken = best.cards;
            }
        }
        if taken > 0 {
            question.gpus.push(gpu);
            cards.push((accelerator.card_type, taken));
        }
    }
    if !unlimited {
        question.limits = card_limits(scenario, &cards);
    }
    question
}

/// The scenario with as many copies of the server as there are buckets, each with one size.
fn one_server_a_bucket(scenario: &Scenario, server: usize, sizes: &[Size]) -> Scenario {
    let copies = sizes.iter().map(|size| {
        let mut copy = scenario.servers[server].clone();
        copy.load.input_tokens = size.input_tokens;
        copy.load.output_tokens = size.output_tokens;
        copy
    });
    Scenario { servers: copies.collect(), ..scenario.clone() }
}

/// `cards`: by GPU type, its card type and the cards that one replica takes.
fn card_limits(scenario: &Scenario, cards: &[(usize, u64)]) -> Vec<Limit> {
    let limits = scenario.card_types.iter().enumerate().filter_map(|(t, card)| {
        let units = cards.iter().enumerate().filter(|(_, c)| c.0 == t);
        let units: Vec<(usize, u64)> = units.map(|(g, c)| (g, c.1)).collect();
        let most = card.available()?;
        (!units.is_empty()).then(|| Limit { name: card.name.clone(), most, units })
    });
    limits.collect()
}
