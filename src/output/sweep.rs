//! What `isocost sweep` found, point by point: the values along its axes, the cost, the status.

use isocost_charts::number;
use isocost_experiments::table::Table;

use super::table::{cents, table};
use super::width::fitted;
use crate::output::say;

/// Points of the table; the file has all of them.
const SHOWN: usize = 40;

/// Prints the points, the first of them where there are many.
pub fn print(points: &Table) {
    let (Some(status), Some(cost)) = (points.column("status"), points.column("cost_cents_per_h"))
    else {
        return;
    };
    let axes = &points.columns[1..status];
    let header: Vec<&str> = axes.iter().map(String::as_str).chain(["cost ¢/h", "status"]).collect();
    let mut rows = table(&header, 0);
    if let Some(column) = rows.column_mut(header.len() - 1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for row in points.rows.iter().take(SHOWN) {
        let shown = |cell: &String| cell.parse().map_or_else(|_| cell.clone(), number);
        let money = row[cost].parse().map_or_else(|_| "-".to_owned(), cents);
        let values = row[1..status].iter().map(shown);
        rows.add_row(values.chain([money, row[status].clone()]));
    }
    say!("{}", fitted(&rows, &[]));
    match points.rows.len().saturating_sub(SHOWN) {
        0 => say!(),
        more => say!("... {more} more in points.csv\n"),
    }
}
