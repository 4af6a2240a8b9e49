//! What limits an estimated profile, in words.

use crate::estimate::Estimate;
use crate::fitted::Basis;

/// Context of a request at which caches are put in proportion, tokens.
const CONTEXT: f64 = 2048.0;

/// A few lines, each a limit.
pub fn limits(estimate: &Estimate) -> Vec<String> {
    let limits = [fits(estimate), reads(estimate), cache(estimate), fixed(estimate)];
    limits.into_iter().chain(nodes(estimate)).chain([trust(estimate)]).collect()
}

fn fits(e: &Estimate) -> String {
    let gb = |bytes: f64| format!("{:.1}", bytes / 1e9);
    let m = &e.memory;
    format!(
        "memory, a card: weights {} GB and activations {} GB of the {} GB that the engine may take; \
         {} GB are left for the cache, {} tokens in all",
        gb(m.weights),
        gb(m.activations),
        gb(m.granted),
        gb(m.cache()),
        e.kv_tokens()
    )
}

/// Bandwidth until so many tokens are in a pass, and then compute.
fn reads(e: &Estimate) -> String {
    let service = &e.service;
    let weights_ms = e.pass.weights_ms + e.pass.experts_ms;
    let tokens = service.hidden_tokens.round();
    let compute_ms = service.delta_ms * 1000.0;
    format!(
        "bandwidth: reading all weights takes {weights_ms:.1} ms of a pass; compute: the first {tokens} tokens \
         of a pass are worked off beside it, and 1,000 more take {compute_ms:.1} ms"
    )
}

fn cache(e: &Estimate) -> String {
    let requests = (e.kv_tokens() as f64 / CONTEXT).floor();
    let held = requests.min(f64::from(e.placement.max_batch));
    let reads_ms = e.service.gamma_ms * CONTEXT * held;
    let bound = if requests < f64::from(e.placement.max_batch) {
        format!("the cache ends a batch at {requests} requests of {CONTEXT} tokens")
    } else {
        format!("the cache holds a batch of {} with {CONTEXT} tokens each", e.placement.max_batch)
    };
    let longest = if reads_ms > e.service.alpha_ms {
        "more than weights: long contexts cost bandwidth first"
    } else {
        "less than weights"
    };
    format!("cache: {bound}, and reading theirs takes {reads_ms:.1} ms a pass, {longest}")
}

fn fixed(e: &Estimate) -> String {
    let share = e.pass.fixed_ms / e.service.alpha_ms * 100.0;
    format!(
        "host and messages: {:.1} ms of a pass however small it is, {share:.0}% of an empty batch's",
        e.pass.fixed_ms
    )
}

/// The link is that within a node.
fn nodes(e: &Estimate) -> Option<String> {
    let (cards, node) = (e.placement.cards(), e.card.node_cards);
    (cards > node).then(|| {
        format!(
            "links: a node has {node} of these cards and the replica takes {cards}; the slower network between nodes \
             is not in the estimate"
        )
    })
}

fn trust(e: &Estimate) -> String {
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let m = &e.margins;
    let (itl, ttft) = (percent(m.medians.0), percent(m.medians.1));
    let average = format!("({} and {} on average)", percent(m.itl_error), percent(m.ttft_error));
    let of = match m.basis {
        Basis::Family => "measured systems that the estimator had not seen",
        Basis::Maker => {
            "measured systems of a family of cards that it had not seen; none of this one was measured"
        }
        Basis::Other => {
            return format!(
                "estimated: efficiencies are those of another maker's cards; the one system of such a card \
                 that was compared took 1.5 times as long ({itl} off), and first tokens were not compared: \
                 measure before you plan"
            );
        }
    };
    format!(
        "estimated: off by {itl} of ITL and {ttft} of TTFT at the median {average} on {of}; measure before you buy"
    )
}
