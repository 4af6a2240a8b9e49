//! Cards used against those that exist.

use isocost_charts::{Axis, Chart, Series};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::height;
use crate::format::{count, percent};
use crate::{BARS, Input};

pub(crate) fn section(input: &Input<'_>) -> Section {
    Section::new("cards", "Cards")
        .with(Block::Figures(vec![Figure::new("cards", chart(input))]))
        .with(Block::Table(table(input)))
}

/// Used and free cards of each type; types without a limit show what is used alone.
fn chart(input: &Input<'_>) -> Chart {
    let Input { scenario, plan, .. } = input;
    let size = |t: usize| plan.usage[t].available.unwrap_or(0).max(plan.usage[t].cards);
    let mut shown: Vec<usize> = (0..plan.usage.len()).filter(|&t| size(t) > 0).collect();
    shown.sort_by_key(|&t| std::cmp::Reverse(size(t)));
    shown.truncate(BARS);
    shown.sort_unstable();
    let free = |t: usize| match plan.usage[t].available {
        Some(available) => available.saturating_sub(plan.usage[t].cards),
        None => 0,
    };
    let names = shown.iter().map(|&t| match plan.usage[t].available {
        Some(_) => scenario.card_types[t].name.clone(),
        None => format!("{} (no limit)", scenario.card_types[t].name),
    });
    let values = |value: &dyn Fn(usize) -> u64| shown.iter().map(|&t| value(t) as f64).collect();
    let bars = height(shown.len());
    Chart::new(
        "Cards used against capacity",
        Axis::linear("Cards", ""),
        Axis::categories("", names),
    )
    .with(Series::bars("used", values(&|t| plan.usage[t].cards)).color(0))
    .with(Series::bars("free", values(&free)).color(6))
    .stacked()
    .size(640, bars)
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
