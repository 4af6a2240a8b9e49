//! What limits are worth: one card more or fewer, and the price at which an unused accelerator
//! would enter the plan.

use isocost_charts::{Axis, Chart, Series};
use isocost_planner::explain::{Entry, Explanation, Known, LimitValue, Unit};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::height;
use crate::format::cents;
use crate::known::{amount, list, money};
use crate::{BARS, ROWS};

/// Nothing where the explanation has no limits and no accelerator is unused.
pub(crate) fn section(explanation: &Explanation) -> Option<Section> {
    let Explanation { limits, entries, .. } = explanation;
    if limits.is_empty() && entries.is_empty() {
        return None;
    }
    let mut section = Section::new("worth", "What a card is worth").text(binding(limits));
    if let Some(chart) = chart(limits) {
        section = section.with(Block::Figures(vec![Figure::new("worth", chart)]));
    }
    if !limits.is_empty() {
        section = section.with(Block::Table(table(limits)));
    }
    if !entries.is_empty() {
        section = section.with(Block::Table(unused(entries)));
    }
    Some(section)
}

/// Which limits are used up, and which of them would be worth raising.
fn binding(limits: &[LimitValue]) -> String {
    let names = |keep: &dyn Fn(&&LimitValue) -> bool| {
        let kept: Vec<String> = limits.iter().filter(keep).map(|l| l.limit.clone()).collect();
        list(&kept, "and")
    };
    let worth = |l: &&LimitValue| {
        let in_all = l.enough.is_some_and(|enough| enough.saving.at_least() > 0.0);
        l.one_more.at_least() > 0.0 || in_all
    };
    let (full, binding) = (names(&|l| l.full), names(&worth));
    let full = if full.is_empty() {
        "No limit is used up.".to_owned()
    } else {
        format!("Used up: {full}.")
    };
    if binding.is_empty() {
        format!("{full} No limit is proven to bind: more of none is known to save anything.")
    } else {
        format!("{full} Binding, so that more would save: {binding}.")
    }
}

/// Proven savings and costs of one card; limits without any are left to the table.
fn chart(limits: &[LimitValue]) -> Option<Chart> {
    let proven = |known: &Known| Some(known.at_least()).filter(|v| v.is_finite()).unwrap_or(0.0);
    let any = |l: &&LimitValue| proven(&l.one_more) > 0.0 || proven(&l.one_fewer) > 0.0;
    let shown: Vec<&LimitValue> = limits.iter().filter(any).take(BARS).collect();
    if shown.is_empty() {
        return None;
    }
    let values = |of: &dyn Fn(&LimitValue) -> f64| shown.iter().map(|l| of(l)).collect();
    let names = shown.iter().map(|l| l.limit.clone());
    let chart = Chart::new(
        "One card more, one card fewer",
        Axis::linear("Proven at least", "cents/h"),
        Axis::categories("", names),
    )
    .with(Series::bars("one more saves", values(&|l| proven(&l.one_more))).color(2))
    .with(Series::bars("one fewer costs", values(&|l| proven(&l.one_fewer))).color(1));
    Some(chart.size(640, height(2 * shown.len())))
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
    let caption = "What one card more or fewer is worth (a kilowatt, of a power budget)";
    let mut table = Table::new("worth-table", caption, 1, &columns);
    table.rows.extend(limits.iter().map(|limit| {
        let units = |value: f64| match limit.unit {
            Unit::Cards => cents(value),
            Unit::Watts => amount(Unit::Watts, &cents(value), "").trim_end_matches(" of ").into(),
        };
        let enough = limit.enough.map(|e| e.capacity);
        let sure = limit.enough.is_some_and(|e| e.fewest || e.saving.value() == Some(0.0));
        let enough =
            Cell::number(enough, |e| if sure { units(e) } else { format!("at most {}", units(e)) });
        vec![
            Cell::text(&limit.limit),
            Cell::number(Some(limit.used), units),
            Cell::number(Some(limit.capacity), units),
            money(&limit.one_more, "none"),
            money(&limit.one_fewer, "no plan"),
            Cell::number(limit.dual_price, cents),
            enough,
            limit.enough.map_or(Cell::text(""), |e| money(&e.saving, "none")),
        ]
    }));
    table.cut(ROWS, "the first limits", "isocost explain lists all of them.")
}

fn unused(entries: &[Entry]) -> Table {
    let columns = ["Accelerator", "For", "Price, cents/h", "Enters below, cents/h"];
    let caption = "Unused accelerators, and the price below which they enter the plan";
    let mut table = Table::new("unused-table", caption, 2, &columns);
    table.rows.extend(entries.iter().map(|entry| {
        let more = entry.servers.len().saturating_sub(3);
        let mut servers: Vec<String> = entry.servers.iter().take(3).cloned().collect();
        servers.extend((more > 0).then(|| format!("{more} more")));
        vec![
            Cell::text(&entry.accelerator),
            Cell::text(servers.join(", ")),
            Cell::number(Some(entry.price), cents),
            money(&entry.enters_below, "not even free"),
        ]
    }));
    table.cut(ROWS, "the first accelerators", "isocost explain lists all of them.")
}
