//! Why there is no plan, as far as the candidates alone tell.

use isocost_model::candidates::{Reason, Rejected};

use crate::content::{Block, Cell, Section, Table};
use crate::format::plural;
use crate::{Input, ROWS};

/// Servers that no accelerator serves; nothing where each has a candidate.
pub(crate) fn section(input: &Input<'_>) -> Option<Section> {
    let servers = 0..input.scenario.servers.len();
    let unmet: Vec<usize> = servers.filter(|&s| input.candidates.options(s).is_empty()).collect();
    let section = Section::new("unmet", "Why no plan");
    if unmet.is_empty() {
        return Some(section.text(
            "Every server has an accelerator that meets its objectives; together they need more \
             than the limits allow. isocost explain says which limits conflict, and the cheapest way out.",
        ));
    }
    let text = format!(
        "{} within its objectives, whatever the number of cards. The table names for each \
         accelerator what stands against it.",
        match unmet.len() {
            1 => "No accelerator serves 1 server".into(),
            n => format!("No accelerator serves {}", plural(n as u64, "server")),
        }
    );
    Some(section.text(text).with(Block::Table(table(input, &unmet))))
}

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
                Cell::number(Some(excess(r)), crate::format::percent),
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
