//! Variables for Terraform: cards to provide of each type, and what each server runs.

use std::fmt::Write;

use isocost_model::export::Export;

use super::{replicas, repository};
use crate::catalogue::Catalogue;

/// A `.tfvars` file.
pub fn terraform(export: &Export<'_>, catalogue: &Catalogue) -> String {
    let mut text = String::from(
        "# Made from a plan.\n\n# Cards of each type, and the nodes that hold them.\ncards = {\n",
    );
    let types = export.scenario.card_types.iter().zip(&export.plan.usage);
    for (card, usage) in types.filter(|(_, usage)| usage.cards > 0) {
        let node = catalogue.card(&card.name).map_or(8, |card| u64::from(card.node_cards));
        let _ = writeln!(
            text,
            "  {} = {{ cards = {}, nodes_of_{node} = {}, cents_per_hour = {} }}",
            quoted(&card.name),
            usage.cards,
            usage.cards.div_ceil(node),
            cents(usage.cost)
        );
    }
    text.push_str("}\n\n# Replicas of each server.\nservers = [\n");
    for r in replicas(export) {
        let _ = writeln!(
            text,
            "  {{ server = {}, model = {}, accelerator = {}, card = {}, replicas = {}, \
             tensor_parallel_size = {}, max_num_seqs = {}, max_num_batched_tokens = {}, \
             cents_per_hour = {} }},",
            quoted(&r.server.name),
            quoted(&repository(catalogue, r.model)),
            quoted(r.accelerator),
            quoted(r.card),
            r.part.replicas,
            r.cards,
            r.part.batch,
            r.token_budget,
            cents(r.part.cost)
        );
    }
    text.push_str("]\n");
    text
}

/// A hundredth of a cent is enough.
fn cents(cost: f64) -> f64 {
    (cost * 100.0).round() / 100.0
}

/// A text as HCL has it: as JSON, and nothing in it is a template.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.replace("${", "$${").replace("%{", "%%{")
}
