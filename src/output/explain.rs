//! An explanation for people.

use isocost_planner::explain::{
    CardRepair, Explanation, Iis, Known, LimitRepair, Relaxation, RelaxedLimit, Repairs, Unmet,
};
use isocost_report::said;

use super::style::BOLD;
use super::table::{cents, table};
use super::width::fitted;

use crate::output::say;

/// Prints the whole of it.
pub fn print(explanation: &Explanation) {
    match explanation.status {
        "infeasible" | "unknown" => infeasible(explanation),
        _ => feasible(explanation),
    }
    for note in &explanation.notes {
        say!("note: {note}");
    }
}

fn heading(text: &str) {
    say!("{BOLD}{text}{BOLD:#}");
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
        "infeasible" => say!(
            "{BOLD}infeasible{BOLD:#}: no plan serves all {servers} servers within the limits \
             ({})\n",
            explanation.formulation
        ),
        _ => say!("{BOLD}unknown{BOLD:#}: stopped before a plan was found or excluded\n"),
    }
    if !explanation.unmet.is_empty() {
        heading("Servers that no plan serves, however many cards there are");
        explanation.unmet.iter().for_each(unmet);
        say!();
        match explanation.others_fit {
            Some(true) => say!("All others fit.\n"),
            Some(false) => say!("The others do not fit either.\n"),
            None => say!("Whether the others fit was not proven.\n"),
        }
    } else if explanation.others_fit.is_none() {
        say!("Whether the servers fit was not proven.\n");
    }
    explanation.iis.iter().for_each(iis);
    if let Some(repairs) = &explanation.repairs {
        repair(repairs);
    }
}

fn unmet(unmet: &Unmet) {
    let Unmet { server, class, model, .. } = unmet;
    let why = match (&unmet.rule, &unmet.closest) {
        (Some(rule), _) => format!("it {rule}"),
        (None, Some(miss)) => format!("closest is {}: {}", miss.accelerator, miss.shortfall),
        (None, None) => format!("no accelerator that it may use has a profile of {model}"),
    };
    say!("  {server} ({class}, {model}): {why}");
    for relaxation in &unmet.relaxations {
        say!("    served with {}", relaxed(relaxation));
    }
    for relaxation in &unmet.fits {
        say!("    fits beside the others with {}", relaxed(relaxation));
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

fn iis(iis: &Iis) {
    heading("Irreducible infeasible subsystem (IIS)");
    let there = |l: &LimitRepair| l.name.amount(&cents(l.capacity));
    let mut limits: Vec<String> = iis.limits.iter().map(there).collect();
    limits.extend(iis.max_moves.map(|n| format!("{n} moves")));
    let servers = iis.servers.len();
    let within = list(&limits, "and");
    if servers == 1 {
        say!("  {} does not fit on {within}.", iis.servers[0]);
    } else {
        say!("  These {servers} servers cannot all fit on {within}:");
        iis.servers.iter().for_each(|server| say!("    {server}"));
    }
    if let Some(rule) = &iis.rule {
        say!("  It {rule}.");
    }
    let ways = found(&iis.limits);
    if !ways.is_empty() {
        let ways: Vec<String> =
            ways.into_iter().map(|(n, l)| l.name.amount(&format!("{n} more"))).collect();
        say!("  Enough for these alone: {}.", list(&ways, "or"));
    }
    if iis.irreducible {
        say!("  Without any one of them, or of the limits, the rest fits (proven).");
    } else {
        say!("  That none of them can be spared was not proven.");
    }
    if iis.fewest_servers {
        say!("  No IIS has fewer servers (proven).\n");
    } else {
        say!("  That no IIS has fewer servers was not proven.\n");
    }
}

/// Limits of which more alone is enough, with how much more.
fn found(limits: &[LimitRepair]) -> Vec<(String, &LimitRepair)> {
    let found = limits.iter().filter(|l| l.more.at_most().is_finite());
    found.map(|l| (count(&l.more), l)).collect()
}

/// Units to add with their price, and what the plan then costs.
fn added(name: &str, repair: &CardRepair) {
    let units = repair.add.iter().map(|a| a.name.amount(&cents(a.more as f64)));
    let units = list(&units.collect::<Vec<_>>(), "and");
    let price = if repair.buys_cards() {
        format!(" ({} cents/h, {} cards)", money(&repair.price), count(&repair.cards))
    } else {
        String::new()
    };
    let plan = money(&repair.plan);
    say!("  {name}: {units} more{price}; the plan then costs {plan}");
}

fn repair(repairs: &Repairs) {
    heading("Repairs, each enough by itself");
    match &repairs.cheapest {
        Some(repair) if !repair.buys_cards() => added("budgets", repair),
        cheapest => {
            cheapest.iter().for_each(|repair| added("cheapest cards", repair));
            repairs.fewest.iter().for_each(|repair| added("fewest cards", repair));
        }
    }
    let none = repairs.alone.iter().all(|l| l.more == Known::Infeasible);
    let alone = found(&repairs.alone);
    if !alone.is_empty() {
        let alone: Vec<String> = alone.into_iter().map(|(n, l)| l.name.amount(&n)).collect();
        say!("  of one limit alone: {} more", list(&alone, "or"));
    } else if none {
        say!("  more of one limit alone is not enough, whatever its number");
    } else {
        say!("  of one limit alone: not worked out in time");
    }
    if repairs.relaxations.is_empty() {
        say!("  no relaxation of one server's latency objectives was found to be enough")
    } else {
        say!("  one server's objectives relaxed:")
    }
    for relaxation in &repairs.relaxations {
        say!("    {}: {}", relaxation.server, relaxed(relaxation));
    }
    if let Some(left) = &repairs.leave_out {
        say!(
            "  servers left out: {} of them ({}); the others then cost {}",
            count(&left.count),
            left.servers.join(", "),
            money(&left.plan)
        );
        say!("    (`isocost plan --shortage whole` or `partial` serves the most load by priority)");
    }
    say!();
}

fn feasible(explanation: &Explanation) {
    say!(
        "{BOLD}{}{BOLD:#}: all {} servers fit; {} {} cents/h ({})\n",
        explanation.status,
        explanation.servers,
        if explanation.transition { "the change's value is" } else { "the plan costs" },
        money(&explanation.objective),
        explanation.formulation,
    );
    limits(explanation);
    choices(explanation);
    break_even(explanation);
}

fn limits(explanation: &Explanation) {
    if explanation.limits.is_empty() {
        say!("No limit is set.\n");
        return;
    }
    let (mut full, mut binding) = (Vec::new(), Vec::new());
    for limit in &explanation.limits {
        if limit.full {
            full.push(limit.limit.clone());
        }
        if limit.binds() {
            binding.push(limit.limit.clone());
        }
    }
    if full.is_empty() {
        say!("No limit is used up.");
    } else {
        say!("Used up: {}.", list(&full, "and"));
    }
    if binding.is_empty() {
        say!("No limit binds: more cards of no type would be worth anything.\n");
    } else {
        say!("Binding (more would save): {}.\n", list(&binding, "and"));
    }
    heading("Limits, cents/h a card (of a budget a card, a kW, 100 cents/h or a kg CO2/h)");
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
    say!("{}\n", fitted(&rows, &["enough", "saves in all", "dual price"]));
}

fn choices(explanation: &Explanation) {
    heading("What each server's other options would cost the fleet, cents/h");
    let mut rows = table(&["server", "runs on", "exclusion cost", "next best", "then"], 2);
    for choice in &explanation.choices {
        let mut next = Vec::new();
        for option in &choice.options {
            let alone =
                choice.chosen.len() == 1 && option.accelerator == choice.chosen[0].accelerator;
            if !alone && option.regret != Known::Infeasible {
                next.push(format!("{} {}", option.accelerator, plus(&option.regret)));
            }
        }
        next.resize(next.len().max(2), String::new());
        if next[0].is_empty() {
            next[0] = "none".to_owned();
        }
        let mut first = [choice.server.clone(), next[0].clone(), next[1].clone()];
        for part in &choice.chosen {
            let [server, next, then] = std::mem::take(&mut first);
            let exclusion = match part.exclusion_cost {
                Known::Infeasible => "infeasible".to_owned(),
                cost => plus(&cost),
            };
            let on = format!("{} x {}", part.replicas, part.accelerator);
            rows.add_row([server, on, exclusion, next, then]);
        }
    }
    say!("{}\n", fitted(&rows, &["then"]));
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

fn break_even(explanation: &Explanation) {
    if explanation.break_even.is_empty() {
        return;
    }
    heading(
        "Unused accelerators, and the break-even price below which they enter the plan, cents/h",
    );
    let mut rows = table(&["accelerator", "price", "break-even", "for"], 1);
    if let Some(column) = rows.column_mut(3) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for unused in &explanation.break_even {
        let more = unused.servers.len().saturating_sub(2);
        let mut servers: Vec<String> = unused.servers.iter().take(2).cloned().collect();
        servers.extend((more > 0).then(|| format!("{more} more")));
        rows.add_row([
            unused.accelerator.clone(),
            cents(unused.price),
            match unused.break_even_price {
                Known::Infeasible => "not even free".to_owned(),
                known => money(&known),
            },
            servers.join(", "),
        ]);
    }
    say!("{}\n", fitted(&rows, &[]));
}
