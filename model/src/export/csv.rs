//! The plan, the cards in use and the candidates as CSV, units in the headers.

use super::{Export, cells};
use crate::energy::Energy;
use crate::scenario::{Scenario, Server};

/// One row for each part of a server's placement.
pub fn plan_csv(export: &Export<'_>) -> Vec<u8> {
    let header = [
        "server",
        "class",
        "model",
        "accelerator",
        "replicas",
        "batch",
        "cards",
        "cost_cents_per_h",
        "rate_per_replica_per_s",
        "itl_ms",
        "ttft_ms",
        "itl_p95_ms",
        "ttft_p95_ms",
        "utilisation",
        "loss",
        "served_share",
        "watts",
        "energy_kwh_per_day",
        "wh_per_million_tokens",
        "e2e_ms",
        "e2e_p95_ms",
    ];
    let Export { scenario, plan, .. } = export;
    // Who shares the replicas, where somebody does.
    let shares = scenario.servers.iter().any(|server| !server.members.is_empty());
    let header: Vec<&str> = header.into_iter().chain(shares.then_some("members")).collect();
    let members = move |server: &Server| {
        let names: Vec<&str> = server.members.iter().map(|m| m.name.as_str()).collect();
        shares.then(|| names.join(";"))
    };
    let rows = scenario.servers.iter().zip(&plan.placements).flat_map(|(server, placement)| {
        placement.parts.iter().map(move |part| {
            let a = part.predicted.as_ref();
            let value = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
            let energy = Energy::of_part(server, part);
            let mut row = vec![
                server.name.clone(),
                scenario.classes[server.class].name.clone(),
                scenario.models[server.model].clone(),
                scenario.accelerators[part.accelerator].name.clone(),
                part.replicas.to_string(),
                part.batch.to_string(),
                part.cards.to_string(),
                part.cost.to_string(),
                part.rate_per_s.to_string(),
                value(a.map(|a| a.itl_ms)),
                value(a.map(|a| a.ttft_ms)),
                value(a.map(|a| a.tpot_percentile_ms(95.0))),
                value(a.map(|a| a.ttft_percentile_ms(95.0))),
                value(a.map(|a| a.utilisation)),
                value(a.map(|a| a.loss_probability)),
                placement.served_share.to_string(),
                energy.watts.to_string(),
                energy.kwh_per_day().to_string(),
                value(energy.wh_per_million_tokens()),
                value(a.map(|a| a.e2e_ms())),
                value(a.map(|a| a.e2e_percentile_ms(95.0))),
            ];
            row.extend(members(server));
            row
        })
    });
    table(&header, rows)
}

/// One row for each card type.
pub fn usage_csv(export: &Export<'_>) -> Vec<u8> {
    let types = export.scenario.card_types.iter().zip(&export.plan.usage);
    let rows = types.map(|(card, usage)| {
        let available = usage.available.map_or(String::new(), |a| a.to_string());
        vec![card.name.clone(), usage.cards.to_string(), available, usage.cost.to_string()]
    });
    table(&["type", "cards", "available", "cost_cents_per_h"], rows)
}

/// One row for each limit of a budget.
pub fn budgets_csv(export: &Export<'_>) -> Vec<u8> {
    let rows = export.plan.budgets.iter().map(|u| {
        let name = export.scenario.budgets[u.budget].name.clone();
        vec![name, u.unit.word().to_owned(), u.used.to_string(), u.limit.to_string()]
    });
    table(&["budget", "unit", "used", "limit"], rows)
}

/// One row for each server and accelerator: what it would give, or why it cannot.
pub fn candidates_csv(export: &Export<'_>) -> Vec<u8> {
    let header = [
        "server",
        "accelerator",
        "feasible",
        "batch",
        "rate_per_replica_per_s",
        "replicas_alone",
        "cards_per_replica",
        "cost_per_replica_cents_per_h",
        "cost_alone_cents_per_h",
        "reason",
    ];
    let Export { scenario, candidates, .. } = export;
    let rows = (0..scenario.servers.len()).flat_map(|s| {
        let options = candidates.options(s).iter().map(move |c| {
            let needed = (candidates.demands[s].rate_per_s / c.rate_per_s).ceil();
            let alone = needed.max(f64::from(scenario.servers[s].min_replicas));
            let numbers = [
                c.batch.to_string(),
                c.rate_per_s.to_string(),
                alone.to_string(),
                c.cards.to_string(),
                c.cost_cents_per_h.to_string(),
                (alone * c.cost_cents_per_h).to_string(),
            ];
            row(scenario, s, c.accelerator, "true", numbers, String::new())
        });
        let rejected = candidates.rejected(s).iter().map(move |r| {
            let blank = std::array::from_fn(|_| String::new());
            row(scenario, s, r.accelerator, "false", blank, r.reason.to_string())
        });
        options.chain(rejected)
    });
    table(&header, rows)
}

fn row(
    scenario: &Scenario,
    server: usize,
    accelerator: usize,
    feasible: &str,
    numbers: [String; 6],
    reason: String,
) -> Vec<String> {
    let names =
        [scenario.servers[server].name.clone(), scenario.accelerators[accelerator].name.clone()];
    names.into_iter().chain([feasible.to_owned()]).chain(numbers).chain([reason]).collect()
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    // A vector takes every write, and every row has the header's length.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(cells(&row));
    }
    writer.into_inner().unwrap_or_default()
}
