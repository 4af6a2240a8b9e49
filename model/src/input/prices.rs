//! What cards cost reserved, on demand and on spot, from a CSV file.
//!
//! One row a pool: `type` (a card of it, or a node where it is paid by that) or `accelerator` (one of it), `reserved_cents_per_h`,
//! `on_demand_cents_per_h`, `spot_cents_per_h`, `spot_most`, `spot_availability`. A blank price is no
//! offer; without a column for prices on demand, the scenario's own hold.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::InputError;
use super::fields::ABSURD;
use super::problem::{Problem, Report, known_names};
use super::sheet::{Row, Sheet, csv_file};
use crate::horizon::{Pool, Prices, Spot, Unit, card_price};
use crate::scenario::{Accelerator, Scenario};

const COLUMNS: [&str; 7] = [
    "type",
    "accelerator",
    "reserved_cents_per_h",
    "on_demand_cents_per_h",
    "spot_cents_per_h",
    "spot_most",
    "spot_availability",
];

/// Reads prices for `scenario`. Returns what is odd about them beside it.
///
/// # Errors
/// Every problem of the file, each with its line.
pub fn prices(scenario: &Scenario, path: &Path) -> Result<(Prices, Vec<Problem>), InputError> {
    let mut report = Report::default();
    match csv_file(path, &mut report) {
        Some((file, text)) => prices_text(scenario, &file, &text),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same for a text; `file` stands for it in messages.
///
/// # Errors
/// As [`prices`].
pub fn prices_text(
    scenario: &Scenario,
    file: &str,
    text: &str,
) -> Result<(Prices, Vec<Problem>), InputError> {
    let mut report = Report::default();
    let mut prices = Prices { pools: Vec::new() };
    if let Some(sheet) = Sheet::read(file, text, &COLUMNS, &[], &mut report) {
        read(scenario, &sheet, &mut prices, &mut report);
    }
    match report.problems.is_empty() {
        true => Ok((prices, report.warnings)),
        false => Err(InputError { problems: report.problems }),
    }
}

fn read(scenario: &Scenario, sheet: &Sheet, prices: &mut Prices, report: &mut Report) {
    let by_type = sheet.has("type");
    if by_type == sheet.has("accelerator") {
        let what = "expected either a column `type` or a column `accelerator`".to_owned();
        sheet.problem(1, what, "say what is reserved and rented as one kind", report);
        return;
    }
    let column = if by_type { "type" } else { "accelerator" };
    let names: Vec<&str> = match by_type {
        true => scenario.card_types.iter().map(|c| c.name.as_str()).collect(),
        false => scenario.accelerators.iter().map(|a| a.name.as_str()).collect(),
    };
    let paid_by_node = |unit: &Accelerator| scenario.is_paid_by_node(unit.card_type);
    if let Some(unit) = scenario.accelerators.iter().find(|unit| !by_type && paid_by_node(unit)) {
        let what = format!("accelerator `{}` is paid by the node", unit.name);
        sheet.problem(1, what, "give prices by `type`: those of a node", report);
        return;
    }
    let mut seen = FxHashSet::default();
    for row in &sheet.rows {
        let name = sheet.text(row, column);
        let Some(i) = names.iter().position(|n| *n == name) else {
            let remedy = known_names(name, names.iter().copied());
            sheet.problem(row.line, format!("unknown {column} `{name}`"), &remedy, report);
            continue;
        };
        if !seen.insert(i) {
            let what = format!("{column} `{name}` has two rows");
            sheet.problem(row.line, what, "keep one of them", report);
        }
        let sold = |k: &usize| scenario.nodes[*k].price_cents_per_h.is_some();
        let unit = match by_type {
            true => scenario.nodes_of(i).find(sold).map_or(Unit::Card(i), Unit::Node),
            false => Unit::Accelerator(i),
        };
        prices.pools.extend(pool(scenario, sheet, row, unit, report));
    }
    for name in names.iter().enumerate().filter(|(i, _)| !seen.contains(i)).map(|(_, n)| n) {
        let what = format!("{column} `{name}` has no row");
        report.problem_in(
            &sheet.file,
            what,
            "add one; leave its prices blank where it is not for sale",
        );
    }
}

fn pool(
    scenario: &Scenario,
    sheet: &Sheet,
    row: &Row,
    unit: Unit,
    report: &mut Report,
) -> Option<Pool> {
    let mut price = |column: &str| sheet.number(row, column, 0.0, ABSURD, report);
    let (reserved, mut on_demand) = (price("reserved_cents_per_h"), price("on_demand_cents_per_h"));
    let spot = price("spot_cents_per_h");
    if !sheet.has("on_demand_cents_per_h") {
        on_demand = match unit {
            Unit::Accelerator(a) => Some(scenario.accelerators[a].cost_cents_per_h),
            Unit::Node(k) => scenario.nodes[k].price_cents_per_h,
            Unit::Card(t) => match card_price(scenario, t) {
                Some(None) => {
                    let what = "its accelerators cost different prices a card".to_owned();
                    let remedy = "give on_demand_cents_per_h, or prices by accelerator";
                    sheet.problem(row.line, what, remedy, report);
                    return None;
                }
                price => price.flatten(),
            },
        };
    }
    let most = sheet.whole(row, "spot_most", 1_000_000_000, report);
    let availability = sheet.number(row, "spot_availability", 0.01, 1.0, report);
    if spot.is_none() && (most.is_some() || availability.is_some()) {
        let what = "there is a limit on spot, and no price of it".to_owned();
        sheet.problem(row.line, what, "give spot_cents_per_h", report);
    }
    let spot = spot.map(|price| Spot { price, most, availability: availability.unwrap_or(1.0) });
    Some(Pool { unit, reserved, on_demand, spot })
}
