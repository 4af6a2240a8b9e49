//! Where every server runs.

use isocost_model::plan::{Part, Placement};
use isocost_model::stress::shown;

use crate::content::{Block, Cell, Section, Table};
use crate::format::{cents, grouped, ms, percent, rate};
use crate::{Input, ROWS};

pub(crate) fn section(input: &Input<'_>) -> Section {
    Section::new("placements", "Placements").with(Block::Table(table(input)))
}

/// One row for each server and accelerator, the costliest first where they do not all fit.
fn table(input: &Input<'_>) -> Table {
    let Input { scenario, plan, .. } = input;
    let columns = [
        "Server",
        "Accelerator",
        "Class",
        "Model",
        "Replicas",
        "Batch",
        "Cards",
        "Cost, cents/h",
        "Rate, req/s",
        "Rate of a replica, req/s",
        "Its sized rate, req/s",
        "Utilisation, %",
        "Headroom",
        "Breaks first",
        "Served, %",
        "Priority",
    ];
    let first = ["Server", "Accelerator", "Replicas", "Cost, cents/h"];
    let mut last = vec![
        "Class",
        "Model",
        "Rate of a replica, req/s",
        "Its sized rate, req/s",
        "Breaks first",
        "Priority",
    ];
    if plan.placements.iter().all(Placement::is_in_full) {
        last.push("Served, %");
    }
    let caption = "Where each server runs, and what each of its replicas does";
    let mut table = Table::new("placements-table", caption, 4, &columns).ranked(&first, &last);
    let mut order: Vec<usize> = (0..scenario.servers.len()).collect();
    if order.len() > ROWS {
        order.sort_by(|&a, &b| plan.placements[b].cost().total_cmp(&plan.placements[a].cost()));
    }
    for s in order {
        let parts = &plan.placements[s].parts;
        table.rows.extend(parts.iter().map(|part| row(input, s, Some(part))));
        if parts.is_empty() {
            table.rows.push(row(input, s, None));
        }
    }
    table.cut(ROWS, "the costliest servers", "plan.csv (--out DIR) holds all of them.")
}

fn row(input: &Input<'_>, s: usize, part: Option<&Part>) -> Vec<Cell> {
    let Input { scenario, plan, .. } = input;
    let (server, placement) = (&scenario.servers[s], &plan.placements[s]);
    let class = &scenario.classes[server.class];
    let accelerator = match part {
        Some(part) => Cell::text(&scenario.accelerators[part.accelerator].name),
        None => Cell::text("none").tone("missed"),
    };
    let loaded = part.filter(|p| p.rate_per_s > 0.0);
    let first = loaded.and_then(|p| p.headroom);
    let utilisation = loaded.and_then(|p| p.predicted).map(|p| p.utilisation);
    let served = Cell::number(Some(placement.served_percent()), |p| grouped(p, 1));
    vec![
        Cell::text(&server.name),
        accelerator,
        Cell::text(&class.name),
        Cell::text(&scenario.models[server.model]),
        Cell::count(part.map_or(0, |p| p.replicas)),
        Cell::number(part.map(|p| f64::from(p.batch)), |b| b.to_string()),
        Cell::count(part.map_or(0, |p| p.cards)),
        Cell::number(Some(part.map_or(0.0, |p| p.cost)), cents),
        Cell::number(loaded.map(|p| p.rate_per_s * p.replicas as f64), rate),
        Cell::number(loaded.map(|p| p.rate_per_s), rate),
        Cell::number(loaded.map(|p| p.credited_rate_per_s), rate),
        Cell::number(utilisation, percent),
        Cell::number(first.map(|first| first.factor), shown),
        Cell::text(first.map_or("", |first| first.kept.word())),
        if placement.is_in_full() { served } else { served.tone("missed") },
        Cell::count(u64::from(class.priority)),
    ]
}

/// Milliseconds of a latency.
pub(crate) fn latency(value: f64) -> Cell {
    Cell::number(Some(value), ms)
}
