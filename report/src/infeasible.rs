//! Why there is no plan, and the ways out.

use isocost_model::candidates::{Reason, Rejected};
use isocost_planner::explain::{CardRepair, Explanation, Iis, Known, LimitRepair, Repairs};

use crate::content::{Block, Cell, Section, Table};
use crate::format::{cents, count, percent, plural};
use crate::known::{dozen, list, relaxed, said};
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
                 more than the limits allow. isocost explain says which cannot go together, and the \
                 cheapest way out.",
            )
        } else {
            section
        };
    };
    section = with_unmet(section, explanation);
    if let Some(iis) = &explanation.iis {
        section = with_iis(section, iis);
    }
    match &explanation.repairs {
        Some(repairs) => section
            .with(Block::Heading("Ways out, each enough by itself".into()))
            .with(Block::List(ways(repairs))),
        None => section,
    }
}

fn with_unmet(section: Section, explanation: &Explanation) -> Section {
    let mut ways: Vec<String> = Vec::new();
    for unmet in explanation.unmet.iter().take(ROWS) {
        let server = &unmet.server;
        ways.extend(unmet.rule.iter().map(|rule| format!("{server} {rule}.")));
        let relaxation = unmet.relaxations.first();
        ways.extend(relaxation.map(|r| format!("{server} is served with {}.", relaxed(r))));
    }
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

fn with_iis(section: Section, iis: &Iis) -> Section {
    let there = |l: &LimitRepair| l.name.amount(&cents(l.capacity));
    let mut limits: Vec<String> = iis.limits.iter().map(there).collect();
    limits.extend(iis.max_moves.map(|n| plural(n, "move")));
    let servers = dozen(&iis.servers);
    let mut text = match iis.servers.len() {
        1 => format!("{servers} does not fit on {}.", list(&limits, "and")),
        n => format!(
            "These {} servers cannot all fit on {}: {servers}.",
            count(n as u64),
            list(&limits, "and")
        ),
    };
    if let Some(rule) = &iis.rule {
        text.push_str(&format!(" It {rule}."));
    }
    let more: Vec<String> = iis.limits.iter().filter_map(more).collect();
    if !more.is_empty() {
        text.push_str(&format!(" Enough for these alone: {} more.", list(&more, "or")));
    }
    text.push_str(if iis.irreducible {
        " Without any one of them, or of the limits, the rest fits (proven)."
    } else {
        " That none of them can be spared was not proven."
    });
    let heading = "What cannot go together: an irreducible infeasible subsystem (IIS)";
    section.with(Block::Heading(heading.into())).text(text)
}

fn more(limit: &LimitRepair) -> Option<String> {
    let number = |x: f64| count(x.max(0.0) as u64);
    let some = !matches!(limit.more, Known::Infeasible);
    some.then(|| limit.name.amount(&said(&limit.more, number, "")))
}

/// What is added, what it costs, and what the plan then costs.
fn added(repair: &CardRepair) -> String {
    let add: Vec<String> = repair.add.iter().map(|a| a.name.amount(&count(a.more))).collect();
    let price = if repair.buys_cards() {
        format!(", for {} cents/h", said(&repair.price, cents, "no price"))
    } else {
        String::new()
    };
    let plan = said(&repair.plan, cents, "no plan");
    format!("{} more{price}; the plan then costs {plan} cents/h.", list(&add, "and"))
}

fn ways(repairs: &Repairs) -> Vec<String> {
    let mut ways = Vec::new();
    let (cheapest, fewest) = (&repairs.cheapest, &repairs.fewest);
    match cheapest {
        Some(repair) if !repair.buys_cards() => ways.push(format!("Budgets: {}", added(repair))),
        _ => {
            ways.extend(cheapest.iter().map(|r| format!("The cheapest cards: {}", added(r))));
            ways.extend(fewest.iter().map(|r| format!("The fewest cards: {}", added(r))));
        }
    }
    let alone: Vec<String> = repairs.alone.iter().filter_map(more).collect();
    ways.push(if alone.is_empty() {
        "More of one limit alone is not enough, whatever its number.".into()
    } else {
        format!("Of one limit alone: {} more.", list(&alone, "or"))
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
