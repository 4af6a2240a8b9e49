//! Cards and models by name, and service profiles estimated from their data sheets.
//!
//! ```text
//! names -> (Model, Card) -> Placement -> Memory (does it fit) -> Pass (bytes, FLOPs, messages) -> Estimate
//!       -> entry of a scenario; or a whole scenario (draft)
//! a plan -> Deployments, Terraform's variables (deploy)
//! ```
//!
//! ```
//! use isocost_catalogue::{Catalogue, Estimate, Placement};
//!
//! let catalogue = Catalogue::builtin();
//! let (model, card) = (catalogue.model("qwen3-32b")?, catalogue.card("H100")?);
//! let estimate = Estimate::new(&model, card, &Placement::new(&model, 2))?;
//! // 65.5 GB over two cards at 3,350 GB/s and an efficiency near 0.8 take some 12 ms.
//! assert!((10.0..14.0).contains(&estimate.pass.weights_ms));
//! assert!(estimate.kv_tokens() > 100_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod card;
mod catalogue;
mod config;
pub mod deploy;
mod document;
pub mod draft;
mod efficiency;
mod entry;
mod estimate;
mod fitted;
mod memory;
mod model;
mod names;
mod pass;
mod placement;
mod plausible;
mod precision;
mod quantization;
mod words;

pub use architecture::{Architecture, Attention, Dense, Experts, Window};
pub use card::{Card, Price, PriceKind};
pub use catalogue::Catalogue;
pub use document::{Document, Map};
pub use efficiency::Efficiency;
pub use entry::entry;
pub use estimate::{Estimate, EstimateError, NoFit, least_tp_of_request};
pub use fitted::{Basis, Margins, margins};
pub use memory::Memory;
pub use model::Model;
pub use pass::Pass;
pub use placement::Placement;
pub use plausible::odd_prices;
pub use precision::Precision;
pub use quantization::Quantization;
pub use words::limits;
