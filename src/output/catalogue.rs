//! The catalogue as tables.

use isocost_catalogue::{Card, Catalogue, Model, PriceKind};

use super::table::{cents, table};
use super::width::fitted;

use crate::output::say;

/// Columns that a narrow terminal does without, in order.
const CARDS: [&str; 9] =
    ["source", "checked", "FP4", "link GB/s", "TDP W", "spot", "reserved", "FP8", "family"];
const MODELS: [&str; 4] = ["source", "checked", "licence", "published in"];

/// Prints cards and models with their sources.
pub fn print(catalogue: &Catalogue) {
    let header = [
        "card",
        "family",
        "memory GB",
        "GB/s",
        "BF16",
        "FP8",
        "FP4",
        "link GB/s",
        "TDP W",
        "on demand ¢/h",
        "reserved",
        "spot",
        "source",
        "checked",
    ];
    let mut cards = table(&header, 2);
    for card in &catalogue.cards {
        cards.add_row(card_cells(card));
    }
    let header =
        ["model", "parameters 10^9", "active", "published in", "licence", "source", "checked"];
    let mut models = table(&header, 1);
    for model in &catalogue.models {
        models.add_row(model_cells(model));
    }
    say!("{}\n\n{}", fitted(&cards, &CARDS), fitted(&models, &MODELS));
}

fn card_cells(card: &Card) -> Vec<String> {
    let or_none = |number: Option<f64>| number.map_or("-".to_owned(), cents);
    let price = |kind| or_none(card.price(kind).map(|price| price.cents_per_h));
    vec![
        card.name.clone(),
        format!("{} {}", card.vendor, card.family),
        cents(card.memory_gb),
        cents(card.bandwidth_gb_per_s),
        cents(card.bf16_tflops),
        or_none(card.fp8_tflops),
        or_none(card.fp4_tflops),
        cents(card.link_gb_per_s),
        or_none(card.tdp_w),
        price(PriceKind::OnDemand),
        price(PriceKind::Reserved),
        price(PriceKind::Spot),
        card.source.clone(),
        card.checked.clone(),
    ]
}

fn model_cells(model: &Model) -> Vec<String> {
    vec![
        model.name.clone(),
        cents(model.parameters_billion),
        cents((model.architecture.active_parameters() / 1e9 * 10.0).round() / 10.0),
        model.quantization.precision.to_string(),
        model.licence.clone(),
        model.source.clone(),
        model.checked.clone(),
    ]
}
