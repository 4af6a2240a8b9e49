//! What scenarios come to, side by side, for people and as CSV.

use isocost_model::export::cells;
use isocost_model::stress::shown;
use isocost_planner::purchase::{Purchase, Room};

use super::say;
use super::table::{cents, table};
use super::width::fitted;

/// Prints one row a scenario, and below what stands against more.
pub fn print(purchases: &[Purchase]) {
    let header = [
        "scenario",
        "all served",
        "first to break",
        "a month",
        "cost ¢/h",
        "served %",
        "breaks at",
        "room to",
    ];
    let mut rows = table(&header, 3);
    for p in purchases {
        let is_plan = p.fits.is_some() || p.cost_cents_per_h > 0.0;
        let sum = |value: String| if is_plan { value } else { "-".to_owned() };
        rows.add_row([
            p.name.clone(),
            fits(p).to_owned(),
            p.breaks
                .as_ref()
                .map_or("-".to_owned(), |b| format!("{} of {}", b.objective, b.server)),
            sum(format!("{} {}", cents(p.cost_per_month.round()), p.currency)),
            sum(cents(p.cost_cents_per_h)),
            served(p),
            p.breaks.as_ref().map_or("-".to_owned(), |b| shown(b.growth)),
            p.room.as_ref().map_or("-".to_owned(), room),
        ]);
    }
    say!("{}\n", fitted(&rows, &["a month", "all served", "served %", "first to break"]));
    for p in purchases {
        if let Some(why) = &p.why {
            say!("{}: {why}", p.name);
        }
        let ended = p.room.as_ref().and_then(|room| Some((room.ends?, room.why.as_ref()?)));
        if let Some((ends, why)) = ended {
            say!("{}, loads x {ends:.2}: {why}", p.name);
        }
    }
    say!(
        "breaks at: the growth of loads at which the plan as it is misses its first objective; room to: that up \
         to which some plan serves all"
    );
}

fn fits(purchase: &Purchase) -> &'static str {
    match purchase.fits {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

/// `100`, or shares by priority where they differ: `1: 100, 2: 63.1`.
fn served(purchase: &Purchase) -> String {
    let percent = |share: f64| {
        let most = if share < 1.0 - 1e-9 { 99.9 } else { 100.0 };
        format!("{:.1}", (100.0 * share).min(most))
    };
    let first = purchase.served.first().map_or(1.0, |s| s.share);
    if purchase.served.iter().all(|s| s.share == first) {
        return percent(first);
    }
    let each = purchase.served.iter().map(|s| format!("{}: {}", s.priority, percent(s.share)));
    each.collect::<Vec<_>>().join(", ")
}

fn room(room: &Room) -> String {
    match room.ends {
        // Not rounded up: at the next hundredth there may be no plan.
        Some(_) => format!("x {:.2}", (room.lasts * 100.0).floor() / 100.0),
        None => format!("x {:.2} or more", room.lasts),
    }
}

/// One row a scenario.
pub fn csv(purchases: &[Purchase]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "scenario",
        "status",
        "fits",
        "cost_cents_per_h",
        "cost_per_month",
        "currency",
        "served_by_priority",
        "cards",
        "first_to_break",
        "breaks_at_growth",
        "room_lasts",
        "room_ends",
        "carbon_kg_per_day",
        "why",
    ])?;
    let value = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
    for p in purchases {
        let served = p.served.iter().map(|s| format!("{}:{}", s.priority, s.share));
        let cards = p.cards.iter().map(|c| format!("{}:{}", c.r#type, c.used));
        let room = p.room.as_ref();
        let why = p.why.as_ref().or_else(|| room.and_then(|room| room.why.as_ref()));
        let breaks = p.breaks.as_ref();
        let row = [
            p.name.clone(),
            p.status.to_owned(),
            fits(p).to_owned(),
            p.cost_cents_per_h.to_string(),
            p.cost_per_month.to_string(),
            p.currency.clone(),
            served.collect::<Vec<_>>().join(";"),
            cards.collect::<Vec<_>>().join(";"),
            breaks.map_or(String::new(), |b| format!("{} of {}", b.objective, b.server)),
            value(breaks.map(|b| b.growth)),
            value(room.map(|room| room.lasts)),
            value(room.and_then(|room| room.ends)),
            value(p.carbon_kg_per_day),
            why.cloned().unwrap_or_default(),
        ];
        writer.write_record(cells(&row))?;
    }
    writer.into_inner().map_err(|e| e.into_error().into())
}
