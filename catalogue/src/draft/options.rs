//! The options: a model on a card, split and stored in one way.

use super::{Draft, Dropped, Offered};
use crate::card::Card;
use crate::estimate::{Estimate, least_tp_of_request};
use crate::model::Model;
use crate::precision::Precision;

/// Steps of tensor parallelism from the least on that are sensible: each more costs more for the same load.
const STEPS: usize = 3;

/// An option with its profile.
pub(super) struct Kept {
    /// Index of the card among those offered.
    pub card: usize,
    /// Name of the accelerator.
    pub accelerator: String,
    pub estimate: Estimate,
}

/// Options, and pairs that are none.
pub(super) struct Options {
    pub kept: Vec<Kept>,
    pub dropped: Vec<Dropped>,
}

impl Options {
    /// Why a model has no option.
    pub fn why(&self, model: &str) -> Vec<String> {
        let own = self.dropped.iter().filter(|d| d.model == model);
        own.map(|d| d.what.clone()).collect()
    }
}

pub(super) fn options(draft: &Draft) -> Options {
    let mut options = Options { kept: Vec::new(), dropped: Vec::new() };
    for asked in &draft.models {
        for (at, offered) in draft.cards.iter().enumerate() {
            for precision in precisions(draft, &asked.model) {
                add(draft, &asked.model, (at, offered), precision, &mut options);
            }
        }
    }
    options
}

/// Those that are asked for, each way of storing weights once.
fn precisions(draft: &Draft, model: &Model) -> Vec<Option<Precision>> {
    let mut found: Vec<Option<Precision>> = Vec::new();
    for precision in &draft.precisions {
        let stored = model.quantization.or(*precision);
        if found.iter().all(|other| model.quantization.or(*other) != stored) {
            found.push(*precision);
        }
    }
    found
}

fn add(
    draft: &Draft,
    model: &Model,
    (at, offered): (usize, &Offered),
    precision: Option<Precision>,
    options: &mut Options,
) {
    let card = &offered.card;
    for tp in tps(draft, model, card, precision) {
        let placement = draft.placement(model, tp, precision);
        match Estimate::new(model, card, &placement) {
            Ok(estimate) => {
                let accelerator = name(card, tp, precision);
                options.kept.push(Kept { card: at, accelerator, estimate });
            }
            Err(error) => options.dropped.push(Dropped::new(model, &error)),
        }
    }
}

/// What is asked for; else from the least that holds the model, as far as a node has cards.
fn tps(draft: &Draft, model: &Model, card: &Card, precision: Option<Precision>) -> Vec<u32> {
    if !draft.tps.is_empty() {
        return draft.tps.clone();
    }
    let one = draft.placement(model, 1, precision);
    let Some(least) = least_tp_of_request(model, card, &one) else { return vec![1] };
    let doubled = std::iter::successors(Some(least), |tp| Some(2 * tp));
    let within = doubled.take_while(|tp| *tp <= card.node_cards.max(least)).take(STEPS);
    let even = within.filter(|tp| draft.placement(model, *tp, precision).mismatch(model).is_none());
    even.collect()
}

/// `H100`, `2xH100`, `2xH100-fp8`.
fn name(card: &Card, tp: u32, precision: Option<Precision>) -> String {
    let cards = if tp == 1 { card.name.clone() } else { format!("{tp}x{}", card.name) };
    precision.map_or(cards.clone(), |precision| format!("{cards}-{precision}"))
}
