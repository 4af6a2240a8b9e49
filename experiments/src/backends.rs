//! **backends**: the solvers of this build on a ladder of sizes, with a time limit.

use isocost_charts::{Axis, Chart, Series};

use crate::data::Data;
use crate::experiment::{Experiment, Scope, Summary, repeated};
use crate::instances::{Fleet, Supply};
use crate::markdown::{percent, spread, table, time};
use crate::measure::Task;
use crate::statistics::Spread;

/// The experiment.
pub struct Backends;

const COPIES: [u32; 6] = [1, 3, 10, 30, 100, 300];
const FORMULATIONS: [&str; 3] = ["single", "mixed", "compact"];

impl Experiment for Backends {
    fn name(&self) -> &'static str {
        "backends"
    }

    fn about(&self) -> &'static str {
        "Every backend of the build on fleets of 27 to 8,100 servers with card counts, by formulation, \
         each solve with a time limit: `compact` puts the whole program to the backend; `single` (above 200 \
         servers) and `mixed` put relaxations and small cores to it."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let copies: &[u32] = if scope.quick { &COPIES[..2] } else { &COPIES };
        let mut arms = Vec::new();
        for &copies in copies {
            for formulation in FORMULATIONS {
                for backend in &scope.backends {
                    let fleet = Fleet { copies, ..Fleet::plain(Supply::Fleet(1.0), scope.seed) };
                    let task = Task::new(backend, fleet, formulation, backend);
                    arms.push(Task { time_limit_s: if scope.quick { 1.0 } else { 10.0 }, ..task });
                }
            }
        }
        repeated(&arms, if scope.quick { 1 } else { 3 })
    }

    fn summary(&self, measured: &Data, _: &Data) -> Summary {
        let mut summary = Summary::default();
        let backends = measured.distinct("backend");
        let limit = measured.distinct("time_limit_s").join(", ");
        for formulation in measured.distinct("formulation") {
            summary.say(format!(
                "## {formulation}\n\nSolving time, median and quartiles; where it is not proven within \
                 {limit} s, what is left of the gap."
            ));
            let x = Axis::log("Servers", "");
            let title = format!("{formulation}: solving time");
            let mut chart = Chart::new(title, x, Axis::log("Solving time", "s"));
            for backend in &backends {
                chart = chart.with(Series::line(*backend, times(measured, formulation, backend)));
            }
            let rows = measured.distinct("copies").into_iter().map(|copies| {
                let cell = |backend: &&str| cell(measured, formulation, backend, copies);
                let servers = 27 * copies.parse::<u64>().unwrap_or(0);
                [servers.to_string()].into_iter().chain(backends.iter().map(cell)).collect()
            });
            let header: Vec<&str> =
                ["servers"].into_iter().chain(backends.iter().copied()).collect();
            summary.say(table(&header, &rows.collect::<Vec<_>>()));
            summary.plot(&format!("time-{formulation}"), &chart);
        }
        summary.say("## Where each stops");
        summary.say(stops(measured, &backends));
        summary
    }
}

fn times(data: &Data, formulation: &str, backend: &str) -> Vec<(f64, f64)> {
    let point = |copies: &str| {
        let wanted = [("formulation", formulation), ("backend", backend), ("copies", copies)];
        let middle = Spread::of(data.only(&wanted).filter_map(|row| row.number("solving_s")))?;
        Some((27.0 * copies.parse::<f64>().ok()?, middle.median))
    };
    data.distinct("copies").into_iter().filter_map(point).collect()
}

fn cell(data: &Data, formulation: &str, backend: &str, copies: &str) -> String {
    let wanted = [("formulation", formulation), ("backend", backend), ("copies", copies)];
    let rows = || data.only(&wanted);
    let took = spread(Spread::of(rows().filter_map(|row| row.number("solving_s"))), time);
    let proven = rows().all(|row| matches!(row.text("status"), "optimal" | "infeasible"));
    if proven {
        return took;
    }
    let statuses: Vec<&str> = rows().map(|row| row.text("status")).collect();
    let gap = Spread::of(rows().filter_map(|row| row.number("gap")));
    match (gap, statuses.first()) {
        (Some(gap), _) => format!("{took}, gap {}", percent(gap.median)),
        (None, Some(status)) => format!("{took}, {status}"),
        (None, None) => "-".to_owned(),
    }
}

/// The largest fleet that each proves in all repeats.
fn stops(data: &Data, backends: &[&str]) -> String {
    let rows = data.distinct("formulation").into_iter().map(|formulation| {
        let largest = |backend: &&str| {
            let proves = |copies: &&str| {
                let wanted =
                    [("formulation", formulation), ("backend", *backend), ("copies", *copies)];
                data.only(&wanted).all(|row| matches!(row.text("status"), "optimal" | "infeasible"))
            };
            let copies = data.distinct("copies").into_iter().filter(proves);
            let most = copies.filter_map(|copies| copies.parse::<u64>().ok()).max();
            most.map_or("none".to_owned(), |copies| format!("{} servers", 27 * copies))
        };
        [formulation.to_owned()].into_iter().chain(backends.iter().map(largest)).collect()
    });
    let header: Vec<&str> =
        ["largest fleet proven"].into_iter().chain(backends.iter().copied()).collect();
    table(&header, &rows.collect::<Vec<_>>())
}
