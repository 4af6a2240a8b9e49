//! Scenarios side by side.

use isocost_planner::purchase::{Purchase, Room};

use crate::content::{Block, Cell, Section, Table};
use crate::format::{cents, plural};
use crate::page::{Page, filled};
use crate::summary::Summary;

/// What scenarios come to, as one HTML file that needs nothing but itself.
pub fn comparison(purchases: &[Purchase]) -> String {
    let all = purchases.iter().all(|p| p.fits == Some(true));
    let page = Page {
        title: "Scenarios side by side".to_owned(),
        heading: plural(purchases.len() as u64, "scenario"),
        summary: Summary {
            status: if all { "all served" } else { "not all served" },
            tone: if all { "met" } else { "missed" },
            sentence: sentence(purchases),
            warnings: Vec::new(),
            figures: Vec::new(),
        },
        sections: vec![figures(purchases), reasons(purchases)],
    };
    filled(page)
}

fn sentence(purchases: &[Purchase]) -> String {
    let served = purchases.iter().filter(|p| p.fits == Some(true));
    match served.min_by(|a, b| a.cost_cents_per_h.total_cmp(&b.cost_cents_per_h)) {
        Some(p) => format!(
            "Of those that serve every server in full {} costs least, {} cents/h.",
            p.name,
            cents(p.cost_cents_per_h)
        ),
        None => "None of them serves every server in full.".to_owned(),
    }
}

fn figures(purchases: &[Purchase]) -> Section {
    let columns = [
        "Scenario",
        "All served",
        "First to break",
        "Currency",
        "A month",
        "Cost, cents/h",
        "Least share served of a priority, %",
        "Cards",
        "Breaks at, times the load",
        "Room to, times the load",
        "CO2, kg a day",
    ];
    let first = ["Scenario", "All served", "Cost, cents/h"];
    let last = ["Currency", "A month", "Cards", "CO2, kg a day"];
    let mut table = Table::new("compared", "What each comes to", 4, &columns).ranked(&first, &last);
    let one = |x: f64| format!("{x:.1}");
    let two = |x: f64| format!("{:.2}", (x * 100.0).floor() / 100.0);
    for p in purchases {
        let (fits, tone) = match p.fits {
            Some(true) => ("yes", "met"),
            Some(false) => ("no", "missed"),
            None => ("unknown", "close"),
        };
        let breaks = p.breaks.as_ref();
        let first = breaks.map_or(String::new(), |b| format!("{} of {}", b.objective, b.server));
        let least = p.served.iter().map(|s| 100.0 * s.share).min_by(f64::total_cmp);
        table.rows.push(vec![
            Cell::text(&p.name),
            Cell::text(fits).tone(tone),
            Cell::text(first),
            Cell::text(&p.currency),
            Cell::number(Some(p.cost_per_month.round()), cents),
            Cell::number(Some(p.cost_cents_per_h), cents),
            Cell::number(least, |x| one(if x < 100.0 { x.min(99.9) } else { x })),
            Cell::count(p.cards.iter().map(|c| c.used).sum()),
            Cell::number(breaks.map(|b| b.growth), two),
            Cell::number(p.room.as_ref().map(|room| room.lasts), two),
            Cell::number(p.carbon_kg_per_day, one),
        ]);
    }
    Section::new("figures", "Cost, service and room")
        .text(
            "A plan as it is keeps its objectives until loads grow to where the first breaks; planned anew \
             with what there is, every server is served up to the room.",
        )
        .with(Block::Table(table))
}

fn reasons(purchases: &[Purchase]) -> Section {
    let said = |p: &Purchase| {
        let now = p.why.as_ref().map(|why| format!("{}: {why}", p.name));
        now.or_else(|| {
            let Room { ends, why, .. } = p.room.as_ref()?;
            Some(format!("{}, loads x {:.2}: {}", p.name, (*ends)?, why.as_ref()?))
        })
    };
    let said: Vec<String> = purchases.iter().filter_map(said).collect();
    let section = Section::new("reasons", "What stands against more");
    if said.is_empty() {
        section.text("Nothing was found.")
    } else {
        section.with(Block::List(said))
    }
}
