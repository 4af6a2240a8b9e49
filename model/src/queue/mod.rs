//! Placeholder types until the engine lands.
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceModel { Linear { alpha_ms: f64, beta_ms: f64, gamma_ms: f64, delta_ms: f64 }, Iteration { alpha_ms: f64, beta_ms: f64, gamma_ms: f64 } }
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective { pub limit_ms: f64, pub percentile: Option<f64> }
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objectives { pub itl: Option<Objective>, pub ttft: Option<Objective>, pub tokens_per_s: Option<f64>, pub max_loss: f64 }
