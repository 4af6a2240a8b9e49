//! The scenario of a draft, section by section, with units.

use super::options::Kept;
use super::{Asked, Draft, Load, Offered};
use crate::catalogue::CURRENCY;
use crate::document::{Document, Map};
use crate::entry::{entry, rounded};

/// What a card draws idle, and in the middle, between idle and full: no data sheet says either.
const IDLE: f64 = 0.12;
const MIDDLE: (f64, f64) = (0.75, 0.6);

pub(super) fn document(draft: &Draft, options: &[Kept]) -> Document {
    let comment = "A scenario for `isocost plan`, estimated from data sheets: service times are good to some ten per \
                   cent\nand no measurement; measure (`isocost fit`) before you buy. Prices and loads are yours to \
                   correct.";
    let map = Map::under(comment)
        .with("acceleratorData", Map::default().with("accelerators", accelerators(draft, options)))
        .with("modelData", Map::default().with("models", models(options)))
        .with("serviceClassData", Map::default().with("serviceClasses", vec![class(draft).into()]))
        .with("serverData", Map::default().with("servers", servers(draft)));
    let map = match capacity(draft) {
        counts if counts.is_empty() => map,
        counts => map.with("capacityData", Map::default().with("count", counts)),
    };
    let optimizer = Map::default()
        .noted("heterogeneous", draft.heterogeneous, "several accelerators may serve one server")
        .noted("currency", CURRENCY, "what 100 cents are");
    map.with("optimizerData", Map::default().with("optimizer", optimizer)).into()
}

/// Each accelerator of an option once.
fn accelerators(draft: &Draft, options: &[Kept]) -> Vec<Document> {
    let mut seen: Vec<&str> = Vec::new();
    let mut list = Vec::new();
    for option in options {
        if !seen.contains(&option.accelerator.as_str()) {
            seen.push(&option.accelerator);
            list.push(accelerator(&draft.cards[option.card], option).into());
        }
    }
    list
}

fn accelerator(offered: &Offered, option: &Kept) -> Map {
    let card = &offered.card;
    let cards = option.estimate.placement.tp;
    let all = |figure: f64| rounded(figure * f64::from(cards), 6);
    let map = Map::default()
        .with("name", option.accelerator.as_str())
        .noted("type", card.name.as_str(), "what cards are counted in")
        .noted("multiplicity", u64::from(cards), "cards that share each layer")
        .noted("memSize", all(card.memory_gb), "GB")
        .noted("memBW", all(card.bandwidth_gb_per_s), "GB/s");
    let map = match card.tdp_w {
        Some(tdp_w) => map.with("power", power(all(tdp_w))),
        None => map,
    };
    map.noted("cost", all(offered.cents_per_h), &format!("cents/h; {}", offered.price_note))
}

fn power(full: f64) -> Map {
    let idle = IDLE * full;
    Map::default()
        .noted("idle", rounded(idle, 3), "W, an estimate")
        .with("midPower", rounded(idle + MIDDLE.0 * (full - idle), 4))
        .with("midUtil", MIDDLE.1)
        .noted("full", full, "W, the data sheet's most")
}

fn models(options: &[Kept]) -> Vec<Document> {
    let each = options.iter().map(|option| {
        let estimate = &option.estimate;
        let comment = format!(
            "{} in {} on {}",
            estimate.model.name, estimate.placement.quantization.precision, option.accelerator
        );
        entry(estimate, &comment, &estimate.model.name, (&option.accelerator, 1)).into()
    });
    each.collect()
}

fn class(draft: &Draft) -> Map {
    let class = &draft.class;
    let targets = draft.models.iter().map(|asked| {
        Map::default()
            .with("model", asked.model.name.as_str())
            .noted("slo-itl", class.itl_ms, "ms between tokens")
            .noted("slo-ttft", class.ttft_ms, "ms to the first token")
            .into()
    });
    Map::default()
        .with("name", class.name.as_str())
        .noted("priority", 1_u64, "1 is served first")
        .with("modelTargets", targets.collect::<Vec<Document>>())
}

fn servers(draft: &Draft) -> Vec<Document> {
    draft.models.iter().map(|asked| server(draft, asked).into()).collect()
}

fn server(draft: &Draft, asked: &Asked) -> Map {
    let name = format!("{}-{}", draft.class.name.to_lowercase(), asked.model.name);
    Map::default()
        .with("name", name.as_str())
        .with("class", draft.class.name.as_str())
        .with("model", asked.model.name.as_str())
        .with("currentAlloc", Map::default().with("load", load(&asked.load)))
}

fn load(load: &Load) -> Map {
    let map = Map::default()
        .noted("arrivalRate", rounded(load.per_min, 6), "requests/min")
        .noted("avgInTokens", rounded(load.input_tokens, 6), "tokens of a prompt")
        .noted("avgOutTokens", rounded(load.output_tokens, 6), "tokens of an answer");
    match load.variation {
        None => map,
        Some(v) => map
            .noted("arrivalScv", rounded(v.arrivals, 4), "variance over squared mean; 1 is Poisson")
            .with("tokenScv", rounded(v.outputs, 4))
            .with("inputScv", rounded(v.inputs, 4)),
    }
}

/// How many cards there are, where anything is said of it: then of every type.
fn capacity(draft: &Draft) -> Vec<Document> {
    if draft.cards.iter().all(|offered| offered.count.is_none()) {
        return Vec::new();
    }
    let counts = draft.cards.iter().filter_map(|offered| {
        let count = offered.count?;
        Some(Map::default().with("type", offered.card.name.as_str()).with("count", count).into())
    });
    counts.collect()
}
