//! **scale**: time and memory against the number of servers, and of accelerators to choose from.
//!
//! Growth is fitted as a power law over the fleets from ten copies on, where what every run costs
//! (starting, sizing, the first relaxation) no longer hides it.

use isocost_charts::{Axis, Chart, Series};

use crate::data::{Data, Row};
use crate::experiment::{Experiment, Scope, Summary, repeated};
use crate::instances::{Fleet, Supply};
use crate::markdown::{digits, percent, spread, table, time};
use crate::measure::Task;
use crate::statistics::{PowerLaw, Spread};

/// The experiment.
pub struct Scale;

const COPIES: [u32; 8] = [1, 3, 10, 37, 100, 370, 1000, 3700];
const FORMULATIONS: [&str; 3] = ["greedy", "single", "mixed"];
/// Copies from which on growth is fitted.
const FITTED_FROM: f64 = 10.0;

impl Experiment for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn about(&self) -> &'static str {
        "Fleets of 27 to 99,900 servers with card counts on 27 accelerators, and of one size on 9, 18 and \
         27 accelerators; every measurement in a process of its own, so that its peak memory is its own."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let most = if scope.quick { 3 } else { scope.most_copies };
        let middle = if scope.quick { 3 } else { 37.min(most) };
        let Some(backend) = scope.backends.first() else { return Vec::new() };
        let mut arms = Vec::new();
        let sizes = COPIES.into_iter().filter(|k| *k <= most).map(|k| ("servers", k, 3));
        let forms = [1, 2, 3].map(|forms| ("accelerators", middle, forms));
        for (arm, copies, forms) in sizes.chain(forms) {
            for formulation in FORMULATIONS {
                let supply = Supply::Fleet(1.0);
                let fleet = Fleet { copies, forms, load: 1.0, supply, seed: scope.seed };
                let task = Task::new(arm, fleet, formulation, backend);
                arms.push(Task { time_limit_s: if scope.quick { 1.0 } else { 60.0 }, ..task });
            }
        }
        repeated(&arms, if scope.quick { 2 } else { 3 })
    }

    fn summary(&self, measured: &Data, _: &Data) -> Summary {
        let mut summary = Summary::default();
        summary.say("## Servers\n\nMedian and quartiles of the repeats.");
        for formulation in measured.distinct("formulation") {
            summary.say(format!("### {formulation}"));
            summary.say(sizes(measured, formulation));
        }
        summary.plot("time", &chart(measured, "Solving time", "s", |row| row.number("solving_s")));
        summary
            .plot("memory", &chart(measured, "Peak memory", "MiB", |row| row.number("peak_mib")));
        summary.say(format!(
            "## Growth\n\nExponents of power laws in the number of servers, with their standard errors, \
             over the fleets from {} servers on.",
            27.0 * FITTED_FROM
        ));
        summary.say(growth(measured));
        summary.say(
            "## Accelerators to choose from\n\nSolving time and exponent in the number of pairs.",
        );
        summary.say(options(measured));
        summary
    }
}

fn of_size<'a>(
    data: &'a Data,
    formulation: &'a str,
    copies: &'a str,
) -> impl Iterator<Item = Row<'a>> + Clone {
    let wanted = move |row: &Row<'_>| {
        row.text("arm") == "servers"
            && row.text("formulation") == formulation
            && row.text("copies") == copies
    };
    data.rows().filter(wanted)
}

fn sizes(data: &Data, formulation: &str) -> String {
    let rows = data.distinct("copies").into_iter().filter_map(|copies| {
        let rows = || of_size(data, formulation, copies);
        let first = rows().next()?;
        let middle =
            |column: &'static str| Spread::of(rows().filter_map(move |row| row.number(column)));
        let gap = match first.text("status") {
            "optimal" => "proven".to_owned(),
            status => first.number("gap").map_or(status.to_owned(), |gap| match gap.is_finite() {
                true => format!("gap {}", percent(gap)),
                false => status.to_owned(),
            }),
        };
        let servers = 27 * copies.parse::<u64>().ok()?;
        Some(vec![
            servers.to_string(),
            first.text("pairs").to_owned(),
            spread(middle("sizing_s"), time),
            spread(middle("building_s"), time),
            spread(middle("solving_s"), time),
            spread(middle("peak_mib"), |x| format!("{} MiB", digits(x))),
            gap,
        ])
    });
    let header = ["servers", "pairs", "sizing", "building", "solving", "peak memory", "result"];
    table(&header, &rows.collect::<Vec<_>>())
}

/// Points (servers, value) from ten copies on, every repeat one.
fn points(
    data: &Data,
    formulation: &str,
    value: impl Fn(&Row<'_>) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let wanted = data.rows().filter(|row| {
        row.text("arm") == "servers"
            && row.text("formulation") == formulation
            && row.number("copies").is_some_and(|k| k >= FITTED_FROM)
    });
    wanted.filter_map(|row| Some((row.number("servers")?, value(&row)?))).collect()
}

fn law(law: Option<PowerLaw>) -> String {
    law.map_or("too few sizes".to_owned(), |law| {
        format!("{:.2} ± {:.2} ({} runs)", law.exponent, law.standard_error, law.points)
    })
}

fn growth(data: &Data) -> String {
    let rows = data.distinct("formulation").into_iter().map(|formulation| {
        let fit = |value: &dyn Fn(&Row<'_>) -> Option<f64>| {
            law(PowerLaw::fit(&points(data, formulation, value)))
        };
        vec![
            formulation.to_owned(),
            fit(&|row| row.number("solving_s")),
            fit(&|row| row.seconds()),
            fit(&|row| row.number("peak_mib")),
        ]
    });
    let header = ["formulation", "solving", "sizing to solving", "peak memory"];
    table(&header, &rows.collect::<Vec<_>>())
}

fn options(data: &Data) -> String {
    let wanted = |formulation: &'static str| {
        move |row: &Row<'_>| {
            row.text("arm") == "accelerators" && row.text("formulation") == formulation
        }
    };
    let mut accelerators: Vec<&str> = Vec::new();
    for row in data.rows().filter(|row| row.text("arm") == "accelerators") {
        if !accelerators.contains(&row.text("accelerators")) {
            accelerators.push(row.text("accelerators"));
        }
    }
    let rows = FORMULATIONS.map(|formulation| {
        let cell = |count: &&str| {
            let rows = data.rows().filter(wanted(formulation));
            let rows = rows.filter(|row| row.text("accelerators") == *count);
            spread(Spread::of(rows.filter_map(|row| row.number("solving_s"))), time)
        };
        let points: Vec<(f64, f64)> = data
            .rows()
            .filter(wanted(formulation))
            .filter_map(|row| Some((row.number("pairs")?, row.number("solving_s")?)))
            .collect();
        [formulation.to_owned()]
            .into_iter()
            .chain(accelerators.iter().map(cell))
            .chain([law(PowerLaw::fit(&points))])
            .collect::<Vec<_>>()
    });
    let names: Vec<String> = accelerators.iter().map(|a| format!("{a} accelerators")).collect();
    let header: Vec<&str> = ["formulation"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .chain(["exponent"])
        .collect();
    table(&header, &rows)
}

fn chart(data: &Data, what: &str, unit: &str, value: impl Fn(&Row<'_>) -> Option<f64>) -> Chart {
    let title = format!("{what} against servers");
    let mut chart = Chart::new(title, Axis::log("Servers", ""), Axis::log(what, unit));
    for formulation in data.distinct("formulation") {
        let point = |copies: &str| {
            let rows = of_size(data, formulation, copies);
            let middle = Spread::of(rows.filter_map(|row| value(&row)))?;
            Some((27.0 * copies.parse::<f64>().ok()?, middle.median))
        };
        let points = data.distinct("copies").into_iter().filter_map(point).collect();
        chart = chart.with(Series::line(formulation, points));
    }
    chart
}
