//! An estimated service profile: what a model does on a card, from its sizes and the data sheet.

use isocost_model::queue::Roofline;

use crate::card::Card;
use crate::efficiency::Efficiency;
use crate::fitted::{Margins, margins};
use crate::memory::{Memory, least_tp};
use crate::model::Model;
use crate::pass::Pass;
use crate::placement::Placement;
use crate::precision::Precision;
use crate::quantization::Quantization;

/// A replica holds a request of so many tokens at least, or it is none.
const LEAST_REQUEST: f64 = 2048.0;

/// An estimated profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The model.
    pub model: Model,
    /// The card.
    pub card: Card,
    /// How a replica is laid over cards.
    pub placement: Placement,
    /// What a card of it holds.
    pub memory: Memory,
    /// Parts of a pass.
    pub pass: Pass,
    /// Service times.
    pub service: Roofline,
    /// Service times where latencies are shortest, and where they are longest.
    pub ends: [Roofline; 2],
    /// How far off it may be.
    pub margins: Margins,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EstimateError {
    /// The cards cannot share the model so.
    #[error("{model} on {card}: {what}")]
    Split {
        /// Model.
        model: String,
        /// Card.
        card: String,
        /// Why.
        what: String,
    },
    /// The weights, or a request beside them, do not fit.
    #[error("{}", .0.words())]
    Memory(Box<NoFit>),
}

/// A replica that does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct NoFit {
    /// Model.
    pub model: String,
    /// Card.
    pub card: String,
    /// Cards of the replica.
    pub cards: u32,
    /// How weights were to be stored.
    pub precision: Precision,
    /// What a card would hold.
    pub memory: Memory,
    /// The least tensor parallelism that holds it, by precision.
    pub least: Vec<(Precision, u32)>,
}

impl NoFit {
    fn words(&self) -> String {
        let gb = |bytes: f64| format!("{:.1} GB", bytes / 1e9);
        let Self { model, card, cards, precision, memory, .. } = self;
        let all = f64::from(*cards);
        let weights = gb(memory.weights * all);
        let on = if *cards == 1 { format!("one {card}") } else { format!("{cards} {card}") };
        let granted = gb(memory.granted * all);
        let rest = gb(memory.activations * all);
        let what = if memory.weights > memory.granted {
            format!("its weights take {weights}, and the engine has {granted} there")
        } else {
            format!(
                "weights take {weights} and activations {rest} of the engine's {granted} there, and no \
                 request of {LEAST_REQUEST} tokens fits beside them"
            )
        };
        let least: Vec<String> =
            self.least.iter().map(|(p, tp)| format!("--tp {tp} in {p}")).collect();
        let remedy = match least.as_slice() {
            [] => "no number of these cards holds it: take a card with more memory".to_owned(),
            some => format!("the least that holds it is {}", some.join(", ")),
        };
        format!("{model} in {precision} does not fit on {on}: {what}; {remedy}")
    }
}

impl Estimate {
    /// Estimates a model on a card.
    ///
    /// # Errors
    /// [`EstimateError`], with what would do.
    pub fn new(model: &Model, card: &Card, placement: &Placement) -> Result<Self, EstimateError> {
        if let Some(what) = placement.mismatch(model) {
            let (model, card) = (model.name.clone(), card.name.clone());
            return Err(EstimateError::Split { model, card, what });
        }
        let memory = Memory::new(model, card, placement);
        if !memory.holds(LEAST_REQUEST) {
            return Err(EstimateError::Memory(Box::new(no_fit(model, card, placement, memory))));
        }
        let efficiency = Efficiency::of(card);
        let pass = Pass::new(model, card, placement, &efficiency);
        let service = pass.roofline(model, &efficiency);
        let margins = margins(card);
        Ok(Self {
            model: model.clone(),
            card: card.clone(),
            placement: *placement,
            memory,
            pass,
            service,
            ends: margins.ends(&service),
            margins,
        })
    }

    /// Tokens that the cache of a replica holds.
    pub fn kv_tokens(&self) -> u64 {
        self.memory.kv_tokens(self.placement.dp) as u64
    }
}

/// The least tensor parallelism with which a replica fits and holds a request.
pub fn least_tp_of_request(model: &Model, card: &Card, placement: &Placement) -> Option<u32> {
    least_tp(model, card, placement, LEAST_REQUEST)
}

fn no_fit(model: &Model, card: &Card, placement: &Placement, memory: Memory) -> NoFit {
    let stored = placement.quantization.precision;
    let narrower = |p: &Precision| p.bytes() <= stored.bytes() && *p != Precision::Int8;
    let least = Precision::ALL.into_iter().filter(narrower).filter_map(|precision| {
        let experts_only = placement.quantization.experts_only && precision == stored;
        let quantization = Quantization { precision, experts_only };
        let other = Placement { quantization, ..*placement };
        least_tp(model, card, &other, LEAST_REQUEST).map(|tp| (precision, tp))
    });
    NoFit {
        model: model.name.clone(),
        card: card.name.clone(),
        cards: placement.cards(),
        precision: stored,
        memory,
        least: least.collect(),
    }
}
