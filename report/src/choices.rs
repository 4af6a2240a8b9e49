//! Why each server is where it is: what its other options would cost the fleet.

use isocost_planner::explain::{Alternative, Explanation, Known, ServerChoice};

use crate::ROWS;
use crate::content::{Block, Cell, Section, Table};
use crate::known::money;

/// Nothing where no server has a choice.
pub(crate) fn section(explanation: &Explanation) -> Option<Section> {
    if explanation.choices.is_empty() {
        return None;
    }
    let text = "What the cheapest plan would cost more with a server kept off its accelerator (the \
                exclusion cost), and with the server alone on one of its other options; the others make room as they have to.";
    let section = Section::new("choices", "Why each server is where it is").text(text);
    Some(section.with(Block::Table(table(&explanation.choices))))
}

fn table(choices: &[ServerChoice]) -> Table {
    let columns = [
        "Server",
        "Runs on",
        "Next best",
        "After that",
        "Exclusion cost, cents/h",
        "Next best, cents/h more",
        "After that, cents/h more",
    ];
    let caption = "Each server's other options, and what they would cost the fleet";
    let mut table = Table::new("choices-table", caption, 4, &columns)
        .ranked(&["Server", "Runs on", "Exclusion cost, cents/h"], &["After that"]);
    for choice in choices {
        let next = others(choice);
        let mut first = [0, 1].map(|i| match next.get(i) {
            Some(o) => (Cell::text(&o.accelerator), money(&o.regret, "")),
            None => (Cell::text("none"), Cell::text("")),
        });
        for part in &choice.chosen {
            let [best, then] = first;
            first = [(); 2].map(|()| (Cell::text(""), Cell::text("")));
            table.rows.push(vec![
                Cell::text(&choice.server),
                Cell::text(format!("{} × {}", part.replicas, part.accelerator)),
                best.0,
                then.0,
                money(&part.exclusion_cost, "no plan"),
                best.1,
                then.1,
            ]);
        }
    }
    table.cut(ROWS, "the first servers", "isocost explain lists all of them.")
}

/// Options that a plan exists with and that the server does not run on alone already.
fn others(choice: &ServerChoice) -> Vec<&Alternative> {
    let alone = match &choice.chosen[..] {
        [only] => Some(&only.accelerator),
        _ => None,
    };
    let other =
        |o: &&Alternative| Some(&o.accelerator) != alone && !matches!(o.regret, Known::Infeasible);
    choice.options.iter().filter(other).collect()
}
