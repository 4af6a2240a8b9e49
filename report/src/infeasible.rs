//! Why there is no plan, and the ways out.

use isocost_model::candidates::{Reason, Rejected};
use isocost_planner::explain::{CardRepair, Conflict, Explanation, Known, LimitRepair, Repairs};

use crate::content::{Block, Cell, Section, Table};
use crate::format::{cents, count, percent, plural};
use crate::known::{amount, dozen, list, relaxed, said};
use crate::{Input, ROWS};

/// What the candidates tell, and what the explanation proved besides.
pub(crate) fn section(input: &Input<'_>) -> Section {
    let servers = 0..input.scenario.servers.len();
    let unmet: Vec<usize> = servers.filter(|&s| input.candidates.options(s).is_empty()).collect();
    let mut section = Section::new("reasons", "Why not every server is served");
    if !unmet.is_empty() {
        let text = format!(
            "No accelerator serves {} within {} objectives, whatever the number of cards. The table \
             names for each accelerator what stands against it.",
            plural(unmet.len() as u64, "server"),
            if unmet.len() == 1 { "its" } else { "their" },
        );
        section = section.text(text).with(Block::Table(table(input, &unmet)));
    }
    let Some(explanation) = input.explanation else {
        return if unmet.is_empty() {
            section.text(
                "Every server has an accelerator that meets its objectives; together they need \
                 more than the limits allow. isocost explain says which limits conflict, and the \
                 cheapest way out.",
            )
        } else {
            section
        };
    };
    section = with_unmet(section, explanation);
    if let Some(conflict) = &explanation.conflict {
        section = with_conflict(section, conflict);
    }
    match &explanation.repairs {
        Some(repairs) => section
            .with(Block::Heading("Ways out, each enough by itself".into()))
            .with(Block::List(ways(repairs))),
        None => section,
    }
}

fn with_unmet(section: Section, explanation: &Explanation) -> Section {
    let ways: Vec<String> = explanation
        .unmet
        .iter()
        .flat_map(|u| u.relaxations.iter().take(1).map(move |r| (u, r)))
        .take(ROWS)
        .map(|(u, r)| format!("{} is served with {}.", u.server, relaxed(r)))
        .collect();
    let others = explanation.servers - explanation.unmet.len();
    let others = plural(others as u64, "other server");
    let fit = match (explanation.unmet.is_empty(), explanation.others_fit) {
        (true, Some(_)) => {
            "Every server has an accelerator that meets its objectives; together they \
                            need more than the limits allow."
                .to_owned()
        }
        (true, None) => "Whether the servers fit together was not proven.".to_owned(),
        (false, Some(true)) => format!("The {others} fit."),
        (false, Some(false)) => format!("The {others} do not fit together either."),
        (false, None) => format!("Whether the {others} fit together was not proven."),
    };
    let section = if ways.is_empty() { section } else { section.with(Block::List(ways)) };
    section.text(fit)
}

fn with_conflict(section: Section, conflict: &Conflict) -> Section {
    let there = |l: &LimitRepair| amount(l.unit, &cents(l.capacity), &l.limit);
    let mut limits: Vec<String> = conflict.limits.iter().map(there).collect();
    limits.extend(conflict.max_moves.map(|n| plural(n, "move")));
    let servers = dozen(&conflict.servers);
    let mut text = match conflict.servers.len() {
        1 => format!("{servers} does not fit on {}.", list(&limits, "and")),
        n => format!(
            "These {} servers cannot all fit on {}: {servers}.",
            count(n as u64),
            list(&limits, "and")
        ),
    };
    let more: Vec<String> = conflict.limits.iter().filter_map(more).collect();
    if !more.is_empty() {
        text.push_str(&format!(" Enough for these alone: {} more.", list(&more, "or")));
    }
    text.push_str(if conflict.irreducible {
        " Without any one of them, or of the limits, the rest fits (proven)."
    } else {
        " That none of them can be spared was not proven."
    });
    section.with(Block::Heading("What conflicts".into())).text(text)
}

fn more(limit: &LimitRepair) -> Option<String> {
    let number = |x: f64| count(x.max(0.0) as u64);
    let some = !matches!(limit.more, Known::Infeasible);
    some.then(|| amount(limit.unit, &said(&limit.more, number, ""), &limit.limit))
}

fn ways(repairs: &Repairs) -> Vec<String> {
    let mut ways = Vec::new();
    let mut cards = |name: &str, repair: &Option<CardRepair>| {
        let Some(repair) = repair else { return };
        let add: Vec<String> =
            repair.add.iter().map(|a| amount(a.unit, &count(a.more), &a.limit)).collect();
        ways.push(format!(
            "{name}: {} more, for {} cents/h; the plan then costs {} cents/h.",
            list(&add, "and"),
            said(&repair.price, cents, "no price"),
            said(&repair.plan, cents, "no plan"),
        ));
    };
    cards("The cheapest cards", &repairs.cheapest);
    cards("The fewest cards", &repairs.fewest);
    let alone: Vec<String> = repairs.alone.iter().filter_map(more).collect();
    ways.push(if alone.is_empty() {
        "More cards of one type alone are not enough, whatever their number.".into()
    } else {
        format!("Of one type alone: {} more.", list(&alone, "or"))
    });
    ways.extend(
        repairs
            .relaxations
            .iter()
            .take(BEST)
            .map(|r| format!("The objectives of {}: {}.", r.server, relaxed(r))),
    );
    if let Some(left) = &repairs.leave_out {
        ways.push(format!(
            "Leave out {} ({}): the others then cost {} cents/h.",
            said(&left.count, |x| plural(x.max(0.0) as u64, "server"), "none"),
            dozen(&left.servers),
            said(&left.plan, cents, "no plan"),
        ));
    }
    ways
}

/// Relaxations listed, the smallest first.
const BEST: usize = 10;

fn table(input: &Input<'_>, unmet: &[usize]) -> Table {
    let columns = ["Server", "Accelerator", "What stands against it", "Best of the limit, %"];
    let mut table = Table::new("unmet-table", "Servers that no accelerator serves", 3, &columns);
    for &s in unmet {
        let mut rejected: Vec<&Rejected> = input.candidates.rejected(s).iter().collect();
        rejected.sort_by(|a, b| excess(a).total_cmp(&excess(b)));
        table.rows.extend(rejected.into_iter().map(|r| {
            vec![
                Cell::text(&input.scenario.servers[s].name),
                Cell::text(&input.scenario.accelerators[r.accelerator].name),
                Cell::text(r.reason.to_string()),
                Cell::number(Some(excess(r)), percent),
            ]
        }));
    }
    table.cut(ROWS, "the first servers", "candidates.csv (--out DIR) holds all of them.")
}

/// How far off the closest value is: best over limit; infinite where no latency stands against it.
fn excess(rejected: &Rejected) -> f64 {
    match &rejected.reason {
        Reason::Objective(shortfall) => shortfall.excess(),
        _ => f64::INFINITY,
    }
}
