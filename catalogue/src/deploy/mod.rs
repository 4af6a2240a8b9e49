//! A plan as what brings it about: Deployments for Kubernetes, variables for Terraform.
//!
//! Engines are vLLM's: a replica's cards are its tensor parallelism, its batch `--max-num-seqs`.

mod kubernetes;
mod terraform;

use isocost_model::export::Export;
use isocost_model::plan::Part;
use isocost_model::scenario::{Profile, Server, StatedEngine};

pub use kubernetes::{Products, kubernetes};
pub use terraform::terraform;

use crate::catalogue::Catalogue;

/// Equal replicas of a server on an accelerator.
struct Replicas<'a> {
    server: &'a Server,
    /// Name of the model, of the accelerator, and of its card type.
    model: &'a str,
    accelerator: &'a str,
    card: &'a str,
    part: &'a Part,
    /// Cards of each replica.
    cards: u64,
    /// Tokens of a pass at most.
    token_budget: u32,
    /// How weights are stored, where the scenario says.
    precision: Option<&'static str>,
}

/// Everything that a plan runs.
fn replicas<'a>(export: &Export<'a>) -> Vec<Replicas<'a>> {
    let Export { scenario, plan, .. } = *export;
    let mut all = Vec::new();
    for (server, placement) in scenario.servers.iter().zip(&plan.placements) {
        for part in placement.parts.iter().filter(|part| part.replicas > 0) {
            let accelerator = &scenario.accelerators[part.accelerator];
            let is_meant =
                |p: &&Profile| p.model == server.model && p.accelerator == part.accelerator;
            let profile = scenario.profiles.iter().find(is_meant);
            let engine = profile.map(|p| p.engine.settings(StatedEngine::default()));
            all.push(Replicas {
                server,
                model: &scenario.models[server.model],
                accelerator: &accelerator.name,
                card: &scenario.card_types[accelerator.card_type].name,
                part,
                cards: part.cards / part.replicas,
                token_budget: engine.unwrap_or_default().token_budget,
                precision: profile.and_then(|p| p.precision),
            });
        }
    }
    all
}

/// Where a model's weights are: what the catalogue knows, else its name.
fn repository(catalogue: &Catalogue, model: &str) -> String {
    let known = catalogue.known_model(model).map(|known| known.repository);
    known.filter(|repository| !repository.is_empty()).unwrap_or_else(|| model.to_owned())
}
