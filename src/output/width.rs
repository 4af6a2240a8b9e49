//! How wide a table may be.
//!
//! On a terminal a table shows as many of its columns as there is room for: those that tell least go first, what
//! went is named below, and what is too wide even so is wrapped. In a pipe, in a file and under `--wide` it is
//! whole, whatever the terminal: who reads it there by column finds each in its place.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::caller;

/// Whether tables are whole on a terminal too.
static WIDE: AtomicBool = AtomicBool::new(false);

/// From now on tables are whole.
pub fn wide() {
    WIDE.store(true, Ordering::Relaxed);
}

/// Columns of the terminal that is written to; `None` where tables are whole. `COLUMNS` goes before what the terminal
/// says of itself.
fn room() -> Option<usize> {
    if WIDE.load(Ordering::Relaxed) || caller::is_there() || !std::io::stdout().is_terminal() {
        return None;
    }
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    stated.filter(|columns| *columns > 0).or_else(|| Table::new().width().map(usize::from))
}

/// The table's text as it fits; `spare` names the columns that go first, in order.
pub fn fitted(table: &Table, spare: &[&str]) -> String {
    match room() {
        Some(room) => within(table, spare, room),
        None => text(table),
    }
}

/// The table's text in so many columns.
fn within(table: &Table, spare: &[&str], room: usize) -> String {
    let mut table = table.clone();
    let mut left_out = Vec::new();
    for name in spare {
        if width(&table) <= room {
            break;
        }
        if hide(&mut table, name) {
            left_out.push(*name);
        }
    }
    if width(&table) > room {
        let room = u16::try_from(room).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(room);
    }
    match left_out.is_empty() {
        true => text(&table),
        false => format!("{}\n{}", text(&table), told(&left_out, room)),
    }
}

/// What was left out, in lines of so many columns.
fn told(left_out: &[&str], room: usize) -> String {
    let last = left_out.len() - 1;
    let mut lines = vec![" (--wide:".to_owned()];
    for (i, name) in left_out.iter().enumerate() {
        let next = format!(" {name}{}", if i == last { " too)" } else { "," });
        match lines.last_mut() {
            Some(line) if line.chars().count() + next.chars().count() <= room => {
                line.push_str(&next)
            }
            _ => lines.push(format!(" {next}")),
        }
    }
    lines.join("\n")
}

/// Hides the columns of that name; whether there was one.
fn hide(table: &mut Table, name: &str) -> bool {
    let header = table.header().map(|row| row.cell_iter().map(comfy_table::Cell::content));
    let named: Vec<bool> = header.map_or(Vec::new(), |names| names.map(|n| n == name).collect());
    for (column, _) in table.column_iter_mut().zip(&named).filter(|(_, named)| **named) {
        column.set_constraint(ColumnConstraint::Hidden);
    }
    named.contains(&true)
}

/// Columns that the table takes as it is, its last column's blank apart.
fn width(table: &Table) -> usize {
    let widths = table.column_max_content_widths();
    let shown = table.column_iter().zip(widths).filter(|(column, _)| !column.is_hidden());
    // A blank on either side of each.
    shown.map(|(_, width)| usize::from(width) + 2).sum::<usize>().saturating_sub(1)
}

/// The table's text without blanks at the ends of lines.
fn text(table: &Table) -> String {
    table.to_string().lines().map(trimmed).collect::<Vec<_>>().join("\n")
}

/// A line without blanks at its end, before or after what ends a style there.
fn trimmed(line: &str) -> String {
    let (mut rest, mut ends) = (line.trim_end(), String::new());
    while let Some(at) =
        rest.rfind('\u{1b}').filter(|at| rest[*at..].find('m') == Some(rest.len() - at - 1))
    {
        ends.insert_str(0, &rest[at..]);
        rest = rest[..at].trim_end();
    }
    rest.to_owned() + &ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::table::table;

    fn example() -> Table {
        let mut rows = table(&["server", "model", "cards", "cost"], 2);
        rows.add_row(["premium-llama", "llama-3.1-8b", "12", "1,060"]);
        rows.add_row(["free", "llama-3.1-70b", "3", "88"]);
        rows
    }

    #[test]
    fn columns_go_in_order_until_the_rest_fits_and_are_named() {
        let (rows, spare) = (example(), ["model", "cards"]);
        let whole = text(&rows);
        let widest = whole.lines().map(|line| line.chars().count()).max().expect("lines");
        assert_eq!(widest, width(&rows));
        assert_eq!(within(&rows, &spare, widest), whole, "it fits to the last column");
        let less = within(&rows, &spare, widest - 1);
        assert!(!less.contains("llama-3.1-70b") && less.contains("cards"), "{less}");
        assert!(less.ends_with("(--wide: model too)"), "{less}");
        let least = within(&rows, &spare, 23);
        assert!(least.ends_with("(--wide: model,\n  cards too)"), "{least}");
        assert!(least.contains("premium-llama") && least.contains("1,060"), "{least}");
    }

    #[test]
    fn blanks_go_before_the_end_of_a_style_too() {
        assert_eq!(trimmed("a  b  "), "a  b");
        assert_eq!(
            trimmed("a \u{1b}[1mb \u{1b}[0m \u{1b}[39m "),
            "a \u{1b}[1mb\u{1b}[0m\u{1b}[39m"
        );
        assert_eq!(trimmed(" \u{1b}[1m "), "\u{1b}[1m");
    }

    #[test]
    fn what_is_too_wide_even_so_is_wrapped() {
        let narrow = within(&example(), &[], 30);
        assert!(narrow.lines().all(|line| line.chars().count() <= 30), "{narrow}");
        assert!(narrow.lines().count() > 3, "{narrow}");
    }
}
