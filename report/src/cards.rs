//! Cards used against those that exist, and what budgets leave.

use isocost_charts::{Axis, Chart, Series};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::height;
use crate::format::{cents, count, percent};
use crate::{BARS, Input};

pub(crate) fn section(input: &Input<'_>) -> Section {
    let section = Section::new("cards", "Cards")
        .with(Block::Figures(vec![Figure::new("cards", chart(input))]))
        .with(Block::Table(table(input)));
    let section = match input.plan.nodes.is_empty() {
        true => section,
        false => section.with(Block::Table(nodes(input))),
    };
    if input.plan.budgets.is_empty() {
        return section;
    }
    section.with(Block::Table(budgets(input)))
}

/// Used and free cards of each type; types without a limit show what is used alone.
fn chart(input: &Input<'_>) -> Chart {
    let Input { scenario, plan, .. } = input;
    let mut bars = Vec::new();
    for (card, usage) in scenario.card_types.iter().zip(&plan.usage) {
        let free = usage.available.map_or(0, |a| a.saturating_sub(usage.cards));
        let name = match usage.available {
            Some(_) => card.name.clone(),
            None => format!("{} (no limit)", card.name),
        };
        if usage.cards + free > 0 {
            bars.push((bars.len(), name, usage.cards, free));
        }
    }
    bars.sort_by_key(|&(_, _, used, free)| std::cmp::Reverse(used + free));
    bars.truncate(BARS);
    bars.sort_by_key(|bar| bar.0);
    Chart::new(
        "Cards used against capacity",
        Axis::linear("Cards", ""),
        Axis::categories("", bars.iter().map(|bar| bar.1.clone())),
    )
    .with(Series::bars("used", bars.iter().map(|bar| bar.2 as f64).collect()).color(0))
    .with(Series::bars("free", bars.iter().map(|bar| bar.3 as f64).collect()).color(6))
    .stacked()
    .size(640, height(bars.len()))
}

fn table(input: &Input<'_>) -> Table {
    let Input { scenario, plan, .. } = input;
    let columns = ["Card type", "Used", "Usable", "Kept spare", "Free", "Used, %"];
    let mut table = Table::new("cards-used", "Cards by type", 1, &columns);
    for (card, usage) in scenario.card_types.iter().zip(&plan.usage) {
        let share = usage.available.filter(|a| *a > 0).map(|a| usage.cards as f64 / a as f64);
        let free = usage.available.map(|a| a.saturating_sub(usage.cards) as f64);
        let usable = match usage.available {
            Some(available) => Cell::count(available),
            None => Cell::text("no limit"),
        };
        let full = usage.available == Some(usage.cards) && usage.cards > 0;
        let share = Cell::number(share, |s| if full { "100, all".into() } else { percent(s) });
        table.rows.push(vec![
            Cell::text(&card.name),
            Cell::count(usage.cards),
            usable,
            Cell::count(card.spare),
            Cell::number(free, |f| count(f as u64)),
            if full { share.tone("close") } else { share },
        ]);
    }
    table
}

fn nodes(input: &Input<'_>) -> Table {
    let Input { scenario, plan, .. } = input;
    let columns =
        ["Node", "Zone", "Used", "Usable", "Kept spare", "Cards left in them", "Cost, cents/h"];
    let mut table =
        Table::new("nodes-used", "Nodes by kind; nodes.csv says what each holds", 2, &columns);
    for (node, uses) in scenario.nodes.iter().zip(plan.node_uses(scenario)) {
        table.rows.push(vec![
            Cell::text(&node.name),
            Cell::text(node.zone.as_deref().unwrap_or("")),
            Cell::count(uses.used),
            uses.available.map_or(Cell::text("no limit"), Cell::count),
            Cell::count(node.spare),
            Cell::count(uses.cards_left),
            match node.price_cents_per_h {
                Some(_) => Cell::number(Some(uses.cost), cents),
                None => Cell::text("by the card"),
            },
        ]);
    }
    table
}

fn budgets(input: &Input<'_>) -> Table {
    let columns = ["Budget", "Counts", "Used", "Limit", "Left", "Used, %"];
    let caption = "Budgets; watts and carbon are those of the cards in use at full load";
    let mut table = Table::new("budgets-used", caption, 2, &columns);
    for budget in &input.plan.budgets {
        let share = (budget.limit > 0.0).then(|| budget.used / budget.limit);
        table.rows.push(vec![
            Cell::text(&input.scenario.budgets[budget.budget].name),
            Cell::text(budget.unit.word()),
            Cell::number(Some(budget.used), cents),
            Cell::number(Some(budget.limit), cents),
            Cell::number(Some((budget.limit - budget.used).max(0.0)), cents),
            Cell::number(share, percent),
        ]);
    }
    table
}
