//! Formulations: from the candidate table to a proven cheapest choice.
//!
//! [`Problem`] holds the numbers; each formulation is one file that opens with its mathematics and
//! states them in its own way: [`mod@single`] (one accelerator a server), [`mod@mixed`] (several),
//! [`pattern`] (either of them, by whole patterns of one server, far tighter); [`mod@shortage`]
//! serves what can be served when not all can; [`mod@buckets`] spreads
//! one server's requests by size; [`mod@greedy`] is the baseline to compare with. A formulation hands
//! a [`isocost_model::plan::Choice`] back; it never looks at files and never prints.

pub mod buckets;
pub mod by_name;
pub mod greedy;
pub mod horizon;
pub mod mixed;
pub mod pattern;
pub mod problem;
pub mod program;
pub mod shortage;
pub mod single;

pub use greedy::greedy;
pub use mixed::mixed;
pub use problem::{Problem, ProblemOptions};
pub use program::Program;
pub use single::single;
