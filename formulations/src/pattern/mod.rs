//! **pattern**: choose one whole replica mix for each server.

pub mod column;
pub mod pricing;
