//! Plots of a sweep, from its table alone: cost against each axis that has numbers.
//!
//! Against an objective the plot is a Pareto front: a plan that keeps a strict objective keeps every
//! looser one, so that the least cost so far is reachable from there on, a staircase.

use isocost_charts::{Axis, Chart, Series};

use crate::table::Table;

/// Lines of one plot, at most.
const LINES: usize = 8;

/// Plots, each with the name of its file, without `.svg`.
pub fn plots(table: &Table) -> Vec<(String, Chart)> {
    let (Some(status), Some(cost)) = (table.column("status"), table.column("cost_cents_per_h"))
    else {
        return Vec::new();
    };
    // Column 0 is the point; the axes follow, up to the status.
    let axes: Vec<usize> = (1..status).filter(|&axis| is_numeric(table, axis)).collect();
    axes.into_iter().map(|axis| plot(table, axis, status, cost)).collect()
}

/// Whether a column has several values, all numbers.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells: Vec<&str> = table.rows.iter().map(|row| row[column].as_str()).collect();
    let numbers = cells.iter().all(|cell| cell.parse::<f64>().is_ok());
    cells.sort_unstable();
    cells.dedup();
    numbers && cells.len() > 1
}

fn plot(table: &Table, axis: usize, status: usize, cost: usize) -> (String, Chart) {
    let name = &table.columns[axis];
    let is_objective = ["itl", "ttft", "tps"]
        .iter()
        .any(|o| name.strip_prefix(o).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    let others: Vec<usize> = (1..status).filter(|&other| other != axis).collect();
    let mut lines = lines(table, axis, cost, &others);
    let all = lines.len();
    if all > LINES {
        // Evenly over all of them, the first and the last among them.
        let kept: Vec<usize> = (0..LINES).map(|i| i * (all - 1) / (LINES - 1)).collect();
        lines =
            lines.into_iter().enumerate().filter(|(i, _)| kept.contains(i)).map(|l| l.1).collect();
    }
    let title = format!("{} against {name}", if is_objective { "Least cost" } else { "Cost" });
    let mut chart =
        Chart::new(title, Axis::linear(name, ""), Axis::linear("Cost", "cents/h").from_zero());
    if all > LINES {
        chart = chart.subtitle(format!("{LINES} of {all} lines; the table has the others"));
    }
    for (i, (label, points)) in lines.into_iter().enumerate() {
        chart = match is_objective {
            true => chart
                .with(Series::steps(label.clone(), front(&points, name)).color(i))
                .with(Series::points(label, points).color(i)),
            false => chart.with(Series::line(label, points).color(i)),
        };
    }
    let kind = if is_objective { "pareto" } else { "cost-against" };
    (format!("{kind}-{}", file_name(name)), chart)
}

type Line = (String, Vec<(f64, f64)>);

/// (value, cost) along one axis, a line for each combination of the others; NaN without a plan.
fn lines(table: &Table, axis: usize, cost: usize, others: &[usize]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in &table.rows {
        let name = |&other: &usize| match row[other].as_str() {
            "" => format!("{} as it is", table.columns[other]),
            value => format!("{} {value}", table.columns[other]),
        };
        let label = others.iter().map(name).collect::<Vec<_>>().join(", ");
        let number = |column: usize| row[column].parse().unwrap_or(f64::NAN);
        let point = (number(axis), number(cost));
        match lines.iter_mut().find(|line| line.0 == label) {
            Some(line) => line.1.push(point),
            None => lines.push((label, vec![point])),
        }
    }
    lines.iter_mut().for_each(|line| line.1.sort_by(|a, b| a.0.total_cmp(&b.0)));
    lines
}

/// The least cost so far from the strict end of an objective on; tokens per second are strict where
/// they are high.
fn front(points: &[(f64, f64)], axis: &str) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    let rising = axis.starts_with("tps");
    if rising {
        points.reverse();
    }
    let mut least = f64::INFINITY;
    let mut front: Vec<(f64, f64)> = Vec::new();
    for (x, cost) in points {
        least = least.min(cost);
        front.push((x, least));
    }
    if rising {
        front.reverse();
    }
    front
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
        let owned = |row: &[&str]| row.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        Table {
            columns: owned(columns),
            rows: rows.iter().map(|row| owned(row)).collect(),
            timings: Vec::new(),
            seconds: vec![Vec::new(); rows.len()],
        }
    }

    #[test]
    fn a_line_for_each_combination_of_the_other_axes() {
        let columns = ["point", "load", "formulation", "status", "cost_cents_per_h"];
        let rows: [&[&str]; 4] = [
            &["0", "1", "single", "optimal", "10"],
            &["1", "1", "mixed", "optimal", "9"],
            &["2", "2", "single", "infeasible", ""],
            &["3", "2", "mixed", "optimal", "18"],
        ];
        let plots = plots(&table(&columns, &rows));
        assert_eq!(plots.len(), 1, "words make no axis");
        let (name, chart) = &plots[0];
        assert_eq!(name, "cost-against-load");
        let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["formulation single", "formulation mixed"]);
    }

    #[test]
    fn a_pareto_front_never_rises_with_a_looser_objective() {
        let points = [(0.5, f64::NAN), (0.8, 20.0), (1.0, 22.0), (1.2, 15.0)];
        assert_eq!(front(&points, "itl"), [(0.8, 20.0), (1.0, 20.0), (1.2, 15.0)]);
        assert_eq!(front(&[(1.0, 12.0), (2.0, 11.0)], "tps"), [(1.0, 11.0), (2.0, 11.0)]);
    }
}
