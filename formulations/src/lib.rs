//! Formulations: from the candidate table to a proven cheapest choice.
//!
//! [`Problem`] holds the numbers; each formulation is one file that opens with its mathematics and
//! states them in its own way: [`mod@compact`] (one accelerator a server, or several),
//! [`pattern`] (either of them, by whole patterns of one server, far tighter); [`mod@shortage`]
//! serves what can be served when not all can; [`mod@sharing`] decides which servers share replicas;
//! [`mod@feasibility`] finds the least that has to give
//! for all to fit; [`mod@buckets`] spreads one server's requests by size; [`mod@greedy`] is the
//! baseline to compare with. What one server asks of any of them is stated once, in [`server_rows`].
//! A formulation hands a [`isocost_model::plan::Choice`] back; it never looks at files and never prints.

pub mod buckets;
pub mod by_name;
pub mod compact;
pub mod feasibility;
pub mod greedy;
pub mod horizon;
pub mod nodes;
pub mod pattern;
pub mod problem;
pub mod program;
pub mod server_rows;
pub mod sharing;
pub mod shortage;

pub use compact::{mixed, single};
pub use greedy::greedy;
pub use problem::{Problem, ProblemOptions};
pub use program::Program;
