//! An explanation for people.

use isocost_planner::explain::{
    CardRepair, Conflict, Explanation, Known, LimitRepair, Relaxation, RelaxedLimit, Repairs, Unit,
    Unmet, Why,
};
use isocost_report::said;

use super::style::BOLD;
use super::table::{cents, table, trimmed};

/// Prints the whole of it.
pub fn print(explanation: &Explanation) {
    match explanation.status {
        "infeasible" | "unknown" => infeasible(explanation),
        _ => feasible(explanation),
    }
    for note in &explanation.notes {
        anstream::println!("note: {note}");
    }
}

fn heading(text: &str) {
    anstream::println!("{BOLD}{text}{BOLD:#}");
}

/// A quantity in cents per hour.
fn money(known: &Known) -> String {
    said(known, cents, "none")
}

/// A number of things.
fn count(known: &Known) -> String {
    said(known, |x| cents(x.ceil()), "none")
}

fn infeasible(explanation: &Explanation) {
    let servers = explanation.servers;
    match explanation.status {
        "infeasible" => anstream::println!(
            "{BOLD}infeasible{BOLD:#}: no plan serves all {servers} servers within the limits \
             ({})\n",
            explanation.formulation
        ),
        _ => anstream::println!(
            "{BOLD}unknown{BOLD:#}: stopped before a plan was found or excluded\n"
        ),
    }
    if !explanation.unmet.is_empty() {
        heading("Servers that no accelerator serves");
        explanation.unmet.iter().for_each(unmet);
        anstream::println!();
        match explanation.others_fit {
            Some(true) => anstream::println!("All others fit.\n"),
            Some(false) => anstream::println!("The others do not fit either.\n"),
            None => anstream::println!("Whether the others fit was not proven.\n"),
        }
    } else if explanation.others_fit.is_none() {
        anstream::println!("Whether the servers fit was not proven.\n");
    }
    if let Some(conflict) = &explanation.conflict {
        conflicts(conflict);
    }
    if let Some(repairs) = &explanation.repairs {
        repair(repairs);
    }
}

fn unmet(unmet: &Unmet) {
    let Unmet { server, class, model, .. } = unmet;
    let why = match (unmet.why, &unmet.closest) {
        (Why::Objectives, Some(miss)) => {
            format!("closest is {}: {}", miss.accelerator, miss.shortfall)
        }
        (Why::Replicas, _) => {
            "it needs more replicas than maxNumReplicas, or runs on fewer card types than minTypes"
                .to_owned()
        }
        _ => format!("no accelerator that it may use has a profile of {model}"),
    };
    anstream::println!("  {server} ({class}, {model}): {why}");
    for relaxation in &unmet.relaxations {
        anstream::println!("    served with {}", relaxed(relaxation));
    }
    for relaxation in &unmet.fits {
        anstream::println!("    fits beside the others with {}", relaxed(relaxation));
    }
}

fn percentile(percentile: Option<f64>) -> String {
    percentile.map_or(String::new(), |p| format!("P{p} "))
}

fn relaxed(relaxation: &Relaxation) -> String {
    let limit = |l: &RelaxedLimit| {
        let name = format!("{}{}", percentile(l.percentile), l.latency.word());
        format!("{name} {} ms instead of {}", up(l.to_ms), l.from_ms)
    };
    let limits: Vec<String> = relaxation.limits.iter().map(limit).collect();
    limits.join(" and ")
}

/// A limit that is enough, rounded so that it still is.
fn up(ms: f64) -> String {
    format!("{:.2}", (ms * 100.0).ceil() / 100.0)
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[String], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn units(unit: Unit, n: &str) -> String {
    match unit {
        Unit::Cards => n.to_owned(),
        Unit::Watts => format!("{n} W of"),
    }
}

fn conflicts(conflict: &Conflict) {
    heading("Conflict");
    let there = |l: &LimitRepair| format!("{} {}", units(l.unit, &cents(l.capacity)), l.limit);
    let mut limits: Vec<String> = conflict.limits.iter().map(there).collect();
    limits.extend(conflict.max_moves.map(|n| format!("{n} moves")));
    let servers = conflict.servers.len();
    let within = list(&limits, "and");
    match servers {
        1 => anstream::println!("  {} does not fit on {within}.", conflict.servers[0]),
        _ => anstream::println!("  These {servers} servers cannot all fit on {within}:"),
    }
    if servers > 1 {
        conflict.servers.iter().for_each(|server| anstream::println!("    {server}"));
    }
    let more = |l: &LimitRepair| {
        let found = l.more.at_most().is_finite();
        found.then(|| format!("{} more {}", units(l.unit, &count(&l.more)), l.limit))
    };
    let ways: Vec<String> = conflict.limits.iter().filter_map(more).collect();
    if !ways.is_empty() {
        anstream::println!("  Enough for these alone: {}.", list(&ways, "or"));
    }
    if conflict.irreducible {
        anstream::println!("  Without any one of them, or of the limits, the rest fits (proven).")
    } else {
        anstream::println!("  That none of them can be spared was not proven.")
    }
    if conflict.fewest_servers {
        anstream::println!("  No fewer servers are in conflict (proven).\n")
    } else {
        anstream::println!("  That no fewer servers are in conflict was not proven.\n")
    }
}

fn repair(repairs: &Repairs) {
    heading("Repairs, each enough by itself");
    let cards = |name: &str, repair: &Option<CardRepair>| {
        let Some(repair) = repair else { return };
        let add: Vec<String> = repair
            .add
            .iter()
            .map(|a| format!("{} {}", units(a.unit, &cents(a.more as f64)), a.limit))
            .collect();
        let (price, n) = (money(&repair.price), count(&repair.cards));
        anstream::println!(
            "  {name}: {} more ({price} cents/h, {n} cards); the plan then costs {}",
            list(&add, "and"),
            money(&repair.plan)
        );
    };
    cards("cheapest cards", &repairs.cheapest);
    cards("fewest cards", &repairs.fewest);
    let none = repairs.alone.iter().all(|l| l.more == Known::Infeasible);
    let alone = repairs.alone.iter().filter(|l| l.more.at_most().is_finite());
    let alone: Vec<String> =
        alone.map(|l| format!("{} {}", units(l.unit, &count(&l.more)), l.limit)).collect();
    match alone.is_empty() {
        true if none => anstream::println!("  no number of cards of one type alone is enough"),
        true => anstream::println!("  of one type alone: not worked out in time"),
        false => anstream::println!("  of one type alone: {} more", list(&alone, "or")),
    }
    if repairs.relaxations.is_empty() {
        anstream::println!(
            "  no relaxation of one server's latency objectives was found to be enough"
        )
    } else {
        anstream::println!("  one server's objectives relaxed:")
    }
    for relaxation in &repairs.relaxations {
        anstream::println!("    {}: {}", relaxation.server, relaxed(relaxation));
    }
    if let Some(left) = &repairs.leave_out {
        anstream::println!(
            "  servers left out: {} of them ({}); the others then cost {}",
            count(&left.count),
            left.servers.join(", "),
            money(&left.plan)
        );
        anstream::println!(
            "    (`isocost plan --shortage whole` or `partial` serves the most load by priority)"
        );
    }
    anstream::println!();
}

fn feasible(explanation: &Explanation) {
    anstream::println!(
        "{BOLD}{}{BOLD:#}: all {} servers fit; the plan costs {} cents/h ({})\n",
        explanation.status,
        explanation.servers,
        money(&explanation.objective),
        explanation.formulation,
    );
    limits(explanation);
    choices(explanation);
    entries(explanation);
}

fn limits(explanation: &Explanation) {
    if explanation.limits.is_empty() {
        anstream::println!("No limit is set.\n");
        return;
    }
    let full: Vec<String> =
        explanation.limits.iter().filter(|l| l.full).map(|l| l.limit.clone()).collect();
    let worth = |l: &&isocost_planner::explain::LimitValue| {
        l.one_more.at_least() > 0.0 || l.enough.is_some_and(|enough| enough.saving.at_least() > 0.0)
    };
    let binding: Vec<String> =
        explanation.limits.iter().filter(worth).map(|l| l.limit.clone()).collect();
    if full.is_empty() {
        anstream::println!("No limit is used up.")
    } else {
        anstream::println!("Used up: {}.", list(&full, "and"))
    }
    if binding.is_empty() {
        anstream::println!("No limit binds: more cards of no type would be worth anything.\n")
    } else {
        anstream::println!("Binding (more would save): {}.\n", list(&binding, "and"))
    }
    heading("Limits, cents/h a card (a kW of a power budget)");
    let header = [
        "limit",
        "used",
        "of",
        "one more saves",
        "one fewer costs",
        "dual price",
        "enough",
        "saves in all",
    ];
    let mut rows = table(&header, 1);
    for limit in &explanation.limits {
        let enough = limit.enough.as_ref();
        let capacity = enough.map_or(String::new(), |e| {
            if e.fewest || e.saving.value() == Some(0.0) {
                cents(e.capacity)
            } else {
                format!("at most {}", cents(e.capacity))
            }
        });
        rows.add_row([
            limit.limit.clone(),
            cents(limit.used),
            cents(limit.capacity),
            money(&limit.one_more),
            match limit.one_fewer {
                Known::Infeasible => "infeasible".to_owned(),
                known => money(&known),
            },
            limit.dual_price.map_or(String::new(), cents),
            capacity,
            enough.map_or(String::new(), |e| money(&e.saving)),
        ]);
    }
    anstream::println!("{}\n", trimmed(&rows));
}

fn choices(explanation: &Explanation) {
    heading("What each server's other options would cost the fleet, cents/h");
    let mut rows = table(&["server", "runs on", "off it", "next best", "then"], 2);
    for choice in &explanation.choices {
        let chosen: Vec<&str> = choice.chosen.iter().map(|c| c.accelerator.as_str()).collect();
        let mut next = choice
            .options
            .iter()
            .filter(|o| chosen.len() > 1 || o.accelerator != chosen[0])
            .filter(|o| o.regret != Known::Infeasible)
            .map(|o| format!("{} {}", o.accelerator, plus(&o.regret)));
        for (i, part) in choice.chosen.iter().enumerate() {
            let first = i == 0;
            rows.add_row([
                if first { choice.server.clone() } else { String::new() },
                format!("{} x {}", part.replicas, part.accelerator),
                match part.off {
                    Known::Infeasible => "infeasible".to_owned(),
                    off => plus(&off),
                },
                if first { next.next().unwrap_or("none".to_owned()) } else { String::new() },
                if first { next.next().unwrap_or_default() } else { String::new() },
            ]);
        }
    }
    anstream::println!("{}\n", trimmed(&rows));
}

fn plus(known: &Known) -> String {
    match *known {
        Known::Exact { value } => format!("+{}", cents(value)),
        Known::Between { at_least, at_most } if at_most.is_infinite() => {
            format!("+{} or more", cents(at_least))
        }
        known => format!("+{}", money(&known)),
    }
}

fn entries(explanation: &Explanation) {
    if explanation.entries.is_empty() {
        return;
    }
    heading("Unused accelerators, and the price below which they enter the plan, cents/h");
    let mut rows = table(&["accelerator", "price", "enters below", "for"], 1);
    if let Some(column) = rows.column_mut(3) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for entry in &explanation.entries {
        let more = entry.servers.len().saturating_sub(2);
        let mut servers: Vec<String> = entry.servers.iter().take(2).cloned().collect();
        servers.extend((more > 0).then(|| format!("{more} more")));
        rows.add_row([
            entry.accelerator.clone(),
            cents(entry.price),
            match entry.enters_below {
                Known::Infeasible => "not even free".to_owned(),
                known => money(&known),
            },
            servers.join(", "),
        ]);
    }
    anstream::println!("{}\n", trimmed(&rows));
}
