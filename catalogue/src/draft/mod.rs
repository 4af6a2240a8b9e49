//! A scenario from names: models, cards, loads and objectives, sized by the catalogue.
//!
//! Every model is estimated on every card at every tensor parallelism, and in every precision that is asked for:
//! each that fits is an accelerator of its own (`2xH100`, `2xH100-fp8`) with a profile, so that the plan says
//! which it took. By default tensor parallelism is from the least that holds the model, doubled while one node
//! has the cards, and three steps at most; weights are as they are published. Batch sizes are the planner's to
//! choose.

mod options;
mod scenario;

use crate::card::Card;
use crate::document::Document;
use crate::estimate::EstimateError;
use crate::model::Model;
use crate::placement::Placement;
use crate::precision::Precision;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Models with their loads.
    pub models: Vec<Asked>,
    /// Cards with what they cost and how many there are.
    pub cards: Vec<Offered>,
    /// Tensor parallelism; what is sensible where none is given.
    pub tps: Vec<u32>,
    /// How weights are stored: as they are published (`None`), or in a precision.
    pub precisions: Vec<Option<Precision>>,
    /// How engines are set; its parallelism and weights are replaced.
    pub engine: Engine,
    /// What the class asks.
    pub class: Class,
    /// Several accelerators may serve one model.
    pub heterogeneous: bool,
}

/// A model and the load it is under.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The model.
    pub model: Model,
    /// Its load.
    pub load: Load,
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests per minute.
    pub per_min: f64,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Mean tokens of an answer.
    pub output_tokens: f64,
    /// How arrivals, answers and prompts vary, where it is known.
    pub variation: Option<Variation>,
}

/// Squared coefficients of variation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    /// Of the times between arrivals.
    pub arrivals: f64,
    /// Of answers.
    pub outputs: f64,
    /// Of prompts.
    pub inputs: f64,
}

/// A card that may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// The card.
    pub card: Card,
    /// Cents an hour.
    pub cents_per_h: f64,
    /// Where the price comes from.
    pub price_note: String,
    /// How many there are; `None` without a limit.
    pub count: Option<u64>,
}

/// How engines are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Engine {
    /// Numbers of the cache.
    pub kv_precision: Precision,
    /// Share of a card's memory.
    pub memory_share: f64,
    /// Requests in service at most.
    pub max_batch: u32,
    /// Tokens of a pass at most.
    pub token_budget: u32,
}

/// A service class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Name.
    pub name: String,
    /// Limit on the time between tokens, ms.
    pub itl_ms: f64,
    /// Limit on the time to the first token, ms.
    pub ttft_ms: f64,
}

/// A scenario, and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drafted {
    /// The scenario.
    pub document: Document,
    /// Pairs that have no profile, with the reason.
    pub left_out: Vec<String>,
}

impl Draft {
    /// The scenario.
    ///
    /// # Errors
    /// A line for each model that runs on none of the cards.
    pub fn scenario(&self) -> Result<Drafted, Vec<String>> {
        let found = options::options(self);
        let homeless: Vec<String> = self
            .models
            .iter()
            .filter(|asked| found.kept.iter().all(|o| o.estimate.model.name != asked.model.name))
            .flat_map(|asked| found.why(&asked.model.name))
            .collect();
        if !homeless.is_empty() {
            return Err(homeless);
        }
        let document = scenario::document(self, &found.kept);
        Ok(Drafted { document, left_out: found.dropped.into_iter().map(|d| d.what).collect() })
    }

    /// A replica on `tp` cards with weights of a precision.
    fn placement(&self, model: &Model, tp: u32, precision: Option<Precision>) -> Placement {
        let Engine { kv_precision, memory_share, max_batch, token_budget } = self.engine;
        let quantization = model.quantization.or(precision);
        Placement {
            quantization,
            kv_precision,
            memory_share,
            max_batch,
            token_budget,
            ..Placement::new(model, tp)
        }
    }
}

/// A pair without a profile.
struct Dropped {
    model: String,
    what: String,
}

impl Dropped {
    fn new(model: &Model, error: &EstimateError) -> Self {
        Self { model: model.name.clone(), what: error.to_string() }
    }
}
