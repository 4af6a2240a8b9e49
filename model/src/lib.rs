//! The domain of isocost: what a fleet is asked to serve and what each choice would give.
//!
//! Data flows one way. [`input`] reads files into a [`Scenario`]; [`queue`] says what one replica
//! can do; [`candidates`] tables every feasible (server, accelerator, batch) with its rate and
//! cost; a formulation chooses; [`plan`] holds the choice, [`check`] proves it anew and `export`
//! writes it down. Nothing here knows a solver.

pub mod buckets;
pub mod candidates;
pub mod check;
pub mod compare;
pub mod disaggregation;
pub mod energy;
pub mod export;
pub mod horizon;
pub mod import;
pub mod input;
pub mod nodes;
pub mod plan;

pub mod queue;
pub mod scenario;
pub mod sharing;
pub mod spend;
pub mod stress;
pub mod trust;

pub use scenario::Scenario;
