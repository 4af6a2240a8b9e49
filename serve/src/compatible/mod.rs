//! As the reference's clients expect it: what its optimizer takes, gives and does, where this one does otherwise.
//!
//! ```text
//! body -> [lenient]: what its optimizer lets pass -> scenario -> planner, least value of the change
//!      -> [answer]: its fields, integers as such; who is left out is named, with its status
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`shape`] | the fields of its types, each with the value that stands where none is given |
//! | [`lenient`] | a scenario as its optimizer reads it |
//! | [`answer`] | a solution as its clients decode it |

pub mod answer;
pub mod lenient;
pub mod shape;

use isocost_model::Scenario;
use isocost_model::scenario::CurrentAllocation;
use serde_json::Value;

/// A server that runs nowhere counts as moved from nothing, as the reference has it: a tenth of what it is to cost is
/// charged beside it. Who keeps its accelerator and has none may use any.
pub fn newcomers(scenario: &mut Scenario) {
    for server in scenario.servers.iter_mut().filter(|server| !server.keep_accelerator) {
        server.current.get_or_insert(CurrentAllocation {
            accelerator: CurrentAllocation::NOWHERE,
            replicas: 0,
            cost_cents_per_h: 0.0,
        });
    }
}

/// Whether a body is a problem of the queue analyser: its `/optimize` has the name of the optimizer's.
pub fn is_of_the_analyser(body: &Value) -> bool {
    ["alpha", "maxBatchSize"].iter().any(|key| crate::json::field(body, key).is_some())
}
