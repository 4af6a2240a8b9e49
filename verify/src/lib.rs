//! Proofs that no plan is cheaper, checked in exact arithmetic.
//!
//! ```text
//! Scenario, Candidates, Asked -> Instance (numbers as fractions)
//! proof file -> Proof: units, a claimed bound, a tree of splits, a bound for each leaf
//! saved plan -> Cost: every load covered, every limit kept, the cost summed
//!
//! verify: every leaf's bound is computed anew and reaches the claim; the splits leave no case out
//! ```
//!
//! No code is shared with what makes plans and proofs, and no solver is asked. Rates, loads, prices and
//! limits are taken for the fractions that they are as f64; a price within 1e-12 of itself of a hundredth
//! of a cent is that hundredth. Sums are of whole numbers of units that the proof names; what does not
//! come to a whole number is rounded to the side on which the bound still holds. The format is that of
//! `docs/src/formulations/proofs.md`.

mod instance;
mod leaf;
mod nodes;
mod plan;
mod price;
mod text;
mod totals;
mod whole;
mod within;

pub use instance::{Asked, Instance, Item, Server};
pub use nodes::Kind;
pub use plan::Cost;
pub use text::{Node, Proof};

use rustc_hash::FxHashMap;

use isocost_model::compare::SavedPlan;

/// Why a proof or a plan is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is no proof.
    #[error("line {line}: {what}; expected {expected}")]
    Text {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// What was expected.
        expected: String,
    },
    /// The proof names what the scenario does not have, or leaves out what it has.
    #[error(
        "the proof is not one of this scenario: {0}; give the scenario and flags that it was made with"
    )]
    Other(String),
    /// A leaf does not reach the claim.
    #[error("the leaf on line {line} proves {proven} units where {claimed} are claimed")]
    Short {
        /// Line of the leaf.
        line: usize,
        /// What it proves.
        proven: String,
        /// What was claimed.
        claimed: String,
    },
    /// A leaf that would take too long to check.
    #[error("the leaf on line {line} takes too much to check: {what}")]
    Effort {
        /// Line of the leaf.
        line: usize,
        /// What is too much.
        what: String,
    },
    /// Numbers too large to be counted.
    #[error("{0} is too large to be counted exactly")]
    Large(String),
    /// The plan does not hold.
    #[error("the plan does not hold: {0}")]
    Plan(String),
}

/// What was proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// No plan costs less, cents/h; `None` where there is no plan at all.
    pub bound: Option<f64>,
    /// What the plan costs, cents/h, where one was given.
    pub cost: Option<f64>,
    /// Whether the bound is all that the plan costs: it is optimal, exactly.
    pub is_optimal: bool,
    /// Leaves of the proof.
    pub leaves: usize,
}

/// Checks `proof`, the text of a proof, for `instance`, and `plan` with it.
///
/// # Errors
/// [`Refusal`]: what does not hold, or could not be checked.
pub fn verify(
    instance: &Instance,
    proof: &str,
    plan: Option<&SavedPlan>,
) -> Result<Verdict, Refusal> {
    let proof = Proof::read(proof)?;
    let instance = &*instance.with_nodes(&proof)?;
    let numbers = whole::Numbers::new(instance, &proof)?;
    let mut check = leaf::Check { instance, numbers: &numbers, proof: &proof, leaves: 0 };
    check.node(&proof.root, &mut FxHashMap::default(), None)?;
    let leaves = check.leaves;
    let cost = plan.map(|plan| Cost::of(instance, plan, &numbers)).transpose()?;
    if cost.is_some() && proof.bound.is_none() {
        return Err(Refusal::Plan("the proof says that there is none".to_owned()));
    }
    if let (Some(bound), Some(cost)) = (proof.bound, &cost)
        && bound > cost.units
    {
        return Err(Refusal::Plan(format!("it costs {} units, less than the bound", cost.units)));
    }
    let is_optimal =
        cost.as_ref().is_some_and(|cost| Some(cost.units) == proof.bound && cost.is_whole);
    Ok(Verdict {
        bound: proof.bound.map(|bound| proof.cents(bound)),
        cost: cost.map(|cost| cost.cents),
        is_optimal,
        leaves,
    })
}
