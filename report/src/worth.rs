//! What limits are worth: one card more or fewer, and the price at which an unused accelerator
//! would enter the plan.

use isocost_charts::{Axis, Chart, Series};
use isocost_planner::explain::{BreakEven, Explanation, Known, LimitValue, Unit};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::height;
use crate::format::cents;
use crate::known::{list, money};
use crate::{BARS, ROWS};

/// Nothing where the explanation has no limits and no accelerator is unused.
pub(crate) fn section(explanation: &Explanation) -> Option<Section> {
    let Explanation { limits, break_even, .. } = explanation;
    if limits.is_empty() && break_even.is_empty() {
        return None;
    }
    let mut section = Section::new("worth", "What a card is worth").text(binding(limits));
    if let Some(chart) = chart(limits) {
        section = section.with(Block::Figures(vec![Figure::new("worth", chart)]));
    }
    if !limits.is_empty() {
        section = section.with(Block::Table(table(limits)));
    }
    if !break_even.is_empty() {
        section = section.with(Block::Table(unused(break_even)));
    }
    Some(section)
}

/// Which limits are used up, and which of them would be worth raising.
fn binding(limits: &[LimitValue]) -> String {
    let (mut full, mut binding) = (Vec::new(), Vec::new());
    for limit in limits {
        if limit.full {
            full.push(limit.limit.clone());
        }
        if limit.binds() {
            binding.push(limit.limit.clone());
        }
    }
    let full = if full.is_empty() {
        "No limit is used up.".to_owned()
    } else {
        format!("Used up: {}.", list(&full, "and"))
    };
    if binding.is_empty() {
        format!("{full} No limit is proven to bind: more of none is known to save anything.")
    } else {
        format!("{full} Binding, so that more would save: {}.", list(&binding, "and"))
    }
}

/// Proven savings and costs of one card; limits without any are left to the table.
fn chart(limits: &[LimitValue]) -> Option<Chart> {
    let (mut names, mut saves, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for limit in limits {
        let (more, fewer) = (proven(&limit.one_more), proven(&limit.one_fewer));
        if (more > 0.0 || fewer > 0.0) && names.len() < BARS {
            names.push(limit.limit.clone());
            saves.push(more);
            costs.push(fewer);
        }
    }
    if names.is_empty() {
        return None;
    }
    let bars = 2 * names.len();
    let chart = Chart::new(
        "One card more, one card fewer",
        Axis::linear("Proven at least", "cents/h"),
        Axis::categories("", names),
    )
    .with(Series::bars("one more saves", saves).color(2))
    .with(Series::bars("one fewer costs", costs).color(1));
    Some(chart.size(640, height(bars)))
}

/// What is proven at least, where that is a number.
fn proven(known: &Known) -> f64 {
    if known.at_least().is_finite() { known.at_least() } else { 0.0 }
}

fn table(limits: &[LimitValue]) -> Table {
    let columns = [
        "Limit",
        "Used",
        "There is",
        "One more saves, cents/h",
        "One fewer costs, cents/h",
        "Price in the relaxation, cents/h",
        "Enough",
        "Saves in all, cents/h",
    ];
    let caption = "What one card more or fewer is worth (of a budget a card, a kilowatt, 100 cents/h or a kilogram of CO2 an hour)";
    let mut table = Table::new("worth-table", caption, 1, &columns);
    for limit in limits {
        let unit = limit.unit;
        let sure = limit.enough.is_some_and(|e| e.fewest || e.saving.value() == Some(0.0));
        let at_most = if sure { "" } else { "at most " };
        let enough = limit.enough.map(|e| e.capacity);
        table.rows.push(vec![
            Cell::text(&limit.limit),
            Cell::number(Some(limit.used), |n| units(unit, n)),
            Cell::number(Some(limit.capacity), |n| units(unit, n)),
            money(&limit.one_more, "none"),
            money(&limit.one_fewer, "no plan"),
            Cell::number(limit.dual_price, cents),
            Cell::number(enough, |n| format!("{at_most}{}", units(unit, n))),
            limit.enough.map_or(Cell::text(""), |e| money(&e.saving, "none")),
        ]);
    }
    table.cut(ROWS, "the first limits", "isocost explain lists all of them.")
}

/// A number of cards, or of watts.
fn units(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Cards => cents(value),
        Unit::Watts => format!("{} W", cents(value)),
        unit => format!("{} {}", cents(value), unit.word()),
    }
}

fn unused(accelerators: &[BreakEven]) -> Table {
    let columns = ["Accelerator", "For", "Price, cents/h", "Break-even price, cents/h"];
    let caption = "Unused accelerators, and the break-even price below which they enter the plan";
    let mut table = Table::new("unused-table", caption, 2, &columns);
    table.rows.extend(accelerators.iter().map(|unused| {
        let more = unused.servers.len().saturating_sub(3);
        let mut servers: Vec<String> = unused.servers.iter().take(3).cloned().collect();
        servers.extend((more > 0).then(|| format!("{more} more")));
        vec![
            Cell::text(&unused.accelerator),
            Cell::text(servers.join(", ")),
            Cell::number(Some(unused.price), cents),
            money(&unused.break_even_price, "not even free"),
        ]
    }));
    table.cut(ROWS, "the first accelerators", "isocost explain lists all of them.")
}
