//! Reproducible comparisons: sweeps over a scenario, and experiments on generated fleets.
//!
//! Everything here is deterministic but for timings, resumable after a kill, and ends in CSV files
//! from which tables and plots are made.

pub mod backends;
pub mod batch;
pub mod data;
pub mod examples;
pub mod experiment;
pub mod families;
pub mod formulations;
pub mod instances;
pub mod journal;
pub mod markdown;
pub mod measure;
pub mod random;
pub mod scale;
pub mod statistics;
pub mod sweep;
pub mod table;

#[cfg(feature = "parquet")]
mod parquet;
