//! What limits are worth: one card more or fewer, and the price at which an unused accelerator
//! would enter the plan.

use isocost_charts::{Axis, Chart};
use isocost_planner::explain::{BreakEven, Explanation, Known, LimitValue, Unit};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::{Bar, coloured, height};
use crate::format::cents;
use crate::known::{list, money};
use crate::{BARS, Input, ROWS};

/// Nothing where the explanation has no limits and no accelerator is unused.
pub(crate) fn section(input: &Input<'_>, explanation: &Explanation) -> Option<Section> {
    let Explanation { limits, break_even, .. } = explanation;
    if limits.is_empty() && break_even.is_empty() {
        return None;
    }
    let mut section = Section::new("worth", "What a card is worth").text(binding(limits));
    let more = limits.iter().map(|l| (l.limit.as_str(), proven(&l.one_more)));
    let fewer = limits.iter().map(|l| (l.limit.as_str(), proven(&l.one_fewer)));
    let figures: Vec<Figure> = [
        ("worth-of-one-more", chart(input, "What one more saves", more)),
        ("worth-of-one-fewer", chart(input, "What one fewer costs", fewer)),
    ]
    .into_iter()
    .filter_map(|(name, chart)| Some(Figure::new(name, chart?)))
    .collect();
    if !figures.is_empty() {
        section = section.with(Block::figures(figures));
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

/// What a step of each limit is proven to save or to cost, cents per hour; limits where that is nothing
/// are left to the table.
fn chart<'a>(
    input: &Input<'_>,
    title: &str,
    worth: impl Iterator<Item = (&'a str, f64)>,
) -> Option<Chart> {
    let worth: Vec<(&str, f64)> = worth.filter(|(_, cents)| *cents > 0.0).take(BARS).collect();
    let types = &input.scenario.card_types;
    let card_type = |limit: &str| types.iter().position(|card| card.name == limit);
    let bars: Vec<Bar> = worth.iter().map(|(limit, cents)| (card_type(limit), *cents)).collect();
    let names = Axis::categories("", worth.iter().map(|(limit, _)| *limit));
    let chart = Chart::new(title, Axis::linear("Proven at least", input.per_hour()), names);
    let chart = coloured(chart, &bars, |series| series, &input.palette());
    (!bars.is_empty()).then(|| chart.size(480, height(bars.len())))
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
    let first = ["Limit", "There is", "One more saves, cents/h", "One fewer costs, cents/h"];
    let last = ["Price in the relaxation, cents/h"];
    let mut table = Table::new("worth-table", caption, 1, &columns).ranked(&first, &last);
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
    let first = ["Accelerator", "Price, cents/h", "Break-even price, cents/h"];
    let mut table = Table::new("unused-table", caption, 2, &columns).ranked(&first, &[]);
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
