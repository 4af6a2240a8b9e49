//! Cards used against those that exist, and what budgets leave.

use isocost_charts::{Axis, Chart, Series};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::{Bar, coloured, height};
use crate::format::{cents, count, percent};
use crate::{BARS, Input};

pub(crate) fn section(input: &Input<'_>) -> Section {
    let section = Section::new("cards", "Cards")
        .with(Block::figures(vec![Figure::new("cards", chart(input))]))
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
    for (t, (card, usage)) in scenario.card_types.iter().zip(&plan.usage).enumerate() {
        let free = usage.available.map_or(0, |a| a.saturating_sub(usage.cards));
        let name = match usage.available {
            Some(_) => card.name.clone(),
            None => format!("{} (no limit)", card.name),
        };
        if usage.cards + free > 0 {
            bars.push((t, name, usage.cards, free));
        }
    }
    bars.sort_by_key(|&(_, _, used, free)| std::cmp::Reverse(used + free));
    bars.truncate(BARS);
    bars.sort_by_key(|bar| bar.0);
    let names = bars.iter().map(|bar| bar.1.clone());
    let title = "Cards used against capacity";
    let chart = Chart::new(title, Axis::counts("Cards", ""), Axis::categories("", names));
    let used: Vec<Bar> = bars.iter().map(|bar| (Some(bar.0), bar.2 as f64)).collect();
    let free: Vec<Bar> = bars.iter().map(|bar| (Some(bar.0), bar.3 as f64)).collect();
    let words = if bars.iter().any(|bar| bar.3 > 0) { "Faint: free" } else { "" };
    let palette = input.palette();
    let chart = coloured(chart, &used, |series| series, &palette);
    let chart = coloured(chart, &free, Series::faint, &palette);
    chart.subtitle(words).size(640, height(bars.len()))
}

fn table(input: &Input<'_>) -> Table {
    let Input { scenario, plan, .. } = input;
    let columns = ["Card type", "Used", "Usable", "Kept spare", "Free", "Used, %"];
    let first = ["Card type", "Used", "Usable", "Free"];
    let mut table = Table::new("cards-used", "Cards by type", 1, &columns).ranked(&first, &[]);
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
    let caption = "Nodes by kind; nodes.csv says what each holds";
    let mut table = Table::new("nodes-used", caption, 2, &columns)
        .ranked(&["Node", "Used", "Usable", "Cost, cents/h"], &[]);
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
    let first = ["Budget", "Counts", "Used", "Limit"];
    let mut table = Table::new("budgets-used", caption, 2, &columns).ranked(&first, &[]);
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
