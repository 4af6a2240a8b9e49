//! Two plans side by side, for people and as CSV.

use isocost_model::compare::{Change, Difference, SavedServer, ServerDifference};
use isocost_model::export::cells;

use super::style::BOLD;
use super::table::{cents, table};
use super::width::fitted;

use crate::output::say;

/// Prints what differs; with `all`, what does not, too.
pub fn print(difference: &Difference, all: bool) {
    let Difference { before, after, .. } = difference;
    say!("before: {before}\nafter:  {after}\n");
    let shown: Vec<&ServerDifference> =
        difference.servers.iter().filter(|s| all || s.change != Change::Same).collect();
    if !shown.is_empty() {
        say!("{}\n", servers(&shown));
    }
    if !difference.types.is_empty() {
        say!("{}\n", types(difference));
    }
    say!("{}\n", accelerators(difference));
    let counts: Vec<String> =
        difference.counts.iter().map(|c| format!("{} {}", c.servers, c.change.word())).collect();
    say!(
        "{BOLD}total {} -> {} cents/h ({}){BOLD:#}: {}",
        cents(difference.cost_before),
        cents(difference.cost_after),
        signed(difference.cost_change),
        counts.join(", "),
    );
}

/// A change of cost, with its sign.
fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", cents(value))
}

/// `a -> b`, or `a` alone where they are equal.
fn both(before: &str, after: &str) -> String {
    if before == after { before.to_owned() } else { format!("{before} -> {after}") }
}

/// What a server runs on: `4 x G2 (batch 12)`, several joined by `+`.
fn runs(server: Option<&SavedServer>) -> String {
    let Some(server) = server.filter(|s| !s.parts.is_empty()) else { return "-".to_owned() };
    let mut parts = Vec::new();
    for part in &server.parts {
        let batch = if part.batch > 0 { format!(" ({})", part.batch) } else { String::new() };
        parts.push(format!("{} x {}{batch}", part.replicas, part.accelerator));
    }
    parts.join(" + ")
}

fn rate(server: Option<&SavedServer>) -> String {
    let load = server.and_then(|s| s.load);
    load.map_or("-".to_owned(), |load| cents(load.arrival_rate))
}

fn cost(server: Option<&SavedServer>) -> String {
    server.map_or("-".to_owned(), |server| cents(server.cost))
}

fn servers(shown: &[&ServerDifference]) -> String {
    let header = [
        "server",
        "change",
        "before: replicas (batch)",
        "after",
        "load req/min",
        "cost ¢/h",
        "change ¢/h",
    ];
    let mut rows = table(&header, 4);
    for s in shown {
        rows.add_row([
            s.server.clone(),
            s.change.word().to_owned(),
            runs(s.before.as_ref()),
            runs(s.after.as_ref()),
            both(&rate(s.before.as_ref()), &rate(s.after.as_ref())),
            both(&cost(s.before.as_ref()), &cost(s.after.as_ref())),
            signed(s.cost_change),
        ]);
    }
    fitted(&rows, &["load req/min", "change", "cost ¢/h"])
}

fn types(difference: &Difference) -> String {
    let mut rows = table(&["type", "cards", "of", "cost ¢/h", "change ¢/h"], 1);
    for t in &difference.types {
        rows.add_row([
            t.r#type.clone(),
            both(&t.cards_before.to_string(), &t.cards_after.to_string()),
            t.available.map_or("∞".to_owned(), |a| a.to_string()),
            both(&cents(t.cost_before), &cents(t.cost_after)),
            signed(t.cost_after - t.cost_before),
        ]);
    }
    fitted(&rows, &["of"])
}

fn accelerators(difference: &Difference) -> String {
    let mut rows = table(&["accelerator", "replicas", "cost ¢/h", "change ¢/h"], 1);
    for a in &difference.accelerators {
        rows.add_row([
            a.accelerator.clone(),
            both(&a.replicas_before.to_string(), &a.replicas_after.to_string()),
            both(&cents(a.cost_before), &cents(a.cost_after)),
            signed(a.cost_after - a.cost_before),
        ]);
    }
    fitted(&rows, &[])
}

/// One row a server.
pub fn csv(difference: &Difference) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "server",
        "change",
        "before",
        "after",
        "replicas_before",
        "replicas_after",
        "arrival_rate_before_per_min",
        "arrival_rate_after_per_min",
        "cost_before_cents_per_h",
        "cost_after_cents_per_h",
        "cost_change_cents_per_h",
    ])?;
    for s in &difference.servers {
        let ([replicas, rate, cost], [replicas_after, rate_after, cost_after]) =
            (numbers(s.before.as_ref()), numbers(s.after.as_ref()));
        let row = [
            s.server.clone(),
            s.change.word().to_owned(),
            runs(s.before.as_ref()),
            runs(s.after.as_ref()),
            replicas,
            replicas_after,
            rate,
            rate_after,
            cost,
            cost_after,
            s.cost_change.to_string(),
        ];
        writer.write_record(cells(&row))?;
    }
    writer.into_inner().map_err(|e| e.into_error().into())
}

/// Replicas, arrival rate and cost of a server, as CSV has them.
fn numbers(server: Option<&SavedServer>) -> [String; 3] {
    let replicas: u64 = server.map_or(0, |s| s.parts.iter().map(|p| p.replicas).sum());
    let rate = server.and_then(|s| s.load).map(|load| load.arrival_rate.to_string());
    let cost = server.map_or(0.0, |s| s.cost);
    [replicas.to_string(), rate.unwrap_or_default(), cost.to_string()]
}
