//! Plots of a sweep, from its table alone: cost against each axis that has numbers.
//!
//! Against an objective the plot is a Pareto front: a plan that keeps a strict objective keeps every
//! looser one, so that the least cost so far is reachable from there on, a staircase.

use std::collections::HashSet;

use isocost_charts::{Axis, Chart, Series, number};

use crate::table::Table;

/// Lines of one plot, at most.
const LINES: usize = 8;

/// Plots, each by its name; costs are in `per_hour`, such as `cents/h`.
pub fn plots(table: &Table, per_hour: &str) -> Vec<(String, Chart)> {
    let (Some(status), Some(cost)) = (table.column("status"), table.column("cost_cents_per_h"))
    else {
        return Vec::new();
    };
    // Column 0 is the point; the axes follow, up to the status.
    let axes = (1..status).filter(|&axis| is_numeric(table, axis));
    axes.map(|axis| plot(table, &Columns { axis, status, cost }, per_hour)).collect()
}

/// Where a plot finds its values in the table.
struct Columns {
    /// What is across.
    axis: usize,
    status: usize,
    cost: usize,
}

/// Whether a column has several values, all numbers.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells: Vec<&str> = table.rows.iter().map(|row| row[column].as_str()).collect();
    let numbers = cells.iter().all(|cell| cell.parse::<f64>().is_ok());
    cells.sort_unstable();
    cells.dedup();
    numbers && cells.len() > 1
}

fn plot(table: &Table, columns: &Columns, per_hour: &str) -> (String, Chart) {
    let name = &table.columns[columns.axis];
    let is_objective = ["itl", "ttft", "tps"]
        .iter()
        .any(|o| name.strip_prefix(o).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    let mut lines = lines(table, columns);
    let all = lines.len();
    if all > LINES {
        // Evenly over all of them, the first and the last among them.
        let kept: Vec<usize> = (0..LINES).map(|i| i * (all - 1) / (LINES - 1)).collect();
        lines =
            lines.into_iter().enumerate().filter(|(i, _)| kept.contains(i)).map(|l| l.1).collect();
    }
    let title = format!("{} against {name}", if is_objective { "Least cost" } else { "Cost" });
    let across =
        if name.starts_with("cards:") { Axis::counts(name, "") } else { Axis::linear(name, "") };
    let mut chart = Chart::new(title, across, Axis::linear("Cost", per_hour).from_zero())
        .absent(absent(&lines));
    if all > LINES {
        chart = chart.subtitle(format!("{LINES} of {all} lines; the table has the others"));
    }
    for (i, Line { label, points, .. }) in lines.into_iter().enumerate() {
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

/// Points that differ along one axis alone.
struct Line {
    /// What they have in common.
    label: String,
    /// (value, cost), by value; NaN without a plan.
    points: Vec<(f64, f64)>,
    /// Points that are proven to have no plan.
    infeasible: usize,
    /// Points that were stopped before a plan was found.
    open: usize,
}

/// What the points are that have no cost to be drawn.
fn absent(lines: &[Line]) -> String {
    let said = |count: usize, what: &str| {
        let points = if count == 1 { "1 point".to_owned() } else { format!("{count} points") };
        (count > 0).then(|| format!("{points} {what}"))
    };
    let infeasible = lines.iter().map(|line| line.infeasible).sum();
    let open = lines.iter().map(|line| line.open).sum();
    let verb = if infeasible == 1 { "is infeasible: no plan" } else { "are infeasible: no plan" };
    let parts = [said(infeasible, verb), said(open, "without a plan in the time given")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A line for each combination of the other axes.
fn lines(table: &Table, columns: &Columns) -> Vec<Line> {
    let others: Vec<usize> = (1..columns.status).filter(|&other| other != columns.axis).collect();
    let said: Vec<Vec<String>> = others.iter().map(|&other| words(table, other)).collect();
    let mut lines: Vec<Line> = Vec::new();
    for (at, row) in table.rows.iter().enumerate() {
        let label = said.iter().map(|column| column[at].as_str()).collect::<Vec<_>>().join(", ");
        let number = |column: usize| row[column].parse().unwrap_or(f64::NAN);
        let place = lines.iter().position(|line| line.label == label).unwrap_or_else(|| {
            lines.push(Line { label, points: Vec::new(), infeasible: 0, open: 0 });
            lines.len() - 1
        });
        let line = &mut lines[place];
        line.points.push((number(columns.axis), number(columns.cost)));
        match (row[columns.cost].as_str(), row[columns.status].as_str()) {
            ("", "infeasible") => line.infeasible += 1,
            ("", _) => line.open += 1,
            _ => {}
        }
    }
    lines.iter_mut().for_each(|line| line.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    lines
}

/// What each row has in a column, in words: numbers as people write them where that tells all of them
/// apart, else to the last digit.
fn words(table: &Table, column: usize) -> Vec<String> {
    let name = &table.columns[column];
    let cells: Vec<&str> = table.rows.iter().map(|row| row[column].as_str()).collect();
    let short = |cell: &str| cell.parse().map_or_else(|_| cell.to_owned(), number);
    let differ = |of: &dyn Fn(&str) -> String| {
        cells.iter().map(|cell| of(cell)).collect::<HashSet<_>>().len()
    };
    let is_enough = differ(&short) == differ(&|cell| cell.to_owned());
    let said = |cell: &&str| match *cell {
        "" => format!("{name} as it is"),
        cell if is_enough => format!("{name} {}", short(cell)),
        cell => format!("{name} {cell}"),
    };
    cells.iter().map(said).collect()
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
        let plots = plots(&table(&columns, &rows), "cents/h");
        assert_eq!(plots.len(), 1, "words make no axis");
        let (name, chart) = &plots[0];
        assert_eq!(name, "cost-against-load");
        let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["formulation single", "formulation mixed"]);
        assert_eq!(chart.absent, "1 point is infeasible: no plan");
    }

    #[test]
    fn numbers_in_the_legend_are_short_where_that_tells_them_apart() {
        let columns = ["point", "load", "capacity", "status", "cost_cents_per_h"];
        let row =
            |load: &'static str, capacity: &'static str| ["0", load, capacity, "optimal", "1"];
        let labels = |first: &'static str, second: &'static str| {
            let rows = [row("1", first), row("2", first), row("1", second), row("2", second)];
            let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
            let (_, chart) = plots(&table(&columns, &rows), "cents/h").remove(0);
            chart.series.iter().map(|s| s.name.clone()).collect::<Vec<_>>()
        };
        let short = labels("0.6666666667", "1.0");
        assert_eq!(short, ["capacity 0.6667", "capacity 1"]);
        let close = labels("0.66666", "0.66667");
        assert_eq!(close, ["capacity 0.66666", "capacity 0.66667"]);
    }

    #[test]
    fn points_stopped_by_the_clock_are_not_called_infeasible() {
        let columns = ["point", "itl", "status", "cost_cents_per_h"];
        let rows: [&[&str]; 4] = [
            &["0", "1", "infeasible", ""],
            &["1", "2", "infeasible", ""],
            &["2", "3", "unknown", ""],
            &["3", "4", "feasible", "7"],
        ];
        let (name, chart) = plots(&table(&columns, &rows), "EUR cents/h").remove(0);
        assert_eq!((name.as_str(), chart.y.unit.as_str()), ("pareto-itl", "EUR cents/h"));
        let said = "2 points are infeasible: no plan; 1 point without a plan in the time given";
        assert_eq!(chart.absent, said);
    }

    #[test]
    fn a_pareto_front_never_rises_with_a_looser_objective() {
        let points = [(0.5, f64::NAN), (0.8, 20.0), (1.0, 22.0), (1.2, 15.0)];
        assert_eq!(front(&points, "itl"), [(0.8, 20.0), (1.0, 20.0), (1.2, 15.0)]);
        assert_eq!(front(&[(1.0, 12.0), (2.0, 11.0)], "tps"), [(1.0, 11.0), (2.0, 11.0)]);
    }
}
