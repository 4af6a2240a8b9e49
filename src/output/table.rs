//! The plan as a table for people.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use isocost_model::energy::Energy;
use isocost_model::export::Export;
use isocost_model::nodes::Held;
use isocost_model::plan::{Part, Placement, Status};
use isocost_model::scenario::Server;
use isocost_model::spend::{self, Currency, HOURS_A_MONTH, Share};
use isocost_model::stress::shown;
use isocost_model::trust::{CostRange, Trust};

use super::style::{BOLD, GREEN, YELLOW};
use super::width::fitted;

use crate::output::say;

/// A table without lines; columns from `text` on are numbers, to the right.
pub fn table(header: &[&str], text: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let cell = |h: &&str| Cell::new(h).add_attribute(Attribute::Bold);
    table.set_header(header.iter().map(cell));
    for column in table.column_iter_mut().skip(text) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Cents per hour with thousands apart.
pub fn cents(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{grouped}{dot}{part}")
}

/// How far a cost and its bound are apart.
pub fn gap(gap: f64) -> String {
    match gap * 100.0 {
        0.0 => "none".to_owned(),
        percent if percent < 0.01 => "below 0.01%".to_owned(),
        percent if percent.is_finite() => format!("{percent:.2}%"),
        _ => "unknown".to_owned(),
    }
}

/// Prints placements, cards in use, and what was proven.
pub fn print(export: &Export<'_>) {
    let Export { scenario, plan, .. } = export;
    let trust = Trust::of(scenario);
    if trust.is_stated() {
        // What nobody measured is seen before the plan that is made of it.
        let style = if trust.estimated > 0 { YELLOW } else { anstyle::Style::new() };
        say!("{style}{trust}{style:#}\n");
    }
    if plan.has_plan() {
        say!("{}\n", fitted(&placements(export), &PLACEMENTS));
        say!("{}\n", fitted(&usage(export), &[]));
        if !plan.nodes.is_empty() {
            say!("{}\n", fitted(&nodes(export), &["zone", "cards left"]));
            if plan.nodes.len() <= FILLINGS {
                say!("{}\n", fitted(&fillings(export), &[]));
            }
        }
        if !plan.budgets.is_empty() {
            say!("{}\n", fitted(&budgets(export), &[]));
        }
    }
    for note in &plan.notes {
        say!("note: {note}");
    }
    let by = format!("({}, {})", plan.approach.of(plan.status), plan.backend);
    let proven = if plan.bound.is_finite() && plan.has_plan() && plan.values_change() {
        let (value, bound) = (cents(plan.objective), cents(plan.bound));
        format!("change's value {value}, its bound {bound}, gap {}", gap(plan.gap()))
    } else if plan.bound.is_finite() {
        format!("bound {}, gap {}", cents(plan.bound), gap(plan.gap()))
    } else {
        "nothing proven".to_owned()
    };
    match plan.status {
        Status::Optimal | Status::Feasible => say!(
            "{BOLD}total {} cents/h{BOLD:#}, {GREEN}{}{GREEN:#}: {proven} {by}",
            cents(plan.total_cost),
            plan.status.word(),
        ),
        Status::Infeasible => say!(
            "{BOLD}infeasible{BOLD:#}: no plan serves all {} servers within the limits {by}",
            scenario.servers.len(),
        ),
        Status::Unknown => {
            say!("{BOLD}no plan{BOLD:#}: stopped before one was found or excluded; {proven} {by}")
        }
    }
    if let Some(range) = plan.cost_range {
        say!("{}", cost_range(plan.total_cost, &range));
    }
    // Sums by the month are of a currency; cents of nobody knows what are said by the hour alone.
    if plan.has_plan() && scenario.currency.name.is_some() {
        say!("{}", month(export));
    }
    let drawn = Energy::of_plan(scenario, plan);
    // Nothing where the scenario says nothing of power.
    if plan.has_plan() && drawn.watts > 0.0 {
        say!("{}{}", energy(&drawn), carbon(export));
    }
    let timing = export.timing;
    say!("sizing {:.1} ms, solving {:.1} ms", timing.sizing_s * 1e3, timing.solving_s * 1e3);
}

/// What a month costs, and whom it is for: shares of classes and models where there are several.
fn month(export: &Export<'_>) -> String {
    let Export { scenario, plan, .. } = export;
    let currency = &scenario.currency;
    let total = units(currency, plan.total_cost);
    let shares = |what: &str, shares: &[Share<'_>]| {
        if shares.len() < 2 {
            return String::new();
        }
        let each = shares.iter().map(|s| format!("{} {}", s.name, units(currency, s.cents_per_h)));
        format!("; by {what}: {}", each.collect::<Vec<_>>().join(", "))
    };
    format!(
        "a month of {HOURS_A_MONTH} h: {total} {}{}{}",
        currency.unit(),
        shares("class", &spend::by_class(scenario, plan)),
        shares("model", &spend::by_model(scenario, plan))
    )
}

/// A month of so many cents an hour, in whole units.
fn units(currency: &Currency, cents_per_h: f64) -> String {
    cents((currency.units(cents_per_h) * HOURS_A_MONTH).round())
}

/// What a plan draws, in a line.
fn energy(energy: &Energy) -> String {
    let (kw, kwh) = (energy.watts / 1000.0, energy.kwh_per_day());
    let tokens = match energy.wh_per_million_tokens() {
        Some(wh) => format!(", {} Wh a million output tokens", cents(wh.round())),
        None => String::new(),
    };
    format!("power {kw:.2} kW: {} kWh a day{tokens}", cents(kwh.round()))
}

/// The carbon dioxide of that, where it is known.
fn carbon(export: &Export<'_>) -> String {
    let kg = Energy::carbon_kg_per_day(export.scenario, export.plan);
    kg.map_or(String::new(), |kg| format!(", {kg:.1} kg CO2 a day"))
}

/// What the calibration's error means for the cost.
fn cost_range(cost: f64, range: &CostRange) -> String {
    format!("cost {}; {}", cents(cost), range.words(cents))
}

/// Columns of placements that a narrow terminal does without, in order.
const PLACEMENTS: [&str; 8] =
    ["model", "class", "breaks first", "cards", "util %", "batch", "ITL ms", "E2E ms"];

fn placements(export: &Export<'_>) -> Table {
    let Export { scenario, plan, .. } = export;
    let header = [
        "server",
        "class",
        "model",
        "accelerator",
        "replicas",
        "batch",
        "cards",
        "cost ¢/h",
        "ITL ms",
        "TTFT ms",
        "E2E ms",
        "util %",
        "headroom",
        "breaks first",
        "served %",
    ];
    let partial = !plan.placements.iter().all(Placement::is_in_full);
    let limits_e2e = |server: &Server| {
        scenario.classes[server.class].targets[server.model]
            .is_some_and(|target| target.e2e.is_some())
    };
    let e2e = scenario.servers.iter().any(limits_e2e);
    let is_shown = |name: &&str| match *name {
        "E2E ms" => e2e,
        "served %" => partial,
        _ => true,
    };
    let header: Vec<&str> = header.into_iter().filter(is_shown).collect();
    let mut table = table(&header, 4);
    for (server, placement) in scenario.servers.iter().zip(&plan.placements) {
        let names = [
            server.name.clone(),
            scenario.classes[server.class].name.clone(),
            scenario.models[server.model].clone(),
        ];
        let share = format!("{:.1}", placement.served_percent());
        if placement.parts.is_empty() {
            let mut row = names.to_vec();
            row.push("-".to_owned());
            row.extend(["0", "", "0", "0", "", ""].map(str::to_owned));
            row.extend(vec![String::new(); if e2e { 4 } else { 3 }]);
            row.extend(partial.then_some(share));
            table.add_row(row);
            continue;
        }
        for (i, part) in placement.parts.iter().enumerate() {
            let mut row = if i == 0 { names.to_vec() } else { vec![String::new(); 3] };
            let cells = part_cells(export, part).into_iter().enumerate();
            row.extend(cells.filter(|(i, _)| e2e || *i != E2E_CELL).map(|(_, cell)| cell));
            row.extend(partial.then(|| if i == 0 { share.clone() } else { String::new() }));
            table.add_row(row);
        }
    }
    table
}

/// Place of the time to the last token among the cells of a part.
const E2E_CELL: usize = 7;

fn part_cells(export: &Export<'_>, part: &Part) -> [String; 11] {
    let value = |x: Option<f64>| x.map_or(String::new(), |x| format!("{x:.1}"));
    let a = part.predicted;
    [
        export.scenario.accelerators[part.accelerator].name.clone(),
        part.replicas.to_string(),
        part.batch.to_string(),
        part.cards.to_string(),
        cents(part.cost),
        value(a.map(|a| a.itl_ms)),
        value(a.map(|a| a.ttft_ms)),
        value(a.map(|a| a.e2e_ms())),
        value(a.map(|a| a.utilisation * 100.0)),
        part.headroom.map_or(String::new(), |first| shown(first.factor)),
        part.headroom.map_or(String::new(), |first| first.kept.word().to_owned()),
    ]
}

fn usage(export: &Export<'_>) -> Table {
    let mut table = table(&["type", "cards", "of", "used %", "cost ¢/h"], 1);
    for (card, usage) in export.scenario.card_types.iter().zip(&export.plan.usage) {
        let share = usage.available.map(|a| used(usage.cards as f64, a as f64));
        table.add_row([
            card.name.clone(),
            usage.cards.to_string(),
            usage.available.map_or("∞".to_owned(), |a| a.to_string()),
            share.unwrap_or_default(),
            cents(usage.cost),
        ]);
    }
    table
}

/// Kinds of filling that are printed, at most; `nodes.csv` has all of them.
const FILLINGS: usize = 12;

/// Nodes in use, and what is left over in them.
fn nodes(export: &Export<'_>) -> Table {
    let mut table = table(&["node", "zone", "used", "of", "cards left", "cost ¢/h"], 2);
    let kinds = export.scenario.nodes.iter().zip(export.plan.node_uses(export.scenario));
    for (node, uses) in kinds {
        table.add_row([
            node.name.clone(),
            node.zone.clone().unwrap_or_default(),
            uses.used.to_string(),
            uses.available.map_or("∞".to_owned(), |a| a.to_string()),
            uses.cards_left.to_string(),
            node.price_cents_per_h.map_or("by the card".to_owned(), |_| cents(uses.cost)),
        ]);
    }
    table
}

/// What nodes hold: replicas by server and accelerator.
fn fillings(export: &Export<'_>) -> Table {
    let Export { scenario, plan, .. } = export;
    let mut table = table(&["nodes", "", "hold"], 1);
    for filled in &plan.nodes {
        let held = |held: &Held| {
            let server = &scenario.servers[held.server].name;
            let on = &scenario.accelerators[held.accelerator].name;
            format!("{} x {server} ({} cards, {on})", held.replicas, held.cards)
        };
        let holds: Vec<String> = filled.holds.iter().map(held).collect();
        let together = match filled.span {
            1 => String::new(),
            span => format!(", {span} together"),
        };
        table.add_row([
            filled.nodes().to_string(),
            scenario.nodes[filled.node].name.clone() + &together,
            holds.join(", "),
        ]);
    }
    table
}

/// What the plan takes of each budget; watts and carbon are those of the replicas in use at full load.
fn budgets(export: &Export<'_>) -> Table {
    let mut table = table(&["budget", "", "used", "of", "used %"], 2);
    for budget in &export.plan.budgets {
        table.add_row([
            export.scenario.budgets[budget.budget].name.clone(),
            budget.unit.word().to_owned(),
            cents(budget.used),
            cents(budget.limit),
            used(budget.used, budget.limit),
        ]);
    }
    table
}

/// How much of a limit is used, in percent: 100 only where nothing is left; nothing of no limit.
fn used(used: f64, limit: f64) -> String {
    let most = if used < limit { 99.9 } else { f64::INFINITY };
    if limit > 0.0 { format!("{:.1}", (used / limit * 100.0).min(most)) } else { String::new() }
}
